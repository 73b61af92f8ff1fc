// SendBatch.swift - the same moment's sends to many sockets as one system call, by io_uring: for a message to many
// subscribers the way into the kernel is a sixth of what a send costs. Made by the thread that uses it; nothing is under
// way between two calls.
package import Base
internal import CLinux

@safe package struct SendBatch: ~Copyable {
    /// What became of a send: bytes that went out, nil when the peer is gone.
    package typealias Outcome = (owner: Int, byteCount: Int?)

    /// Sends that fit.
    private static let countMax = 64
    private var ring: Ring
    private var count = 0
    private var owners = [Int](repeating: 0, count: SendBatch.countMax)
    private var results = [Int](repeating: 0, count: SendBatch.countMax)

    /// Throws where the kernel has no io_uring that a thread can wait for like this (Linux 6.1), or refuses it.
    package init() throws(SystemError) { ring = try Ring(ownEntryCount: SendBatch.countMax) }

    package var isFull: Bool { count == SendBatch.countMax }

    /// Adds a send for `owner`, whatever number that is to the caller. The bytes stay where they are until `send`.
    @unsafe package mutating func add(
        _ socket: Int32, _ bytes: UnsafePointer<UInt8>, count byteCount: Int, owner: Int
    ) {
        precondition(!isFull, "a batch takes no more than \(SendBatch.countMax) sends")
        owners[count] = owner
        // What the ring does not take is a send of nothing: the caller goes on by itself.
        results[count] = 0
        _ = unsafe ring.prepareSend(socket, bytes, count: byteCount, token: UInt64(count))
        count += 1
    }

    /// Sends what was added, as far as the sockets take it now; returns how many sends that were.
    package mutating func send() -> Int {
        if count > 0 { ring.submitAndWait() }
        while let (token, result) = ring.nextCompletion() { results[Int(token)] = result }
        defer { count = 0 }
        return count
    }

    /// What became of send `number` of the last `send`.
    package func outcome(_ number: Int) -> Outcome {
        switch results[number] {
        case 0...: (owners[number], results[number])
        case -Int(EAGAIN), -Int(EINTR): (owners[number], 0)
        default: (owners[number], nil)
        }
    }
}
