// Keyspace+Tiers.swift - moving values between tiers. `demote` is asked before memory is taken from a key by other
// means; `wake` and `image` are what lookups call for a value that is asleep. Moving a value is no change of its key:
// nothing is journaled, notified or tracked. Engine's turn only, never while somebody holds the entry.
internal import Base
internal import Codec
internal import CLinux
internal import ColdStore
package import Structures

extension Keyspace {
    /// What a compressed value must not exceed, as a share of the memory that the raw one takes.
    private static let keptShare = 0.8
    /// Below this, compressing without a dictionary gains nothing.
    private static let byteCountMinWithoutDictionary = 512
    /// What a second compression must gain over the first.
    private static let recompressedShare = 0.92

    // MARK: going to sleep

    /// Puts the value of `slot` one tier further down. Returns the bytes of memory that became free, nil when it stays
    /// as it is: then the key must go if memory is needed.
    package mutating func demote(
        _ slot: EntryTable.Slot, in database: Int, memoryIsShort: Bool = true
    ) -> Int? {
        squeeze(slot, in: database, memoryIsShort: memoryIsShort) ?? sink(slot, in: database)
    }

    /// As `demote`, within memory.
    mutating func squeeze(_ slot: EntryTable.Slot, in database: Int, memoryIsShort: Bool = true) -> Int? {
        let entry = slot.entry
        guard tiers.mayCompress, !entry.resistsCompression else { return nil }
        let options = tiers.options(of: entry.key, in: database)
        guard options.compresses else { return nil }
        switch entry.tier {
        case .raw: break
        case .warm: if options.choice == .lz4 { return nil }
        case .dense, .cold: return nil
        }
        // Where the disk takes everything nothing is saved by leaving it: it would take the value as it is.
        if tiers.budget.isSpent(at: now) && !sinks {
            tiers.statistics.skippedForTime += 1
            return nil
        }
        let start = tiers.budget.start()
        defer { tiers.budget.charge(since: start) }
        return entry.tier == .raw
            ? compress(slot, in: database, options.choice, memoryIsShort: memoryIsShort)
            : recompress(slot, in: database)
    }

    /// Puts the value of `slot` into the warm or the dense tier because somebody asked for it, whatever was found out
    /// about it before. False when it is there or further down already, does not shrink, or its class will not have it.
    package mutating func demote(_ slot: EntryTable.Slot, in database: Int, to tier: Tier) -> Bool {
        guard tier == .cold || tiers.options(of: slot.entry.key, in: database).compresses else { return false }
        slot.entry.resistsCompression = false
        switch (slot.entry.tier, tier) {
        case (.raw, .warm): return compress(slot, in: database, .lz4) != nil
        case (.raw, .dense): return compress(slot, in: database, .zstd) != nil
        case (.warm, .dense): return recompress(slot, in: database) != nil
        case (_, .cold): return sink(slot, in: database) != nil
        default: return false
        }
    }

    /// Whether the value is one that is compressed when memory is needed, whatever that would gain.
    package func mayBeCompressed(_ entry: Entry) -> Bool {
        guard let byteCount = Keyspace.compactByteCount(entry) else { return false }
        return byteCount >= tiers.options.byteCountMin && byteCount <= tiers.options.byteCountMax
    }

    /// Shows a value to its family's samples, before memory is full.
    package mutating func sample(_ entry: Entry) {
        guard mayBeCompressed(entry) else { return }
        let family = tiers.families.index(of: entry.key)
        if tiers.families[family].current == 0 { tiers.observe(Keyspace.compactBytes(entry), family: family) }
    }

    /// Bytes of a value that is one piece; nil for all others.
    static func compactByteCount(_ entry: Entry) -> Int? {
        if entry.isAsleep { return nil }
        switch entry.objectType {
        case .string:
            switch entry.stringEncoding {
            case .integer: return nil
            case .embedded, .raw: return entry.valueByteCount
            case .external: return ExternalValue.count(entry)
            }
        case .list, .set, .hash, .sortedSet:
            return entry.hasHeldValue ? nil : entry.compactByteCount
        case .stream: return nil
        }
    }

    @_lifetime(borrow entry)
    static func compactBytes(_ entry: Entry) -> Span<UInt8> {
        if entry.isString { return unsafe _overrideLifetime(entry.stringBytes(), borrowing: entry) }
        let view = entry.value.extracting(0..<entry.compactByteCount)
        return unsafe _overrideLifetime(view, borrowing: entry)
    }

