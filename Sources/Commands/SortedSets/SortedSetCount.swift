// SortedSetCount.swift - ZCOUNT, ZLEXCOUNT: how many members lie in a range, without walking it.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SortedSetCount {
    static let commands: [Command] = [
        Command(
            "ZCOUNT", "key min:double max:double", arity: 4, [.readonly, .fast], keys: [.key([.readOnly, .access])],
            in: .sortedSet, since: "2.0.0",
            complexity: "O(log(N)) with N being the number of elements in the sorted set.",
            summary: "Returns the count of members in a sorted set that have scores within a range.", run: byScore),
        Command(
            "ZLEXCOUNT", "key min max", arity: 4, [.readonly, .fast], keys: [.key([.readOnly, .access])],
            in: .sortedSet, since: "2.8.9",
            complexity: "O(log(N)) with N being the number of elements in the sorted set.",
            summary: "Returns the number of members in a sorted set within a lexicographical range.", run: byMember),
    ]

    private static let byScore: Command.Handler = { (call: inout Call) throws(CommandError) in
        try count(&call, .score)
    }

    private static let byMember: Command.Handler = { (call: inout Call) throws(CommandError) in
        try count(&call, .member)
    }

    private static func count(_ call: inout Call, _ order: SortedSetOrder) throws(CommandError) {
        let bounds = try SortedSetBounds(call, at: 2, order)
        guard let entry = try call.read(1, .sortedSet) else { return call.reply.integer(0) }
        call.reply.integer(bounds.stretch(of: entry.sortedSet, call.arguments).count)
    }
}
