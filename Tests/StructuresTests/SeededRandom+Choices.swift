// SeededRandom+Choices.swift - more ways to choose test cases, and which seeds a test runs with: fixed
// ones, and one that no run tried before. A failure prints its seed; put it into FOG_TEST_SEED to run
// only that one again.
import CLinux

extension SeededRandom: RandomNumberGenerator {
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
