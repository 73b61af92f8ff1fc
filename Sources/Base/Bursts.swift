// Bursts.swift - long work of a background thread in short bursts with pauses between them. A loop that wakes up on the
// same core then has it within a burst, where it would wait for the end of the other thread's slice: milliseconds on
// Linux, whatever the priorities; and a thread that pauses by itself is not interrupted while it holds one of the
// allocator's locks. Whoever frees much calls `pauseIfDue` now and then: on every other thread it is one load.
internal import CLinux
internal import Synchronization

package enum Bursts {
    /// Short against a millisecond, long against a pause.
    private static let burstNanoseconds: Int64 = 100_000
    private static let pauseNanoseconds: Int64 = 30_000
    private static let isHurried = Atomic(false)

    /// Runs `body`, and pauses wherever it says that it may.
    package static func run(_ body: () -> Void) {
        fog_set_burst_end(Clock().monotonicNanoseconds + burstNanoseconds)
        body()
        fog_set_burst_end(0)
    }

    /// Nobody is to be spared any more: the process ends.
    package static func hurry() { isHurried.store(true, ordering: .relaxed) }

    /// Where the calling thread may pause, if it works in bursts.
    @inline(__always)
    package static func pauseIfDue() {
        if _slowPath(fog_burst_end() != 0) { pauseWhenOver() }
    }

    @inline(never)
    private static func pauseWhenOver() {
        let clock = Clock()
        guard clock.monotonicNanoseconds >= fog_burst_end(), !isHurried.load(ordering: .relaxed) else { return }
        Clock.sleep(nanoseconds: pauseNanoseconds)
        fog_set_burst_end(clock.monotonicNanoseconds + burstNanoseconds)
    }
}
