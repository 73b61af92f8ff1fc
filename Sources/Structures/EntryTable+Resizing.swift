// EntryTable+Resizing.swift - how a table grows and shrinks, one segment at a time. Growth: next size class, then a
// split into two segments of the second-largest class. Shrinking: two sparse sibling segments merge; a lone one
// steps down a class; the directory halves when nobody needs its depth. Never more than one segment's entries move.
internal import Base
internal import CLinux

extension EntryTable {
    /// A pair of siblings merges when together they fill less than this share of one large segment (in entries).
    private static var mergeCountMax: Int { 420 }
    /// Segments shrink or merge when a removal leaves a multiple of so many entries.
    private static var shrinkStep: Int { 16 }

    mutating func makeFirstSegment() {
        let segment = EntrySegment.allocate(sizeClass: 0)
        unsafe directory = .allocate(capacity: 1)
        unsafe directory.unsafelyUnwrapped.initialize(to: EntryTable.word(segment, depth: 0))
        globalDepth = 0
        deepestCount = 1
        allocatedByteCount = segment.byteCount + 8
    }

    /// At most so many entries a segment when room is made beforehand: two thirds of the largest class.
    private static var reservedCountMax: Int { 640 }
    /// So many entries and more start in the largest class, fewer in the one below it.
    private static var reservedCountLarge: Int { 480 }

