// DebugSettings.swift - switches that only DEBUG sets, for test suites, and the ways in which DEBUG ends the process.
// Everything here is off in a healthy server.
internal import Base
internal import CLinux

package struct DebugSettings: Sendable {
    /// DEBUG PAUSE-CRON: the clock's work (expiry, rates, memory readings) stands still.
    package var isCronPaused = false
    /// DEBUG SET-DISABLE-DENY-SCRIPTS: scripts may call every command.
    package var scriptsMayCallEverything = false
    /// DEBUG SET-SKIP-CHECKSUM-VALIDATION: checksums of files and payloads are not looked at.
    package var skipsChecksums = false
    /// DEBUG DICT-RESIZING. Tables here split segment by segment and never resize as a whole, so 0 changes nothing.
    package var resizesTables = true
    /// DEBUG REPLYBUFFER. Connections keep no reply buffer of their own, so there is nothing to resize.
    package var resizesReplyBuffers = true
    /// PFDEBUG SIMD: HyperLogLogs merge by vectors.
    package var mergesByVectors = true
    package init() {}
}

/// How DEBUG ends the process on purpose.
package enum DebugCrash {
    /// An invalid memory access, as far as the process's signal handling can tell.
    package static func segfault() -> Never {
        raise(SIGSEGV)
        abort()
    }

    package static func failedAssertion() -> Never {
        Log.shared.warning("=== ASSERTION FAILED ===")
        Log.shared.warning("==> DEBUG ASSERT asked for a failed assertion")
        abort()
    }

    package static func panic() -> Never {
        Log.shared.warning("------------------------------------------------")
        Log.shared.warning("!!! Software Failure. Press left mouse button to continue")
        Log.shared.warning("Guru Meditation: called by DEBUG PANIC")
        Log.shared.warning("------------------------------------------------")
        abort()
    }
}

/// DEBUG SLEEP: holds the turn, so that nobody is served meanwhile.
package enum DebugSleep {
    /// Longest sleep: a day.
    private static let secondsMax = 86400.0

    package static func run(seconds: Double) {
        guard seconds > 0 else { return }
        let wanted = min(seconds, secondsMax)
        Clock.sleep(nanoseconds: Int64(wanted * 1e9))
    }
}
