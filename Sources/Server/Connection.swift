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
    var input = ByteBuffer()
    /// Bytes to be written; `written` of them are gone.
    var output = ByteBuffer()
    var written = 0

    /// Replies in `output` that wait for the disk, in order (`ReplyHolds.swift`).
    var holds: [HeldReply] = []

    /// A command of this client waits; nothing more is read until it is resumed.
    var isSuspended = false
    /// Close once the output is written.
    var closesAfterOutput = false
    var isAuthenticated: Bool
    var interest: Poller.Interest = [.read, .hangup]
    /// Has a segment in the loop's present batch.
    var isInRound = false
    /// To be closed when the round has settled: until then the batch refers to its session and its bytes.
    var isDoomed = false
    /// The client has shut its sending half down: what it sent runs and is answered, then the connection ends.
    var hasEndedInput = false
    /// A client that `timeout` never closes (MONITOR); as of the last gauges.
    var isExemptFromTimeout = false
    /// In the list of connections with input to run without another read.
    var hasReadyInput = false
    /// Monotonic nanoseconds of the last read.
    var lastActivity: Int64
    /// Monotonic nanoseconds at which the output first exceeded the soft limit, 0 while it does not.
    var softLimitSince: Int64 = 0
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

    var pendingOutput: Int { output.count - written }

    /// Output to be written once more than this was written and is still held.
    private static let writtenKeptMax = 64 << 10

    /// Bytes of buffers this connection holds.
    var bufferByteCount: Int { input.capacity + output.capacity + parser.partialByteCount }

    /// Sizes for CLIENT LIST and INFO.
    var gauges: ConnectionGauges {
        var gauges = ConnectionGauges()
        gauges.queryByteCount = input.count
        gauges.queryFreeByteCount = input.capacity - input.count
        gauges.argumentByteCount = parser.partialByteCount
        gauges.outputByteCount = 0
        gauges.outputListLength = pendingOutput > 0 ? 1 : 0
        gauges.outputListByteCount = output.capacity
        gauges.isWaitingToWrite = hasSendable
        gauges.memoryByteCount = bufferByteCount + MemoryLayout<Connection>.size + MemoryLayout<Session>.size
        gauges.networkInput = networkInput
        gauges.networkOutput = networkOutput
        return gauges
    }

    /// Writes what may leave and the socket takes. Returns false when the peer is gone.
    mutating func flush() -> Bool {
        let end = sendableEnd
        while written < end {
            let result = unsafe Socket.write(descriptor, output.pointer + written, count: end - written)
            switch result {
            case .bytes(let count):
                written += count
                networkOutput += count
            case .wouldBlock: return true
            case .ended, .closed: return false
            }
        }
        if _slowPath(!holds.isEmpty) { return true }
        output.removeAll(keepingCapacity: 0)
        written = 0
        return true
    }

    /// Queues bytes behind what is already waiting.
    mutating func enqueue(_ bytes: Span<UInt8>) {
        if written > 0 && written == output.count && holds.isEmpty {
            output.removeAll(keepingCapacity: output.capacity)
            written = 0
        } else if written > Connection.writtenKeptMax && written > output.count / 2 {
            // A client that always lags a little must not make the buffer grow for ever.
            output.removeFirst(written)
            for index in holds.indices {
                holds[index].start -= written
                holds[index].end -= written
            }
            written = 0
        }
        output.append(bytes)
    }
}
