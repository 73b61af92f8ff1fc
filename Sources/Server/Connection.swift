// Connection.swift - one client's socket as its loop sees it: what was read and not yet run, what is to be written.
// Both buffers are empty, and hold no memory, while the client is idle or keeps up: a round reads into the loop's arena
// and writes from the batch's output. Owned by one loop; nobody else touches it.
internal import Base
internal import Engine
internal import RESP
internal import Reactor

struct Connection: ~Copyable {
    let descriptor: Int32
    let token: UInt64
    let session: SessionReference
    let isUnixSocket: Bool
    var parser = CommandParser()
    /// Bytes received and not run yet.
    var input = InputQueue()
    var output = OutputQueue()
    /// Replies that wait for the disk, and all output behind them (`ReplyHolds.swift`).
    var held = HeldOutput()

    /// A command of this client waits; nothing more is read until it is resumed.
    var isSuspended = false
    /// Close once the output is written.
    var closesAfterOutput = false
    var isAuthenticated: Bool
    var interest: Poller.Interest = [.read, .hangup]
    /// Has a segment in the loop's present batch.
    var isInRound = false
    /// To be closed when the round has settled: until then the batch refers to its session and its bytes.
    private(set) var isDoomed = false
    /// The client has shut its sending half down: what it sent runs and is answered, then the connection ends.
    var hasEndedInput = false
    /// Listens to channels: another limit holds for its unread output. As of its last mail, or the last gauges.
    var isSubscriber = false
    /// A client that `timeout` never closes (MONITOR, subscribers); as of the last gauges.
    var isExemptFromTimeout = false
    /// In the loop's list of connections with held output.
    var isNotedHeld = false
    /// In the list of connections with input to run without another read.
    var hasReadyInput = false
    /// Monotonic nanoseconds of the last read.
    var lastActivity: Int64
    /// Monotonic nanoseconds at which the output first exceeded the soft limit, 0 while it does not.
    var softLimitSince: Int64 = 0
    /// What had been received in all when the client began to leave replies unread; nil while it reads them.
    var unreadSince: Int?
    /// Memory of buffers that the engine was told of last.
    var reportedByteCount = 0
    var networkInput = 0
    var networkOutput = 0

    init(
        descriptor: Int32, token: UInt64, session: SessionReference, isUnixSocket: Bool, isAuthenticated: Bool,
        now: Int64
    ) {
        self.descriptor = descriptor
        self.token = token
        self.session = session
        self.isUnixSocket = isUnixSocket
        self.isAuthenticated = isAuthenticated
        lastActivity = now
    }

    var pendingOutput: Int { output.pendingByteCount + held.byteCount }

    /// Bytes of buffers this connection holds.
    var bufferByteCount: Int {
        input.capacity + output.reservedByteCount + held.byteCount + parser.partialByteCount
    }

    /// Memory of a connection that holds no bytes.
    static var idleByteCount: Int { MemoryLayout<Connection>.size + MemoryLayout<Session>.size }

    /// Sizes for CLIENT LIST and INFO.
    var gauges: ConnectionGauges {
        var gauges = ConnectionGauges()
        // As in Redis: a large argument is all that its query buffer holds, what came before are arguments.
        gauges.queryByteCount = input.count - parser.headByteCount
        gauges.queryFreeByteCount = input.capacity - input.count
        gauges.argumentByteCount = parser.headByteCount + parser.partialByteCount
        gauges.outputByteCount = 0
        gauges.outputListLength = pendingOutput > 0 ? 1 : 0
        gauges.outputListByteCount = output.reservedByteCount
        gauges.isWaitingToWrite = output.pendingByteCount > 0
        gauges.memoryByteCount = bufferByteCount + Connection.idleByteCount
        gauges.networkInput = networkInput
        gauges.networkOutput = networkOutput
        return gauges
    }

    /// The connection is to be closed when the round has settled: nobody reads what waits.
    mutating func doom() {
        isDoomed = true
        output = OutputQueue()
        held = HeldOutput()
    }

    /// Writes what the socket takes. Returns false when the peer is gone.
    mutating func flush() -> Bool {
        guard let count = output.flush(descriptor) else { return false }
        networkOutput += count
        return true
    }

    /// The socket took so much of the output's front.
    mutating func took(_ count: Int) {
        output.took(count)
        networkOutput += count
    }

    /// Queues bytes behind what is already waiting.
    mutating func enqueue(_ bytes: Span<UInt8>) {
        if _fastPath(held.isEmpty) { output.append(bytes) } else { held.append(bytes) }
    }

    /// Writes a part of shared bytes from where it lies; what the socket does not take waits there. False when the peer
    /// is gone.
    mutating func send(_ bytes: SharedBytes, _ range: Range<Int>) -> Bool {
        if pendingOutput > 0 {
            if held.isEmpty { output.append(bytes, range) } else { held.append(bytes, range) }
            return true
        }
        var start = range.lowerBound
        while start < range.upperBound {
            switch unsafe Socket.write(descriptor, bytes.buffer.pointer + start, count: range.upperBound - start) {
            case .bytes(let count):
                start += count
                networkOutput += count
            case .wouldBlock:
                output.append(bytes, start..<range.upperBound)
                return true
            case .ended, .closed: return false
            }
        }
        return true
    }

    /// As `send`, for bytes that do not outlive the call: what the socket does not take is copied.
    mutating func send(_ bytes: Span<UInt8>) -> Bool {
        var start = 0
        while pendingOutput == 0 && start < bytes.count {
            let rest = bytes.extracting(start..<bytes.count)
            let result = unsafe rest.withUnsafeBufferPointer { buffer in
                unsafe Socket.write(descriptor, buffer.baseAddress.unsafelyUnwrapped, count: buffer.count)
            }
            switch result {
            case .bytes(let count):
                start += count
                networkOutput += count
            case .wouldBlock:
                output.append(rest)
                return true
            case .ended, .closed: return false
            }
        }
        if start < bytes.count { enqueue(bytes.extracting(start..<bytes.count)) }
        return true
    }
}
