// EntrySegment.swift - one segment of an `EntryTable`: a header line and up to 127 buckets of one cache line each.
// A bucket holds eight 48-bit entry addresses and eight 16-bit tags (15 bits of hash, one bit "has an expiry"), so a
// lookup compares eight tags with one vector instruction and touches the entry only on a match. A key lives in its
// home bucket, else in the next one, else in the stash at the segment's end; the header remembers which home buckets
// have keys elsewhere, so a miss normally reads one line. Buckets are in hash order: bucket i holds the i-th slice of
// the segment's hash range, which is what gives SCAN one total order that splits and growth do not disturb.
// Layout of bucket: 8 x 6 bytes of address, 8 x 2 bytes of tag. Tag 0 = empty lane. Entries lie on multiples of
// eight, so the low two bits of an address are free: they hold the entry's age for eviction (EntryTable+Ages.swift),
// which the mask of a lookup drops without a further instruction.
internal import Base
internal import CLinux

@safe struct EntrySegment {
    typealias Memory = UnsafeMutableRawPointer

    /// What the first line of a segment holds.
    struct Header {
        /// Expiry of the entry that dies first, or a lower bound of it; Int64.max when none has one.
        var earliestExpiry: Int64
        var count: UInt32
        var expiryCount: UInt32
        /// Bit per home bucket: some of its keys live in the next bucket or in the stash.
        var displacedLow: UInt64
        var displacedHigh: UInt64
    }

    /// Lines per size class, header included. The last two alternate while a table grows.
    static let lineCounts: StaticLines = StaticLines()
    struct StaticLines {
        @inline(__always) subscript(sizeClass: Int) -> Int {
            // 2, 4, 8, 16, 32, 64, 96, 128
            sizeClass < 6 ? 2 << sizeClass : (sizeClass == 6 ? 96 : 128)
        }
    }
    static let largestClass = 7
    static let lineByteCount = 64
    static let laneCount = 8

    @unsafe let memory: Memory
    let sizeClass: Int

    @unsafe @inline(__always)
    init(memory: Memory, sizeClass: Int) {
        unsafe self.memory = memory
        self.sizeClass = sizeClass
    }

    static func allocate(sizeClass: Int) -> EntrySegment {
        let byteCount = lineCounts[sizeClass] * lineByteCount
        var raw: UnsafeMutableRawPointer?
        guard unsafe posix_memalign(&raw, lineByteCount, byteCount) == 0, let memory = unsafe raw else {
            outOfMemory(byteCount: byteCount)
        }
        unsafe memset(memory, 0, byteCount)
        let segment = unsafe EntrySegment(memory: memory, sizeClass: sizeClass)
        segment.header = Header(
            earliestExpiry: .max, count: 0, expiryCount: 0, displacedLow: 0, displacedHigh: 0)
        return segment
    }

    func deallocate() { unsafe free(memory) }

    var byteCount: Int { EntrySegment.lineCounts[sizeClass] * EntrySegment.lineByteCount }

    @inline(__always) var header: Header {
        get { unsafe memory.load(as: Header.self) }
        nonmutating set { unsafe memory.storeBytes(of: newValue, as: Header.self) }
    }

    @unsafe @inline(__always) var headerPointer: UnsafeMutablePointer<Header> {
        unsafe memory.assumingMemoryBound(to: Header.self)
    }

    /// Buckets behind the home buckets that take what fits nowhere else.
    @inline(__always) var stashCount: Int { sizeClass >= 5 ? 3 : (sizeClass >= 3 ? 1 : 0) }
    @inline(__always) var homeCount: Int { EntrySegment.lineCounts[sizeClass] &- 1 &- stashCount }

    /// The home bucket of a hash whose directory prefix was shifted out already.
    @inline(__always)
    func homeBucket(_ remaining: UInt64) -> Int {
        Int(truncatingIfNeeded: ((remaining >> 48) &* UInt64(truncatingIfNeeded: homeCount)) >> 16)
    }

    @inline(__always)
    func nextBucket(_ bucket: Int) -> Int { bucket &+ 1 == homeCount ? 0 : bucket &+ 1 }

    @unsafe @inline(__always)
    func bucketAddress(_ bucket: Int) -> Memory { unsafe memory + (bucket &+ 1) &* EntrySegment.lineByteCount }

    @inline(__always)
    func isDisplaced(_ bucket: Int) -> Bool {
        let word = unsafe bucket < 64 ? headerPointer.pointee.displacedLow : headerPointer.pointee.displacedHigh
        return word >> UInt64(truncatingIfNeeded: bucket & 63) & 1 != 0
    }

    func markDisplaced(_ bucket: Int) {
        let bit = UInt64(1) << UInt64(bucket & 63)
        if bucket < 64 {
            unsafe headerPointer.pointee.displacedLow |= bit
        } else {
            unsafe headerPointer.pointee.displacedHigh |= bit
        }
    }

    // MARK: lanes

    /// Lanes of `bucket` whose tag is `tag` (expiry bit ignored), as a bit mask.
    @inline(__always)
    func lanes(in bucket: Int, tag: UInt16) -> UInt32 {
        unsafe fog_match_lanes16(bucketAddress(bucket) + 48, tag, 0x7FFF)
    }