    /// Makes room for about `count` entries at once, as much as they would take anyway; does nothing unless the table
    /// is empty. What a file says about its keys spares loading it most of the splits. Cost: 11 to 16 bytes an entry
    /// are zeroed, 10 ms a million.
    package mutating func reserve(_ count: Int) {
        guard unsafe directory == nil, count > EntryTable.reservedCountMax else { return }
        var depth = 0
        while count >> depth > EntryTable.reservedCountMax { depth += 1 }
        let sizeClass = EntrySegment.largestClass - (count >> depth < EntryTable.reservedCountLarge ? 1 : 0)
        let size = 1 << depth
        let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: size)
        for index in 0..<size {
            let segment = EntrySegment.allocate(sizeClass: sizeClass)
            allocatedByteCount += segment.byteCount + 8
            unsafe slots[index] = EntryTable.word(segment, depth: depth)
        }
        unsafe directory = slots
        globalDepth = depth
        deepestCount = size
    }

    /// Gives the segment of `hash` more room.
    @inline(never)
    mutating func enlarge(at hash: UInt64) {
        let index = directoryIndex(hash)
        let word = unsafe directory.unsafelyUnwrapped[index]
        let segment = EntryTable.segment(word)
        let depth = EntryTable.depth(word)
        if segment.sizeClass < EntrySegment.largestClass,
            rebuild([segment], prefix: hash, depth: depth, sizeClass: segment.sizeClass + 1)
        {
            return
        }
        // Entries that crowd at the border of two buckets may not fit into a larger segment that has no border there.
        split(segment, hash: hash, depth: depth)
    }

    /// Moves the entries of `old` (one segment, or two siblings) into one new segment of `depth` and `sizeClass`,
    /// or the next larger class that holds them. False, and nothing changed, when not even the largest does: what is
    /// removed in hash order leaves entries that crowd in a few buckets.
    private mutating func rebuild(_ old: [EntrySegment], prefix: UInt64, depth: Int, sizeClass: Int) -> Bool {
        var wanted = sizeClass
        while true {
            let fresh = EntrySegment.allocate(sizeClass: wanted)
            var placed = true
            for segment in old where placed { placed = move(segment, to: fresh, depth: depth) }
            if placed {
                unsafe install(fresh, prefix: prefix, depth: depth)
                allocatedByteCount += fresh.byteCount
                break
            }
            fresh.deallocate()
            guard wanted < EntrySegment.largestClass else { return false }
            wanted += 1
        }
        for segment in old {
            allocatedByteCount -= segment.byteCount
            segment.deallocate()
        }
        return true
    }

    /// Copies every entry of `source` into `target`; false when one does not fit.
    private func move(_ source: EntrySegment, to target: EntrySegment, depth: Int) -> Bool {
        var fits = true
        source.prefetchEntries(of: 0)
        var previous = -1
        source.forEachLane { bucket, lane in
            guard fits else { return }
            if bucket != previous {
                previous = bucket
                source.prefetchEntries(of: bucket + 1)
            }
            let entry = source.entry(bucket, lane)
            let hash = hash(of: entry)
            fits = target.place(
                entry, remaining: EntryTable.remaining(hash, depth: depth), tag: EntryTable.tag(hash),
                age: source.age(bucket, lane))
        }
        return fits
    }

    /// Points every directory slot of the prefix at `segment`.
    @unsafe private mutating func install(_ segment: EntrySegment, prefix: UInt64, depth: Int) {
        let span = 1 << (globalDepth - depth)
        let first = directoryIndex(prefix) & ~(span - 1)
        let word = EntryTable.word(segment, depth: depth)
        for index in first..<(first + span) { unsafe directory.unsafelyUnwrapped[index] = word }
    }

    private mutating func split(_ segment: EntrySegment, hash: UInt64, depth: Int) {
        precondition(depth < 40, "2^40 segments are beyond any memory")
        if depth == globalDepth { doubleDirectory() }
        let bit = UInt64(1) << UInt64(63 - depth)
        let lowPrefix = hash & ~bit
        var halves = (EntrySegment.allocate(sizeClass: 6), EntrySegment.allocate(sizeClass: 6))
        if !distribute(segment, into: halves, bit: bit, depth: depth + 1) {
            // A hash so uneven that one half overflows: both halves start at the largest class instead.
            halves.0.deallocate()
            halves.1.deallocate()
            halves = (EntrySegment.allocate(sizeClass: 7), EntrySegment.allocate(sizeClass: 7))
            if !distribute(segment, into: halves, bit: bit, depth: depth + 1) {
                halves.0.deallocate()
                halves.1.deallocate()
                return spread(segment, prefix: lowPrefix, bit: bit, depth: depth + 1)
            }
        }
        unsafe install(halves.0, prefix: lowPrefix, depth: depth + 1)
        unsafe install(halves.1, prefix: lowPrefix | bit, depth: depth + 1)
        allocatedByteCount += halves.0.byteCount + halves.1.byteCount - segment.byteCount
        if depth + 1 == globalDepth { deepestCount += 2 }
        segment.deallocate()
    }

    private struct Placed {
        let entry: Entry
        let hash: UInt64
        let age: UInt8
    }

    /// Splits a segment whose entries crowd so that neither half holds its part: halves of halves, until each has
    /// room. Removals in hash order leave such crowds, merges press them together.
    private mutating func spread(_ segment: EntrySegment, prefix: UInt64, bit: UInt64, depth: Int) {
        var parts: [Placed] = []
        segment.forEachLane { bucket, lane in
            let entry = segment.entry(bucket, lane)
            parts.append(Placed(entry: entry, hash: hash(of: entry), age: segment.age(bucket, lane)))
        }
        spread(parts.filter { $0.hash & bit == 0 }, prefix: prefix, depth: depth)
        spread(parts.filter { $0.hash & bit != 0 }, prefix: prefix | bit, depth: depth)
        allocatedByteCount -= segment.byteCount
        segment.deallocate()
    }

    private mutating func spread(_ parts: [Placed], prefix: UInt64, depth: Int) {
        for sizeClass in EntrySegment.largestClass - 1...EntrySegment.largestClass {
            let fresh = EntrySegment.allocate(sizeClass: sizeClass)
            let fits = parts.allSatisfy { part in
                fresh.place(
                    part.entry, remaining: EntryTable.remaining(part.hash, depth: depth),
                    tag: EntryTable.tag(part.hash), age: part.age)
            }
            if fits {
                unsafe install(fresh, prefix: prefix, depth: depth)
                allocatedByteCount += fresh.byteCount
                if depth == globalDepth { deepestCount += 1 }
                return
            }
            fresh.deallocate()
        }
        precondition(depth < 40, "2^40 segments are beyond any memory")
        if depth == globalDepth { doubleDirectory() }
        let bit = UInt64(1) << UInt64(63 - depth)
        spread(parts.filter { $0.hash & bit == 0 }, prefix: prefix & ~bit, depth: depth + 1)
        spread(parts.filter { $0.hash & bit != 0 }, prefix: prefix | bit, depth: depth + 1)
    }

    private func distribute(
        _ segment: EntrySegment, into halves: (EntrySegment, EntrySegment), bit: UInt64, depth: Int
    ) -> Bool {
        var fits = true
        var previous = -1
        segment.prefetchEntries(of: 0)
        segment.forEachLane { bucket, lane in
            guard fits else { return }
            if bucket != previous {
                previous = bucket
                segment.prefetchEntries(of: bucket + 1)
            }
            let entry = segment.entry(bucket, lane)
            let hash = hash(of: entry)
            let target = hash & bit == 0 ? halves.0 : halves.1
            fits = target.place(
                entry, remaining: EntryTable.remaining(hash, depth: depth), tag: EntryTable.tag(hash),
                age: segment.age(bucket, lane))
        }
        return fits
    }

    private mutating func doubleDirectory() {
        let size = 1 << globalDepth
        let old = unsafe directory.unsafelyUnwrapped
        let fresh = UnsafeMutablePointer<UInt64>.allocate(capacity: size * 2)
        for index in 0..<size {
            unsafe fresh[index * 2] = old[index]
            unsafe fresh[index * 2 + 1] = old[index]
        }
        unsafe old.deallocate()
        unsafe directory = fresh
        allocatedByteCount += size * 8
        globalDepth += 1
        deepestCount = 0
    }

    /// After a removal: merges siblings, steps down a class or halves the directory when the segment got sparse.
    @inline(__always)
    mutating func shrinkIfSparse(at hash: UInt64) {
        let word = unsafe directory.unsafelyUnwrapped[directoryIndex(hash)]
        let segment = EntryTable.segment(word)
        let used = unsafe Int(segment.headerPointer.pointee.count)
        // A quarter of the lanes: far below what made the segment grow, so that nothing flaps.
        if _slowPath(used < segment.homeCount &* 2) { shrink(segment, EntryTable.depth(word), hash) }
    }

    @inline(never)
    private mutating func shrink(_ segment: EntrySegment, _ depth: Int, _ hash: UInt64) {
        let used = unsafe Int(segment.headerPointer.pointee.count)
        if count == 0 {
            freeSegments()
            return
        }
        // A try that fails is not repeated at every removal.
        guard used % EntryTable.shrinkStep == 0 || segment.sizeClass < 3 else { return }
        if depth == 0 {
            if segment.sizeClass > 0 {
                _ = rebuild([segment], prefix: hash, depth: 0, sizeClass: segment.sizeClass - 1)
            }
            return
        }
        let siblingBit = UInt64(1) << UInt64(64 - depth)
        let siblingWord = unsafe directory.unsafelyUnwrapped[directoryIndex(hash ^ siblingBit)]
        guard EntryTable.depth(siblingWord) == depth else { return }
        let sibling = EntryTable.segment(siblingWord)
        guard unsafe used + Int(sibling.headerPointer.pointee.count) < EntryTable.mergeCountMax else { return }
        guard rebuild([segment, sibling], prefix: hash & ~siblingBit, depth: depth - 1, sizeClass: 6) else { return }
        if depth == globalDepth { deepestCount -= 2 }
        if deepestCount == 0 { halveDirectory() }
    }

    private mutating func halveDirectory() {
        while globalDepth > 0 && deepestCount == 0 {
            let size = 1 << (globalDepth - 1)
            let old = unsafe directory.unsafelyUnwrapped
            let fresh = UnsafeMutablePointer<UInt64>.allocate(capacity: size)
            for index in 0..<size { unsafe fresh[index] = old[index * 2] }
            unsafe old.deallocate()
            unsafe directory = fresh
            allocatedByteCount -= size * 8
            globalDepth -= 1
            for index in 0..<size where unsafe EntryTable.depth(fresh[index]) == globalDepth { deepestCount += 1 }
        }
    }

    /// Back to the empty table.
    mutating func freeSegments() {
        releaseMemory()
        unsafe directory = nil
        globalDepth = 0
        deepestCount = 0
        allocatedByteCount = 0
        count = 0
        expiryCount = 0
    }

    /// Gives back directory and segments; the entries are the caller's.
    func releaseMemory() {
        guard let slots = unsafe directory else { return }
        var index = 0
        while index < 1 << globalDepth {
            let word = unsafe slots[index]
            index += 1 << (globalDepth - EntryTable.depth(word))
            EntryTable.segment(word).deallocate()
            Bursts.pauseIfDue()
        }
        unsafe slots.deallocate()
    }
}
