// Eviction.swift - which keys go when memory is full. The idea is S3-FIFO's: a newcomer must be used within a short
// probation or it goes, and what passed goes by a clock that forgives one use a round; a key that comes back soon after
// it went is kept. No queue is kept for it. An entry's age is two bits in its bucket's line: 0 for what passed, else
// the generation it came with, of which there are two, and 3 where the value is on disk. When the newcomers of a
// generation number a small share of the keys in memory, the next one begins, and a sweep over the buckets looks for
// what is left of the one before, as fast as newcomers come; what was used is promoted, the rest goes and leaves a
// ghost. A second hand walks the same buckets for what passed. So eviction costs no memory per key but the ghosts' two
// bytes, a read writes nothing but its entry's few bits, and a scan of new keys cannot push out what is used. With
// tiers what would go is compressed first, and before that whatever else is raw and not hot
// (`Tiering/RawShare.swift`). Where sizes shift, what passed goes by pages (`Eviction+Pages.swift`). Engine's turn
// only, never while somebody holds a slot.
internal import Base
internal import Structures

/// Which keys may go, and which of them first.
package struct EvictionPolicy: Sendable {
    package enum Order: Sendable {
        /// What was not read for longest, as far as the hand knows.
        case unused
        case random
        /// What expires soonest (`SoonestVictims.swift`).
        case soonestExpiry
    }

    package let order: Order
    /// Only keys with an expiry may go.
    package let onlyVolatile: Bool
    /// Uses are counted beyond what recency needs (LFU).
    package let countsUses: Bool

    package init(order: Order, onlyVolatile: Bool, countsUses: Bool = false) {
        self.order = order
        self.onlyVolatile = onlyVolatile
        self.countsUses = countsUses
    }
}

