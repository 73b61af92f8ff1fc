// ConnectionState.swift - ECHO, SELECT, QUIT and RESET: what a client says about its own connection.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP

enum ConnectionState {
    static let commands: [Command] = [
        Command(
            "ECHO", "message", arity: 2, [.loading, .stale, .fast], in: .connection, since: "1.0.0", complexity: "O(1)",
            summary: "Returns the given string.", run: echo),
        Command(
            "SELECT", "index:integer", arity: 2, [.loading, .stale, .fast, .allowBusy], in: .connection, since: "1.0.0",
            complexity: "O(1)", summary: "Changes the selected database.", run: select),
        Command(
            "QUIT", arity: -1, [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy, .unqueued, .whileSubscribed],
            in: .connection, since: "1.0.0", complexity: "O(1)", summary: "Closes the connection.", run: quit),
        Command(
            "RESET", arity: 1, [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy, .unqueued, .whileSubscribed],
            in: .connection, since: "6.2.0", complexity: "O(1)", summary: "Resets the connection.", run: reset),
    ]

    private static func echo(_ call: inout Call) throws(CommandError) {
        call.reply.bulk(call.arguments[1])
    }

    private static func select(_ call: inout Call) throws(CommandError) {
        let index = try call.integer(
            1, in: Int(Int32.min)...Int(Int32.max),
            otherwise: .message("ERR value is out of range, value must between -2147483648 and 2147483647"))
        guard index >= 0, index < call.keyspace.databaseCount else { throw .invalidDatabase }
        call.session.database = index
        call.reply.ok()
    }

    private static func quit(_ call: inout Call) throws(CommandError) {
        call.administration.leave(call.sessionReference)
        call.reply.ok()
    }

    /// Everything a client set on its connection is forgotten: a pool gets the connection back as if it were new.
    private static func reset(_ call: inout Call) throws(CommandError) {
        let reference = call.sessionReference
        if call.session.gates.contains(.monitor) { call.administration.stopMonitoring(reference) }
        call.administration.closeTransaction(reference)
        call.administration.unsubscribeAll(reference)
        call.administration.stopTracking(reference)
        call.session.database = 0
        call.session.protocolVersion = 2
        call.session.name = ""
        call.session.replyMode = .on
        call.session.gates.remove(.silent)
        call.administration.setNoEvict(false, of: reference)
        call.session.isNoTouch = false
        call.session.isImportSource = false
        call.administration.resetAuthentication(reference)
        call.reply.protocolVersion = 2
        call.reply.simple("RESET")
    }
}
