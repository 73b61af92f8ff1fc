// SessionRegistry.swift - all connected sessions, by id, in order of connection. Touched when clients come and go and
// by administrative commands; never on the request path.
internal import Base

package struct SessionRegistry: ~Copyable {
    private var byId: [UInt64: SessionReference] = [:]
    private var nextId: UInt64 = 1

    package init() {}

    package var count: Int { byId.count }

    mutating func takeId() -> UInt64 {
        defer { nextId += 1 }
        return nextId
    }

    mutating func add(_ session: SessionReference) { byId[session.session.id] = session }

    mutating func remove(_ session: SessionReference) { byId[session.session.id] = nil }

    package func find(_ id: UInt64) -> SessionReference? { byId[id] }

    /// All sessions, in no order.
    var unordered: some Collection<SessionReference> { byId.values }

    /// All sessions that nobody has killed, oldest first.
    package var all: [SessionReference] {
        byId.keys.sorted().compactMap { byId[$0] }.filter { !$0.session.gates.contains(.killed) }
    }
}

extension Engine {
    /// The id of a client that was just accepted; ids are never used twice.
    package mutating func nextClientId() -> UInt64 { sessions.takeId() }

    /// Registers a client that a loop accepted. `id` comes from `nextClientId`.
    package mutating func connect(
        id: UInt64, loop: Int, connection: UInt64, address: String, localAddress: String, isUnixSocket: Bool,
        descriptor: Int32
    ) -> SessionReference {
        let session = SessionReference(
            Session(
                id: id, loop: loop, connection: connection, address: address,
                localAddress: localAddress, isUnixSocket: isUnixSocket, descriptor: descriptor,
                account: acl.defaultAccount, now: clock.nowMilliseconds))
        if requiresPassword { session.session.gates.insert(.unauthenticated) }
        settleAccess(of: session)
        sessions.add(session)
        statistics.connectionsReceived += 1
        return session
    }

    /// Forgets a client whose connection is gone: what it waited for, what it watched. The reference is dead after it.
    package mutating func disconnect(_ session: SessionReference) {
        let isNeeded = orphanScript(of: session)
        cancelSuspension(session)
        if session.session.transaction?.progress == nil { closeTransaction(session) }
        unsubscribeAll(session)
        stopTracking(session)
        discardMail(of: session)
        uncountMemory(of: session)
        statistics.networkInput += session.session.gauges.networkInput
        statistics.networkOutput += session.session.gauges.networkOutput
        monitors.removeAll { $0 == session }
        setGate(.monitored, !monitors.isEmpty)
        sessions.remove(session)
        if !isNeeded { session.deallocate() }
    }

    /// MONITOR: the session sees every command from now on.
    package mutating func startMonitoring(_ session: SessionReference) {
        guard !monitors.contains(session) else { return }
        monitors.append(session)
        session.session.gates.insert(.monitor)
        setGate(.monitored, true)
    }

    package mutating func stopMonitoring(_ session: SessionReference) {
        monitors.removeAll { $0 == session }
        session.session.gates.remove(.monitor)
        setGate(.monitored, !monitors.isEmpty)
    }
}

extension Engine {
    /// A loop leaves its connection's sizes here.
    package mutating func updateGauges(_ gauges: ConnectionGauges, of session: SessionReference) {
        session.session.gauges = gauges
        guard gates.contains(.clientMemory) else { return }
        countMemory(of: session)
        if clientMemory.isOver { evictClients() }
    }

    /// CLIENT KILL: closes the client's connection; the one that is running gets its reply first.
    package mutating func kill(_ session: SessionReference, runningSession: SessionReference) {
        if session == runningSession {
            session.session.closesAfterReply = true
        } else {
            dismiss(session)
        }
    }

    /// QUIT: the client goes with the reply it gets now. For all others it is gone from here on, although its loop
    /// closes the connection later.
    package mutating func leave(_ session: SessionReference) {
        session.session.closesAfterReply = true
        session.session.gates.insert(.killed)
        unsubscribeAll(session)
        stopTracking(session)
    }

    /// Closes the connection of a client that is not running.
    mutating func dismiss(_ session: SessionReference) {
        session.session.gates.insert(.killed)
        cancelSuspension(session)
        deliver(.close, to: session)
    }
}
