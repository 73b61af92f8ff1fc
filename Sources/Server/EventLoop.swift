// EventLoop.swift - one thread of the server: an epoll set, its connections and a batch. A round has four phases: read
// every ready connection, parse and hash all complete commands, run them under the turn in bounded batches, write the
// replies. Only the third holds the turn. The first loop also accepts (EventLoop+Accepting) and keeps time
// (EventLoop+Timekeeping). Nothing here knows what a command means.
internal import Base
internal import CLinux
internal import Engine
internal import RESP
internal import Reactor
internal import Synchronization

@safe struct EventLoop: ~Copyable {
    /// Tokens of descriptors that are no connections.
    static let wakeupToken = UInt64.max
    static let listenerToken = UInt64.max - 1
    static let signalToken = UInt64.max - 2
    static let coldToken = UInt64.max - 3

    /// Fresh input of a round is read here, connection after connection; nothing stays in it between rounds.
    private static let arenaByteCount = 256 << 10
    /// Room a read gets at least; the kernel hands out up to a whole pipeline at once.
    static let readByteCountMin = 16 << 10
    static let readByteCountMax = 64 << 10
    /// Commands parsed before they are run: bounds the memory of a round.
    private static let itemsPerRound = 4096

    /// What a buffer for replies has at least: grown from nothing it would leave its smaller selves with the allocator,
    /// whose caches of threads keep pieces of up to half this size.
    private static let replyByteCountMin = 64 << 10

    let index: Int
    let shared: ServerShared
    let inbox: LoopInbox
    let poller: Poller
    var connections = ConnectionTable()
    var batch: Batch
    var ranges = ArgumentRanges()
    private let arena: MappedBuffer
    private var arenaUsed = 0
    /// Connections that hold complete commands but need no read (resumed, or paused by their own unread output).
    var readyInput: [UInt64] = []
    /// Connections with replies that wait for the disk.
    var heldConnections: [UInt64] = []
    /// Which of the changing sets of listening sockets the first loop watches.
    var listenersVersion = 0
    var isStopping = false
    var counters = LoopCounters()
    /// Somebody signalled us since we last looked for deliveries.
    var wasWoken = false
    var nextTick: Int64 = 0
    var nextIdleCheck: Int64 = 0
    /// Replies of this flush were not sent, but dropped with their client.
    private var hasCutReplies = false
    /// When listening goes on after the system had no descriptor left; Int64.max while it does.
    var acceptsAgainAt = Int64.max
    /// Mail that goes out before our replies, and mail that goes out behind them.
    var mailBefore = Mailbag()
    var mailAfter = Mailbag()
    /// Small pieces of mail on their way into one write.
    var gathered = ByteBuffer()
    /// Sends to many connections by one call (EventLoop+Sends); nil before there were many, and where the kernel has
    /// none.
    var sends: SendBatch?
    var hasNoSends = false
    /// Which segments' replies were sent together, and what became of them; empty when none were.
    var sentReplies: [Socket.Transfer?] = []
    /// Monotonic nanoseconds when this round began.
    var now: Int64 = Clock().monotonicNanoseconds
    /// The engine's settings as of our last turn.
    var settings: Settings
    private var settingsVersion = -1

    init(index: Int, shared: ServerShared) throws(SystemError) {
        let poller = try Poller()
        let arena = try MappedBuffer(byteCount: EventLoop.arenaByteCount)
        try poller.add(shared.inboxes[index].wakeup.descriptor, .read, token: EventLoop.wakeupToken)
        if index == 0 { try poller.add(shared.coldWakeup.descriptor, .read, token: EventLoop.coldToken) }
        self.poller = poller
        self.index = index
        self.shared = shared
        inbox = shared.inboxes[index]
        batch = Batch(commands: shared.commands)
        settings = shared.initialSettings
        self.arena = arena
    }

    // MARK: rounds

