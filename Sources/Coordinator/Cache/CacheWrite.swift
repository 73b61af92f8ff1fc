// CacheWrite.swift - FOG.CACHE SET, MSET, MSETX and LABEL. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum CacheWrite {
    private static let options =
        "[expiration=(EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time "
        + "| PXAT unix-time-milliseconds:unix-time | PERSIST)] [CONTENT type] [TAG tag...]"

    static let subcommands: [Command] = [
        Command(
            "SET", "key value " + options, arity: -4, [.write, .denyOOM],
            keys: [.key(at: 2, [.overwrite, .update])], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of tags.",
            summary: "Sets the string value of a key with its lifetime, kind of content and tags.",
            help: [
                "SET <key> <value> [EX <seconds>|PX <milliseconds>|PERSIST] [CONTENT <type>] [TAG <tag> ...]",
                "    Set a value; without a lifetime it gets fog-default-ttl.",
            ],
            run: set),
        Command(
            "MSET", "seconds:integer data=(key value)...", arity: -5, [.write, .denyOOM],
            keys: [.keys(from: 3, step: 2, [.overwrite, .update])], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of keys.", summary: "Sets several values with one lifetime.",
            help: ["MSET <seconds> <key> <value> [<key> <value> ...]", "    Set several values; 0: without an end."],
            run: setMany),
        Command(
            "MSETX", "numkeys:integer data=(key value seconds:integer)...", arity: -6, [.write, .denyOOM],
            keys: [
                KeySpec([.overwrite, .update], begin: .index(2), find: .keyCount(index: 0, first: 1, step: 3))
            ],
            in: .fog, since: "8.2.0", complexity: "O(N) where N is the number of keys.",
            summary: "Sets several values, each with a lifetime of its own.",
            help: [
                "MSETX <numkeys> <key> <value> <seconds> [<key> <value> <seconds> ...]",
                "    Set several values, each with a lifetime of its own; 0: without an end.",
            ],
            run: setEach),
        Command(
            "LABEL", "key [AT unix-time-milliseconds:unix-time] [CONTENT type] [TAG tag...]", arity: -3, [.write],
            keys: [.key(at: 2, [.readWrite, .update])], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of tags.",
            summary: "Replaces what is known of a key besides its value: kind of content, age and tags.",
            help: [
                "LABEL <key> [AT <milliseconds>] [CONTENT <type>] [TAG <tag> ...]",
                "    Replace a key's tags and kind of content; its value and lifetime stay.",
            ],
            run: label),
    ]

    private static let set: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let options = try CacheOptions(call, from: first + 2)
        call.cacheValue(first, call.arguments[first + 1], options)
        call.reply.ok()
    }

    private static let setMany: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let expiry = try expiry(call, first)
        guard (call.arguments.count - first) % 2 == 1 else {
            throw .message("ERR wrong number of arguments for 'fog.cache|mset' command")
        }
        for index in stride(from: first + 1, to: call.arguments.count, by: 2) {
            store(call, index, expiry)
        }
        call.reply.ok()
    }

    private static let setEach: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let count = try call.integer(first)
        let words = call.arguments.count - first - 1
        guard count > 0, words % 3 == 0, count == words / 3 else {
            throw .message("ERR numkeys is not the number of keys")
        }
        var expiries: [Int64?] = []
        for item in 0..<count { expiries.append(try expiry(call, first + 3 + item * 3)) }
        for item in 0..<count { store(call, first + 1 + item * 3, expiries[item]) }
        call.reply.ok()
    }

    private static func store(_ call: borrowing Call, _ index: Int, _ expiry: Int64?) {
        var options = CacheOptions()
        options.expiry = expiry
        call.cacheValue(index, call.arguments[index + 1], options)
    }

    /// Seconds from now; 0 for no end.
    private static func expiry(_ call: borrowing Call, _ index: Int) throws(CommandError) -> Int64? {
        let seconds = try call.integer(index)
        guard seconds >= 0, seconds <= Int(Int64.max / 2000) else { throw .invalidExpire }
        return seconds == 0 ? nil : call.now + Int64(seconds) * 1000
    }

    private static let label: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let options = try CacheOptions(call, from: first + 1, hasLifetime: false)
        guard let slot = call.look(first) else { return call.reply.integer(0) }
        call.keyspace.setLabel(slot, in: call.session.database, options.label(call))
        call.changedUnseen()
        call.administration.noteRelabelled(call.arguments[first], in: call.session.database)
        call.remarkLabel(first, options)
        call.reply.integer(1)
    }
}

extension CacheOptions {
    /// Nothing said.
    init() {}
}
