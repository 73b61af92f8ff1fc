// ListpackNumber.swift - which texts a listpack keeps as integers, and their text again: only the one canonical
// spelling of a 64-bit number is a number, so that reading gives back the very bytes that were written. Pure, any
// thread, no allocation. Must never accept a spelling that printing would not reproduce.

enum ListpackNumber {
    /// "-9223372036854775808".
    static let textByteCountMax = 20

    /// The number that `count` bytes at `text` spell: optional "-", no plus, no leading zero, no "-0"; else nil.
    @unsafe @inline(__always)
    static func parse(_ text: UnsafePointer<UInt8>, count: Int) -> Int64? {
        // Most elements are words: one look at the first byte settles those.
        guard count > 0, count <= textByteCountMax, unsafe text[0] &- 48 <= 9 || text[0] == UInt8(ascii: "-") else {
            return nil
        }
        return unsafe parseDigits(text, count: count)
    }

    @unsafe
    private static func parseDigits(_ text: UnsafePointer<UInt8>, count: Int) -> Int64? {
        let isNegative = unsafe text[0] == UInt8(ascii: "-")
        var index = isNegative ? 1 : 0
        guard index < count else { return nil }
        var magnitude = unsafe UInt64(text[index] &- 48)
        guard magnitude <= 9 else { return nil }
        if magnitude == 0 { return count == 1 ? 0 : nil }
        index &+= 1
        // Nineteen digits fit 64 bits without a sign; a twentieth digit is never a 64-bit signed number.
        guard count &- (isNegative ? 1 : 0) <= 19 else { return nil }
        while index < count {
            let digit = unsafe text[index] &- 48
            guard digit <= 9 else { return nil }
            magnitude = magnitude &* 10 &+ UInt64(digit)
            index &+= 1
        }
        if isNegative {
            return magnitude <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
        }
        return magnitude <= UInt64(Int64.max) ? Int64(truncatingIfNeeded: magnitude) : nil
    }

    /// Bytes of the text of `value`.
    @inline(__always)
    static func textByteCount(_ value: Int64) -> Int {
        digitCount(value.magnitude) &+ (value < 0 ? 1 : 0)
    }

    @inline(__always)
    private static func digitCount(_ magnitude: UInt64) -> Int {
        var count = 1
        var rest = magnitude
        while rest >= 10_000 {
            rest /= 10_000
            count &+= 4
        }
        if rest >= 1000 { return count &+ 3 }
        if rest >= 100 { return count &+ 2 }
        return rest >= 10 ? count &+ 1 : count
    }

    /// Writes the text of `value`, `byteCount` bytes long (`textByteCount` says how long), to `target`.
    @unsafe @inline(__always)
    static func write(_ value: Int64, byteCount: Int, to target: UnsafeMutablePointer<UInt8>) {
        var magnitude = value.magnitude
        var position = byteCount
        repeat {
            position &-= 1
            unsafe target[position] = UInt8(truncatingIfNeeded: 48 &+ magnitude % 10)
            magnitude /= 10
        } while magnitude != 0
        if value < 0 { unsafe target[0] = UInt8(ascii: "-") }
    }
}