    mutating func run() {
        while !isStopping {
            let timeout = readyInput.isEmpty ? waitMilliseconds() : 0
            let count = poller.wait(timeoutMilliseconds: timeout)
            now = Clock().monotonicNanoseconds
            for index in 0..<count {
                handle(poller.event(index))
                let isArenaFull = arenaLeft < EventLoop.readByteCountMin
                if batch.itemCount >= EventLoop.itemsPerRound || isArenaFull { finishRound() }
            }
            parseReadyInput()
            finishRound()
            takeDeliveries()
            releaseHeld()
            runTimers()
            counters.cycles &+= 1
            let nanoseconds = Int(Clock().monotonicNanoseconds &- now)
            counters.nanoseconds &+= nanoseconds
            inbox.counters = counters
            inbox.noteRound(nanoseconds: nanoseconds)
        }
        closeAll()
    }

    private var arenaLeft: Int { EventLoop.arenaByteCount - arenaUsed }

    private mutating func handle(_ event: Poller.Event) {
        switch event.token {
        case EventLoop.wakeupToken:
            wasWoken = true
            receiveInbox()
        case EventLoop.signalToken: shared.signals?.receive()
        case EventLoop.coldToken: pollCold()
        case EventLoop.listenerToken...: acceptAll()
        default: handleConnection(event)
        }
    }

    private mutating func handleConnection(_ event: Poller.Event) {
        guard let connection = unsafe connections.find(event.token) else { return }
        if event.isWritable {
            counters.writes &+= 1
            guard unsafe connection.pointee.flush() else { return close(event.token) }
            unsafe connection.pointee.lastActivity = now
            unsafe outputShrank(connection)
        }
        guard unsafe connections.find(event.token) != nil else { return }
        if event.isReadable {
            unsafe readAndParse(connection)
        } else if event.isBroken {
            close(event.token)
        } else if event.isHangup, unsafe connection.pointee.isSuspended {
            // Nobody waits for the answer of a blocked client that has left.
            close(event.token)
        }
    }

    // MARK: reading and parsing

    @unsafe private mutating func readAndParse(_ connection: UnsafeMutablePointer<Connection>) {
        // One segment a round: what else arrived is reported again by the next wait.
        if unsafe connection.pointee.isInRound || connection.pointee.hasEndedInput { return }
        // Nothing more is read while complete commands wait for their round, or input would grow without bound.
        if unsafe connection.pointee.hasReadyInput && !connection.pointee.isSuspended { return }
        if unsafe connection.pointee.isSuspended || connection.pointee.closesAfterOutput {
            return unsafe drainClosed(connection)
        }
        if _slowPath(unsafe hasUnreadOutput(connection)) { return unsafe readAhead(connection) }
        if unsafe connection.pointee.input.isEmpty {
            let room = min(arenaLeft, EventLoop.readByteCountMax)
            let target = unsafe arena.pointer + arenaUsed
            let descriptor = unsafe connection.pointee.descriptor
            guard case .bytes(let count) = unsafe received(connection, Socket.read(descriptor, target, count: room))
            else { return }
            arenaUsed += count
            unsafe parse(connection, bytes: UnsafePointer(target), count: count, isArena: true)
        } else {
            if unsafe readOn(connection) { unsafe parseInput(connection) }
        }
    }

    /// A client that waits or is being closed: only its departure is of interest.
    @unsafe private mutating func drainClosed(_ connection: UnsafeMutablePointer<Connection>) {
        if unsafe connection.pointee.closesAfterOutput {
            let room = min(arenaLeft, EventLoop.readByteCountMax)
            let result = unsafe Socket.read(connection.pointee.descriptor, arena.pointer + arenaUsed, count: room)
            if result == .closed { unsafe close(connection.pointee.token) }
            if result == .ended { unsafe endInput(connection) }
            return
        }
        unsafe setInterest(connection, [.hangup])
    }

    /// Parses what the connection's own buffer holds.
    @unsafe private mutating func parseInput(_ connection: UnsafeMutablePointer<Connection>) {
        let count = unsafe connection.pointee.input.count
        if count > settings.clientQueryBufferLimit {
            Log.shared.warning("Closing client that reached max query buffer length: \(count) bytes")
            shared.turn.take { $0.statistics.queryBufferLimitDisconnections += 1 }
            return unsafe close(connection.pointee.token)
        }
        unsafe parse(connection, bytes: UnsafePointer(connection.pointee.input.pointer), count: count, isArena: false)
    }

