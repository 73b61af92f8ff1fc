// SeededDice.swift - repeatable randomness for model and fuzz tests. Each run takes fixed seeds and one drawn at random,
// and every failure prints its seed: put it into FOG_TEST_SEED to run that one again. Used by tests only.
import CLinux
import Testing

/// SplitMix64 (Steele, Lea, Flood): one state word, every seed is good.
struct SeededDice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

    /// True once in `times`.
    mutating func once(in times: Int) -> Bool { below(times) == 0 }

    mutating func bytes(count: Int, alphabet: ClosedRange<UInt8> = 0...255) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: alphabet, using: &self) }
    }

    /// The seeds of a test: one asked for by the environment, or `fixed` and a new one.
    static func seeds(_ fixed: UInt64...) -> [UInt64] {
        if let text = unsafe getenv("FOG_TEST_SEED"), let seed = unsafe UInt64(String(cString: text)) { return [seed] }
        return fixed + [UInt64.random(in: 1...UInt64.max)]
    }
}

/// As `#expect`, for values that cannot be copied and for loops where the macro's bookkeeping would dominate.
func verify(
    _ isTrue: Bool, _ note: @autoclosure () -> String, sourceLocation: SourceLocation = #_sourceLocation
) {
    if !isTrue { Issue.record(Comment(rawValue: note()), sourceLocation: sourceLocation) }
}
