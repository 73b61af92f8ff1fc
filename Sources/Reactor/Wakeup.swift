// Wakeup.swift - an eventfd that ends another thread's wait. `signal` may be called from any thread; the system call
// is made only when the waiter has not been signalled since it last woke.
package import Base
internal import CLinux
internal import Synchronization

package final class Wakeup: Sendable {
    package let descriptor: Int32
    private let isSignalled = Atomic<Bool>(false)

    package init() throws(SystemError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError(operation: "eventfd") }
    }

    deinit { close(descriptor) }

    /// Ends the wait of the loop that watches the descriptor, now or at its next wait.
    package func signal() {
        guard !isSignalled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, 8)
    }

    /// Called by the waiter when the descriptor is readable, before it looks at what it was woken for.
    package func clear() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, 8)
        // An exchange, not a store: what was posted before a signal that made no system call is seen after this.
        _ = isSignalled.exchange(false, ordering: .acquiringAndReleasing)
    }
}
