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

    // MARK: deliveries

    /// Takes what was posted while no batch of ours ran.
    mutating func takeDeliveries() {
        guard wasWoken else { return }
        wasWoken = false
        shared.turn.take { engine in
            engine.takeDeliveries(for: index, into: &mailBefore)
            refreshSettings(engine)
        }
        deliverMailBefore()
    }

    /// What others posted before our turn goes out before our replies.
    mutating func deliverMailBefore() {
        if mailBefore.items.isEmpty { return }
        var bag = Mailbag()
        swap(&bag, &mailBefore)
        deliver(bag)
        bag.removeAll()
        swap(&bag, &mailBefore)
    }

    /// What our commands posted to our own connections goes out behind our replies.
    mutating func deliverMailAfter() {
        if mailAfter.items.isEmpty { return }
        var bag = Mailbag()
        swap(&bag, &mailAfter)
        deliver(bag)
        bag.removeAll()
        swap(&bag, &mailAfter)
    }

    private mutating func deliver(_ bag: borrowing Mailbag) {
        for index in 0..<bag.items.count {
            let token = bag.items[index].connection
            guard let connection = unsafe connections.find(token), unsafe !connection.pointee.isDoomed else { continue }
            unsafe connection.pointee.isSubscriber = bag.items[index].isSubscriber
            let isAlive: Bool
            counters.writes &+= 1
            if bag.items[index].deliveries.isEmpty {
                isAlive = unsafe connection.pointee.send(bag.bytes, bag.items[index].tail)
            } else {
                isAlive = unsafe deliver(bag.items[index], bag.bytes, to: connection)
            }
            if isAlive {
                unsafe outputGrew(connection)
            } else {
                close(token)
            }
        }
    }

    /// Mail in several pieces: small ones are gathered, so that they cost one write. False when the client is gone.
    @unsafe private mutating func deliver(
        _ item: Mailbag.Item, _ bytes: SharedBytes, to connection: UnsafeMutablePointer<Connection>
    ) -> Bool {
        gathered.removeAll(keepingCapacity: EventLoop.gatheredByteCountMax * 4)
        for delivery in item.deliveries {
            switch delivery {
            case .output(let bytes): gathered.append(bytes)
            case .shared(let range):
                guard unsafe gather(bytes, range, for: connection) else { return false }
            case .resumed(let bytes):
                gathered.append(bytes)
                unsafe connection.pointee.isSuspended = false
                unsafe noteReadyInput(connection)
            case .resumedHeld(let bytes, let offset):
                guard unsafe connection.pointee.send(gathered.span) else { return false }
                gathered.removeAll(keepingCapacity: EventLoop.gatheredByteCountMax * 4)
                let hold = HeldReply(start: 0, end: bytes.count, offset: offset)
                unsafe connection.pointee.held.append(bytes.span, holds: CollectionOfOne(hold))
                unsafe noteHeld(connection)
                unsafe connection.pointee.isSuspended = false
                unsafe noteReadyInput(connection)
            case .closeAfterReply: unsafe connection.pointee.closesAfterOutput = true
            case .close: return false
            }
        }
        guard unsafe gather(bytes, item.tail, for: connection) else { return false }
        return unsafe connection.pointee.send(gathered.span)
    }

    /// Pieces up to this size are copied rather than written one by one.
    private static var gatheredByteCountMax: Int { 16 << 10 }

    @unsafe private mutating func gather(
        _ bytes: SharedBytes, _ range: Range<Int>, for connection: UnsafeMutablePointer<Connection>
    ) -> Bool {
        if range.count <= EventLoop.gatheredByteCountMax {
            bytes.buffer.copy(range, to: &gathered)
            return true
        }
        guard unsafe connection.pointee.send(gathered.span) else { return false }
        gathered.removeAll(keepingCapacity: EventLoop.gatheredByteCountMax * 4)
        return unsafe connection.pointee.send(bytes, range)
    }
}
