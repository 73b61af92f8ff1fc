// TagSweep.swift - takes away what died with its tags: walks the tables of databases that have keys with tags, segment
// by segment within a time budget, and removes dead keys as if each had been asked for. Runs only while there are any.
// Nobody waits for it: a dead key is never served, listed or copied before either. The engine calls it from its timer.
package import Base
internal import Structures

package struct TagSweep {
    private var database = 0
    private var position: UInt64 = 0
    /// Sets of tags whose counts are paid in one step.
    private static let setsPerStep = 256

    package init() {}

    /// Works until nothing dead is left or `deadlineNanoseconds` (monotonic) has passed. True when nothing is left.
    package mutating func run(_ keyspace: inout Keyspace, clock: Clock, deadlineNanoseconds: Int64) -> Bool {
        while keyspace.tags.hasUnsettled {
            if keyspace.tags.settle(limit: TagSweep.setsPerStep) { break }
            if clock.monotonicNanoseconds >= deadlineNanoseconds { return false }
        }
        while keyspace.tags.deadKeyCount > 0 {
            step(&keyspace)
            if clock.monotonicNanoseconds >= deadlineNanoseconds { return keyspace.tags.deadKeyCount == 0 }
        }
        position = 0
        return true
    }

    /// One segment of the first database, from where the last step ended, that has keys with tags.
    private mutating func step(_ keyspace: inout Keyspace) {
        if database >= keyspace.databaseCount { database = 0 }
        guard keyspace[database].labelledCount > 0 else {
            position = 0
            database += 1
            return
        }
        let database = database
        var dead: [Entry] = []
        let tags = keyspace.tags
        let next = keyspace[database].table.walkSegment(at: position) { entry in
            if entry.hasLabel, tags.isDead(entry.labelCohort) { dead.append(entry) }
            return true
        }
        for entry in dead {
            let hash = keyspace[database].table.hash(entry.key)
            if let slot = keyspace[database].table.find(entry.key, hash: hash) {
                keyspace.expire(slot, hash: hash, in: database)
            }
        }
        if let next {
            position = next
        } else {
            position = 0
            self.database += 1
        }
    }
}
