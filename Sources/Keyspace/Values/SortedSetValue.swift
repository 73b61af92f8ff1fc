// SortedSetValue.swift - sorted sets as values of keys: a small one is a listpack of pairs in the key's entry
// (`CompactValue`), a large one a `SortedSet` in memory of its own, whose address is the entry's one word. One door
// reads either (`Entry.sortedSet`), one changes (`Keyspace.updateSortedSet`), one replaces (`setSortedSet`). Engine's
// turn only, except freeing, which is for whoever owns the set.
internal import Base
internal import CLinux
package import Structures

enum SortedSetValue {
    /// The entry's value: the address of the set.
    static let byteCount = 8
    /// Sets with more members are freed in the background: at some 50 nanoseconds each, a few microseconds here.
    private static let countMax = 64

    @unsafe static func pointer(_ entry: Entry) -> UnsafeMutablePointer<SortedSet> {
        precondition(
            entry.objectType == .sortedSet && entry.hasHeldValue, "only a large sorted set's entry leads to one")
        return unsafe pointer(UInt(truncatingIfNeeded: entry.valueWord()))
    }

    @unsafe private static func pointer(_ word: UInt) -> UnsafeMutablePointer<SortedSet> {
        unsafe UnsafeMutablePointer(bitPattern: word).unsafelyUnwrapped
    }

    /// Moves `set` to memory of its own; the word that leads there.
    static func allocate(_ set: consuming SortedSet) -> UInt {
        let byteCount = MemoryLayout<SortedSet>.stride
        guard let room = unsafe malloc(byteCount) else { outOfMemory(byteCount: byteCount) }
        unsafe room.bindMemory(to: SortedSet.self, capacity: 1).initialize(to: set)
        return UInt(bitPattern: room)
    }

    /// Bytes that the allocator gave for the set of `entry` and its members.
    static func allocatedByteCount(_ entry: Entry) -> Int {
        let set = unsafe pointer(entry)
        return unsafe Allocated.byteCount(set) + set.pointee.allocatedBytes
    }

    /// Gives `copy` a set of its own, equal to that of `entry`; returns its bytes.
    static func duplicate(_ entry: Entry, into copy: Entry) -> Int {
        copy.setValueWord(UInt64(allocate(unsafe pointer(entry).pointee.duplicate())))
        return allocatedByteCount(copy)
    }

    /// Frees the set of `entry` at once, or hands a large one to `garbage`.
    static func free(_ entry: Entry, garbage: inout Garbage) {
        if unsafe pointer(entry).pointee.count > countMax {
            garbage.add(valueOf: entry)
        } else {
            freeNow(UInt(truncatingIfNeeded: entry.valueWord()))
        }
    }

    /// Frees the set that a word of `allocate` leads to, on the calling thread.
    static func freeNow(_ word: UInt) {
        let set = unsafe pointer(word)
        unsafe set.deinitialize(count: 1)
        unsafe CLinux.free(set)
    }
}

extension Entry {
    /// The sorted set of a sorted set's entry, for reading. Valid until it is changed or its key goes.
    package var sortedSet: SortedSetView {
        @_lifetime(borrow self) get {
            precondition(objectType == .sortedSet, "only a sorted set's entry has a sorted set")
            if !hasHeldValue { return SortedSetView(pairs: listpack) }
            let view = unsafe SortedSetView(large: UnsafePointer(SortedSetValue.pointer(self)))
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }
}

extension Database {
    mutating func setSortedSet(
        _ key: Span<UInt8>, hash: UInt64, slot: EntryTable.Slot?, large: consuming SortedSet, expiry: Int64?,
        garbage: inout Garbage
    ) {
        let entry = makeEntry(
            key, valueByteCount: SortedSetValue.byteCount, type: .sortedSet,
            encoding: CollectionEncoding.table.rawValue, expiry: expiry)
        entry.setValueWord(UInt64(SortedSetValue.allocate(large)))
        externalByteCount += SortedSetValue.allocatedByteCount(entry)
        memberSlabByteCount += HeldValue.slabByteCount(entry)
        if let slot { entry.frequency = slot.entry.frequency }
        install(entry, hash: hash, slot: slot, garbage: &garbage)
    }

    @inline(__always)
    mutating func updateLargeSortedSet(
        _ entry: Entry, _ limits: SortedSetLimits, _ body: (inout SortedSetDraft) -> Void
    ) {
        willChange(entry)
        let set = unsafe SortedSetValue.pointer(entry)
        let before = unsafe set.pointee.allocatedBytes
        let slabsBefore = unsafe set.pointee.slabByteCount
        // The set's few words move into the draft and back; its members stay where they are.
        var draft = unsafe SortedSetDraft(large: set.move(), limits)
        body(&draft)
        unsafe set.initialize(to: draft.takeLarge())
        externalByteCount += unsafe set.pointee.allocatedBytes - before
        memberSlabByteCount += unsafe set.pointee.slabByteCount - slabsBefore
        entry.version &+= 1
    }
}

extension Keyspace {
    /// Makes what `draft` holds the value of `key`, in the place of whatever the slot has. It is not empty.
    package mutating func setSortedSet(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, slot: EntryTable.Slot?, draft: consuming SortedSetDraft,
        expiry: Int64?
    ) {
        if let slot { willReplace(slot, in: database) }
        if draft.isLarge {
            self[database].setSortedSet(
                key, hash: hash, slot: slot, large: draft.takeLarge(), expiry: expiry, garbage: &garbage)
        } else {
            let pairs = draft.takePairs()
            setCompact(
                key, hash: hash, in: database, slot: slot, type: .sortedSet, encoding: .listpack, bytes: pairs.span,
                expiry: expiry)
        }
    }

    /// The one door through which a sorted set is changed. `added` is how many bytes of pairs the edit adds at most to
    /// a small set; 0 is right too. The entry may move: look at `slot` again afterwards. The caller removes the key of
    /// a set that became empty.
    @inline(__always)
    package mutating func updateSortedSet(
        _ slot: EntryTable.Slot, hash: UInt64, in database: Int, _ limits: SortedSetLimits, adding added: Int = 0,
        _ body: (inout SortedSetDraft) -> Void
    ) {
        if slot.entry.hasHeldValue {
            self[database].updateLargeSortedSet(slot.entry, limits, body)
        } else {
            updateSmallSortedSet(slot, hash: hash, in: database, limits, adding: added, body)
        }
    }

    private mutating func updateSmallSortedSet(
        _ slot: EntryTable.Slot, hash: UInt64, in database: Int, _ limits: SortedSetLimits, adding added: Int,
        _ body: (inout SortedSetDraft) -> Void
    ) {
        var grown: SortedSet?
        updateListpack(slot, in: database, adding: added) { pairs in
            var draft = SortedSetDraft(pairs: pairs, limits)
            body(&draft)
            if draft.isLarge {
                grown = draft.takeLarge()
                pairs = Listpack()
            } else {
                pairs = draft.takePairs()
            }
        }
        guard let large = grown.take() else { return }
        let entry = slot.entry
        self[database].setSortedSet(
            entry.key, hash: hash, slot: slot, large: large, expiry: entry.expiry, garbage: &garbage)
    }
}
