// Keyspace+Cold.swift - values on their way to disk, what becomes of their records there, and what a start finds again.
// The value goes as it lies in memory: compressed with its family's dictionary, or as its type keeps it. Engine's turn
// only, never while somebody holds the entry.
internal import Base
internal import Codec
internal import CLinux
package import ColdStore
internal import Structures

extension Keyspace {
    /// What an entry keeps of a cold value: the head of a sleeping value and its address.
    private static let coldByteCount = SleepingValue.headByteCount + 8
    /// A key that dies sooner is not worth a write. Records of short lives lie in segments that die whole, so a write
    /// is all they cost: below 30 s, as it was once, values of a few seconds were lost and asked for again (81.2
    /// percent of reads found them, 82.7 do now, as many as with any memory).
    private static let coldLifeMilliseconds: Int64 = 500
    /// Larger values would hold the turn for a millisecond while they are copied.
    private static let coldByteCountMax = 4 << 20
    /// Of the memory that keys take, the share in hundredths beyond which keys of cold values go like any others, so
    /// that some memory is left for values. A value that must be read from disk is worth more than none: where not all
    /// keys fit (zipf 0.8, zipf 1.0 and a loop over ten times the memory, whose values and buffers took more than they
    /// do now) 70 percent gave 81.4, 90.8 and 28.5 percent of hits, 90 gave 86.4, 91.1 and 49.8. With 96, and
    /// buffers that follow the limit, next to all keys fit.
    private static let coldSharePercent = 96

    // MARK: to disk

    /// Puts the value of `slot` on disk. Returns the bytes of memory that became free, nil when it stays where it is.
    mutating func sink(_ slot: EntryTable.Slot, in database: Int) -> Int? {
        let entry = slot.entry
        guard let cold = tiers.cold, cold.takesValues, entry.tier != .cold else { return nil }
        if entry.hasExpiry && entry.expiryMilliseconds - now < Keyspace.coldLifeMilliseconds { return nil }
        if tiers.wishes != nil && !tiers.options(of: entry.key, in: database).hasDisk { return nil }
        if cold.spares && cold.store.isBusy(at: now) {
            cold.isHeldUp = true
            return nil
        }
        var head = ColdHead()
        // A label is not kept on disk, and without it the value could outlive its tags: bit 7 says so to a start.
        head.type = UInt8(entry.type) | (entry.hasLabel ? ColdTier.unrecoverable : 0)
        head.database = database
        head.version = UInt16(entry.version)
        head.expiryMilliseconds = entry.expiry ?? 0
        var address: ColdAddress?
        var dictionary = 0
        if entry.isAsleep {
            let sleeping = SleepingValue(entry)
            dictionary = sleeping.dictionary
            head.codec = sleeping.codec.rawValue
            head.encoding = UInt8(sleeping.originalEncoding)
            head.wholeByteCount = sleeping.wholeByteCount
            if dictionary != 0 {
                guard let number = tiers.coldNumber(ofDictionary: dictionary) else { return nil }
                head.dictionary = number
            }
            address = cold.store.put(head, key: entry.key, payload: sleeping.payload, now: now)
        } else {
            guard let byteCount = Keyspace.compactByteCount(entry), byteCount >= tiers.options.coldByteCountMin,
                byteCount <= Keyspace.coldByteCountMax
            else { return nil }
            head.encoding = UInt8(entry.encoding)
            head.wholeByteCount = byteCount
            address = cold.store.put(head, key: entry.key, payload: Keyspace.compactBytes(entry), now: now)
        }
        guard let address else { return nil }
        tiers.statistics.toCold += 1
        let before = self[database].allocatedByteCount(of: entry)
        layDown(slot, in: database, head, dictionary: dictionary, at: address)
        return before - self[database].allocatedByteCount(of: slot.entry)
    }

