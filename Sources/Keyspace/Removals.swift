// Removals.swift - keys that went without a command asking for it (expired, later evicted), on their way to the
// engine's effects: journal, notifications, tracking. Recording is off while nobody listens, which is the usual case,
// so an expiry then costs nothing more. One buffer is reused; no allocation in steady state.
internal import Base

package struct Removals: ~Copyable {
    package enum Reason: UInt8, Sendable {
        case expired = 1
        case evicted = 2
        /// A tag of it was invalidated.
        case invalidated = 3
    }

    /// Whether anybody wants to know; set by the engine.
    package var isRecorded = false
    private var records = ByteBuffer()

    package init() {}

    package var isEmpty: Bool { @inline(__always) get { records.isEmpty } }

    /// Bytes recorded: a place between two removals.
    package var byteCount: Int { records.count }

    mutating func add(_ key: Span<UInt8>, database: Int, reason: Reason) {
        guard isRecorded else { return }
        records.append(reason.rawValue)
        append(UInt32(truncatingIfNeeded: database))
        append(UInt32(truncatingIfNeeded: key.count))
        records.append(key)
    }

    private mutating func append(_ value: UInt32) {
        for shift in [0, 8, 16, 24] as [UInt32] { records.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// The removals recorded so far, taken away.
    package mutating func take() -> Removals {
        var taken = Removals()
        Swift.swap(&taken.records, &records)
        return taken
    }

    /// Calls `body` with every removal in order and forgets them.
    package mutating func drain(_ body: (Reason, Int, Span<UInt8>) -> Void) {
        var taken = Removals()
        Swift.swap(&taken.records, &records)
        taken.forEach(body)
    }

    /// Calls `body` with every removal in order.
    package func forEach(_ body: (Reason, Int, Span<UInt8>) -> Void) { forEach(from: 0, to: byteCount, body) }

    /// Of the removals between two places (`byteCount`).
    package func forEach(from start: Int, to end: Int, _ body: (Reason, Int, Span<UInt8>) -> Void) {
        let bytes = records.span
        var offset = start
        while offset + 9 <= min(end, bytes.count) {
            let database = Removals.read(bytes, offset + 1)
            let count = Removals.read(bytes, offset + 5)
            let key = bytes.extracting((offset + 9)..<(offset + 9 + count))
            if let reason = Reason(rawValue: bytes[offset]) { body(reason, database, key) }
            offset += 9 + count
        }
    }

    private static func read(_ bytes: Span<UInt8>, _ offset: Int) -> Int {
        var value = 0
        for index in (0..<4).reversed() { value = value << 8 | Int(bytes[offset + index]) }
        return value
    }
}
