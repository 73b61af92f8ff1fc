// ShadowRule.swift - what a simulated cache goes by, and what a simulation tells. Plain values, no state.

/// Which key of a simulated cache goes first.
package enum ShadowOrder: Sendable {
    /// The server's own: probation, a clock, ghosts (Eviction.swift).
    case unused
    /// The same, uses counted far (LFU policies).
    case counted
    /// The same, where only writes are uses (LRM policies).
    case modified
    case random
    case soonestExpiry
    /// What was not used for longest, exactly: what LRU by the book would hold.
    case leastRecent
    /// The lowest counter of ten keys that are looked at, counters as stock servers have them: what their LFU holds.
    case leastFrequent
    /// Nothing goes; what does not fit is refused.
    case never

    var hasHands: Bool { self == .unused || self == .counted || self == .modified }
}

package struct ShadowRule: Sendable {
    package let name: StaticString
    package let order: ShadowOrder
    /// Only keys with an expiry may go.
    package let onlyVolatile: Bool

    package init(_ name: StaticString, _ order: ShadowOrder, onlyVolatile: Bool = false) {
        self.name = name
        self.order = order
        self.onlyVolatile = onlyVolatile
    }
}

/// A key as it is in the keyspace: what it costs and when it dies. The unit of time is a hundredth of a second since
/// the simulation began; 0 stands for never.
package struct ShadowKey: Sendable {
    package let byteCount: Int
    package let deadline: UInt32

    package init(byteCount: Int, deadline: UInt32) {
        self.byteCount = byteCount
        self.deadline = deadline
    }
}

/// What is known of one rule: the hit ratio with each memory, in the order of the factors.
package struct ShadowOutcome: Sendable {
    package let rule: ShadowRule
    /// 0...1.
    package let hitRatios: [Double]
    /// Whether this cache had to evict since it began. One that did not is still being filled: with so much memory
    /// the hit ratio would be this or better.
    package let wasFull: [Bool]
}

/// Which keys are looked at: those whose identity's first bits are zero, so that a key is in the sample always or
/// never, whatever it is used for.
package struct ShadowSampling: Sendable {
    /// One key in 2^shift.
    package internal(set) var shift = 0

    package init(shift: Int = 0) { self.shift = shift }

    /// What a key is known by: its hash, spread anew so that the sample says nothing of its place in a table.
    @inline(__always)
    package static func identity(_ hash: UInt64, database: Int) -> UInt64 {
        let mixed = (hash ^ UInt64(truncatingIfNeeded: database) &* 0xd6e8_feb8_6659_fd93) &* 0x9e37_79b9_7f4a_7c15
        return mixed ^ (mixed >> 32)
    }

    @inline(__always)
    package func contains(_ identity: UInt64) -> Bool { shift == 0 || identity >> UInt64(64 - shift) == 0 }

    /// How many keys, and reads, one in the sample stands for.
    package var weight: Int { 1 << shift }
}
