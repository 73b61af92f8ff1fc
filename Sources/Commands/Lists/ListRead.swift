// ListRead.swift - LLEN, LINDEX, LRANGE, LPOS: looking at lists.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum ListRead {
    static let commands: [Command] = [
        Command(
            "LLEN", "key", arity: 2, [.readonly, .fast], keys: [.key([.readOnly])], in: .list, since: "1.0.0",
            complexity: "O(1)", summary: "Returns the length of a list.", run: length),
        Command(
            "LINDEX", "key index:integer", arity: 3, [.readonly], keys: [.key([.readOnly, .access])], in: .list,
            since: "1.0.0",
            complexity: """
                O(N) where N is the number of elements to traverse to get to the element at index. This makes \
                asking for the first or the last element of the list O(1).
                """,
            summary: "Returns an element from a list by its index.", run: element),
        Command(
            "LRANGE", "key start:integer stop:integer", arity: 4, [.readonly], keys: [.key([.readOnly, .access])],
            in: .list, since: "1.0.0",
            complexity: """
                O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD \
                or TAIL) for large lists; and N is the number of elements in the specified range.
                """,
            summary: "Returns a range of elements from a list.", run: range),
        Command(
            "LPOS", "key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]", arity: -3,
            [.readonly], keys: [.key([.readOnly, .access])], in: .list, since: "6.0.6",
            complexity: """
                O(N) where N is the number of elements in the list, for the average case. When searching for \
                elements near the head or the tail of the list, or when the MAXLEN option is provided, the \
                command may run in constant time.
                """,
            summary: "Returns the index of matching elements in a list.", run: positions),
    ]

    private static let length: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(1, .list) else { return call.reply.integer(0) }
        call.reply.integer(entry.list.count)
    }

    private static let element: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(1, .list) else { return call.reply.null() }
        write(elementOf: entry.list, at: try call.integer(2), to: call.reply)
    }

    private static func write(elementOf list: ListView, at index: Int, to reply: Reply) {
        var cursor = list.cursor(from: index)
        if let element = cursor.next() { reply.bulk(element) } else { reply.null() }
    }

    private static let range: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = try call.integer(2)
        let last = try call.integer(3)
        guard let entry = try call.read(1, .list) else { return call.reply.array(0) }
        let range = ListRange(first, last, of: entry.list.count)
        call.reply.elements(of: entry.list, from: range.start, count: range.count)
    }

    private struct PositionOptions {
        var rank = 1
        /// Matches wanted, 0 for all; nil for the first one alone.
        var count: Int?
        /// Elements to compare at most, 0 for all.
        var comparesMax = 0
    }

    private static let positions: Command.Handler = { (call: inout Call) throws(CommandError) in
        let options = try parsePositionOptions(call)
        let reply = call.reply
        guard let entry = try call.read(1, .list) else {
            if options.count == nil { return reply.null() }
            return reply.array(0)
        }
        let needle = call.arguments[2]
        guard let count = options.count else {
            var position: Int?
            find(needle, in: entry.list, options, limit: 1) { position = $0 }
            if let position { return reply.integer(position) }
            return reply.null()
        }
        reply.deferredArray { written in
            find(needle, in: entry.list, options, limit: count == 0 ? .max : count) { position in
                reply.integer(position)
                written += 1
            }
        }
    }

    /// Calls `body` with the positions of up to `limit` matches, from the match that the rank names on.
    private static func find(
        _ needle: Span<UInt8>, in list: ListView, _ options: PositionOptions, limit: Int,
        _ body: (Int) -> Void
    ) {
        var skipped = Int(clamping: options.rank.magnitude) - 1
        var left = limit
        list.forEachMatch(
            of: needle, fromTail: options.rank < 0,
            comparesMax: options.comparesMax == 0 ? .max : options.comparesMax
        ) { index in
            if skipped > 0 {
                skipped -= 1
                return true
            }
            body(index)
            left -= 1
            return left > 0
        }
    }

    private static func parsePositionOptions(_ call: borrowing Call) throws(CommandError) -> PositionOptions {
        var parsed = PositionOptions()
        var options = call.options(from: 3)
        while !options.isAtEnd {
            if options.take("RANK", values: 1) {
                parsed.rank = try options.integer(in: -Int.max...Int.max, otherwise: .belowNegatedMaximum)
                if parsed.rank == 0 {
                    throw .message(
                        """
                        ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use \
                        negative to start from the end of the list
                        """)
                }
            } else if options.take("COUNT", values: 1) {
                guard let count = IntegerText.parse(try options.next()), count >= 0 else {
                    throw .message("ERR COUNT can't be negative")
                }
                parsed.count = Int(count)
            } else if options.take("MAXLEN", values: 1) {
                guard let count = IntegerText.parse(try options.next()), count >= 0 else {
                    throw .message("ERR MAXLEN can't be negative")
                }
                parsed.comparesMax = Int(count)
            } else {
                throw .syntax
            }
        }
        return parsed
    }
}

extension CommandError {
    /// For the one integer whose negation is none.
    static let belowNegatedMaximum = CommandError.message(
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807")
}
