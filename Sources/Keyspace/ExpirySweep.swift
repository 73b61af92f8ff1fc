// ExpirySweep.swift - active expiry: walks all tables segment by segment within a time budget and removes what has
// expired. A segment whose earliest expiry lies ahead costs one read, so a full pass over ten million keys without
// due expiries takes well under a millisecond. The engine calls it from its timer; a backlog is worked off in slices.
package import Base
internal import Structures

package struct ExpirySweep {
    private var database = 0
    private var position = 0
    /// Segments between two looks at the clock.
    private static let segmentsPerCheck = 16

    package init() {}

    /// Sweeps until everything was visited once or `deadlineNanoseconds` (monotonic) has passed.
    /// Returns true when the pass is complete, false when the time ran out first.
    package mutating func run(_ keyspace: inout Keyspace, clock: Clock, deadlineNanoseconds: Int64) -> Bool {
        var visited = 0
        var databasesLeft = keyspace.databaseCount
        while databasesLeft > 0 {
            if database >= keyspace.databaseCount { database = 0 }
            if keyspace[database].table.expiryCount == 0 || position >= keyspace[database].table.directoryCount {
                database += 1
                position = 0
                databasesLeft -= 1
                continue
            }
            position = sweepSegment(&keyspace, at: position)
            visited += 1
            if visited % ExpirySweep.segmentsPerCheck == 0, clock.monotonicNanoseconds >= deadlineNanoseconds {
                keyspace.statistics.expiryTimeCapReached += 1
                return false
            }
        }
        return true
    }

    private func sweepSegment(_ keyspace: inout Keyspace, at position: Int) -> Int {
        let database = database
        var dead: [Entry] = []
        let next = keyspace[database].table.sweepExpired(at: position, now: keyspace.now) { dead.append($0) }
        for entry in dead {
            let hash = keyspace[database].table.hash(entry.key)
            if let slot = keyspace[database].table.find(entry.key, hash: hash) {
                keyspace.expire(slot, hash: hash, in: database)
            }
        }
        return next
    }
}
