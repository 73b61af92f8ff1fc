// WarmIndex.swift - the sets of keys that are kept warm: records fog:warm:<set>, hashes whose fields are keys or
// patterns. Every `fog-warmup-interval` seconds, and when a set changed, the clock runs it, in slices; between two runs
// each tick uses keys that the last ones found, which eviction respects as any use: it is no pin. Under the turn.
internal import Base
internal import Engine
internal import Keyspace
internal import Structures

final class WarmIndex: RecordIndex {
    struct WarmSet {
        var patterns: [[UInt8]]
        /// When the record dies.
        var expiry: Int64?
        /// Of the last run: milliseconds since the epoch, 0 before the first, and what it found.
        var lastRun: Int64 = 0
        var result = WarmResult()
        var hot: [[UInt8]] = []
    }

    private(set) var sets: [[UInt8]: WarmSet] = [:]
    /// Runs that a client waits for, by session.
    var jobs: [UInt64: WarmJob] = [:]
    /// The clock's run, and the sets that it still has to run.
    private var job: WarmJob?
    private var queue: [[UInt8]] = []
    private var lastRound: Int64 = 0
    /// The keys that ticks use, of all sets; made anew when a run ended, and how far the ticks are.
    private var hot: [[UInt8]] = []
    private var isHotOld = false
    private var cursor = 0
    private(set) var settings = FogSettings()

    /// How long one tick works on a run.
    private static let sliceNanoseconds: Int64 = 500_000
    /// Keys that one tick uses: some hundred microseconds.
    private static let usedCountMax = 500
    /// Runs that nobody asks for any more are forgotten after so long.
    private static let graceMilliseconds: Int64 = 10_000

    var count: Int { sets.count }

    // MARK: records

    func read(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        var patterns: [[UInt8]] = []
        entry.forEachField(now: now) { field, _, _ in field.withText { patterns.append($0.array) } }
        let name = id.array
        var set = sets[name] ?? WarmSet(patterns: [])
        if set.patterns != patterns && !queue.contains(name) { queue.append(name) }
        set.patterns = patterns
        set.expiry = entry.expiry
        sets[name] = set
    }

    func forget(_ id: Span<UInt8>) {
        if sets.removeValue(forKey: id.array) != nil { isHotOld = true }
    }

    func beginRebuild() { removeAll() }
    func endRebuild() {}
    func removeAll() {
        sets = [:]
        isHotOld = true
    }

    func advance(to now: Int64, countMax: Int) -> Bool {
        for (name, set) in sets {
            if let expiry = set.expiry, expiry < now { forget(name.span) }
        }
        return true
    }

    func settingsChanged(_ settings: FogSettings) { self.settings = settings }
    func resetStatistics() {}

    // MARK: runs

    /// A run of `set` is over.
    func note(_ job: WarmJob, now: Int64) {
        sets[job.set]?.lastRun = now
        sets[job.set]?.result = job.result
        sets[job.set]?.hot = job.hot
        isHotOld = true
    }

    private func useHot(_ engine: inout Engine, _ database: Int) {
        if isHotOld {
            isHotOld = false
            cursor = 0
            hot = sets.values.flatMap { $0.hot }
        }
        for _ in 0..<min(hot.count, WarmIndex.usedCountMax) {
            if cursor >= hot.count { cursor = 0 }
            WarmJob.use(hot[cursor], database, &engine)
            cursor += 1
        }
    }

    func tick(_ engine: inout Engine, _ database: Int, _ state: CoordinatorState) -> Bool {
        let now = engine.keyspace.now
        if !jobs.isEmpty { jobs = jobs.filter { now - $0.value.lastStep < WarmIndex.graceMilliseconds } }
        guard settings.warmsUp, !sets.isEmpty || !hot.isEmpty else {
            (job, queue) = (nil, [])
            return false
        }
        useHot(&engine, database)
        if job == nil && queue.isEmpty {
            let interval = Int64(settings.warmupIntervalSeconds) * 1000
            guard now - lastRound >= interval || now < lastRound else { return false }
            lastRound = now
            queue = Array(sets.keys)
        }
        if job == nil, let name = queue.popLast(), let set = sets[name] {
            var key = ByteBuffer()
            key.append(state.prefix)
            key.append(RecordKind.warm.prefix)
            key.append(name)
            job = WarmJob(name, set.patterns, database, record: key.span.array)
        }
        guard var running = job.take() else { return !queue.isEmpty }
        let deadline = engine.clock.monotonicNanoseconds + WarmIndex.sliceNanoseconds
        let isDone = running.run(
            &engine, state.events, intervalSeconds: settings.warmupIntervalSeconds, deadlineNanoseconds: deadline)
        if isDone { note(running, now: now) } else { job = running }
        engine.finishOutsideOfCommand()
        return job != nil || !queue.isEmpty
    }
}
