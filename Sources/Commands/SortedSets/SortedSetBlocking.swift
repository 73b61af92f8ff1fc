// SortedSetBlocking.swift - BZPOPMIN, BZPOPMAX, BZMPOP: as their siblings without the B (SortedSetPop.swift), and
// waiting where no set has a member. The waiting is `Call.waitForKeys`. Engine's turn only.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SortedSetBlocking {
    static let commands: [Command] = [
        Command(
            "BZPOPMIN", "key... timeout:double", arity: -3, [.write, .blocking, .fast],
            keys: [.keys(from: 1, last: -2, [.readWrite, .access, .delete])], in: .sortedSet, since: "5.0.0",
            complexity: "O(log(N)) with N being the number of elements in the sorted set.",
            summary: """
                Removes and returns the member with the lowest score from one or more sorted sets. Blocks until a \
                member is available otherwise. Deletes the sorted set if the last element was popped.
                """,
            history: [("6.0.0", "`timeout` is interpreted as a double instead of an integer.")], run: popMinimum),
        Command(
            "BZPOPMAX", "key... timeout:double", arity: -3, [.write, .blocking, .fast],
            keys: [.keys(from: 1, last: -2, [.readWrite, .access, .delete])], in: .sortedSet, since: "5.0.0",
            complexity: "O(log(N)) with N being the number of elements in the sorted set.",
            summary: """
                Removes and returns the member with the highest score from one or more sorted sets. Blocks until a \
                member is available otherwise. Deletes the sorted set if the last element was popped.
                """,
            history: [("6.0.0", "`timeout` is interpreted as a double instead of an integer.")], run: popMaximum),
        Command(
            "BZMPOP", "timeout:double numkeys:integer key... where=(MIN | MAX) [COUNT count:integer]", arity: -5,
            [.write, .blocking], keys: [.counted(at: 2, [.readWrite, .access, .delete])], in: .sortedSet,
            since: "7.0.0",
            complexity: """
                O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the \
                sorted set, and M being the number of elements popped.
                """,
            summary: """
                Removes and returns a member by score from one or more sorted sets. Blocks until a member is \
                available otherwise. Deletes the sorted set if the last element was popped.
                """,
            run: popMany),
    ]

    private static let popMinimum: Command.Handler = { (call: inout Call) throws(CommandError) in
        try pop(&call, .minimum)
    }

    private static let popMaximum: Command.Handler = { (call: inout Call) throws(CommandError) in
        try pop(&call, .maximum)
    }

    private static func pop(_ call: inout Call, _ end: SortedSetEnd) throws(CommandError) {
        let last = call.arguments.count - 1
        let milliseconds = try call.timeoutSeconds(last)
        if try call.hasWaitedInVain() { return call.reply.nullArray() }
        for index in 1..<last {
            guard let slot = try call.find(index, .sortedSet) else { continue }
            let reply = call.reply
            reply.array(3)
            reply.bulk(call.arguments[index])
            call.popMember(index, slot, end)
            return call.propagate(end == .minimum ? "ZPOPMIN" : "ZPOPMAX", call.arguments[index])
        }
        call.waitForKeys(1..<last, .sortedSet, milliseconds: milliseconds)
    }

    private static let popMany: Command.Handler = { (call: inout Call) throws(CommandError) in
        // The stock servers look at the time last.
        let request = try ManyPop(call, keyCountAt: 2)
        let milliseconds = try call.timeoutSeconds(1)
        if try call.hasWaitedInVain() { return call.reply.nullArray() }
        if try call.popFromFirst(request) { return }
        call.waitForKeys(request.keys, .sortedSet, milliseconds: milliseconds)
    }
}
