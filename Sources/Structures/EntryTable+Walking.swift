// EntryTable+Walking.swift - every way to visit entries without a key: SCAN cursors, random picks, the expiry sweep
// and plain iteration. SCAN walks the hash space in order: its cursor is the top 48 bits of the next hash to visit,
// so growing, splitting and merging neither lose nor repeat an entry that stays. (48 bits also stay exact in clients
// that keep numbers as doubles.) Nothing here changes what the table holds.
internal import Base
internal import CLinux

extension EntryTable {
    private static var cursorBits: UInt64 { 48 }

    /// Visits the bucket of hash space at `cursor` and returns the cursor of the next one, 0 at the end. A key that is
    /// in the table from the first call to the last is visited at least once. The callback must not change the table.
    package func scan(cursor: UInt64, _ visit: (Entry) -> Void) -> UInt64 {
        guard let directory = unsafe directory, cursor >> EntryTable.cursorBits == 0 else { return 0 }
        let position = cursor << (64 - EntryTable.cursorBits)
        let word = unsafe directory[directoryIndex(position)]
        let segment = EntryTable.segment(word)
        let depth = EntryTable.depth(word)
        let home = segment.homeBucket(EntryTable.remaining(position, depth: depth))
        visitHome(segment, home, depth: depth, visit)
        // The first hash behind this bucket, in the segment's own 16-bit scale and then in the whole space.
        let nextSlice = ((UInt64(home) + 1) << 16 + UInt64(segment.homeCount) - 1) / UInt64(segment.homeCount)
        let prefix = depth == 0 ? 0 : (position >> UInt64(64 - depth)) << UInt64(64 - depth)
        let step = (UInt64(1) << 48) >> UInt64(depth)
        let (next, overflow) = prefix.addingReportingOverflow(nextSlice &* step)
        let wrapped = depth == 0 && nextSlice >= 1 << 16
        return overflow || wrapped ? 0 : next >> (64 - EntryTable.cursorBits)
    }

    /// Every entry whose home bucket is `home`, wherever in the segment it sits.
    private func visitHome(_ segment: EntrySegment, _ home: Int, depth: Int, _ visit: (Entry) -> Void) {
        visitLanes(segment, home, home: home, depth: depth, visit)
        guard segment.isDisplaced(home) else { return }
        let next = segment.nextBucket(home)
        if next != home { visitLanes(segment, next, home: home, depth: depth, visit) }
        for bucket in segment.homeCount..<(segment.homeCount + segment.stashCount) {
            visitLanes(segment, bucket, home: home, depth: depth, visit)
        }
    }

    private func visitLanes(
        _ segment: EntrySegment, _ bucket: Int, home: Int, depth: Int, _ visit: (Entry) -> Void
    ) {
        var used = ~segment.freeLanes(in: bucket) & 0xFF
        while used != 0 {
            let entry = segment.entry(bucket, used.trailingZeroBitCount)
            used &= used - 1
            if segment.homeBucket(EntryTable.remaining(hash(of: entry), depth: depth)) == home { visit(entry) }
        }
    }

    /// An entry picked close to uniformly, or nil when the table is empty. Expected cost: a few bucket reads.
    package func randomEntry(_ random: () -> UInt64) -> Entry? {
        guard count > 0, let directory = unsafe directory else { return nil }
        while true {
            let word = unsafe directory[directoryIndex(random())]
            let segment = EntryTable.segment(word)
            let buckets = UInt64(segment.homeCount + segment.stashCount)
            let draw = random()
            let bucket = Int(truncatingIfNeeded: ((draw & 0xFFFF_FFFF) * buckets) >> 32)
            let lane = Int(truncatingIfNeeded: draw >> 61)
            if segment.tag(bucket, lane) != 0 { return segment.entry(bucket, lane) }
        }
    }

    /// Visits every entry. The callback must not change the table.
    package func forEach(_ visit: (Entry) -> Void) {
        guard let directory = unsafe directory else { return }
        var index = 0
        while index < 1 << globalDepth {
            let word = unsafe directory[index]
            index += 1 << (globalDepth - EntryTable.depth(word))
            let segment = EntryTable.segment(word)
            segment.prefetchEntries(of: 0)
            for bucket in 0..<(segment.homeCount &+ segment.stashCount) {
                segment.prefetchEntries(of: bucket &+ 1)
                var used = ~segment.freeLanes(in: bucket) & 0xFF
                while used != 0 {
                    visit(segment.entry(bucket, used.trailingZeroBitCount))
                    used &= used &- 1
                }
                Bursts.pauseIfDue()
            }
        }
    }

