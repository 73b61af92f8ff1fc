// CompactValue.swift - small collections as ONE allocation: the listpack or intset lies in the key's own entry, behind
// the key's bytes. The entry's value may be a few bytes longer than what it holds (both forms know their own length),
// so that most edits happen in place. Reading goes through `Entry.listpack` and `Entry.intset`, changing through
// `Keyspace.updateListpack` and `updateIntset` only. Engine's turn only. What the elements mean, and when a collection
// outgrows its compact form, is the business of each type.
internal import Base
internal import CLinux
package import Structures

/// How a collection's value is kept; one numbering for all types. From 8 on the value lies outside the entry.
package enum CollectionEncoding: Int, Sendable {
    case listpack = 1
    case intset = 2
    /// A `MemberTable`, with an `OrderedSet` beside it in sorted sets.
    case table = 8
}

extension Entry {
    /// How the value of a hash, set or sorted set is kept.
    @inline(__always)
    package var collectionEncoding: CollectionEncoding {
        guard let found = CollectionEncoding(rawValue: encoding) else {
            preconditionFailure("only collections have a collection encoding")
        }
        return found
    }

    /// The listpack in the entry. Valid until the value is changed or its key goes.
    package var listpack: ListpackView {
        @_lifetime(borrow self) @inline(__always) get {
            precondition(encoding == CollectionEncoding.listpack.rawValue, "this entry has no listpack in it")
            let bytes = unsafe Span(_unsafeStart: UnsafePointer(valueAddress), count: compactByteCount)
            let view = ListpackView(bytes)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// The intset in the entry. Valid until the value is changed or its key goes.
    package var intset: IntsetView {
        @_lifetime(borrow self) @inline(__always) get {
            precondition(encoding == CollectionEncoding.intset.rawValue, "this entry has no intset in it")
            let bytes = unsafe Span(_unsafeStart: UnsafePointer(valueAddress), count: compactByteCount)
            let view = IntsetView(bytes)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// Bytes of the listpack or intset, as its own header says.
    @inline(__always)
    var compactByteCount: Int {
        let word = valueWord()
        let low = Int(truncatingIfNeeded: word & 0xFFFF_FFFF)
        if encoding == CollectionEncoding.listpack.rawValue { return low }
        return 8 &+ low &* Int(truncatingIfNeeded: word >> 32)
    }
}

enum CompactValue {
    /// Entries beyond this are given an eighth more room than they need, so that growing them seldom moves them.
    private static let exactByteCountMax = 1024

    /// Bytes that an entry should reserve for a value of `needed` bytes behind `overhead` bytes of header and key:
    /// at least a word, filled up to what the arena gives anyway.
    static func capacity(needed: Int, overhead: Int) -> Int {
        let total = overhead + max(needed, 8)
        let room = total <= exactByteCountMax ? (total + 7) & ~7 : (total + total / 8 + 63) & ~63
        return room - overhead
    }

    /// Whether `capacity` bytes are too many for a value of `needed`.
    static func isWasteful(capacity: Int, needed: Int) -> Bool { capacity - needed > 24 + needed / 4 }
}

extension Database {
    /// An entry with room for a compact value of `needed` bytes, which the caller writes.
    mutating func makeCompact(
        _ key: Span<UInt8>, needed: Int, type: ObjectType, encoding: Int, expiry: Int64?
    ) -> Entry {
        let overhead = Entry.byteCount(keyByteCount: key.count, valueByteCount: 0, hasExpiry: expiry != nil)
        return makeEntry(
            key, valueByteCount: CompactValue.capacity(needed: needed, overhead: overhead), type: type,
            encoding: encoding, expiry: expiry)
    }

    mutating func setCompact(
        _ key: Span<UInt8>, hash: UInt64, slot: EntryTable.Slot?, type: ObjectType, encoding: CollectionEncoding,
        bytes: Span<UInt8>, expiry: Int64?, garbage: inout Garbage
    ) {
        let entry = makeCompact(key, needed: bytes.count, type: type, encoding: encoding.rawValue, expiry: expiry)
        unsafe bytes.copyBytes(to: entry.valueAddress)
        install(entry, hash: hash, slot: slot, garbage: &garbage)
    }

    /// Lends the compact value of `slot` to `edit` with room for `added` bytes more, and keeps what it hands back.
    @inline(__always)
    mutating func updateCompact(
        _ slot: EntryTable.Slot, adding added: Int, garbage: inout Garbage, _ edit: (consuming ByteBuffer) -> ByteBuffer
    ) {
        willChange(slot.entry)
        let byteCount = slot.entry.compactByteCount
        let needed = byteCount &+ added
        if needed > slot.entry.valueByteCount { moveCompact(slot, byteCount: byteCount, needed: needed) }
        let entry = slot.entry
        let lent = unsafe ByteBuffer(
            borrowing: entry.valueAddress, count: byteCount, capacity: entry.valueByteCount)
        let edited = edit(lent)
        if _fastPath(!edited.ownsMemory),
            !CompactValue.isWasteful(capacity: entry.valueByteCount, needed: edited.count)
        {
            entry.version &+= 1
        } else {
            replaceCompact(slot, with: edited.span)
        }
    }

    /// Moves the compact value of `slot` to an entry with room for `needed` bytes.
    @inline(never)
    private mutating func moveCompact(_ slot: EntryTable.Slot, byteCount: Int, needed: Int) {
        let old = slot.entry
        let fresh = makeSuccessor(of: old, needed: needed)
        unsafe memcpy(fresh.valueAddress, old.valueAddress, byteCount)
        table.replace(slot, with: carryLabel(of: old, to: fresh))
        arena.free(old)
    }

    /// Puts an entry that holds just `bytes` (which may lie in the old one) in the place of the slot's.
    @inline(never)
    private mutating func replaceCompact(_ slot: EntryTable.Slot, with bytes: Span<UInt8>) {
        let old = slot.entry
        let fresh = makeSuccessor(of: old, needed: bytes.count)
        unsafe bytes.copyBytes(to: fresh.valueAddress)
        table.replace(slot, with: carryLabel(of: old, to: fresh))
        arena.free(old)
    }

    /// An entry that takes the place of `old`, with another size.
    private mutating func makeSuccessor(of old: Entry, needed: Int) -> Entry {
        let fresh = makeCompact(
            old.key, needed: needed, type: old.objectType, encoding: old.encoding, expiry: old.expiry)
        fresh.frequency = old.frequency
        fresh.version = old.version &+ 1
        return fresh
    }
}

extension Keyspace {
    /// Makes the listpack or intset `bytes` (trusted) the value of `key`, in the place of whatever the slot has.
    package mutating func setCompact(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, slot: EntryTable.Slot?, type: ObjectType,
        encoding: CollectionEncoding, bytes: Span<UInt8>, expiry: Int64?
    ) {
        self[database].setCompact(
            key, hash: hash, slot: slot, type: type, encoding: encoding, bytes: bytes, expiry: expiry,
            garbage: &garbage)
    }

    /// The one door through which the listpack of a small collection is changed. `added` is how many bytes the edit
    /// adds at most (`Listpack.entryByteCount`); more is right too, and slower. The entry may move: look at `slot`
    /// again afterwards. The caller removes the key of a collection that became empty.
    @inline(__always)
    package mutating func updateListpack(
        _ slot: EntryTable.Slot, in database: Int, adding added: Int = 0, _ body: (inout Listpack) -> Void
    ) {
        precondition(slot.entry.encoding == CollectionEncoding.listpack.rawValue, "this entry has no listpack in it")
        self[database].updateCompact(slot, adding: added, garbage: &garbage) { lent in
            var listpack = Listpack(adopting: lent)
            body(&listpack)
            return listpack.take()
        }
    }

    /// As `updateListpack`, for the intset of a small set.
    @inline(__always)
    package mutating func updateIntset(
        _ slot: EntryTable.Slot, in database: Int, adding added: Int = 0, _ body: (inout Intset) -> Void
    ) {
        precondition(slot.entry.encoding == CollectionEncoding.intset.rawValue, "this entry has no intset in it")
        self[database].updateCompact(slot, adding: added, garbage: &garbage) { lent in
            var intset = Intset(adopting: lent)
            body(&intset)
            return intset.take()
        }
    }
}
