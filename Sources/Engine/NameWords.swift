// NameWords.swift - a command's name in three words, so that finding a command costs a multiplication and a comparison
// instead of a loop over its bytes. Pure; any thread.
internal import Base

/// Length, first and last eight bytes of a name, folded to lower case by setting bit 5 of every byte. Names of up to 16
/// letters have the same words only when they differ in case alone; for others the bytes must be compared.
struct NameWords: Equatable {
    private var first: UInt64 = 0
    private var last: UInt64 = 0
    private var count = 0

    init() {}

    init(_ name: [UInt8]) { self.init(name.span) }

    @inline(__always)
    init(_ name: Span<UInt8>) {
        count = name.count
        if count >= 8 {
            first = name.word(at: 0) | NameWords.fold
            last = name.word(at: count &- 8) | NameWords.fold
        } else if count >= 4 {
            let (head, tail) = (name.halfWord(at: 0), name.halfWord(at: count &- 4))
            first = (UInt64(head) | UInt64(tail) << 32) | NameWords.fold
        } else {
            for index in 0..<count { first = first << 8 | UInt64(name[index] | 0x20) }
        }
    }

    /// Whether the words of this lower-case name belong to no other name.
    static func tellAll(of name: Span<UInt8>) -> Bool {
        guard name.count <= 16 else { return false }
        for index in 0..<name.count where name[index] < UInt8(ascii: "a") || name[index] > UInt8(ascii: "z") {
            return false
        }
        return true
    }

    @inline(__always)
    var hash: Int {
        var mixed = (first ^ (last << 29 | last >> 35)) &+ UInt64(truncatingIfNeeded: count)
        mixed = mixed &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: mixed >> 40)
    }

    private static var fold: UInt64 { 0x2020_2020_2020_2020 }
}
