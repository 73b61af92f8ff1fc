// Engine+Rewrite.swift - when the append only file is rewritten: on demand, when it has grown enough, or when something
// else that kept it from starting is over. The work is the server's (`hooks.rewriteAppendOnly`); here is what commands
// and INFO see of it. Under the turn.
internal import Base

/// What BGREWRITEAOF led to.
package enum RewriteStart {
    case started
    /// A snapshot for something else runs; the clock starts the rewrite behind it.
    case scheduled
    case isRunning
}

extension Engine {
    /// Failures in a row after which the next try waits, and for how long at most.
    private static var eagerFailureCount: Int { 3 }
    private static var retryMinutesMax: Int { 60 }

    /// BGREWRITEAOF.
    package mutating func startAppendOnlyRewrite() -> RewriteStart {
        if appendOnly.isRewriting { return .isRunning }
        if isSnapshotRunning || context == .transaction {
            appendOnly.isRewriteScheduled = true
            appendOnly.failedRewriteCount = 0
            return .scheduled
        }
        beginAppendOnlyRewrite()
        return .started
    }

    private mutating func beginAppendOnlyRewrite() {
        appendOnly.isRewriting = true
        appendOnly.isRewriteScheduled = false
        appendOnly.rewriteStart = clock.nowMilliseconds
        hooks.rewriteAppendOnly()
    }

    /// CONFIG SET appendonly yes: the first base file is being made.
    package mutating func noteAppendOnlySwitched(on isOn: Bool) {
        appendOnly.isRewriting = isOn
        appendOnly.isFirstRewrite = isOn
        appendOnly.isRewriteScheduled = false
        appendOnly.rewriteStart = clock.nowMilliseconds
    }

    /// It cannot start while another snapshot runs.
    package mutating func postponeAppendOnlyRewrite() {
        appendOnly.isRewriting = false
        appendOnly.isRewriteScheduled = true
    }

    /// How the rewrite ended; nil when nobody wanted it any more.
    package mutating func endAppendOnlyRewrite(isSuccess: Bool?) {
        appendOnly.isRewriting = false
        appendOnly.isFirstRewrite = false
        guard let isSuccess else { return }
        appendOnly.lastRewriteSucceeded = isSuccess
        appendOnly.lastRewriteEnd = clock.nowMilliseconds
        if isSuccess {
            appendOnly.rewriteCount += 1
            appendOnly.failedRewriteCount = 0
        } else {
            appendOnly.failedRewriteCount += 1
            // A file that was switched on has no base yet: without one it is nothing.
            if settings.appendOnly && !journal.file.isOn { appendOnly.isRewriteScheduled = true }
        }
    }

    /// Called by the clock a few times a second.
    mutating func rewriteAppendOnlyIfDue() {
        guard !appendOnly.isRewriting, !isSnapshotRunning, !isLoading, mayRetry else { return }
        if appendOnly.isRewriteScheduled { return beginAppendOnlyRewrite() }
        let percentage = settings.autoAOFRewritePercentage
        guard percentage > 0, journal.file.isOn else { return }
        let size = appendOnly.olderByteCount + hooks.appendOnlyGauges().fileByteCount
        guard size > settings.autoAOFRewriteMinSize else { return }
        let base = max(1, appendOnly.baseByteCount)
        let growth = size.multipliedReportingOverflow(by: 100).partialValue / base - 100
        guard growth >= percentage else { return }
        Log.shared.notice("Starting automatic rewriting of AOF on \(growth)% growth")
        beginAppendOnlyRewrite()
    }

    private var mayRetry: Bool {
        let failures = appendOnly.failedRewriteCount
        guard failures >= Engine.eagerFailureCount else {
            return failures == 0 || clock.nowMilliseconds - appendOnly.lastRewriteEnd >= 1000
        }
        let minutes = min(Engine.retryMinutesMax, 1 << min(16, failures - Engine.eagerFailureCount))
        return clock.nowMilliseconds - appendOnly.lastRewriteEnd >= Int64(minutes) * 60_000
    }
}
