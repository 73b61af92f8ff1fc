// Engine+Saving.swift - the RDB file: SAVE, BGSAVE, save points, the end of the server. Where the file is, what happens
// when it was written or could not be. Under the turn; background saves never wait for the disk.
package import Base
internal import Keyspace
internal import Persistence

/// Why a background save was not started.
package enum SaveRefusal: Error {
    case isSaving
    /// Another snapshot runs; BGSAVE SCHEDULE waits for it.
    case isBusy
    case system(SystemError)
}

extension Engine {
    /// After a failed save the next one is not tried at once.
    private static var retryMilliseconds: Int64 { 5000 }

    /// The directory of all files of persistence.
    package var dataDirectory: String {
        let directory = config.string("dir")
        return directory.isEmpty ? "." : directory
    }

    /// Where the dataset is saved.
    package var datasetPath: String { dataDirectory + "/" + config.string("dbfilename") }

    private func datasetPlan(inBackground: Bool) -> SnapshotJob.Plan {
        let name = RDBFile.temporaryName(
            processIdentifier: identity.processIdentifier, number: inBackground ? RDBFile.temporaryNumber() : nil)
        var plan = SnapshotJob.Plan(path: datasetPath, temporaryPath: dataDirectory + "/" + name)
        plan.compresses = settings.rdbCompression
        plan.checksums = settings.rdbChecksum
        plan.syncsIncrementally = settings.rdbSaveIncrementalFsync
        return plan
    }

    // MARK: in the background

    /// BGSAVE.
    package mutating func startSave() throws(SaveRefusal) {
        if let purpose = snapshotPurpose { throw purpose == .save ? .isSaving : .isBusy }
        saving.lastTry = clock.nowMilliseconds
        saving.changesAtStart = changes
        do throws(SystemError) {
            try beginSnapshot(for: .save, datasetPlan(inBackground: true)) { engine, outcome in
                engine.endSave(outcome)
            }
        } catch {
            setSaveFailed(true)
            throw .system(error)
        }
        saving.isScheduled = false
        Log.shared.notice("Background saving started by pid \(identity.processIdentifier)")
    }

    /// BGSAVE SCHEDULE while something else runs.
    package mutating func scheduleSave() { saving.isScheduled = true }

    /// BGSAVE CANCEL. False when there is nothing to cancel.
    package mutating func cancelSave() -> Bool {
        if snapshotPurpose == .save {
            Log.shared.notice("Background saving will be aborted due to user request")
            cancelSnapshot()
            return true
        }
        defer { saving.isScheduled = false }
        return saving.isScheduled
    }

    private mutating func endSave(_ outcome: SnapshotJob.Outcome) {
        let now = clock.nowMilliseconds
        let start = saving.lastTry
        saving.lastSeconds = Int(max(0, now - start) / 1000)
        switch outcome {
        case .success:
            Log.shared.notice("DB saved on disk")
            Log.shared.notice("Background saving terminated with success")
            // What changed meanwhile is not in the file.
            noteSaved(changesIn: saving.changesAtStart)
            setSaveFailed(false)
        case .failure(let error):
            Log.shared.warning("Write error saving DB on disk: \(error.description)")
            Log.shared.warning("Background saving error")
            setSaveFailed(true)
        case .cancelled:
            Log.shared.warning("Background saving terminated by request")
        }
    }

    private mutating func noteSaved(changesIn count: Int) {
        changes -= min(changes, count)
        saving.lastSaveSecond = clock.nowMilliseconds / 1000
        saving.count += 1
    }

    /// Save points and scheduled saves; called by the clock a few times a second.
    mutating func saveIfDue() {
        guard saving.running == nil, !isLoading else { return }
        let now = clock.nowMilliseconds
        let mayTry = !saving.hasFailed || now - saving.lastTry > Engine.retryMilliseconds
        if saving.isScheduled && mayTry { return startSaveQuietly() }
        guard changes > 0, mayTry else { return }
        for point in config.savePoints
        where changes >= point.changes && now / 1000 - saving.lastSaveSecond > Int64(point.seconds) {
            Log.shared.notice("\(point.changes) changes in \(point.seconds) seconds. Saving...")
            return startSaveQuietly()
        }
    }

    private mutating func startSaveQuietly() {
        do throws(SaveRefusal) {
            try startSave()
        } catch {
            if case .system(let error) = error {
                Log.shared.warning("Can't save in background: \(error.description)")
            }
        }
    }

    // MARK: at once

    /// SAVE: returns when the file is on the device. Another snapshot that runs is taken to its end first; its file
    /// is finished in the background. Before the end of the server (`isFinal`) whoever insists does not wait for it.
    package mutating func saveNow(isFinal: Bool = false) throws(SystemError) {
        completeCapture()
        finishAbandonedSnapshot()
        let job = try SnapshotJob(described(datasetPlan(inBackground: false)))
        let capture = keyspace.beginSnapshot(compresses: settings.rdbCompression) { job.add($0) }
        let delay = Int64(settings.rdbKeySaveDelayMicroseconds)
        let hooks = hooks
        let isComplete = keyspace.advanceSnapshot { isPiece in
            while !job.waitForRoom() { Engine.exitIfInsisted(isFinal, hooks, job) }
            if delay > 0 && !isPiece { Clock.sleep(nanoseconds: delay * 1000) }
            if isPiece || delay > 0 { Engine.exitIfInsisted(isFinal, hooks, job) }
            return true
        }
        precondition(isComplete, "a walk that nothing stops goes to its end")
        job.finish(capture)
        switch job.wait(meanwhile: { Engine.exitIfInsisted(isFinal, hooks, job) }) {
        case .success:
            Log.shared.notice("DB saved on disk")
            noteSaved(changesIn: changes)
            setSaveFailed(false)
        case .failure(let error):
            Log.shared.warning("Error saving DB on disk: \(error.description)")
            throw error
        case .cancelled: preconditionFailure("nobody cancels a save that holds the turn")
        }
    }

    /// FLUSHALL: a background save of what is gone is pointless, and the file must not bring it back.
    package mutating func datasetWasFlushed() {
        if snapshotPurpose == .save { cancelSnapshot() }
        guard !config.savePoints.isEmpty, !isLoading else { return }
        do throws(SystemError) { try saveNow() } catch {
            // It is in the log; save points will try again.
            setSaveFailed(true)
        }
    }

    // MARK: refusing writes

    private mutating func setSaveFailed(_ hasFailed: Bool) {
        saving.hasFailed = hasFailed
        armSaveGate()
    }

    /// Writes are refused after a failed save, if the configuration wants it.
    mutating func armSaveGate() {
        setGate(
            .saveFailed, saving.hasFailed && settings.stopWritesOnBgsaveError && !config.savePoints.isEmpty)
    }

    /// The dataset cannot be kept: no writes, and PING says so, so that whoever looks after the server hears of it.
    func saveGate(_ id: Int, _ flags: CommandFlags) -> StaticString? {
        guard gates.contains(.saveFailed), flags.contains(.write) || commands.fullNames[id] == "ping" else {
            return nil
        }
        return """
            MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands \
            that may modify the data set are disabled, because this instance is configured to report errors during \
            writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for \
            details about the RDB error.
            """
    }
}

extension Call {
    /// FLUSHALL emptied every database.
    package func datasetWasFlushed() { administration.datasetWasFlushed() }
}
