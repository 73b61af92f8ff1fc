// ListValue.swift - lists as values of keys: a quicklist in memory of its own, whose address is the entry's one word.
// One door reads (`Entry.list`), one changes (`Keyspace.updateList`): the latter keeps the database's byte account and
// the encoding that OBJECT shows. Engine's turn only, except freeing, which is for whoever owns the list.
internal import Base
internal import CLinux
package import Structures

/// What OBJECT ENCODING calls a list. The structure is the same; the name follows the rules of Redis 7.2 for when a
/// list is one listpack. The numbers carry bit 3: the value lies outside its entry.
package enum ListEncoding: Int, Sendable {
    case listpack = 8
    case quicklist = 9
}

/// What a command is about to do to a list, which decides what the list's encoding becomes.
package enum ListChange {
    /// Adds `count` elements with `byteCount` bytes of text.
    case growing(byteCount: Int, count: Int)
    case shrinking
    /// Puts an element of `byteCount` bytes in the place of another.
    case replacing(byteCount: Int)
}

enum ListValue {
    /// The entry's value: the address of the quicklist.
    static let byteCount = 8
    /// Lists beyond either are freed in the background.
    private static let nodeCountMax = 64
    private static let byteCountMax = 1 << 20

    @unsafe static func pointer(_ entry: Entry) -> UnsafeMutablePointer<Quicklist> {
        precondition(entry.type == ObjectType.list.rawValue, "only a list's entry leads to a quicklist")
        return unsafe pointer(UInt(truncatingIfNeeded: entry.valueWord()))
    }

    @unsafe private static func pointer(_ word: UInt) -> UnsafeMutablePointer<Quicklist> {
        unsafe UnsafeMutablePointer(bitPattern: word).unsafelyUnwrapped
    }

    /// Moves `list` to memory of its own; the word that leads there.
    static func allocate(_ list: consuming Quicklist) -> UInt {
        let byteCount = MemoryLayout<Quicklist>.stride
        guard let room = unsafe malloc(byteCount) else { outOfMemory(byteCount: byteCount) }
        unsafe room.bindMemory(to: Quicklist.self, capacity: 1).initialize(to: list)
        return UInt(bitPattern: room)
    }

    /// Bytes that the allocator gave for the list of `entry`.
    static func allocatedByteCount(_ entry: Entry) -> Int {
        let list = unsafe pointer(entry)
        return unsafe Allocated.byteCount(list) + list.pointee.allocatedBytes
    }

    /// Gives `copy` a list of its own, equal to that of `entry`; returns its bytes.
    static func duplicate(_ entry: Entry, into copy: Entry) -> Int {
        copy.setValueWord(UInt64(allocate(unsafe pointer(entry).pointee.duplicate())))
        return allocatedByteCount(copy)
    }

    /// Frees the list of `entry` at once, or hands a large one to `garbage`.
    static func free(_ entry: Entry, byteCount: Int, garbage: inout Garbage) {
        if unsafe pointer(entry).pointee.nodeCount > nodeCountMax || byteCount > byteCountMax {
            garbage.add(valueOf: entry)
        } else {
            freeNow(UInt(truncatingIfNeeded: entry.valueWord()))
        }
    }

    /// Frees the list that a word of `allocate` leads to, on the calling thread.
    static func freeNow(_ word: UInt) {
        let list = unsafe pointer(word)
        unsafe list.deinitialize(count: 1)
        unsafe CLinux.free(list)
    }
}

extension Entry {
    /// The list behind a list's entry, for reading. Valid until the list is changed or its key goes.
    package var list: Quicklist {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(ListValue.pointer(self)) }
    }

    /// How the list's entry calls itself.
    package var listEncoding: ListEncoding { encoding == ListEncoding.listpack.rawValue ? .listpack : .quicklist }

    fileprivate func listWillGrow(byteCount: Int, count: Int) {
        guard listEncoding == .listpack else { return }
        let mustConvert = list.limits.listpackMustConvert(
            byteCount: list.listpackByteCount, count: list.count, addedByteCount: byteCount, addedCount: count)
        if mustConvert { encoding = ListEncoding.quicklist.rawValue }
    }

    fileprivate func listDidShrink() {
        if listEncoding == .quicklist, list.mayBeListpack(isShrinking: true) {
            encoding = ListEncoding.listpack.rawValue
        }
    }
}

extension Database {
    /// Makes `list` the value of `key`, in the place of whatever the slot has.
    mutating func setList(
        _ key: Span<UInt8>, hash: UInt64, slot: EntryTable.Slot?, list: consuming Quicklist, expiry: Int64?,
        garbage: inout Garbage
    ) {
        let isListpack = list.isEmpty || list.mayBeListpack(isShrinking: false)
        let encoding = isListpack ? ListEncoding.listpack : .quicklist
        let entry = makeEntry(
            key, valueByteCount: ListValue.byteCount, type: .list, encoding: encoding.rawValue, expiry: expiry)
        entry.setValueWord(UInt64(ListValue.allocate(list)))
        externalByteCount += ListValue.allocatedByteCount(entry)
        install(entry, hash: hash, slot: slot, garbage: &garbage)
    }

    mutating func updateList(_ entry: Entry, _ change: ListChange, _ body: (inout Quicklist) -> Void) {
        willChange(entry)
        let list = unsafe ListValue.pointer(entry)
        switch change {
        case .growing(let byteCount, let count): entry.listWillGrow(byteCount: byteCount, count: count)
        case .replacing(let byteCount): entry.listWillGrow(byteCount: byteCount, count: 1)
        case .shrinking: break
        }
        let before = unsafe list.pointee.allocatedBytes
        unsafe body(&list.pointee)
        externalByteCount += unsafe list.pointee.allocatedBytes - before
        entry.version &+= 1
        switch change {
        case .growing: break
        case .shrinking, .replacing: entry.listDidShrink()
        }
    }
}

extension Keyspace {
    /// Makes `list` the value of `key`, in the place of whatever the slot has.
    package mutating func setList(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, slot: EntryTable.Slot?, list: consuming Quicklist,
        expiry: Int64?
    ) {
        self[database].setList(key, hash: hash, slot: slot, list: list, expiry: expiry, garbage: &garbage)
    }

    /// The one door through which a list is changed. The caller removes the key of a list that became empty.
    @inline(__always)
    package mutating func updateList(
        _ slot: EntryTable.Slot, in database: Int, _ change: ListChange, _ body: (inout Quicklist) -> Void
    ) {
        self[database].updateList(slot.entry, change, body)
    }
}
