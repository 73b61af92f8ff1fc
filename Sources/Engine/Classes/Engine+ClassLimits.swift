// Engine+ClassLimits.swift - classes kept to their limits: behind the command that made a class too large, keys of it
// go, in bounded slices, in the order of its policy. A value goes down a tier first where there is one; not under
// volatile-ttl, whose next victim would be the same key. What a slice did not do the next command does, or the timer.
// Where nothing may go (noeviction, or no key expires that a volatile policy could take) noeviction still lets values
// go down, and writes are refused (`Engine+ClassGate.swift`). Under the turn.
internal import Base
internal import Keyspace
internal import Structures

extension Engine {
    /// Longest time that one command spends on making room in a class; the rest is the next one's, or the timer's.
    private static let trimNanoseconds: Int64 = 500_000
    /// Used keys passed by before one goes all the same.
    private static let passedMax = 512
    private static let evictionsPerCheck = 16
    /// Places of a ledger that are looked at for one key before the clock is.
    private static let placesMax = 4096
    /// LFU and TTL: the keys that are looked at for one that goes.
    private static let sampleCount = 16
    /// LFU: one in so many keys that were looked at loses a use, so that a use fades when twice the class has come and
    /// gone. Simulated: hit ratio 0.62 on Zipf 0.9 (LRU's hand 0.61, and 0.58 with 8) and, as LFU will have it, 0.51
    /// where the popular keys change (0.54, 0.53).
    private static let fadingShare: UInt64 = 32
    /// noeviction: keys that one command looks at for values that can go down.
    private static let pressedMax = 512

    /// How far making room in one class is.
    private struct Trim {
        let database: Int
        let number: Int
        let policy: EvictionPolicy
        /// Used keys that were passed by since the last one went.
        var passed = 0
        /// The hand goes on where it stands: nothing was met behind the place where chance had put it.
        var keepsHand = false
    }

    private typealias Candidate = (hash: UInt64, slot: EntryTable.Slot)

    func isOverLimit(_ database: Int, _ number: Int) -> Bool {
        classes.spaces[database]?.isOverLimit(number, tableShare: keyspace[database].tableShare) ?? false
    }

    /// Makes room in every class that is over its limit, as long as a slice lasts. What is left is looked at again by
    /// the next command or the timer.
    mutating func trimClasses(slices: Int64 = 1) {
        let deadline = clock.monotonicNanoseconds + Engine.trimNanoseconds * slices
        for database in classes.spaces.indices {
            guard let count = classes.spaces[database]?.classes.count else { continue }
            for number in 0..<count where isOverLimit(database, number) {
                guard trim(database, number, deadline) else { return }
            }
        }
        classes.hasExcess = false
    }

    /// False when time ran out.
    private mutating func trim(_ database: Int, _ number: Int, _ deadline: Int64) -> Bool {
        guard let limits = classes.spaces[database]?.limits[number] else { return true }
        guard let policy = limits.eviction else { return press(database, number, deadline) }
        var trim = Trim(database: database, number: number, policy: policy)
        var work = 0
        while isOverLimit(database, number), candidateCount(trim) > 0 {
            if let hash = victim(&trim) {
                if remove(hash, trim) { trim.passed = 0 }
                work += 1
            } else {
                work += Engine.evictionsPerCheck
            }
            if work >= Engine.evictionsPerCheck {
                work = 0
                if clock.monotonicNanoseconds >= deadline { return false }
            }
        }
        return true
    }

    private func candidateCount(_ trim: Trim) -> Int {
        classes.spaces[trim.database]?.ledgers[trim.number].candidateCount(onlyVolatile: trim.policy.onlyVolatile) ?? 0
    }

    /// Removes a key, or puts its value one tier further down (false).
    private mutating func remove(_ hash: UInt64, _ trim: Trim) -> Bool {
        let (database, number) = (trim.database, trim.number)
        if let slot = keyspace[database].table.find(hash: hash) {
            if keyspace.isExpired(slot.entry) {
                keyspace.expire(slot, hash: hash, in: database)
            } else if trim.policy.order != .soonestExpiry && keyspace.demote(slot, in: database) != nil {
                charge(slot.entry, hash, database, number)
                return false
            } else {
                keyspace.evict(slot, hash: hash, in: database)
            }
        }
        classes.spaces[database]?.ledgers[number].remove(hash)
        return true
    }

    // MARK: who goes

    /// The hash of the key that goes next; nil when a step's work has found none.
    private mutating func victim(_ trim: inout Trim) -> UInt64? {
        switch trim.policy.order {
        case .unused: trim.policy.countsUses ? leastUsedKey(trim) : unusedKey(&trim)
        case .random: randomKey(&trim)
        case .soonestExpiry: soonestKey(trim)
        }
    }

