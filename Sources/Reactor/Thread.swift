// Thread.swift - starting threads. A body is a Sendable closure; whatever it owns moves in with it.
package import Base
internal import CLinux

package enum Thread {
    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// A running thread that can be waited for.
    package struct Handle: @unchecked Sendable {
        // Sendable because a thread id may be joined, or detached, from any thread, once.
        fileprivate let identifier: pthread_t

        /// Waits until the thread's body has returned.
        package func join() { pthread_join(identifier, nil) }

        /// Nobody will wait: the system takes the thread's stack back as soon as its body has returned.
        package func detach() { pthread_detach(identifier) }
    }

    /// Starts a thread named `name` (at most 15 bytes are shown by the system). Signals stay with the main thread.
    /// One with a `niceness` above 0 leaves the processor to the others when it is short, and interrupts nobody.
    package static func start(
        _ name: String, niceness: Int32 = 0, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> Handle {
        let body = niceness == 0 ? body : { @Sendable in
            // Lowering is always allowed; where it is not, the thread runs as any other.
            _ = fog_work_in_background(niceness)
            body()
        }
        var identifier = pthread_t()
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        unsafe fog_keep_crash_signals_open(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
        let argument = unsafe Unmanaged.passRetained(Start(body)).toOpaque()
        let result = unsafe pthread_create(&identifier, nil, { raw in
            guard let raw = unsafe raw else { return nil }
            let start = unsafe Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
            AllocatedBytes.joinThread()
            fog_use_signal_stack()
            start.body()
            fog_drop_signal_stack()
            AllocatedBytes.leaveThread()
            return nil
        }, argument)
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        guard result == 0 else {
            unsafe Unmanaged<Start>.fromOpaque(argument).release()
            throw SystemError(code: result, operation: "start thread \(name)")
        }
        unsafe pthread_setname_np(identifier, String(name.prefix(15)))
        return Handle(identifier: identifier)
    }
}
