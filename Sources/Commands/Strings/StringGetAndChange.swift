// StringGetAndChange.swift - commands that answer a string and then replace it, remove it or change its expiry: GETSET,
// GETDEL and GETEX. The old value is in the reply before anything changes.
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StringGetAndChange {
    static let commands: [Command] = [
        Command(
            "GETSET", "key value", arity: 3, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .access, .update])],
            in: .string, since: "1.0.0", complexity: "O(1)",
            summary: "Returns the previous string value of a key after setting it to a new value.", run: getSet),
        Command(
            "GETDEL", "key", arity: 2, [.write, .fast], keys: [.key([.readWrite, .access, .delete])], in: .string,
            since: "6.2.0", complexity: "O(1)", summary: "Returns the string value of a key after deleting the key.",
            run: getAndDelete),
        Command(
            "GETEX",
            """
            key [expiration=(EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time \
            | PXAT unix-time-milliseconds:unix-time | PERSIST)]
            """,
            arity: -2, [.write, .fast],
            keys: [.key([.readWrite, .access, .update], notes: "RW and UPDATE because it changes the TTL")],
            in: .string, since: "6.2.0", complexity: "O(1)",
            summary: "Returns the string value of a key after setting its expiration time.", run: getAndExpire),
    ]

    private static let getSet: Command.Handler = { (call: inout Call) throws(CommandError) in
        let slot = try call.readSlot(1, .string)
        if let slot { call.reply.string(slot.entry) } else { call.reply.null() }
        call.setString(1, slot: slot, value: call.arguments[2], expiry: nil)
        call.changed("set", .string, key: call.arguments[1])
        call.propagateSet(call.arguments[1], call.arguments[2], expiry: nil)
    }

    private static let getAndDelete: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let slot = try call.readSlot(1, .string) else { return call.reply.null() }
        call.reply.string(slot.entry)
        call.remove(1, slot: slot)
        call.changed("del", .generic, key: call.arguments[1])
        call.propagate("DEL", call.arguments[1])
    }

    private static let getAndExpire: Command.Handler = { (call: inout Call) throws(CommandError) in
        let options = try SetOptions(call.arguments, from: 2, for: .getEx)
        guard let slot = try call.readSlot(1, .string) else { return call.reply.null() }
        // A bad time is refused only once the key is known to be a string.
        let expiry = try options.expiry(call, invalid: "ERR invalid expire time in 'getex' command")
        call.reply.string(slot.entry)
        if let expiry {
            if expiry <= call.now {
                call.remove(1, slot: slot)
                call.changed("del", .generic, key: call.arguments[1])
                call.propagateExpiry(call.arguments[1])
            } else {
                call.setExpiry(1, slot: slot, to: expiry)
                call.changed("expire", .generic, key: call.arguments[1])
                call.propagate("PEXPIREAT", call.arguments[1], decimal: expiry)
            }
        } else if options.persists, slot.entry.hasExpiry {
            call.setExpiry(1, slot: slot, to: nil)
            call.changed("persist", .generic, key: call.arguments[1])
            call.propagate("PERSIST", call.arguments[1])
        }
    }
}
