// EventLoop+Accepting.swift - new connections. The first loop watches the listening sockets and hands each new socket
// to the loop with the fewest connections; that loop registers it with the engine. Refusals (maxclients, protected
// mode) are one line and a close, as in Redis.
internal import Base
internal import Engine
internal import RESP
internal import Reactor
internal import Synchronization

extension EventLoop {
    /// Accepted from one listener before the loop serves its clients again.
    private static var acceptsPerRound: Int { 1000 }

    /// From here on new connections wake this loop.
    mutating func listen() throws(SystemError) {
        listenersVersion = shared.listeners.version.load(ordering: .acquiring)
        try shared.listeners.watch(by: poller, token: EventLoop.listenerToken)
    }

    mutating func acceptAll() {
        for position in 0..<shared.listeners.count {
            var left = EventLoop.acceptsPerRound
            while left > 0 {
                left -= 1
                do throws(SystemError) {
                    guard let descriptor = try shared.listeners.acceptNext(position: position) else { break }
                    place(descriptor)
                } catch {
                    // Out of descriptors, say: the connection stays in the kernel's queue, where it would wake this
                    // loop again at once. Clients that leave make room; until then the others are served.
                    Log.shared.warning("Error accepting a client connection: \(error.reason)")
                    return pauseAccepting()
                }
            }
        }
    }

    private static var acceptPauseNanoseconds: Int64 { 250_000_000 }

    private mutating func pauseAccepting() {
        acceptsAgainAt = now + EventLoop.acceptPauseNanoseconds
        shared.listeners.unwatch(by: poller)
    }

    /// Listens again when a pause is over, or on sockets that are new.
    mutating func resumeAccepting() {
        acceptsAgainAt = .max
        do throws(SystemError) { try listen() } catch {
            Log.shared.warning("Cannot watch a listening socket: \(error.description)")
        }
    }

    /// Chooses the loop of a new connection.
    private mutating func place(_ descriptor: Int32) {
        let clients = shared.clientCount.add(1, ordering: .relaxed).newValue
        if clients > settings.maxClients {
            Socket.refuse(descriptor, "-ERR max number of clients reached\r\n")
            shared.clientCount.subtract(1, ordering: .relaxed)
            shared.turn.take { $0.statistics.connectionsRejected += 1 }
            return
        }
        var best = index
        var fewest = Int.max
        for (number, inbox) in shared.inboxes.enumerated() {
            let count = inbox.connectionCount.load(ordering: .relaxed)
            if count < fewest {
                fewest = count
                best = number
            }
        }
        var clientId: UInt64 = 0
        shared.turn.take { clientId = $0.nextClientId() }
        let socket = AcceptedSocket(descriptor: descriptor, clientId: clientId)
        if best == index {
            shared.inboxes[best].connectionCount.add(1, ordering: .relaxed)
            adopt(socket)
        } else {
            shared.inboxes[best].add(socket)
        }
    }

    mutating func receiveInbox() {
        inbox.wakeup.clear()
        let (accepted, isStopping) = inbox.take()
        for socket in accepted { adopt(socket) }
        if isStopping { self.isStopping = true }
        if index == 0, shared.listeners.version.load(ordering: .acquiring) != listenersVersion { resumeAccepting() }
    }

    /// Makes an accepted socket a client of this loop.
    private mutating func adopt(_ socket: AcceptedSocket) {
        let descriptor = socket.descriptor
        let peer = Socket.name(of: descriptor, peer: true)
        let local = Socket.name(of: descriptor, peer: false)
        if !peer.isUnix { Socket.configure(descriptor, keepaliveSeconds: settings.tcpKeepaliveSeconds) }
        let token = connections.reserve()
        let unixName = "\(shared.unixSocketPath):0"
        var session: SessionReference?
        var isAuthenticated = true
        shared.turn.take { engine in
            refreshSettings(engine)
            if engine.settings.protectedMode && !engine.requiresPassword && !peer.isLoopback { return }
            let reference = engine.connect(
                id: socket.clientId, loop: index, connection: token, address: peer.isUnix ? unixName : peer.text,
                localAddress: peer.isUnix ? unixName : local.text, isUnixSocket: peer.isUnix, descriptor: descriptor)
            var gauges = ConnectionGauges()
            gauges.memoryByteCount = Connection.idleByteCount
            engine.updateGauges(gauges, of: reference)
            isAuthenticated = reference.session.isAuthenticated
            session = reference
        }
        guard let session else {
            Socket.refuse(descriptor, ProtectedMode.refusal)
            return abandon(token)
        }
        do throws(SystemError) {
            try poller.add(descriptor, [.read, .hangup], token: token)
        } catch {
            Log.shared.warning("Cannot watch a new client's socket: \(error.description)")
            Socket.close(descriptor)
            shared.turn.take { $0.disconnect(session) }
            return abandon(token)
        }
        connections.insert(
            Connection(
                descriptor: descriptor, token: token, session: session, isUnixSocket: peer.isUnix,
                isAuthenticated: isAuthenticated, now: now),
            token: token)
    }

    private mutating func abandon(_ token: UInt64) {
        connections.cancel(token)
        inbox.connectionCount.subtract(1, ordering: .relaxed)
        shared.clientCount.subtract(1, ordering: .relaxed)
    }
}

/// What a client from outside reads when the server has no password and listens beyond the machine.
enum ProtectedMode {
    static let refusal: StaticString = """
        -DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the \
        default user. In this mode connections are only accepted from the loopback interface. If you want to connect \
        from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected \
        mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis \
        from the same host the server is running, however MAKE SURE Redis is not publicly accessible from internet \
        if you do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the \
        protected mode by editing the Redis configuration file, and setting the protected mode option to 'no', and \
        then restarting the server. 3) If you started the server manually just for testing, restart it with the \
        '--protected-mode no' option. 4) Set up an authentication password for the default user. NOTE: You only need \
        to do one of the above things in order for the server to start accepting connections from the outside.\r\n
        """
}
