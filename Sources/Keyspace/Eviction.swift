// Eviction.swift - which keys go when memory is full. A hand walks the hash space bucket by bucket (the order of
// SCAN) and takes what was not read since it came by last; a key that was read loses one of its up to three credits
// instead (generalised CLOCK). Keys are in hash order, which knows nothing of their age, so a scan of new keys cannot
// push out what is used, and no list, clock or sample is kept: eviction costs no memory and a read writes at most two
// bits of its own entry. Engine's turn only, never while somebody holds a slot.
internal import Base
internal import Structures

/// Which keys may go, and which of them first.
package struct EvictionPolicy: Sendable {
    package enum Order: Sendable {
        /// What was not read for longest, as far as the hand knows.
        case unused
        case random
        /// What expires soonest among a sample.
        case soonestExpiry
    }

    package let order: Order
    /// Only keys with an expiry may go.
    package let onlyVolatile: Bool

    package init(order: Order, onlyVolatile: Bool) {
        self.order = order
        self.onlyVolatile = onlyVolatile
    }
}

package struct EvictionHand {
    /// Buckets looked at in one step before it gives up for now: some 100 microseconds.
    private static let bucketsPerStep = 512
    /// Keys compared to find one that expires soon.
    private static let expirySamples = 16
    /// Random picks before the hand looks for a key that may go.
    private static let randomPicks = 16

    private var database = 0
    private var cursor: UInt64 = 0
    private var victims: [Entry] = []

    package init() {}

    /// Removes keys until `excess` bytes are free, or a step's work is done. Returns how many went; 0 when none may,
    /// or none was found by a step's work.
    package mutating func step(
        _ keyspace: inout Keyspace, _ policy: EvictionPolicy, excess: Int, random: () -> UInt64
    ) -> Int {
        switch policy.order {
        case .unused: break
        case .random:
            if evictRandom(&keyspace, policy, random) { return 1 }
        case .soonestExpiry:
            if evictSoonest(&keyspace, random) { return 1 }
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

    // MARK: the hand

    private mutating func walk(_ keyspace: inout Keyspace, _ policy: EvictionPolicy, excess: Int) -> Int {
        var evicted = 0
        var freed = 0
        var buckets = 0
        while buckets < EvictionHand.bucketsPerStep {
            guard prepareDatabase(keyspace, policy) else { return evicted }
            collectVictims(keyspace, policy)
            for victim in victims {
                freed += EvictionHand.evict(victim, database, &keyspace)
                evicted += 1
                // The hand stays: what else may go here is found again by the next step.
                if freed >= excess { return evicted }
            }
            leaveBucket(keyspace)
            buckets += 1
        }
        return evicted
    }

    /// Moves on to a database that has candidates; false when there is none.
    private mutating func prepareDatabase(_ keyspace: borrowing Keyspace, _ policy: EvictionPolicy) -> Bool {
        for _ in 0...keyspace.databaseCount {
            if database >= keyspace.databaseCount {
                database = 0
                cursor = 0
            }
            let table = policy.onlyVolatile ? keyspace[database].table.expiryCount : keyspace[database].count
            if table > 0 { return true }
            database += 1
            cursor = 0
        }
        return false
    }

    /// Finds what may go in the bucket under the hand.
    private mutating func collectVictims(_ keyspace: borrowing Keyspace, _ policy: EvictionPolicy) {
        var found = victims
        victims = []
        found.removeAll(keepingCapacity: true)
        let ignoresUse = policy.order != .unused
        _ = keyspace[database].table.scan(cursor: cursor) { entry in
            if policy.onlyVolatile && !entry.hasExpiry { return }
            if ignoresUse || entry.frequency == 0 { found.append(entry) }
        }
        victims = found
    }

    /// Moves on to the next bucket; the keys that stay behind lose a credit each.
    private mutating func leaveBucket(_ keyspace: borrowing Keyspace) {
        cursor = keyspace[database].table.scan(cursor: cursor) { entry in
            if entry.frequency > 0 { entry.frequency -= 1 }
        }
        if cursor == 0 { database += 1 }
    }

    // MARK: other orders

    private func evictRandom(_ keyspace: inout Keyspace, _ policy: EvictionPolicy, _ random: () -> UInt64) -> Bool {
        for _ in 0..<EvictionHand.randomPicks {
            let index = Int(truncatingIfNeeded: random() >> 1) % keyspace.databaseCount
            let chosen = keyspace[index].count > 0 ? index : EvictionHand.fullest(keyspace)
            guard let entry = keyspace[chosen].table.randomEntry(random) else { continue }
            if policy.onlyVolatile && !entry.hasExpiry { continue }
            _ = EvictionHand.evict(entry, chosen, &keyspace)
            return true
        }
        return false
    }

    private func evictSoonest(_ keyspace: inout Keyspace, _ random: () -> UInt64) -> Bool {
        let index = EvictionHand.fullest(keyspace)
        var soonest: Entry?
        for _ in 0..<EvictionHand.expirySamples {
            guard let entry = keyspace[index].table.randomEntry(random), entry.hasExpiry else { continue }
            if let known = soonest, known.expiryMilliseconds <= entry.expiryMilliseconds { continue }
            soonest = entry
        }
        guard let soonest else { return false }
        _ = EvictionHand.evict(soonest, index, &keyspace)
        return true
    }

    private static func fullest(_ keyspace: borrowing Keyspace) -> Int {
        var best = 0
        for index in 1..<max(1, keyspace.databaseCount) where keyspace[index].count > keyspace[best].count {
            best = index
        }
        return best
    }

    /// Removes a key; the bytes that its database holds less.
    private static func evict(_ entry: Entry, _ database: Int, _ keyspace: inout Keyspace) -> Int {
        let before = keyspace[database].byteCount
        let hash = keyspace[database].table.hash(entry.key)
        guard let slot = keyspace[database].table.find(entry.key, hash: hash) else {
            preconditionFailure("a victim is in its table")
        }
        keyspace.evict(slot, hash: hash, in: database)
        return before - keyspace[database].byteCount
    }
}
