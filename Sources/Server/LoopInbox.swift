// LoopInbox.swift - what other threads hand to a loop: accepted sockets and the order to stop. The engine's deliveries
// do not come this way; they stay behind the turn (Engine/Deliveries.swift).
internal import Engine
internal import Reactor
internal import Synchronization

/// A new connection on its way to its loop, with the client's id: ids follow the order of acceptance, whichever loop is
/// the first to register its client.
struct AcceptedSocket: Sendable {
    let descriptor: Int32
    let clientId: UInt64
}

final class LoopInbox: Sendable {
    private struct State: Sendable {
        var accepted: [AcceptedSocket] = []
        var isStopping = false
    }
    private let state = Mutex(State())
    let wakeup: Wakeup
    /// Connections the loop has or is about to get; the acceptor balances by it.
    let connectionCount = Atomic<Int>(0)

    private let cycles = Atomic<Int>(0)
    private let nanoseconds = Atomic<Int>(0)
    private let reads = Atomic<Int>(0)
    private let writes = Atomic<Int>(0)
    private let longestNanoseconds = Atomic<Int>(0)

    /// What the loop has done, as its last round left it. Set by the loop alone.
    var counters: LoopCounters {
        get {
            var counters = LoopCounters()
            counters.cycles = cycles.load(ordering: .relaxed)
            counters.nanoseconds = nanoseconds.load(ordering: .relaxed)
            counters.reads = reads.load(ordering: .relaxed)
            counters.writes = writes.load(ordering: .relaxed)
            counters.longestNanoseconds = longestNanoseconds.load(ordering: .relaxed)
            return counters
        }
        set {
            cycles.store(newValue.cycles, ordering: .relaxed)
            nanoseconds.store(newValue.nanoseconds, ordering: .relaxed)
            reads.store(newValue.reads, ordering: .relaxed)
            writes.store(newValue.writes, ordering: .relaxed)
        }
    }

    /// A round of the loop lasted so long. Called by the loop alone.
    @inline(__always)
    func noteRound(nanoseconds: Int) {
        if _slowPath(nanoseconds > longestNanoseconds.load(ordering: .relaxed)) {
            longestNanoseconds.store(nanoseconds, ordering: .relaxed)
        }
    }

    /// The longest round is looked for anew. Called by anybody.
    func forgetLongestRound() { longestNanoseconds.store(0, ordering: .relaxed) }

    /// The loop has replies that wait for the disk.
    let isHolding = Atomic<Bool>(false)

    init(wakeup: Wakeup) { self.wakeup = wakeup }

    func add(_ socket: AcceptedSocket) {
        connectionCount.add(1, ordering: .relaxed)
        state.withLock { $0.accepted.append(socket) }
        wakeup.signal()
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        wakeup.signal()
    }

    func take() -> (accepted: [AcceptedSocket], isStopping: Bool) {
        state.withLock { state in
            defer { state.accepted = [] }
            return (state.accepted, state.isStopping)
        }
    }
}
