// SeededRandom.swift - the randomness of the model tests: every run is one number, printed when a check fails, and that
// number gives the same run again. Shared by all tests of the compact structures; owns no state but its own.
import Base
import Testing

/// SplitMix64: small, and good enough to choose test cases with.
struct SeededRandom {
    let seed: UInt64
    private var state: UInt64

    init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A number in 0..<bound.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    /// A 64-bit number whose magnitude is as likely small as large.
    mutating func integer() -> Int64 {
        let magnitude = next() >> UInt64(below(64))
        return chance(50) ? Int64(truncatingIfNeeded: magnitude) : Int64(truncatingIfNeeded: 0 &- magnitude)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        while result.count < count { result.append(UInt8(truncatingIfNeeded: next())) }
        return result
    }

    /// A text as lists hold them: numbers, near-numbers, words that repeat, bytes, now and then a long one.
    mutating func element(lengthMax: Int = 80) -> [UInt8] {
        switch below(10) {
        case 0...2: return Array(String(integer()).utf8)
        case 3: return Array(["", "-", "0", "-0", "007", "1e3", "+5", "12345678901234567890"][below(8)].utf8)
        case 4...6: return Array("word:\(below(12))".utf8)
        case 7...8: return bytes(below(lengthMax + 1))
        default: return [UInt8](repeating: UInt8(97 + below(26)), count: below(chance(5) ? 5000 : lengthMax + 1))
        }
    }
}

/// Seeds that every run tries, and one that no run tried before.
enum TestSeeds {
    static func make(_ count: Int) -> [UInt64] {
        var system = SystemRandomNumberGenerator()
        return (1..<UInt64(max(count, 2))).map { $0 } + [system.next()]
    }
}

extension ByteBuffer {
    /// A copy for comparing.
    borrowing func array() -> [UInt8] {
        var copy: [UInt8] = []
        let view = span
        for index in 0..<view.count { copy.append(view[index]) }
        return copy
    }

    init(copying bytes: [UInt8]) {
        self.init()
        append(bytes)
    }
}

extension Span where Element == UInt8 {
    func array() -> [UInt8] {
        var copy: [UInt8] = []
        for index in 0..<count { copy.append(self[index]) }
        return copy
    }
}

/// Hexadecimal text to bytes.
func bytes(hexadecimal text: String) -> [UInt8] {
    var result: [UInt8] = []
    var high: UInt8?
    for character in text.utf8 {
        let digit = character < 58 ? character - 48 : character - 87
        if let first = high {
            result.append(first << 4 | digit)
            high = nil
        } else {
            high = digit
        }
    }
    return result
}

/// What RESP calls one bulk string.
func bulkString(_ element: [UInt8]) -> [UInt8] {
    Array("$\(element.count)\r\n".utf8) + element + [13, 10]
}

/// `#expect` cannot look at values that do not copy or do not escape, and takes microseconds for each check; this one
/// takes a Bool that was computed outside.
func verify(
    _ holds: Bool, _ note: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
    if !holds { Issue.record("does not hold: \(note())", sourceLocation: sourceLocation) }
}
