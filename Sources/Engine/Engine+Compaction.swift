// Engine+Compaction.swift - resident memory stays near what is used: when too much of the entries' pages is idle, a
// hand empties the sparse ones (`Keyspace/CompactionHand.swift`), in slices by the clock, and before commands while
// there is far too much. With `maxmemory` always, since its promise to the system is worth nothing otherwise; without,
// when `activedefrag` says so and by its thresholds. Under the turn.
internal import Base
internal import Keyspace

/// Where compaction is.
package struct CompactionDuties {
    var hand = CompactionHand()
    /// Share of time that it takes, in percent; 0 when there is nothing to do.
    package internal(set) var percent = 0
    /// After rounds that brought little: not again before so much is idle, or such a share of the pages.
    var restsBelow = 0
    var restsBelowShare = 0.0
    /// The millisecond of the last slice before a command.
    var lastSlice: Int64 = 0
    /// When it began to run, in ticks.
    var began: UInt64 = 0
    init() {}
}

extension Engine {
    /// Idle bytes of entry pages that `maxmemory` bears, as a share of it, and at least.
    private static let idleShare = 40
    private static let idleByteCountMin = 256 << 10
    /// By how much a share of the pages must grow after rounds that brought little.
    private static let restShare = 1.2
    /// How long one slice holds the turn, at most.
    private static let compactionSliceNanoseconds: Int64 = 500_000
    /// The same before a command, once a millisecond.
    private static let commandSliceNanoseconds: Int64 = 250_000

    /// Compaction begins above this, and ends below half of it.
    private var idleByteCountMax: Int {
        var bound = Int.max
        if settings.maxmemory > 0 { bound = max(Engine.idleByteCountMin, settings.maxmemory / Engine.idleShare) }
        if settings.activeDefragmentation {
            let share = max(1, usedMemory / 100 * settings.activeDefragThresholdLower)
            bound = min(bound, max(settings.activeDefragIgnoreBytes, share))
        }
        return bound
    }

    /// The timer's share; true when it wants to go on soon.
    mutating func compactInBackground() -> Bool {
        guard !isPaused, gates.isDisjoint(with: [.loading, .busy]) else { return false }
        let idle = keyspace.idleByteCount
        let bound = idleByteCountMax
        guard idle > bound && !isCompactionResting(idle: idle) || compaction.percent > 0 && idle > bound / 2 else {
            endCompaction()
            return false
        }
        if compaction.percent == 0 {
            compaction.began = ticks()
            compaction.hand.restart()
        }
        compaction.percent = compactionPercent(idle: idle, bound: bound)
        let longest = min(Engine.compactionSliceNanoseconds, Int64(settings.activeDefragCycleMicroseconds) * 1000)
        compact(nanoseconds: max(50_000, min(longest, Int64(compaction.percent) * 30_000)))
        return compaction.percent > 0
    }

    /// Between `active-defrag-cycle-min` and `-max` percent of the time, the more the more is idle.
    private func compactionPercent(idle: Int, bound: Int) -> Int {
        let least = settings.activeDefragCycleMin
        let most = max(least, settings.activeDefragCycleMax)
        var excess = Double(max(0, idle - bound / 2)) / Double(max(1, bound))
        if settings.maxmemory == 0 {
            let lower = settings.activeDefragThresholdLower
            let range = max(1, settings.activeDefragThresholdUpper - lower)
            excess = (Double(idle) * 100 / Double(max(1, usedMemory)) - Double(lower)) / Double(range)
        }
        excess = min(1, max(0, excess))
        return max(1, least + Int(excess * Double(most - least)))
    }

    /// A command is about to take memory while far too much is idle.
    mutating func compactBeforeCommand() {
        guard keyspace.now != compaction.lastSlice, settings.maxmemory > 0 else { return }
        compaction.lastSlice = keyspace.now
        let idle = keyspace.idleByteCount
        guard idle > idleByteCountMax * 3 / 2, !isCompactionResting(idle: idle) else { return }
        compact(nanoseconds: Engine.commandSliceNanoseconds)
    }

    private mutating func compact(nanoseconds: Int64) {
        let start = ticks()
        let deadline = clock.monotonicNanoseconds + nanoseconds
        repeat {
            let result = compaction.hand.step(&keyspace)
            statistics.compactionMoved += result.movedCount
            statistics.compactionHeld += result.heldCount
            guard result.isOver else { continue }
            // All pages were seen in all rounds: what is idle now stays, until there is clearly more of it.
            let idle = keyspace.idleByteCount
            let brought = idle <= idleByteCountMax / 2
            compaction.restsBelow = brought ? 0 : idle + idleByteCountMax / 2
            compaction.restsBelowShare = brought ? 0 : idleShare(idle) * Engine.restShare
            endCompaction()
            break
        } while clock.monotonicNanoseconds < deadline
        let spent = ticks() &- start
        if spent >= latency.thresholdTicks {
            latency.add("active-defrag-cycle", ticks: spent, seconds: keyspace.now / 1000)
        }
    }

    /// Where keys of one size go and none come, what is idle stays the same while pages are given back: it is in fewer
    /// and emptier ones.
    private func isCompactionResting(idle: Int) -> Bool {
        idle <= compaction.restsBelow && idleShare(idle) <= compaction.restsBelowShare
    }

    private func idleShare(_ idle: Int) -> Double { Double(idle) / Double(max(1, keyspace.activeByteCount)) }

    private mutating func endCompaction() {
        if compaction.percent > 0 { statistics.compactionTicks &+= ticks() &- compaction.began }
        compaction.percent = 0
        if keyspace.idleByteCount < idleByteCountMax / 2 { compaction.restsBelow = 0 }
    }

    /// INFO's active_defrag_running, and the milliseconds for which it ran in all and runs now.
    package var compactionFigures: (percent: Int, total: Int, current: Int) {
        let current = compaction.percent > 0 ? ticks() &- compaction.began : 0
        func milliseconds(_ ticks: UInt64) -> Int { Int(Double(ticks) / Ticks.perMicrosecond / 1000) }
        return (
            compaction.percent, milliseconds(statistics.compactionTicks &+ current), milliseconds(current)
        )
    }
}
