// MemberTable.swift - the members of one large set, hash or sorted set, found by their bytes: an `EntryTable` that owns
// its entries. A member is an `Entry` of its own: the key bytes are the member or field, the value bytes what belongs
// to it (a field's value, a score, nothing), the optional expiry a field's time to live, which costs nothing where it
// is not used. Members come from the process allocator, those of a table that has grown large from an arena of its own,
// never from a database's: a whole table can then be freed by a background thread and moved between databases.
// Engine's turn, or whoever alone owns the table; holds no key, does no I/O. Cost: as `EntryTable`, and one allocation
// per member.
internal import Base
internal import CAllocator
internal import CLinux

@safe package struct MemberTable: ~Copyable, @unchecked Sendable {
    // Sendable because a table has one owner at a time: a key's entry, or the garbage on its way to be freed.
    package private(set) var table = EntryTable()
    /// Bytes that the allocator gave for the members.
    private var memberByteCount = 0
    /// Where members that come to a large table lie: in steps of 8 bytes where the allocator has 16 and more, and freed
    /// by the page. Nil before, because a class of sizes takes a page of 32 KiB at least.
    private var arena: UnsafeMutablePointer<EntryArena>?
    /// With so many members and more a table is large.
    private static let largeCountMin = 1 << 15
    /// The types of entries tell where one lies.
    private static let allocatedType = 0
    private static let arenaType = 1

    /// A table without members; costs no allocation.
    package init() { unsafe arena = nil }

    deinit {
        table.forEach { entry in
            if !MemberTable.isInSlab(entry) { unsafe free(entry.address) }
        }
        dropArena()
    }

    package var count: Int { @inline(__always) get { table.count } }
    package var isEmpty: Bool { @inline(__always) get { table.count == 0 } }
    /// Of the bytes, those that the process allocator does not know about.
    package var slabByteCount: Int {
        guard let arena = unsafe arena else { return 0 }
        return unsafe arena.pointee.slabByteCount
    }
    /// Members that have an expiry.
    package var expiryCount: Int { table.expiryCount }
    /// Bytes that the allocator gave for members, directory and segments.
    package var allocatedBytes: Int { @inline(__always) get { memberByteCount &+ table.allocatedByteCount } }

    // MARK: lookup

    /// The hash that every operation expects with a member.
    @inline(__always)
    package func hash(_ member: Span<UInt8>) -> UInt64 { table.hash(member) }

    /// Where `member` is, or nil. Valid until the next insertion or removal.
    @inline(__always)
    package func find(_ member: Span<UInt8>, hash: UInt64) -> EntryTable.Slot? { table.find(member, hash: hash) }

    /// Where `member` is, or nil. Valid until the next insertion or removal.
    @inline(__always)
    package func find(_ member: Span<UInt8>) -> EntryTable.Slot? { table.find(member, hash: table.hash(member)) }

    /// With so many members and more, memory that a lookup touches is not in the cache already.
    package static let coldCountMin = 1 << 12

    /// First step before lookups of several members, as `EntryTable.prefetchBucket`.
    @inline(__always)
    package func prefetchBucket(_ hash: UInt64) { table.prefetchBucket(hash) }

    /// Second step, as `EntryTable.prefetchEntry`.
    @inline(__always)
    package func prefetchEntry(_ hash: UInt64) { table.prefetchEntry(hash) }

    // MARK: change

    /// Adds `member`, which is not in the table. `expiry` is in milliseconds since the epoch.
    /// Lengths are the caller's to check: at most `Entry.bytesMax` each.
    @discardableResult @inline(__always)
    package mutating func insert(
        _ member: Span<UInt8>, hash: UInt64, value: Span<UInt8> = Span(), expiry: Int64? = nil
    ) -> Entry {
        let entry = make(member, valueByteCount: value.count, expiry: expiry)
        unsafe value.copyBytes(to: entry.valueAddress)
        table.insert(entry, hash: hash)
        return entry
    }

    /// As `insert`, with a value of one word.
    @discardableResult @inline(__always)
    package mutating func insert(_ member: Span<UInt8>, hash: UInt64, word: UInt64) -> Entry {
        let entry = make(member, valueByteCount: 8, expiry: nil)
        entry.setValueWord(word)
        table.insert(entry, hash: hash)
        return entry
    }

    /// Gives the slot's member another value and expiry (nil takes it away), in place when its memory holds them.
    package mutating func setValue(_ slot: EntryTable.Slot, _ value: Span<UInt8>, expiry: Int64? = nil) {
        let entry = slot.entry
        if entry.hasExpiry == (expiry != nil), fits(value.count, in: entry) {
            entry.setValueByteCount(value.count)
            unsafe value.copyBytes(to: entry.valueAddress)
            if let expiry {
                entry.expiryMilliseconds = expiry
                table.expiryChanged(slot)
            }
            return
        }
        let fresh = make(entry.key, valueByteCount: value.count, expiry: expiry)
        // `value` may lie in the old entry, which is freed last.
        unsafe value.copyBytes(to: fresh.valueAddress)
        table.replace(slot, with: fresh)
        release(entry)
    }

    /// Gives the slot's member an expiry or takes it away (nil); its value stays.
    package mutating func setExpiry(_ slot: EntryTable.Slot, to expiry: Int64?) {
        let entry = slot.entry
        if entry.hasExpiry, let expiry {
            entry.expiryMilliseconds = expiry
            table.expiryChanged(slot)
        } else if entry.hasExpiry || expiry != nil {
            setValue(slot, entry.value, expiry: expiry)
        }
    }

    /// Takes the slot's member out and frees it. `hash` is its hash.
    @inline(__always)
    package mutating func remove(_ slot: EntryTable.Slot, hash: UInt64) {
        let entry = slot.entry
        table.remove(slot, hash: hash)
        release(entry)
        if _slowPath(table.count == 0) {
            dropArena()
            unsafe arena = nil
        }
    }

    /// Removes `member`; false when it is not there.
    @inline(__always)
    package mutating func remove(_ member: Span<UInt8>) -> Bool {
        let hash = table.hash(member)
        guard let slot = table.find(member, hash: hash) else { return false }
        remove(slot, hash: hash)
        return true
    }

    /// A table with equal members. Cost: one allocation per member.
    package func duplicate() -> MemberTable {
        var copy = MemberTable()
        table.forEach { entry in
            copy.insert(
                entry.key, hash: table.hash(entry.key), value: entry.value,
                expiry: entry.hasExpiry ? entry.expiryMilliseconds : nil)
        }
        return copy
    }

    // MARK: visiting

    /// Visits the members at `cursor`; see `EntryTable.scan`. The callback must not change the table.
    package func scan(cursor: UInt64, _ visit: (Entry) -> Void) -> UInt64 { table.scan(cursor: cursor, visit) }

    /// A member picked close to uniformly, or nil when there is none.
    package func randomEntry(_ random: () -> UInt64) -> Entry? { table.randomEntry(random) }

    /// Visits every member. The callback must not change the table.
    package func forEach(_ visit: (Entry) -> Void) { table.forEach(visit) }

    /// One step of a sweep for expired members; see `EntryTable.sweepExpired`.
    package func sweepExpired(at position: UInt64, now: Int64, _ visit: (Entry) -> Void) -> UInt64? {
        table.sweepExpired(at: position, now: now, visit)
    }

    /// No member dies before this; nil when none has an expiry.
    package var earliestExpiryBound: Int64? { table.earliestExpiryBound }

    // MARK: memory

    @inline(__always)
    private mutating func make(_ member: Span<UInt8>, valueByteCount: Int, expiry: Int64?) -> Entry {
        let hasExpiry = expiry != nil
        let byteCount = Entry.byteCount(
            keyByteCount: member.count, valueByteCount: valueByteCount, hasExpiry: hasExpiry)
        let isLarge = table.count >= MemberTable.largeCountMin
        let entry = isLarge ? allocateInArena(byteCount) : allocate(byteCount)
        entry.initialize(
            type: isLarge ? MemberTable.arenaType : MemberTable.allocatedType, encoding: 0, hasExpiry: hasExpiry,
            keyByteCount: member.count, valueByteCount: valueByteCount)
        if let expiry { entry.expiryMilliseconds = expiry }
        unsafe member.copyBytes(to: entry.keyAddress)
        return entry
    }

    @inline(__always)
    private mutating func allocate(_ byteCount: Int) -> Entry {
        guard let memory = unsafe malloc(byteCount) else { outOfMemory(byteCount: byteCount) }
        memberByteCount &+= unsafe fog_allocated_size(memory)
        return unsafe Entry(address: memory.assumingMemoryBound(to: UInt8.self))
    }

    @inline(never)
    private mutating func allocateInArena(_ byteCount: Int) -> Entry {
        let arena: UnsafeMutablePointer<EntryArena>
        if let own = unsafe self.arena {
            unsafe arena = own
        } else {
            unsafe arena = .allocate(capacity: 1)
            unsafe arena.initialize(to: EntryArena())
            unsafe self.arena = arena
        }
        let before = unsafe arena.pointee.usedByteCount
        let entry = unsafe arena.pointee.allocate(byteCount)
        memberByteCount &+= unsafe arena.pointee.usedByteCount &- before
        return entry
    }

    @inline(__always)
    private mutating func release(_ entry: Entry) {
        if _slowPath(entry.type == MemberTable.arenaType) { return releaseInArena(entry) }
        memberByteCount &-= unsafe fog_allocated_size(entry.address)
        unsafe free(entry.address)
    }

    @inline(never)
    private mutating func releaseInArena(_ entry: Entry) {
        guard let arena = unsafe arena else { preconditionFailure("a member of an arena has one") }
        let before = unsafe arena.pointee.usedByteCount
        unsafe arena.pointee.free(entry)
        memberByteCount &-= unsafe before &- arena.pointee.usedByteCount
    }

    /// Whether the entry's memory goes with the arena's pages.
    @inline(__always)
    private static func isInSlab(_ entry: Entry) -> Bool {
        entry.type == arenaType && entry.byteCount <= EntryArena.slabByteCountMax
    }

    /// Gives the arena back, and with it the members in its slabs.
    private func dropArena() {
        guard let arena = unsafe arena else { return }
        unsafe arena.deinitialize(count: 1)
        unsafe arena.deallocate()
    }

    /// Whether a value of `byteCount` bytes fits into the memory of `entry` without wasting much of it.
    @inline(__always)
    private func fits(_ byteCount: Int, in entry: Entry) -> Bool {
        let old = entry.valueByteCount
        if byteCount == old { return true }
        if entry.type == MemberTable.arenaType { return entry.fitsInPlace(valueByteCount: byteCount) }
        let shortMax = Entry.shortLengthMax
        guard max(byteCount, old) <= shortMax, entry.keyByteCount <= shortMax else { return false }
        let needed = entry.byteCount &- old &+ byteCount
        let held = unsafe Int(fog_allocated_size(entry.address))
        return needed <= held && held &- needed <= max(16, needed / 2)
    }
}
