// Engine+Snapshot.swift - running one snapshot: begun under the turn by whoever needs one, worked on in slices by the
// clock, written by a thread of its own (`SnapshotJob`). One at a time.
//
// For BGREWRITEAOF and full transfers: call `beginSnapshot` in the very turn in which the journal is switched to what
// follows the snapshot. `plan` says which file is made (temporary name, final name, `facts.isAOFBase`); the file is
// whole, synced and renamed when `completed` runs, under the turn, with the outcome. Check `isSnapshotRunning` first:
// the caller waits and tries again, or refuses. `cancelSnapshot` drops it; `completed` then hears `.cancelled`.
package import Base
internal import Keyspace
package import Persistence
internal import Structures

extension Engine {
    /// How long one slice of a snapshot may hold the turn. A quarter of a millisecond each millisecond takes more than
    /// the thread behind it can write.
    private static var snapshotSliceNanoseconds: Int64 { 250_000 }

    /// A snapshot is being taken or written.
    package var isSnapshotRunning: Bool { saving.running != nil }

    /// What the running snapshot is for.
    package var snapshotPurpose: SnapshotPurpose? { saving.running?.purpose }

    /// Keys the running snapshot has written, and how many there were when it began.
    package var snapshotProgress: (keysWritten: Int, keysTotal: Int) {
        saving.running.map { ($0.capture.keysWritten, $0.capture.keysTotal) } ?? (0, 0)
    }

    /// When the running snapshot began, milliseconds since the epoch.
    package var snapshotStart: Int64? { saving.running?.startMilliseconds }

    /// Bytes of entries that wait to be written: what a snapshot costs in memory.
    package var snapshotByteCount: Int { saving.running?.job.queuedByteCount ?? 0 }

    /// Begins a snapshot of this moment and the file of `plan`. Throws when no thread can be had for it.
    package mutating func beginSnapshot(
        for purpose: SnapshotPurpose, _ plan: SnapshotJob.Plan,
        completed: @escaping @Sendable (inout Engine, SnapshotJob.Outcome) -> Void
    ) throws(SystemError) {
        precondition(saving.running == nil, "one snapshot at a time")
        finishAbandonedSnapshot()
        let start = clock.monotonicNanoseconds
        let job = try SnapshotJob(described(plan))
        let capture = keyspace.beginSnapshot(compresses: plan.compresses) { job.add($0) }
        saving.running = RunningSnapshot(
            purpose: purpose, job: job, capture: capture, startMilliseconds: clock.nowMilliseconds,
            completed: completed)
        saving.longestSliceNanoseconds = 0
        saving.longestTurnNanoseconds = 0
        saving.longestTurnWorkNanoseconds = 0
        setGate(.capturing, true)
        noteSlice(since: start)
    }

    /// The beginning of a turn, for `noteTurn`; nil while no snapshot is being taken.
    @inline(__always)
    package var turnStart: TurnStart? { _slowPath(gates.contains(.capturing)) ? measuredTurnStart : nil }

    @inline(never)
    private var measuredTurnStart: TurnStart {
        TurnStart(nanoseconds: clock.monotonicNanoseconds, threadNanoseconds: Clock.threadNanoseconds)
    }

    /// The end of a turn that began while a snapshot was being taken.
    @inline(__always)
    package mutating func noteTurn(since start: TurnStart?) {
        if let start { measureTurn(since: start) }
    }

    @inline(never)
    private mutating func measureTurn(since start: TurnStart) {
        let nanoseconds = clock.monotonicNanoseconds - start.nanoseconds
        let worked = Clock.threadNanoseconds - start.threadNanoseconds
        saving.longestTurnNanoseconds = max(saving.longestTurnNanoseconds, nanoseconds)
        saving.longestTurnWorkNanoseconds = max(saving.longestTurnWorkNanoseconds, worked)
    }

