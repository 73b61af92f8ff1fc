// Monitor.swift - MONITOR and SHUTDOWN.
internal import Base
internal import Engine
internal import RESP

enum Monitor {
    static let commands: [Command] = [
        Command(
            "MONITOR", arity: 1, [.admin, .noScript, .loading, .stale], in: .server, since: "1.0.0",
            summary: "Listens for all requests received by the server in real-time.", run: monitor),
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
            run: shutdown),
    ]

    private static func monitor(_ call: inout Call) throws(CommandError) {
        if call.session.isReplica { return }
        if call.context != .client { throw .message("ERR MONITOR isn't allowed for DENY BLOCKING client") }
        let reference = call.sessionReference
        call.administration.startMonitoring(reference)
        call.reply.ok()
    }

    /// Ends the process. Without persistence there is nothing to wait for: NOW and FORCE change nothing, save points
    /// are passed over with a line in the log, and SAVE is refused unless forced, because it asks for what cannot be.
    private static func shutdown(_ call: inout Call) throws(CommandError) {
        var (saves, skipsSave, isForced, aborts) = (false, false, false, false)
        var options = call.options(from: 1)
        while !options.isAtEnd {
            if options.take("NOSAVE") {
                skipsSave = true
            } else if options.take("SAVE") {
                saves = true
            } else if options.take("FORCE") {
                isForced = true
            } else if options.take("ABORT") {
                aborts = true
            } else if !options.take("NOW") {
                throw .syntax
            }
        }
        if saves && skipsSave || aborts && call.arguments.count > 2 { throw .syntax }
        if aborts { throw .message("ERR No shutdown in progress.") }
        Log.shared.warning("User requested shutdown...")
        if saves {
            Log.shared.warning("This server cannot save its dataset to disk: SHUTDOWN SAVE cannot do what it says.")
            guard isForced else { throw .message("ERR Errors trying to SHUTDOWN. Check logs.") }
        } else if !skipsSave && !call.administration.config.savePoints.isEmpty {
            Log.shared.warning("Save points are configured, but this server cannot save its dataset: it is not saved.")
        }
        call.session.closesAfterReply = true
        call.administration.hooks.shutdown()
    }
}
