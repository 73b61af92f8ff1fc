// CacheRead.swift - FOG.CACHE GET, MGET, META and FRESH. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum CacheRead {
    static let subcommands: [Command] = [
        Command(
            "GET", "key", arity: 3, [.readonly, .fast], keys: [.key(at: 2, [.readOnly, .access])], in: .fog,
            since: "8.2.0", complexity: "O(1)", summary: "Returns the string value of a key.",
            help: ["GET <key>", "    Return the value of a key."], run: get),
        Command(
            "MGET", "key...", arity: -3, [.readonly, .fast], keys: [.keys(from: 2, [.readOnly, .access])], in: .fog,
            since: "8.2.0", complexity: "O(N) where N is the number of keys.",
            summary: "Returns the string values of several keys.",
            help: ["MGET <key> [<key> ...]", "    Return the values of several keys."], run: getMany),
        Command(
            "META", "key", arity: 3, [.readonly, .fast], keys: [.key(at: 2, [.readOnly])], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of the key's tags.",
            summary: "Returns what is known of a key besides its value.",
            help: ["META <key>", "    Return type, size, lifetime, age, kind of content, tags and lease of a key."],
            run: meta),
        Command(
            "FRESH", "key", arity: 3, [.readonly, .fast], keys: [.key(at: 2, [.readOnly])], in: .fog, since: "8.2.0",
            complexity: "O(1)", summary: "Returns how long ago a key's value was last written by a cache command.",
            help: [
                "FRESH <key>",
                "    Milliseconds since the value was confirmed; -1: not by a cache command; -2: no such key.",
            ],
            run: fresh),
    ]

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(call.firstWord, .string) else { return call.reply.null() }
        call.reply.text(of: entry)
    }

    private static let getMany: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        call.reply.array(call.arguments.count - first)
        for index in first..<call.arguments.count {
            if let entry = call.read(index), entry.isString {
                call.reply.text(of: entry)
            } else {
                call.reply.null()
            }
        }
    }

    private static let meta: Command.Handler = { (call: inout Call) throws(CommandError) in
        let index = call.firstWord
        let lease = call.cache.leases.lease(
            LeaseKey(database: call.session.database, call.arguments[index]), now: call.now)
        guard let entry = call.peek(index) else { return call.reply.null() }
        let label = entry.label
        let names = call.keyspace.tags.names(of: label.cohort)
        call.reply.map(8)
        call.reply.pair("type", text: entry.objectType.name)
        call.reply.pair("bytes", call.keyspace.memoryUsage(of: entry, in: call.session.database))
        call.reply.pair("ttl_ms", entry.hasExpiry ? Int(max(0, entry.expiryMilliseconds - call.now)) : -1)
        call.reply.bulk("content")
        if let content = ContentType(rawValue: label.content) {
            call.reply.bulk(content.name)
        } else {
            call.reply.null()
        }
        call.reply.pair("written_ms", Int(label.writtenMilliseconds))
        let age = label.writtenMilliseconds == 0 ? -1 : max(0, call.now - label.writtenMilliseconds)
        call.reply.pair("age_ms", Int(age))
        call.reply.bulk("tags")
        call.reply.array(names.count)
        for name in names { call.reply.bulk(name.span) }
        call.reply.pair("lease_ms", lease.map { Int($0.expiresAt - call.now) } ?? 0)
    }

    private static let fresh: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = call.peek(call.firstWord) else { return call.reply.integer(-2) }
        let written = entry.label.writtenMilliseconds
        call.reply.integer(written == 0 ? -1 : Int(max(0, call.now - written)))
    }
}

extension Reply {
    /// A string entry's text.
    func text(of entry: Entry) {
        if let value = entry.integerValue { bulk(decimal: Int(value)) } else { bulk(entry.stringBytes()) }
    }
}
