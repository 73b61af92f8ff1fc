// NodeRead.swift - FOG.NODE GET, MGET and EXPORT: nodes as they are. Under the turn.
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
            "MGET", "id...", arity: -3, [.readonly], keys: [.keys(from: 2, [.notKey])], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of nodes.", summary: "Returns the fields of several nodes.",
            help: ["MGET <id> [<id> ...]", "    Return several nodes' fields and values."], run: getMany),
        Command(
            "EXPORT", "format=(CSV | JSONL)", arity: 3, [.readonly], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of nodes.",
            summary: "Returns all nodes as one text, a line each.",
            help: ["EXPORT CSV|JSONL", "    Return all nodes as one text, a line each."], run: export),
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

    private static let getMany: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        call.reply.array(call.arguments.count - first)
        for index in first..<call.arguments.count {
            if let entry = try call.record(.node, call.arguments[index]) {
                call.reply.fields(of: entry, now: call.now)
            } else {
                call.reply.null()
            }
        }
    }

    private static let export: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.node)
        let format = call.arguments[call.firstWord]
        let isLines = format.equalsIgnoringCase("JSONL")
        guard isLines || format.equalsIgnoringCase("CSV") else { throw .syntax }
        let nodes = call.nodes
        var numbers: [Int] = []
        nodes.find(NodeQuery()) { numbers.append($0) }
        var text = ByteBuffer()
        if isLines {
            for number in numbers { appendLine(call, nodes.id(number), to: &text) }
        } else {
            appendTable(call, numbers.map { nodes.id($0) }, to: &text)
        }
        call.reply.bulk(text.span)
    }

    private static func appendLine(_ call: borrowing Call, _ id: [UInt8], to text: inout ByteBuffer) {
        guard let entry = call.peekRecord(.node, id.span) else { return }
        text.append("{\"id\":")
        JSONText.append(id.span, to: &text)
        entry.forEachField(now: call.now) { field, value, _ in
            text.append(",")
            field.withText { JSONText.append($0, to: &text) }
            text.append(":")
            value.withText { JSONText.append($0, to: &text) }
        }
        text.append("}\n")
    }

    /// Columns: the id, then every field that some node has, in order of their names.
    private static func appendTable(_ call: borrowing Call, _ ids: [[UInt8]], to text: inout ByteBuffer) {
        var names: Set<[UInt8]> = []
        for id in ids {
            call.peekRecord(.node, id.span)?.forEachField(now: call.now) { field, _, _ in
                field.withText { name in _ = names.insert(name.array) }
            }
        }
        let columns = names.sorted { $0.lexicographicallyPrecedes($1) }
        text.append("id")
        for column in columns {
            text.append(",")
            FleetText.appendCSV(column.span, to: &text)
        }
        text.append("\r\n")
        for id in ids {
            guard let entry = call.peekRecord(.node, id.span) else { continue }
            FleetText.appendCSV(id.span, to: &text)
            for column in columns {
                text.append(",")
                if let value = entry.fieldValue(column.span, now: call.now) {
                    value.withText { FleetText.appendCSV($0, to: &text) }
                }
            }
            text.append("\r\n")
        }
    }
}
