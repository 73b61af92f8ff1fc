// RouteCommand.swift - FOG.ROUTE: a task gets a node, the call to it begins and the assignment is written, all in one
// step. The assignment is the task's record, fog:task:<id>, with the node, the status and the time. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum RouteCommand {
    static let commands: [Command] = [
        Command(
            "FOG.ROUTE", "task [PRIORITY priority] " + SelectOptions.usage, arity: -2, [.write, .denyOOM, .fast],
            keys: [.key(at: 1, [.notKey])], in: .fog, since: "8.2.0",
            complexity: "O(log(N)) where N is the number of nodes that the filters let through.",
            summary: "Assigns a task to the node that the balancer chooses.", run: route)
    ]

    private static let priorities: [StaticString] = ["critical", "high", "normal", "low"]

    private static let route: Command.Handler = { (call: inout Call) throws(CommandError) in
        let task = call.arguments[1]
        if task.isEmpty { throw .message("ERR a task's id cannot be empty") }
        try call.checkReadAll(.node)
        let nodes = call.nodes
        let options = try SelectOptions(call, from: 2, nodes, isRoute: true)
        let priority = try priority(call, options.priority)
        if options.algorithm == .consistentHash, call.waitsForRing(nodes) { return }
        let state = call.coordinator
        let prefix = state.prefix
        var key = ByteBuffer(capacity: prefix.count + task.count + 8)
        key.append(prefix)
        key.append("task:")
        key.append(task)
        try call.checkRecordAccess(key.span, [.readWrite, .access, .update])
        _ = try call.recordSlot(key.span)
        guard let number = options.select(call, nodes) else {
            throw .message(
                """
                NOELIGIBLE no node passes the filters with room and a closed circuit; register nodes, raise CAP or \
                see FOG.BREAKER LIST
                """)
        }
        let id = nodes.id(number)
        state.fields.removeAll()
        state.fields.add("node", id.span)
        state.fields.add("status", text: "assigned")
        state.fields.add("priority", text: priority)
        state.fields.add("assigned", decimal: call.now)
        try call.administration.setRecord(
            key.span, in: call.session.database, state.fields, expiry: call.defaultExpiry)
        call.reply.map(3)
        call.reply.pair("node", bytes: id.span)
        writeAddress(call, id)
        call.reply.pair("assignment", bytes: key.span)
    }

    private static func priority(_ call: borrowing Call, _ index: Int) throws(CommandError) -> StaticString {
        guard index > 0 else { return "normal" }
        for priority in priorities where call.arguments[index].equalsIgnoringCase(priority) { return priority }
        throw .message("ERR PRIORITY must be critical, high, normal or low")
    }

    private static let addressField = Array("addr".utf8)

    private static func writeAddress(_ call: borrowing Call, _ id: [UInt8]) {
        call.reply.bulk("addr")
        let name = addressField
        guard let entry = call.peekRecord(.node, id.span),
            let value = entry.fieldValue(name.span, now: call.now)
        else { return call.reply.bulk("") }
        value.withText { call.reply.bulk($0) }
    }
}
