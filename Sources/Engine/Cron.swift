// Cron.swift - work by the clock, run under the turn by the timekeeping loop `hz` times a second: active expiry,
// deadlines, rates, memory readings. Expiry gets at most a quarter of the time; a backlog is worked off in slices of
// one millisecond between which the loops serve clients, so a million keys that die together stall nobody.
internal import Base
internal import Keyspace
internal import Structures

package struct Cron: ~Copyable {
    var sweep = ExpirySweep()
    var fieldSweep = FieldSweep()
    var tagSweep = TagSweep()
    /// Cleared by DEBUG SET-ACTIVE-EXPIRE 0.
    package var expiresActively = true
    var lastSecond: Int64 = 0
    var lastSample: Int64 = 0
    /// When the limit that `maxmemory auto` follows was read.
    var lastLimit: Int64 = 0
    init() {}
}

extension Engine {
    /// How long one slice of active expiry may hold the turn. While there is work the next one follows after 3 ms, so
    /// that expiry takes a quarter of the time, and 2 % more for each step of `active-expire-effort`, as in Redis.
    private var sweepSliceNanoseconds: Int64 {
        let share = 0.25 + 0.02 * Double(settings.activeExpireEffort - 1)
        return Int64(3_000_000 * share / (1 - share))
    }

    /// DEBUG SET-ACTIVE-EXPIRE.
    package mutating func setActiveExpire(_ isOn: Bool) { cron.expiresActively = isOn }

    /// One tick. Returns the milliseconds until it wants to run again.
    package mutating func tick() -> Int {
        keyspace.now = clock.nowMilliseconds
        endPauseIfDue()
        endHotKeysIfDue()
        if debug.isCronPaused { return 1000 / max(1, min(500, settings.hz)) }
        endIfRequested()
        let needsMore = expireActively()
        let hasDead = reclaimInvalidated()
        evictInBackground()
        let isMovingValues = tendTiers()
        let isCompacting = compactInBackground()
        limitTrackingTable()
        if trackers.broadcasts.hasPending { broadcastChanges() }
        flushJournal()
        let now = keyspace.now
        let hasUncounted = tickClasses()
        let isFinding = tickAdvice()
        if now - cron.lastSample >= 100 {
            cron.lastSample = now
            statistics.instantaneousOperations.sample(statistics.commandsProcessed, at: now)
            statistics.instantaneousInput.sample(statistics.networkInput, at: now)
            statistics.instantaneousOutput.sample(statistics.networkOutput, at: now)
            let loops = loopCounters
            statistics.instantaneousCycles.sample(loops.cycles, at: now)
            statistics.instantaneousCycleNanoseconds.sample(loops.nanoseconds, at: now)
            readMemory()
            memory.restrain(limit: evictionLimit, hasDisk: keyspace.sinks)
            followMemoryLimit()
            evictClients()
            auditClasses()
            keyspace.clocks.grow(keyCount: keyspace.count, byteCountMax: memoryShare(64))
            saveIfDue()
            rewriteAppendOnlyIfDue()
        }
        let isSaving = advanceSnapshot()
        collectGarbage()
        let isCoordinating = coordinate()
        let period = 1000 / max(1, min(500, settings.hz))
        if isSaving || isCompacting { return isSaving ? 1 : 2 }
        return needsMore || hasDead || isCoordinating || hasUncounted || isFinding || isMovingValues ? 3 : period
    }

    /// A slice of taking away what died with its tags; true when there is more.
    private mutating func reclaimInvalidated() -> Bool {
        guard keyspace.tags.deadKeyCount > 0 || keyspace.tags.hasUnsettled, keyspace.removesExpired, !isPaused,
            gates.isDisjoint(with: [.loading, .busy])
        else { return false }
        let deadline = clock.monotonicNanoseconds + sweepSliceNanoseconds
        let isDone = cron.tagSweep.run(&keyspace, clock: clock, deadlineNanoseconds: deadline)
        applyEffects()
        return !isDone
    }

    /// The extension's turn; true when it has more to do at once.
    private mutating func coordinate() -> Bool {
        guard let coordination, !isPaused, gates.isDisjoint(with: [.loading, .busy]) else { return false }
        return coordination.tick(&self)
    }

    /// A slice of the sweep; true when it ran out of time with work left.
    private mutating func expireActively() -> Bool {
        guard cron.expiresActively, keyspace.removesExpired, !isPaused,
            gates.isDisjoint(with: [.loading, .busy, .importing])
        else { return false }
        let start = ticks()
        let deadline = clock.monotonicNanoseconds + sweepSliceNanoseconds
        let keysFinished = cron.sweep.run(&keyspace, clock: clock, deadlineNanoseconds: deadline)
        let finished = sweepFields(deadlineNanoseconds: deadline) && keysFinished
        statistics.activeExpireTicks &+= ticks() &- start
        applyEffects()
        return !finished
    }

    /// Hands what is to be freed to the background.
    package mutating func collectGarbage() {
        guard !keyspace.garbage.isEmpty else { return }
        hooks.dispose(keyspace.garbage.take())
    }
}
