// ShadowCache.swift - one simulated cache: which records it holds, as a bit each, their bytes, where its hands stand
// and what it missed. What it knows of a record beyond that stands in the rows of its `EvictionShadow`, beside what
// the other caches know, so that a read touches one line for all of them.
internal import Base

struct ShadowCache {
    let rule: ShadowRule
    /// Which memory, as a place in the list of factors.
    let factor: Int
    /// What it may hold, of the sample.
    var capacityByteCount = 0

    private(set) var residents: [UInt64]
    private(set) var byteCount = 0
    private(set) var count = 0
    /// Residents with an expiry.
    var volatileCount = 0

    /// Reads that did not find their key, each for as many as it stands for.
    var misses = 0
    var wasFull = false

    // The hands, as in EvictionHand; distances are places of records where it counts buckets.
    var isOn = false
    var newcomerAge: UInt8 = 1
    var newcomers = 0
    var isSweepFinished = true
    var sweep = 0
    var sweepDebt = 0.0
    var clock = 0
    var fruitless = 0
    var unlucky: UInt32 = 0
    var ghostClock: UInt32 = 0

    // LRU's list, the most recently used first.
    var first = ShadowRecords.none
    var last = ShadowRecords.none

    init(_ rule: ShadowRule, factor: Int, places: Int) {
        self.rule = rule
        self.factor = factor
        residents = Array(repeating: 0, count: (places + 63) / 64)
    }

    var meanByteCount: Int { max(1, byteCount / max(1, count)) }

    @inline(__always)
    func holds(_ place: Int) -> Bool { residents[place >> 6] & (1 << UInt64(place & 63)) != 0 }

    mutating func add(_ place: Int, byteCount: Int) {
        residents[place >> 6] |= 1 << UInt64(place & 63)
        self.byteCount += byteCount
        count += 1
    }

    mutating func remove(_ place: Int, byteCount: Int) {
        residents[place >> 6] &= ~(1 << UInt64(place & 63))
        self.byteCount -= byteCount
        count -= 1
    }

    mutating func grow(by byteCount: Int) { self.byteCount += byteCount }

    /// The first resident at or behind `place`; nil when there is none up to the end.
    func nextResident(from place: Int) -> Int? {
        var word = place >> 6
        guard word < residents.count else { return nil }
        var bits = residents[word] & (UInt64.max << UInt64(place & 63))
        while bits == 0 {
            word += 1
            guard word < residents.count else { return nil }
            bits = residents[word]
        }
        return word << 6 + bits.trailingZeroBitCount
    }

    /// Any resident, each about as likely; nil when there is none.
    func randomResident(_ random: inout RandomGenerator) -> Int? {
        guard count > 0 else { return nil }
        let places = residents.count * 64
        for _ in 0..<64 {
            let place = Int(truncatingIfNeeded: random.next() >> 1) % places
            if holds(place) { return place }
        }
        let start = Int(truncatingIfNeeded: random.next() >> 1) % places
        return nextResident(from: start) ?? nextResident(from: 0)
    }
}
