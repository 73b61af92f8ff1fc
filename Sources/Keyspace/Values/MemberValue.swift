// MemberValue.swift - large hashes and sets as values of keys: a `MemberTable` in memory of its own, whose address is
// the entry's one word. One door reads (`Entry.members`), one changes (`Keyspace.updateMembers`): the latter keeps the
// database's byte account. Engine's turn only, except freeing, which is for whoever owns the table.
internal import Base
internal import CLinux
package import Structures

enum MemberValue {
    /// The entry's value: the address of the table.
    static let byteCount = 8
    /// Tables with more members are freed in the background: at some 50 nanoseconds each, a few microseconds here.
    private static let countMax = 64

    @unsafe static func pointer(_ entry: Entry) -> UnsafeMutablePointer<MemberTable> {
        precondition(
            (entry.objectType == .hash || entry.objectType == .set) && entry.hasHeldValue,
            "only the entry of a large hash or set leads to a member table")
        return unsafe pointer(UInt(truncatingIfNeeded: entry.valueWord()))
    }

    @unsafe private static func pointer(_ word: UInt) -> UnsafeMutablePointer<MemberTable> {
        unsafe UnsafeMutablePointer(bitPattern: word).unsafelyUnwrapped
    }

    /// Moves `members` to memory of its own; the word that leads there.
    static func allocate(_ members: consuming MemberTable) -> UInt {
        let byteCount = MemoryLayout<MemberTable>.stride
        guard let room = unsafe malloc(byteCount) else { outOfMemory(byteCount: byteCount) }
        unsafe room.bindMemory(to: MemberTable.self, capacity: 1).initialize(to: members)
        return UInt(bitPattern: room)
    }

    /// Bytes that the allocator gave for the table of `entry` and its members.
    static func allocatedByteCount(_ entry: Entry) -> Int {
        let members = unsafe pointer(entry)
        return unsafe Allocated.byteCount(members) + members.pointee.allocatedBytes
    }

    /// Gives `copy` a table of its own, equal to that of `entry`; returns its bytes.
    static func duplicate(_ entry: Entry, into copy: Entry) -> Int {
        copy.setValueWord(UInt64(allocate(unsafe pointer(entry).pointee.duplicate())))
        return allocatedByteCount(copy)
    }

    /// Frees the table of `entry` at once, or hands a large one to `garbage`.
    static func free(_ entry: Entry, garbage: inout Garbage) {
        if unsafe pointer(entry).pointee.count > countMax {
            garbage.add(valueOf: entry)
        } else {
            freeNow(UInt(truncatingIfNeeded: entry.valueWord()))
        }
    }

    /// Frees the table that a word of `allocate` leads to, on the calling thread.
    static func freeNow(_ word: UInt) {
        let members = unsafe pointer(word)
        unsafe members.deinitialize(count: 1)
        unsafe CLinux.free(members)
    }
}

extension Entry {
    /// The member table behind a large hash or set, for reading. Valid until it is changed or its key goes.
    package var members: MemberTable {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(MemberValue.pointer(self)) }
    }
}

extension Database {
    /// The set or hash of `key` when it has a table whose members are not in the cache already. For those who prefetch:
    /// neither expiry nor access is looked at. A value that is asleep has no table.
    package func largeMembers(_ key: Span<UInt8>, hash: UInt64) -> Entry? {
        guard let entry = table.find(key, hash: hash)?.entry, entry.hasHeldValue, !entry.isAsleep,
            entry.objectType == .set || entry.objectType == .hash, entry.members.count >= MemberTable.coldCountMin
        else { return nil }
        return entry
    }

    mutating func setMembers(
        _ key: Span<UInt8>, hash: UInt64, slot: EntryTable.Slot?, type: ObjectType, members: consuming MemberTable,
        expiry: Int64?, garbage: inout Garbage
    ) {
        let entry = makeEntry(
            key, valueByteCount: MemberValue.byteCount, type: type, encoding: CollectionEncoding.table.rawValue,
            expiry: expiry)
        entry.setValueWord(UInt64(MemberValue.allocate(members)))
        externalByteCount += MemberValue.allocatedByteCount(entry)
        memberSlabByteCount += HeldValue.slabByteCount(entry)
        install(entry, hash: hash, slot: slot, garbage: &garbage)
    }

    @inline(__always)
    mutating func updateMembers(_ entry: Entry, _ body: (inout MemberTable) -> Void) {
        willChange(entry)
        let members = unsafe MemberValue.pointer(entry)
        let before = unsafe members.pointee.allocatedBytes
        let slabsBefore = unsafe members.pointee.slabByteCount
        unsafe body(&members.pointee)
        externalByteCount += unsafe members.pointee.allocatedBytes - before
        memberSlabByteCount += unsafe members.pointee.slabByteCount - slabsBefore
        entry.version &+= 1
    }
}

extension Keyspace {
    /// Makes `members` the value of `key`, a hash or a set, in the place of whatever the slot has.
    package mutating func setMembers(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, slot: EntryTable.Slot?, type: ObjectType,
        members: consuming MemberTable, expiry: Int64?
    ) {
        self[database].setMembers(
            key, hash: hash, slot: slot, type: type, members: members, expiry: expiry, garbage: &garbage)
    }

    /// The one door through which the member table of a large hash or set is changed. The caller removes the key of a
    /// table that became empty.
    @inline(__always)
    package mutating func updateMembers(
        _ slot: EntryTable.Slot, in database: Int, _ body: (inout MemberTable) -> Void
    ) {
        self[database].updateMembers(slot.entry, body)
    }
}
