// Engine+Classes.swift - classes of data at work: a key that was written gets its class's time to live, what it costs
// is charged to the class, and a class over its limit gives up keys of its own (`Engine+ClassLimits.swift`). All of it
// follows a command, from `applyEffects`, so a handler knows nothing of classes; while there is none, no command pays
// for them. A time to live that a class gave is recorded as PEXPIREAT and an eviction as DEL: who reads the journal
// needs no classes. Under the turn.
internal import Base
internal import Keyspace
internal import Structures

extension Engine {
    /// Counting what is there holds the turn for so long at once.
    private static let countingNanoseconds: Int64 = 1_000_000

    /// The classes of `database`, any number of them in any order.
    package mutating func setClasses(_ list: [DataClass], database: Int) {
        precondition(database >= 0 && database < keyspace.databaseCount, "classes are of a database")
        classes.set(list, database: database)
        tellTierWishes()
        armObservation()
        armEffects()
        setGate(.classLimits, classes.mayRefuse)
        countClasses(deadlineNanoseconds: clock.monotonicNanoseconds + Engine.countingNanoseconds)
        // What the limit takes goes with the effects of the command that set it, or with the timer's.
        effects.isPending = effects.isPending || classes.hasExcess
    }

    /// What classes want of the tiers is asked where values move, and only when one of them wants something.
    private mutating func tellTierWishes() {
        let spaces = classes.spaces.map { space in
            space.map { (matcher: $0.matcher, wishes: $0.classes.map(\.wish)) }
        }
        let own = extensionPrefix
        keyspace.tiers.wishes = TierWishes(spaces.flatMap { $0?.wishes ?? [] }) { key, database in
            guard database < spaces.count, let space = spaces[database] else { return nil }
            let number = space.matcher.find(key)
            return number < 0 || key.starts(with: own.span) ? nil : space.wishes[number]
        }
        tierDuties.nextRound = 0
    }

    /// The class that `key` falls in; nil for none. Records of the server's own are in none.
    @inline(__always)
    func dataClass(of key: Span<UInt8>, _ database: Int) -> Int? {
        let number = classes.find(key, database)
        return number < 0 || key.starts(with: extensionPrefix.span) ? nil : number
    }

    // MARK: what happened to keys

    /// `key` changed: it gets its time to live, and its class is charged what it costs now.
    mutating func noteClassChange(of key: Span<UInt8>, database: Int, event: StaticString) {
        guard let number = dataClass(of: key, database) else { return }
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        guard let slot = keyspace[database].table.find(key, hash: hash) else {
            classes.spaces[database]?.ledgers[number].remove(hash)
            return
        }
        if !gates.contains(.loading) && !keyspace.keepsExpired {
            limitLife(slot, hash: hash, key, database, number, event)
        }
        charge(slot.entry, hash, database, number)
        classes.sparedHash = hash
    }

    /// What a key costs now.
    mutating func charge(_ entry: Entry, _ hash: UInt64, _ database: Int, _ number: Int) {
        let byteCount = keyspace[database].allocatedByteCount(of: entry)
        classes.spaces[database]?.ledgers[number].charge(hash, byteCount, isVolatile: entry.hasExpiry)
        if isOverLimit(database, number) {
            classes.hasExcess = true
            effects.isPending = true
        }
    }

    /// `key` died of age, for memory or with a tag.
    mutating func noteClassRemoval(of key: Span<UInt8>, database: Int, reason: Removals.Reason) {
        guard let number = dataClass(of: key, database) else { return }
        switch reason {
        case .expired: classes.spaces[database]?.counters[number].expired += 1
        case .evicted: classes.spaces[database]?.counters[number].evicted += 1
        case .invalidated: break
        }
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        // It may have been written again since.
        if keyspace[database].table.find(key, hash: hash) == nil {
            classes.spaces[database]?.ledgers[number].remove(hash)
        }
    }

    /// Every key of `database` went or is another's.
    mutating func noteClassReplacement(of database: Int) {
        guard database < classes.spaces.count else { return }
        classes.spaces[database]?.recount()
    }

