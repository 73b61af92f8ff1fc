// Engine+Shutdown.swift - what happens to the dataset before the server ends: SHUTDOWN and signals come here. Snapshots
// that run are dropped, the last one is saved if it should be, and when that fails the server stays, unless it is
// forced. Under the turn; whatever ends the process is the server's, reached by hooks.
internal import Base
internal import Persistence

extension Engine {
    /// A signal asks for the end: at once, or as soon as the clock's work goes on (DEBUG PAUSE-CRON); until then
    /// SHUTDOWN ABORT takes it back.
    package mutating func requestShutdown(_ flags: ShutdownFlags) {
        saving.requestedShutdown = flags
        if !debug.isCronPaused { endIfRequested() }
    }

    mutating func endIfRequested() {
        guard let flags = saving.requestedShutdown else { return }
        saving.requestedShutdown = nil
        if prepareShutdown(flags) { return hooks.shutdown() }
        Log.shared.warning("Errors trying to shut down the server. Check the logs for more information.")
    }

    /// SHUTDOWN ABORT. False when there is nothing to abort.
    package mutating func abortShutdown() -> Bool {
        guard saving.requestedShutdown != nil else { return false }
        saving.requestedShutdown = nil
        Log.shared.notice("Shutdown manually aborted.")
        return true
    }

    /// Saves before the server ends, when save points or `flags` ask for it. False when that failed and the server
    /// must not end for it.
    package mutating func prepareShutdown(_ flags: ShutdownFlags) -> Bool {
        Log.shared.warning("User requested shutdown...")
        if appendOnly.isFirstRewrite {
            guard flags.contains(.force) else {
                Log.shared.warning("Writing initial AOF, can't exit.")
                return false
            }
            Log.shared.warning("Writing initial AOF. Exit anyway.")
        }
        dropSnapshotForShutdown()
        let isWanted = flags.contains(.save) || !config.savePoints.isEmpty && !flags.contains(.noSave)
        guard isWanted, !isLoading else { return true }
        Log.shared.notice("Saving the final RDB snapshot before exiting.")
        do throws(SystemError) {
            try saveNow(isFinal: true)
            return true
        } catch {
            if flags.contains(.force) {
                Log.shared.warning("Error trying to save the DB. Exit anyway.")
                return true
            }
            Log.shared.warning("Error trying to save the DB, can't exit.")
            return false
        }
    }

    /// In the stock servers' words, which operators look for, though no child runs here.
    private mutating func dropSnapshotForShutdown() {
        switch snapshotPurpose {
        case .save: Log.shared.warning("There is a child saving an .rdb. Killing it!")
        case .rewrite: Log.shared.warning("There is a child rewriting the AOF. Killing it!")
        case .replication, nil: return
        }
        let job = saving.running?.job
        cancelSnapshot()
        // Its thread removes the temporary file, which the end of the process must not forestall.
        _ = job?.wait()
    }

    static func exitIfInsisted(_ isFinal: Bool, _ hooks: ServerHooks, _ job: SnapshotJob) {
        guard isFinal, hooks.insistsOnEnd() else { return }
        Log.shared.warning("You insist... exiting now.")
        job.cancel()
        _ = job.wait()
        hooks.exitNow()
    }
}
