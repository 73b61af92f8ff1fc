// AppendOnlyCommands.swift - BGREWRITEAOF and WAITAOF: what clients may ask of the append only file.
internal import Base
internal import Engine
internal import RESP

enum AppendOnlyCommands {
    static let commands: [Command] = [
        Command(
            "BGREWRITEAOF", arity: 1, [.admin, .noScript, .noAsyncLoading], in: .server, since: "1.0.0",
            complexity: "O(1)", summary: "Asynchronously rewrites the append-only file to disk.", run: rewrite),
        Command(
            "WAITAOF", "numlocal:integer numreplicas:integer timeout:integer", arity: 4, [.blocking], in: .generic,
            categories: ["connection"], since: "7.2.0", complexity: "O(1)",
            summary: """
                Blocks until all of the preceding write commands sent by the connection are written to the \
                append-only file of the primary and/or replicas.
                """,
            hints: ["request_policy:all_shards", "response_policy:agg_min"], run: wait),
    ]

    private static let rewrite: Command.Handler = { (call: inout Call) throws(CommandError) in
        switch call.administration.startAppendOnlyRewrite() {
        case .started: call.reply.simple("Background append only file rewriting started")
        case .scheduled: call.reply.simple("Background append only file rewriting scheduled")
        case .isRunning: throw .message("ERR Background append only file rewriting already in progress")
        }
    }

    private static let wait: Command.Handler = { (call: inout Call) throws(CommandError) in
        let local = try call.integer(
            1, in: 0...1, otherwise: .message("ERR value is out of range, value must between 0 and 1"))
        guard let replicas = try? call.nonnegative(2) else {
            throw .message("ERR value is out of range, must be positive")
        }
        let timeout = try ArgumentNumber.timeoutMilliseconds(call.arguments[3], now: call.now)
        if local > 0 && !call.settings.appendOnly {
            throw .message("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
        }
        // No replica follows this server, so none can have acknowledged anything.
        let isDurable = call.settings.appendOnly && call.isDurable
        if call.resumption == .unblocked { throw .message("UNBLOCKED client unblocked via CLIENT UNBLOCK") }
        if call.resumption == .timedOut || (local <= (isDurable ? 1 : 0) && replicas == 0) {
            call.reply.array(2)
            call.reply.integer(isDurable ? 1 : 0)
            return call.reply.integer(0)
        }
        call.administration.hooks.durabilityWanted()
        let deadline = call.administration.clock.monotonicNanoseconds &+ timeout &* 1_000_000
        call.suspend(.durability, deadline: timeout == 0 ? nil : deadline)
    }
}
