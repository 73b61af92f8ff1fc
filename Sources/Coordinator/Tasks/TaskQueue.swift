// TaskQueue.swift - one queue of the index: its lines, one for each priority, and what STATS says about it. Lines and
// gauges follow from the task records; totals count since the server started. Pure; under the turn.

/// What happened to tasks since the server started.
package struct TaskTotals: Equatable, Sendable {
    package var enqueued = 0
    package var claimed = 0
    package var done = 0
    /// Attempts that failed, those included whose lease ran out.
    package var failed = 0
    package var leasesExpired = 0
    /// Milliseconds between ready and claimed, over all `claimed`.
    package var waitMilliseconds: Int64 = 0
    /// Milliseconds between claimed and done, over all `done`.
    package var runMilliseconds: Int64 = 0

    package init() {}

    package mutating func noteClaim(waitedMilliseconds: Int64) {
        claimed += 1
        waitMilliseconds = TaskTotals.add(waitMilliseconds, waitedMilliseconds)
    }

    package mutating func noteDone(ranMilliseconds: Int64) {
        done += 1
        runMilliseconds = TaskTotals.add(runMilliseconds, ranMilliseconds)
    }

    package mutating func add(_ other: TaskTotals) {
        enqueued += other.enqueued
        claimed += other.claimed
        done += other.done
        failed += other.failed
        leasesExpired += other.leasesExpired
        waitMilliseconds = TaskTotals.add(waitMilliseconds, other.waitMilliseconds)
        runMilliseconds = TaskTotals.add(runMilliseconds, other.runMilliseconds)
    }

    package var averageWaitMilliseconds: Double { claimed == 0 ? 0 : Double(waitMilliseconds) / Double(claimed) }
    package var averageRunMilliseconds: Double { done == 0 ? 0 : Double(runMilliseconds) / Double(done) }

    /// Clocks may be set: no time runs backwards and no sum overflows.
    private static func add(_ sum: Int64, _ milliseconds: Int64) -> Int64 {
        let (result, overflow) = sum.addingReportingOverflow(max(0, milliseconds))
        return overflow ? .max : result
    }
}

/// What a queue holds now.
package struct TaskGauges: Equatable, Sendable {
    /// Waiting tasks by priority, those included that wait for a delay or a back-off.
    package var waiting: [4 of Int] = [0, 0, 0, 0]
    package var leased = 0
    /// Tasks by status.
    package var statuses: [6 of Int] = [0, 0, 0, 0, 0, 0]
    package var workers = 0

    package init() {}

    package static func == (left: TaskGauges, right: TaskGauges) -> Bool {
        for index in 0..<4 where left.waiting[index] != right.waiting[index] { return false }
        for index in 0..<6 where left.statuses[index] != right.statuses[index] { return false }
        return left.leased == right.leased && left.workers == right.workers
    }

    package func count(_ status: TaskStatus) -> Int { statuses[Int(status.rawValue)] }

    /// Adds a task (`by` 1) or takes it away (-1); workers are counted by the queue.
    package mutating func note(_ item: TaskItem, by change: Int) {
        statuses[Int(item.status.rawValue)] += change
        if item.status.isWaiting { waiting[Int(item.priority.rawValue)] += change }
        if item.holdsLease { leased += change }
    }
}

struct TaskQueue {
    /// Tasks that may be claimed, by priority, who waits longest first.
    var lines: [4 of ItemHeap] = [ItemHeap(), ItemHeap(), ItemHeap(), ItemHeap()]
    var gauges = TaskGauges()
    var totals = TaskTotals()
    /// Stands in the index' list of signals.
    var isSignalled = false
    /// Leases at most; nil for no limit.
    var limit: Int?
    /// Leases by worker.
    var workers: [Int32: Int] = [:]
    /// Unfinished tasks that said UNIQUE.
    var unique: [UInt64: Int32] = [:]

    var isIdle: Bool {
        limit == nil && workers.isEmpty && unique.isEmpty && (0..<6).allSatisfy { gauges.statuses[$0] == 0 }
    }

    /// Strictly by priority, except that whoever has waited `agingMilliseconds` counts as one priority higher, twice
    /// that long as two: then nobody starves. 0 switches ageing off.
    func next(agingMilliseconds: Int64) -> Int32? {
        var best: (rank: Int64, order: Int64, item: Int32)?
        for level in 0..<4 {
            guard let first = lines[level].first else { continue }
            if agingMilliseconds <= 0 { return first.item }
            let rank = TaskQueue.later(first.key, by: TaskQueue.times(agingMilliseconds, Int64(level)))
            if let found = best, (found.rank, found.order) <= (rank, first.order) { continue }
            best = (rank, first.order, first.item)
        }
        return best?.item
    }

    static func later(_ time: Int64, by milliseconds: Int64) -> Int64 {
        let (sum, overflow) = time.addingReportingOverflow(milliseconds)
        return overflow ? (milliseconds > 0 ? .max : .min) : sum
    }

    static func times(_ milliseconds: Int64, _ factor: Int64) -> Int64 {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
