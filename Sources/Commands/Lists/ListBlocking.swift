// ListBlocking.swift - BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH: the commands that take from a list and wait when there
// is none. Each does what its sibling without the B does as soon as it can, so all but the waiting is theirs
// (ListPop.swift, ListMove.swift); the waiting is `Call.waitForKeys`. Engine's turn only.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum ListBlocking {
    private static let moveKeys: [KeySpec] = [
        .key([.readWrite, .access, .delete]), .key(at: 2, [.readWrite, .insert]),
    ]

    static let commands: [Command] = [
        Command(
            "BLPOP", "key... timeout:double", arity: -3, [.write, .blocking],
            keys: [.keys(last: -2, [.readWrite, .access, .delete])], in: .list, since: "2.0.0",
            complexity: "O(N) where N is the number of provided keys.",
            summary: """
                Removes and returns the first element in a list. Blocks until an element is available otherwise. \
                Deletes the list if the last element was popped.
                """,
            history: [("6.0.0", "`timeout` is interpreted as a double instead of an integer.")]
        ) { (call: inout Call) throws(CommandError) in try pop(&call, .left) },
        Command(
            "BRPOP", "key... timeout:double", arity: -3, [.write, .blocking],
            keys: [.keys(last: -2, [.readWrite, .access, .delete])], in: .list, since: "2.0.0",
            complexity: "O(N) where N is the number of provided keys.",
            summary: """
                Removes and returns the last element in a list. Blocks until an element is available otherwise. \
                Deletes the list if the last element was popped.
                """,
            history: [("6.0.0", "`timeout` is interpreted as a double instead of an integer.")]
        ) { (call: inout Call) throws(CommandError) in try pop(&call, .right) },
        Command(
            "BLMPOP", "timeout:double numkeys:integer key... where=(LEFT | RIGHT) [COUNT count:integer]", arity: -5,
            [.write, .blocking, .movableKeys], keys: [.counted(at: 2, [.readWrite, .access, .delete])], in: .list,
            since: "7.0.0",
            complexity: """
                O(N+M) where N is the number of provided keys and M is the number of elements returned.
                """,
            summary: """
                Pops the first element from one of multiple lists. Blocks until an element is available otherwise. \
                Deletes the list if the last element was popped.
                """,
            run: popMany),
        Command(
            "BLMOVE",
            "source:key destination:key wherefrom=(LEFT | RIGHT) whereto=(LEFT | RIGHT) timeout:double", arity: 6,
            [.write, .denyOOM, .blocking], keys: moveKeys, in: .list, since: "6.2.0",
            complexity: "O(1)",
            summary: """
                Pops an element from a list, pushes it to another list and returns it. Blocks until an element is \
                available otherwise. Deletes the list if the last element was moved.
                """
        ) { (call: inout Call) throws(CommandError) in
            let from = try ListEnd(call.arguments[3])
            let to = try ListEnd(call.arguments[4])
            guard try move(&call, from: from, to: to) else { return }
            let arguments = call.arguments
            call.propagate("LMOVE") { words in for index in 1...4 { words.add(arguments[index]) } }
        },
        Command(
            "BRPOPLPUSH", "source:key destination:key timeout:double", arity: 4,
            [.write, .denyOOM, .blocking], keys: moveKeys, in: .list, since: "2.2.0",
            complexity: "O(1)",
            summary: """
                Pops an element from a list, pushes it to another list and returns it. Blocks until an element is \
                available otherwise. Deletes the list if the last element was popped.
                """,
            history: [("6.0.0", "`timeout` is interpreted as a double instead of an integer.")]
        ) { (call: inout Call) throws(CommandError) in
            guard try move(&call, from: .right, to: .left) else { return }
            call.propagate("RPOPLPUSH", call.arguments[1], call.arguments[2])
        },
    ]

    private static func pop(_ call: inout Call, _ end: ListEnd) throws(CommandError) {
        let last = call.arguments.count - 1
        let milliseconds = try call.timeoutSeconds(last)
        if try call.hasWaitedInVain() { return call.reply.nullArray() }
        for index in 1..<last {
            guard let slot = try call.find(index, .list) else { continue }
            call.reply.array(2)
            call.reply.bulk(call.arguments[index])
            call.popElement(index, slot, end)
            return call.propagate(end == .left ? "LPOP" : "RPOP", call.arguments[index])
        }
        call.waitForKeys(1..<last, .list, milliseconds: milliseconds)
    }

    private static let popMany: Command.Handler = { (call: inout Call) throws(CommandError) in
        // The stock servers look at the time last.
        let options = try ListPopOptions(call, keyCountAt: 2)
        let milliseconds = try call.timeoutSeconds(1)
        if try call.hasWaitedInVain() { return call.reply.nullArray() }
        if try call.popFromFirst(options) { return }
        call.waitForKeys(options.keys, .list, milliseconds: milliseconds)
    }

    /// True when an element was moved.
    private static func move(_ call: inout Call, from: ListEnd, to: ListEnd) throws(CommandError) -> Bool {
        let milliseconds = try call.timeoutSeconds(call.arguments.count - 1)
        if try call.hasWaitedInVain() {
            // As the stock servers: who really waited gets what BLPOP gets.
            if call.context == .client { call.reply.nullArray() } else { call.reply.null() }
            return false
        }
        if try call.moveElement(from: from, to: to) { return true }
        call.waitForKeys(1..<2, .list, milliseconds: milliseconds)
        return false
    }
}