    /// The next key under the hand that may go. What the ledger has wrong about keys on the way is put right.
    private mutating func nextCandidate(_ trim: Trim) -> Candidate? {
        let (database, number, onlyVolatile) = (trim.database, trim.number, trim.policy.onlyVolatile)
        while let hash = classes.spaces[database]?.ledgers[number].next(
            onlyVolatile: onlyVolatile, placesMax: Engine.placesMax)
        {
            guard let slot = keyspace[database].table.find(hash: hash) else {
                classes.spaces[database]?.ledgers[number].remove(hash)
                continue
            }
            if !onlyVolatile || slot.entry.hasExpiry { return (hash, slot) }
            charge(slot.entry, hash, database, number)
        }
        return nil
    }

    /// Whether it is the key that was written last, which goes only when there is no other.
    private func isSpared(_ hash: UInt64, _ trim: Trim) -> Bool {
        hash == classes.sparedHash && candidateCount(trim) > 1
    }

    /// LRU: the hand takes what was not used since it passed; what was loses a use.
    private mutating func unusedKey(_ trim: inout Trim) -> UInt64? {
        while let (hash, slot) = nextCandidate(trim) {
            if isSpared(hash, trim) { continue }
            let isUsed = slot.entry.frequency > 0 && candidateCount(trim) > 1 && !keyspace.isExpired(slot.entry)
            if !isUsed || trim.passed >= Engine.passedMax { return hash }
            trim.passed += 1
            slot.entry.frequency -= 1
        }
        return nil
    }

    /// LFU: the least used of the next keys under the hand. Having been passed by costs only a few of them a use, so
    /// what was used more often outlives what was used as recently.
    private mutating func leastUsedKey(_ trim: Trim) -> UInt64? {
        var (least, found): (UInt8, UInt64?) = (.max, nil)
        for _ in 0..<min(Engine.sampleCount, candidateCount(trim)) {
            guard let (hash, slot) = nextCandidate(trim) else { break }
            if isSpared(hash, trim) { continue }
            if keyspace.isExpired(slot.entry) { return hash }
            let uses = UInt8(truncatingIfNeeded: slot.entry.frequency)
            if found == nil || uses < least { (least, found) = (uses, hash) }
            if uses > 0, random.next() % Engine.fadingShare == 0 { slot.entry.frequency -= 1 }
        }
        return found
    }

    private mutating func randomKey(_ trim: inout Trim) -> UInt64? {
        if !trim.keepsHand { classes.spaces[trim.database]?.ledgers[trim.number].moveHand(random.next()) }
        trim.keepsHand = true
        while let (hash, _) = nextCandidate(trim) {
            if isSpared(hash, trim) { continue }
            trim.keepsHand = false
            return hash
        }
        return nil
    }

    /// TTL: the soonest of the next keys under the hand and of what was left of those before.
    private mutating func soonestKey(_ trim: Trim) -> UInt64? {
        let (database, number) = (trim.database, trim.number)
        for _ in 0..<min(Engine.sampleCount, candidateCount(trim)) {
            guard let (hash, slot) = nextCandidate(trim) else { break }
            if isSpared(hash, trim) { continue }
            classes.spaces[database]?.soonest[number].offer(hash, expiry: slot.entry.expiryMilliseconds)
        }
        while let key = classes.spaces[database]?.soonest[number].take() {
            // It may have been given another time to live since, or have been written last.
            guard let slot = keyspace[database].table.find(hash: key.hash), slot.entry.hasExpiry,
                slot.entry.expiryMilliseconds == key.expiry, !isSpared(key.hash, trim)
            else { continue }
            return key.hash
        }
        return nil
    }

    // MARK: nothing may go

    /// noeviction: values go down as far as there are tiers, the unused first. True when no more is to be done now,
    /// which may be that nothing can be done.
    private mutating func press(_ database: Int, _ number: Int, _ deadline: Int64) -> Bool {
        guard keyspace.tiers.mayCompress || keyspace.tiers.cold != nil else { return true }
        let trim = Trim(
            database: database, number: number, policy: EvictionPolicy(order: .unused, onlyVolatile: false))
        var moved = 0
        for looked in 1...Engine.pressedMax {
            guard isOverLimit(database, number), let (hash, slot) = nextCandidate(trim) else { return true }
            if slot.entry.frequency > 0 {
                slot.entry.frequency -= 1
            } else if keyspace.isExpired(slot.entry) {
                moved += remove(hash, trim) ? 1 : 0
            } else if keyspace.demote(slot, in: database) != nil {
                charge(slot.entry, hash, database, number)
                moved += 1
            }
            if looked % Engine.evictionsPerCheck == 0 && clock.monotonicNanoseconds >= deadline { break }
        }
        return moved == 0 || !isOverLimit(database, number)
    }
}
