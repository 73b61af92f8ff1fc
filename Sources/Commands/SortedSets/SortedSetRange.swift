// SortedSetRange.swift - ZRANGE, ZRANGESTORE and the older commands that they replace: stretches of a sorted set by
// rank, score or member bytes, from either end. What is asked for is read and refused before the key is looked at.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SortedSetRange {
    static let commands: [Command] = [
        Command(
            "ZRANGE",
            """
                key start stop [sortby=(BYSCORE | BYLEX)@6.2.0] [REV@6.2.0] [LIMIT (offset:integer \
                count:integer)@6.2.0] [WITHSCORES]
                """,
            arity: -4, [.readonly], keys: [.key([.readOnly, .access])], in: .sortedSet, since: "1.2.0",
            complexity: """
                O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements \
                returned.
                """,
            summary: "Returns members in a sorted set within a range of indexes.",
            history: [("6.2.0", "Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options.")], run: range),
        Command(
            "ZRANGESTORE",
            "dst:key src:key min max [sortby=(BYSCORE | BYLEX)] [REV] [LIMIT (offset:integer count:integer)]",
            arity: -5, [.write, .denyOOM], keys: [.key([.overwrite, .update]), .key(at: 2, [.readOnly, .access])],
            in: .sortedSet, since: "6.2.0",
            complexity: """
                O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements \
                stored into the destination key.
                """,
            summary: "Stores a range of members from sorted set in a key.", run: store),
        Command(
            "ZREVRANGE", "key start:integer stop:integer [WITHSCORES]", arity: -4, [.readonly],
            keys: [.key([.readOnly, .access])], in: .sortedSet, since: "1.2.0",
            complexity: """
                O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements \
                returned.
                """,
            summary: "Returns members in a sorted set within a range of indexes in reverse order.",
            run: reverseRange),
        Command(
            "ZRANGEBYSCORE", "key min:double max:double [WITHSCORES@2.0.0] [LIMIT (offset:integer count:integer)]",
            arity: -4, [.readonly], keys: [.key([.readOnly, .access])], in: .sortedSet, since: "1.0.5",
            complexity: """
                O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements \
                being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you \
                can consider it O(log(N)).
                """,
            summary: "Returns members in a sorted set within a range of scores.",
            history: [("2.0.0", "Added the `WITHSCORES` modifier.")], run: byScore),
        Command(
            "ZREVRANGEBYSCORE", "key max:double min:double [WITHSCORES] [LIMIT (offset:integer count:integer)]",
            arity: -4, [.readonly], keys: [.key([.readOnly, .access])], in: .sortedSet, since: "2.2.0",
            complexity: """
                O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements \
                being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you \
                can consider it O(log(N)).
                """,
            summary: "Returns members in a sorted set within a range of scores in reverse order.",
            history: [("2.1.6", "`min` and `max` can be exclusive.")], run: reverseByScore),
        Command(
            "ZRANGEBYLEX", "key min max [LIMIT (offset:integer count:integer)]", arity: -4, [.readonly],
            keys: [.key([.readOnly, .access])], in: .sortedSet, since: "2.8.9",
            complexity: """
                O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements \
                being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you \
                can consider it O(log(N)).
                """,
            summary: "Returns members in a sorted set within a lexicographical range.", run: byMember),
        Command(
            "ZREVRANGEBYLEX", "key max min [LIMIT (offset:integer count:integer)]", arity: -4, [.readonly],
            keys: [.key([.readOnly, .access])], in: .sortedSet, since: "2.8.9",
            complexity: """
                O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements \
                being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you \
                can consider it O(log(N)).
                """,
            summary: "Returns members in a sorted set within a lexicographical range in reverse order.",
            run: reverseByMember),
    ]

    private static let range: Command.Handler = { (call: inout Call) throws(CommandError) in
        try answer(&call, Request(call, boundsAt: 2))
    }

    private static let reverseRange: Command.Handler = { (call: inout Call) throws(CommandError) in
        try answer(&call, Request(call, boundsAt: 2, order: .rank, isReversed: true))
    }

    private static let byScore: Command.Handler = { (call: inout Call) throws(CommandError) in
        try answer(&call, Request(call, boundsAt: 2, order: .score, isReversed: false))
    }

    private static let reverseByScore: Command.Handler = { (call: inout Call) throws(CommandError) in
        try answer(&call, Request(call, boundsAt: 2, order: .score, isReversed: true))
    }

    private static let byMember: Command.Handler = { (call: inout Call) throws(CommandError) in
        try answer(&call, Request(call, boundsAt: 2, order: .member, isReversed: false))
    }

    private static let reverseByMember: Command.Handler = { (call: inout Call) throws(CommandError) in
        try answer(&call, Request(call, boundsAt: 2, order: .member, isReversed: true))
    }

    /// What a command of this family asks for.
    private struct Request {
        let bounds: SortedSetBounds
        let isReversed: Bool
        private(set) var withScores = false
        private var offset = 0
        private var limit = -1

        /// Reads the bounds at `index` and the options behind them. Order and direction that a command fixes by its
        /// name are not options of it.
        init(
            _ call: borrowing Call, boundsAt index: Int, order fixedOrder: SortedSetOrder? = nil,
            isReversed fixedDirection: Bool? = nil, stores: Bool = false
        ) throws(CommandError) {
            var order = fixedOrder
            var direction = fixedDirection
            var options = call.options(from: index + 2)
            while !options.isAtEnd {
                if !stores, options.take("WITHSCORES") {
                    withScores = true
                } else if options.take("LIMIT", values: 2) {
                    offset = try options.integer()
                    limit = try options.integer()
                } else if direction == nil, options.take("REV") {
                    direction = true
                } else if order == nil, options.take("BYLEX") {
                    order = .member
                } else if order == nil, options.take("BYSCORE") {
                    order = .score
                } else {
                    throw .syntax
                }
            }
            let finalOrder = order ?? .rank
            if limit != -1, finalOrder == .rank {
                throw .message(
                    """
                    ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
                    """)
            }
            if withScores, finalOrder == .member {
                throw .message("ERR syntax error, WITHSCORES not supported in combination with BYLEX")
            }
            isReversed = direction ?? false
            bounds = try SortedSetBounds(call, at: index, finalOrder, isReversed: isReversed)
            // By rank there is nothing to limit; an offset that came with the limit -1 means nothing.
            if finalOrder == .rank { offset = 0 }
        }

        func stretch(of set: borrowing SortedSetView, _ arguments: Arguments) -> SortedStretch {
            bounds.stretch(of: set, arguments).limited(offset: offset, limit: limit, isReversed: isReversed)
        }
    }

    private static func answer(_ call: inout Call, _ request: Request) throws(CommandError) {
        guard let entry = try call.read(1, .sortedSet) else { return call.reply.array(0) }
        let set = entry.sortedSet
        call.reply.members(
            of: set, in: request.stretch(of: set, call.arguments), isReversed: request.isReversed,
            withScores: request.withScores)
    }

    private static let store: Command.Handler = { (call: inout Call) throws(CommandError) in
        let request = try Request(call, boundsAt: 3, stores: true)
        var draft = SortedSetDraft(call.sortedSetLimits)
        if let entry = try call.read(2, .sortedSet) {
            let set = entry.sortedSet
            let stretch = request.stretch(of: set, call.arguments)
            draft.expect(stretch.count)
            set.forEach(in: stretch) { member, score in
                member.withText { draft.append($0, score: score) }
            }
        }
        call.storeResult(1, draft, event: "zrangestore")
    }
}
