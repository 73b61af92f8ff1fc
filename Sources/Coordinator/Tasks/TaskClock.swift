// TaskClock.swift - what happens to tasks by the clock: leases that are over go back to their queue (or to the dead
// letters, when no attempt is left), delays end, waiting workers are woken. Runs in the coordinator's tick and, for
// leases, before every FOG.TASK command, so that no command sees a lease beyond its end. Under the turn.
internal import Base
internal import Engine
internal import Keyspace
internal import Structures

extension TaskRecords {
    /// Leases taken back and delays ended by one tick at most; the rest has to wait for the next.
    private static let tickCount = 300

    func tick(_ engine: inout Engine, _ database: Int, _ state: CoordinatorState) -> Bool {
        let now = engine.keyspace.now
        index.promote(now: now, countMax: TaskRecords.tickCount)
        let hasWritten = takeBackLeases(&engine, database, state, countMax: TaskRecords.tickCount)
        let hasWoken = wakeWorkers(&engine, database, state.prefix)
        if hasWritten || hasWoken { engine.finishOutsideOfCommand() }
        return hasWritten
    }

    /// Ends leases whose time is over; true when there were some.
    @discardableResult
    func takeBackLeases(
        _ engine: inout Engine, _ database: Int, _ state: CoordinatorState, countMax: Int
    ) -> Bool {
        let now = engine.keyspace.now
        var count = 0
        while count < countMax, let number = index.expiredLease(now: now) {
            count += 1
            let id = index.identifier(number)
            let key = TaskRecords.key(.task, id.span, state.prefix)
            guard let slot = try? engine.recordSlot(key.span, in: database) else {
                forget(id.span)
                continue
            }
            let attempt = slot.entry.integer(TaskField.attempt, now: now)
            let isLast = attempt > slot.entry.integer(TaskField.retries, now: now)
            let status = isLast ? TaskStatus.dead : .queued
            state.fields.removeAll()
            state.fields.add("status", text: status.name)
            state.fields.add("ready_ms", decimal: now)
            state.fields.add("lease_until", decimal: 0)
            state.fields.add("reason", text: "lease expired")
            // The slot was found to be a hash, which is all that can be refused.
            guard (try? engine.setRecord(key.span, in: database, state.fields, expiry: .kept, tells: false)) != nil
            else { continue }
            index.changeTotals(index[number].queue) { totals in
                totals.failed += 1
                totals.leasesExpired += 1
            }
            index.change(number, now: now) { item in
                item.status = status
                item.readyAt = now
                item.leaseUntil = 0
            }
        }
        return count > 0
    }

    /// Signals every queue in which something became possible; true when there were some.
    @discardableResult
    func wakeWorkers(_ engine: inout Engine, _ database: Int, _ prefix: [UInt8]) -> Bool {
        guard index.hasSignals else { return false }
        for queue in index.takeSignals() {
            let key = TaskRecords.key(.queue, index.queueName(queue).span, prefix)
            engine.signal(key.span, in: database)
        }
        return true
    }
}
