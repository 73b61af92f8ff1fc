// Transactions.swift - MULTI, EXEC, DISCARD, WATCH and UNWATCH. What queues commands between MULTI and EXEC is a gate
// of dispatch; these handlers open and end it. Their texts are those of Redis 7.0. Under the turn.
internal import Base
internal import Engine
internal import RESP

enum Transactions {
    static let commands: [Command] = [
        Command(
            "MULTI", arity: 1, [.noScript, .loading, .stale, .fast, .noMulti, .allowBusy, .unqueued],
            in: .transactions, since: "1.2.0", complexity: "O(1)", summary: "Starts a transaction.", run: multi),
        Command(
            "EXEC", arity: 1, [.noScript, .loading, .stale, .skipSlowlog, .unqueued, .runsQueue], in: .transactions,
            since: "1.2.0", complexity: "Depends on commands in the transaction",
            summary: "Executes all commands in a transaction.", run: exec),
        Command(
            "DISCARD", arity: 1, [.noScript, .loading, .stale, .fast, .allowBusy, .unqueued], in: .transactions,
            since: "2.0.0", complexity: "O(N), when N is the number of queued commands",
            summary: "Discards a transaction.", run: discard),
        Command(
            "WATCH", "key...", arity: -2,
            [.noScript, .loading, .stale, .fast, .noMulti, .allowBusy, .unqueued, .leavesAsleep],
            keys: [.keys([.readOnly])], in: .transactions, since: "2.2.0", complexity: "O(1) for every key.",
            summary: "Monitors changes to keys to determine the execution of a transaction.", run: watch),
        Command(
            "UNWATCH", arity: 1, [.noScript, .loading, .stale, .fast, .allowBusy], in: .transactions, since: "2.2.0",
            complexity: "O(1)", summary: "Forgets about watched keys of a transaction.", run: unwatch),
    ]

    private static func multi(_ call: inout Call) throws(CommandError) {
        if isOpen(call) { throw .message("ERR MULTI calls can not be nested") }
        call.openTransaction()
        call.reply.ok()
    }

    private static func exec(_ call: inout Call) throws(CommandError) {
        guard isOpen(call) else { throw .message("ERR EXEC without MULTI") }
        call.runTransaction()
    }

    private static func discard(_ call: inout Call) throws(CommandError) {
        guard isOpen(call) else { throw .message("ERR DISCARD without MULTI") }
        call.closeTransaction()
        call.reply.ok()
    }

    private static func watch(_ call: inout Call) throws(CommandError) {
        if isOpen(call) { throw .message("ERR WATCH inside MULTI is not allowed") }
        for index in 1..<call.arguments.count { call.watch(index) }
        call.reply.ok()
    }

    private static func unwatch(_ call: inout Call) throws(CommandError) {
        call.unwatchAll()
        call.reply.ok()
    }

    private static func isOpen(_ call: borrowing Call) -> Bool { call.transaction?.isOpen == true }
}
