// KeyExpire.swift - giving keys an end: EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT and PERSIST. A time that has passed
// removes the key at once, except where keys do not die by the clock (a replica).
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum KeyExpire {
    static let commands: [Command] = [
        Command(
            "EXPIRE", "key seconds:integer [condition=(NX | XX | GT | LT)@7.0.0]", arity: -3,
            [.write, .fast, .leavesAsleep],
            keys: [.key([.readWrite, .update])], in: .generic, since: "1.0.0", complexity: "O(1)",
            summary: "Sets the expiration time of a key in seconds.",
            history: [("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")],
            run: {
                (call: inout Call) throws(CommandError) in
                try expire(&call, unit: 1000, isAbsolute: false, "ERR invalid expire time in 'expire' command")
            }),
        Command(
            "EXPIREAT", "key unix-time-seconds:unix-time [condition=(NX | XX | GT | LT)@7.0.0]", arity: -3,
            [.write, .fast, .leavesAsleep], keys: [.key([.readWrite, .update])], in: .generic, since: "1.2.0",
            complexity: "O(1)",
            summary: "Sets the expiration time of a key to a Unix timestamp.",
            history: [("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")],
            run: {
                (call: inout Call) throws(CommandError) in
                try expire(&call, unit: 1000, isAbsolute: true, "ERR invalid expire time in 'expireat' command")
            }),
        Command(
            "PEXPIRE", "key milliseconds:integer [condition=(NX | XX | GT | LT)@7.0.0]", arity: -3,
            [.write, .fast, .leavesAsleep],
            keys: [.key([.readWrite, .update])], in: .generic, since: "2.6.0", complexity: "O(1)",
            summary: "Sets the expiration time of a key in milliseconds.",
            history: [("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")],
            run: {
                (call: inout Call) throws(CommandError) in
                try expire(&call, unit: 1, isAbsolute: false, "ERR invalid expire time in 'pexpire' command")
            }),
        Command(
            "PEXPIREAT", "key unix-time-milliseconds:unix-time [condition=(NX | XX | GT | LT)@7.0.0]", arity: -3,
            [.write, .fast, .leavesAsleep], keys: [.key([.readWrite, .update])], in: .generic, since: "2.6.0",
            complexity: "O(1)",
            summary: "Sets the expiration time of a key to a Unix milliseconds timestamp.",
            history: [("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")],
            run: {
                (call: inout Call) throws(CommandError) in
                try expire(&call, unit: 1, isAbsolute: true, "ERR invalid expire time in 'pexpireat' command")
            }),
        Command(
            "PERSIST", "key", arity: 2, [.write, .fast, .leavesAsleep], keys: [.key([.readWrite, .update])],
            in: .generic,
            since: "2.2.0", complexity: "O(1)", summary: "Removes the expiration time of a key.", run: persist),
    ]

    private static func expire(
        _ call: inout Call, unit: Int64, isAbsolute: Bool, _ invalid: StaticString
    ) throws(CommandError) {
        let conditions = try ExpiryConditions(call, 3..<max(3, call.arguments.count))
        guard let given = IntegerText.parse(call.arguments[2]) else { throw .notInteger }
        let (scaled, overflow) = given.multipliedReportingOverflow(by: unit)
        if overflow { throw .message(invalid) }
        let (time, carry) = scaled.addingReportingOverflow(isAbsolute ? 0 : call.now)
        if carry { throw .message(invalid) }
        guard let slot = call.look(1) else { return call.reply.integer(0) }
        let current: Int64? = slot.entry.hasExpiry ? slot.entry.expiryMilliseconds : nil
        guard conditions.allow(time, over: current) else { return call.reply.integer(0) }
        let hash = call.hash(1)
        let database = call.session.database
        if time <= call.now && call.keyspace.removesAtOnce {
            call.keyspace.remove(slot, hash: hash, in: database)
            call.changed("del", .generic, key: call.arguments[1])
            call.propagateExpiry(call.arguments[1])
        } else {
            call.keyspace.setExpiry(slot, hash: hash, in: database, to: time)
            call.changed("expire", .generic, key: call.arguments[1])
            if unit != 1 || !isAbsolute { propagate(call, time) }
        }
        call.reply.integer(1)
    }

    /// For the journal: the same with a moment instead of a time span.
    private static func propagate(_ call: borrowing Call, _ time: Int64) {
        let arguments = call.arguments
        call.propagate("PEXPIREAT") { words in
            words.add(arguments[1])
            words.add(decimal: time)
            for index in 3..<max(3, arguments.count) { words.add(arguments[index]) }
        }
    }

    private static let persist: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let slot = call.look(1), slot.entry.hasExpiry else { return call.reply.integer(0) }
        let hash = call.hash(1)
        call.keyspace.setExpiry(slot, hash: hash, in: call.session.database, to: nil)
        call.changed("persist", .generic, key: call.arguments[1])
        call.reply.integer(1)
    }
}
