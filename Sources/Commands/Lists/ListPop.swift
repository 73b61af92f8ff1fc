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
        call.popElement(1, slot, end)
    }

    private static let popFromFirst: Command.Handler = { (call: inout Call) throws(CommandError) in
        let options = try ListPopOptions(call, keyCountAt: 1)
        if try !call.popFromFirst(options) { call.reply.nullArray() }
    }
}

/// The words of LMPOP and BLMPOP from the number of keys on.
struct ListPopOptions {
    let keys: Range<Int>
    let end: ListEnd
    let limit: Int

    init(_ call: borrowing Call, keyCountAt index: Int) throws(CommandError) {
        let arguments = call.arguments
        guard let keyCount = IntegerText.parse(arguments[index]), keyCount > 0 else {
            throw .message("ERR numkeys should be greater than 0")
        }
        guard keyCount < arguments.count - index - 1 else { throw .syntax }
        keys = (index + 1)..<(index + 1 + Int(keyCount))
        let whereIndex = keys.upperBound
        end = try ListEnd(arguments[whereIndex])
        if whereIndex + 1 == arguments.count {
            limit = 1
            return
        }
        guard whereIndex + 3 == arguments.count, arguments[whereIndex + 1].equalsIgnoringCase("COUNT") else {
            throw .syntax
        }
        guard let count = IntegerText.parse(arguments[whereIndex + 2]), count > 0 else {
            throw .message("ERR count should be greater than 0")
        }
        limit = Int(count)
    }
}

extension Call {
    /// Takes one element, answering it as a bulk string.
    func popElement(_ index: Int, _ slot: EntryTable.Slot, _ end: ListEnd) {
        let reply = reply
        updateList(slot, .shrinking) { list in list.pop(end) { reply.bulk($0) } }
        changed(end.popEvent, .list, key: arguments[index])
        removeIfEmpty(index, list: slot)
    }

    /// Takes elements of the first of the keys that is a list, answering its name and them. False when none is.
    func popFromFirst(_ options: ListPopOptions) throws(CommandError) -> Bool {
        for index in options.keys {
            guard let slot = try find(index, .list) else { continue }
            reply.array(2)
            reply.bulk(arguments[index])
            let count = min(options.limit, slot.entry.list.count)
            popElements(index, slot, options.end, count: count)
            propagate(options.end == .left ? "LPOP" : "RPOP", arguments[index], decimal: Int64(count))
            return true
        }
        return false
    }
}