    /// Gives the slot's key an entry whose value is at `address`.
    private mutating func layDown(
        _ slot: EntryTable.Slot, in database: Int, _ head: ColdHead, dictionary: Int, at address: ColdAddress
    ) {
        let old = slot.entry
        self[database].willChange(old)
        let fresh = makeCold(old.key, in: database, head, dictionary: dictionary, at: address)
        fresh.version = old.version
        fresh.frequency = old.frequency
        replace(slot, in: database, with: fresh)
        self[database].sleepers.add(SleepingValue(slot.entry))
    }

    /// A cold entry, in no table and not counted yet.
    private mutating func makeCold(
        _ key: Span<UInt8>, in database: Int, _ head: ColdHead, dictionary: Int, at address: ColdAddress
    ) -> Entry {
        let type = ObjectType(rawValue: Int(head.type & ~ColdTier.unrecoverable)) ?? .string
        let expiry = head.expiryMilliseconds > 0 ? head.expiryMilliseconds : nil
        let fresh = self[database].makeEntry(
            key, valueByteCount: Keyspace.coldByteCount, type: type, encoding: SleepingValue.encoding, expiry: expiry)
        fresh.tierNumber = Tier.cold.rawValue
        SleepingValue.writeHead(
            fresh, codec: BlockCodec(rawValue: head.codec) ?? .none, encoding: Int(head.encoding),
            dictionary: dictionary, wholeByteCount: head.wholeByteCount)
        fresh.setValueWord(address.bits, at: SleepingValue.headByteCount)
        return fresh
    }

    /// Whether the disk takes values, so that what is compressed is written and no key need go.
    package var sinks: Bool { tiers.cold.map { $0.takesValues && $0.store.failure == nil } ?? false }

    /// Whether a value was left where it is because the disk is busy.
    var isHeldUp: Bool { tiers.cold?.isHeldUp ?? false }

    // MARK: keys without their values

    /// Keys of cold values, in all databases.
    package var coldKeyCount: Int {
        var total = 0
        for index in 0..<databaseCount { total += self[index].sleepers.cold.keys }
        return total
    }

    /// Whether a database has keys of cold values.
    @inline(__always)
    package func hasCold(in database: Int) -> Bool { self[database].sleepers.cold.keys > 0 }

    /// Whether keys of cold values take so much memory that they must go like others.
    var isCrowdedByCold: Bool {
        var (cold, all) = (0, 0)
        for index in 0..<databaseCount where self[index].count > 0 {
            let figures = self[index].sleepers.cold
            cold += figures.entryByteCount + figures.keys * self[index].tableShare
            all += self[index].byteCount
        }
        return cold / Keyspace.coldSharePercent > all / 100
    }

    /// Gives addresses back that no entry has any more.
    package mutating func releaseCold() {
        guard let cold = tiers.cold else { return }
        for address in garbage.takeCold() { cold.remove(address) }
        cold.takeReleases()
    }

    /// A flushed database's cold values go: all records at once where nobody else has any, else when it is freed.
    func letColdGo(_ flushed: FlushedDatabase) {
        guard let cold = tiers.cold, flushed.coldKeyCount > 0 else { return }
        if snapshot == nil && coldKeyCount == 0 {
            garbage.forgetCold()
            cold.removeAll()
        } else {
            flushed.releaseCold(to: cold.releases)
        }
    }

    // MARK: records

    /// What is to become of a record that is met when its segment is emptied. Where there is room it is written again;
    /// where there is none, only one that was used since it was written or spared last is, and the key of another goes.
    /// Not while a snapshot runs: it may keep entries that are in no table.
    package mutating func judge(_ head: ColdHead, _ key: Span<UInt8>, _ address: ColdAddress) -> ColdVerdict {
        guard let (slot, hash, database) = holder(of: key, address, head.database) else { return .dead }
        if isExpired(slot.entry) {
            // Its address is given back with the record.
            forget(slot)
            expire(slot, hash: hash, in: database)
            return .drop
        }
        if tiers.cold?.store.sparesLiving == true { return .keep }
        if slot.entry.frequency > 0 {
            slot.entry.frequency -= 1
            return .keep
        }
        tiers.cold?.statistics.reclaimed += 1
        forget(slot)
        evict(slot, hash: hash, in: database)
        return .drop
    }

