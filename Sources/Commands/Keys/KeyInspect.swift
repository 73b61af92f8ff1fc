// KeyInspect.swift - EXISTS, TYPE and TOUCH: questions about keys that do not look at values. Only TOUCH makes a key
// younger.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP

enum KeyInspect {
    static let commands: [Command] = [
        Command(
            "EXISTS", "key...", arity: -2, [.readonly, .fast, .leavesAsleep], keys: [.keys([.readOnly])], in: .generic,
            since: "1.0.0",
            complexity: "O(N) where N is the number of keys to check.",
            summary: "Determines whether one or more keys exist.",
            history: [("3.0.3", "Accepts multiple `key` arguments.")],
            hints: ["request_policy:multi_shard", "response_policy:agg_sum"], run: exists),
        Command(
            "TOUCH", "key...", arity: -2, [.readonly, .fast, .leavesAsleep], keys: [.keys([.readOnly])], in: .generic,
            since: "3.2.1",
            complexity: "O(N) where N is the number of keys that will be touched.",
            summary: """
                Returns the number of existing keys out of those specified after updating the time they were \
                last accessed.
                """,
            hints: ["request_policy:multi_shard", "response_policy:agg_sum"], run: touch),
        Command(
            "TYPE", "key", arity: 2, [.readonly, .fast, .leavesAsleep], keys: [.key([.readOnly])], in: .generic,
            since: "1.0.0",
            complexity: "O(1)", summary: "Determines the type of value stored at a key.", run: type),
    ]

    private static let exists: Command.Handler = { (call: inout Call) throws(CommandError) in
        var count = 0
        for index in 1..<call.arguments.count where call.peek(index) != nil { count += 1 }
        call.reply.integer(count)
    }

    private static let touch: Command.Handler = { (call: inout Call) throws(CommandError) in
        var count = 0
        for index in 1..<call.arguments.count where call.lookToRead(index) != nil {
            // A client in NO-TOUCH mode touches by this command only.
            call.noteAccess(call.hash(index))
            count += 1
        }
        call.reply.integer(count)
    }

    private static let type: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = call.peek(1) else { return call.reply.simple("none") }
        call.reply.simple(entry.objectType.name)
    }
}
