// Suspension.swift - the one way a command waits: it suspends its session with a reason and a deadline and is run
// again from its start when something resumes it (its key is ready, a pause ended, the deadline passed, CLIENT
// UNBLOCK). BLPOP, CLIENT PAUSE, WAIT and reads from disk are all this. The handler sees why it runs again in
// `call.resumption` and answers its own timeout. The arguments are copied once, when the session suspends.
// To add a reason: add a case here, call `call.suspend`, and call `engine.resume` where the reason ends.
internal import Base
internal import RESP

package enum SuspensionReason: Equatable, Sendable {
    /// CLIENT PAUSE.
    case paused
    /// Waits for keys; see `Blocking/Call+Waiting.swift`.
    case keys
    /// WAITAOF: waits until its client's writes are on the device.
    case durability
    /// A write to a large value that a running snapshot has not taken yet.
    case snapshot
    /// Values that it needs are read from disk.
    case cold
    /// Memory that it needs is free as soon as the disk has taken other values.
    case room
    /// DEBUG LOADAOF: waits until the append only file was loaded again.
    case reload
    /// DEBUG SUSPEND: waits for its deadline or CLIENT UNBLOCK, nothing else.
    case debug
    /// Its script has run for long and goes on when others had their turn.
    case script
    /// Its work is done in slices, between which others have their turn.
    case slices

    /// The command was held back before it ran: when it is resumed it runs for the first time, gates included.
    var isHeldBack: Bool { self == .paused || self == .snapshot || self == .cold || self == .room }
}

/// Why a suspended command runs again.
package enum Resumption: Equatable, Sendable {
    /// What it waited for may have happened: try again.
    case ready
    /// The deadline passed.
    case timedOut
    /// CLIENT UNBLOCK ... ERROR.
    case unblocked
}

package struct Suspension: ~Copyable {
    package let reason: SuspensionReason
    /// Monotonic nanoseconds; nil waits without end.
    package let deadline: Int64?
    /// Order of arrival among all suspensions: who waits longest is resumed first.
    package let order: UInt64
    /// Keys in whose lines the session stands.
    let keys: [KeyIdentity]
    let slot: Int
    let bytes: ByteBuffer
    let lengths: [Int]

    init(
        reason: SuspensionReason, deadline: Int64?, order: UInt64, keys: [KeyIdentity], slot: Int,
        arguments: borrowing Arguments, words: [(index: Int, word: [UInt8])] = []
    ) {
        self.reason = reason
        self.keys = keys
        self.deadline = deadline
        self.order = order
        self.slot = slot
        var bytes = ByteBuffer()
        var lengths: [Int] = []
        for index in 0..<arguments.count {
            if let replaced = words.first(where: { $0.index == index }) {
                bytes.append(replaced.word)
                lengths.append(replaced.word.count)
            } else {
                bytes.append(arguments[index])
                lengths.append(arguments[index].count)
            }
        }
        self.bytes = bytes
        self.lengths = lengths
    }

    /// Blocked as INFO counts it: by its own command or by CLIENT PAUSE; a slow script and work in slices are not.
    package var countsAsBlocked: Bool {
        switch reason {
        case .snapshot, .cold, .room, .script, .slices: false
        case .paused, .keys, .durability, .reload, .debug: true
        }
    }

    /// Whether CLIENT UNBLOCK ends it; CLIENT PAUSE holds its commands until its own end.
    var canBeUnblocked: Bool { countsAsBlocked && reason != .paused }

    /// Calls `body` with the kept arguments.
    func withArguments(_ body: (borrowing Arguments) -> Void) {
        let slices = UnsafeMutablePointer<ArgumentSlice>.allocate(capacity: max(1, lengths.count))
        defer { unsafe slices.deallocate() }
        var offset = 0
        for (index, length) in lengths.enumerated() {
            unsafe (slices + index).initialize(
                to: ArgumentSlice(base: UnsafePointer(bytes.pointer) + offset, count: length))
            offset += length
        }
        body(unsafe Arguments(unchecked: slices, count: lengths.count))
    }
}
