// HashRemove.swift - HDEL: fields taken out; the key goes with the last one.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum HashRemove {
    static let commands: [Command] = [
        Command(
            "HDEL", "key field...", arity: -3, [.write, .fast], keys: [.key([.readWrite, .delete])], in: .hash,
            since: "2.0.0", complexity: "O(N) where N is the number of fields to be removed.",
            summary: "Deletes one or more fields and their values from a hash. Deletes the hash if no fields remain.",
            history: [("2.4.0", "Accepts multiple `field` arguments.")], run: remove)
    ]

    private static let remove: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let slot = try call.findHash(1) else { return call.reply.integer(0) }
        let database = call.session.database
        var removed = 0
        for index in 2..<call.arguments.count {
            if call.keyspace.removeField(slot, in: database, call.arguments[index]) { removed += 1 }
        }
        if removed > 0 { call.changed("hdel", .hash, key: call.arguments[1]) }
        call.reply.integer(removed)
        if removed > 0 { call.removeIfEmpty(1, collection: slot) }
    }
}
