// ExpirySweep.swift - active expiry: walks all tables segment by segment within a time budget and removes what has
// expired. A segment whose earliest expiry lies ahead costs one read, so a full pass over ten million keys without
// due expiries takes well under a millisecond. The engine calls it from its timer; a backlog is worked off in slices.
package import Base
internal import Structures

package struct ExpirySweep {
    private var database = 0
    /// Where in the database's hash space the sweep goes on.
    private var position: UInt64 = 0
    /// Segments that were looked at and removals, weighted, between two looks at the clock: about 20 microseconds.
    private static let workPerCheck = 200

    package init() {}

    /// Sweeps until every database was visited from here round to here, or `deadlineNanoseconds` (monotonic) has
    /// passed. Returns true when the round is complete, false when the time ran out first.
    package mutating func run(_ keyspace: inout Keyspace, clock: Clock, deadlineNanoseconds: Int64) -> Bool {
        var work = 0
        // The first database may have been entered in its middle, so it is visited once more at the end.
        var databasesLeft = keyspace.databaseCount + (position == 0 ? 0 : 1)
        while databasesLeft > 0 {
            if database >= keyspace.databaseCount { database = 0 }
            guard keyspace[database].table.expiryCount > 0 else {
                leaveDatabase(&databasesLeft)
                continue
            }
            let removed = sweepSegment(&keyspace)
            if position == 0 { leaveDatabase(&databasesLeft) }
            work += 10 + removed
            if work >= ExpirySweep.workPerCheck {
                work = 0
                if clock.monotonicNanoseconds >= deadlineNanoseconds {
                    keyspace.statistics.expiryTimeCapReached += 1
                    return false
                }
            }
        }
        return true
    }

    private mutating func leaveDatabase(_ databasesLeft: inout Int) {
        database += 1
        position = 0
        databasesLeft -= 1
    }

    /// One segment; `position` is 0 behind the last one. Returns the number of keys removed.
    private mutating func sweepSegment(_ keyspace: inout Keyspace) -> Int {
        let database = database
        var dead: [Entry] = []
        let next = keyspace[database].table.sweepExpired(at: position, now: keyspace.now - 1) { dead.append($0) }
        for entry in dead {
            let hash = keyspace[database].table.hash(entry.key)
            if let slot = keyspace[database].table.find(entry.key, hash: hash) {
                keyspace.expire(slot, hash: hash, in: database)
            }
        }
        position = next ?? 0
        return dead.count
    }
}