    @inline(__always)
    func freeLanes(in bucket: Int) -> UInt32 { unsafe fog_match_lanes16(bucketAddress(bucket) + 48, 0, 0xFFFF) }

    /// The bits of a lane's first byte that are no address.
    static let ageMask: UInt8 = 3

    @inline(__always)
    func entry(_ bucket: Int, _ lane: Int) -> Entry {
        let word = unsafe (bucketAddress(bucket) + lane &* 6).loadUnaligned(as: UInt64.self) & 0xFFFF_FFFF_FFFC
        return unsafe Entry(
            address: UnsafeMutablePointer(bitPattern: UInt(truncatingIfNeeded: word)).unsafelyUnwrapped)
    }

    @inline(__always)
    func tag(_ bucket: Int, _ lane: Int) -> UInt16 {
        unsafe (bucketAddress(bucket) + 48 + lane &* 2).load(as: UInt16.self)
    }

    @inline(__always)
    func setTag(_ bucket: Int, _ lane: Int, _ tag: UInt16) {
        unsafe (bucketAddress(bucket) + 48 + lane &* 2).storeBytes(of: tag, as: UInt16.self)
    }

    @inline(__always)
    func age(_ bucket: Int, _ lane: Int) -> UInt8 {
        unsafe (bucketAddress(bucket) + lane &* 6).load(as: UInt8.self) & EntrySegment.ageMask
    }

    @inline(__always)
    func setAge(_ bucket: Int, _ lane: Int, _ age: UInt8) {
        let cell = unsafe bucketAddress(bucket) + lane &* 6
        let byte = unsafe cell.load(as: UInt8.self) & ~EntrySegment.ageMask | age & EntrySegment.ageMask
        unsafe cell.storeBytes(of: byte, as: UInt8.self)
    }

    @inline(__always)
    func setEntry(_ bucket: Int, _ lane: Int, _ entry: Entry, age: UInt8) {
        let word = unsafe UInt64(UInt(bitPattern: entry.address)) | UInt64(age)
        let cell = unsafe bucketAddress(bucket) + lane &* 6
        unsafe cell.storeBytes(of: UInt32(truncatingIfNeeded: word), as: UInt32.self)
        unsafe cell.storeBytes(of: UInt16(truncatingIfNeeded: word >> 32), toByteOffset: 4, as: UInt16.self)
    }

    /// Puts an entry that is not in the segment into it; false when neither its bucket, the next nor the stash has
    /// room. Counts are kept here.
    func place(_ entry: Entry, remaining: UInt64, tag: UInt16, age: UInt8) -> Bool {
        let home = homeBucket(remaining)
        var bucket = home
        var free = freeLanes(in: bucket)
        if free == 0 {
            bucket = nextBucket(home)
            free = freeLanes(in: bucket)
            if free == 0 {
                bucket = homeCount
                let end = homeCount &+ stashCount
                while bucket < end {
                    free = freeLanes(in: bucket)
                    if free != 0 { break }
                    bucket &+= 1
                }
                if free == 0 { return false }
            }
            markDisplaced(home)
        }
        let lane = free.trailingZeroBitCount
        setEntry(bucket, lane, entry, age: age)
        setTag(bucket, lane, entry.hasExpiry ? tag | 0x8000 : tag)
        unsafe headerPointer.pointee.count &+= 1
        if entry.hasExpiry { noteExpiry(entry.expiryMilliseconds) }
        return true
    }

    func noteExpiry(_ milliseconds: Int64) {
        unsafe headerPointer.pointee.expiryCount &+= 1
        if unsafe milliseconds < headerPointer.pointee.earliestExpiry {
            unsafe headerPointer.pointee.earliestExpiry = milliseconds
        }
    }

    /// Calls `body` with every occupied (bucket, lane).
    @inline(__always)
    func forEachLane(_ body: (Int, Int) -> Void) {
        for bucket in 0..<(homeCount &+ stashCount) {
            var used = ~freeLanes(in: bucket) & 0xFF
            while used != 0 {
                body(bucket, used.trailingZeroBitCount)
                used &= used &- 1
            }
        }
    }

    /// Brings the first entry of `bucket` with `tag` towards the cache; false when there is none.
    @inline(__always)
    func prefetchEntry(in bucket: Int, tag: UInt16) -> Bool {
        let lanes = lanes(in: bucket, tag: tag)
        guard lanes != 0 else { return false }
        let address = unsafe entry(bucket, lanes.trailingZeroBitCount).address
        unsafe fog_prefetch(address)
        unsafe fog_prefetch(address + 64)
        return true
    }

    /// Brings the entries of `bucket` towards the cache.
    @inline(__always)
    func prefetchEntries(of bucket: Int) {
        guard bucket < homeCount &+ stashCount else { return }
        var used = ~freeLanes(in: bucket) & 0xFF
        while used != 0 {
            unsafe fog_prefetch(entry(bucket, used.trailingZeroBitCount).address)
            used &= used &- 1
        }
    }
}
