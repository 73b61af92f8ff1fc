// Turn.swift - the one lock of the server: whoever holds the turn may touch the engine, nobody else can reach it.
// It spins briefly, then parks (an adaptive mutex); with one loop it is never contended.
// A holder runs a bounded batch (`Batch.itemsPerTurn`), so others wait tens of microseconds at most.
internal import CLinux

@safe package final class Turn: @unchecked Sendable {
    // Sendable because the engine's address is used only while the mutex is held.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let engine: UnsafeMutablePointer<Engine>

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
        unsafe pthread_mutex_lock(mutex)
        unsafe body(&engine.pointee)
        unsafe pthread_mutex_unlock(mutex)
    }
}
