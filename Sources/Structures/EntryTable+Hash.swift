// EntryTable+Hash.swift - entries found by their hash alone, for those who keep hashes in the place of keys (classes'
// ledgers, pools of victims, samples): 64 bits of a seeded hash tell any two keys of a server apart. Nothing here
// changes what the table holds.
internal import Base
internal import CLinux

extension EntryTable {
    /// The slot of the key whose hash is `hash`, or nil. Cost: as `find`, and the hash of every key with the same tag.
    package func find(hash: UInt64) -> Slot? {
        guard let directory = unsafe directory else { return nil }
        let word = unsafe directory[directoryIndex(hash)]
        let segment = EntryTable.segment(word)
        let home = segment.homeBucket(EntryTable.remaining(hash, depth: EntryTable.depth(word)))
        if let slot = match(segment, home, hash) { return slot }
        guard segment.isDisplaced(home) else { return nil }
        if let slot = match(segment, segment.nextBucket(home), hash) { return slot }
        for bucket in segment.homeCount..<(segment.homeCount &+ segment.stashCount) {
            if let slot = match(segment, bucket, hash) { return slot }
        }
        return nil
    }

    private func match(_ segment: EntrySegment, _ bucket: Int, _ wanted: UInt64) -> Slot? {
        var lanes = segment.lanes(in: bucket, tag: EntryTable.tag(wanted))
        while lanes != 0 {
            let lane = lanes.trailingZeroBitCount
            if hash(of: segment.entry(bucket, lane)) == wanted {
                return Slot(segment: segment, bucket: bucket, lane: lane)
            }
            lanes &= lanes &- 1
        }
        return nil
    }

    /// Calls `visit` with every entry that has an expiry in the segment that holds the hash `position`, and returns
    /// where the next segment's hashes begin, nil at the end. A segment in which nothing expires by `latest` costs one
    /// read. The callback must not change the table.
    package func visitExpiring(at position: UInt64, by latest: Int64, _ visit: (Entry) -> Void) -> UInt64? {
        guard let directory = unsafe directory else { return nil }
        let word = unsafe directory[directoryIndex(position)]
        let segment = EntryTable.segment(word)
        if expiryCount > 0, unsafe segment.headerPointer.pointee.expiryCount > 0,
            unsafe segment.headerPointer.pointee.earliestExpiry <= latest
        {
            segment.prefetchExpiring(0)
            for bucket in 0..<(segment.homeCount + segment.stashCount) {
                segment.prefetchExpiring(bucket + 1)
                var lanes = segment.expiringLanes(bucket)
                while lanes != 0 {
                    visit(segment.entry(bucket, lanes.trailingZeroBitCount))
                    lanes &= lanes &- 1
                }
            }
        }
        return EntryTable.position(after: position, depth: EntryTable.depth(word))
    }
}
