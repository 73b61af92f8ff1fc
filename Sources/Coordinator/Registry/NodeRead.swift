// NodeRead.swift - FOG.NODE GET and COUNT.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum NodeRead {
    static let subcommands: [Command] = [
        Command(
            "GET", "id [field]...", arity: -3, [.readonly, .fast], keys: [.key(at: 2, [.notKey])], in: .fog,
            since: "8.2.0", complexity: "O(N) where N is the number of fields.",
            summary: "Returns a node's fields, or some of them.",
            help: ["GET <id> [<field> ...]", "    Return a node's fields and values."], run: get),
        Command(
            "COUNT", arity: 2, [.readonly, .fast], in: .fog, since: "8.2.0", complexity: "O(1)",
            summary: "Returns the number of nodes.", help: ["COUNT", "    Return the number of nodes."], run: count),
    ]

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        guard let entry = try call.record(.node, call.arguments[first]) else { return call.reply.null() }
        guard call.arguments.count > first + 1 else { return call.reply.fields(of: entry, now: call.now) }
        call.reply.map(call.arguments.count - first - 1)
        for index in (first + 1)..<call.arguments.count {
            call.reply.bulk(call.arguments[index])
            if let value = entry.fieldValue(call.arguments[index], now: call.now) {
                value.withText { call.reply.bulk($0) }
            } else {
                call.reply.null()
            }
        }
    }

    private static let count: Command.Handler = { (call: inout Call) throws(CommandError) in
        call.reply.integer(call.nodes.count)
    }
}
