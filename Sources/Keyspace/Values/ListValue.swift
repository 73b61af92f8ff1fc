// ListValue.swift - lists as values of keys. A small one is a listpack in its entry; a larger one a quicklist in memory
// of its own, whose address is the entry's one word. One door reads (`Entry.list`), one changes it
// (`Keyspace.updateList`): the latter moves a list from one form to the other, keeps the database's byte account and
// the encoding that OBJECT shows. Engine's turn only, except freeing, which is for whoever owns the list.
internal import Base
internal import CLinux
package import Structures

/// How a list is kept, and what OBJECT ENCODING calls it: by the rules of Redis 7.2 for when a list is one listpack.
/// Numbers with bit 3: the value lies outside its entry.
package enum ListEncoding: Int, Sendable {
    /// A listpack, in the entry; the number that all collections use for that.
    case compact = 1
    /// A quicklist that is called a listpack: too large for the entry, not beyond the limits of a listpack.
    case listpack = 8
    case quicklist = 9
}

/// What the configuration says about lists.
package struct ListOptions: Equatable, Sendable {
    package let limits: ListLimits
    package let compressDepth: Int

    @inline(__always)
    package init(limits: ListLimits, compressDepth: Int) {
        self.limits = limits
        self.compressDepth = compressDepth
    }
}

/// Elements about to be added to a list.
package struct ListGrowth {
    fileprivate private(set) var count = 0
    /// Bytes of their text, which decide about the encoding.
    fileprivate private(set) var byteCount = 0
    /// Bytes that their entries in a listpack take at most.
    fileprivate private(set) var room = 0

    @inline(__always)
    package init() {}

    @inline(__always)
    package init(_ element: Span<UInt8>) { add(element) }

    @inline(__always)
    package mutating func add(_ element: Span<UInt8>) {
        count &+= 1
        byteCount &+= element.count
        room &+= element.count &+ (element.count < 64 ? 2 : element.count < 4096 ? 4 : 10)
    }
}

/// What a command is about to do to a list, which decides what becomes of the list's form.
package enum ListChange {
    case growing(ListGrowth)
    case shrinking
    /// Puts an element of `byteCount` bytes in the place of another.
    case replacing(byteCount: Int)
}

enum ListValue {
    /// The entry's value: the address of the quicklist.
    static let byteCount = 8
    /// Listpacks up to here lie in their entry: moving that many bytes costs less than the memory of a quicklist.
    static let compactByteCountMax = 1024
    /// Lists beyond either are freed in the background.
    private static let nodeCountMax = 64
    private static let byteCountMax = 1 << 20

