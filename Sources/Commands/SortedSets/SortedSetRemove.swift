// SortedSetRemove.swift - ZREM, ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX. A set's key goes with its last
// member; a set that goes as a whole is freed as one piece.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SortedSetRemove {
    static let commands: [Command] = [
        Command(
            "ZREM", "key member...", arity: -3, [.write, .fast], keys: [.key([.readWrite, .delete])], in: .sortedSet,
            since: "1.2.0",
            complexity: """
                O(M*log(N)) with N being the number of elements in the sorted set and M the number of elements to \
                be removed.
                """,
            summary: """
                Removes one or more members from a sorted set. Deletes the sorted set if all members were removed.
                """,
            history: [("2.4.0", "Accepts multiple elements.")], run: remove),
        Command(
            "ZREMRANGEBYRANK", "key start:integer stop:integer", arity: 4, [.write],
            keys: [.key([.readWrite, .delete])], in: .sortedSet, since: "2.0.0",
            complexity: """
                O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements \
                removed by the operation.
                """,
            summary: """
                Removes members in a sorted set within a range of indexes. Deletes the sorted set if all members \
                were removed.
                """,
            run: byRank),
        Command(
            "ZREMRANGEBYSCORE", "key min:double max:double", arity: 4, [.write], keys: [.key([.readWrite, .delete])],
            in: .sortedSet, since: "1.2.0",
            complexity: """
                O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements \
                removed by the operation.
                """,
            summary: """
                Removes members in a sorted set within a range of scores. Deletes the sorted set if all members \
                were removed.
                """,
            run: byScore),
        Command(
            "ZREMRANGEBYLEX", "key min max", arity: 4, [.write], keys: [.key([.readWrite, .delete])], in: .sortedSet,
            since: "2.8.9",
            complexity: """
                O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements \
                removed by the operation.
                """,
            summary: """
                Removes members in a sorted set within a lexicographical range. Deletes the sorted set if all \
                members were removed.
                """,
            run: byMember),
    ]

    private static let remove: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let slot = try call.find(1, .sortedSet) else { return call.reply.integer(0) }
        let arguments = call.arguments
        var removed = 0
        call.updateSortedSet(1, slot) { draft in
            for index in 2..<arguments.count {
                let place = draft.place(of: arguments[index])
                guard place.score != nil else { continue }
                draft.remove(at: place)
                removed += 1
            }
        }
        if removed > 0 {
            call.changed("zrem", .sortedSet, key: call.arguments[1])
            call.removeIfEmpty(1, sortedSet: slot)
        }
        call.reply.integer(removed)
    }

    private static let byRank: Command.Handler = { (call: inout Call) throws(CommandError) in
        try removeRange(&call, .rank, event: "zremrangebyrank")
    }

    private static let byScore: Command.Handler = { (call: inout Call) throws(CommandError) in
        try removeRange(&call, .score, event: "zremrangebyscore")
    }

    private static let byMember: Command.Handler = { (call: inout Call) throws(CommandError) in
        try removeRange(&call, .member, event: "zremrangebylex")
    }

    private static func removeRange(
        _ call: inout Call, _ order: SortedSetOrder, event: StaticString
    ) throws(CommandError) {
        let bounds = try SortedSetBounds(call, at: 2, order)
        guard let slot = try call.find(1, .sortedSet) else { return call.reply.integer(0) }
        let stretch = bounds.stretch(of: slot.entry.sortedSet, call.arguments)
        call.removeRanks(1, slot, stretch.ranks, event: event)
        call.reply.integer(stretch.count)
    }
}
