// Snapshot+Cold.swift - a snapshot's values that lie on disk: before the walk over the tables, the files are read in
// their own order, and every record whose key the snapshot still waits for is taken as it is met. The walk then finds
// what is left: what was in buffers, and what could not be read. No segment is emptied while a snapshot runs, so an
// entry that is still the snapshot's and has a record's address has that value. Engine's turn only.
internal import Base
internal import ColdStore
internal import Structures

extension Keyspace {
    /// Values from here on take microseconds to unpack: the time is looked at after each.
    private static let notableByteCount = 4 << 10

    /// Works on the records of the disk. False when nothing can be done before the disk has read more.
    mutating func passRecords(_ capture: SnapshotCapture, waits: Bool, while goesOn: (Bool) -> Bool) -> Bool {
        let base = unsafe snapshotBase(capture)
        let result =
            tiers.cold?.store.pass(waits: waits) { head, key, payload, address in
                if let (entry, number) = capture.takeRemoved(at: address) {
                    if capture.take(entry, number: number, stored: payload) {
                        unsafe base.release(entry, number)
                    } else {
                        capture.putBack(entry, number: number)
                    }
                } else {
                    take(payload, of: key, at: address, likely: head.database, capture)
                }
                return goesOn(payload.count >= Keyspace.notableByteCount)
            } ?? .over
        if case .over = result { capture.endRecords() }
        if case .waiting = result { return false }
        return true
    }

    /// Databases may have been exchanged or flushed since the record was written.
    private func take(
        _ payload: Span<UInt8>, of key: Span<UInt8>, at address: ColdAddress, likely: Int,
        _ capture: SnapshotCapture
    ) {
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        for step in 0..<databaseCount {
            let index = (min(likely, databaseCount - 1) + step) % databaseCount
            if self[index].take(payload, of: key, hash: hash, at: address, capture) { return }
        }
        for database in capture.flushed where database.take(payload, of: key, hash: hash, at: address, capture) {
            return
        }
    }
}

extension Database {
    /// Gives the snapshot the stored value of `key` when it waits for it. False when this is not the key's database.
    func take(
        _ payload: Span<UInt8>, of key: Span<UInt8>, hash: UInt64, at address: ColdAddress,
        _ capture: SnapshotCapture
    ) -> Bool {
        guard self.capture === capture, sleepers.cold.keys > 0, let entry = table.find(key, hash: hash)?.entry,
            entry.tier == .cold, SleepingValue(entry).coldAddress == address
        else { return false }
        if entry.epoch != epoch && capture.take(entry, number: captureNumber, stored: payload) {
            entry.epoch = epoch
        }
        return true
    }
}
