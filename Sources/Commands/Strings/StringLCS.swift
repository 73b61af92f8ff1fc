// StringLCS.swift - LCS: the longest common subsequence of two strings, its length, or where its runs lie. The table it
// needs is bounded by proto-max-bulk-len, as in Redis; the command holds the turn for one step per pair of bytes.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StringLCS {
    static let commands: [Command] = [
        Command(
            "LCS", "key1:key key2:key#0 [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]", arity: -3,
            [.readonly], keys: [.keys(last: 1, [.readOnly, .access])], in: .string, since: "7.0.0",
            complexity: "O(N*M) where N and M are the lengths of s1 and s2, respectively",
            summary: "Finds the longest common substring.", run: commonSubsequence)
    ]

    private struct Wishes {
        var length = false
        var positions = false
        var matchLengths = false
        var minimum = 0

        init(_ arguments: Arguments) throws(CommandError) {
            var words = Options(arguments, from: 3)
            while !words.isAtEnd {
                if words.take("IDX") {
                    positions = true
                } else if words.take("LEN") {
                    length = true
                } else if words.take("WITHMATCHLEN") {
                    matchLengths = true
                } else if words.take("MINMATCHLEN", values: 1) {
                    minimum = try max(0, words.integer())
                } else {
                    throw .syntax
                }
            }
            if positions && length {
                throw .message("ERR If you want both the length and indexes, please just use IDX.")
            }
        }
    }

    private static let commonSubsequence: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.read(1)
        let second = call.read(2)
        guard first?.isString ?? true, second?.isString ?? true else {
            throw .message("ERR The specified keys must contain string values")
        }
        let wishes = try Wishes(call.arguments)
        let limit = call.settings.protoMaxBulkLength
        let reply = call.reply
        try withText(first) { (left) throws(CommandError) in
            try withText(second) { (right) throws(CommandError) in
                try answer(left, right, wishes, limit: limit, reply)
            }
        }
    }

    /// A string's text; an absent key reads as empty.
    private static func withText(
        _ entry: Entry?, _ body: (Span<UInt8>) throws(CommandError) -> Void
    ) throws(CommandError) {
        guard let entry else { return try body(Span<UInt8>()) }
        try entry.withStringBytes(body)
    }

    private static func answer(
        _ first: Span<UInt8>, _ second: Span<UInt8>, _ wishes: Wishes, limit: Int, _ reply: Reply
    ) throws(CommandError) {
        guard first.count < Int(UInt32.max) - 1, second.count < Int(UInt32.max) - 1 else {
            throw .message("ERR String too long for LCS")
        }
        guard let byteCount = CommonSubsequence.tableByteCount(first.count, second.count), byteCount <= limit else {
            throw .message("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
        }
        let noMemory = CommandError.message("ERR Insufficient memory, failed allocating transient memory for LCS")
        if wishes.length {
            guard let length = CommonSubsequence.length(first, second) else { throw noMemory }
            return reply.integer(length)
        }
        guard let table = CommonSubsequence(first, second) else { throw noMemory }
        if wishes.positions {
            writePositions(table, first, second, wishes, reply)
        } else {
            reply.bulk(table.text(first, second).span)
        }
    }

    private static func writePositions(
        _ table: borrowing CommonSubsequence, _ first: Span<UInt8>, _ second: Span<UInt8>, _ wishes: Wishes,
        _ reply: Reply
    ) {
        reply.map(2)
        reply.bulk("matches")
        let mark = reply.buffer.count
        var count = 0
        table.forEachMatch(first, second) { match in
            guard match.byteCount >= wishes.minimum else { return }
            count += 1
            reply.array(wishes.matchLengths ? 3 : 2)
            reply.array(2)
            reply.integer(match.firstStart)
            reply.integer(match.firstEnd)
            reply.array(2)
            reply.integer(match.secondStart)
            reply.integer(match.secondEnd)
            if wishes.matchLengths { reply.integer(match.byteCount) }
        }
        reply.insertHeader(UInt8(ascii: "*"), count, at: mark)
        reply.bulk("len")
        reply.integer(table.length)
    }
}
