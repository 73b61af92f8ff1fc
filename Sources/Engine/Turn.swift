// Turn.swift - the one lock of the server: whoever holds the turn may touch the engine, nobody else can reach it.
// It spins briefly, then parks (an adaptive mutex); with one loop it is never contended.
// A holder runs a bounded batch (`Batch.itemsPerTurn`), so others wait tens of microseconds at most.
// The mutex is not fair: who gives the turn back can have it again before a parked thread has woken. Loops read and
// write between two turns, which is time enough; work in slices without a pause between them (a slow script, a save)
// calls `giveWay` before each.
internal import CLinux
internal import Synchronization

@safe package final class Turn: @unchecked Sendable {
    // Sendable because the engine's address is used only while the mutex is held.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let engine: UnsafeMutablePointer<Engine>
    /// Threads that found the turn taken and have not got it yet.
    private let waiterCount = Atomic<Int>(0)
    /// Turns that a waiter got.
    private let handoverCount = Atomic<Int>(0)

    /// The longest that `giveWay` waits: a parked thread on a busy machine wakes within a scheduler's slice.
    private static var giveWayMicroseconds: UInt32 { 4000 }
    private static var stepMicroseconds: UInt32 { 50 }

    package init(_ engine: consuming Engine) {
        unsafe self.mutex = .allocate(capacity: 1)
        unsafe self.engine = .allocate(capacity: 1)
        unsafe self.engine.initialize(to: engine)
        let result = unsafe fog_adaptive_mutex_init(mutex)
        precondition(result == 0, "a mutex can be initialised")
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
        unsafe engine.deinitialize(count: 1)
        unsafe engine.deallocate()
    }

    /// Runs `body` with the engine; nobody else runs meanwhile. Must not be called again from inside `body`.
    @inline(__always)
    package func take(_ body: (inout Engine) -> Void) {
        if unsafe pthread_mutex_trylock(mutex) != 0 { wait() }
        unsafe body(&engine.pointee)
        unsafe pthread_mutex_unlock(mutex)
    }

    @inline(never)
    private func wait() {
        waiterCount.add(1, ordering: .relaxed)
        unsafe pthread_mutex_lock(mutex)
        handoverCount.add(1, ordering: .relaxed)
        waiterCount.subtract(1, ordering: .relaxed)
    }

    /// Lets one of those who wait have the turn first. For who would otherwise take it again and again; must not be
    /// called from inside `take`.
    package func giveWay() {
        let before = handoverCount.load(ordering: .relaxed)
        var waited: UInt32 = 0
        while waited < Turn.giveWayMicroseconds, waiterCount.load(ordering: .relaxed) > 0,
            handoverCount.load(ordering: .relaxed) == before
        {
            usleep(Turn.stepMicroseconds)
            waited += Turn.stepMicroseconds
        }
    }
}