    @unsafe static func pointer(_ entry: Entry) -> UnsafeMutablePointer<Quicklist> {
        precondition(
            entry.type == ObjectType.list.rawValue && entry.hasHeldValue,
            "only a large list's entry leads to a quicklist")
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
    /// The list, for reading. Valid until the list is changed or its key goes.
    package var list: ListView {
        @_lifetime(borrow self) @inline(__always) get {
            if encoding == ListEncoding.compact.rawValue {
                let view = ListView(listpack)
                return unsafe _overrideLifetime(view, borrowing: self)
            }
            let view = unsafe ListView(unchecked: UnsafePointer(ListValue.pointer(self)))
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// How the list is kept.
    @inline(__always)
    package var listEncoding: ListEncoding {
        switch encoding {
        case ListEncoding.compact.rawValue: .compact
        case ListEncoding.listpack.rawValue: .listpack
        default: .quicklist
        }
    }
}

extension Database {
    /// Makes `list` the value of `key`, in the place of whatever the slot has.
    mutating func setList(
        _ key: Span<UInt8>, hash: UInt64, slot: EntryTable.Slot?, list: consuming Quicklist, expiry: Int64?,
        garbage: inout Garbage
    ) {
        if let listpack = list.soleListpack(isShrinking: false), listpack.byteCount <= ListValue.compactByteCountMax {
            return setCompact(
                key, hash: hash, slot: slot, type: .list, encoding: .listpack, bytes: listpack.span, expiry: expiry,
                garbage: &garbage)
        }
        let encoding = list.mayBeListpack(isShrinking: false) ? ListEncoding.listpack : .quicklist
        let entry = makeEntry(
            key, valueByteCount: ListValue.byteCount, type: .list, encoding: encoding.rawValue, expiry: expiry)
        entry.setValueWord(UInt64(ListValue.allocate(list)))
        externalByteCount += ListValue.allocatedByteCount(entry)
        install(entry, hash: hash, slot: slot, garbage: &garbage)
    }

    @inline(__always)
    mutating func updateList(
        _ slot: EntryTable.Slot, _ change: ListChange, _ options: ListOptions, garbage: inout Garbage,
        _ body: (inout ListEditor) -> Void
    ) {
        willChange(slot.entry)
        if slot.entry.encoding == ListEncoding.compact.rawValue {
            if let added = compactRoom(slot.entry, change, options) {
                return updateCompact(slot, adding: added, garbage: &garbage) { lent in
                    var editor = ListEditor(Listpack(adopting: lent))
                    body(&editor)
                    return editor.takeListpack()
                }
            }
            makeChain(slot, options)
        }
        updateChain(slot, change, options, garbage: &garbage, body)
    }

    /// Bytes that a list in its entry needs for the change; nil when it must become a quicklist for it.
    @inline(__always)
    private func compactRoom(_ entry: Entry, _ change: ListChange, _ options: ListOptions) -> Int? {
        switch change {
        case .shrinking: return 0
        case .growing(let growth):
            let view = entry.listpack
            guard view.byteCount &+ growth.room <= ListValue.compactByteCountMax, ListLimits.packedThreshold == 0,
                !options.limits.listpackMustConvert(
                    byteCount: view.byteCount, count: view.count, addedByteCount: growth.byteCount,
                    addedCount: growth.count)
            else { return nil }
            return growth.room
        case .replacing(let byteCount):
            let view = entry.listpack
            guard byteCount <= ListValue.compactByteCountMax &- view.byteCount, ListLimits.packedThreshold == 0,
                !options.limits.listpackMustConvert(
                    byteCount: view.byteCount, count: view.count, addedByteCount: byteCount, addedCount: 1)
            else { return nil }
            // Usually both are of one size. When they are not, the listpack moves, which is right too.
            return 0
        }
    }

    /// A list in its entry becomes a quicklist.
    private mutating func makeChain(_ slot: EntryTable.Slot, _ options: ListOptions) {
        let old = slot.entry
        let list = Quicklist(
            listpack: old.listpack, limits: options.limits, compressDepth: options.compressDepth)
        let fresh = makeEntry(
            old.key, valueByteCount: ListValue.byteCount, type: .list, encoding: ListEncoding.listpack.rawValue,
            expiry: old.expiry)
        fresh.setValueWord(UInt64(ListValue.allocate(list)))
        externalByteCount += ListValue.allocatedByteCount(fresh)
        replace(slot, with: fresh)
    }

    /// A quicklist that has shrunk to one small listpack moves into its entry, unless it is empty: then it will go.
    private mutating func moveIntoEntry(_ slot: EntryTable.Slot) {
        let old = slot.entry
        let chain = unsafe ListValue.pointer(old)
        guard let listpack = unsafe chain.pointee.soleListpack(isShrinking: false),
            listpack.byteCount <= ListValue.compactByteCountMax / 2
        else { return }
        let fresh = makeCompact(
            old.key, needed: listpack.byteCount, type: .list, encoding: ListEncoding.compact.rawValue,
            expiry: old.expiry)
        unsafe listpack.span.copyBytes(to: fresh.valueAddress)
        externalByteCount -= ListValue.allocatedByteCount(old)
        ListValue.freeNow(UInt(truncatingIfNeeded: old.valueWord()))
        replace(slot, with: fresh)
    }

    /// Puts another form of the slot's value in its place; what lay behind the old one is the caller's.
    private mutating func replace(_ slot: EntryTable.Slot, with fresh: Entry) {
        let old = slot.entry
        fresh.frequency = old.frequency
        fresh.version = old.version
        table.replace(slot, with: carryLabel(of: old, to: fresh))
        arena.free(old)
    }

    @inline(__always)
    private mutating func updateChain(
        _ slot: EntryTable.Slot, _ change: ListChange, _ options: ListOptions, garbage: inout Garbage,
        _ body: (inout ListEditor) -> Void
    ) {
        let entry = slot.entry
        let list = unsafe ListValue.pointer(entry)
        if entry.encoding == ListEncoding.listpack.rawValue {
            unsafe prepareListpack(entry, &list.pointee, change, options)
        }
        let before = unsafe list.pointee.allocatedBytes
        var editor = unsafe ListEditor(unchecked: list)
        body(&editor)
        if let nodes = editor.takeDetached() {
            let byteCount = nodes.allocatedBytes
            garbage.add(.list, ListValue.allocate(nodes), byteCount: byteCount)
        }
        externalByteCount += unsafe list.pointee.allocatedBytes - before
        entry.version &+= 1
        switch change {
        case .growing: break
        case .shrinking, .replacing: didShrink(slot, options)
        }
    }

    /// A list that is called a listpack follows the configuration as it is, and stops being called so when the change
    /// brings it beyond the limits.
    private func prepareListpack(
        _ entry: Entry, _ list: inout Quicklist, _ change: ListChange, _ options: ListOptions
    ) {
        list.setOptions(limits: options.limits, compressDepth: options.compressDepth)
        let added: (byteCount: Int, count: Int)
        switch change {
        case .growing(let growth): added = (growth.byteCount, growth.count)
        case .replacing(let byteCount): added = (byteCount, 1)
        case .shrinking: return
        }
        let mustConvert = options.limits.listpackMustConvert(
            byteCount: list.listpackByteCount, count: list.count, addedByteCount: added.byteCount,
            addedCount: added.count)
        if mustConvert { entry.encoding = ListEncoding.quicklist.rawValue }
    }

    private mutating func didShrink(_ slot: EntryTable.Slot, _ options: ListOptions) {
        let entry = slot.entry
        let list = unsafe ListValue.pointer(entry)
        guard unsafe list.pointee.nodeCount == 1 else { return }
        if entry.encoding == ListEncoding.quicklist.rawValue,
            unsafe list.pointee.mayBeListpack(isShrinking: true, limits: options.limits)
        {
            entry.encoding = ListEncoding.listpack.rawValue
        }
        if entry.encoding == ListEncoding.listpack.rawValue { moveIntoEntry(slot) }
    }
}

extension Keyspace {
    /// Makes `list` the value of `key`, in the place of whatever the slot has.
    package mutating func setList(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, slot: EntryTable.Slot?, list: consuming Quicklist,
        expiry: Int64?
    ) {
        if let slot { willReplace(slot, in: database) }
        self[database].setList(key, hash: hash, slot: slot, list: list, expiry: expiry, garbage: &garbage)
    }

    /// Makes an empty list the value of `key`, which does not exist; the caller adds to it by `updateList`.
    package mutating func makeList(_ key: Span<UInt8>, hash: UInt64, in database: Int, for growth: ListGrowth) {
        let room = min(growth.room, ListValue.compactByteCountMax)
        makeListpack(key, hash: hash, in: database, type: .list, room: room) { _ in }
    }

    /// The one door through which a list is changed. The entry may move: look at `slot` again afterwards. The caller
    /// removes the key of a list that became empty.
    @inline(__always)
    package mutating func updateList(
        _ slot: EntryTable.Slot, in database: Int, _ change: ListChange, _ options: ListOptions,
        _ body: (inout ListEditor) -> Void
    ) {
        self[database].updateList(slot, change, options, garbage: &garbage, body)
    }
}
