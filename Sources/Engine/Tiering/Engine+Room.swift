// Engine+Room.swift - commands that need memory which the disk is about to free. When values are written faster than
// the disk takes those that make room for them, keys would have to go though there is room on disk. Instead the
// commands that grow the dataset wait a moment, in order of arrival: until the writer has got on, or the rate allows
// more. Not for long: whoever has waited for `patienceNanoseconds` evicts. All else goes on meanwhile. Under the turn.
internal import Base
internal import ColdStore
internal import Keyspace
internal import RESP

struct HeldUpCommands {
    struct Waiter {
        let session: SessionReference
        /// Of its suspension: it may be gone by then.
        let order: UInt64
    }

    var waiters: [Waiter] = []
    /// Until when the command that runs may wait, if it has waited already; and whether that is over.
    var deadline: Int64?
    var isOverdue = false
    init() {}

    /// The command has run, or waits again.
    mutating func ends() {
        deadline = nil
        isOverdue = false
    }
}

extension Engine {
    /// How long one command may wait.
    private static var patienceNanoseconds: Int64 { 200_000_000 }
    /// Between two looks at whether the rate allows more; the writer tells by itself when it has got on.
    private static var lookNanoseconds: Int64 { 2_000_000 }

    /// Lets the command wait. False for one that cannot.
    mutating func holdUp(_ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments) -> Bool {
        guard context == .client, let cold = keyspace.tiers.cold else { return false }
        let now = clock.monotonicNanoseconds
        let deadline = heldUp.deadline ?? now + Engine.patienceNanoseconds
        cold.statistics.commandsHeldUp += heldUp.deadline == nil ? 1 : 0
        suspend(reference, reason: .room, deadline: deadline, slot: id, arguments: arguments)
        guard let order = reference.session.suspension?.order else { return true }
        heldUp.waiters.append(HeldUpCommands.Waiter(session: reference, order: order))
        hooks.wakeAt(now + Engine.lookNanoseconds)
        return true
    }

    /// Runs the commands that wait while the disk takes values. Returns when to look again; nil when nobody waits.
    mutating func resumeHeldUp() -> Int64? {
        guard !heldUp.waiters.isEmpty, context == .client else { return nil }
        let waiters = heldUp.waiters
        heldUp.waiters = []
        var next = 0
        while next < waiters.count, !isDiskBusy {
            let waiter = waiters[next]
            next += 1
            if waiting.isWaiting(waiter.order) { resume(waiter.session, .ready) }
        }
        // Who waits on stands before those who had to wait again.
        let rest = waiters[next...].filter { waiting.isWaiting($0.order) }
        heldUp.waiters = rest + heldUp.waiters
        return heldUp.waiters.isEmpty ? nil : clock.monotonicNanoseconds + Engine.lookNanoseconds
    }

    /// A command that has waited runs again.
    mutating func goOnHeldUp(until deadline: Int64?) {
        heldUp.deadline = deadline
        heldUp.isOverdue = deadline.map { $0 <= clock.monotonicNanoseconds } ?? false
        if heldUp.isOverdue { keyspace.tiers.cold?.statistics.commandsOverdue += 1 }
    }

    private var isDiskBusy: Bool {
        guard let cold = keyspace.tiers.cold, cold.takesValues else { return false }
        return cold.store.isBusy(at: clock.nowMilliseconds)
    }
}
