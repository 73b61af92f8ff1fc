// RandomGenerator.swift - xoshiro256** (Blackman and Vigna's public-domain design): fast, seedable, one owner, never
// shared between threads. For sampling, jitter and tests; secrets and identifiers come from the system's generator.

package struct RandomGenerator: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// The same seed gives the same sequence on every machine.
    package init(seed: UInt64) {
        // SplitMix64 spreads the seed; it never yields four zeros, the one state that xoshiro cannot leave.
        var source = seed
        func spread() -> UInt64 {
            source &+= 0x9e37_79b9_7f4a_7c15
            var mixed = source
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
        state = (spread(), spread(), spread(), spread())
    }

    /// Seeded by the system.
    package init() {
        var system = SystemRandomNumberGenerator()
        self.init(seed: system.next())
    }

    /// The next 64 random bits.
    @inline(__always)
    package mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = (product << 7 | product >> 57) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }

    /// A number in 0..<bound, each equally likely. `bound` must be positive.
    @inline(__always)
    package mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0, "a random number below \(bound) does not exist")
        // Lemire: the high half of a 64x64 product is the number; the few low halves that would favour some numbers
        // are drawn again.
        let limit = UInt64(bound)
        var product = next().multipliedFullWidth(by: limit)
        if product.low < limit {
            let threshold = (0 &- limit) % limit
            while product.low < threshold { product = next().multipliedFullWidth(by: limit) }
        }
        return Int(truncatingIfNeeded: product.high)
    }

    /// A number in 0..<1 with 53 random bits.
    @inline(__always)
    package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}

/// The 40 hexadecimal digits by which a server process, a replication history or a cluster node is known.
package enum RunIdentifier {
    /// A fresh identifier from the system's generator.
    package static func make() -> String {
        var system = SystemRandomNumberGenerator()
        var text = ""
        text.reserveCapacity(40)
        for _ in 0..<5 {
            let digits = String(UInt32.random(in: .min ... .max, using: &system), radix: 16)
            text += String(repeating: "0", count: 8 - digits.utf8.count) + digits
        }
        return text
    }
}
