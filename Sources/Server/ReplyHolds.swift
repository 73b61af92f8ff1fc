// ReplyHolds.swift - replies that wait for the append only file: a command that wrote is answered when the journal is
// on the device up to what it wrote (`appendfsync always`), or when the system has it (the other policies, where the
// writer was at rest). A connection's output up to the first such reply leaves at once, what is behind it stays in
// order; clients that only read never wait. When the disk refuses, what waits is answered with the reason instead: such
// a write happened, but nobody promised that it will last. Each loop owns its connections' holds; `Durability` is what
// the writer's thread tells all loops.
internal import Base
internal import Engine
internal import Synchronization

/// A reply that waits, by its place in the bytes it came with.
struct HeldReply {
    var start: Int
    var end: Int
    /// Journal offset that must be kept.
    let offset: Int64
}

/// What a connection may not send yet: a reply that waits, and everything behind it.
struct HeldOutput: ~Copyable {
    private var bytes = ByteBuffer()
    private var holds: [HeldReply] = []

    var isEmpty: Bool { @inline(__always) get { bytes.isEmpty } }
    var byteCount: Int { bytes.count }

    /// Bytes that come behind what waits.
    mutating func append(_ more: Span<UInt8>) { bytes.append(more) }

    /// As `append`, for bytes that are shared: they are copied, since this is rare.
    mutating func append(_ more: SharedBytes, _ range: Range<Int>) { more.buffer.copy(range, to: &bytes) }

    /// Bytes with replies in them that wait.
    mutating func append(_ more: Span<UInt8>, holds added: some Sequence<HeldReply>) {
        let base = bytes.count
        bytes.append(more)
        for hold in added {
            holds.append(HeldReply(start: base + hold.start, end: base + hold.end, offset: hold.offset))
        }
    }

    /// Moves what needs to wait no more to `output`: the journal is kept up to `offset`. With a `refusal`
    /// all of it moves, the refusal in the place of every reply that would have to wait on.
    mutating func release(through offset: Int64, refusal: [UInt8]?, to output: inout OutputQueue) {
        var position = 0
        var count = 0
        for hold in holds {
            if hold.offset > offset {
                guard let refusal else { break }
                output.append(bytes.span.extracting(position..<hold.start))
                output.append(refusal.span)
                position = hold.end
            }
            count += 1
        }
        let end = count < holds.count ? holds[count].start : bytes.count
        output.append(bytes.span.extracting(position..<end))
        holds.removeFirst(count)
        if end == bytes.count { return bytes.removeAll(keepingCapacity: 0) }
        bytes.removeFirst(end)
        for index in holds.indices {
            holds[index].start -= end
            holds[index].end -= end
        }
    }
}

/// How far the journal is kept, and whether it can get further.
final class Durability: Sendable {
    /// Journal bytes that may be acknowledged: those on the device, or those that the system has.
    let offset = Atomic<Int64>(0)
    /// Some client may be in WAITAOF; while none is nobody takes the turn for it.
    let hasWaiters = Atomic<Bool>(false)
    private let isFailing = Atomic<Bool>(false)
    private let reason = Mutex("")

    func setFailure(_ text: String?) {
        if let text { reason.withLock { $0 = text } }
        isFailing.store(text != nil, ordering: .sequentiallyConsistent)
    }

    /// What held replies become while the disk refuses.
    var refusal: [UInt8]? {
        guard isFailing.load(ordering: .sequentiallyConsistent) else { return nil }
        return Array("-MISCONF Errors writing to the AOF file: \(reason.withLock { $0 })\r\n".utf8)
    }
}

extension EventLoop {
    /// The segment's output has replies that wait: all of it is queued, what may leave leaves.
    @unsafe mutating func enqueueHeld(
        _ segment: Batch.Segment, _ held: ArraySlice<Batch.Hold>, to connection: UnsafeMutablePointer<Connection>
    ) {
        let start = segment.outputStart
        let bytes = unsafe Span(
            _unsafeStart: UnsafePointer(batch.output.pointer) + start, count: segment.outputEnd - start)
        let replies = held.lazy.map { HeldReply(start: $0.start - start, end: $0.end - start, offset: $0.offset) }
        unsafe connection.pointee.held.append(bytes, holds: replies)
        unsafe noteHeld(connection)
    }

    /// The connection's held output is looked at until it is empty.
    @unsafe mutating func noteHeld(_ connection: UnsafeMutablePointer<Connection>) {
        // Once, however many of its replies wait: what is let go of it is sent once.
        guard unsafe !connection.pointee.isNotedHeld else { return }
        unsafe connection.pointee.isNotedHeld = true
        if heldConnections.isEmpty { inbox.isHolding.store(true, ordering: .sequentiallyConsistent) }
        unsafe heldConnections.append(connection.pointee.token)
    }

    /// Lets go what is kept by now; at the end of every round while anything waits.
    mutating func releaseHeld() {
        guard !heldConnections.isEmpty else { return }
        let offset = shared.durability.offset.load(ordering: .sequentiallyConsistent)
        let refusal = shared.durability.refusal
        let tokens = heldConnections
        let areSentTogether = sendsTogether(tokens.count)
        heldConnections.removeAll(keepingCapacity: true)
        for token in tokens {
            guard let connection = unsafe connections.find(token) else { continue }
            unsafe connection.pointee.isNotedHeld = false
            if unsafe connection.pointee.held.isEmpty { continue }
            unsafe connection.pointee.held.release(
                through: offset, refusal: refusal, to: &connection.pointee.output)
            if unsafe !connection.pointee.held.isEmpty { unsafe noteHeld(connection) }
            unsafe areSentTogether ? addReleased(connection) : flushReleased(connection)
        }
        finishReleased()
        if heldConnections.isEmpty { inbox.isHolding.store(false, ordering: .sequentiallyConsistent) }
    }

    /// Writes what was let go.
    @unsafe mutating func flushReleased(_ connection: UnsafeMutablePointer<Connection>) {
        guard unsafe connection.pointee.flush() else { return unsafe close(connection.pointee.token) }
        unsafe outputShrank(connection)
    }
}
