// Database+Snapshot.swift - a database's side of a running snapshot: entries that are about to change or go are handed
// over, and get the epoch of everything that was written since the snapshot began. Engine's turn only. Everything here
// is the slow path: without a snapshot no entry has another epoch than its database.
internal import Base
internal import Structures

extension Database {
    /// An entry that the snapshot has not taken yet is about to change.
    @inline(never)
    mutating func handOver(_ entry: Entry) {
        capture?.handOver(entry, number: captureNumber)
        entry.epoch = epoch
    }

    /// As `handOver`, for an entry that left the table. True when the snapshot keeps the entry and frees it later.
    @inline(never)
    mutating func handOverForGood(_ entry: Entry) -> Bool {
        let isKept = capture?.keep(entry, number: captureNumber) ?? false
        entry.epoch = epoch
        return isKept
    }

    /// From now on all entries there are belong to `capture` as number `number`, until each is taken.
    mutating func beginCapture(_ capture: SnapshotCapture, number: Int) {
        self.capture = capture
        captureNumber = number
        epoch ^= Entry.epochMask
    }

    mutating func endCapture() { capture = nil }

    /// Takes entries from `position` on while `goesOn` says so and no record is left open. Returns the place to go on
    /// from, nil at the end of the table.
    func takeEntries(
        from position: UInt64, _ capture: SnapshotCapture, while goesOn: (Bool) -> Bool
    ) -> UInt64? {
        let (epoch, number) = (epoch, captureNumber)
        return table.walkSegment(at: position) { entry in
            guard entry.epoch != epoch else { return true }
            // An entry whose record stays open keeps its bit, so that a change of it is noticed.
            guard capture.take(entry, number: number) else { return false }
            entry.epoch = epoch
            return goesOn(entry.isAsleep)
        }
    }
}
