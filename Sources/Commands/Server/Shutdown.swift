// Shutdown.swift - SHUTDOWN: saves when it should, then ends the server.
internal import Base
internal import Engine
internal import RESP

enum Shutdown {
    static let commands: [Command] = [
        Command(
            "SHUTDOWN",
            """
            [abort-selector=(save-selector-block=([save-selector=(NOSAVE | SAVE)] [NOW@7.0.0] [FORCE@7.0.0] \
            [SAFE@9.0.0] [FAILOVER@9.0.0]) | ABORT@7.0.0)]
            """,
            arity: -1, [.admin, .noScript, .loading, .stale, .noMulti, .allowBusy], in: .server, since: "1.0.0",
            complexity: """
                O(N) when saving, where N is the total number of keys in all databases when saving data, \
                otherwise O(1)
                """,
            summary: "Synchronously saves the database(s) to disk and shuts down the server.",
            history: [
                ("7.0.0", "Added the `NOW`, `FORCE` and `ABORT` modifiers."),
                ("9.0.0", "Added the `SAFE` and `FAILOVER` modifiers."),
            ],
            run: shutdown)
    ]

    /// Nothing is waited for (there are no replicas that lag behind), so NOW changes nothing, and there is something to
    /// ABORT only between a signal and the clock. Beside a slow script only NOSAVE may run: what it has half done is
    /// not saved.
    private static func shutdown(_ call: inout Call) throws(CommandError) {
        var flags: ShutdownFlags = []
        var aborts = false
        var options = call.options(from: 1)
        while !options.isAtEnd {
            if options.take("NOSAVE") {
                flags.insert(.noSave)
            } else if options.take("SAVE") {
                flags.insert(.save)
            } else if options.take("FORCE") {
                flags.insert(.force)
            } else if options.take("NOW") {
                flags.insert(.now)
            } else if options.take("ABORT") {
                aborts = true
            } else {
                throw .syntax
            }
        }
        let isContradiction = flags.contains(.save) && flags.contains(.noSave)
        if isContradiction || aborts && !flags.isEmpty { throw .syntax }
        if aborts {
            guard call.administration.abortShutdown() else { throw .message("ERR No shutdown in progress.") }
            return call.reply.ok()
        }
        if !flags.contains(.noSave), let busy = call.administration.busyGate([]) { throw .message(busy) }
        guard call.administration.prepareShutdown(flags) else {
            throw .message("ERR Errors trying to SHUTDOWN. Check logs.")
        }
        call.session.closesAfterReply = true
        call.administration.hooks.shutdown()
    }
}