    /// Visits the entries of the segment that holds the hash `position` while `visit` answers true. Returns where the
    /// next segment's hashes begin; `position` itself when it was stopped, nil behind the last segment. The callback
    /// must not change the table. A segment that is entered again is walked from its start.
    package func walkSegment(at position: UInt64, _ visit: (Entry) -> Bool) -> UInt64? {
        guard let directory = unsafe directory else { return nil }
        let word = unsafe directory[directoryIndex(position)]
        let segment = EntryTable.segment(word)
        segment.prefetchEntries(of: 0)
        for bucket in 0..<(segment.homeCount + segment.stashCount) {
            segment.prefetchEntries(of: bucket + 1)
            var used = ~segment.freeLanes(in: bucket) & 0xFF
            while used != 0 {
                if !visit(segment.entry(bucket, used.trailingZeroBitCount)) { return position }
                used &= used - 1
            }
        }
        return EntryTable.position(after: position, depth: EntryTable.depth(word))
    }

    /// Where the hashes of the segment behind that of `position` begin; nil at the end of hash space.
    static func position(after position: UInt64, depth: Int) -> UInt64? {
        guard depth > 0 else { return nil }
        let width = UInt64(1) << UInt64(64 - depth)
        let (next, overflow) = (position & ~(width - 1)).addingReportingOverflow(width)
        return overflow ? nil : next
    }

    /// Places in the directory; a segment fills one or several.
    package var directoryCount: Int { unsafe directory == nil ? 0 : 1 << globalDepth }

    /// One step of the expiry sweep: looks at the segment that holds the hash `position`, calls `visit` with every
    /// entry whose expiry is at or before `now`, and returns where the next segment's hashes begin, nil at the end.
    /// A place in hash space stays true when removals merge segments and halve the directory, an index would not.
    /// Segments whose bound lies ahead cost one read. The callback must not change the table; the bound is made
    /// exact for what stays, provided the caller removes what it was shown.
    package func sweepExpired(at position: UInt64, now: Int64, _ visit: (Entry) -> Void) -> UInt64? {
        guard let directory = unsafe directory else { return nil }
        let word = unsafe directory[directoryIndex(position)]
        let segment = EntryTable.segment(word)
        if expiryCount > 0, unsafe segment.headerPointer.pointee.earliestExpiry <= now {
            sweep(segment, now: now, visit)
        }
        return EntryTable.position(after: position, depth: EntryTable.depth(word))
    }

    /// A bound for the earliest expiry of all entries: none dies before it. Nil when none has one. One read a segment.
    package var earliestExpiryBound: Int64? {
        guard expiryCount > 0, let directory = unsafe directory else { return nil }
        var earliest = Int64.max
        var index = 0
        while index < 1 << globalDepth {
            let word = unsafe directory[index]
            index += 1 << (globalDepth - EntryTable.depth(word))
            let header = unsafe EntryTable.segment(word).headerPointer
            if unsafe header.pointee.expiryCount > 0 { earliest = min(earliest, unsafe header.pointee.earliestExpiry) }
        }
        return earliest
    }

    private func sweep(_ segment: EntrySegment, now: Int64, _ visit: (Entry) -> Void) {
        var earliest = Int64.max
        segment.prefetchExpiring(0)
        for bucket in 0..<(segment.homeCount + segment.stashCount) {
            segment.prefetchExpiring(bucket + 1)
            var lanes = segment.expiringLanes(bucket)
            while lanes != 0 {
                let entry = segment.entry(bucket, lanes.trailingZeroBitCount)
                lanes &= lanes - 1
                let expiry = entry.expiryMilliseconds
                if expiry <= now { visit(entry) } else if expiry < earliest { earliest = expiry }
            }
        }
        unsafe segment.headerPointer.pointee.earliestExpiry = earliest
    }
}

extension EntrySegment {
    /// Lanes of `bucket` whose entry has an expiry.
    @inline(__always)
    func expiringLanes(_ bucket: Int) -> UInt32 {
        unsafe fog_match_lanes16(bucketAddress(bucket) + 48, 0x8000, 0x8000)
    }

    @inline(__always)
    func prefetchExpiring(_ bucket: Int) {
        guard bucket < homeCount &+ stashCount else { return }
        var lanes = expiringLanes(bucket)
        while lanes != 0 {
            unsafe fog_prefetch(entry(bucket, lanes.trailingZeroBitCount).address)
            lanes &= lanes &- 1
        }
    }
}
