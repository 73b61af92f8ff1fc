// SortedSetRead.swift - ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK: looking at single members.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SortedSetRead {
    static let commands: [Command] = [
        Command(
            "ZCARD", "key", arity: 2, [.readonly, .fast], keys: [.key([.readOnly])], in: .sortedSet, since: "1.2.0",
            complexity: "O(1)", summary: "Returns the number of members in a sorted set.", run: count),
        Command(
            "ZSCORE", "key member", arity: 3, [.readonly, .fast], keys: [.key([.readOnly, .access])], in: .sortedSet,
            since: "1.2.0", complexity: "O(1)", summary: "Returns the score of a member in a sorted set.",
            run: score),
        Command(
            "ZMSCORE", "key member...", arity: -3, [.readonly, .fast], keys: [.key([.readOnly, .access])],
            in: .sortedSet, since: "6.2.0", complexity: "O(N) where N is the number of members being requested.",
            summary: "Returns the score of one or more members in a sorted set.", run: scores),
        Command(
            "ZRANK", "key member [WITHSCORE]", arity: -3, [.readonly, .fast], keys: [.key([.readOnly, .access])],
            in: .sortedSet, since: "2.0.0", complexity: "O(log(N))",
            summary: "Returns the index of a member in a sorted set ordered by ascending scores.",
            history: [("7.2.0", "Added the optional `WITHSCORE` argument.")], run: rank),
        Command(
            "ZREVRANK", "key member [WITHSCORE]", arity: -3, [.readonly, .fast], keys: [.key([.readOnly, .access])],
            in: .sortedSet, since: "2.0.0", complexity: "O(log(N))",
            summary: "Returns the index of a member in a sorted set ordered by descending scores.",
            history: [("7.2.0", "Added the optional `WITHSCORE` argument.")], run: reverseRank),
    ]

    private static let count: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(1, .sortedSet) else { return call.reply.integer(0) }
        call.reply.integer(entry.sortedSet.count)
    }

    private static let score: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(1, .sortedSet), let score = entry.sortedSet.score(of: call.arguments[2]) else {
            return call.reply.null()
        }
        call.reply.double(score)
    }

    private static let scores: Command.Handler = { (call: inout Call) throws(CommandError) in
        let entry = try call.read(1, .sortedSet)
        call.reply.array(call.arguments.count - 2)
        for index in 2..<call.arguments.count {
            if let score = entry?.sortedSet.score(of: call.arguments[index]) {
                call.reply.double(score)
            } else {
                call.reply.null()
            }
        }
    }

    private static let rank: Command.Handler = { (call: inout Call) throws(CommandError) in
        try rank(&call, isReversed: false)
    }

    private static let reverseRank: Command.Handler = { (call: inout Call) throws(CommandError) in
        try rank(&call, isReversed: true)
    }

    private static func rank(_ call: inout Call, isReversed: Bool) throws(CommandError) {
        if call.arguments.count > 4 { throw .wrongArgumentCount(isReversed) }
        let withScore = call.arguments.count == 4
        if withScore, !call.arguments[3].equalsIgnoringCase("WITHSCORE") { throw .syntax }
        guard let entry = try call.read(1, .sortedSet),
            let found = entry.sortedSet.rank(of: call.arguments[2])
        else { return withScore ? call.reply.nullArray() : call.reply.null() }
        if withScore { call.reply.array(2) }
        call.reply.integer(isReversed ? entry.sortedSet.count - 1 - found.rank : found.rank)
        if withScore { call.reply.double(found.score) }
    }
}

extension CommandError {
    fileprivate static func wrongArgumentCount(_ isReversed: Bool) -> CommandError {
        isReversed
            ? .message("ERR wrong number of arguments for 'zrevrank' command")
            : .message("ERR wrong number of arguments for 'zrank' command")
    }
}
