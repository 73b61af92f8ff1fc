// StreamGroups.swift - XGROUP: making, moving and removing consumer groups and their consumers.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StreamGroups {
    static let commands: [Command] = [
        Command(
            "XGROUP", arity: -2, in: .stream, since: "5.0.0", complexity: "Depends on subcommand.",
            summary: "A container for consumer groups commands.",
            subcommands: [
                Command(
                    "CREATE", "key group id-selector=(id | new-id=\"$\") [MKSTREAM] [ENTRIESREAD \(entriesRead)]",
                    arity: -5, [.write, .denyOOM], keys: [.key(at: 2, [.readWrite, .insert])], in: .stream,
                    since: "5.0.0", complexity: "O(1)", summary: "Creates a consumer group.",
                    history: [("7.0.0", "Added the `entries_read` named argument.")],
                    help: [
                        "CREATE <key> <groupname> <id|$> [option]",
                        "    Create a new consumer group. Options are:",
                        "    * MKSTREAM",
                        "      Create the empty stream if it does not exist.",
                        "    * ENTRIESREAD entries_read",
                        "      Set the group's entries_read counter (internal use).",
                    ],
                    run: create),
                Command(
                    "CREATECONSUMER", "key group consumer", arity: 5, [.write, .denyOOM],
                    keys: [.key(at: 2, [.readWrite, .insert])], in: .stream, since: "6.2.0", complexity: "O(1)",
                    summary: "Creates a consumer in a consumer group.",
                    help: [
                        "CREATECONSUMER <key> <groupname> <consumer>",
                        "    Create a new consumer in the specified group.",
                    ],
                    run: createConsumer),
                Command(
                    "DELCONSUMER", "key group consumer", arity: 5, [.write],
                    keys: [.key(at: 2, [.readWrite, .delete])], in: .stream, since: "5.0.0", complexity: "O(1)",
                    summary: "Deletes a consumer from a consumer group.",
                    help: ["DELCONSUMER <key> <groupname> <consumer>", "    Remove the specified consumer."],
                    run: deleteConsumer),
                Command(
                    "DESTROY", "key group", arity: 4, [.write], keys: [.key(at: 2, [.readWrite, .delete])],
                    in: .stream, since: "5.0.0",
                    complexity: """
                        O(N) where N is the number of entries in the group's pending entries list (PEL).
                        """,
                    summary: "Destroys a consumer group.",
                    help: ["DESTROY <key> <groupname>", "    Remove the specified group."], run: destroy),
                Command(
                    "SETID", "key group id-selector=(id | new-id=\"$\") [ENTRIESREAD \(entriesRead)]", arity: -5,
                    [.write], keys: [.key(at: 2, [.readWrite, .update])], in: .stream, since: "5.0.0",
                    complexity: "O(1)", summary: "Sets the last-delivered ID of a consumer group.",
                    history: [("7.0.0", "Added the optional `entries_read` argument.")],
                    help: [
                        "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
                        "    Set the current group ID and entries_read counter.",
                    ],
                    run: setID),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .stream, since: "5.0.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static let entriesRead = "entriesread/entries-read:integer"

    private static let create: Command.Handler = { (call: inout Call) throws(CommandError) in
        var makesStream = false
        var entriesRead = StreamGroup.unknownEntriesRead
        var options = call.options(from: 5)
        while !options.isAtEnd {
            if options.take("MKSTREAM") {
                makesStream = true
            } else {
                entriesRead = try takeEntriesRead(call, &options)
            }
        }
        let found = try makesStream ? call.find(2, .stream) : existingStream(call)
        let id: StreamID
        if call.arguments[4].equals("$") {
            id = found?.entry.stream.lastID ?? .zero
        } else {
            id = try StreamID(argument: call.arguments[4])
        }
        if found?.entry.stream.group(named: call.arguments[3]) != nil {
            throw .message("BUSYGROUP Consumer Group name already exists")
        }
        let slot = found ?? call.makeStream(2)
        let name = call.arguments[3]
        call.updateStream(slot, .all) { _ = $0.createGroup(named: name, lastID: id, entriesRead: entriesRead) }
        call.changed("xgroup-create", .stream, key: call.arguments[2])
        call.reply.ok()
    }

    private static let setID: Command.Handler = { (call: inout Call) throws(CommandError) in
        var entriesRead = StreamGroup.unknownEntriesRead
        var options = call.options(from: 5)
        while !options.isAtEnd { entriesRead = try takeEntriesRead(call, &options) }
        let slot = try existingStream(call)
        let group = try existingGroup(call, slot)
        let text = call.arguments[4]
        var id = slot.entry.stream.lastID
        if !text.equals("$") {
            guard let given = StreamID(parsingBound: text, missingSequence: 0) else { throw .invalidStreamID }
            id = given
        }
        call.updateStream(slot, .group(group)) { _ in
            group.lastID = id
            group.entriesRead = entriesRead
        }
        call.changed("xgroup-setid", .stream, key: call.arguments[2])
        call.reply.ok()
    }

    private static let destroy: Command.Handler = { (call: inout Call) throws(CommandError) in
        let slot = try existingStream(call)
        guard call.keyspace.removeStreamGroup(call.arguments[3], of: slot, in: call.session.database) else {
            return call.reply.integer(0)
        }
        call.changed("xgroup-destroy", .stream, key: call.arguments[2])
        call.reply.integer(1)
    }

    private static let createConsumer: Command.Handler = { (call: inout Call) throws(CommandError) in
        let slot = try existingStream(call)
        let group = try existingGroup(call, slot)
        let isThere = group.consumer(named: call.arguments[4]) != nil
        if !isThere { _ = call.makeConsumer(named: 4, in: group, of: slot, key: 2) }
        call.reply.integer(isThere ? 0 : 1)
    }

    private static let deleteConsumer: Command.Handler = { (call: inout Call) throws(CommandError) in
        let slot = try existingStream(call)
        let group = try existingGroup(call, slot)
        guard let consumer = group.consumer(named: call.arguments[4]) else { return call.reply.integer(0) }
        var pending = 0
        call.updateStream(slot, .group(group)) { _ in pending = group.deleteConsumer(consumer) }
        call.changed("xgroup-delconsumer", .stream, key: call.arguments[2])
        call.reply.integer(pending)
    }

    /// ENTRIESREAD and its number, the one option that SETID has and CREATE shares.
    private static func takeEntriesRead(
        _ call: borrowing Call, _ options: inout Options
    ) throws(CommandError) -> Int64 {
        guard options.take("ENTRIESREAD", values: 1) else { throw call.wrongSubcommand("XGROUP") }
        let count = Int64(try options.integer())
        guard count >= 0 || count == StreamGroup.unknownEntriesRead else {
            throw .message("ERR value for ENTRIESREAD must be positive or -1")
        }
        return count
    }

    private static func existingStream(_ call: borrowing Call) throws(CommandError) -> EntryTable.Slot {
        guard let slot = try call.find(2, .stream) else {
            throw .message(
                """
                ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the \
                MKSTREAM option to create an empty stream automatically.
                """)
        }
        return slot
    }

    private static func existingGroup(
        _ call: borrowing Call, _ slot: EntryTable.Slot
    ) throws(CommandError) -> StreamGroup {
        guard let group = slot.entry.stream.group(named: call.arguments[3]) else {
            throw call.noGroupOfKey(key: 2, group: 3)
        }
        return group
    }
}

extension Call {
    /// Adds the consumer that argument `name` names, which does not exist yet, to a group of the stream at `key`.
    func makeConsumer(named name: Int, in group: StreamGroup, of slot: EntryTable.Slot, key: Int) -> StreamConsumer {
        let text = arguments[name]
        let now = now
        var made: StreamConsumer?
        updateStream(slot, .group(group)) { _ in made = group.createConsumer(named: text, nowMilliseconds: now) }
        guard let made else { preconditionFailure("a consumer is made only where there is none") }
        changed("xgroup-createconsumer", .stream, key: arguments[key])
        return made
    }

    /// The consumer that argument `name` names, made (and recorded) if need be, and seen now.
    func consumer(named name: Int, in group: StreamGroup, of slot: EntryTable.Slot, key: Int) -> StreamConsumer {
        guard let consumer = group.consumer(named: arguments[name]) else {
            let consumer = makeConsumer(named: name, in: group, of: slot, key: key)
            propagate(consumer, of: group, key: arguments[key])
            return consumer
        }
        consumer.seenMilliseconds = now
        return consumer
    }
}
