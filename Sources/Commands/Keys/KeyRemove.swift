// KeyRemove.swift - DEL and UNLINK. They are one command here: small values are freed at once because that is cheaper
// than handing them on, large ones always go to the background (Keyspace/Garbage).
internal import Base
internal import Engine
internal import Keyspace
internal import RESP

enum KeyRemove {
    static let commands: [Command] = [
        Command(
            "DEL", "key...", arity: -2, [.write], keys: [.keys([.remove, .delete])], in: .generic, since: "1.0.0",
            complexity: """
                O(N) where N is the number of keys that will be removed. When a key to remove holds a value \
                other than a string, the individual complexity for this key is O(M) where M is the number of \
                elements in the list, set, sorted set or hash. Removing a single key that holds a string value \
                is O(1).
                """,
            summary: "Deletes one or more keys.", hints: ["request_policy:multi_shard", "response_policy:agg_sum"],
            run: remove),
        Command(
            "UNLINK", "key...", arity: -2, [.write, .fast], keys: [.keys([.remove, .delete])], in: .generic,
            since: "4.0.0",
            complexity: """
                O(1) for each key removed regardless of its size. Then the command does O(N) work in a different \
                thread in order to reclaim memory, where N is the number of allocations the deleted objects \
                where composed of.
                """,
            summary: "Asynchronously deletes one or more keys.",
            hints: ["request_policy:multi_shard", "response_policy:agg_sum"], run: remove),
    ]

    private static let remove: Command.Handler = { (call: inout Call) throws(CommandError) in
        var removed = 0
        for index in 1..<call.arguments.count {
            let hash = call.hash(index)
            if call.keyspace.remove(call.arguments[index], hash: hash, in: call.session.database) {
                call.changed("del", .generic, key: call.arguments[index])
                removed += 1
            }
        }
        call.reply.integer(removed)
    }
}
