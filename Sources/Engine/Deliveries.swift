// Deliveries.swift - what the engine has for connections of other loops, or of this loop outside their own turn: bytes
// to send, commands that ended, connections to close. Posted and drained under the turn, so their order relative to
// every reply is the order of the turn. A loop that sleeps is woken once.
internal import Base
internal import Synchronization

package enum Delivery: Sendable {
    /// Bytes for the connection's output.
    case output([UInt8])
    /// A suspended command ended with this reply; the connection reads on.
    case resumed([UInt8])
    /// As `resumed`; the reply must not leave before the journal is on the device up to this offset.
    case resumedHeld([UInt8], until: Int64)
    /// Close once the output so far is written.
    case closeAfterReply
    /// Close at once.
    case close
}

/// One loop as the engine sees it.
package struct LoopPort: Sendable {
    package typealias Posted = (connection: UInt64, deliveries: [Delivery])
    /// Wakes the loop's thread; called at most once per drain.
    let wake: @Sendable () -> Void
    /// Sessions with mail, in order of their first piece.
    var recipients: [SessionReference] = []

    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }
}

extension Engine {
    /// Announces a loop; its number is its place in `loops`. Called before any loop runs.
    package mutating func addLoop(wake: @escaping @Sendable () -> Void) { loops.append(LoopPort(wake: wake)) }

    /// Wakes every loop, so that each takes a turn soon.
    package func wakeLoops() { for loop in loops { loop.wake() } }

    /// Posts to the session's connection.
    package mutating func deliver(_ delivery: Delivery, to session: SessionReference) {
        let loop = session.session.loop
        if session.session.mail.isEmpty {
            if loops[loop].recipients.isEmpty { loops[loop].wake() }
            loops[loop].recipients.append(session)
        }
        if case .output(let bytes) = delivery {
            session.session.mailByteCount += bytes.count
            if exceedsOutputLimit(session) { return dropSlowReader(session) }
        }
        session.session.mail.append(delivery)
    }

    /// What waits here counts against `client-output-buffer-limit` together with what the connection held when its
    /// loop last told, so that a client which never reads cannot hide its backlog in the mail.
    private func exceedsOutputLimit(_ session: SessionReference) -> Bool {
        let limit = settings.outputBufferLimits.normal.hardBytes
        guard limit > 0, session.session.mailByteCount > limit / 2 else { return false }
        return session.session.mailByteCount + session.session.gauges.outputListByteCount > limit
    }

    private mutating func dropSlowReader(_ session: SessionReference) {
        guard !session.session.gates.contains(.killed) else { return }
        Log.shared.warning(
            "Client closed for overcoming of output buffer limits: \(session.session.mailByteCount) bytes are waiting")
        statistics.outputBufferLimitDisconnections += 1
        session.session.gates.insert(.killed)
        session.session.mail = [.close]
        session.session.mailByteCount = 0
    }

    /// What was posted for `loop` since the last call. Costs one compare when there is nothing.
    @inline(__always)
    package mutating func takeDeliveries(for loop: Int) -> [LoopPort.Posted]? {
        if _fastPath(loops[loop].recipients.isEmpty) { return nil }
        return collectDeliveries(for: loop)
    }

    private mutating func collectDeliveries(for loop: Int) -> [LoopPort.Posted] {
        let recipients = loops[loop].recipients
        loops[loop].recipients = []
        return recipients.map { session in
            defer {
                session.session.mail = []
                session.session.mailByteCount = 0
            }
            return (session.session.connection, session.session.mail)
        }
    }

    /// Moves bytes that wait for a session in front of the replies it is about to get, so that it sees messages and
    /// replies in the order of the turn. Anything that is not bytes stays for its loop.
    @inline(never)
    mutating func writeMail(of session: SessionReference, to output: inout ByteBuffer) {
        var rest: [Delivery] = []
        for delivery in session.session.mail {
            if case .output(let bytes) = delivery, rest.isEmpty {
                output.append(bytes)
                session.session.mailByteCount -= bytes.count
            } else {
                rest.append(delivery)
            }
        }
        session.session.mail = rest
        if rest.isEmpty { loops[session.session.loop].recipients.removeAll { $0 == session } }
    }

    /// Forgets mail of a session that is gone.
    mutating func discardMail(of session: SessionReference) {
        guard !session.session.mail.isEmpty else { return }
        loops[session.session.loop].recipients.removeAll { $0 == session }
    }
}
