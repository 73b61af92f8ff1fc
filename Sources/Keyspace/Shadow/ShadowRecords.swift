// ShadowRecords.swift - the keys of a sample, by identity: a fixed number of places, drawn at random so that the order
// of places says nothing of the keys. A key keeps its place while a simulated cache holds it and for as long after as
// no other needs it; of those that nobody holds the longest forgotten goes first. Owned by one `EvictionShadow`.
internal import Base

struct ShadowRecords {
    static let none = UInt32.max

    let capacity: Int
    private(set) var identities: [UInt64]
    /// What the key costs.
    var byteCounts: [UInt32]
    /// How long it was to live when it was written last; 0 for ever.
    var lifetimes: [UInt32]
    private(set) var databases: [UInt16]
    /// How many caches hold it.
    private(set) var holders: [UInt8]
    /// A read did not find it, and nobody has written it since: whoever asked is about to.
    var isAwaited: [Bool]
    private var isTaken: [Bool]

    /// Places that are free, in random order.
    private var free: [UInt32]
    /// Records that no cache holds, the oldest first.
    private var next: [UInt32]
    private var previous: [UInt32]
    private var oldest = ShadowRecords.none
    private var newest = ShadowRecords.none
    private(set) var idleCount = 0
    private(set) var count = 0
    /// Open addressing: place + 1, 0 for nothing.
    private var index: [UInt32]
    private let indexMask: Int

    init(capacity: Int, random: inout RandomGenerator) {
        precondition(capacity > 0 && capacity < 1 << 30, "a sample has a size")
        self.capacity = capacity
        identities = Array(repeating: 0, count: capacity)
        byteCounts = Array(repeating: 0, count: capacity)
        lifetimes = Array(repeating: 0, count: capacity)
        databases = Array(repeating: 0, count: capacity)
        holders = Array(repeating: 0, count: capacity)
        isAwaited = Array(repeating: false, count: capacity)
        isTaken = Array(repeating: false, count: capacity)
        next = Array(repeating: ShadowRecords.none, count: capacity)
        previous = Array(repeating: ShadowRecords.none, count: capacity)
        free = (0..<UInt32(capacity)).map { $0 }
        free.shuffle(using: &random)
        var size = 16
        while size < capacity * 2 { size *= 2 }
        index = Array(repeating: 0, count: size)
        indexMask = size - 1
    }

    /// Bytes that a place takes beside the index.
    private static let byteCountPerPlace = 8 + 4 + 4 + 2 + 1 + 1 + 1 + 4 + 4 + 4
    /// With its share of the index, at most.
    static let byteCountPerKey = byteCountPerPlace + 16

    var allocatedByteCount: Int { capacity * ShadowRecords.byteCountPerPlace + index.count * 4 }

    // MARK: the index

    @inline(__always)
    private func home(_ identity: UInt64) -> Int { Int(truncatingIfNeeded: identity) & indexMask }

    func find(_ identity: UInt64) -> Int? {
        var slot = home(identity)
        while index[slot] != 0 {
            let place = Int(index[slot]) - 1
            if identities[place] == identity { return place }
            slot = (slot + 1) & indexMask
        }
        return nil
    }

    private mutating func enter(_ place: Int) {
        var slot = home(identities[place])
        while index[slot] != 0 { slot = (slot + 1) & indexMask }
        index[slot] = UInt32(place + 1)
    }

    /// Takes a place out of the index and moves what had to stand behind it.
    private mutating func leave(_ place: Int) {
        var slot = home(identities[place])
        while index[slot] != UInt32(place + 1) { slot = (slot + 1) & indexMask }
        var following = (slot + 1) & indexMask
        while index[following] != 0 {
            let wanted = home(identities[Int(index[following]) - 1])
            // It may move when its home does not lie behind the gap.
            if (following - wanted) & indexMask >= (following - slot) & indexMask {
                index[slot] = index[following]
                slot = following
            }
            following = (following + 1) & indexMask
        }
        index[slot] = 0
    }

    // MARK: places

    /// Whether a key more would push out one that eviction may still ask for.
    var isCrowded: Bool { free.isEmpty && idleCount * 100 < capacity * 44 }

    /// Whether every place has a record that some cache holds.
    var isFull: Bool { free.isEmpty && idleCount == 0 }

    /// A place for a key that has none; nobody may be crowded. `forget` hears of the one that had it.
    mutating func add(_ identity: UInt64, database: Int, forget: (Int) -> Void) -> Int {
        if free.isEmpty {
            precondition(oldest != ShadowRecords.none, "a crowded sample is halved before a key is added")
            let place = Int(oldest)
            drop(place)
            forget(place)
        }
        guard let last = free.popLast() else { preconditionFailure("there is a free place now") }
        let place = Int(last)
        identities[place] = identity
        databases[place] = UInt16(truncatingIfNeeded: database)
        byteCounts[place] = 0
        lifetimes[place] = 0
        isAwaited[place] = false
        isTaken[place] = true
        count += 1
        enter(place)
        becomeIdle(place)
        return place
    }

    /// Forgets a record that no cache holds. Its place goes to a random one of the free.
    private mutating func drop(_ place: Int) {
        precondition(holders[place] == 0 && isTaken[place], "only what nobody holds is forgotten")
        leaveIdle(place)
        leave(place)
        isTaken[place] = false
        count -= 1
        free.append(UInt32(place))
        if free.count > 1 {
            // A multiple of an odd constant stands in for a random number.
            let other = Int(truncatingIfNeeded: (identities[place] &* 0xff51_afd7_ed55_8ccd) >> 33) % free.count
            free.swapAt(other, free.count - 1)
        }
    }

    /// Forgets everything that is not in the sample any more; the caches have let go of it.
    mutating func keep(_ sampling: ShadowSampling, forget: (Int) -> Void) {
        for place in 0..<capacity where isTaken[place] && !sampling.contains(identities[place]) {
            drop(place)
            forget(place)
        }
    }

    func isUsed(_ place: Int) -> Bool { isTaken[place] }

    // MARK: who is held

    mutating func hold(_ place: Int) {
        if holders[place] == 0 { leaveIdle(place) }
        holders[place] += 1
    }

    mutating func release(_ place: Int) {
        holders[place] -= 1
        if holders[place] == 0 { becomeIdle(place) }
    }

    private mutating func becomeIdle(_ place: Int) {
        previous[place] = newest
        next[place] = ShadowRecords.none
        if newest == ShadowRecords.none { oldest = UInt32(place) } else { next[Int(newest)] = UInt32(place) }
        newest = UInt32(place)
        idleCount += 1
    }

    private mutating func leaveIdle(_ place: Int) {
        let (before, after) = (previous[place], next[place])
        if before == ShadowRecords.none { oldest = after } else { next[Int(before)] = after }
        if after == ShadowRecords.none { newest = before } else { previous[Int(after)] = before }
        idleCount -= 1
    }
}
