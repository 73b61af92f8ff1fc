// Engine+Suspension.swift - suspending, resuming and timing out sessions. A resumed command runs at once, under the
// turn of whoever resumed it, into a buffer of its own, which is delivered to its connection; so it runs in the order
// of the turn and before anything its client sent later. Within a transaction or a script nothing is resumed before
// the outermost command has ended. A command that waits for keys or the disk again keeps its place and its deadline.
internal import Base
internal import RESP

/// Who waits, in order of arrival, and until when.
package struct WaitingSessions: ~Copyable {
    private struct Place {
        let session: SessionReference
        let deadline: DeadlineQueue.Handle?
    }

    /// A resumption that has to wait for the end of the outermost command.
    struct Deferred {
        let session: SessionReference
        let order: UInt64
        let resumption: Resumption
    }

    /// What a running command that waited before would keep if it waited again.
    struct Resumed {
        let session: SessionReference
        let order: UInt64
        let deadline: Int64?
    }

    private var nextOrder: UInt64 = 1
    /// Every suspended session by its order of arrival.
    private var byOrder: [UInt64: Place] = [:]
    private var deadlines = DeadlineQueue()
    private var deferred: [Deferred] = []
    /// The innermost command that was resumed and runs now.
    var resumed: Resumed?
    package private(set) var blockedCount = 0

    package init() {}

    package var count: Int { byOrder.count }

    /// Blocked sessions that will not wait forever (INFO clients_in_timeout_table).
    package var blockedWithDeadlineCount: Int {
        byOrder.values.reduce(0) { count, place in
            let isCounted: Bool
            switch place.session.session.suspension {
            case .some(let suspension): isCounted = suspension.canBeUnblocked && suspension.deadline != nil
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
        let handle = deadline.map { deadlines.insert(deadlineNanoseconds: $0, token: order) }
        byOrder[order] = Place(session: session, deadline: handle)
        if isBlocked { blockedCount += 1 }
    }

    mutating func remove(order: UInt64, isBlocked: Bool) {
        guard let place = byOrder.removeValue(forKey: order) else { return }
        if let handle = place.deadline { deadlines.cancel(handle) }
        if isBlocked { blockedCount -= 1 }
    }

    /// Monotonic time of the next deadline that may matter.
    mutating func nextDeadline() -> Int64? { deadlines.nextDeadline() }

    /// The session whose deadline has passed, if any still waits for one.
    mutating func popExpired(_ now: Int64) -> SessionReference? {
        while let token = deadlines.popExpired(now: now) {
            if let place = byOrder[token] { return place.session }
        }
        return nil
    }

    /// Sessions in order of arrival.
    package var ordered: [SessionReference] { byOrder.keys.sorted().compactMap { byOrder[$0]?.session } }

    // MARK: resumptions that have to wait

    var hasDeferred: Bool { !deferred.isEmpty }

    func isDeferred(_ order: UInt64) -> Bool { deferred.contains { $0.order == order } }

    mutating func postpone(_ resumption: Deferred) {
        if !isDeferred(resumption.order) { deferred.append(resumption) }
    }

    /// Postponed resumptions of sessions that still wait, in their order.
    mutating func takeDeferred() -> [Deferred] {
        defer { deferred = [] }
        return deferred
    }

    func isWaiting(_ order: UInt64) -> Bool { byOrder[order] != nil }
}

extension Engine {
    mutating func suspend(
        _ session: SessionReference, reason: SuspensionReason, deadline: Int64?, slot: Int,
        arguments: borrowing Arguments, wait: KeyWait? = nil
    ) {
        precondition(session.session.suspension == nil, "a session waits for one thing at a time")
        var order: UInt64
        var deadline = deadline
        if wait != nil || reason == .durability, let resumed = waiting.resumed, resumed.session == session {
            order = resumed.order
            if wait?.renewsDeadline != true { deadline = resumed.deadline }
        } else {
            order = waiting.takeOrder()
        }
        var keys: [KeyIdentity] = []
        if let wait { keys = joinLines(session, order: order, wait) }
        let suspension = Suspension(
            reason: reason, deadline: deadline, order: order, keys: keys, slot: slot, arguments: arguments,
            words: wait?.words ?? [])
        waiting.add(
            session, order: suspension.order, deadline: deadline, isBlocked: suspension.countsAsBlocked)
        session.session.suspension = consume suspension
        if !reason.isHeldBack { session.session.lastCommand = slot }
        if let deadline { hooks.wakeAt(deadline) }
    }

    /// Forgets what the session waits for, without running anything.
    mutating func cancelSuspension(_ session: SessionReference) {
        _ = takeSuspension(session)
    }

    /// The session waits no more.
    private mutating func takeSuspension(_ session: SessionReference) -> Suspension? {
        guard let suspension = session.session.suspension.take() else { return nil }
        waiting.remove(order: suspension.order, isBlocked: suspension.countsAsBlocked)
        leaveLines(suspension)
        return suspension
    }

    /// Runs the session's command again and delivers its reply. It may suspend again; then nothing is delivered.
    /// Inside a transaction or a script this happens when the outermost command has ended.
    package mutating func resume(_ session: SessionReference, _ resumption: Resumption) {
        guard context == .client else { return postpone(session, resumption) }
        guard let suspension = takeSuspension(session) else { return }
        var output = ByteBuffer()
        var outcome = Outcome.done
        stamp = ticks()
        let isFirstRun = suspension.reason.isHeldBack
        let reported: Resumption? = isFirstRun ? nil : resumption
        let outer = waiting.resumed
        let journalEnd = journal.file.end
        coldWaits.served = suspension.reason == .cold ? session : nil
        if suspension.reason == .room { goOnHeldUp(until: suspension.deadline) }
        waiting.resumed = isFirstRun
            ? nil
            : WaitingSessions.Resumed(session: session, order: suspension.order, deadline: suspension.deadline)
        // What the command sends its own client follows its reply; what it sends the one that runs, that one's.
        let outerRunning = running
        running = session
        suspension.withArguments { arguments in
            unsafe withUnsafeMutablePointer(to: &output) { buffer in
                unsafe outcome = execute(
                    session, slot: suspension.slot, arguments: arguments, hashedArgument: 0, hash: 0, output: buffer,
                    resumption: reported)
            }
        }
        coldWaits.served = nil
        heldUp.ends()
        waiting.resumed = outer
        running = outerRunning
        if let outerRunning, outerRunning.session.isRecipient { outerRunning.session.gates.insert(.ownMail) }
        guard outcome != .suspended else { return }
        let bytes = output.span.array
        let isHeld = holdsReplies && journal.file.end != journalEnd
        deliver(isHeld ? .resumedHeld(bytes, until: journal.file.end) : .resumed(bytes), to: session)
        if outcome == .close { deliver(.closeAfterReply, to: session) }
    }

    /// Resumes every session whose deadline has passed. Returns the next deadline, nil when nobody waits for one.
    package mutating func resumeExpired() -> Int64? {
        // Whoever waits must not see what a slow script has half done.
        if runSlowScript() { return 0 }
        let now = clock.monotonicNanoseconds
        while let session = waiting.popExpired(now) {
            let isHeldBack = session.session.suspension?.reason.isHeldBack == true
            resume(session, isHeldBack ? .ready : .timedOut)
        }
        if trackers.broadcasts.hasPending { broadcastChanges() }
        flushJournal()
        let nextLook = resumeHeldUp()
        guard let next = waiting.nextDeadline() else { return nextLook }
        return nextLook.map { min($0, next) } ?? next
    }

    private mutating func postpone(_ session: SessionReference, _ resumption: Resumption) {
        guard let order = session.session.suspension?.order else { return }
        waiting.postpone(WaitingSessions.Deferred(session: session, order: order, resumption: resumption))
        effects.isPending = true
    }

    /// What a transaction or a script wanted to resume. A session that waits no more may be gone altogether.
    mutating func resumeDeferred() {
        guard waiting.hasDeferred else { return }
        for item in waiting.takeDeferred() where waiting.isWaiting(item.order) { resume(item.session, item.resumption) }
    }

    /// CLIENT UNBLOCK. False when the client does not wait in a blocking command.
    package mutating func unblock(_ session: SessionReference, withError: Bool) -> Bool {
        guard session.session.suspension?.canBeUnblocked == true, let order = session.session.suspension?.order,
            !waiting.isDeferred(order)
        else { return false }
        resume(session, withError ? .unblocked : .timedOut)
        return true
    }
}
