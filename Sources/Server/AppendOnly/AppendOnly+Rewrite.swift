// AppendOnly+Rewrite.swift - a shorter append only file: a snapshot of this moment becomes the base, what follows goes
// to a new increment, and the files before are history. The order is what makes it safe at every instant: the new
// increment stands in the manifest before anything is written to it; the base is whole and on the device before the
// manifest names it; what it replaces is removed only after that. Switching the file on (CONFIG SET appendonly yes) is
// the same, except that nothing is in the manifest before the first base is whole. Control thread, with short turns.
internal import Base
internal import Engine
internal import Persistence
internal import Reactor
internal import Synchronization

extension AppendOnly {
    /// What one rewrite will have made when it succeeds.
    private struct Plan: Sendable {
        var manifest: AOFManifest
        let base: AOFManifest.Entry
        /// Whether the base is an RDB file (`aof-use-rdb-preamble`).
        let isRDB: Bool
        let increment: AOFManifest.Entry?
        /// Recording began with it: without its base there is nothing to record for.
        let isFirst: Bool
        var startMilliseconds: Int64 = 0
    }

    /// BGREWRITEAOF, or the next try of a switch that failed. The engine has noted already that a rewrite runs.
    func rewriteOrSwitchOn() {
        var (isOn, isWanted) = (false, false)
        shared.turn.take { engine in
            isOn = engine.journal.file.isOn
            isWanted = engine.settings.appendOnly
        }
        if isWanted && !isOn { switchOn() } else { rewrite(isOn: isOn) }
    }

    private func rewrite(isOn: Bool) {
        do throws(SystemError) {
            try Disk.makeDirectory(places.directory)
            var next = files
            let increment = isOn ? try addIncrement(&next) : nil
            if increment != nil { try persist(next) }
            begin(plan(next, increment, isFirst: false)) { [self] _ in
                if let increment { currentWriter?.switchFile(to: places.path(increment)) }
            }
        } catch {
            Log.shared.warning("Can't rewrite append only file in background: \(error.description)")
            shared.turn.take { $0.endAppendOnlyRewrite(isSuccess: false) }
        }
    }

    /// CONFIG SET appendonly yes.
    func switchOn() {
        guard currentWriter == nil else { return }
        shared.turn.take { $0.noteAppendOnlySwitched(on: true) }
        do throws(SystemError) {
            try Disk.makeDirectory(places.directory)
            var next = files
            let increment = try addIncrement(&next)
            let writer = try makeWriter(places.path(increment))
            begin(plan(next, increment, isFirst: true)) { [self] engine in record(with: writer, &engine) }
            if currentWriter !== writer { writer.close() }
        } catch {
            Log.shared.warning("Unable to turn on AOF: \(error.description)")
            shared.turn.take { $0.endAppendOnlyRewrite(isSuccess: false) }
        }
    }

    /// CONFIG SET appendonly no: what was recorded is written, the files stay.
    func switchOff() {
        guard let writer = takeWriter() else { return }
        shared.turn.take { engine in
            engine.flushJournal()
            engine.setJournal(.file, isOn: false)
            engine.hooks.writeJournal = { _ in }
            engine.hooks.appendOnlyGauges = { AppendOnlyGauges() }
            engine.hooks.isAppendOnlyResting = { false }
            engine.hooks.delayJournal = { _ in }
            if engine.snapshotPurpose == .rewrite {
                // In the stock servers' words, which scripts wait for, though no child runs here.
                Log.shared.notice("Killing running AOF rewrite child: \(engine.identity.processIdentifier)")
                engine.cancelSnapshot()
            }
        }
        writer.close()
        shared.turn.take { engine in
            engine.setAppendOnlyFailure(nil)
            engine.resumeAllDurable()
        }
        shared.durability.setFailure(nil)
    }

    private func addIncrement(_ next: inout AOFManifest) throws(SystemError) -> AOFManifest.Entry {
        let increment = next.addIncrement(prefix: places.prefix)
        _ = try DiskFile(places.path(increment), .replace)
        try Disk.syncDirectory(of: places.path(increment))
        return increment
    }

