// CacheState.swift - what the cache commands keep between commands: leases, who waits for one until when, and
// invalidations that are done in slices. Nothing of it survives the process: a lease that is lost is asked for again.
// Under the turn.
internal import Base
internal import Engine
internal import Keyspace

final class CacheState {
    var leases = LeaseTable()
    /// Until when (milliseconds since the epoch) a waiting FOG.CACHE FETCH of a session may go on waiting, by session.
    var waitsUntil: [UInt64: Int64] = [:]
    /// Invalidations whose session waits for their end, by session.
    var jobs: [UInt64: PatternJob] = [:]
    /// Invalidations that nobody waits for.
    var background: [PatternJob] = []

    /// What became of files that FOG.WARM FILE began to load and whose clients have not looked yet, by session, with
    /// the millisecond when they were done.
    var warmOutcomes: [UInt64: (outcome: WarmOutcome, time: Int64)] = [:]

    /// More than this many invalidations wait for nobody; another one is done at once.
    static let backgroundCountMax = 1000

    func resetStatistics() { leases.resetStatistics() }

    /// Forgets what sessions left behind that are gone.
    func prune(now: Int64) {
        leases.forget(now)
        if waitsUntil.contains(where: { $0.value + CacheState.graceMilliseconds < now }) {
            waitsUntil = waitsUntil.filter { $0.value + CacheState.graceMilliseconds >= now }
        }
        if !warmOutcomes.isEmpty {
            warmOutcomes = warmOutcomes.filter { $0.value.time + CacheState.graceMilliseconds >= now }
        }
        if jobs.contains(where: { $0.value.lastRun + CacheState.graceMilliseconds < now }) {
            jobs = jobs.filter { $0.value.lastRun + CacheState.graceMilliseconds >= now }
        }
    }

    private static let graceMilliseconds: Int64 = 10_000
}

extension CoordinatorState {
    /// How long one tick works on invalidations that nobody waits for.
    private static let cacheSliceNanoseconds: Int64 = 1_000_000

    /// The clock's work for events and the cache; true when there is more to do at once.
    func tickCache(_ engine: inout Engine) -> Bool {
        cache.prune(now: engine.keyspace.now)
        let hasEvents = drainEvents(&engine)
        guard !cache.background.isEmpty else { return hasEvents }
        let deadline = engine.clock.monotonicNanoseconds + CoordinatorState.cacheSliceNanoseconds
        let before = cache.background[0].removed
        let isDone = cache.background[0].run(&engine, cache, deadlineNanoseconds: deadline)
        events.invalidations += cache.background[0].removed - before
        if isDone { engine.finish(cache.background.removeFirst(), events) }
        engine.finishOutsideOfCommand()
        return hasEvents || !cache.background.isEmpty
    }

    private func drainEvents(_ engine: inout Engine) -> Bool {
        guard events.queuedCount > 0 else { return false }
        defer { engine.finishOutsideOfCommand() }
        return engine.drainEvents(events)
    }
}
