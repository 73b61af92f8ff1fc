// BitmapCount.swift - BITCOUNT and BITPOS: bits counted and searched in a part of a string, which is given in bytes or
// in bits. Engine's turn; never changes the keyspace.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum BitmapCount {
    static let commands: [Command] = [
        Command(
            "BITCOUNT", "key [range=(start:integer [end-unit-block=(end:integer [unit=(BYTE | BIT)@7.0.0])])]",
            arity: -2, [.readonly], keys: [.key([.readOnly, .access])], in: .bitmap, since: "2.6.0",
            complexity: "O(N)", summary: "Counts the number of set bits (population counting) in a string.",
            history: [
                ("7.0.0", "Added the `BYTE|BIT` option."),
                ("8.0.0", "`end` made optional; when called without argument the command reports the last BYTE."),
            ],
            run: count),
        Command(
            "BITPOS",
            "key bit:integer [range=(start:integer [end-unit-block=(end:integer [unit=(BYTE | BIT)@7.0.0])])]",
            arity: -3, [.readonly], keys: [.key([.readOnly, .access])], in: .bitmap, since: "2.8.7",
            complexity: "O(N)", summary: "Finds the first set (1) or clear (0) bit in a string.",
            history: [("7.0.0", "Added the `BYTE|BIT` option.")], run: search),
    ]

    private static let count: Command.Handler = { (call: inout Call) throws(CommandError) in
        let part = try Part(call.arguments, from: 2)
        guard let entry = try call.read(1, .string), !part.isReversed else { return call.reply.integer(0) }
        let found = entry.withStringBytes { bytes in
            part.bits(ofByteCount: bytes.count).map { Bitmap.count(bytes, bits: $0) } ?? 0
        }
        call.reply.integer(found)
    }

    private static let search: Command.Handler = { (call: inout Call) throws(CommandError) in
        let bit = try call.integer(2)
        guard bit == 0 || bit == 1 else { throw .message("ERR The bit argument must be 1 or 0.") }
        let part = try Part(call.arguments, from: 3)
        // An absent key is zeros without end.
        guard let entry = try call.read(1, .string) else { return call.reply.integer(bit == 0 ? 0 : -1) }
        let found = entry.withStringBytes { bytes -> Int in
            guard let range = part.bits(ofByteCount: bytes.count) else { return -1 }
            if let found = Bitmap.firstBit(bit == 1, in: bytes, bits: range) { return found }
            // Behind the string there are zeros, unless an end was set to the search.
            return bit == 0 && !part.hasEnd ? range.upperBound : -1
        }
        call.reply.integer(found)
    }

    /// The part of a string that a command looks at: two inclusive positions, counted from the end when negative.
    private struct Part {
        private var start = 0
        private var end = -1
        private var isInBits = false
        private(set) var hasEnd = false

        /// Reads `[start [end [BYTE|BIT]]]`.
        init(_ arguments: Arguments, from index: Int) throws(CommandError) {
            var words = Options(arguments, from: index)
            guard words.remaining <= 3 else { throw .syntax }
            if words.isAtEnd { return }
            start = try words.integer()
            if words.isAtEnd { return }
            end = try words.integer()
            hasEnd = true
            if words.isAtEnd { return }
            isInBits = words.take("BIT")
            if !isInBits && !words.take("BYTE") { throw .syntax }
        }

        /// Both positions count from the end, and the first one lies behind the second: nothing is between them even
        /// where both lie before the string.
        var isReversed: Bool { start < 0 && end < 0 && start > end }

        /// The bits of the part in a string of `byteCount` bytes; nil when there are none.
        func bits(ofByteCount byteCount: Int) -> Range<Int>? {
            let total = isInBits ? byteCount << 3 : byteCount
            let first = start < 0 ? max(0, total &+ start) : start
            let last = min(total - 1, end < 0 ? max(0, total &+ end) : end)
            guard first <= last else { return nil }
            return isInBits ? first..<(last + 1) : (first << 3)..<((last + 1) << 3)
        }
    }
}
