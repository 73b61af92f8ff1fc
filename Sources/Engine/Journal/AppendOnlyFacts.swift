// AppendOnlyFacts.swift - what the engine knows of the append only file: what INFO tells, and whether writes must be
// refused because the disk refuses them. The server keeps it up to date, under the turn; the file itself belongs to
// threads of its own.

package struct AppendOnlyFacts: Sendable {
    /// Why the file cannot be written; nil while it can.
    package internal(set) var failure: String?
    package var isRewriting = false
    package var isRewriteScheduled = false
    /// Seconds the last rewrite took; -1 before the first.
    package var lastRewriteSeconds = -1
    /// The file was switched on and has no base yet.
    package var isFirstRewrite = false
    /// When the running rewrite began, milliseconds since the epoch.
    package var rewriteStart: Int64 = 0
    package var lastRewriteSucceeded = true
    /// When the last rewrite ended, milliseconds since the epoch.
    var lastRewriteEnd: Int64 = 0
    package var rewriteCount = 0
    package var failedRewriteCount = 0
    /// Size of all files right after the last rewrite or start.
    package var baseByteCount = 0
    /// Size of the files before the one that is written to.
    package var olderByteCount = 0
    /// A reload by DEBUG LOADAOF runs.
    package var isReloading = false
    /// Why the last one failed; nil when it did not.
    package internal(set) var reloadFailure: String?

    package init() {}
}

/// What changes all the time, asked for when somebody wants to know.
package struct AppendOnlyGauges: Sendable {
    /// Bytes in the file that is written to.
    package var fileByteCount = 0
    /// Bytes that wait to be written.
    package var pendingByteCount = 0
    package var isSyncing = false
    package var delayedSyncCount = 0
    /// Journal bytes that are on the device.
    package var durableOffset: Int64 = 0

    package init() {}
}

extension Engine {
    /// The file cannot be written, for this reason, or can again (nil): writes are refused meanwhile.
    package mutating func setAppendOnlyFailure(_ reason: String?) {
        appendOnly.failure = reason
        setGate(.diskFailed, reason != nil)
    }

    /// The refusal of writes while the disk fails.
    var diskRefusal: String? {
        appendOnly.failure.map { "MISCONF Errors writing to the AOF file: \($0)" }
    }

    /// Whether replies to writes wait until the journal is on the device (`appendfsync always`), or, where the file's
    /// writer was at rest, until the system has it.
    package var holdsReplies: Bool {
        journal.file.isOn && (settings.appendFsync == .always || hooks.isAppendOnlyResting())
    }

    /// Clients in WAITAOF.
    package var durabilityWaiterCount: Int {
        waiting.ordered.count { $0.session.suspension?.reason == .durability }
    }

    /// Resumes WAITAOF for everybody whose writes are on the device.
    package mutating func resumeDurable() {
        let offset = hooks.appendOnlyGauges().durableOffset
        for session in waiting.ordered
        where session.session.suspension?.reason == .durability && session.session.journalEnd <= offset {
            resume(session, .ready)
        }
    }

    /// The append only file was switched off: whoever waits for it hears of that.
    package mutating func resumeAllDurable() {
        for session in waiting.ordered where session.session.suspension?.reason == .durability {
            resume(session, .ready)
        }
    }
}

extension Call {
    /// Whether all that this client has written is on the device.
    package var isDurable: Bool {
        administration.flushJournal()
        return session.journalEnd <= administration.hooks.appendOnlyGauges().durableOffset
    }
}
