// Deliveries.swift - what the engine has for connections of other loops, or of this loop outside their own turn: bytes
// to send, commands that ended, connections to close. Posted and collected under the turn, so their order relative to
// every reply is the order of the turn. A loop that sleeps is woken once; the one whose commands run collects its own
// mail at the end of its turn.
internal import Base
internal import Synchronization

package enum Delivery: Sendable {
    /// Bytes for the connection's output.
    case output([UInt8])
    /// A part of what the loop's connections share (`Mailbag.bytes`), for the connection's output.
    case shared(Range<Int>)
    /// A suspended command ended with this reply; the connection reads on.
    case resumed([UInt8])
    /// As `resumed`; the reply must not leave before the journal is on the device up to this offset.
    case resumedHeld([UInt8], until: Int64)
    /// Close once the output so far is written.
    case closeAfterReply
    /// Close at once.
    case close
}

/// The mail of one loop's connections, as the loop takes it.
package struct Mailbag: ~Copyable {
    package struct Item {
        package let connection: UInt64
        package let deliveries: [Delivery]
        /// A part of `bytes` that comes behind the deliveries.
        package let tail: Range<Int>
        /// Which of the limits for unread output holds for the client.
        package let isSubscriber: Bool
    }

    package fileprivate(set) var items: [Item] = []
    /// What several connections send.
    package fileprivate(set) var bytes = SharedBytes()

    package init() {}

    /// Makes room for the next mail; bytes that no slow connection holds are used again.
    package mutating func removeAll() {
        items.removeAll(keepingCapacity: items.count <= Mailbag.keptCount)
        if isKnownUniquelyReferenced(&bytes) {
            bytes.buffer.removeAll(keepingCapacity: Mailbag.keptByteCount)
        } else {
            bytes = SharedBytes()
        }
    }

    private static let keptCount = 4096
    fileprivate static let keptByteCount = 256 << 10
}

extension Engine {
    /// Announces a loop; its number is its place in `loops`. Called before any loop runs.
    package mutating func addLoop(wake: @escaping @Sendable () -> Void) { loops.append(LoopPort(wake: wake)) }

    /// Wakes every loop, so that each takes a turn soon.
    package func wakeLoops() { for loop in loops { loop.state.wake() } }

    /// Posts to the session's connection.
    package mutating func deliver(_ delivery: Delivery, to session: SessionReference) {
        announce(session, loops[session.session.loop])
        if case .output(let bytes) = delivery {
            session.session.mailByteCount += bytes.count
            if exceedsOutputLimit(session) { return dropSlowReader(session) }
        }
        foldTail(of: session)
        session.session.mail.append(delivery)
    }

    /// Posts a part of what the loop's connections share.
    @inline(__always)
    mutating func deliver(_ range: Range<Int>, to session: SessionReference, _ port: LoopPort) {
        announce(session, port)
        session.session.mailByteCount &+= range.count
        if _slowPath(exceedsOutputLimit(session)) { return dropSlowReader(session) }
        let tail = session.session.mailTail
        if _fastPath(tail.upperBound == range.lowerBound) && !tail.isEmpty {
            session.session.mailTail = tail.lowerBound..<range.upperBound
        } else {
            foldTail(of: session)
            session.session.mailTail = range
        }
    }

    /// Puts the session on its loop's list.
    @inline(__always)
    private mutating func announce(_ session: SessionReference, _ port: LoopPort) {
        // What a client sends itself follows the reply of the command that does it.
        if session == running { session.session.gates.insert(.ownMail) }
        if session.session.isRecipient { return }
        session.session.isRecipient = true
        if port.state.recipients.isEmpty && session.session.loop != runningLoop { port.state.wake() }
        port.state.recipients.append(session)
    }

    private func foldTail(of session: SessionReference) {
        guard !session.session.mailTail.isEmpty else { return }
        session.session.mail.append(.shared(session.session.mailTail))
        session.session.mailTail = 0..<0
    }

    /// What waits here counts against `client-output-buffer-limit` together with what the connection held when its
    /// loop last told, so that a client which never reads cannot hide its backlog in the mail.
    @inline(__always)
    private func exceedsOutputLimit(_ session: SessionReference) -> Bool {
        let limit =
            session.session.isSubscriber
            ? settings.outputBufferLimits.pubsub.hardBytes : settings.outputBufferLimits.normal.hardBytes
        guard limit > 0, session.session.mailByteCount > limit / 2 else { return false }
        return session.session.mailByteCount + session.session.gauges.outputListByteCount > limit
    }

    @inline(never)
    private mutating func dropSlowReader(_ session: SessionReference) {
        guard !session.session.gates.contains(.killed) else { return }
        Log.shared.warning(
            "Client closed for overcoming of output buffer limits: \(session.session.mailByteCount) bytes are waiting")
        statistics.outputBufferLimitDisconnections += 1
        session.session.gates.insert(.killed)
        session.session.mail = [.close]
        session.session.mailTail = 0..<0
        session.session.mailByteCount = 0
    }

    /// What was posted for `loop` since the last call, into an empty bag. Costs one compare when there is nothing.
    @inline(__always)
    package mutating func takeDeliveries(for loop: Int, into bag: inout Mailbag) {
        if _fastPath(loops[loop].state.recipients.isEmpty) { return }
        collectDeliveries(for: loops[loop], into: &bag)
    }

    @inline(never)
    private mutating func collectDeliveries(for port: LoopPort, into bag: inout Mailbag) {
        precondition(bag.items.isEmpty && bag.bytes.buffer.isEmpty, "mail is collected into an empty bag")
        for index in 0..<port.state.recipients.count {
            let session = port.state.recipients[index]
            session.session.isRecipient = false
            if session.session.mail.isEmpty && session.session.mailTail.isEmpty { continue }
            bag.items.append(
                Mailbag.Item(
                    connection: session.session.connection, deliveries: session.session.mail,
                    tail: session.session.mailTail, isSubscriber: session.session.isSubscriber))
            if !session.session.mail.isEmpty { session.session.mail = [] }
            session.session.mailTail = 0..<0
            session.session.mailByteCount = 0
        }
        port.state.recipients.removeAll(keepingCapacity: true)
        port.state.forgetFrames()
        if bag.items.isEmpty {
            // All of it went out with replies.
            port.state.bytes.buffer.removeAll(keepingCapacity: Mailbag.keptByteCount)
        } else {
            swap(&bag.bytes, &port.state.bytes)
        }
    }

    /// Moves bytes that wait for a session into `output`: in front of the replies it is about to get, or behind the
    /// reply of the command that sent them, so that it sees messages and replies in the order of the turn. Anything
    /// that is not bytes, and what comes behind it, stays for its loop.
    @inline(never)
    mutating func writeMail(of session: SessionReference, to output: inout ByteBuffer) {
        foldTail(of: session)
        let mail = session.session.mail
        let shared = loops[session.session.loop].state.bytes
        var writtenCount = 0
        writing: for delivery in mail {
            let mark = output.count
            switch delivery {
            case .output(let bytes): output.append(bytes)
            case .shared(let range): shared.buffer.copy(range, to: &output)
            case .resumed, .resumedHeld, .closeAfterReply, .close: break writing
            }
            session.session.mailByteCount -= output.count - mark
            writtenCount += 1
        }
        session.session.mail.removeFirst(writtenCount)
    }

    /// Forgets mail of a session that is gone.
    mutating func discardMail(of session: SessionReference) {
        guard session.session.isRecipient else { return }
        loops[session.session.loop].state.recipients.removeAll { $0 == session }
    }
}
