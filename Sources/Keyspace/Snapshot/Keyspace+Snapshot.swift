// Keyspace+Snapshot.swift - running a snapshot over all databases: begin, slices of the walk, end. Engine's turn only;
// one snapshot at a time. Who wants one (BGSAVE, an AOF rewrite, a replica) goes through the engine.
internal import Base
internal import ColdStore
package import Structures

extension Keyspace {
    /// Begins a snapshot of this very moment. Pieces of an RDB body (records with their database numbers, no head and
    /// no end) are given to `deliver` in order. The caller drives it by `advanceSnapshot` to its end.
    package mutating func beginSnapshot(
        compresses: Bool, deliver: @escaping (SnapshotPiece) -> Void
    ) -> SnapshotCapture {
        precondition(snapshot == nil, "one snapshot at a time")
        let capture = SnapshotCapture(
            databaseCount: databaseCount, keysTotal: count, tags: tags, tiers: tiers, compresses: compresses,
            deliver: deliver)
        for index in 0..<databaseCount where self[index].count > 0 {
            self[index].beginCapture(capture, number: index)
        }
        snapshot = capture
        tags.keepsNumbers = true
        if let cold = tiers.cold, coldKeyCount > 0 {
            cold.store.beginPass()
            capture.beginRecords()
        }
        return capture
    }

    /// Whether a snapshot runs, or the rest of one is still being put away.
    package var isSnapshotRunning: Bool { snapshot != nil }

    /// Works on the snapshot while `goesOn` says so; it is asked after every entry (`afterPiece` false), which costs
    /// tens of nanoseconds, and after every quarter megabyte of a large value. It ends early when values have to be
    /// read from disk first, unless it `waits`. True when the snapshot is complete: all pieces were delivered, and the
    /// keyspace knows nothing of it any more.
    package mutating func advanceSnapshot(
        waits: Bool = true, while goesOn: (_ afterPiece: Bool) -> Bool
    ) -> Bool {
        guard let capture = snapshot else { return true }
        repeat {
            if capture.hasOpenRecord {
                advanceValue(capture)
            } else if let wanted = capture.takeWanted() {
                take(wanted, capture)
            } else if capture.hasRemovedValues {
                advanceValue(capture)
            } else if capture.isPassingRecords {
                guard passRecords(capture, waits: waits, while: goesOn) else { return false }
            } else if capture.number >= capture.databaseCount {
                endSnapshot(capture)
                return true
            } else {
                advanceWalk(capture, while: goesOn)
            }
        } while goesOn(true)
        return false
    }

    /// Stops writing; what is left to do is giving every entry the same epoch, by `advanceSnapshot` as before.
    package mutating func abandonSnapshot() {
        guard let capture = snapshot else { return }
        let base = unsafe snapshotBase(capture)
        capture.abandon { entry, number in unsafe base.release(entry, number) }
        tiers.cold?.store.endPass()
    }

    /// Whether the entry's value is on disk, and a snapshot takes it when the key changes: it had better be here then.
    package func isAwaitingSnapshot(_ entry: Entry, in database: Int) -> Bool {
        entry.tier == .cold && entry.epoch != self[database].epoch
    }

    /// Whether the value of a live key is large and not taken yet, so that a write to it had better wait. The snapshot
    /// takes it next then.
    package func isAwaitingSnapshot(_ key: Span<UInt8>, hash: UInt64, in database: Int) -> Bool {
        guard let snapshot, !snapshot.isAbandoned, self[database].capture === snapshot,
            let entry = self[database].table.find(key, hash: hash)?.entry, entry.epoch != self[database].epoch,
            entry.hasHeldValue, HeldValue.byteCount(entry) >= SnapshotCapture.largeByteCountMin
        else { return false }
        snapshot.want(
            SnapshotCapture.WantedValue(key: key.array, hash: hash, number: self[database].captureNumber))
        return true
    }

    private mutating func take(_ wanted: SnapshotCapture.WantedValue, _ capture: SnapshotCapture) {
        guard let index = liveIndex(wanted.number, capture),
            let entry = self[index].table.find(wanted.key.span, hash: wanted.hash)?.entry,
            entry.epoch != self[index].epoch
        else { return }
        if capture.take(entry, number: wanted.number) { entry.epoch = self[index].epoch }
    }

    private mutating func advanceWalk(_ capture: SnapshotCapture, while goesOn: (Bool) -> Bool) {
        let number = capture.number
        let next: UInt64?
        if let index = liveIndex(number, capture) {
            next = self[index].takeEntries(from: capture.position, capture, while: goesOn)
        } else if let flushed = capture.flushed.first(where: { $0.captureNumber == number }) {
            next = flushed.takeEntries(from: capture.position, capture, while: goesOn)
        } else {
            next = nil
        }
        if let next {
            capture.position = next
        } else {
            capture.position = 0
            capture.number += 1
        }
    }

    private mutating func advanceValue(_ capture: SnapshotCapture) {
        let base = unsafe snapshotBase(capture)
        capture.advanceValue(
            { entry, number in unsafe base.release(entry, number) },
            stamp: { entry in unsafe base.stamp(entry) })
    }

    private mutating func endSnapshot(_ capture: SnapshotCapture) {
        capture.flushSink()
        capture.isComplete = true
        for index in 0..<databaseCount { self[index].endCapture() }
        for database in capture.flushed { garbage.add(database) }
        capture.flushed = []
        snapshot = nil
        tags.keepsNumbers = false
    }

    /// Where the database is now that had `number` when the snapshot began; nil when it was flushed, or was empty.
    private func liveIndex(_ number: Int, _ capture: SnapshotCapture) -> Int? {
        for index in 0..<databaseCount {
            if self[index].capture === capture && self[index].captureNumber == number { return index }
        }
        return nil
    }

    /// What the capture's callbacks change: databases and garbage, reached by address because the capture is running.
    @unsafe struct SnapshotBase {
        let databases: UnsafeMutablePointer<Database>
        let count: Int
        let garbage: UnsafeMutablePointer<Garbage>
        let capture: SnapshotCapture

        /// Frees an entry that the capture kept.
        func release(_ entry: Entry, _ number: Int) {
            for index in unsafe 0..<count {
                let database = unsafe databases + index
                let isIt = unsafe database.pointee.capture === capture && database.pointee.captureNumber == number
                guard isIt else { continue }
                unsafe database.pointee.disposeTaken(entry, garbage: &garbage.pointee)
                return
            }
            // Its database was flushed: it goes with the rest of that, except for what lies behind the entry.
            unsafe capture.flushed.first { $0.captureNumber == number }?.disposeTaken(entry, &garbage.pointee)
        }

        /// Gives an entry whose record was closed the new epoch.
        func stamp(_ entry: Entry) { entry.epoch = entry.epoch ^ Entry.epochMask }
    }

    @unsafe func snapshotBase(_ capture: SnapshotCapture) -> SnapshotBase {
        unsafe SnapshotBase(
            databases: databasesPointer, count: databaseCount, garbage: garbagePointer, capture: capture)
    }
}
