// EvictionShadow.swift - what the hit ratio would be under other eviction policies and with more or less memory: a
// sample of the keys (all whose hash begins with so many zero bits, after Waldspurger's SHARDS), and caches of the same
// share of the memory that are simulated with what happens to them. It holds hashes and sizes, no keys and no values,
// and has a fixed size: when it becomes crowded, every second key leaves the sample and every cache shrinks by half.
//
// A cache that misses a read is filled as the server's clients fill it: at once when the server has the value, else
// when somebody writes it; a write that follows a read without a find is such a fill and no use. So a cache may hit
// where the server missed and the other way round. What a miss in the sample counts for is divided by all reads, which
// the caller knows, not by those of the sample: whether the few most popular keys are in it or not tells little then.
//
// Belongs to the engine, under the turn. One event: some 30 caches looked at in one row; no memory is allocated.
internal import Base

@safe package final class EvictionShadow {
    /// The memories that are simulated, in parts of what there is.
    package static let factors: [Double] = [0.5, 1, 2, 4]

    package let rules: [ShadowRule]
    var records: ShadowRecords
    /// By rule, then by factor; rules with hands first.
    var caches: [ShadowCache]
    let handCount: Int
    /// Per record a byte for each cache: 0 for none, else `present`, its age and its uses.
    var states: [UInt8]
    /// Per record and cache with hands: when it went as a newcomer, 0 for never.
    var ghosts: [UInt32]
    /// Per record and cache: when it dies there, 0 for never. Empty until a key has an expiry.
    var deadlines: [UInt32] = []
    /// Per record and factor: neighbours in LRU's list.
    var recencyNext: [UInt32] = []
    var recencyPrevious: [UInt32] = []
    /// Per record and factor: LFU's counter, and the minute it was looked at last.
    var counters: [UInt8] = []
    var minutes: [UInt8] = []
    var random: RandomGenerator
    package private(set) var sampling: ShadowSampling
    /// Reads that were looked at, each for as many as it stands for.
    package private(set) var sampledReads = 0
    /// The first record that the next look for expired ones begins at.
    private var expiryPlace = 0
    /// What each memory may hold of all keys.
    private var wholeByteCounts: [Int]
    package var lfuLogFactor = 10
    package var lfuDecayMinutes = 1

    private static let shiftMax = 40
    static let present: UInt8 = 0x80
    static let usesMask: UInt8 = 0x0F
    static let ageShift: UInt8 = 4
    static let ageMask: UInt8 = 0x30

    /// `keyCountMax` keys are in the sample at most, of which one in 2^`shift` is taken from the beginning.
    package init(rules: [ShadowRule], keyCountMax: Int, shift: Int = 0, seed: UInt64) {
        var random = RandomGenerator(seed: seed)
        let sorted = rules.filter(\.order.hasHands) + rules.filter { !$0.order.hasHands }
        self.rules = sorted
        records = ShadowRecords(capacity: keyCountMax, random: &random)
        self.random = random
        sampling = ShadowSampling(shift: shift)
        caches = sorted.flatMap { rule in
            EvictionShadow.factors.indices.map { ShadowCache(rule, factor: $0, places: keyCountMax) }
        }
        handCount = sorted.count(where: \.order.hasHands) * EvictionShadow.factors.count
        states = Array(repeating: 0, count: keyCountMax * caches.count)
        ghosts = Array(repeating: 0, count: keyCountMax * handCount)
        wholeByteCounts = Array(repeating: 0, count: EvictionShadow.factors.count)
        let pairs = keyCountMax * EvictionShadow.factors.count
        if sorted.contains(where: { $0.order == .leastRecent }) {
            recencyNext = Array(repeating: ShadowRecords.none, count: pairs)
            // Not a copy of the other: it would take its memory at the first write.
            recencyPrevious = Array(repeating: ShadowRecords.none, count: pairs)
        }
        if sorted.contains(where: { $0.order == .leastFrequent }) {
            counters = Array(repeating: 0, count: pairs)
            minutes = Array(repeating: 0, count: pairs)
        }
    }

    /// Bytes of one key of the sample with so many rules, its expiries included.
    package static func byteCountPerKey(ruleCount: Int) -> Int {
        // State, ghost, deadline and resident bit of each cache; list and counter of each factor.
        ShadowRecords.byteCountPerKey + ruleCount * factors.count * 9 + ruleCount * factors.count / 8
            + factors.count * 10
    }

    /// Bytes that all of it takes.
    package var allocatedByteCount: Int {
        records.allocatedByteCount + states.count + ghosts.count * 4 + deadlines.count * 4
            + recencyNext.count * 8 + counters.count * 2 + caches.count * records.capacity / 8
    }

    package var keyCount: Int { records.count }

    package func simulates(_ name: StaticString) -> Bool {
        rules.contains { $0.name.isSame(name) }
    }

    // MARK: what happens

    /// A key of the sample was asked for; `real` is what the server has of it, nil when it has nothing.
    package func read(_ identity: UInt64, database: Int, real: ShadowKey?, now: UInt32) {
        guard let place = place(of: identity, database) else { return }
        sampledReads += sampling.weight
        if let real {
            records.isAwaited[place] = false
            resize(place, to: real.byteCount)
            if records.holders[place] == 0 && real.deadline > now {
                setLifetime(place, real.deadline - now, isFill: false, now)
            }
        }
        let row = place * caches.count
        for number in caches.indices {
            if states[row + number] != 0 && !isExpired(place, number, now) {
                touch(place, number, isWrite: false, now)
                continue
            }
            if states[row + number] != 0 { remove(place, number) }
            caches[number].misses += sampling.weight
            if real != nil { insert(place, number, now) }
        }
        if real == nil { records.isAwaited[place] = true }
    }

    /// A key of the sample was written and is now `real`.
    package func wrote(_ identity: UInt64, database: Int, real: ShadowKey, now: UInt32) {
        guard let place = place(of: identity, database) else { return }
        let isFill = records.isAwaited[place]
        records.isAwaited[place] = false
        resize(place, to: real.byteCount)
        setLifetime(place, real.deadline > now ? real.deadline - now : 0, isFill: isFill, now)
        let row = place * caches.count
        for number in caches.indices {
            if states[row + number] != 0 && !isExpired(place, number, now) {
                if !isFill { touch(place, number, isWrite: true, now) }
                makeRoom(number, for: 0, now)
                continue
            }
            if states[row + number] != 0 { remove(place, number) }
            insert(place, number, now)
        }
    }

    /// A key of the sample was there before the simulation began.
    package func found(_ identity: UInt64, database: Int, real: ShadowKey, now: UInt32) {
        if let known = records.find(identity), records.holders[known] > 0 { return }
        guard let place = place(of: identity, database) else { return }
        records.byteCounts[place] = UInt32(clamping: real.byteCount)
        let lifetime = real.deadline > now ? real.deadline - now : 0
        setLifetime(place, lifetime, isFill: false, now)
        for number in caches.indices { insert(place, number, now, hasPassed: true) }
    }

    /// A client removed a key of the sample.
    package func removed(_ identity: UInt64) {
        guard let place = records.find(identity) else { return }
        records.isAwaited[place] = false
        release(place)
    }

    /// Nothing is there any more.
    package func removeAll() {
        for place in 0..<records.capacity where records.isUsed(place) {
            records.isAwaited[place] = false
            release(place)
        }
    }

    /// Bytes that the server could hold of all keys, for each factor.
    package func setCapacities(_ byteCounts: [Int], now: UInt32) {
        precondition(byteCounts.count == EvictionShadow.factors.count, "there is a capacity for each factor")
        // Sums of what a cache holds and is asked to take never come near the largest number.
        wholeByteCounts = byteCounts.map { min($0, 1 << 56) }
        for number in caches.indices {
            caches[number].capacityByteCount = wholeByteCounts[caches[number].factor] >> sampling.shift
            makeRoom(number, for: 0, now)
        }
    }

    /// Counts begin anew; what the caches hold stays.
    package func resetCounts() {
        sampledReads = 0
        for number in caches.indices { caches[number].misses = 0 }
    }

    /// The timer's share: takes away what has expired in an eighth of all records.
    package func expireSlice(now: UInt32) {
        guard !deadlines.isEmpty else { return }
        let end = min(records.capacity, expiryPlace + (records.capacity + 7) / 8)
        for place in expiryPlace..<end where records.holders[place] > 0 {
            let row = place * caches.count
            for number in caches.indices where states[row + number] != 0 && isExpired(place, number, now) {
                remove(place, number)
            }
        }
        expiryPlace = end == records.capacity ? 0 : end
    }

    /// What would have been, after `reads` reads.
    package func outcomes(reads: Int) -> [ShadowOutcome] {
        let factorCount = EvictionShadow.factors.count
        return rules.indices.map { rule in
            let own = caches[rule * factorCount..<(rule + 1) * factorCount]
            return ShadowOutcome(
                rule: rules[rule],
                hitRatios: own.map { reads == 0 ? 0 : min(1, max(0, 1 - Double($0.misses) / Double(reads))) },
                wasFull: own.map(\.wasFull))
        }
    }

    // MARK: records

    /// The record of a key that is in the sample, made when there is none; nil when it has left the sample for it.
    private func place(of identity: UInt64, _ database: Int) -> Int? {
        if let place = records.find(identity) { return place }
        while records.isCrowded && sampling.shift < EvictionShadow.shiftMax { halve() }
        guard sampling.contains(identity), !records.isFull else { return nil }
        let (width, count) = (handCount, caches.count)
        var forgotten: Int?
        let place = records.add(identity, database: database) { forgotten = $0 }
        if let forgotten { clearGhosts(forgotten, width) }
        precondition(states[place * count] == 0, "nobody holds a new record")
        return place
    }

    private func clearGhosts(_ place: Int, _ width: Int) {
        for number in place * width..<(place + 1) * width { ghosts[number] = 0 }
    }

    /// Every second key leaves the sample.
    private func halve() {
        sampling.shift += 1
        for place in 0..<records.capacity
        where records.holders[place] > 0 && !sampling.contains(records.identities[place]) {
            release(place)
        }
        var gone: [Int] = []
        records.keep(sampling) { gone.append($0) }
        for place in gone { clearGhosts(place, handCount) }
        for number in caches.indices {
            caches[number].capacityByteCount = wholeByteCounts[caches[number].factor] >> sampling.shift
            caches[number].newcomers /= 2
        }
    }

    /// All caches let go of a record.
    private func release(_ place: Int) {
        let row = place * caches.count
        for number in caches.indices where states[row + number] != 0 { remove(place, number) }
    }

    private func resize(_ place: Int, to byteCount: Int) {
        let old = Int(records.byteCounts[place])
        guard byteCount != old else { return }
        records.byteCounts[place] = UInt32(clamping: byteCount)
        let growth = Int(records.byteCounts[place]) - old
        let row = place * caches.count
        for number in caches.indices where states[row + number] != 0 { caches[number].grow(by: growth) }
    }

    /// How long the key lives from now on. Caches that hold it already keep their own deadline when only the others
    /// are filled.
    private func setLifetime(_ place: Int, _ lifetime: UInt32, isFill: Bool, _ now: UInt32) {
        let wasVolatile = records.lifetimes[place] != 0
        records.lifetimes[place] = lifetime
        if lifetime != 0 && deadlines.isEmpty {
            deadlines = Array(repeating: 0, count: records.capacity * caches.count)
        }
        let row = place * caches.count
        for number in caches.indices where states[row + number] != 0 {
            if wasVolatile != (lifetime != 0) { caches[number].volatileCount += lifetime != 0 ? 1 : -1 }
            if !deadlines.isEmpty && (!isFill || lifetime == 0 || deadlines[row + number] == 0) {
                deadlines[row + number] = lifetime == 0 ? 0 : now &+ lifetime
            }
        }
    }

    @inline(__always)
    func isExpired(_ place: Int, _ number: Int, _ now: UInt32) -> Bool {
        guard !deadlines.isEmpty else { return false }
        let deadline = deadlines[place * caches.count + number]
        return deadline != 0 && deadline < now
    }
}

extension StaticString {
    fileprivate func isSame(_ other: StaticString) -> Bool {
        "\(self)" == "\(other)"
    }
}
