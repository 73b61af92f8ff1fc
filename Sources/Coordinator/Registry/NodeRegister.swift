// NodeRegister.swift - FOG.NODE REGISTER, MREGISTER and DEL. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import RESP
internal import Structures

enum NodeRegister {
    static let subcommands: [Command] = [
        Command(
            "REGISTER",
            """
            id [condition=(NX | XX)] [TYPE type] [REGION region] [POOL pool] [STATUS status] [CPU percent:double] \
            [MEM percent:double] [CAP count:integer] [WEIGHT weight:double] [ADDR address] [TTL seconds:integer] \
            [FIELD (field value)]...
            """,
            arity: -3, [.write, .denyOOM, .fast], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of fields.",
            summary: "Registers a node, or changes one that is registered.",
            help: [
                "REGISTER <id> [NX|XX] [TYPE <type>] [REGION <region>] [POOL <pool>] [STATUS <status>] [CPU <percent>]"
                    + " [MEM <percent>] [CAP <count>] [WEIGHT <weight>] [ADDR <host:port>] [TTL <seconds>]"
                    + " [FIELD <field> <value> ...]",
                "    Register a node or change one. NX: only when it is new; XX: only when it is not.",
            ],
            run: register),
        Command(
            "MREGISTER", "count:integer data=(id nfields:integer [field-value]...)...", arity: -5, [.write, .denyOOM],
            in: .fog, since: "8.2.0", complexity: "O(N) where N is the number of nodes.",
            summary: "Registers many nodes by their fields.",
            help: [
                "MREGISTER <count> <id> <nfields> <field> <value> ... [<id> <nfields> <field> <value> ...]",
                "    Register nodes by the fields of their records. Returns how many.",
            ],
            run: registerMany),
        Command(
            "DEL", "id...", arity: -3, [.write], keys: [.keys(from: 2, [.notKey])], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of nodes.",
            summary: "Removes nodes and returns how many there were.",
            help: ["DEL <id> [<id> ...]", "    Remove nodes."], run: delete),
    ]

    private static let register: Command.Handler = { (call: inout Call) throws(CommandError) in
        let id = call.arguments[call.firstWord]
        let options = try NodeOptions(call, from: call.firstWord + 1)
        try call.checkWrite(.node, id)
        let nodes = call.nodes
        let key = call.recordKey(.node, id)
        let isKnown = try call.recordSlot(key.span) != nil
        if options.condition == .absent && isKnown || options.condition == .present && !isKnown {
            return call.reply.null()
        }
        try write(call, id, options, isNew: !isKnown, nodes)
        call.reply.ok()
    }

    private static func write(
        _ call: borrowing Call, _ id: Span<UInt8>, _ options: NodeOptions, isNew: Bool, _ nodes: NodeIndex
    ) throws(CommandError) {
        let state = call.coordinator
        state.fields.removeAll()
        options.write(to: &state.fields, isNew: isNew, call)
        try nodes.write(call, id, state.fields, expiry: options.expiry(call))
    }

    private static let registerMany: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let count = try call.integer(first, in: 1...1_000_000, otherwise: .outOfRange)
        var index = first + 1
        var batch: [(id: Int, options: NodeOptions)] = []
        for _ in 0..<count {
            guard index + 1 < call.arguments.count else { throw .syntax }
            let pairs = try call.integer(index + 1, in: 0...call.arguments.count, otherwise: .outOfRange)
            guard pairs * 2 <= call.arguments.count - index - 2 else {
                throw .message("ERR each node is an id, a number of fields and so many fields with values")
            }
            try call.checkWrite(.node, call.arguments[index])
            let key = call.recordKey(.node, call.arguments[index])
            _ = try call.recordSlot(key.span)
            batch.append((index, try NodeOptions(call, pairsFrom: index + 2, count: pairs)))
            index += 2 + pairs * 2
        }
        guard index == call.arguments.count else { throw .syntax }
        let nodes = call.nodes
        for (id, options) in batch {
            let isNew = nodes.number(call.arguments[id]) == nil
            try write(call, call.arguments[id], options, isNew: isNew, nodes)
        }
        call.reply.integer(count)
    }

    private static let delete: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        for index in first..<call.arguments.count { try call.checkWrite(.node, call.arguments[index]) }
        let nodes = call.nodes
        var count = 0
        for index in first..<call.arguments.count {
            guard try call.removeRecord(.node, call.arguments[index], tells: false) else { continue }
            nodes.forget(call.arguments[index])
            count += 1
        }
        call.reply.integer(count)
    }
}

extension NodeIndex {
    /// Writes fields of a node's record and reads it again at once.
    func write(
        _ call: borrowing Call, _ id: Span<UInt8>, _ fields: borrowing RecordFields, expiry: RecordExpiry
    ) throws(CommandError) {
        let key = call.recordKey(.node, id)
        try call.administration.setRecord(
            key.span, in: call.session.database, fields, expiry: expiry, tells: false)
        if let slot = try call.recordSlot(key.span) { read(id, slot.entry, now: call.now) }
    }
}
