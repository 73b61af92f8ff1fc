// ListPop.swift - LPOP, RPOP, LMPOP: elements taken from either end. A list's key goes with its last element; whole
// lists are answered and then freed as one piece.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum ListPop {
    static let commands: [Command] = [
        Command(
            "LPOP", "key [count:integer@6.2.0]", arity: -2, [.write, .fast],
            keys: [.key([.readWrite, .access, .delete])], in: .list, since: "1.0.0",
            complexity: "O(N) where N is the number of elements returned",
            summary: """
                Returns and removes one or more elements from the beginning of a list. Deletes the list if the \
                last element was popped.
                """,
            history: [("6.2.0", "Added the `count` argument.")]
        ) { (call: inout Call) throws(CommandError) in
            if call.arguments.count > 3 { throw .message("ERR wrong number of arguments for 'lpop' command") }
            try pop(&call, .left)
        },
        Command(
            "RPOP", "key [count:integer@6.2.0]", arity: -2, [.write, .fast],
            keys: [.key([.readWrite, .access, .delete])], in: .list, since: "1.0.0",
            complexity: "O(N) where N is the number of elements returned",
            summary: """
                Returns and removes one or more elements from the end of a list. Deletes the list if the last \
                element was popped.
                """,
            history: [("6.2.0", "Added the `count` argument.")]
        ) { (call: inout Call) throws(CommandError) in
            if call.arguments.count > 3 { throw .message("ERR wrong number of arguments for 'rpop' command") }
            try pop(&call, .right)
        },
        Command(
            "LMPOP", "numkeys:integer key... where=(LEFT | RIGHT) [COUNT count:integer]", arity: -4,
            [.write, .movableKeys], keys: [.counted(at: 1, [.readWrite, .access, .delete])], in: .list,
            since: "7.0.0",
            complexity: """
                O(N+M) where N is the number of provided keys and M is the number of elements returned.
                """,
            summary: """
                Returns multiple elements from a list after removing them. Deletes the list if the last element \
                was popped.
                """,
            run: popFromFirst),
    ]

    private static func pop(_ call: inout Call, _ end: ListEnd) throws(CommandError) {
        guard call.arguments.count == 3 else { return try popOne(&call, end) }
        guard let limit = IntegerText.parse(call.arguments[2]), limit >= 0 else { throw .negativeValue }
        guard let slot = try call.find(1, .list) else { return call.reply.nullArray() }
        if limit == 0 { return call.reply.array(0) }
        call.popElements(1, slot, end, count: min(Int(limit), slot.entry.list.count))
    }

    private static func popOne(_ call: inout Call, _ end: ListEnd) throws(CommandError) {
        guard let slot = try call.find(1, .list) else { return call.reply.null() }
        let reply = call.reply
        call.updateList(slot, .shrinking) { list in list.pop(end) { reply.bulk($0) } }
        call.changed(end.popEvent, .list, key: call.arguments[1])
        call.removeIfEmpty(1, list: slot)
    }

    private static let popFromFirst: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let keyCount = IntegerText.parse(call.arguments[1]), keyCount > 0 else {
            throw .message("ERR numkeys should be greater than 0")
        }
        guard keyCount < call.arguments.count - 2 else { throw .syntax }
        let whereIndex = 2 + Int(keyCount)
        let end = try ListEnd(call.arguments[whereIndex])
        var limit = 1
        if whereIndex + 1 < call.arguments.count {
            guard whereIndex + 3 == call.arguments.count, call.arguments[whereIndex + 1].equalsIgnoringCase("COUNT")
            else { throw .syntax }
            guard let count = IntegerText.parse(call.arguments[whereIndex + 2]), count > 0 else {
                throw .message("ERR count should be greater than 0")
            }
            limit = Int(count)
        }
        for index in 2..<whereIndex {
            guard let slot = try call.find(index, .list) else { continue }
            call.reply.array(2)
            call.reply.bulk(call.arguments[index])
            let count = min(limit, slot.entry.list.count)
            call.popElements(index, slot, end, count: count)
            return call.propagate(end == .left ? "LPOP" : "RPOP", call.arguments[index], decimal: Int64(count))
        }
        call.reply.nullArray()
    }
}