    /// Parses every complete command in `bytes` into the batch, then settles with what is left.
    @unsafe private mutating func parse(
        _ connection: UnsafeMutablePointer<Connection>, bytes: UnsafePointer<UInt8>, count: Int, isArena: Bool
    ) {
        let session = unsafe connection.pointee.session
        let token = unsafe connection.pointee.token
        let limits = unsafe CommandParser.Limits(
            bulkByteCountMax: settings.protoMaxBulkLength, isAuthenticated: connection.pointee.isAuthenticated)
        batch.beginSegment(session, connection: Int(bitPattern: UInt(token)))
        unsafe connection.pointee.isInRound = true
        let view = unsafe Span(_unsafeStart: bytes, count: count)
        var offset = 0
        var failure: ProtocolError?
        parsing: while offset < count {
            ranges.removeAll()
            let outcome = unsafe connection.pointee.parser.parse(view, from: offset, limits: limits, into: &ranges)
            switch outcome {
            case .command(let end):
                unsafe batch.add(
                    ranges, bytes: bytes, unquoted: UnsafePointer(connection.pointee.parser.unquoted.pointer), end: end)
                offset = end
                // Before AUTH one command at a time: the next one may be parsed under other limits.
                // After quotes too: the words live in a buffer that the next such line may move.
                let hasQuotes = unsafe connection.pointee.parser.unquoted.count > 0
                if !limits.isAuthenticated || hasQuotes || batch.itemCount >= EventLoop.itemsPerRound {
                    break parsing
                }
            case .nothing(let end): offset = end
            case .incomplete: break parsing
            case .failure(let error):
                failure = error
                break parsing
            }
        }
        unsafe pending.append(
            PendingSegment(
                token: token, bytes: bytes, count: count, parsedEnd: offset, isArena: isArena, failure: failure))
    }

    /// What a segment of the batch leaves behind when its commands have run.
    @unsafe struct PendingSegment {
        let token: UInt64
        let bytes: UnsafePointer<UInt8>
        let count: Int
        let parsedEnd: Int
        let isArena: Bool
        let failure: ProtocolError?
    }
    private var pending: [PendingSegment] = unsafe []

    /// Connections that hold input and may run it now.
    private mutating func parseReadyInput() {
        guard !readyInput.isEmpty else { return }
        let tokens = readyInput
        readyInput = []
        for token in tokens {
            guard let connection = unsafe connections.find(token) else { continue }
            unsafe connection.pointee.hasReadyInput = false
            // In the round already: what its segment leaves is noted again when the round settles.
            if unsafe connection.pointee.isInRound { continue }
            if unsafe !connection.pointee.isSuspended && !connection.pointee.input.isEmpty {
                unsafe parseInput(connection)
            }
        }
    }

    @unsafe mutating func noteReadyInput(_ connection: UnsafeMutablePointer<Connection>) {
        guard unsafe !connection.pointee.hasReadyInput, unsafe !connection.pointee.input.isEmpty else { return }
        unsafe connection.pointee.hasReadyInput = true
        readyInput.append(unsafe connection.pointee.token)
    }

    // MARK: running and flushing

    private mutating func finishRound() {
        if unsafe pending.isEmpty { return }
        repeat {
            runBatch()
            flushSegments()
            deliverMailAfter()
        } while !batch.isFinished
        settleSegments()
        batch.removeAll()
        unsafe pending.removeAll(keepingCapacity: true)
        arenaUsed = 0
    }

    /// One turn: first what others posted to our connections, in order, then our commands.
    private mutating func runBatch() {
        guard batch.itemCount > 0 else { return }
        if _slowPath(batch.output.capacity == 0) { batch.output.reserve(EventLoop.replyByteCountMin) }
        shared.turn.take { engine in
            let start = engine.turnStart
            engine.takeDeliveries(for: index, into: &mailBefore)
            batch.run(&engine)
            engine.takeDeliveries(for: index, into: &mailAfter)
            refreshSettings(engine)
            engine.noteTurn(since: start)
        }
        deliverMailBefore()
    }

