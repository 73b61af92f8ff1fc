// ListPush.swift - LPUSH, RPUSH, LPUSHX, RPUSHX: elements at either end of a list.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum ListPush {
    private static let complexity =
        """
        O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.
        """

    static let commands: [Command] = [
        Command(
            "LPUSH", "key element...", arity: -3, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .insert])],
            in: .list, since: "1.0.0", complexity: complexity,
            summary: "Prepends one or more elements to a list. Creates the key if it doesn't exist.",
            history: [("2.4.0", "Accepts multiple `element` arguments.")]
        ) { (call: inout Call) throws(CommandError) in try push(&call, .left) },
        Command(
            "RPUSH", "key element...", arity: -3, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .insert])],
            in: .list, since: "1.0.0", complexity: complexity,
            summary: "Appends one or more elements to a list. Creates the key if it doesn't exist.",
            history: [("2.4.0", "Accepts multiple `element` arguments.")]
        ) { (call: inout Call) throws(CommandError) in try push(&call, .right) },
        Command(
            "LPUSHX", "key element...", arity: -3, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .insert])],
            in: .list, since: "2.2.0", complexity: complexity,
            summary: "Prepends one or more elements to a list only when the list exists.",
            history: [("4.0.0", "Accepts multiple `element` arguments.")]
        ) { (call: inout Call) throws(CommandError) in try pushIfPresent(&call, .left) },
        Command(
            "RPUSHX", "key element...", arity: -3, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .insert])],
            in: .list, since: "2.2.0", complexity: complexity,
            summary: "Appends one or more elements to a list only when the list exists.",
            history: [("4.0.0", "Accepts multiple `element` arguments.")]
        ) { (call: inout Call) throws(CommandError) in try pushIfPresent(&call, .right) },
    ]

    private static func push(_ call: inout Call, _ end: ListEnd) throws(CommandError) {
        let growth = growth(call)
        push(&call, to: try call.listSlot(1, for: growth), end, growth)
    }

    private static func pushIfPresent(_ call: inout Call, _ end: ListEnd) throws(CommandError) {
        guard let slot = try call.find(1, .list) else { return call.reply.integer(0) }
        push(&call, to: slot, end, growth(call))
    }

    @inline(__always)
    private static func growth(_ call: borrowing Call) -> ListGrowth {
        var growth = ListGrowth()
        for index in 2..<call.arguments.count { growth.add(call.arguments[index]) }
        return growth
    }

    @inline(__always)
    private static func push(_ call: inout Call, to slot: EntryTable.Slot, _ end: ListEnd, _ growth: ListGrowth) {
        let arguments = call.arguments
        call.updateList(slot, .growing(growth)) { list in
            for index in 2..<arguments.count { list.push(arguments[index], end) }
        }
        call.reply.integer(slot.entry.list.count)
        call.changed(end.pushEvent, .list, key: arguments[1])
    }
}
