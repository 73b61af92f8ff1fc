// ListAccess.swift - what the list commands share: the two ends, making a list's key, changing a list and removing its
// key with the last element, and reading ranges as the stock servers understand them. Engine's turn only.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

/// An end of a list, and the names of what happens there.
enum ListEnd {
    case left
    case right

    /// LEFT or RIGHT in any case; anything else is a syntax error.
    init(_ word: Span<UInt8>) throws(CommandError) {
        if word.equalsIgnoringCase("LEFT") {
            self = .left
        } else if word.equalsIgnoringCase("RIGHT") {
            self = .right
        } else {
            throw .syntax
        }
    }

    var pushEvent: StaticString { self == .left ? "lpush" : "rpush" }
    var popEvent: StaticString { self == .left ? "lpop" : "rpop" }
}

/// Two indices of a list, either from its end when negative, as a part of the list that exists.
struct ListRange {
    let start: Int
    let count: Int

    /// The elements from `first` to `last`, both included, of a list with `total` elements.
    init(_ first: Int, _ last: Int, of total: Int) {
        let start = max(0, first < 0 ? first + total : first)
        let end = min(total - 1, last < 0 ? last + total : last)
        self.start = start
        count = start > end ? 0 : end - start + 1
    }
}

extension ListEditor {
    mutating func push(_ element: Span<UInt8>, _ end: ListEnd) {
        if end == .left { prepend(element) } else { append(element) }
    }

    /// Removes an element after `body` has seen it.
    mutating func pop(_ end: ListEnd, _ body: (ListpackElement) -> Void) {
        if end == .left { popFirst(body) } else { popLast(body) }
    }
}

extension Reply {
    func bulk(_ element: ListpackElement) {
        switch element {
        case .bytes(let bytes): bulk(bytes)
        case .integer(let value): bulk(decimal: Int(value))
        }
    }

    /// An array of up to `count` elements from `index` on.
    func elements(of list: ListView, from index: Int, count: Int, isReversed: Bool = false) {
        array(count)
        if count == 0 { return }
        var cursor = list.cursor(from: index, isReversed: isReversed)
        cursor.appendBulkStrings(limit: count, to: &buffer)
    }
}

extension Call {
    /// What the configuration says about lists.
    @inline(__always)
    var listOptions: ListOptions {
        ListOptions(
            limits: ListLimits(fill: administration.settings.listMaxListpackSize),
            compressDepth: administration.settings.listCompressDepth)
    }

    /// A list with nothing in it, limited as the configuration says.
    var emptyList: Quicklist {
        Quicklist(limits: listOptions.limits, compressDepth: listOptions.compressDepth)
    }

    /// The slot of the list at argument `index`, which is made when the key does not exist. The caller adds to it.
    @inline(__always)
    func listSlot(_ index: Int, for growth: ListGrowth) throws(CommandError) -> EntryTable.Slot {
        if let slot = try find(index, .list) { return slot }
        return newListSlot(index, for: growth)
    }

    @inline(never)
    private func newListSlot(_ index: Int, for growth: ListGrowth) -> EntryTable.Slot {
        keyspace.makeList(arguments[index], hash: hash(index), in: session.database, for: growth)
        guard let slot = find(index) else { preconditionFailure("a key that was just made is there") }
        return slot
    }

    /// Changes the list of `slot`, whose entry may move.
    @inline(__always)
    func updateList(_ slot: EntryTable.Slot, _ change: ListChange, _ body: (inout ListEditor) -> Void) {
        keyspace.updateList(slot, in: session.database, change, listOptions, body)
    }

    /// After elements of the list at argument `index` went: removes its key when none is left.
    func removeIfEmpty(_ index: Int, list slot: EntryTable.Slot) {
        guard slot.entry.list.isEmpty else { return }
        removeList(index, slot)
    }

    /// Removes a list's key as the second event of a command.
    func removeList(_ index: Int, _ slot: EntryTable.Slot) {
        remove(index, slot: slot)
        alsoHappened("del", .generic, key: arguments[index])
    }

    /// Takes `count` elements (at least one, at most what the list has) from an end of the list at argument `index`,
    /// answering them as an array.
    func popElements(_ index: Int, _ slot: EntryTable.Slot, _ end: ListEnd, count: Int) {
        let total = slot.entry.list.count
        reply.elements(of: slot.entry.list, from: end == .left ? 0 : -1, count: count, isReversed: end == .right)
        if count < total {
            updateList(slot, .shrinking) { list in
                list.removeRange(index: end == .left ? 0 : total - count, count: count)
            }
        }
        changed(end.popEvent, .list, key: arguments[index])
        if count == total { removeList(index, slot) }
    }
}
