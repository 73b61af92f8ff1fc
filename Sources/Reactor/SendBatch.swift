// SendBatch.swift - the sends of one moment to many sockets as one system call, by io_uring: with many clients ready at
// once, the way into the kernel is a sixth of what a send of a reply or message costs. Used by the thread that made it;
// nothing is under way between two calls.
package import Base
internal import CLinux

@safe package struct SendBatch: ~Copyable {
    /// Sends that fit.
    private static let countMax = 64
    private var ring: Ring
    private var count = 0
    private var outcomes = [(owner: Int, transfer: Socket.Transfer)](
        repeating: (0, .wouldBlock), count: SendBatch.countMax)

    /// Throws where the kernel has no io_uring that a thread can wait for like this (Linux 6.1), or refuses it.
    package init() throws(SystemError) { ring = try Ring(ownEntryCount: SendBatch.countMax) }

    package var isFull: Bool { count == SendBatch.countMax }

    /// Adds a send for `owner`, whatever number that is to the caller. The bytes stay where they are until `send`.
    @unsafe package mutating func add(
        _ socket: Int32, _ bytes: UnsafePointer<UInt8>, count byteCount: Int, owner: Int
    ) {
        precondition(!isFull, "a batch takes no more than \(SendBatch.countMax) sends")
        // What the ring does not take has not been sent: the caller goes on with it as with a full socket.
        outcomes[count] = (owner, .wouldBlock)
        _ = unsafe ring.prepareSend(socket, bytes, count: byteCount, token: UInt64(count))
        count += 1
    }

    /// Sends what was added, as far as the sockets take it now; returns how many sends that were.
    package mutating func send() -> Int {
        guard count > 0 else { return 0 }
        ring.submitAndWait()
        while let (token, result) = ring.nextCompletion() { outcomes[Int(token)].transfer = SendBatch.transfer(result) }
        defer { count = 0 }
        return count
    }

    private static func transfer(_ result: Int) -> Socket.Transfer {
        switch result {
        case 0...: .bytes(result)
        case -Int(EAGAIN), -Int(EINTR): .wouldBlock
        default: .closed
        }
    }

    /// Send `number` of the last `send`: whose it was and what became of it.
    package func outcome(_ number: Int) -> (owner: Int, transfer: Socket.Transfer) { outcomes[number] }
}