    private mutating func compress(
        _ slot: EntryTable.Slot, in database: Int, _ choice: CompressionChoice, memoryIsShort: Bool = true
    ) -> Int? {
        let entry = slot.entry
        guard mayBeCompressed(entry) else { return nil }
        let bytes = Keyspace.compactBytes(entry)
        let family = tiers.families.index(of: entry.key)
        tiers.observe(bytes, family: family)
        let number = tiers.families[family].current
        let dictionary = tiers.dictionary(number)
        // Where there is no dictionary yet, LZ4 gains next to nothing.
        let codec = choice.codec(memoryIsShort: memoryIsShort || dictionary == nil)
        if dictionary == nil && bytes.count < Keyspace.byteCountMinWithoutDictionary { return nil }
        let before = self[database].allocatedByteCount(of: entry)
        let overhead = entry.byteCount - entry.valueByteCount + SleepingValue.headByteCount
        let limit = Int(Double(before) * Keyspace.keptShare) - overhead
        guard tiers.pack(bytes, codec, dictionary, limit: limit) else {
            // Without a dictionary nothing was proven about what one could do.
            if dictionary != nil || bytes.count >= 4096 { entry.resistsCompression = true }
            tiers.statistics.incompressible += 1
            return nil
        }
        tiers.notePacked(number, plain: bytes.count, packed: tiers.block.count)
        if codec == .lz4 { tiers.statistics.toWarm += 1 } else { tiers.statistics.toDense += 1 }
        putToSleep(
            slot, in: database, codec: codec, encoding: entry.encoding, dictionary: dictionary == nil ? 0 : number,
            wholeByteCount: bytes.count)
        return before - self[database].allocatedByteCount(of: slot.entry)
    }

    /// Warm to dense.
    private mutating func recompress(_ slot: EntryTable.Slot, in database: Int) -> Int? {
        let entry = slot.entry
        let sleeping = SleepingValue(entry)
        let count = sleeping.wholeByteCount
        guard tiers.unpackWhole(sleeping) else { return nil }
        let number = tiers.families[tiers.families.index(of: entry.key)].current
        let dictionary = tiers.dictionary(number)
        let before = self[database].allocatedByteCount(of: entry)
        let payloadByteCount = entry.valueByteCount - SleepingValue.headByteCount
        let limit = Int(Double(payloadByteCount) * Keyspace.recompressedShare)
        guard tiers.packWhole(.zstd, dictionary, limit: limit) else {
            entry.resistsCompression = true
            return nil
        }
        tiers.notePacked(number, plain: count, packed: tiers.block.count)
        tiers.statistics.toDense += 1
        putToSleep(
            slot, in: database, codec: .zstd, encoding: sleeping.originalEncoding,
            dictionary: dictionary == nil ? 0 : number, wholeByteCount: count)
        return before - self[database].allocatedByteCount(of: slot.entry)
    }

    /// Gives the slot's key an entry whose value is the block in `tiers.block`.
    private mutating func putToSleep(
        _ slot: EntryTable.Slot, in database: Int, codec: BlockCodec, encoding: Int, dictionary: Int,
        wholeByteCount: Int
    ) {
        let old = slot.entry
        self[database].willChange(old)
        let fresh = self[database].makeEntry(
            old.key, valueByteCount: SleepingValue.headByteCount + tiers.block.count, type: old.objectType,
            encoding: SleepingValue.encoding, expiry: old.expiry)
        fresh.tierNumber = (codec == .lz4 ? Tier.warm : .dense).rawValue
        SleepingValue.writeHead(
            fresh, codec: codec, encoding: encoding, dictionary: dictionary, wholeByteCount: wholeByteCount)
        unsafe memcpy(
            fresh.valueAddress + SleepingValue.headByteCount, tiers.block.pointer, tiers.block.count)
        fresh.version = old.version
        fresh.frequency = old.frequency
        replace(slot, in: database, with: fresh)
        self[database].sleepers.add(SleepingValue(slot.entry))
    }

    /// The same value in another form: what is known of the key stays.
    mutating func replace(_ slot: EntryTable.Slot, in database: Int, with fresh: Entry) {
        let old = slot.entry
        let placed = self[database].carryLabel(of: old, to: fresh)
        self[database].table.replace(slot, with: placed)
        if placed.tier == .cold { slot.age = EntryTable.asideAge }
        self[database].discard(old, garbage: &garbage)
    }

    // MARK: waking

