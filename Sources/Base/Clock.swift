// Clock.swift - the one source of time. The engine reads it once per turn and hands the value down, so that one
// command sees one instant. Tests add an offset instead of sleeping. Cost: one vDSO call (about 25 ns).
internal import CLinux

package struct Clock: Sendable {
    /// Added to both clocks; tests move it to make time pass.
    package var offsetMilliseconds: Int64 = 0

    package init() {}

    /// Milliseconds since the Unix epoch.
    package var nowMilliseconds: Int64 { Clock.read(CLOCK_REALTIME) / 1_000_000 &+ offsetMilliseconds }
    /// Microseconds since the Unix epoch.
    package var nowMicroseconds: Int64 { Clock.read(CLOCK_REALTIME) / 1000 &+ offsetMilliseconds &* 1000 }
    /// Nanoseconds that never go back; for measuring and deadlines.
    package var monotonicNanoseconds: Int64 { Clock.read(CLOCK_MONOTONIC) &+ offsetMilliseconds &* 1_000_000 }
    /// Nanoseconds on a core of the calling thread: without the time in which others had it. Cost: one system call.
    package static var threadNanoseconds: Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

    /// Stops the calling thread for so long; a signal does not cut it short. Only for work that may hold everybody up.
    package static func sleep(nanoseconds: Int64) {
        var left = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var rest = timespec()
        while unsafe nanosleep(&left, &rest) != 0 && fog_errno() == EINTR { left = rest }
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
