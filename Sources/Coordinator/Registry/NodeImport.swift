// NodeImport.swift - FOG.NODE IMPORT: nodes out of the text that FOG.NODE EXPORT returned, or one made elsewhere. Every
// row is checked before the first node is written. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import RESP
internal import Structures

enum NodeImport {
    static let subcommands: [Command] = [
        Command(
            "IMPORT", "format=(CSV | JSONL) text", arity: 4, [.write, .denyOOM], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of nodes.",
            summary: "Registers the nodes of a text as FOG.NODE EXPORT returns it.",
            help: [
                "IMPORT CSV|JSONL <text>",
                "    Register the nodes of a text, a line each with its id and fields. Returns how many.",
            ],
            run: importNodes)
    ]

    private struct Row {
        var id: [UInt8] = []
        var fields: [RowReader.Field] = []
        var hasHeartbeat = false
        var seconds: Int64?
    }

    private static let importNodes: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        guard let format = RowFormat(call.arguments[first]) else { throw .syntax }
        let rows: [Row]
        do throws(RowError) {
            rows = try read(call.arguments[first + 1], format)
        } catch {
            return call.reply.error("ERR nothing was imported, row \(error.row): \(error.text)")
        }
        for row in rows {
            try call.checkWrite(.node, row.id.span)
            let key = call.recordKey(.node, row.id.span)
            _ = try call.recordSlot(key.span)
        }
        let nodes = call.nodes
        let state = call.coordinator
        for row in rows {
            state.fields.removeAll()
            if !row.hasHeartbeat { state.fields.add(NodeField.heartbeat.name, decimal: call.now) }
            for field in row.fields { state.fields.add(named: field.name.span, field.value.span) }
            let expiry: RecordExpiry = row.seconds.map { .at(call.now + $0 * 1000) } ?? call.defaultExpiry
            try nodes.write(call, row.id.span, state.fields, expiry: expiry)
        }
        call.reply.integer(rows.count)
    }

    private static func read(_ text: Span<UInt8>, _ format: RowFormat) throws(RowError) -> [Row] {
        var reader = RowReader(format)
        var rows: [Row] = []
        var offset = 0
        while let (fields, byteCount) = try reader.next(text.extracting(offset..<text.count), isLast: true) {
            offset += byteCount
            if !fields.isEmpty { rows.append(try row(fields, number: reader.row)) }
        }
        return rows
    }

    private static func row(_ fields: [RowReader.Field], number: Int) throws(RowError) -> Row {
        var row = Row()
        for field in fields {
            let name = field.name
            if name.span.equals("id") {
                row.id = field.value
                continue
            }
            if let known = NodeField(name.span) {
                let value = field.value
                guard (try? known.check(value.span)) != nil else {
                    throw RowError(row: number, text: "a field has a value that FOG.NODE REGISTER would refuse")
                }
                if known == .heartbeat { row.hasHeartbeat = true }
                if known == .timeToLive, let seconds = IntegerText.parse(value.span), seconds > 0 {
                    row.seconds = min(seconds, Int64(Int32.max))
                }
            }
            row.fields.append(field)
        }
        if row.id.isEmpty { throw RowError(row: number, text: "it has no id") }
        return row
    }
}
