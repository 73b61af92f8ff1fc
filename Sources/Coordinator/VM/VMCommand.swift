// VMCommand.swift - FOG.VM: facets of virtual machines and capacities of nodes as keys with their own lifetimes, and
// the events of a machine's life, whose rules (FOG.EVENT RULE) say which of these keys stop being true. A facet is a
// string (JSON or anything) or a hash of fields; both are ordinary keys. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum VMCommand {
    private static let facets = "facet=(STATE | RESOURCES | MIGRATION | METRICS | CONFIG)"

    static let commands: [Command] = [
        Command(
            "FOG.VM", arity: -2, in: .fog, since: "8.2.0",
            summary: "A container for what is cached of virtual machines.",
            subcommands: [
                Command(
                    "SET", "id " + facets + " value=(json | data=(field value)...)", arity: -5, [.write, .denyOOM],
                    keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
                    complexity: "O(N) where N is the number of fields.",
                    summary: "Sets a facet of a machine with the facet's lifetime.",
                    help: [
                        "SET <id> STATE|RESOURCES|MIGRATION|METRICS|CONFIG <json>|<field> <value> [...]",
                        "    Set a facet of a machine: a text, or fields with values.",
                    ],
                    run: set),
                Command(
                    "GET", "id " + facets, arity: 4, [.readonly, .fast], keys: [.key(at: 2, [.notKey])], in: .fog,
                    since: "8.2.0", complexity: "O(N) where N is the number of fields.",
                    summary: "Returns a facet of a machine.",
                    help: ["GET <id> <facet>", "    Return a facet of a machine."], run: get),
                Command(
                    "MGET", facets + " id...", arity: -4, [.readonly, .fast], keys: [.keys(from: 3, [.notKey])],
                    in: .fog, since: "8.2.0", complexity: "O(N) where N is the number of machines.",
                    summary: "Returns a facet of several machines.",
                    help: ["MGET <facet> <id> [<id> ...]", "    Return a facet of several machines."], run: getMany),
                Command(
                    "NODE", "node [data=(field value)...]", arity: -3, [.write, .denyOOM],
                    keys: [.key(at: 2, [.notKey])],
                    in: .fog, since: "8.2.0", complexity: "O(N) where N is the number of fields.",
                    summary: "Sets or returns what a node has to give.",
                    help: ["NODE <node> [<field> <value> ...]", "    Set, or return, what a node has to give."],
                    run: node),
                Command(
                    "EVENT",
                    "id event=(state=(STATE old new) | CREATED node | DELETED node | resource=(RESOURCE [node]))",
                    arity: -4, [.write, .pubsub], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
                    complexity: "O(N) where N is the number of keys that the event's rules name.",
                    summary: "Tells what happened to a machine: removes what is not true any more, publishes an event.",
                    help: [
                        "EVENT <id> STATE <old> <new>", "    The machine's state changed.",
                        "EVENT <id> CREATED|DELETED <node>", "    The machine came to be, or is no more.",
                        "EVENT <id> RESOURCE [<node>]", "    The machine's resources changed.",
                    ],
                    run: event),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static func facet(_ text: Span<UInt8>) throws(CommandError) -> VMFacet {
        guard let facet = VMFacet(text) else {
            throw .message("ERR a facet is STATE, RESOURCES, MIGRATION, METRICS or CONFIG")
        }
        return facet
    }

    private static let set: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let facet = try facet(call.arguments[first + 1])
        let key = facet.key(call.arguments[first])
        let expiry = call.now + facet.seconds * 1000
        try call.checkRecordAccess(key.span, [.readWrite, .update])
        let valueCount = call.arguments.count - first - 2
        if valueCount == 1 {
            call.administration.setText(
                key.span, call.arguments[first + 2], in: call.session.database, expiry: expiry)
        } else {
            try setFields(call, key, from: first + 2, expiry: expiry)
        }
        call.reply.ok()
    }

    /// Fields take the place of whatever was there.
    private static func setFields(
        _ call: borrowing Call, _ key: borrowing ByteBuffer, from start: Int, expiry: Int64
    ) throws(CommandError) {
        guard (call.arguments.count - start) % 2 == 0 else { throw .syntax }
        var fields = RecordFields()
        for index in stride(from: start, to: call.arguments.count, by: 2) {
            fields.add(named: call.arguments[index], call.arguments[index + 1])
        }
        _ = call.administration.removeKey(key.span, in: call.session.database)
        try call.administration.setRecord(key.span, in: call.session.database, fields, expiry: .at(expiry))
    }

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let key = try facet(call.arguments[first + 1]).key(call.arguments[first])
        try write(call, key.span)
    }

    private static let getMany: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let facet = try facet(call.arguments[first])
        for index in (first + 1)..<call.arguments.count {
            let key = facet.key(call.arguments[index])
            try call.checkRecordAccess(key.span, [.readOnly, .access])
        }
        call.reply.array(call.arguments.count - first - 1)
        for index in (first + 1)..<call.arguments.count {
            let key = facet.key(call.arguments[index])
            try write(call, key.span)
        }
    }

    /// A text, a map of fields, or nil.
    private static func write(_ call: borrowing Call, _ key: Span<UInt8>) throws(CommandError) {
        try call.checkRecordAccess(key, [.readOnly, .access])
        call.noteRecordRead(key)
        guard let entry = call.read(named: key) else { return call.reply.null() }
        if entry.isString { return call.reply.text(of: entry) }
        if entry.objectType == .hash { return call.reply.fields(of: entry, now: call.now) }
        call.reply.null()
    }

    private static let node: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let key = VMFacet.nodeKey(call.arguments[first])
        if call.arguments.count == first + 1 { return try write(call, key.span) }
        try call.checkRecordAccess(key.span, [.readWrite, .update])
        try setFields(call, key, from: first + 1, expiry: call.now + VMFacet.nodeSeconds * 1000)
        call.reply.ok()
    }

    // MARK: events

    private static let event: Command.Handler = { (call: inout Call) throws(CommandError) in
        let start = call.administration.clock.monotonicNanoseconds
        let first = call.firstWord
        let id = call.arguments[first]
        var words = EventWords(resource: id.array)
        var options = call.options(from: first + 1)
        let type: EventType
        var data = JSONObject()
        if options.take("STATE", values: 2) {
            type = .vmStateChanged
            let (old, new) = (try options.next(), try options.next())
            words.old = old.array
            words.new = new.array
            data.add("old", old)
            data.add("new", new)
        } else if options.isNext("CREATED") || options.isNext("DELETED"), options.remaining > 1 {
            type = options.take("CREATED") ? .vmCreated : .vmDeleted
            if type == .vmDeleted { try options.skip(1) }
            let node = try options.next()
            words.node = node.array
            data.add("node", node)
        } else if options.take("RESOURCE") {
            type = .vmResourceChanged
            if !options.isAtEnd {
                let node = try options.next()
                words.node = node.array
                data.add("node", node)
            }
        } else {
            throw .syntax
        }
        try options.finish()
        var event = EventDraft(type, resource: id)
        let removed = try call.invalidate(byRulesOf: event.type.span, words)
        event.data = data.finish()
        _ = call.publishEvent(event)
        call.events.invalidation.record(nanoseconds: call.administration.clock.monotonicNanoseconds - start)
        if removed == 0 { call.propagateNothing() }
        call.reply.integer(removed)
    }
}
