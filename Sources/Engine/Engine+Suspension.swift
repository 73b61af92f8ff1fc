// Engine+Suspension.swift - suspending, resuming and timing out sessions. A resumed command runs at once, under the
// turn of whoever resumed it, into a buffer of its own, which is delivered to its connection; so it runs in the order
// of the turn and before anything its client sent later. Deadlines are a heap; entries of sessions that no longer
// wait are skipped when they come up.
internal import Base
internal import RESP

/// Who waits, in order of arrival, and until when.
package struct WaitingSessions: ~Copyable {
    private var nextOrder: UInt64 = 1
    /// Every suspended session by its order of arrival.
    private var byOrder: [UInt64: SessionReference] = [:]
    private var deadlines = DeadlineQueue()
    package private(set) var blockedCount = 0

    package init() {}

    package var count: Int { byOrder.count }

    /// Blocked sessions that will not wait forever (INFO clients_in_timeout_table).
    package var blockedWithDeadlineCount: Int {
        byOrder.values.reduce(0) { count, session in
            let isCounted: Bool
            switch session.session.suspension {
            case .some(let suspension): isCounted = suspension.countsAsBlocked && suspension.deadline != nil
            case .none: isCounted = false
            }
            return count + (isCounted ? 1 : 0)
        }
    }

    mutating func takeOrder() -> UInt64 {
        defer { nextOrder += 1 }
        return nextOrder
    }

    mutating func add(_ session: SessionReference, order: UInt64, deadline: Int64?, isBlocked: Bool) {
        byOrder[order] = session
        if isBlocked { blockedCount += 1 }
        if let deadline { _ = deadlines.insert(deadlineNanoseconds: deadline, token: order) }
    }

    mutating func remove(order: UInt64, isBlocked: Bool) {
        if byOrder.removeValue(forKey: order) != nil, isBlocked { blockedCount -= 1 }
    }

    /// Monotonic time of the next deadline that may matter.
    mutating func nextDeadline() -> Int64? { deadlines.nextDeadline() }

    /// The session whose deadline has passed, if any still waits for one.
    mutating func popExpired(_ now: Int64) -> SessionReference? {
        while let token = deadlines.popExpired(now: now) {
            if let session = byOrder[token] { return session }
        }
        return nil
    }

    /// Sessions in order of arrival.
    package var ordered: [SessionReference] { byOrder.keys.sorted().compactMap { byOrder[$0] } }
}

extension Engine {
    mutating func suspend(
        _ session: SessionReference, reason: SuspensionReason, deadline: Int64?, slot: Int,
        arguments: borrowing Arguments
    ) {
        precondition(session.session.suspension == nil, "a session waits for one thing at a time")
        let suspension = Suspension(
            reason: reason, deadline: deadline, order: waiting.takeOrder(), slot: slot, arguments: arguments)
        waiting.add(
            session, order: suspension.order, deadline: deadline, isBlocked: suspension.countsAsBlocked)
        session.session.suspension = consume suspension
        if reason != .paused { session.session.lastCommand = slot }
        if let deadline { hooks.wakeAt(deadline) }
    }

    /// Forgets what the session waits for, without running anything.
    mutating func cancelSuspension(_ session: SessionReference) {
        guard let suspension = session.session.suspension.take() else { return }
        waiting.remove(order: suspension.order, isBlocked: suspension.countsAsBlocked)
    }

    /// Runs the session's command again and delivers its reply. It may suspend again; then nothing is delivered.
    package mutating func resume(_ session: SessionReference, _ resumption: Resumption) {
        guard let suspension = session.session.suspension.take() else { return }
        waiting.remove(order: suspension.order, isBlocked: suspension.countsAsBlocked)
        var output = ByteBuffer()
        var outcome = Outcome.done
        stamp = ticks()
        // A command that a pause held back has not run yet: for it this is the first time, gates included.
        let reported: Resumption? = suspension.reason == .paused ? nil : resumption
        suspension.withArguments { arguments in
            unsafe withUnsafeMutablePointer(to: &output) { buffer in
                unsafe outcome = execute(
                    session, slot: suspension.slot, arguments: arguments, hashedArgument: 0, hash: 0, output: buffer,
                    resumption: reported)
            }
        }
        guard outcome != .suspended else { return }
        deliver(.resumed(output.span.array), to: session)
        if outcome == .close { deliver(.closeAfterReply, to: session) }
    }

    /// Resumes every session whose deadline has passed. Returns the next deadline, nil when nobody waits for one.
    package mutating func resumeExpired() -> Int64? {
        let now = clock.monotonicNanoseconds
        while let session = waiting.popExpired(now) {
            let isPause = session.session.suspension?.reason == .paused
            resume(session, isPause ? .ready : .timedOut)
        }
        if runOrphan() { return now }
        return waiting.nextDeadline()
    }

    /// CLIENT UNBLOCK. False when the client does not wait in a blocking command.
    package mutating func unblock(_ session: SessionReference, withError: Bool) -> Bool {
        guard session.session.suspension?.countsAsBlocked == true else { return false }
        resume(session, withError ? .unblocked : .timedOut)
        return true
    }
}
