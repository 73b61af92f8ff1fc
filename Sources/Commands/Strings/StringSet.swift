// StringSet.swift - SET and its relatives. `SET key value` is the hot path: one lookup, no option is looked at.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StringSet {
    static let commands: [Command] = [
        Command(
            "SET",
            """
            key value [condition=(NX@2.6.12 | XX@2.6.12 | IFEQ comparison-value@8.1.0{Sets the key's value \
            only if the current value matches the specified comparison value.})] [GET@6.2.0] [expiration=(EX \
            seconds:integer@2.6.12 | PX milliseconds:integer@2.6.12 | EXAT unix-time-seconds:unix-time@6.2.0 \
            | PXAT unix-time-milliseconds:unix-time@6.2.0 | KEEPTTL@6.0.0)]
            """,
            arity: -3, [.write, .denyOOM],
            keys: [
                .key(
                    [.readWrite, .access, .update, .variableFlags],
                    notes: "RW and ACCESS due to the optional `GET` argument")
            ],
            in: .string, since: "1.0.0", complexity: "O(1)",
            summary: "Sets the string value of a key, ignoring its type. The key is created if it doesn't exist.",
            history: [
                ("2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."),
                ("6.0.0", "Added the `KEEPTTL` option."),
                ("6.2.0", "Added the `GET`, `EXAT` and `PXAT` option."),
                ("7.0.0", "Allowed the `NX` and `GET` options to be used together."),
                ("8.1.0", "Added the `IFEQ` option."),
            ],
            run: set),
        Command(
            "SETNX", "key value", arity: 3, [.write, .denyOOM, .fast], keys: [.key([.overwrite, .insert])], in: .string,
            since: "1.0.0", complexity: "O(1)",
            summary: "Sets the string value of a key only when the key doesn't exist.", run: setIfAbsent),
        Command(
            "SETEX", "key seconds:integer value", arity: 4, [.write, .denyOOM], keys: [.key([.overwrite, .update])],
            in: .string, since: "2.0.0", complexity: "O(1)",
            summary: "Sets the string value and expiration time of a key. Creates the key if it doesn't exist.",
            run: setForSeconds),
        Command(
            "PSETEX", "key milliseconds:integer value", arity: 4, [.write, .denyOOM],
            keys: [.key([.overwrite, .update])], in: .string, since: "2.6.0", complexity: "O(1)",
            summary: """
                Sets both string value and expiration time in milliseconds of a key. The key is created if it \
                doesn't exist.
                """,
            run: setForMilliseconds),
    ]

    private static let set: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard _fastPath(call.arguments.count == 3) else { return try setWithOptions(&call) }
        let slot = call.look(1)
        call.setString(1, slot: slot, value: call.arguments[2], expiry: nil)
        call.changed("set", .string, key: call.arguments[1])
        call.reply.ok()
    }

    @inline(never)
    private static func setWithOptions(_ call: inout Call) throws(CommandError) {
        let options = try SetOptions(call.arguments, from: 3, for: .set)
        let expiry = try options.expiry(call, invalid: "ERR invalid expire time in 'set' command")
        let slot = try options.returnsOld ? call.readSlot(1, .string) : options.look(call)
        let holds = try options.holds(for: slot?.entry, call.arguments)
        if options.returnsOld, let slot {
            call.reply.string(slot.entry)
        } else if options.returnsOld || !holds {
            call.reply.null()
        } else {
            call.reply.ok()
        }
        guard holds else { return }
        call.setString(
            1, slot: slot, value: call.arguments[2], expiry: options.keepsExpiry ? slot?.entry.expiry : expiry)
        call.changed("set", .string, key: call.arguments[1])
        if expiry != nil { call.alsoHappened("expire", .generic, key: call.arguments[1]) }
        propagate(call, options, expiry)
    }

    /// For the journal: a moment instead of a time span, no GET, and no condition that only newer servers know.
    private static func propagate(_ call: borrowing Call, _ options: SetOptions, _ expiry: Int64?) {
        if expiry != nil { return call.propagateSet(call.arguments[1], call.arguments[2], expiry: expiry) }
        guard options.returnsOld || options.condition.isComparison else { return }
        let arguments = call.arguments
        if !options.condition.isComparison {
            call.propagate("SET") { words in
                for index in 1..<arguments.count where index < 3 || !arguments[index].equalsIgnoringCase("get") {
                    words.add(arguments[index])
                }
            }
        } else if options.keepsExpiry {
            call.propagate("SET") { words in
                words.add(arguments[1])
                words.add(arguments[2])
                words.add("KEEPTTL")
            }
        } else {
            call.propagateSet(arguments[1], arguments[2], expiry: nil)
        }
    }

    private static let setIfAbsent: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard call.look(1) == nil else { return call.reply.integer(0) }
        call.setString(1, slot: nil, value: call.arguments[2], expiry: nil)
        call.changed("set", .string, key: call.arguments[1])
        call.reply.integer(1)
    }

    private static let setForSeconds: Command.Handler = { (call: inout Call) throws(CommandError) in
        try setFor(&call, .seconds, invalid: "ERR invalid expire time in 'setex' command")
    }

    private static let setForMilliseconds: Command.Handler = { (call: inout Call) throws(CommandError) in
        try setFor(&call, .milliseconds, invalid: "ERR invalid expire time in 'psetex' command")
    }

    @inline(__always)
    private static func setFor(
        _ call: inout Call, _ unit: ExpiryUnit, invalid: StaticString
    ) throws(CommandError) {
        let expiry = try unit.positiveTime(call.arguments[2], now: call.now, invalid: invalid)
        let slot = call.look(1)
        call.setString(1, slot: slot, value: call.arguments[3], expiry: expiry)
        call.changed("set", .string, key: call.arguments[1])
        call.alsoHappened("expire", .generic, key: call.arguments[1])
        call.propagateSet(call.arguments[1], call.arguments[3], expiry: expiry)
        call.reply.ok()
    }
}
