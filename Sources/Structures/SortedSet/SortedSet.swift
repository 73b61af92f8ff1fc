// SortedSet.swift - a large sorted set: a `MemberTable` finds a member, an `OrderedSet` keeps the order, and both point
// to the same entries, of which the table is the owner. Everything that adds, moves or removes a member goes through
// here, so that the two never disagree. Used under the engine's turn, or by whoever alone owns it (a background
// thread that frees it); holds no key, no time, does no I/O. Cost: O(log n) for a change, O(1) for a score.
internal import Base

/// The members of one large sorted set.
package struct SortedSet: ~Copyable {
    /// Owner of the entries: member bytes, and the score as the value's word.
    private(set) var members = MemberTable()
    /// The same entries in order.
    private(set) var order = OrderedSet()

    /// A set without members; costs no allocation.
    package init() {}

    /// Takes over `members`, whose values are scores; `entries` are all of them in order.
    init(adopting members: consuming MemberTable, inOrder entries: [Entry]) {
        precondition(entries.count == members.count, "an order is of all members")
        self.members = members
        for entry in entries { order.insert(entry) }
    }

    /// Members held.
    package var count: Int { @inline(__always) get { members.count } }
    /// Bytes that the allocator gave for members, table and tree.
    package var allocatedBytes: Int { @inline(__always) get { members.allocatedBytes &+ order.allocatedBytes } }
    /// Of these, what the process allocator does not know about.
    package var slabByteCount: Int { members.slabByteCount }

    /// The hash that `find`, `insert` and `remove` expect with a member.
    @inline(__always)
    func hash(_ member: Span<UInt8>) -> UInt64 { members.hash(member) }

    /// Where `member` is, or nil. Valid until the next insertion or removal.
    @inline(__always)
    func find(_ member: Span<UInt8>, hash: UInt64) -> EntryTable.Slot? { members.find(member, hash: hash) }

    /// Adds `member`, which is not in the set; `score` is a number.
    @inline(__always)
    mutating func insert(_ member: Span<UInt8>, hash: UInt64, score: Double) {
        order.insert(members.insert(member, hash: hash, word: score.bitPattern))
    }

    /// Gives a member another score, which is a number.
    @inline(__always)
    mutating func setScore(_ slot: EntryTable.Slot, _ score: Double) { order.update(slot.entry, score: score) }

    /// Takes a member out; `hash` is its hash.
    mutating func remove(_ slot: EntryTable.Slot, hash: UInt64) {
        order.remove(slot.entry)
        members.remove(slot, hash: hash)
    }

    /// Takes out the members whose rank lies in `ranks`, after `body` has seen each, in ascending order.
    mutating func removeRange(_ ranks: Range<Int>, _ body: (Entry) -> Void) {
        SortedSet.removeRange(ranks, &order, &members, body)
    }

    /// The two halves apart, because the one is walked while the other changes.
    private static func removeRange(
        _ ranks: Range<Int>, _ order: inout OrderedSet, _ members: inout MemberTable, _ body: (Entry) -> Void
    ) {
        order.removeRange(ranks) { entry in
            body(entry)
            let isRemoved = members.remove(entry.key)
            precondition(isRemoved, "a member of the order is in the table")
        }
    }

    /// A set with equal members. Cost: one allocation per member; the tree is filled at its end throughout.
    package func duplicate() -> SortedSet {
        var copy = SortedSet()
        var cursor = order.startCursor()
        while let entry = cursor.next() { copy.insert(entry.key, hash: copy.hash(entry.key), score: entry.score) }
        return copy
    }

    /// Nil when table and tree agree and the tree is sound, else a sentence about what is wrong; for tests.
    package func structuralFault() -> String? {
        if let fault = order.structuralFault() { return fault }
        if order.count != members.count { return "the tree holds \(order.count), the table \(members.count)" }
        var cursor = order.startCursor()
        while let entry = cursor.next() {
            if members.find(entry.key)?.entry != entry { return "the table does not know a member of the tree" }
        }
        return nil
    }
}
