// EntryTable.swift - the hash table of entries: extendible hashing over segments (EntrySegment.swift). The top bits
// of a hash pick a directory slot, the next 16 bits a bucket. A full segment first grows through its size classes,
// then splits in two; at most about a thousand entries move at once (tens of microseconds), whatever the table's
// size. The table keeps entries, it does not own them: freeing is the caller's. Engine's turn only.
// Cost: a hit reads one directory slot, one bucket line and the entry; 11 bytes per entry on average.
internal import Base
internal import CLinux

@safe package struct EntryTable: ~Copyable {
    /// Where an entry sits: valid until the next insertion or removal in the same table.
    @safe package struct Slot {
        let segment: EntrySegment
        let bucket: Int
        let lane: Int

        @inline(__always) package var entry: Entry { segment.entry(bucket, lane) }
    }

    /// Directory words: depth in the top byte, segment address, size class in the low 3 bits. Nil while empty.
    var directory: UnsafeMutablePointer<UInt64>?
    /// Bits of a hash that pick a directory slot.
    var globalDepth: Int {
        @inline(__always) get { Int(depthByte) }
        set { depthByte = UInt8(newValue) }
    }
    /// Two bytes side by side, because every large set and hash has a table.
    private var depthByte: UInt8 = 0
    /// The age that new entries get; 0 unless eviction runs.
    package var newcomerAge: UInt8 = 0
    /// Segments whose own depth is the global one; when none is left the directory halves.
    var deepestCount = 0
    /// Entries held.
    package internal(set) var count = 0
    /// Entries held that have an expiry.
    package internal(set) var expiryCount = 0
    /// Bytes of directory and segments.
    package internal(set) var allocatedByteCount = 0
    /// Entries ever inserted, and put on probation again; eviction measures time by it.
    package internal(set) var insertionCount = 0
    private let seed: UInt64

    package init() {
        unsafe directory = nil
        seed = KeyHash.seed
    }

    deinit { releaseMemory() }

    // MARK: hash parts

    /// The hash every operation of the table expects for a key.
    @inline(__always)
    package func hash(_ key: Span<UInt8>) -> UInt64 { KeyHash.hash(key, seed: seed) }

    @inline(__always)
    func hash(of entry: Entry) -> UInt64 {
        unsafe KeyHash.hash(UnsafePointer(entry.keyAddress), count: entry.keyByteCount, seed: seed)
    }

    @inline(__always)
    static func tag(_ hash: UInt64) -> UInt16 {
        let bits = UInt16(truncatingIfNeeded: hash & 0x7FFF)
        return bits == 0 ? 1 : bits
    }

    @inline(__always)
    func directoryIndex(_ hash: UInt64) -> Int {
        // Two shifts, because a shift by 64 is not one on the machine.
        Int(truncatingIfNeeded: (hash >> 1) >> UInt64(truncatingIfNeeded: 63 &- globalDepth))
    }

    @inline(__always)
    static func depth(_ word: UInt64) -> Int { Int(truncatingIfNeeded: word >> 56) }

    @inline(__always)
    static func segment(_ word: UInt64) -> EntrySegment {
        let address = UInt(truncatingIfNeeded: word & 0x00FF_FFFF_FFFF_FFC0)
        return unsafe EntrySegment(
            memory: UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped,
            sizeClass: Int(truncatingIfNeeded: word & 7))
    }

    static func word(_ segment: EntrySegment, depth: Int) -> UInt64 {
        unsafe UInt64(depth) << 56 | UInt64(UInt(bitPattern: segment.memory)) | UInt64(segment.sizeClass)
    }

    @inline(__always)
    static func remaining(_ hash: UInt64, depth: Int) -> UInt64 { hash << UInt64(truncatingIfNeeded: depth) }

    // MARK: prefetch

    /// First step of a batch: brings the home bucket of `hash` towards the cache, and the segment's header, which a
    /// miss reads too.
    @inline(__always)
    package func prefetchBucket(_ hash: UInt64) {
        guard let directory = unsafe directory else { return }
        let word = unsafe directory[directoryIndex(hash)]
        let segment = EntryTable.segment(word)
        let home = segment.homeBucket(EntryTable.remaining(hash, depth: EntryTable.depth(word)))
        unsafe fog_prefetch(segment.bucketAddress(home))
        unsafe fog_prefetch(segment.memory)
    }

    /// Second step of a batch: brings the entry with the matching tag towards the cache. True when the home bucket has
    /// none and sent keys on: the next bucket is on its way then, and `prefetchDisplaced` looks into it.
    @inline(__always) @discardableResult
    package func prefetchEntry(_ hash: UInt64) -> Bool {
        guard let directory = unsafe directory else { return false }
        let word = unsafe directory[directoryIndex(hash)]
        let segment = EntryTable.segment(word)
        let home = segment.homeBucket(EntryTable.remaining(hash, depth: EntryTable.depth(word)))
        if segment.prefetchEntry(in: home, tag: EntryTable.tag(hash)) { return false }
        guard segment.isDisplaced(home) else { return false }
        unsafe fog_prefetch(segment.bucketAddress(segment.nextBucket(home)))
        return true
    }

    /// Third step of a batch, for the few keys that `prefetchEntry` answered true for. With a million keys at
    /// pipeline 16 it takes 1 % off GET and 2.5 % off SET (means of eight alternating runs).
    package func prefetchDisplaced(_ hash: UInt64) {
        guard let directory = unsafe directory else { return }
        let word = unsafe directory[directoryIndex(hash)]
        let segment = EntryTable.segment(word)
        let home = segment.homeBucket(EntryTable.remaining(hash, depth: EntryTable.depth(word)))
        _ = segment.prefetchEntry(in: segment.nextBucket(home), tag: EntryTable.tag(hash))
    }

    // MARK: lookup

    /// The slot of `key`, or nil.
    @inline(__always)
    package func find(_ key: Span<UInt8>, hash: UInt64) -> Slot? {
        unsafe key.withUnsafeBufferPointer { buffer in
            guard let directory = unsafe directory else { return nil }
            let word = unsafe directory[directoryIndex(hash)]
            let segment = EntryTable.segment(word)
            let home = segment.homeBucket(EntryTable.remaining(hash, depth: EntryTable.depth(word)))
            let tag = EntryTable.tag(hash)
            let base = unsafe buffer.baseAddress ?? UnsafePointer(bitPattern: 16).unsafelyUnwrapped
            if let lane = unsafe EntryTable.match(segment, home, tag, base, buffer.count) {
                return Slot(segment: segment, bucket: home, lane: lane)
            }
            if _fastPath(!segment.isDisplaced(home)) { return nil }
            return unsafe EntryTable.findDisplaced(segment, home, tag, base, buffer.count)
        }
    }

    @unsafe @inline(__always)
    private static func match(
        _ segment: EntrySegment, _ bucket: Int, _ tag: UInt16, _ key: UnsafePointer<UInt8>, _ count: Int
    ) -> Int? {
        var lanes = segment.lanes(in: bucket, tag: tag)
        while lanes != 0 {
            let lane = lanes.trailingZeroBitCount
            if unsafe segment.entry(bucket, lane).keyEquals(key, count: count) { return lane }
            lanes &= lanes &- 1
        }
        return nil
    }

    @unsafe @inline(never)
    private static func findDisplaced(
        _ segment: EntrySegment, _ home: Int, _ tag: UInt16, _ key: UnsafePointer<UInt8>, _ count: Int
    ) -> Slot? {
        let next = segment.nextBucket(home)
        if let lane = unsafe match(segment, next, tag, key, count) {
            return Slot(segment: segment, bucket: next, lane: lane)
        }
        for bucket in segment.homeCount..<(segment.homeCount &+ segment.stashCount) {
            if let lane = unsafe match(segment, bucket, tag, key, count) {
                return Slot(segment: segment, bucket: bucket, lane: lane)
            }
        }
        return nil
    }

    // MARK: change

    /// Adds an entry whose key is not in the table.
    package mutating func insert(_ entry: Entry, hash: UInt64) {
        if unsafe directory == nil { makeFirstSegment() }
        let tag = EntryTable.tag(hash)
        while true {
            let word = unsafe directory.unsafelyUnwrapped[directoryIndex(hash)]
            let depth = EntryTable.depth(word)
            let remaining = EntryTable.remaining(hash, depth: depth)
            if EntryTable.segment(word).place(entry, remaining: remaining, tag: tag, age: newcomerAge) { break }
            enlarge(at: hash)
        }
        count &+= 1
        insertionCount &+= 1
        if entry.hasExpiry { expiryCount &+= 1 }
    }

    /// Puts `entry` (same key) in the place of the slot's entry, which the caller frees.
    @inline(__always)
    package mutating func replace(_ slot: Slot, with entry: Entry) {
        let age = slot.segment.age(slot.bucket, slot.lane)
        slot.segment.setEntry(
            slot.bucket, slot.lane, entry, age: age == EntryTable.asideAge ? 0 : age)
        let tag = slot.segment.tag(slot.bucket, slot.lane)
        let hadExpiry = tag & 0x8000 != 0
        if _slowPath(hadExpiry || entry.hasExpiry) { replaceExpiry(slot, entry, hadExpiry: hadExpiry) }
    }

    private mutating func replaceExpiry(_ slot: Slot, _ entry: Entry, hadExpiry: Bool) {
        let tag = slot.segment.tag(slot.bucket, slot.lane) & 0x7FFF
        slot.segment.setTag(slot.bucket, slot.lane, entry.hasExpiry ? tag | 0x8000 : tag)
        if hadExpiry {
            unsafe slot.segment.headerPointer.pointee.expiryCount &-= 1
            expiryCount &-= 1
        }
        if entry.hasExpiry {
            slot.segment.noteExpiry(entry.expiryMilliseconds)
            expiryCount &+= 1
        }
    }

    /// The slot's entry got another expiry in place; keeps the segment's bound true.
    package mutating func expiryChanged(_ slot: Slot) {
        replaceExpiry(slot, slot.entry, hadExpiry: slot.segment.tag(slot.bucket, slot.lane) & 0x8000 != 0)
    }

    /// Takes the slot's entry out; the caller frees it. `hash` is its key's hash.
    package mutating func remove(_ slot: Slot, hash: UInt64) {
        if slot.segment.tag(slot.bucket, slot.lane) & 0x8000 != 0 {
            unsafe slot.segment.headerPointer.pointee.expiryCount &-= 1
            expiryCount &-= 1
        }
        slot.segment.setTag(slot.bucket, slot.lane, 0)
        unsafe slot.segment.headerPointer.pointee.count &-= 1
        count &-= 1
        shrinkIfSparse(at: hash)
    }
}
