// LoopInbox.swift - what other threads hand to a loop: accepted sockets and the order to stop. The engine's deliveries
// do not come this way; they stay behind the turn (Engine/Deliveries.swift).
internal import Reactor
internal import Synchronization

final class LoopInbox: Sendable {
    private struct State: Sendable {
        var accepted: [Int32] = []
        var isStopping = false
    }
    private let state = Mutex(State())
    let wakeup: Wakeup
    /// Connections the loop has or is about to get; the acceptor balances by it.
    let connectionCount = Atomic<Int>(0)

    /// The loop has replies that wait for the disk.
    let isHolding = Atomic<Bool>(false)

    init(wakeup: Wakeup) { self.wakeup = wakeup }

    func add(_ descriptor: Int32) {
        connectionCount.add(1, ordering: .relaxed)
        state.withLock { $0.accepted.append(descriptor) }
        wakeup.signal()
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        wakeup.signal()
    }

    func take() -> (accepted: [Int32], isStopping: Bool) {
        state.withLock { state in
            defer { state.accepted = [] }
            return (state.accepted, state.isStopping)
        }
    }
}