    /// Makes the value of `slot` raw again. False when it cannot be read any more: then the key is gone.
    @inline(never)
    package mutating func wake(_ slot: EntryTable.Slot, hash: UInt64, in database: Int) -> Bool {
        let old = slot.entry
        let sleeping = SleepingValue(old)
        self[database].willChange(old)
        let count = sleeping.wholeByteCount
        let isExternal = old.isString && sleeping.originalEncoding == StringEncoding.external.rawValue
        let fresh = self[database].makeEntry(
            old.key, valueByteCount: isExternal ? ExternalValue.byteCount : count, type: old.objectType,
            encoding: sleeping.originalEncoding, expiry: old.expiry)
        var target = unsafe fresh.valueAddress
        if isExternal {
            unsafe target = self[database].allocateExternal(count)
            unsafe ExternalValue.set(fresh, address: target, count: count)
        }
        fresh.version = old.version
        fresh.frequency = old.frequency
        let isWhole = unsafe tiers.unpack(sleeping, to: target)
        if isWhole { tiers.statistics.promotions += 1 }
        replace(slot, in: database, with: fresh)
        if !isWhole { self[database].remove(slot, hash: hash, garbage: &garbage) }
        return isWhole
    }

    /// What a command that only reads gets for the slot of a value that is asleep: an image of it, valid until the
    /// command that began at `stamp` has ended; or, read often enough, the value made raw again. One from disk is back
    /// in memory at its first read, compressed. Nil when it cannot be read any more.
    @inline(never)
    package mutating func readSleeping(
        _ slot: EntryTable.Slot, hash: UInt64, in database: Int, stamp: UInt64
    ) -> Entry? {
        let sleeping = SleepingValue(slot.entry)
        switch slot.entry.tier {
        case .raw: break
        case .warm: tiers.statistics.warmHits += 1
        case .dense: tiers.statistics.denseHits += 1
        case .cold: tiers.statistics.coldHits += 1
        }
        let hits = sleeping.noteHit(now: now, windowSeconds: tiers.options.promoteWindowSeconds)
        let options = tiers.options(of: slot.entry.key, in: database)
        let isCold = slot.entry.tier == .cold
        // Where values are not to be compressed any more, one that is wakes at its first read.
        let isDue = hits >= options.promoteHits || !options.compresses && !isCold
        // While the disk is behind nobody could make room for it.
        let mayRise = tiers.cold?.store.isBusy(at: now) != true
        let mayMove = isDue && mayRise
        let mayStayPacked = options.compresses && sleeping.codec != .none
        let mayBeRaw = options.keepsRaw && !(tiers.isRawCrowded && mayStayPacked)
        if mayMove && mayBeRaw || tiers.imagesAreMany(stamp) {
            return wake(slot, hash: hash, in: database) ? slot.entry : nil
        }
        if isCold && mayRise && mayStayPacked && lift(slot, in: database) {
            _ = SleepingValue(slot.entry).noteHit(now: now, windowSeconds: tiers.options.promoteWindowSeconds)
        }
        if let image = tiers.image(SleepingValue(slot.entry), stamp: stamp) {
            // The caller's note is for the image.
            noteAccess(slot.entry, silently: false)
            return image
        }
        self[database].remove(slot, hash: hash, garbage: &garbage)
        return nil
    }

    /// Takes the value of `slot` from disk into memory, compressed as its record has it, among those that have just
    /// come: one that was read is worth more than one that nobody read and that goes in its place. False when it cannot
    /// be read: it stays where it is.
    private mutating func lift(_ slot: EntryTable.Slot, in database: Int) -> Bool {
        let sleeping = SleepingValue(slot.entry)
        let tiers = tiers
        tiers.block.truncate(to: 0)
        let isHere = tiers.cold?.withPayload(sleeping) { payload in
            tiers.block.append(payload)
            return true
        }
        guard isHere == true else { return false }
        tiers.statistics.fromCold += 1
        putToSleep(
            slot, in: database, codec: sleeping.codec, encoding: sleeping.originalEncoding,
            dictionary: sleeping.dictionary, wholeByteCount: sleeping.wholeByteCount)
        self[database].table.beginProbation(slot)
        return true
    }

    // MARK: figures

    /// Values of all databases that need dictionary `number`. A running snapshot may need any.
    package func dictionaryUses(_ number: Int) -> Int {
        var total = snapshot == nil ? 0 : 1
        for index in 0..<databaseCount { total += self[index].sleepers.uses(of: number) }
        return total
    }

    /// What is asleep in `tier`, in all databases.
    package func sleepers(in tier: Tier) -> SleeperAccount.Figures {
        var total = SleeperAccount.Figures()
        for index in 0..<databaseCount { total.add(self[index].sleepers[tier]) }
        return total
    }
}
