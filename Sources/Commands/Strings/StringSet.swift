// StringSet.swift - SET and its relatives.
internal import Engine
internal import Keyspace
internal import RESP

enum StringSet {
    static let commands: [Command] = [
        Command(
            "SET", "key value", arity: -3, [.write, .denyOOM], keys: [.key([.readWrite, .access, .update])],
            in: .string, since: "1.0.0", complexity: "O(1)", summary: "Sets the string value of a key.", run: set)
    ]

    private static let set: Command.Handler = { (call: inout Call) throws(CommandError) in
        let slot = call.find(1)
        call.setString(1, slot: slot, value: call.arguments[2], expiry: nil)
        call.changed("set", .string, key: call.arguments[1])
        call.reply.ok()
    }
}
