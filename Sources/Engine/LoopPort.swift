// LoopPort.swift - one event loop as the engine sees it: how to wake it, who of its connections has mail, and the bytes
// that mail shares. Made at start, never freed before the engine; reached by address, so that posting to a thousand
// subscribers touches no reference count. Under the turn.
internal import Base

struct LoopState: ~Copyable {
    /// Wakes the loop's thread; called at most once per collection.
    let wake: @Sendable () -> Void
    /// Sessions with mail, in order of their first piece.
    var recipients: [SessionReference] = []
    /// Frames of published messages; `Delivery.shared` and `Session.mailTail` are ranges of them.
    var bytes = SharedBytes()
    /// The frames last written, for RESP2 and RESP3: whose they are and where they lie.
    private var frame2 = 0..<0
    private var frame3 = 0..<0
    private var serial2: UInt64 = 0
    private var serial3: UInt64 = 0

    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    /// Where the frame of this message lies; empty when it was not written yet.
    @inline(__always)
    func frame(_ serial: UInt64, isRESP3: Bool) -> Range<Int> {
        if isRESP3 { return serial3 == serial ? frame3 : 0..<0 }
        return serial2 == serial ? frame2 : 0..<0
    }

    mutating func writeFrame(_ serial: UInt64, isRESP3: Bool, _ write: (inout ByteBuffer) -> Void) -> Range<Int> {
        let range = append(write)
        if isRESP3 {
            (serial3, frame3) = (serial, range)
        } else {
            (serial2, frame2) = (serial, range)
        }
        return range
    }

    /// Writes bytes for one or several connections of this loop; their place.
    mutating func append(_ write: (inout ByteBuffer) -> Void) -> Range<Int> {
        let start = bytes.buffer.count
        write(&bytes.buffer)
        return start..<bytes.buffer.count
    }

    /// The bytes were taken: nothing of them can be found any more.
    mutating func forgetFrames() {
        serial2 = 0
        serial3 = 0
    }
}

@safe package struct LoopPort: @unchecked Sendable {
    // Sendable because it is dereferenced only by whoever holds the turn.
    private let pointer: UnsafeMutablePointer<LoopState>

    init(wake: @escaping @Sendable () -> Void) {
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: LoopState(wake: wake))
    }

    func deallocate() {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    var state: LoopState {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
    }
}
