// Monitor.swift - MONITOR.
internal import Base
internal import Engine
internal import RESP

enum Monitor {
    static let commands: [Command] = [
        Command(
            "MONITOR", arity: 1, [.admin, .noScript, .loading, .stale], in: .server, since: "1.0.0",
            summary: "Listens for all requests received by the server in real-time.", run: monitor),
    ]

    private static func monitor(_ call: inout Call) throws(CommandError) {
        if call.session.isReplica { return }
        if call.context != .client { throw .message("ERR MONITOR isn't allowed for DENY BLOCKING client") }
        let reference = call.sessionReference
        call.administration.startMonitoring(reference)
        call.reply.ok()
    }
}
