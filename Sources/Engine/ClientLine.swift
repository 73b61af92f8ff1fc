// ClientLine.swift - one client as CLIENT LIST and CLIENT INFO describe it: the fields of Redis 8.2, in its order.
// Buffer sizes are what the client's loop left behind last (once a second, or when it closed). Under the turn.
package import Base
internal import RESP

package enum ClientLine {
    /// Appends the line of `session`. `call` is the command that asks: its own session is described as it is now.
    package static func append(_ session: SessionReference, running call: borrowing Call, to text: inout ByteBuffer) {
        append(
            session, isRunning: session == call.sessionReference, slot: call.slot, call.arguments, call.administration,
            to: &text)
    }

    /// Appends the line of `session`, which runs the command with `slot` and `arguments` when `isRunning`.
    static func append(
        _ session: SessionReference, isRunning: Bool, slot: Int, _ arguments: borrowing Arguments,
        _ engine: borrowing Engine, to text: inout ByteBuffer
    ) {
        let now = engine.clock.nowMilliseconds
        text.append("id=\(session.session.id) addr=\(session.session.address) laddr=\(session.session.localAddress)")
        text.append(" fd=\(session.session.descriptor) name=\(session.session.name)")
        text.append(" age=\(max(0, now - session.session.createdMilliseconds) / 1000)")
        let idle = isRunning ? 0 : max(0, now - session.session.lastInteractionMilliseconds) / 1000
        text.append(" idle=\(idle) flags=\(flags(session)) db=\(session.session.database)")
        let transaction = session.session.transaction
        let queued = transaction?.isOpen == true ? transaction?.commandCount ?? 0 : -1
        let subscriptions = session.session.subscriptions
        text.append(" sub=\(subscriptions?.count(.channel) ?? 0) psub=\(subscriptions?.count(.pattern) ?? 0)")
        text.append(" ssub=\(subscriptions?.count(.shardChannel) ?? 0)")
        text.append(" multi=\(queued) watch=\(transaction?.watchedCount ?? 0)")
        appendBuffers(session, isRunning ? arguments.wireByteCount : nil, arguments, to: &text)
        text.append(" cmd=\(command(session, isRunning ? slot : nil, engine)) user=\(session.session.userName)")
        let redirection = session.session.tracking.map { Int($0.redirection) } ?? -1
        text.append(" redir=\(redirection) resp=\(session.session.protocolVersion)")
        text.append(" lib-name=\(session.session.libraryName) lib-ver=\(session.session.libraryVersion)")
        let gauges = session.session.gauges
        text.append(" io-thread=\(session.session.loop) tot-net-in=\(gauges.networkInput)")
        text.append(" tot-net-out=\(gauges.networkOutput) tot-cmds=\(session.session.commandCount)\n")
    }

    private static func appendBuffers(
        _ session: SessionReference, _ running: Int?, _ arguments: borrowing Arguments, to text: inout ByteBuffer
    ) {
        let gauges = session.session.gauges
        let argumentByteCount = running == nil ? gauges.argumentByteCount : byteCount(arguments)
        let queryByteCount = max(running ?? 0, gauges.queryByteCount)
        let memory = session.session.byteCount + (running ?? 0)
        text.append(" qbuf=\(queryByteCount) qbuf-free=\(gauges.queryFreeByteCount) argv-mem=\(argumentByteCount)")
        text.append(" multi-mem=\(session.session.transactionByteCount) rbs=0 rbp=0")
        text.append(" obl=\(gauges.outputByteCount) oll=\(gauges.outputListLength)")
        text.append(" omem=\(gauges.outputListByteCount) tot-mem=\(memory)")
        text.append(gauges.isWaitingToWrite ? " events=rw" : " events=r")
    }

    /// The letters of Redis: N when none applies.
    package static func flags(_ session: SessionReference) -> String {
        var letters = ""
        if session.session.gates.contains(.monitor) { letters += "O" }
        if session.session.isReplica { letters += "S" }
        if session.session.isSubscriber { letters += "P" }
        if session.session.gates.contains(.queueing) { letters += "x" }
        if session.session.suspension?.countsAsBlocked == true { letters += "b" }
        if let tracking = session.session.tracking {
            letters += "t"
            if tracking.isBroken { letters += "R" }
            if tracking.options.contains(.broadcast) { letters += "B" }
        }
        if session.session.transaction?.isStale == true { letters += "d" }
        if session.session.closesAfterReply { letters += "c" }
        if session.session.gates.contains(.killed) { letters += "A" }
        if session.session.isUnixSocket { letters += "U" }
        if session.session.isNoEvict { letters += "e" }
        if session.session.isNoTouch { letters += "T" }
        if session.session.isImportSource { letters += "I" }
        return letters.isEmpty ? "N" : letters
    }

    private static func command(_ session: SessionReference, _ running: Int?, _ engine: borrowing Engine) -> String {
        let slot = running ?? session.session.lastCommand
        return slot >= 0 ? engine.commands.fullNames[slot] : "NULL"
    }

    private static func byteCount(_ arguments: borrowing Arguments) -> Int {
        var count = 0
        for index in 0..<arguments.count { count += arguments[index].count }
        return count
    }
}