    /// `plan` with what the file says about this server.
    func described(_ plan: SnapshotJob.Plan) -> SnapshotJob.Plan {
        var plan = plan
        plan.facts.serverVersion = FogVersion.redis
        plan.facts.second = clock.nowMilliseconds / 1000
        plan.facts.usedMemory = memory.used
        plan.facts.functions = scripting.libraries.all.map(\.code)
        for index in 0..<keyspace.databaseCount where keyspace[index].count > 0 {
            plan.facts.databases.append(
                (index, keyspace[index].count, keyspace[index].table.expiryCount))
        }
        return plan
    }

    /// Drops the running snapshot; the temporary file goes with it.
    package mutating func cancelSnapshot() {
        guard let running = saving.running else { return }
        running.job.cancel()
        if !running.isCaptured { abandonCapture() }
        saving.running = nil
        running.completed(&self, .cancelled)
    }

    /// A slice of work, called by the clock. True while there is more to do.
    mutating func advanceSnapshot() -> Bool {
        guard let running = saving.running else {
            guard keyspace.isSnapshotRunning else { return false }
            return !advanceCapture { true }
        }
        if let outcome = running.job.outcome {
            if !running.isCaptured { abandonCapture() }
            saving.running = nil
            running.completed(&self, outcome)
            return keyspace.isSnapshotRunning
        }
        guard !running.isCaptured else { return true }
        let job = running.job
        if isDelayed(running) { return true }
        if advanceCapture({ job.hasRoom }) { endCapture() } else { resumeSnapshotWaiters() }
        return true
    }

    private mutating func abandonCapture() {
        keyspace.abandonSnapshot()
        setGate(.capturing, false)
        resumeSnapshotWaiters()
    }

    /// Works on the capture until the slice's time is over or there is no room. True when it is complete.
    private mutating func advanceCapture(_ hasRoom: () -> Bool) -> Bool {
        let start = clock.monotonicNanoseconds
        let deadline = start + Engine.snapshotSliceNanoseconds
        defer { noteSlice(since: start) }
        let clock = clock
        let hasDelay = settings.rdbKeySaveDelayMicroseconds > 0
        var count = 0
        return keyspace.advanceSnapshot(waits: false) { isPiece in
            count += 1
            // The clock is worth looking at every few microseconds of work.
            if !isPiece && count & 15 != 0 && !hasDelay { return true }
            return !hasDelay && hasRoom() && clock.monotonicNanoseconds < deadline
        }
    }

    /// INFO says how long slices held the turn; the machine's own pauses are in it.
    private mutating func noteSlice(since start: Int64) {
        let nanoseconds = clock.monotonicNanoseconds - start
        saving.longestSliceNanoseconds = max(saving.longestSliceNanoseconds, nanoseconds)
    }

    /// `rdb-key-save-delay`, which tests use to make a save last: keys are taken no faster than it says.
    private func isDelayed(_ running: RunningSnapshot) -> Bool {
        let delay = Int64(settings.rdbKeySaveDelayMicroseconds)
        guard delay > 0 else { return false }
        let elapsed = (clock.nowMilliseconds - running.startMilliseconds) * 1000
        return Int64(running.capture.keysWritten + 1) * delay > elapsed
    }

    private mutating func endCapture() {
        guard let running = saving.running else { return }
        saving.running?.isCaptured = true
        running.job.finish(running.capture)
        setGate(.capturing, false)
        resumeSnapshotWaiters()
    }

    /// Takes the rest of the running snapshot at once; its file is finished in the background.
    mutating func completeCapture() {
        guard let running = saving.running, !running.isCaptured else { return }
        let job = running.job
        let isComplete = keyspace.advanceSnapshot { _ in
            while !job.waitForRoom() {}
            return true
        }
        precondition(isComplete, "a walk that nothing stops goes to its end")
        endCapture()
    }

    /// What is left of a snapshot that nobody wanted any more.
    mutating func finishAbandonedSnapshot() {
        guard saving.running == nil, keyspace.isSnapshotRunning else { return }
        let isComplete = keyspace.advanceSnapshot { _ in true }
        precondition(isComplete, "a walk that nothing stops goes to its end")
    }
}