    private mutating func limitLife(
        _ slot: EntryTable.Slot, hash: UInt64, _ key: Span<UInt8>, _ database: Int, _ number: Int, _ event: StaticString
    ) {
        guard let limits = classes.spaces[database]?.limits[number], limits.limitsLife else { return }
        let expiry = limits.expiry(
            of: slot.entry.expiry, now: keyspace.now, isPersistent: event.isEqual(to: "persist"),
            random: limits.jitterPercent > 0 ? random.next() : 0)
        guard let expiry else { return }
        keyspace.setExpiry(slot, hash: hash, in: database, to: expiry)
        changeCount &+= 1
        if journal.isOn {
            journal.add(database: database) { words in
                words.add("PEXPIREAT")
                words.add(key)
                words.add(decimal: expiry)
            }
            journal.seenChangeCount = changeCount
            if context == .client && !gates.contains(.busy) {
                journal.endUnit(second: keyspace.now / 1000)
            } else {
                journal.endCommand()
            }
        }
        if notifies { notify("expire", .generic, key, database: database) }
    }

    // MARK: counting what is there

    /// Counts keys that were there before their class, as long as there is time; true when all are counted.
    @discardableResult
    private mutating func countClasses(deadlineNanoseconds: Int64) -> Bool {
        for database in classes.spaces.indices {
            while let place = classes.spaces[database]?.countingPosition {
                let next = chargeSegment(at: place, database)
                classes.spaces[database]?.countingPosition = next
                if clock.monotonicNanoseconds >= deadlineNanoseconds { break }
            }
            if classes.spaces[database]?.countingPosition != nil { return false }
        }
        return true
    }

    /// Charges every key of a segment; where the next one begins, nil at the end.
    private mutating func chargeSegment(at place: UInt64, _ database: Int) -> UInt64? {
        var space = ClassSpace()
        guard let held = classes.spaces[database] else { return nil }
        space = held
        // Out of its place while it is written, so that it is not copied.
        classes.spaces[database] = nil
        let next = keyspace[database].table.walkSegment(at: place) { entry in
            let number = space.matcher.find(entry.key)
            if number >= 0, !entry.key.starts(with: extensionPrefix.span) {
                space.ledgers[number].charge(
                    keyspace[database].table.hash(entry.key), keyspace[database].allocatedByteCount(of: entry),
                    isVolatile: entry.hasExpiry)
            }
            return true
        }
        classes.spaces[database] = space
        return next
    }

    /// The timer's share: counting, and limits that a command could not keep in its slice. True when there is more.
    mutating func tickClasses() -> Bool {
        guard classes.isOn, gates.isDisjoint(with: [.loading, .busy]) else { return false }
        let isCounted = countClasses(deadlineNanoseconds: clock.monotonicNanoseconds + Engine.countingNanoseconds)
        if classes.hasExcess { applyEffects() }
        return !isCounted || classes.hasExcess
    }

    /// Some ten times a second: a segment of every database is charged anew, because values may change their size
    /// without a command (tiers, groups of streams).
    mutating func auditClasses() {
        guard classes.isOn, gates.isDisjoint(with: [.loading, .busy]) else { return }
        for database in classes.spaces.indices {
            guard let place = classes.spaces[database]?.auditPosition else { continue }
            let next = chargeSegment(at: place, database) ?? 0
            classes.spaces[database]?.auditPosition = next
        }
        classes.hasExcess = true
    }

    // MARK: for those who ask

    /// A class as it stands: its definition, counts, keys, bytes and what its ledger takes.
    package struct ClassFigures {
        package let definition: DataClass
        package let counters: ClassCounters
        package let keyCount: Int
        package let byteCount: Int
        package let ledgerByteCount: Int
    }

    /// The classes of a database in order of precedence, exact within some ten milliseconds of work; `isCounted` false:
    /// keys that were there before their class are still being counted.
    package mutating func classFigures(database: Int) -> (list: [ClassFigures], isCounted: Bool) {
        let deadline = clock.monotonicNanoseconds + Engine.countingNanoseconds * 10
        let isCounted = countClasses(deadlineNanoseconds: deadline)
        trimClasses(slices: 20)
        effects.isPending = effects.isPending || !keyspace.removals.isEmpty
        guard database < classes.spaces.count, let space = classes.spaces[database] else { return ([], true) }
        let list = space.classes.indices.map { number in
            ClassFigures(
                definition: space.classes[number], counters: space.counters[number],
                keyCount: space.ledgers[number].count,
                byteCount: space.byteCount(number, tableShare: keyspace[database].tableShare),
                ledgerByteCount: space.ledgers[number].allocatedByteCount)
        }
        return (list, isCounted)
    }

    /// The class that has `key`; nil for none.
    package func className(of key: Span<UInt8>, database: Int) -> [UInt8]? {
        guard let number = dataClass(of: key, database) else { return nil }
        return classes.spaces[database]?.classes[number].name
    }
}
