// EventLoop+Output.swift - output that could not be written at once: watching for room, and the limits after which a
// client that does not read is dropped.
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
            unsafe connection.pointee.unreadSince = nil
        } else if unsafe exceedsOutputLimit(connection) {
            return unsafe dropSlowReader(connection, waiting: connection.pointee.output.heldByteCount)
        }
        if unsafe connection.pointee.pendingOutput > 0 && connection.pointee.unreadSince == nil {
            unsafe connection.pointee.unreadSince = connection.pointee.networkInput
        }
        unsafe reportBuffers(connection)
        unsafe settleInterest(connection)
        // The socket may have taken all by now, and then nobody else tells that input which was held back may go on;
        // of a connection in its round `settle` does.
        if unsafe connection.pointee.pendingOutput == 0 && !connection.pointee.isInRound
            && !connection.pointee.isSuspended
        {
            unsafe noteReadyInput(connection)
        }
    }

    /// Of buffers that have grown CLIENT LIST tells before the next gauges are due. That they have shrunk matters at
    /// once only where clients are disconnected for what they hold.
    @unsafe func reportBuffers(_ connection: UnsafeMutablePointer<Connection>) {
        let byteCount = unsafe connection.pointee.bufferByteCount
        let growth = unsafe byteCount - connection.pointee.reportedByteCount
        guard _slowPath(abs(growth) >= EventLoop.reportedByteCountStep) else { return }
        unsafe connection.pointee.reportedByteCount = byteCount
        if growth < 0 && settings.maxmemoryClients == 0 { return }
        let gauges = unsafe connection.pointee.gauges
        let session = unsafe connection.pointee.session
        shared.turn.take { $0.updateGauges(gauges, of: session) }
    }

    private static var reportedByteCountStep: Int { 16 << 10 }

    /// The socket took bytes: a connection that was held back because it did not read may go on.
    @unsafe mutating func outputShrank(_ connection: UnsafeMutablePointer<Connection>) {
        if unsafe connection.pointee.pendingOutput == 0 && connection.pointee.closesAfterOutput {
            return unsafe close(connection.pointee.token)
        }
        if unsafe connection.pointee.pendingOutput == 0 {
            unsafe connection.pointee.softLimitSince = 0
            unsafe connection.pointee.unreadSince = nil
        }
        unsafe reportBuffers(connection)
        unsafe settleInterest(connection)
        if unsafe !connection.pointee.isSuspended && connection.pointee.pendingOutput == 0 {
            unsafe noteReadyInput(connection)
            if unsafe connection.pointee.hasEndedInput && !connection.pointee.hasReadyInput {
                unsafe close(connection.pointee.token)
            }
        }
    }

    /// The client leaves so many replies unread that no further commands of it are run until it reads: a fixed amount,
    /// and as much as it sent meanwhile, since keeping commands takes memory too. Where a limit says when such a client
    /// is cut, that limit decides, and it is not held back before.
    @unsafe @inline(__always)
    func hasUnreadOutput(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
        let waiting = unsafe connection.pointee.pendingOutput
        guard _slowPath(waiting > EventLoop.unreadOutputMax) else { return false }
        let limits = settings.outputBufferLimits
        let limit = unsafe connection.pointee.isSubscriber ? limits.pubsub : limits.normal
        let received = unsafe connection.pointee.networkInput
        let since = unsafe connection.pointee.unreadSince ?? received
        return waiting > max(
            EventLoop.unreadOutputMax + received - since, limit.hardBytes, limit.softBytes,
            settings.clientMemoryLimit ?? 0)
    }

    private static var unreadOutputMax: Int { 1 << 20 }

    /// So much was read ahead that the client has to wait until it reads.
    @unsafe func isReadingPaused(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
        unsafe connection.pointee.input.count > settings.clientQueryBufferLimit / 2 && hasUnreadOutput(connection)
    }

    /// Reads while the client may be served, writes while something waits.
    @unsafe mutating func settleInterest(_ connection: UnsafeMutablePointer<Connection>) {
        if unsafe connection.pointee.isSuspended { return unsafe setInterest(connection, [.hangup]) }
        if unsafe connection.pointee.hasEndedInput { return unsafe setInterest(connection, []) }
        // One that is held back may shut its sending half down and still read every reply.
        unsafe setInterest(connection, isReadingPaused(connection) ? [] : [.read, .hangup])
    }

    /// Hard limit at once; soft limit when exceeded for its time without a pause.
    @unsafe private func exceedsOutputLimit(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
        // With what was written of it: that memory is held too.
        let held = unsafe connection.pointee.output.heldByteCount + connection.pointee.held.byteCount
        if unsafe !connection.pointee.isAuthenticated && held > EventLoop.unauthenticatedOutputMax { return true }
        let limits = settings.outputBufferLimits
        let limit = unsafe connection.pointee.isSubscriber ? limits.pubsub : limits.normal
        if limit.hardBytes > 0 && held > limit.hardBytes { return true }
        guard limit.softBytes > 0 && held > limit.softBytes else {
            unsafe connection.pointee.softLimitSince = 0
            return false
        }
        if unsafe connection.pointee.softLimitSince == 0 { unsafe connection.pointee.softLimitSince = now }
        return unsafe (now - connection.pointee.softLimitSince) / 1_000_000_000 >= Int64(limit.softSeconds)
    }

    /// Whether the replies to one read alone are more than the hard limit allows: such a client is cut before the
    /// kernel takes anything, however much it would take.
    @unsafe @inline(__always)
    func repliesExceedLimit(_ connection: UnsafeMutablePointer<Connection>, _ byteCount: Int) -> Bool {
        let limits = settings.outputBufferLimits
        let hardBytes = unsafe connection.pointee.isSubscriber ? limits.pubsub.hardBytes : limits.normal.hardBytes
        return _slowPath(hardBytes > 0) && byteCount > hardBytes
    }

    /// Unread replies that a client may leave before it has authenticated.
    private static var unauthenticatedOutputMax: Int { 1024 }

    @unsafe mutating func dropSlowReader(_ connection: UnsafeMutablePointer<Connection>, waiting held: Int) {
        let token = unsafe connection.pointee.token
        Log.shared.warning("Client closed for overcoming of output buffer limits: \(held) bytes are waiting")
        shared.turn.take { $0.statistics.outputBufferLimitDisconnections += 1 }
        close(token)
    }
}