    /// Copies the settings when they have changed since the last turn.
    @inline(__always)
    mutating func refreshSettings(_ engine: borrowing Engine) {
        if _slowPath(settingsVersion != engine.settingsVersion) {
            settings = engine.settings
            settingsVersion = engine.settingsVersion
        }
    }

    /// Writes what the turn produced: straight from the batch's output when the connection has nothing waiting.
    private mutating func flushSegments() {
        var held = 0..<0
        hasCutReplies = false
        sendRepliesTogether()
        for number in 0..<batch.segments.count {
            let segment = batch.segments[number]
            guard segment.outputEnd > segment.outputStart || segment.outcome != .done else { continue }
            let token = UInt64(UInt(bitPattern: segment.connection))
            guard let connection = unsafe connections.find(token), unsafe !connection.pointee.isDoomed else {
                batch.abandonRest(ofSegment: number)
                continue
            }
            if _slowPath(!batch.holds.isEmpty) { held = batch.holds(of: number, behind: held.upperBound) }
            unsafe write(segment, to: connection, number: number, held: held)
            batch.clearOutput(ofSegment: number)
        }
        batch.output.removeAll(keepingCapacity: hasCutReplies ? 0 : 256 << 10)
    }

    @unsafe private mutating func write(
        _ segment: Batch.Segment, to connection: UnsafeMutablePointer<Connection>, number: Int,
        held: Range<Int>
    ) {
        if segment.outcome == .suspended { unsafe connection.pointee.isSuspended = true }
        if segment.outcome == .close { unsafe connection.pointee.closesAfterOutput = true }
        let byteCount = segment.outputEnd - segment.outputStart
        if _slowPath(unsafe repliesExceedLimit(connection, byteCount)) {
            batch.abandonRest(ofSegment: number)
            hasCutReplies = true
            return unsafe dropSlowReader(connection, waiting: byteCount)
        }
        let start = unsafe UnsafePointer(batch.output.pointer) + segment.outputStart
        var written = 0
        if _slowPath(!held.isEmpty) {
            unsafe enqueueHeld(segment, batch.holds[held], to: connection)
            unsafe outputGrew(connection)
            written = byteCount
        } else if unsafe connection.pointee.pendingOutput == 0 && byteCount > 0 {
            counters.writes &+= 1
            let sent = sentReplies.isEmpty ? nil : sentReplies[number]
            switch unsafe sent ?? Socket.write(connection.pointee.descriptor, start, count: byteCount) {
            case .bytes(let count):
                unsafe connection.pointee.networkOutput += count
                written = count
            case .wouldBlock: break
            case .ended, .closed:
                batch.abandonRest(ofSegment: number)
                return unsafe close(connection.pointee.token)
            }
        }
        if written < byteCount { unsafe enqueueRest(start + written, count: byteCount - written, of: connection) }
        if unsafe connection.pointee.isDoomed {
            batch.abandonRest(ofSegment: number)
        } else if unsafe connection.pointee.closesAfterOutput {
            batch.abandonRest(ofSegment: number)
            if unsafe connection.pointee.pendingOutput == 0 { unsafe close(connection.pointee.token) }
        } else if unsafe hasUnreadOutput(connection) {
            batch.abandonRest(ofSegment: number)
        }
    }

    /// What the socket did not take.
    @unsafe @inline(never)
    private mutating func enqueueRest(
        _ start: UnsafePointer<UInt8>, count: Int, of connection: UnsafeMutablePointer<Connection>
    ) {
        unsafe connection.pointee.enqueue(Span(_unsafeStart: start, count: count))
        unsafe outputGrew(connection)
    }

    /// After the batch: what each connection did not run stays in its own buffer; protocol errors are answered.
    private mutating func settleSegments() {
        for number in 0..<batch.segments.count {
            let token = unsafe pending[number].token
            guard let connection = unsafe connections.find(token) else { continue }
            unsafe settle(connection, batch.segments[number], pending[number])
        }
    }

