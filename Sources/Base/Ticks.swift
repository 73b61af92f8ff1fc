// Ticks.swift - cheap time stamps for measuring commands: the processor's counter, calibrated once against the
// monotonic clock at start. About 8 ns a reading, a third of the vDSO call. Machines whose counter is not constant
// fall back to the monotonic clock, where a tick is a nanosecond.
internal import CLinux

package enum Ticks {
    private static let calibration: (isCounter: Bool, perMicrosecond: Double) = calibrate()

    /// Ticks in one microsecond.
    package static var perMicrosecond: Double { calibration.perMicrosecond }

    /// Whether `now` reads the processor's counter; asked once and kept by whoever measures often.
    package static var usesCounter: Bool { calibration.isCounter }

    @inline(__always)
    package static func now(usesCounter: Bool) -> UInt64 {
        usesCounter ? fog_cycle_counter() : UInt64(truncatingIfNeeded: Clock().monotonicNanoseconds)
    }

    /// Five milliseconds at start; a counter that does not advance plausibly is not used.
    private static func calibrate() -> (Bool, Double) {
        let clock = Clock()
        let startTime = clock.monotonicNanoseconds
        let startTicks = fog_cycle_counter()
        var time = startTime
        while time - startTime < 5_000_000 { time = clock.monotonicNanoseconds }
        let ticks = Double(fog_cycle_counter() &- startTicks)
        let rate = ticks * 1000 / Double(time - startTime)
        return rate > 10 && rate < 20_000 ? (true, rate) : (false, 1000)
    }
}
