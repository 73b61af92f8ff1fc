// WarmIndex.swift - the sets of keys that are kept warm: records fog:warm:<set>, hashes whose fields are keys or
// patterns. Every `fog-warmup-interval` seconds the clock runs each set, in slices. Under the turn.
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
    }

    private(set) var sets: [[UInt8]: WarmSet] = [:]
    /// Runs that a client waits for, by session.
    var jobs: [UInt64: WarmJob] = [:]
    /// The clock's run, and the sets that it still has to run.
    private var job: WarmJob?
    private var queue: [[UInt8]] = []
    private var lastRound: Int64 = 0
    private(set) var settings = FogSettings()

    /// How long one tick works on a run.
    private static let sliceNanoseconds: Int64 = 500_000
    /// Runs that nobody asks for any more are forgotten after so long.
    private static let graceMilliseconds: Int64 = 10_000

    var count: Int { sets.count }

    // MARK: records

    func read(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        var patterns: [[UInt8]] = []
        entry.forEachField(now: now) { field, _, _ in field.withText { patterns.append($0.array) } }
        var set = sets[id.array] ?? WarmSet(patterns: [])
        set.patterns = patterns
        set.expiry = entry.expiry
        sets[id.array] = set
    }

    func forget(_ id: Span<UInt8>) { sets[id.array] = nil }

    func beginRebuild() { removeAll() }
    func endRebuild() {}
    func removeAll() { sets = [:] }

    func advance(to now: Int64, countMax: Int) -> Bool {
        for (name, set) in sets {
            if let expiry = set.expiry, expiry < now { sets[name] = nil }
        }
        return true
    }

    func settingsChanged(_ settings: FogSettings) { self.settings = settings }
    func resetStatistics() {}

    // MARK: runs

    /// A run of `set` is over.
    func note(_ set: [UInt8], _ result: WarmResult, now: Int64) {
        sets[set]?.lastRun = now
        sets[set]?.result = result
    }

    func tick(_ engine: inout Engine, _ database: Int, _ state: CoordinatorState) -> Bool {
        let now = engine.keyspace.now
        if !jobs.isEmpty { jobs = jobs.filter { now - $0.value.lastStep < WarmIndex.graceMilliseconds } }
        if job == nil && queue.isEmpty {
            let interval = Int64(settings.warmupIntervalSeconds) * 1000
            guard settings.warmsUp, !sets.isEmpty, now - lastRound >= interval || now < lastRound else { return false }
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
        if isDone { note(running.set, running.result, now: now) } else { job = running }
        engine.finishOutsideOfCommand()
        return job != nil || !queue.isEmpty
    }
}
