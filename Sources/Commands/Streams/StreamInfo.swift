// StreamInfo.swift - XINFO: what a stream, its groups and their consumers look like from outside. Numbers about the
// radix tree are those that the stock servers' tree would have.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StreamInfo {
    private static let keys: [KeySpec] = [.key(at: 2, [.readOnly, .access])]

    static let commands: [Command] = [
        Command(
            "XINFO", arity: -2, in: .stream, since: "5.0.0", complexity: "Depends on subcommand.",
            summary: "A container for stream introspection commands.",
            subcommands: [
                Command(
                    "CONSUMERS", "key group", arity: 4, [.readonly], keys: keys, in: .stream, since: "5.0.0",
                    complexity: "O(1)", summary: "Returns a list of the consumers in a consumer group.",
                    history: [("7.2.0", "Added the `inactive` field, and changed the meaning of `idle`.")],
                    hints: ["nondeterministic_output"],
                    help: ["CONSUMERS <key> <groupname>", "    Show consumers of <groupname>."], run: consumers),
                Command(
                    "GROUPS", "key", arity: 3, [.readonly], keys: keys, in: .stream, since: "5.0.0",
                    complexity: "O(1)", summary: "Returns a list of the consumer groups of a stream.",
                    history: [("7.0.0", "Added the `entries-read` and `lag` fields")],
                    help: ["GROUPS <key>", "    Show the stream consumer groups."], run: groups),
                Command(
                    "STREAM", "key [full-block=(FULL [COUNT count:integer])]", arity: -3, [.readonly], keys: keys,
                    in: .stream, since: "5.0.0", complexity: "O(1)",
                    summary: "Returns information about a stream.",
                    history: [
                        ("6.0.0", "Added the `FULL` modifier."),
                        (
                            "7.0.0",
                            """
                            Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, \
                            `entries-read` and `lag` fields
                            """
                        ),
                        ("7.2.0", "Added the `active-time` field, and changed the meaning of `seen-time`."),
                    ],
                    help: ["STREAM <key> [FULL [COUNT <count>]", "    Show information about the stream."],
                    run: stream),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .stream, since: "5.0.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static let consumers: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(2, .stream) else { throw .noSuchKey }
        guard let group = entry.stream.group(named: call.arguments[3]) else {
            throw call.noGroupOfKey(key: 2, group: 3)
        }
        let reply = call.reply
        let now = call.now
        reply.array(group.consumers.count)
        for consumer in group.consumers {
            let active = consumer.activeMilliseconds
            reply.map(4)
            reply.bulk("name")
            reply.bulk(consumer.name)
            reply.bulk("pending")
            reply.integer(consumer.pendingCount)
            reply.bulk("idle")
            reply.integer(Int(max(now - consumer.seenMilliseconds, 0)))
            reply.bulk("inactive")
            reply.integer(active < 0 ? -1 : Int(max(now - active, 0)))
        }
    }

    private static let groups: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(2, .stream) else { throw .noSuchKey }
        let reply = call.reply
        reply.array(entry.stream.groups.count)
        for group in entry.stream.groups {
            reply.map(6)
            reply.bulk("name")
            reply.bulk(group.name)
            reply.bulk("consumers")
            reply.integer(group.consumers.count)
            reply.bulk("pending")
            reply.integer(group.pendingCount)
            reply.bulk("last-delivered-id")
            reply.streamID(group.lastID)
            write(progressOf: group, in: entry.stream, to: reply)
        }
    }

    /// How far a group has come, as far as that can be told.
    private static func write(progressOf group: StreamGroup, in stream: borrowing StreamLog, to reply: Reply) {
        let read = group.entriesRead
        reply.bulk("entries-read")
        if read == StreamGroup.unknownEntriesRead { reply.null() } else { reply.integer(Int(read)) }
        reply.bulk("lag")
        if let lag = stream.lag(of: group) { reply.integer(Int(lag)) } else { reply.null() }
    }

    private static let stream: Command.Handler = { (call: inout Call) throws(CommandError) in
        let optionCount = call.arguments.count - 3
        let entry = try call.read(2, .stream)
        guard let entry else { throw .noSuchKey }
        guard optionCount > 0 else { return write(summaryOf: entry.stream, to: call.reply) }
        var limit = 10
        var options = call.options(from: 3)
        guard optionCount == 1 || optionCount == 3, options.take("FULL") else {
            throw call.wrongSubcommand("XINFO")
        }
        if optionCount == 3 {
            guard options.take("COUNT") else { throw call.wrongSubcommand("XINFO") }
            let count = try options.integer()
            if count >= 0 { limit = count == 0 ? .max : count }
        }
        write(allOf: entry.stream, limit: limit, to: call.reply)
    }

    private static func write(countersOf stream: borrowing StreamLog, to reply: Reply) {
        reply.bulk("length")
        reply.integer(stream.length)
        reply.bulk("radix-tree-keys")
        reply.integer(stream.nodeCount)
        reply.bulk("radix-tree-nodes")
        reply.integer(stream.radixNodeCount)
        reply.bulk("last-generated-id")
        reply.streamID(stream.lastID)
        reply.bulk("max-deleted-entry-id")
        reply.streamID(stream.maxDeletedID)
        reply.bulk("entries-added")
        reply.integer(Int(clamping: stream.entriesAdded))
        reply.bulk("recorded-first-entry-id")
        reply.streamID(stream.firstID)
    }

    private static func write(summaryOf stream: borrowing StreamLog, to reply: Reply) {
        reply.map(10)
        write(countersOf: stream, to: reply)
        reply.bulk("groups")
        reply.integer(stream.groups.count)
        reply.bulk("first-entry")
        if let first = stream.firstEntry { reply.streamEntry(first) } else { reply.null() }
        reply.bulk("last-entry")
        if let last = stream.lastEntry { reply.streamEntry(last) } else { reply.null() }
    }

    private static func write(allOf stream: borrowing StreamLog, limit: Int, to reply: Reply) {
        reply.map(9)
        write(countersOf: stream, to: reply)
        reply.bulk("entries")
        reply.streamEntries(stream.walk(from: .zero, to: .max), limit: limit)
        reply.bulk("groups")
        reply.array(stream.groups.count)
        for group in stream.groups {
            reply.map(7)
            reply.bulk("name")
            reply.bulk(group.name)
            reply.bulk("last-delivered-id")
            reply.streamID(group.lastID)
            write(progressOf: group, in: stream, to: reply)
            reply.bulk("pel-count")
            reply.integer(group.pendingCount)
            reply.bulk("pending")
            write(group.pendingCursor(), count: min(limit, group.pendingCount), withConsumer: true, to: reply)
            reply.bulk("consumers")
            reply.array(group.consumers.count)
            for consumer in group.consumers { write(consumer, of: group, limit: limit, to: reply) }
        }
    }

    private static func write(_ consumer: StreamConsumer, of group: StreamGroup, limit: Int, to reply: Reply) {
        reply.map(5)
        reply.bulk("name")
        reply.bulk(consumer.name)
        reply.bulk("seen-time")
        reply.integer(Int(consumer.seenMilliseconds))
        reply.bulk("active-time")
        reply.integer(Int(consumer.activeMilliseconds))
        reply.bulk("pel-count")
        reply.integer(consumer.pendingCount)
        reply.bulk("pending")
        write(
            group.pendingCursor(of: consumer), count: min(limit, consumer.pendingCount), withConsumer: false,
            to: reply)
    }

    private static func write(
        _ cursor: StreamPendingCursor, count: Int, withConsumer: Bool, to reply: Reply
    ) {
        var cursor = cursor
        reply.array(count)
        for _ in 0..<count {
            guard let pending = cursor.next() else { preconditionFailure("a pending list has the entries it counts") }
            reply.array(withConsumer ? 4 : 3)
            reply.streamID(pending.id)
            if withConsumer { reply.bulk(pending.consumer.name) }
            reply.integer(Int(pending.deliveryTimeMilliseconds))
            reply.integer(Int(clamping: pending.deliveryCount))
        }
    }
}
