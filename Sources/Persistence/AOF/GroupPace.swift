// GroupPace.swift - how long the writer waits under `always` for a group to become whole. Clients that wait for each
// reply before they write again come back a moment after the sync that answered them; a writer that starts with the
// first of them syncs for half of the clients, then for the other half. Where a sync takes a millisecond and more
// (network volumes, discs that turn) that moment is the smaller price: 50 clients on a disk of 2 ms write 1.3 times as
// much. Where it takes a fraction of one the halves are better taken in turns, and nobody waits. Measured with
// DEBUG AOF-FLUSH-SLEEP. Only the writer's thread.

struct GroupPace {
    /// Syncs that are faster are not waited for.
    private static let slowNanoseconds: Int64 = 1_000_000
    private static let patienceMax: Int64 = 5_000_000
    private static let restMax = 64

    private var groupByteCount = 0
    /// How long the next group may be waited for; 0 where waiting is no gain.
    private(set) var patience: Int64 = 0
    /// Groups that are not waited for, because waiting was in vain; twice as many each time.
    private var rest = 0
    private var nextRest = 1

    /// A group of so many bytes is on the disk, which took so long.
    mutating func hasSynced(_ byteCount: Int, nanoseconds: Int64) {
        groupByteCount = byteCount
        patience = nanoseconds < GroupPace.slowNanoseconds ? 0 : min(nanoseconds / 8 * 5, GroupPace.patienceMax)
    }

    /// What the next group should have before it is synced: nearly all of what was just answered, beside what came
    /// meanwhile. With patience only; 0 when the group is not to be waited for.
    mutating func wanted(besides waiting: Int) -> Int {
        guard rest == 0 else {
            rest -= 1
            return 0
        }
        let whole = groupByteCount + waiting
        return whole - whole / 8
    }

    /// A wait is over, with the group whole or not.
    mutating func hasWaited(isWhole: Bool) {
        if isWhole { return nextRest = 1 }
        rest = nextRest
        nextRest = min(nextRest * 2, GroupPace.restMax)
    }
}
