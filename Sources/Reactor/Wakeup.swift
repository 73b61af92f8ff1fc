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

    /// For a thread without a loop: waits for a signal, for ever or for `nanoseconds`, and clears it. True when there
    /// was one.
    @discardableResult package func wait(nanoseconds: Int64?) -> Bool {
        var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        defer { clear() }
        guard let nanoseconds else { return unsafe ppoll(&event, 1, nil, nil) > 0 }
        var timeout = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        return unsafe ppoll(&event, 1, &timeout, nil) > 0
    }

    @discardableResult package func wait(milliseconds: Int) -> Bool {
        wait(nanoseconds: Int64(milliseconds) * 1_000_000)
    }

    /// Called by the waiter when the descriptor is readable, before it looks at what it was woken for.
    package func clear() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, 8)
        // An exchange, not a store: what was posted before a signal that made no system call is seen after this.
        _ = isSignalled.exchange(false, ordering: .acquiringAndReleasing)
    }
}
