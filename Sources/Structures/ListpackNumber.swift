// ListpackNumber.swift - which texts a listpack keeps as integers, and their text again: only the one canonical
// spelling of a 64-bit number is a number, so that reading gives back the very bytes that were written. Pure, any
// thread, no allocation. Must never accept a spelling that printing would not reproduce.
internal import Base

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
        return unsafe IntegerText.parse(text, count: count)
    }

    /// Bytes of the text of `value`.
    @inline(__always)
    static func textByteCount(_ value: Int64) -> Int { IntegerText.byteCount(of: value) }

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
