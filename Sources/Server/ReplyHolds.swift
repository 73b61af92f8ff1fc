// ReplyHolds.swift - replies that wait for the disk (`appendfsync always`): a command that wrote is answered when the
// journal is on the device up to what it wrote. A connection's output up to the first such reply leaves at once, what
// is behind it stays in order; clients that only read never wait. When the disk refuses, what waits is answered with
// the reason instead: such a write happened, but nobody promised that it will last. Each loop owns its connections'
// holds; `Durability` is what the writer's thread tells all loops.
internal import Base
internal import Engine
internal import Synchronization

/// A reply in a connection's output that waits.
struct HeldReply {
    var start: Int
    var end: Int
    /// Journal offset that must be on the device.
    let offset: Int64
}

/// How far the journal is on the device, and whether it can get further.
final class Durability: Sendable {
    /// Journal bytes on the device.
    let offset = Atomic<Int64>(0)
    /// Clients in WAITAOF; while there are none nobody takes the turn for them.
    let waiterCount = Atomic<Int>(0)
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

extension Connection {
    /// Output from here on waits for the disk.
    var sendableEnd: Int {
        @inline(__always) get { _fastPath(holds.isEmpty) ? output.count : holds[0].start }
    }

    /// Whether the socket could take something.
    var hasSendable: Bool { written < sendableEnd }

    /// Queues `bytes`, in which the replies `held` (relative to their start) wait.
    mutating func enqueue(_ bytes: Span<UInt8>, held: some Sequence<HeldReply>) {
        enqueue(bytes)
        let base = output.count - bytes.count
        for hold in held {
            holds.append(HeldReply(start: base + hold.start, end: base + hold.end, offset: hold.offset))
        }
    }

    /// Replies whose writes are on the device wait no more.
    mutating func releaseHolds(through offset: Int64) {
        let count = holds.prefix { $0.offset <= offset }.count
        holds.removeFirst(count)
    }

    /// Puts `refusal` in the place of every reply that waits.
    mutating func refuseHolds(with refusal: [UInt8]) {
        var replaced = ByteBuffer(capacity: output.count)
        var position = written
        for hold in holds {
            replaced.append(output.span.extracting(position..<hold.start))
            replaced.append(refusal)
            position = hold.end
        }
        replaced.append(output.span.extracting(position..<output.count))
        output = replaced
        written = 0
        holds = []
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
        unsafe connection.pointee.enqueue(
            bytes, held: held.lazy.map { HeldReply(start: $0.start - start, end: $0.end - start, offset: $0.offset) })
        unsafe noteHeld(connection)
    }

    @unsafe mutating func noteHeld(_ connection: UnsafeMutablePointer<Connection>) {
        if heldConnections.isEmpty { inbox.isHolding.store(true, ordering: .sequentiallyConsistent) }
        unsafe heldConnections.append(connection.pointee.token)
    }

    /// Lets go what the device has by now; at the end of every round while anything waits.
    mutating func releaseHeld() {
        guard !heldConnections.isEmpty else { return }
        let offset = shared.durability.offset.load(ordering: .sequentiallyConsistent)
        let refusal = shared.durability.refusal
        let tokens = heldConnections
        heldConnections.removeAll(keepingCapacity: true)
        for token in tokens {
            guard let connection = unsafe connections.find(token), unsafe !connection.pointee.holds.isEmpty else {
                continue
            }
            unsafe connection.pointee.releaseHolds(through: offset)
            if let refusal, unsafe !connection.pointee.holds.isEmpty {
                unsafe connection.pointee.refuseHolds(with: refusal)
            }
            if unsafe !connection.pointee.holds.isEmpty { heldConnections.append(token) }
            guard unsafe connection.pointee.flush() else {
                close(token)
                continue
            }
            unsafe outputShrank(connection)
        }
        if heldConnections.isEmpty { inbox.isHolding.store(false, ordering: .sequentiallyConsistent) }
    }
}
