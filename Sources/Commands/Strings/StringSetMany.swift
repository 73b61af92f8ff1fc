// StringSetMany.swift - MSET, MSETNX and MSETEX: all keys or none, in one step. Keys pass through the cache in groups
// (KeyGroup); a key that is named twice is written twice, the last value stays.
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StringSetMany {
    private static let complexity = "O(N) where N is the number of keys to set."
    private static let shardHints = ["request_policy:multi_shard", "response_policy:all_succeeded"]

    static let commands: [Command] = [
        Command(
            "MSET", "data=(key value)...", arity: -3, [.write, .denyOOM],
            keys: [.keys(step: 2, [.overwrite, .update])],
            in: .string, since: "1.0.1", complexity: "O(N) where N is the number of keys to set.",
            summary: "Atomically creates or modifies the string values of one or more keys.",
            hints: ["request_policy:multi_shard", "response_policy:all_succeeded"], run: setMany),
        Command(
            "MSETNX", "data=(key value)...", arity: -3, [.write, .denyOOM],
            keys: [.keys(step: 2, [.overwrite, .insert])], in: .string, since: "1.0.1",
            complexity: "O(N) where N is the number of keys to set.",
            summary: "Atomically modifies the string values of one or more keys only when all keys don't exist.",
            run: setManyIfAbsent),
        Command(
            "MSETEX",
            """
            numkeys:integer data=(key value)... [condition=(NX | XX)] [expiration=(EX seconds:integer | PX \
            milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time \
            | KEEPTTL)]
            """,
            arity: -4, [.write, .denyOOM],
            keys: [KeySpec([.overwrite, .update], begin: .index(1), find: .keyCount(index: 0, first: 1, step: 2))],
            in: .string, since: "9.1.0", complexity: "O(N) where N is the number of keys to set.",
            summary: """
                Atomically creates or modifies the string values of one or more keys, and optionally set their \
                expiration.
                """,
            hints: ["request_policy:multi_shard", "response_policy:all_succeeded"], run: setManyWithOptions),
    ]

    private static let setMany: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard call.arguments.count & 1 == 1 else {
            throw .message("ERR wrong number of arguments for 'mset' command")
        }
        write(&call, 1..<call.arguments.count, expiry: nil)
        call.reply.ok()
    }

    private static let setManyIfAbsent: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard call.arguments.count & 1 == 1 else {
            throw .message("ERR wrong number of arguments for 'msetnx' command")
        }
        let pairs = 1..<call.arguments.count
        guard allKeys(call, pairs, exist: false) else { return call.reply.integer(0) }
        write(&call, pairs, expiry: nil)
        call.reply.integer(1)
    }

    private static let setManyWithOptions: Command.Handler = { (call: inout Call) throws(CommandError) in
        let invalidCount = CommandError.message("ERR invalid numkeys value or out of range")
        guard let keyCount = try? call.integer(1), keyCount > 0, keyCount <= Int(Int32.max) else { throw invalidCount }
        let pairs = 2..<(2 + 2 * keyCount)
        guard pairs.upperBound <= call.arguments.count else { throw .syntax }
        let options = try SetOptions(call.arguments, from: pairs.upperBound, for: .setMany)
        let expiry = try options.expiry(call, invalid: "ERR invalid expire time in 'msetex' command")
        if options.condition == .absent || options.condition == .present {
            let wanted = options.condition == .present
            guard allKeys(call, pairs, exist: wanted) else { return call.reply.integer(0) }
        }
        write(&call, pairs, expiry: expiry, keepsExpiry: options.keepsExpiry)
        propagate(call, pairs, expiry: expiry, keepsExpiry: options.keepsExpiry)
        call.reply.integer(1)
    }

    /// For the journal: one SET a key, which every server knows.
    private static func propagate(
        _ call: borrowing Call, _ pairs: Range<Int>, expiry: Int64?, keepsExpiry: Bool
    ) {
        let arguments = call.arguments
        for index in stride(from: pairs.lowerBound, to: pairs.upperBound, by: 2) {
            guard keepsExpiry else {
                call.propagateSet(arguments[index], arguments[index + 1], expiry: expiry)
                continue
            }
            call.propagate("SET") { words in
                words.add(arguments[index])
                words.add(arguments[index + 1])
                words.add("KEEPTTL")
            }
        }
    }

    /// Whether every key of `pairs` exists, or none does.
    private static func allKeys(_ call: borrowing Call, _ pairs: Range<Int>, exist: Bool) -> Bool {
        var next = pairs.lowerBound
        while next < pairs.upperBound {
            let group = call.prefetch(from: next, to: pairs.upperBound, step: 2)
            for position in 0..<group.count {
                let slot = call.look(group.index(position), hash: group.hash(position))
                if (slot != nil) != exist { return false }
            }
            next = group.end
        }
        return true
    }

    private static func write(_ call: inout Call, _ pairs: Range<Int>, expiry: Int64?, keepsExpiry: Bool = false) {
        var next = pairs.lowerBound
        while next < pairs.upperBound {
            let group = call.prefetch(from: next, to: pairs.upperBound, step: 2)
            for position in 0..<group.count {
                let index = group.index(position)
                let hash = group.hash(position)
                let slot = call.look(index, hash: hash)
                call.setString(
                    index, hash: hash, slot: slot, value: call.arguments[index + 1],
                    expiry: keepsExpiry ? slot?.entry.expiry : expiry)
                call.changed("set", .string, key: call.arguments[index])
                if expiry != nil { call.alsoHappened("expire", .generic, key: call.arguments[index]) }
            }
            next = group.end
        }
    }
}