    /// The entry's record is the store's to remove.
    private func forget(_ slot: EntryTable.Slot) { slot.entry.setValueWord(0, at: SleepingValue.headByteCount) }

    /// A record was written again elsewhere.
    package mutating func moved(_ head: ColdHead, _ key: Span<UInt8>, _ from: ColdAddress, _ to: ColdAddress) {
        guard let (slot, _, _) = holder(of: key, from, head.database) else { return }
        slot.entry.setValueWord(to.bits, at: SleepingValue.headByteCount)
    }

    /// The key that has this address. Databases may have been exchanged since the record was written.
    private func holder(
        of key: Span<UInt8>, _ address: ColdAddress, _ likely: Int
    ) -> (slot: EntryTable.Slot, hash: UInt64, database: Int)? {
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        for step in 0..<databaseCount {
            let database = (min(likely, databaseCount - 1) + step) % databaseCount
            guard self[database].sleepers.cold.keys > 0, let slot = self[database].table.find(key, hash: hash),
                slot.entry.tier == .cold, SleepingValue(slot.entry).coldAddress == address
            else { continue }
            return (slot, hash, database)
        }
        return nil
    }

    // MARK: start and end

    /// A start found a record of an earlier process. False when nobody wants it.
    package mutating func recover(
        _ head: ColdHead, _ key: Span<UInt8>, _ address: ColdAddress, dictionary: Int
    ) -> Bool {
        guard head.type & ColdTier.unrecoverable == 0, head.database < databaseCount,
            let type = ObjectType(rawValue: Int(head.type)), ColdTier.isEncoding(Int(head.encoding), of: type),
            BlockCodec(rawValue: head.codec) != nil, head.dictionary == 0 || dictionary != 0,
            head.wholeByteCount > 0, head.wholeByteCount <= Keyspace.coldByteCountMax
        else { return false }
        let database = head.database
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        let fresh = makeCold(key, in: database, head, dictionary: dictionary, at: address)
        fresh.version = Int(head.version)
        // What is on disk was worth a write once.
        fresh.frequency = 0
        // What was there is older: a file's, or an earlier record.
        let slot = self[database].table.find(key, hash: hash)
        if let slot { willReplace(slot, in: database) }
        self[database].install(fresh, hash: hash, slot: slot, garbage: &garbage)
        self[database].sleepers.add(SleepingValue(fresh))
        return true
    }

    /// Calls `body` with the address of every cold value that a start may find again, and what its key is now.
    package func forEachCold(_ body: (ColdAddress, _ database: Int, _ expiryMilliseconds: Int64) -> Void) {
        for index in 0..<databaseCount where self[index].sleepers.cold.keys > 0 {
            self[index].table.forEach { entry in
                guard entry.tier == .cold, !entry.hasLabel, !isExpired(entry) else { return }
                body(SleepingValue(entry).coldAddress, index, entry.expiry ?? 0)
            }
        }
    }
}

extension ColdTier {
    /// Of a record's type: only the process that wrote it can tell whether it is still good.
    static let unrecoverable: UInt8 = 0x80

    /// Whether values of the type lie in one piece under this encoding.
    static func isEncoding(_ encoding: Int, of type: ObjectType) -> Bool {
        switch type {
        case .string:
            encoding == StringEncoding.embedded.rawValue || encoding == StringEncoding.raw.rawValue
                || encoding == StringEncoding.external.rawValue
        case .list: encoding == ListEncoding.compact.rawValue
        case .set: encoding == CollectionEncoding.listpack.rawValue || encoding == CollectionEncoding.intset.rawValue
        case .hash, .sortedSet: encoding == CollectionEncoding.listpack.rawValue
        case .stream: false
        }
    }
}

extension SleepingValue {
    /// Where a cold value's record is.
    package var coldAddress: ColdAddress {
        ColdAddress(bits: entry.valueWord(at: SleepingValue.headByteCount))
    }
}