    private func plan(_ next: AOFManifest, _ increment: AOFManifest.Entry?, isFirst: Bool) -> Plan {
        var manifest = next
        var isRDB = true
        shared.turn.take { isRDB = $0.settings.aofUseRDBPreamble }
        let base = manifest.addBase(prefix: places.prefix, isRDB: isRDB, keeping: increment)
        return Plan(manifest: manifest, base: base, isRDB: isRDB, increment: increment, isFirst: isFirst)
    }

    /// In one turn: the snapshot begins and `follow` makes what comes after it go where the plan says.
    private func begin(_ plan: Plan, follow: (inout Engine) -> Void) {
        var plan = plan
        var hasBegun = false
        shared.turn.take { engine in
            // Another snapshot runs: the clock starts this one when it can. The increment serves the next try.
            guard !engine.isSnapshotRunning else { return engine.postponeAppendOnlyRewrite() }
            engine.flushJournal()
            engine.restartJournalFile()
            plan.startMilliseconds = engine.clock.nowMilliseconds
            var job = SnapshotJob.Plan(path: places.path(plan.base), temporaryPath: places.temporaryBase)
            job.facts.isAOFBase = true
            job.asCommands = !plan.isRDB
            job.annotatesTime = engine.settings.aofTimestampEnabled
            job.compresses = plan.isRDB && engine.settings.rdbCompression
            job.checksums = engine.settings.rdbChecksum
            job.syncsIncrementally = engine.settings.aofRewriteIncrementalFsync
            let begun = plan
            do throws(SystemError) {
                try engine.beginSnapshot(for: .rewrite, job) { [self] engine, outcome in
                    end(begun, outcome)
                }
                hasBegun = true
                follow(&engine)
                if engine.settings.noAppendFsyncOnRewrite {
                    currentWriter?.isSyncPaused.store(true, ordering: .relaxed)
                }
            } catch {
                Log.shared.warning("Can't rewrite append only file in background: \(error.description)")
                engine.endAppendOnlyRewrite(isSuccess: false)
            }
        }
        if hasBegun { Log.shared.notice("Background append only file rewriting started") }
    }

    /// The snapshot is over. Under the turn: only passes it on.
    private func end(_ plan: Plan, _ outcome: SnapshotJob.Outcome) {
        currentWriter?.isSyncPaused.store(false, ordering: .relaxed)
        submit { [self] in finish(plan, outcome) }
    }

    private func finish(_ plan: Plan, _ outcome: SnapshotJob.Outcome) {
        var isSuccess: Bool? = false
        switch outcome {
        case .success:
            do throws(SystemError) {
                var next = plan.manifest
                try persist(next)
                Log.shared.notice("Background AOF rewrite finished successfully")
                try removeHistory(&next)
                isSuccess = true
            } catch {
                Log.shared.warning("Can't finish the AOF rewrite: \(error.description)")
            }
        case .failure(let error):
            Log.shared.warning("Background AOF rewrite terminated with error: \(error.description)")
        case .cancelled:
            Log.shared.warning("Background AOF rewrite terminated by request")
            isSuccess = nil
        }
        // Recording goes on with the next try.
        if plan.isFirst && isSuccess != true { switchOff() }
        let baseByteCount = Disk.byteCount(places.path(plan.base)) ?? 0
        let fileByteCount = currentWriter?.fileByteCount.load(ordering: .relaxed) ?? 0
        shared.turn.take { engine in
            if isSuccess == true {
                engine.appendOnly.olderByteCount = baseByteCount
                engine.appendOnly.baseByteCount = baseByteCount + fileByteCount
            }
            engine.appendOnly.lastRewriteSeconds = Int(
                max(0, engine.clock.nowMilliseconds - plan.startMilliseconds) / 1000)
            engine.endAppendOnlyRewrite(isSuccess: isSuccess)
        }
    }
}
