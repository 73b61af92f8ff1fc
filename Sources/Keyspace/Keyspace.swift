// Keyspace.swift - all databases, the instant they are looked at, and the one place where keys die of age. `find` is
// the door every command goes through: it hides and removes what has expired. Removals that nobody asked for are
// written to `removals`, which the engine's effects read after each command. Engine's turn only.
internal import Base
internal import CLinux
internal import ColdStore
package import Structures

@safe package struct Keyspace: ~Copyable {
    /// Plain counters that INFO shows; reset by CONFIG RESETSTAT.
    package struct Statistics {
        package var hits = 0
        package var misses = 0
        package var expired = 0
        package var expiredFields = 0
        /// Keys that went because memory was full.
        package var evicted = 0
        /// Keys that went because one of their tags was invalidated.
        package var invalidated = 0
        /// Times a sweep stopped at its time limit with work left.
        package var expiryTimeCapReached = 0
        package init() {}
    }

    /// The tags of keys in all databases; `isInvalidated` asks it.
    package let tags = TagTable()
    private let databases: UnsafeMutablePointer<Database>
    let garbagePointer: UnsafeMutablePointer<Garbage>
    package let databaseCount: Int
    /// Milliseconds since the epoch that the running command sees; frozen while it runs.
    package var now: Int64 = 0
    package var statistics = Statistics()
    package var removals = Removals()
    /// How often a database was emptied or got another's keys.
    package private(set) var replacementCount = 0
    /// When keys were last accessed, for OBJECT IDLETIME.
    package var clocks = AccessClocks(startMilliseconds: Clock().nowMilliseconds)
    /// Whether new keys are recorded, as `recordArrivals` said last.
    package internal(set) var recordsArrivals = false
    /// A replica hides expired keys and waits for its primary's DEL; so does DEBUG SET-ACTIVE-EXPIRE's lazy part.
    package var removesExpired = true
    /// While recorded commands are replayed no key is too old: what had died then was recorded as removed.
    package var keepsExpired = false
    /// `import-mode`: expired keys are hidden from readers and left where they are, since their source removes them; a
    /// write still takes the place of one.
    package var isImporting = false
    /// Whether a key that is given a time in the past goes at once.
    package var removesAtOnce: Bool { removesExpired && !isImporting }
    /// Compressed values and values on disk (`Tiering/`).
    package let tiers = TierStore()
    /// The snapshot that runs (`Snapshot/`).
    package internal(set) var snapshot: SnapshotCapture?

    package init(databaseCount: Int) {
        self.databaseCount = databaseCount
        unsafe databases = .allocate(capacity: databaseCount)
        for index in 0..<databaseCount { unsafe (databases + index).initialize(to: Database(tags: tags)) }
        unsafe garbagePointer = .allocate(capacity: 1)
        unsafe garbagePointer.initialize(to: Garbage())
    }

    deinit {
        unsafe databases.deinitialize(count: databaseCount)
        unsafe databases.deallocate()
        unsafe garbagePointer.deinitialize(count: 1)
        unsafe garbagePointer.deallocate()
    }

    @unsafe var databasesPointer: UnsafeMutablePointer<Database> { unsafe databases }

    /// What is to be freed in the background. Reached by address, so that a database can be changed meanwhile.
    package var garbage: Garbage {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(garbagePointer) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe garbagePointer }
    }

    package subscript(index: Int) -> Database {
        @inline(__always) unsafeAddress {
            precondition(index >= 0 && index < databaseCount, "database index outside the keyspace")
            return unsafe UnsafePointer(databases + index)
        }
        @inline(__always) nonmutating unsafeMutableAddress {
            precondition(index >= 0 && index < databaseCount, "database index outside the keyspace")
            return unsafe databases + index
        }
    }

    // MARK: lookup

    /// The slot of a live key with its value awake: the door for whoever wants the value. An expired key is removed (or
    /// hidden, on a replica) and counts as absent.
    @inline(__always)
    package mutating func find(_ key: Span<UInt8>, hash: UInt64, in database: Int) -> EntryTable.Slot? {
        guard let slot = self[database].table.find(key, hash: hash) else { return nil }
        if _slowPath(slot.entry.needsCare) {
            if isExpired(slot.entry) {
                if removesExpired { expire(slot, hash: hash, in: database) }
                return nil
            }
            if _slowPath(slot.entry.isAsleep) { return wake(slot, hash: hash, in: database) ? slot : nil }
        }
        return slot
    }

    /// As `find`, for a command that only reads: a value that is asleep is read where it lies. The entry is valid until
    /// the command that began at `stamp` has ended, or changes the key.
    @inline(__always)
    package mutating func read(_ key: Span<UInt8>, hash: UInt64, in database: Int, stamp: UInt64) -> Entry? {
        guard let slot = self[database].table.find(key, hash: hash) else { return nil }
        if _slowPath(slot.entry.needsCare) {
            if isExpired(slot.entry) {
                if removesAtOnce { expire(slot, hash: hash, in: database) }
                return nil
            }
            if _slowPath(slot.entry.isAsleep) {
                return readSleeping(slot, hash: hash, in: database, stamp: stamp)
            }
        }
        return slot.entry
    }

    /// As `find`, leaving a value asleep: for whoever only asks about the key or puts another value in its place.
    @inline(__always)
    package mutating func look(_ key: Span<UInt8>, hash: UInt64, in database: Int) -> EntryTable.Slot? {
        guard let slot = self[database].table.find(key, hash: hash) else { return nil }
        if _slowPath(slot.entry.isMortal) && isExpired(slot.entry) {
            if removesExpired { expire(slot, hash: hash, in: database) }
            return nil
        }
        return slot
    }

    /// As `look`, for whoever only asks: in import mode an expired key is hidden and stays.
    package mutating func glance(_ key: Span<UInt8>, hash: UInt64, in database: Int) -> EntryTable.Slot? {
        guard isImporting else { return look(key, hash: hash, in: database) }
        guard let slot = self[database].table.find(key, hash: hash), !isExpired(slot.entry) else { return nil }
        return slot
    }

    /// Whether the key is not there any more for anybody: its time is over or a tag of it was invalidated. A key lives
    /// through the millisecond it expires at, as in Redis.
    @inline(__always)
    package func isExpired(_ entry: Entry) -> Bool {
        if entry.hasExpiry && entry.expiryMilliseconds < now && !keepsExpired { return true }
        return _slowPath(entry.hasLabel) && tags.isDead(entry.labelCohort) && !keepsExpired
    }

    /// Removes a key because its time has come, or that of one of its tags.
    @inline(never)
    package mutating func expire(_ slot: EntryTable.Slot, hash: UInt64, in database: Int) {
        let isInvalid = isInvalidated(slot.entry)
        if isInvalid { statistics.invalidated += 1 } else { statistics.expired += 1 }
        removals.add(slot.entry.key, database: database, reason: isInvalid ? .invalidated : .expired)
        self[database].remove(slot, hash: hash, garbage: &garbage)
    }

    /// Removes a key because memory is full, or its class's share of it.
    package mutating func evict(_ slot: EntryTable.Slot, hash: UInt64, in database: Int) {
        statistics.evicted += 1
        removals.add(slot.entry.key, database: database, reason: .evicted)
        self[database].remove(slot, hash: hash, garbage: &garbage)
    }

    /// Removes a live key; false when there is none.
    package mutating func remove(_ key: Span<UInt8>, hash: UInt64, in database: Int) -> Bool {
        guard let slot = look(key, hash: hash, in: database) else { return false }
        self[database].remove(slot, hash: hash, garbage: &garbage)
        return true
    }

    /// Notes that a command read the entry: the access frequency that eviction and OBJECT FREQ look at, saturating.
    @inline(__always)
    package func noteAccess(_ entry: Entry, silently: Bool) {
        if _slowPath(entry.frequency < frequencyMax && !silently) { countUse(entry) }
    }

    /// Saturation of an entry's access frequency: after this many uses a use writes nothing any more.
    package private(set) var frequencyMax = Keyspace.frequencyExactMax
    /// Up to here every use counts; beyond, each level stands for twice as many uses as the one before.
    private static let frequencyExactMax = 3

    /// What counts as a use of a key.
    package enum UseCounting: Sendable {
        /// Every access, as far as eviction by recency needs.
        case recent
        /// Every access, up to a few thousand (LFU policies).
        case frequent
        /// Writes alone (LRM policies), which `noteModification` tells.
        case modified
    }

    package mutating func setUseCounting(_ counting: UseCounting) {
        frequencyMax =
            switch counting {
            case .recent: Keyspace.frequencyExactMax
            case .frequent: 15
            case .modified: 0
            }
    }

    /// A key that exists is written, and only writes count.
    package func noteModification(_ entry: Entry) {
        if entry.frequency < Keyspace.frequencyExactMax { entry.frequency += 1 }
    }

    @inline(never)
    private func countUse(_ entry: Entry) {
        let level = entry.frequency
        // The count of hits stands in for a random number: who is read while it passes a multiple is chance.
        let mask = level < Keyspace.frequencyExactMax ? 0 : 1 << (level - 2) - 1
        if statistics.hits & mask == 0 { entry.frequency = level + 1 }
    }

    // MARK: writing

    /// Writes a string; see `Database.setString`.
    @inline(__always)
    package mutating func setString(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, slot: EntryTable.Slot?, value: Span<UInt8>, expiry: Int64?
    ) {
        self[database].setString(key, hash: hash, slot: slot, value: value, expiry: expiry, garbage: &garbage)
    }

    /// Writes an integer-encoded string.
    package mutating func setInteger(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, slot: EntryTable.Slot?, value: Int64, expiry: Int64?
    ) {
        self[database].setInteger(key, hash: hash, slot: slot, value: value, expiry: expiry, garbage: &garbage)
    }

    /// Writes a string that stays bytes even when it spells an integer.
    package mutating func setText(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, slot: EntryTable.Slot?, value: Span<UInt8>, expiry: Int64?
    ) {
        self[database].setText(key, hash: hash, slot: slot, value: value, expiry: expiry, garbage: &garbage)
    }

    /// Makes a string an integer, in place when it is one already; its expiry stays.
    @inline(__always)
    package mutating func replaceInteger(_ slot: EntryTable.Slot, hash: UInt64, in database: Int, value: Int64) {
        self[database].replaceInteger(slot, hash: hash, value: value, garbage: &garbage)
    }

    /// Writes `bytes` over a part of a string, growing it as needed; a gap is zeroed.
    package mutating func overwriteString(
        _ slot: EntryTable.Slot, hash: UInt64, in database: Int, at offset: Int, with bytes: Span<UInt8>
    ) {
        self[database].overwriteString(slot, hash: hash, at: offset, with: bytes, garbage: &garbage)
    }

    /// Grows a string in place; see `Database.editString`.
    package mutating func editString(
        _ slot: EntryTable.Slot, hash: UInt64, in database: Int, byteCount: Int,
        edit: (inout MutableSpan<UInt8>) -> Void
    ) {
        self[database].editString(slot, hash: hash, byteCount: byteCount, garbage: &garbage, edit: edit)
    }

    /// Removes the key of a slot that was just found.
    package mutating func remove(_ slot: EntryTable.Slot, hash: UInt64, in database: Int) {
        self[database].remove(slot, hash: hash, garbage: &garbage)
    }

    /// Gives a key an expiry (milliseconds since the epoch) or takes it away (nil).
    package mutating func setExpiry(_ slot: EntryTable.Slot, hash: UInt64, in database: Int, to expiry: Int64?) {
        self[database].setExpiry(slot, hash: hash, to: expiry, garbage: &garbage)
        if _slowPath(slot.entry.tier == .cold) {
            tiers.cold?.store.amend(SleepingValue(slot.entry).coldAddress, expiryMilliseconds: expiry ?? 0)
        }
    }

    // MARK: whole databases

    /// Empties a database. Its memory goes as one piece: to the background when `inBackground`, else at once.
    package mutating func flush(_ index: Int, inBackground: Bool) {
        guard self[index].count > 0 else { return }
        replacementCount &+= 1
        self[index].releaseAllLabels()
        let flushed = unsafe FlushedDatabase((databases + index).move())
        unsafe (databases + index).initialize(to: Database(tags: tags))
        self[index].arrivals.isRecorded = recordsArrivals
        if _slowPath(tiers.cold != nil) { letColdGo(flushed) }
        if let snapshot, flushed.isWanted(by: snapshot) {
            snapshot.flushed.append(flushed)
        } else if inBackground {
            garbage.add(flushed)
        } else {
            flushed.freeAll()
        }
    }

    /// Exchanges two databases in O(1).
    package mutating func swap(_ first: Int, _ second: Int) {
        guard first != second else { return }
        replacementCount &+= 1
        precondition(
            min(first, second) >= 0 && max(first, second) < databaseCount, "swap needs databases that exist")
        // Tombstones cannot say that records belong to another database.
        if _slowPath(tiers.cold != nil) { tiers.cold?.store.forfeit() }
        let held = unsafe (databases + first).move()
        unsafe (databases + first).moveInitialize(from: databases + second, count: 1)
        unsafe (databases + second).initialize(to: held)
    }

    /// Keys in all databases.
    package var count: Int {
        var total = 0
        for index in 0..<databaseCount { total += self[index].count }
        return total
    }
}