package struct EvictionHand: ~Copyable {
    /// Buckets looked at in one step before it gives up for now: some 100 microseconds.
    private static let bucketsPerStep = 512
    /// Random picks before the hand looks for a key that may go.
    private static let randomPicks = 16
    /// Newcomers of one generation, in percent of all keys. 6 to 10 differ by 0.3 points of hit ratio at most.
    static let generationPercent = 8
    /// The same where most values are compressed: newcomers are raw, some four times as large, so their probation costs
    /// what many other keys would take (zipf 0.8: 8, 4 and 2 percent give 64.5, 65.8 and 66.2), and who fails gets
    /// another one, compressed.
    private static let generationPercentOfRaw = 2
    /// So many generations at most are on probation together, bursts aside.
    private static let generationsMax = 2
    /// One in so many newcomers stays though nobody used it: the only way to hold a part of a loop over more keys
    /// than fit (hit ratio 0 without).
    static let luckyShare: UInt32 = 64
    /// Memory is full of compressed values when for so many newcomers a key went.
    private static let goneShareOfFull = 4
    /// A key of twice (four times, ...) the mean size must have been used once (twice, ...) more; at most so often.
    private static let penaltyMax = 6

    struct Victim {
        let entry: Entry
        let hash: UInt64
        let isExpired: Bool
        /// Whether it was on probation.
        let isNewcomer: Bool
        /// The key stays, its value had better sleep.
        let onlySleeps: Bool

        init(entry: Entry, hash: UInt64, isExpired: Bool, isNewcomer: Bool) {
            self.entry = entry
            self.hash = hash
            self.isExpired = isExpired
            self.isNewcomer = isNewcomer
            onlySleeps = false
        }

        init(sleeper: Entry, hash: UInt64) {
            entry = sleeper
            self.hash = hash
            isExpired = false
            isNewcomer = false
            onlySleeps = true
        }
    }

    /// What became of a victim.
    private enum Fate {
        case gone
        case onDisk
        case stays
    }

    private var clock = HandPosition()
    private var sweep = HandPosition()
    private var press = RawPress()
    var pages = PageHand()
    /// Whether newcomers are on probation: from when memory is nearly full.
    package private(set) var isOn = false
    private var newcomerAge: UInt8 = 1
    private var isSweepFinished = true
    /// Buckets that the sweep is behind.
    private var sweepDebt = 0.0
    /// Newcomers of this generation.
    private var newcomers = 0
    /// About how many keys have passed: counted by each sweep, kept up until the next one.
    private var passed = 0
    /// What the sweep has counted so far.
    private var passedSeen = 0
    /// Whether so many keys are on probation that what passed must not pay for newcomers.
    private var isCrowded = false
    private var insertionsSeen = 0
    /// Lookups by commands that read, as of the beginning of this generation.
    private var readsSeen = 0
    /// Keys were read in the last generation, about as often as new ones came, or more.
    private var isRead = false
    /// Keys that went in this generation, and whether in the last one so many went that memory is full of compressed
    /// values: before that everything finds its place by compressing something, and nothing has to prove its worth.
    private var gone = 0
    private var isFull = false
    /// Buckets the clock passed since it found something.
    private var fruitless = 0
    private var unlucky: UInt32 = 0
    private var meanByteCount = 1
    private var bucketCount = 1
    /// Keys whose values are on disk go like any others; else they stay as long as there is something else to do.
    private(set) var takesCold = false
    private var ghosts = GhostTable()
    var victims: [Victim] = []
    private var soonest = SoonestVictims()

    package init() {}

    /// Bytes of the ghosts.
    package var allocatedByteCount: Int { ghosts.allocatedByteCount }

    /// Puts newcomers on probation from now on; keys that are there have passed.
    package mutating func begin(_ keyspace: inout Keyspace) {
        isOn = true
        isSweepFinished = true
        sweepDebt = 0
        newcomers = 0
        insertionsSeen = EvictionHand.insertions(keyspace)
        passed = keyspace.count - keyspace.coldKeyCount
        setNewcomerAge(newcomerAge, in: &keyspace)
    }

    /// Ends probation and forgets the ghosts: memory has no limit, or another order holds.
    package mutating func end(_ keyspace: inout Keyspace) {
        isOn = false
        ghosts.removeAll()
        setNewcomerAge(0, in: &keyspace)
    }

    /// Removes keys until `excess` bytes are free, or a step's work is done. Returns how many went; 0 when none may,
    /// or none was found by a step's work.
    package mutating func step(
        _ keyspace: inout Keyspace, _ policy: EvictionPolicy, excess: Int, random: () -> UInt64
    ) -> Int {
        switch policy.order {
        case .unused: break
        case .random:
            takesCold = keyspace.isCrowdedByCold
            if evictRandom(&keyspace, policy, random) { return 1 }
        case .soonestExpiry:
            // The walk below is for keys of age zero alone, which this order does not know.
            return soonest.step(&keyspace, excess: excess, random)
        }
        return walk(&keyspace, policy, excess: excess)
    }

    /// Whether any key may go at all.
    package static func mayEvict(_ keyspace: borrowing Keyspace, _ policy: EvictionPolicy) -> Bool {
        for index in 0..<keyspace.databaseCount {
            let candidates = policy.onlyVolatile ? keyspace[index].table.expiryCount : keyspace[index].count
            if candidates > 0 { return true }
        }
        return false
    }

    // MARK: generations

    private static func insertions(_ keyspace: borrowing Keyspace) -> Int {
        var total = 0
        for index in 0..<keyspace.databaseCount { total &+= keyspace[index].table.insertionCount }
        return total
    }

    private func setNewcomerAge(_ age: UInt8, in keyspace: inout Keyspace) {
        for index in 0..<keyspace.databaseCount { keyspace[index].table.newcomerAge = age }
    }

    /// Looks at how many keys came since the last step, and begins a new generation when there are enough.
    private mutating func measure(_ keyspace: inout Keyspace) {
        if !isOn { begin(&keyspace) }
        let cold = keyspace.sleepers(in: .cold)
        var (bytes, buckets) = (-cold.entryByteCount, 0)
        for index in 0..<keyspace.databaseCount {
            bytes += keyspace[index].byteCount
            buckets += keyspace[index].table.bucketCount
        }
        // What is on disk is no part of what newcomers are to be a share of.
        let keys = keyspace.count - cold.keys
        let insertions = EvictionHand.insertions(keyspace)
        // A flushed database starts to count anew.
        let fresh = max(0, insertions &- insertionsSeen)
        insertionsSeen = insertions
        press.note(insertions: fresh)
        pages.measure(keyspace, byteCount: bytes)
        let packed = keyspace.measureRawShare()
        meanByteCount = max(1, bytes / max(1, keys))
        takesCold = keyspace.isCrowdedByCold
        bucketCount = max(1, buckets)
        let percent = packed * 2 > keys ? EvictionHand.generationPercentOfRaw : EvictionHand.generationPercent
        let length = max(1, keys * percent / 100)
        newcomers += fresh
        sweepDebt = min(Double(buckets), sweepDebt + Double(fresh) * Double(buckets) / Double(length))
        isCrowded = keys - passed > length * EvictionHand.generationsMax
        guard isSweepFinished, newcomers >= length || isCrowded && newcomers > 0 else { return }
        // Those who came since the generation was full are owed to its sweep: a burst would otherwise be paid for by
        // what passed, burst after burst, until nothing that passed is left but what is in use, and the clock, which
        // then goes round for every few keys, takes that too.
        let late = Double(max(0, newcomers - length)) / Double(length)
        beginGeneration(&keyspace, keys: keys, debt: late * Double(buckets))
    }

    private mutating func beginGeneration(_ keyspace: inout Keyspace, keys: Int, debt: Double) {
        let reads = keyspace.statistics.hits &+ keyspace.statistics.misses
        isRead = (reads &- readsSeen) &* 2 >= newcomers
        readsSeen = reads
        isFull = gone * EvictionHand.goneShareOfFull > newcomers
        gone = 0
        newcomers = 0
        passedSeen = 0
        sweepDebt = min(Double(bucketCount), max(1, debt))
        sweep = HandPosition()
        isSweepFinished = false
        newcomerAge = 3 - newcomerAge
        setNewcomerAge(newcomerAge, in: &keyspace)
        ghosts.fit(keyCount: keys)
    }

    // MARK: the two hands

    private mutating func walk(_ keyspace: inout Keyspace, _ policy: EvictionPolicy, excess: Int) -> Int {
        measure(&keyspace)
        var evicted = 0
        var freed = 0
        var pressedBuckets = 0
        var isByPage = pages.isDue && policy.order == .unused
        let isTrying = isRead && isFull && !keyspace.sinks
        for _ in 0..<EvictionHand.bucketsPerStep {
            if pressedBuckets < RawPress.bucketsPerStep && press.isDue(keyspace) {
                pressedBuckets += 1
                let pressed = press.visitBucket(&keyspace, bucketCount: bucketCount)
                evicted += pressed.count
                freed += pressed.bytes
                if freed >= excess { return evicted }
                continue
            }
            let sweeps = !isSweepFinished && (isCrowded || sweepDebt >= 1)
            // Where keys are read and memory is full of compressed values, one that nobody read has not passed by
            // being compressed. Where nobody reads, as when data is written first and read later, nothing is known
            // against it.
            let sleeperAge = sweeps && isTrying ? newcomerAge : 0
            let database: Int
            if sweeps {
                database = visitNewcomers(keyspace, policy)
            } else if isByPage {
                // One a step: it takes as long as a few hundred buckets.
                isByPage = false
                database = visitPage(&keyspace, policy)
            } else {
                database = visitPassed(keyspace, policy)
            }
            for victim in victims {
                let (bytes, fate) = EvictionHand.remove(victim, database, &keyspace, sleeperAge: sleeperAge)
                if fate == .gone && !victim.isExpired { gone += 1 }
                if sweeps && fate == .gone { ghosts.insert(victim.hash) }
                count(victim, isGone: fate != .stays || sleeperAge > 0 && !victim.onlySleeps, sweeps: sweeps)
                freed += bytes
                evicted += 1
            }
            // All that is due in the bucket goes: up to seven keys more than were asked for, met without another walk.
            if !victims.isEmpty { fruitless = 0 }
            // The next generation may be due at once.
            if freed >= excess || sweeps && isSweepFinished || keyspace.isHeldUp { return evicted }
        }
        return evicted
    }

    /// Keeps the count of what passed: a newcomer whose value fell asleep has, a passed key that is gone has not. A
    /// value that is on disk counts as gone.
    private mutating func count(_ victim: Victim, isGone: Bool, sweeps: Bool) {
        switch (victim.isNewcomer, isGone) {
        case (true, false): if sweeps { passedSeen += 1 } else { passed += 1 }
        case (false, true): passed = max(0, passed - 1)
        default: break
        }
    }

    /// Looks for newcomers whose probation is over in the bucket under the sweep; the rest has passed.
    private mutating func visitNewcomers(_ keyspace: borrowing Keyspace, _ policy: EvictionPolicy) -> Int {
        sweepDebt = max(0, sweepDebt - 1)
        victims.removeAll(keepingCapacity: true)
        let due = 3 - newcomerAge
        let database = sweep.database
        var place = sweep.place
        var found = victims
        victims = []
        var unlucky = unlucky
        var passedHere = 0
        let isInside = keyspace[database].table.visitBucket(at: &place) { slot in
            let age = slot.age
            guard age == due else {
                if age == 0 { passedHere += 1 }
                return
            }
            let entry = slot.entry
            let hash = keyspace[database].table.hash(entry.key)
            let isExpired = keyspace.isExpired(entry)
            // Counted as passed unless found to be a victim.
            passedHere += 1
            // It is as far down as it can go, and its probation is over with that.
            if !isExpired && entry.tier == .cold {
                passedHere -= 1
                return slot.age = EntryTable.asideAge
            }
            if !isExpired && policy.onlyVolatile && !entry.hasExpiry { return slot.age = 0 }
            let wanted = 1 + penalty(entry, keyspace[database])
            let uses = entry.frequency
            if !isExpired && (uses >= wanted || ghosts.contains(hash)) {
                slot.age = 0
                if keyspace.isToSleep(entry) {
                    found.append(Victim(sleeper: entry, hash: hash))
                }
                entry.frequency = policy.countsUses ? max(1, uses - wanted) : 1
                return
            }
            if !isExpired && uses == 0 {
                unlucky &+= 1
                if unlucky % EvictionHand.luckyShare == 0 {
                    if keyspace.isToSleep(entry) { found.append(Victim(sleeper: entry, hash: hash)) }
                    return slot.age = 0
                }
            }
            passedHere -= 1
            found.append(Victim(entry: entry, hash: hash, isExpired: isExpired, isNewcomer: true))
        }
        victims = found
        self.unlucky = unlucky
        passedSeen += passedHere
        sweep.place = place
        if !isInside { leaveTable(keyspace) }
        return database
    }

    /// The sweep has reached the end of a database.
    private mutating func leaveTable(_ keyspace: borrowing Keyspace) {
        sweep = HandPosition(database: sweep.database + 1)
        while sweep.database < keyspace.databaseCount && keyspace[sweep.database].count == 0 { sweep.database += 1 }
        guard sweep.database >= keyspace.databaseCount else { return }
        sweep = HandPosition()
        isSweepFinished = true
        passed = passedSeen
    }

    /// Looks for what was not used since the last round in the bucket under the clock; what was loses a use. After a
    /// round without a find newcomers are no longer spared.
    private mutating func visitPassed(_ keyspace: borrowing Keyspace, _ policy: EvictionPolicy) -> Int {
        fruitless += 1
        let sparesNewcomers = fruitless <= bucketCount && policy.order == .unused
        // After a round and one more there is nothing else.
        let takesCold = takesCold || fruitless > 2 * bucketCount
        let database = clock.database
        var place = clock.place
        var found = victims
        victims = []
        found.removeAll(keepingCapacity: true)
        let isInside = keyspace[database].table.visitBucket(at: &place) { slot in
            let age = slot.age
            if age == EntryTable.asideAge ? !takesCold : sparesNewcomers && age != 0 { return }
            if let victim = judge(
                slot, keyspace, database, policy, takesCold: takesCold, ignoresUse: policy.order != .unused)
            {
                found.append(victim)
            }
        }
        victims = found
        clock.place = place
        if !isInside { clock.enterNextDatabase(keyspace) }
        return database
    }

    /// What the clock says of a key: a victim, or nil for one that stays and has a use less now.
    func judge(
        _ slot: EntryTable.Slot, _ keyspace: borrowing Keyspace, _ database: Int, _ policy: EvictionPolicy,
        takesCold: Bool, ignoresUse: Bool
    ) -> Victim? {
        let age = slot.age
        let entry = slot.entry
        let isExpired = keyspace.isExpired(entry)
        if !isExpired && policy.onlyVolatile && !entry.hasExpiry { return nil }
        if !isExpired && !takesCold && entry.tier == .cold {
            slot.age = EntryTable.asideAge
            return nil
        }
        let wanted = 1 + penalty(entry, keyspace[database])
        let hash = keyspace[database].table.hash(entry.key)
        if !isExpired && !ignoresUse && entry.frequency >= wanted {
            let sleeper = keyspace.isToSleep(entry) ? Victim(sleeper: entry, hash: hash) : nil
            entry.frequency -= wanted
            return sleeper
        }
        let isNewcomer = age != 0 && age != EntryTable.asideAge
        return Victim(entry: entry, hash: hash, isExpired: isExpired, isNewcomer: isNewcomer)
    }

    /// How many more uses than one a large key must have to stay.
    private func penalty(_ entry: Entry, _ database: borrowing Database) -> Int {
        EvictionHand.penalty(database.allocatedByteCount(of: entry) / meanByteCount)
    }

    /// The same for one that is `ratio` times as large as the mean.
    @inline(__always)
    static func penalty(_ ratio: Int) -> Int {
        guard ratio > 1 else { return 0 }
        return min(EvictionHand.penaltyMax, Int.bitWidth - 1 - ratio.leadingZeroBitCount)
    }

    /// Puts a key's value to sleep, one tier further down (`Tiering/`), or removes the key where that is not to be
    /// done. Tells the bytes that its database holds less. A key that stays, compressed, has `sleeperAge` from then on.
    private static func remove(
        _ victim: Victim, _ database: Int, _ keyspace: inout Keyspace, sleeperAge: UInt8 = 0
    ) -> (bytes: Int, fate: Fate) {
        let before = keyspace[database].byteCount
        guard let slot = keyspace[database].table.find(victim.entry.key, hash: victim.hash) else {
            preconditionFailure("a victim is in its table")
        }
        var fate = Fate.gone
        if victim.isExpired {
            keyspace.expire(slot, hash: victim.hash, in: database)
        } else if victim.onlySleeps {
            if keyspace.squeeze(slot, in: database) != nil { slot.age = 0 }
            fate = .stays
        } else if keyspace.demote(slot, in: database) != nil {
            fate = slot.entry.tier == .cold ? .onDisk : .stays
            // The next to look at it is the clock, in whose round a value that nobody reads goes further down, or the
            // sweep of the next generation: that is better where keys are scanned or looped over, but of data that is
            // written first and read later it would keep less than half (60 -> 28 percent of reads).
            if fate == .stays { slot.age = sleeperAge }
        } else if keyspace.isHeldUp {
            slot.age = 0
            fate = .stays
        } else {
            keyspace.evict(slot, hash: victim.hash, in: database)
        }
        return (before - keyspace[database].byteCount, fate)
    }

    // MARK: other orders

    private func evictRandom(_ keyspace: inout Keyspace, _ policy: EvictionPolicy, _ random: () -> UInt64) -> Bool {
        for _ in 0..<EvictionHand.randomPicks {
            let index = Int(truncatingIfNeeded: random() >> 1) % keyspace.databaseCount
            let chosen = keyspace[index].count > 0 ? index : EvictionHand.fullest(keyspace)
            guard let entry = keyspace[chosen].table.randomEntry(random) else { continue }
            if policy.onlyVolatile && !entry.hasExpiry || !takesCold && entry.tier == .cold { continue }
            _ = EvictionHand.evict(entry, chosen, &keyspace)
            return true
        }
        return false
    }

    private static func fullest(_ keyspace: borrowing Keyspace) -> Int {
        var best = 0
        for index in 1..<max(1, keyspace.databaseCount) where keyspace[index].count > keyspace[best].count {
            best = index
        }
        return best
    }

    private static func evict(_ entry: Entry, _ database: Int, _ keyspace: inout Keyspace) -> Int {
        let hash = keyspace[database].table.hash(entry.key)
        return remove(Victim(entry: entry, hash: hash, isExpired: false, isNewcomer: false), database, &keyspace).bytes
    }
}
