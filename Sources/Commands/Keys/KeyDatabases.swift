// KeyDatabases.swift - commands on whole databases: FLUSHDB, FLUSHALL, SWAPDB. A flushed database leaves the keyspace
// as one piece; ASYNC (or lazyfree-lazy-user-flush) has it freed in the background, and whatever would hold others up.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP

enum KeyDatabases {
    static let commands: [Command] = [
        Command(
            "FLUSHALL", "[flush-type=(ASYNC@4.0.0 | SYNC@6.2.0)]", arity: -1, [.write], in: .server,
            categories: ["keyspace", "dangerous"], since: "1.0.0",
            complexity: "O(N) where N is the total number of keys in all databases",
            summary: "Removes all keys from all databases.",
            history: [
                ("4.0.0", "Added the `ASYNC` flushing mode modifier."),
                ("6.2.0", "Added the `SYNC` flushing mode modifier."),
            ],
            hints: ["request_policy:all_shards", "response_policy:all_succeeded"], run: flushAll),
        Command(
            "FLUSHDB", "[flush-type=(ASYNC@4.0.0 | SYNC@6.2.0)]", arity: -1, [.write], in: .server,
            categories: ["keyspace", "dangerous"], since: "1.0.0",
            complexity: "O(N) where N is the number of keys in the selected database",
            summary: "Removes all keys from the current database.",
            history: [
                ("4.0.0", "Added the `ASYNC` flushing mode modifier."),
                ("6.2.0", "Added the `SYNC` flushing mode modifier."),
            ],
            hints: ["request_policy:all_shards", "response_policy:all_succeeded"], run: flushDatabase),
        Command(
            "SWAPDB", "index1:integer index2:integer", arity: 3, [.write, .fast], in: .server,
            categories: ["keyspace", "dangerous"], since: "4.0.0",
            complexity: "O(N) where N is the count of clients watching or blocking on keys from both databases.",
            summary: "Swaps two databases.", run: swap),
    ]

    private static let flushHistory = [
        ("4.0.0", "Added the `ASYNC` flushing mode modifier."), ("6.2.0", "Added the `SYNC` flushing mode modifier."),
    ]
    private static let flushHints = ["request_policy:all_shards", "response_policy:all_succeeded"]

    private static let flushAll: Command.Handler = { (call: inout Call) throws(CommandError) in
        let isInBackground = try flushMode(call)
        for index in 0..<call.keyspace.databaseCount { flush(call, index, isInBackground) }
        call.flushed()
        call.datasetWasFlushed()
        call.propagateAlways()
        call.reply.ok()
    }

    private static let flushDatabase: Command.Handler = { (call: inout Call) throws(CommandError) in
        flush(call, call.session.database, try flushMode(call))
        call.flushed()
        call.propagateAlways()
        call.reply.ok()
    }

    private static func flushMode(_ call: borrowing Call) throws(CommandError) -> Bool {
        guard call.arguments.count > 1 else { return call.settings.lazyfreeLazyUserFlush }
        if call.arguments.count == 2 {
            if call.arguments[1].equalsIgnoringCase("async") { return true }
            if call.arguments[1].equalsIgnoringCase("sync") { return false }
        }
        throw .syntax
    }

    /// More than so many bytes are not freed before the reply, whatever the command says.
    private static let synchronousByteCountMax = 1 << 20

    private static func flush(_ call: borrowing Call, _ index: Int, _ isInBackground: Bool) {
        let count = call.keyspace[index].count
        guard count > 0 else { return }
        let isLarge = call.keyspace[index].byteCount > synchronousByteCountMax
        call.keyspace.flush(index, inBackground: isInBackground || isLarge)
        call.replaced(database: index, count: count)
    }

    private static let swap: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = IntegerText.parse(call.arguments[1]).flatMap { Int32(exactly: $0) }
        guard let first else { throw .message("ERR invalid first DB index") }
        let second = IntegerText.parse(call.arguments[2]).flatMap { Int32(exactly: $0) }
        guard let second else { throw .message("ERR invalid second DB index") }
        let range = 0..<call.keyspace.databaseCount
        guard range.contains(Int(first)) && range.contains(Int(second)) else { throw .invalidDatabase }
        call.keyspace.swap(Int(first), Int(second))
        call.swapped(Int(first), Int(second))
        call.reply.ok()
    }
}
