// StreamRange.swift - XLEN, XRANGE, XREVRANGE: looking at the entries of one stream.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StreamRange {
    static let commands: [Command] = [
        Command(
            "XLEN", "key", arity: 2, [.readonly, .fast], keys: [.key([.readOnly])], in: .stream, since: "5.0.0",
            complexity: "O(1)", summary: "Returns the number of messages in a stream.", run: length),
        Command(
            "XRANGE", "key start end [COUNT count:integer]", arity: -4, [.readonly],
            keys: [.key([.readOnly, .access])], in: .stream, since: "5.0.0",
            complexity: """
                O(N) with N being the number of elements being returned. If N is constant (e.g. always asking for \
                the first 10 elements with COUNT), you can consider it O(1).
                """,
            summary: "Returns the messages from a stream within a range of IDs.",
            history: [("6.2.0", "Added exclusive ranges.")]
        ) { (call: inout Call) throws(CommandError) in
            let interval = try StreamInterval(start: call.arguments[2], end: call.arguments[3])
            try range(&call, interval, isReversed: false)
        },
        Command(
            "XREVRANGE", "key end start [COUNT count:integer]", arity: -4, [.readonly],
            keys: [.key([.readOnly, .access])], in: .stream, since: "5.0.0",
            complexity: """
                O(N) with N being the number of elements returned. If N is constant (e.g. always asking for the \
                first 10 elements with COUNT), you can consider it O(1).
                """,
            summary: "Returns the messages from a stream within a range of IDs in reverse order.",
            history: [("6.2.0", "Added exclusive ranges.")]
        ) { (call: inout Call) throws(CommandError) in
            let interval = try StreamInterval(start: call.arguments[3], end: call.arguments[2])
            try range(&call, interval, isReversed: true)
        },
    ]

    private static let length: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(1, .stream) else { return call.reply.integer(0) }
        call.reply.integer(entry.stream.length)
    }

    private static func range(
        _ call: inout Call, _ interval: StreamInterval, isReversed: Bool
    ) throws(CommandError) {
        var limit = Int.max
        var options = call.options(from: 4)
        while !options.isAtEnd {
            guard options.take("COUNT", values: 1) else { throw .syntax }
            limit = max(try options.integer(), 0)
        }
        guard let entry = try call.read(1, .stream) else { return call.reply.array(0) }
        if limit == 0 { return call.reply.nullArray() }
        call.reply.streamEntries(
            entry.stream.walk(from: interval.start, to: interval.end, isReversed: isReversed), limit: limit)
    }
}
