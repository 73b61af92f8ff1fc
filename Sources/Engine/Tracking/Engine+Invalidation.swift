// Engine+Invalidation.swift - telling clients that what they hold is no longer true: for keys that they read at once,
// for prefixes together at the end of the turn, for everything when a database is emptied. A message goes to the client
// itself as a RESP3 push or to the client that it redirects to; behind the reply of the command that caused it when
// that command is the receiver's own. Under the turn.
internal import Base

extension Engine {
    /// The channel on which RESP2 clients get messages that are redirected to them.
    private static func appendChannel(to buffer: inout ByteBuffer) { buffer.append("$20\r\n__redis__:invalidate\r\n") }

    // MARK: what happened

    /// A command changed the key.
    mutating func trackChange(of key: Span<UInt8>) {
        guard trackers.isOn else { return }
        trackers.broadcasts.noteChange(of: key, by: running?.session.id ?? 0)
        invalidate(key, for: trackers.table.take(key))
    }

    /// The key expired or was evicted: nobody's doing.
    mutating func trackRemoval(of key: Span<UInt8>) {
        guard trackers.isOn else { return }
        trackers.broadcasts.noteChange(of: key, by: 0)
        invalidate(key, for: trackers.table.take(key))
    }

    /// A database was emptied: every client is told to forget everything, as keys are known by name alone.
    mutating func trackFlush() {
        guard trackers.isOn else { return }
        trackers.table.removeAll()
        pubsub.messageSerial &+= 1
        let serial = pubsub.messageSerial
        for session in trackers.clients {
            send(to: session, serial) { buffer, isRESP3 in buffer.append(isRESP3 ? "_\r\n" : "$-1\r\n") }
        }
    }

    /// The clients' copies of `key` are worth nothing any more. The one that runs knows of its own doing when it said
    /// NOLOOP; what the table gave up is nobody's doing.
    mutating func invalidate(_ key: Span<UInt8>, for clients: [UInt64], isGivenUp: Bool = false) {
        if clients.isEmpty { return }
        pubsub.messageSerial &+= 1
        let serial = pubsub.messageSerial
        for id in clients {
            guard let session = sessions.find(id), let tracking = session.session.tracking,
                !tracking.options.contains(.broadcast)
            else { continue }
            if !isGivenUp && tracking.options.contains(.noLoop) && session == running { continue }
            send(to: session, serial) { buffer, _ in
                buffer.append("*1\r\n")
                PubSubFrame.append(key, to: &buffer)
            }
        }
    }

    /// Tells broadcasting clients what changed in this turn.
    @inline(never)
    mutating func broadcastChanges() {
        while let (clients, keys) = trackers.broadcasts.takePending() {
            pubsub.messageSerial &+= 1
            let serial = pubsub.messageSerial
            for session in clients {
                if session.session.tracking?.options.contains(.noLoop) == true {
                    sendOthersChanges(keys, to: session)
                } else {
                    send(to: session, serial) { buffer, _ in Engine.write(keys, to: &buffer) }
                }
            }
        }
    }

    private mutating func sendOthersChanges(
        _ keys: [(key: [UInt8], changer: UInt64)], to session: SessionReference
    ) {
        let others = keys.filter { $0.changer != session.session.id }
        if others.isEmpty { return }
        pubsub.messageSerial &+= 1
        send(to: session, pubsub.messageSerial) { buffer, _ in Engine.write(others, to: &buffer) }
    }

    private static func write(_ keys: [(key: [UInt8], changer: UInt64)], to buffer: inout ByteBuffer) {
        buffer.append("*")
        buffer.append(decimal: keys.count)
        buffer.append("\r\n")
        for item in keys { PubSubFrame.append(item.key.span, to: &buffer) }
    }

    // MARK: sending

    /// Sends what `write` writes, in one of two protocols, to where the client's messages go. Messages of one serial
    /// are equal.
    private mutating func send(
        to session: SessionReference, _ serial: UInt64, _ write: (inout ByteBuffer, Bool) -> Void
    ) {
        guard let tracking = session.session.tracking else { return }
        var receiver = session
        if tracking.redirection != 0 {
            guard let found = sessions.find(tracking.redirection), !found.session.gates.contains(.killed) else {
                return tellBrokenRedirection(session, tracking)
            }
            receiver = found
        }
        let isRESP3 = receiver.session.protocolVersion >= 3
        // A RESP2 client can only read messages while it listens to channels, and only other clients' ones.
        if !isRESP3 && (tracking.redirection == 0 || !receiver.session.isSubscriber) { return }
        if receiver.session.gates.contains(.killed) { return }
        let port = loops[receiver.session.loop]
        var range = port.state.frame(serial, isRESP3: isRESP3)
        if range.isEmpty {
            range = port.state.writeFrame(serial, isRESP3: isRESP3) { buffer in
                if isRESP3 {
                    PubSubFrame.begin("invalidate", elementCount: 2, isRESP3: true, to: &buffer)
                } else {
                    PubSubFrame.begin("message", elementCount: 3, isRESP3: false, to: &buffer)
                    Engine.appendChannel(to: &buffer)
                }
                write(&buffer, isRESP3)
            }
        }
        deliver(range, to: receiver, port)
    }

    /// The client that was to get the messages is gone: the one that sent it there is told, if it can be.
    private mutating func tellBrokenRedirection(_ session: SessionReference, _ tracking: ClientTracking) {
        tracking.isBroken = true
        guard session.session.protocolVersion >= 3, !session.session.gates.contains(.killed) else { return }
        let port = loops[session.session.loop]
        let range = port.state.append { buffer in
            PubSubFrame.begin("tracking-redir-broken", elementCount: 2, isRESP3: true, to: &buffer)
            buffer.append(":")
            buffer.append(decimal: Int(tracking.redirection))
            buffer.append("\r\n")
        }
        deliver(range, to: session, port)
    }
}
