// EventLoop+Output.swift - output that could not be written at once: watching for room, the limits after which a client
// that does not read is dropped, and what the engine delivered for connections outside their own round.
internal import Base
internal import Engine
internal import Reactor
internal import Synchronization

extension EventLoop {
    /// Called when bytes were queued: tries to write, watches the socket, enforces `client-output-buffer-limit`.
    @unsafe mutating func outputGrew(_ connection: UnsafeMutablePointer<Connection>) {
        if unsafe connection.pointee.isDoomed { return }
        let token = unsafe connection.pointee.token
        guard unsafe connection.pointee.flush() else { return close(token) }
        if unsafe connection.pointee.pendingOutput == 0 {
            if unsafe connection.pointee.closesAfterOutput { return close(token) }
        } else if unsafe exceedsOutputLimit(connection) {
            return unsafe dropSlowReader(connection)
        }
        unsafe settleInterest(connection)
    }

    /// The socket took bytes: a connection that was held back because it did not read may go on.
    @unsafe mutating func outputShrank(_ connection: UnsafeMutablePointer<Connection>) {
        if unsafe connection.pointee.pendingOutput == 0 && connection.pointee.closesAfterOutput {
            return unsafe close(connection.pointee.token)
        }
        if unsafe connection.pointee.pendingOutput == 0 { unsafe connection.pointee.softLimitSince = 0 }
        unsafe settleInterest(connection)
        if unsafe !connection.pointee.isSuspended && connection.pointee.pendingOutput == 0 {
            unsafe noteReadyInput(connection)
            if unsafe connection.pointee.hasEndedInput && !connection.pointee.hasReadyInput {
                unsafe close(connection.pointee.token)
            }
        }
    }

    /// Reads while the client may be served, writes while something waits.
    @unsafe func isHeldBack(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
        unsafe connection.pointee.isSuspended || connection.pointee.pendingOutput > EventLoop.heldBackOutputMin
    }

    /// Unread replies above which nothing more is read from the client.
    private static var heldBackOutputMin: Int { 1 << 20 }

    @unsafe mutating func settleInterest(_ connection: UnsafeMutablePointer<Connection>) {
        if unsafe connection.pointee.isSuspended { return unsafe setInterest(connection, [.hangup]) }
        if unsafe connection.pointee.hasEndedInput { return unsafe setInterest(connection, []) }
        // One that is held back may shut its sending half down and still read every reply.
        unsafe setInterest(connection, isHeldBack(connection) ? [] : [.read, .hangup])
    }

    /// Hard limit at once; soft limit when exceeded for its time without a pause.
    @unsafe private func exceedsOutputLimit(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
        // With what was written of it: that memory is held too.
        let held = unsafe connection.pointee.output.count
        if unsafe !connection.pointee.isAuthenticated && held > EventLoop.unauthenticatedOutputMax { return true }
        let limit = settings.outputBufferLimits.normal
        if limit.hardBytes > 0 && held > limit.hardBytes { return true }
        guard limit.softBytes > 0 && held > limit.softBytes else {
            unsafe connection.pointee.softLimitSince = 0
            return false
        }
        if unsafe connection.pointee.softLimitSince == 0 { unsafe connection.pointee.softLimitSince = now }
        return unsafe (now - connection.pointee.softLimitSince) / 1_000_000_000 >= Int64(limit.softSeconds)
    }

    /// Unread replies that a client may leave before it has authenticated.
    private static var unauthenticatedOutputMax: Int { 1024 }

    @unsafe private mutating func dropSlowReader(_ connection: UnsafeMutablePointer<Connection>) {
        let token = unsafe connection.pointee.token
        let held = unsafe connection.pointee.output.count
        Log.shared.warning("Client closed for overcoming of output buffer limits: \(held) bytes are waiting")
        shared.turn.take { $0.statistics.outputBufferLimitDisconnections += 1 }
        close(token)
    }

    // MARK: deliveries

    /// Takes what was posted while no batch of ours ran.
    mutating func takeDeliveries() {
        guard wasWoken else { return }
        wasWoken = false
        var deliveries: [LoopPort.Posted]?
        shared.turn.take { engine in
            deliveries = engine.takeDeliveries(for: index)
            refreshSettings(engine)
        }
        if let deliveries { apply(deliveries) }
    }

    mutating func apply(_ posted: [LoopPort.Posted]) {
        for (token, deliveries) in posted {
            for delivery in deliveries {
                guard let connection = unsafe connections.find(token), unsafe !connection.pointee.isDoomed else {
                    break
                }
                unsafe apply(delivery, to: connection)
            }
            if let connection = unsafe connections.find(token) { unsafe outputGrew(connection) }
        }
    }

    @unsafe private mutating func apply(_ delivery: Delivery, to connection: UnsafeMutablePointer<Connection>) {
        switch delivery {
        case .output(let bytes): unsafe connection.pointee.enqueue(bytes.span)
        case .resumed(let bytes):
            unsafe connection.pointee.enqueue(bytes.span)
            unsafe goOn(connection)
        case .resumedHeld(let bytes, let offset):
            let hold = HeldReply(start: 0, end: bytes.count, offset: offset)
            unsafe connection.pointee.enqueue(bytes.span, held: CollectionOfOne(hold))
            unsafe noteHeld(connection)
            unsafe goOn(connection)
        case .closeAfterReply: unsafe connection.pointee.closesAfterOutput = true
        case .close: unsafe close(connection.pointee.token)
        }
    }

    /// The client's command has ended: what it sent meanwhile may run.
    @unsafe private mutating func goOn(_ connection: UnsafeMutablePointer<Connection>) {
        unsafe connection.pointee.isSuspended = false
        unsafe noteReadyInput(connection)
    }
}