    @unsafe private mutating func settle(
        _ connection: UnsafeMutablePointer<Connection>, _ segment: Batch.Segment, _ left: PendingSegment
    ) {
        unsafe connection.pointee.isInRound = false
        if unsafe connection.pointee.isDoomed { return unsafe close(connection.pointee.token) }
        let ranAll = segment.executedCount == segment.parsedCount
        let consumed = unsafe ranAll ? left.parsedEnd : batch.executedEnd(segment)
        if !ranAll { unsafe connection.pointee.parser.reset() }
        unsafe connection.pointee.parser.endRound()
        unsafe connection.pointee.isAuthenticated = segment.isAuthenticated
        if unsafe connection.pointee.closesAfterOutput {
            return unsafe connection.pointee.input.removeAll()
        }
        if ranAll, let failure = unsafe left.failure {
            // A command that waits is answered first: the malformed bytes are kept and met again.
            if unsafe !connection.pointee.isSuspended { return unsafe answer(failure, connection) }
            unsafe connection.pointee.parser.reset()
        }
        let restCount = unsafe left.count - consumed
        if unsafe left.isArena {
            if restCount > 0 {
                unsafe connection.pointee.input.append(left.bytes + consumed, count: restCount)
                unsafe reportBuffers(connection)
            }
        } else {
            unsafe connection.pointee.input.removeFirst(consumed)
            unsafe reportBuffers(connection)
        }
        // A command may wait behind what ran: after AUTH, at the round's limit, or when output held the rest back.
        if restCount > 0 && consumed > 0, unsafe !hasUnreadOutput(connection) { unsafe noteReadyInput(connection) }
        if unsafe connection.pointee.isSuspended { unsafe setInterest(connection, [.hangup]) }
        if unsafe connection.pointee.hasEndedInput && !connection.pointee.isSuspended
            && connection.pointee.pendingOutput == 0 && !connection.pointee.hasReadyInput
        {
            unsafe close(connection.pointee.token)
        }
    }

    @unsafe private mutating func answer(
        _ failure: ProtocolError, _ connection: UnsafeMutablePointer<Connection>
    ) {
        var text = ByteBuffer()
        text.append("-ERR ")
        failure.append(to: &text)
        text.append("\r\n")
        shared.turn.take { $0.noteProtocolError() }
        unsafe connection.pointee.input.removeAll()
        unsafe connection.pointee.enqueue(text.span)
        unsafe connection.pointee.closesAfterOutput = true
        unsafe outputGrew(connection)
    }

    // MARK: interest and closing

    @unsafe mutating func setInterest(_ connection: UnsafeMutablePointer<Connection>, _ interest: Poller.Interest) {
        var wanted = interest
        if unsafe connection.pointee.output.pendingByteCount > 0 { wanted.insert(.write) }
        guard unsafe connection.pointee.interest != wanted else { return }
        unsafe connection.pointee.interest = wanted
        do throws(SystemError) {
            try unsafe poller.modify(connection.pointee.descriptor, wanted, token: connection.pointee.token)
        } catch {
            Log.shared.warning("Cannot watch a client's socket: \(error.description)")
            unsafe close(connection.pointee.token)
        }
    }

    mutating func close(_ token: UInt64) {
        guard let connection = unsafe connections.find(token) else { return }
        if unsafe connection.pointee.isInRound {
            // The batch still refers to its session and bytes; settling closes it. What it was to be sent goes now.
            unsafe connection.pointee.doom()
            let session = unsafe connection.pointee.session
            return shared.turn.take { $0.uncountMemory(of: session) }
        }
        let session = unsafe connection.pointee.session
        let gauges = unsafe connection.pointee.gauges
        unsafe Socket.close(connection.pointee.descriptor)
        connections.remove(token)
        shared.turn.take { engine in
            session.session.gauges = gauges
            engine.disconnect(session)
        }
        inbox.connectionCount.subtract(1, ordering: .relaxed)
        shared.clientCount.subtract(1, ordering: .relaxed)
    }

    private mutating func closeAll() {
        for token in connections.tokens {
            if let connection = unsafe connections.find(token) { _ = unsafe connection.pointee.flush() }
            close(token)
        }
        shared.listeners.close()
    }
}
