// SignalWatcher.swift - signals as events of the first loop: SIGTERM, SIGINT and SIGHUP are blocked in every thread and
// read from a descriptor, so no handler ever interrupts anything. SIGPIPE is ignored; SIGHUP is read and dropped.
package import Base
internal import CLinux

package final class SignalWatcher: Sendable {
    package let descriptor: Int32
    private let onShutdown: @Sendable (_ signal: Int32) -> Void

    /// Must be made before any thread starts. `onShutdown` is called for SIGTERM and SIGINT.
    package init(onShutdown: @escaping @Sendable (_ signal: Int32) -> Void) throws(SystemError) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        fog_ignore_signal(SIGPIPE)
        descriptor = unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        self.onShutdown = onShutdown
        guard descriptor >= 0 else { throw SystemError(operation: "signalfd") }
    }

    deinit { close(descriptor) }

    /// Reads what has arrived.
    package func receive() {
        var information = signalfd_siginfo()
        while unsafe read(descriptor, &information, MemoryLayout<signalfd_siginfo>.size) > 0 {
            let signal = Int32(information.ssi_signo)
            if signal != SIGHUP { onShutdown(signal) }
        }
    }

    /// Whether SIGINT has come again while a shutdown is under way; other signals that came are dropped, since they
    /// ask for what happens already. Any thread.
    package func takeInterrupt() -> Bool {
        var information = signalfd_siginfo()
        var isInterrupted = false
        while unsafe read(descriptor, &information, MemoryLayout<signalfd_siginfo>.size) > 0 {
            if Int32(information.ssi_signo) == SIGINT { isInterrupted = true }
        }
        return isInterrupted
    }
}
