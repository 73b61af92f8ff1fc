// SetValue.swift - sets as values of keys: integers in an intset, few short members in a listpack, both inside the
// key's entry, a `MemberTable` beyond that. Where a set passes from one form to the next follows Redis 7.2 and its
// heirs.
// Reading goes through `Entry`, changing through `Keyspace`; the caller removes the key of a set that became empty.
// Engine's turn only. Cost: a lookup is a binary search, a short scan or one hash lookup; none allocates.
internal import Base
package import Structures

/// When a set outgrows its compact forms.
package struct SetLimits {
    package let intsetCountMax: Int
    package let listpack: CompactLimits

    package init(intsetCountMax: Int, listpackCountMax: Int, listpackByteCountMax: Int) {
        // An intset counts in 32 bits; stock servers stop at the same number.
        self.intsetCountMax = min(intsetCountMax, 1 << 30)
        listpack = CompactLimits(countMax: listpackCountMax, byteCountMax: listpackByteCountMax)
    }

    /// The form in which a new set starts: `first` is one of about `count` members to come.
    package func startingEncoding(first: Span<UInt8>, count: Int) -> CollectionEncoding {
        if IntegerText.parse(first) != nil && count <= intsetCountMax { return .intset }
        return count <= listpack.countMax ? .listpack : .table
    }

    /// Whether a listpack of `count` members takes `member` as one more.
    @inline(__always)
    package func listpackTakes(_ member: Span<UInt8>, _ view: ListpackView) -> Bool {
        view.count < listpack.countMax && member.count <= listpack.byteCountMax
            && view.hasRoom(for: Listpack.entryByteCount(of: member))
    }

    /// Whether the integers of `view` and `member`, which is none, fit into a listpack together.
    package func listpackTakes(_ view: IntsetView, and member: Span<UInt8>) -> Bool {
        var longest = 0
        var byteCount = 0
        for value in [view.minimum, view.maximum] {
            guard let value else { continue }
            longest = max(longest, IntegerText.byteCount(of: value))
            byteCount = max(byteCount, Listpack.estimateBytes(value, repeats: view.count))
        }
        return view.count < listpack.countMax && max(longest, member.count) <= listpack.byteCountMax
            && byteCount < (1 << 30) - member.count - 16
    }
}

extension Entry {
    /// Members of a set.
    @inline(__always)
    package var memberCount: Int {
        switch collectionEncoding {
        case .listpack: listpack.count
        case .intset: intset.count
        case .table: members.count
        }
    }

    /// Whether the set has `member`.
    @inline(__always)
    package func hasMember(_ member: Span<UInt8>) -> Bool {
        switch collectionEncoding {
        case .table: members.find(member) != nil
        case .listpack: listpack.find(member) != nil
        case .intset: intset.contains(member)
        }
    }

    /// As `hasMember`, for an element of another set.
    package func hasMember(_ member: ListpackElement) -> Bool {
        if case .integer(let value) = member, encoding == CollectionEncoding.intset.rawValue {
            return intset.contains(value)
        }
        return member.withText { text in hasMember(text) }
    }

    /// Visits every member. The callback must not change anything.
    package func forEachMember(_ visit: (ListpackElement) -> Void) {
        walkMembers { member in
            visit(member)
            return true
        }
    }

    /// Visits members until the callback says false.
    package func walkMembers(_ visit: (ListpackElement) -> Bool) {
        switch collectionEncoding {
        case .listpack:
            let view = listpack
            var offset = view.startOffset
            while let member = view.next(&offset) { if !visit(member) { return } }
        case .intset:
            let view = intset
            for index in 0..<view.count { if !visit(.integer(view[index])) { return } }
        case .table:
            var isWanted = true
            members.forEach { member in if isWanted { isWanted = visit(.bytes(member.key)) } }
        }
    }
}

extension Keyspace {
    /// Adds a member to the set of `slot`; false when it was there.
    @discardableResult @inline(__always)
    package mutating func addMember(
        _ slot: EntryTable.Slot, in database: Int, _ member: Span<UInt8>, limits: SetLimits
    ) -> Bool {
        switch slot.entry.collectionEncoding {
        case .table: break
        case .listpack:
            let view = slot.entry.listpack
            if view.find(member) != nil { return false }
            if limits.listpackTakes(member, view) {
                updateListpack(slot, in: database, adding: Listpack.entryByteCount(of: member)) { listpack in
                    listpack.append(member)
                }
                return true
            }
            makeMemberTable(slot, in: database)
        case .intset:
            if let isNew = addToIntset(slot, in: database, member, limits) { return isNew }
        }
        var isNew = false
        updateMembers(slot, in: database) { members in
            let hash = members.hash(member)
            isNew = members.find(member, hash: hash) == nil
            if isNew { members.insert(member, hash: hash) }
        }
        return isNew
    }

    /// Nil when the set became a table and the member is still to be added.
    private mutating func addToIntset(
        _ slot: EntryTable.Slot, in database: Int, _ member: Span<UInt8>, _ limits: SetLimits
    ) -> Bool? {
        let view = slot.entry.intset
        if let value = IntegerText.parse(member) {
            if view.contains(value) { return false }
            // Wider integers than before take eight bytes each at most.
            let added = view.isWide(enoughFor: value) ? 8 : 8 + 6 * view.count
            updateIntset(slot, in: database, adding: added) { intset in _ = intset.add(value) }
            if slot.entry.intset.count > limits.intsetCountMax { makeMemberTable(slot, in: database) }
            return true
        }
        guard limits.listpackTakes(view, and: member) else {
            makeMemberTable(slot, in: database)
            return nil
        }
        var bytes = ByteBuffer(capacity: view.count * 6 + member.count + 32)
        Listpack.appendEmpty(to: &bytes)
        var listpack = Listpack(adopting: bytes)
        for index in 0..<view.count { listpack.append(view[index]) }
        listpack.append(member)
        let entry = slot.entry
        setCompact(
            entry.key, hash: self[database].table.hash(entry.key), in: database, slot: slot, type: .set,
            encoding: .listpack, bytes: listpack.span, expiry: entry.expiry)
        return true
    }

    /// Removes a member from the set of `slot`; false when it was not there.
    @discardableResult @inline(__always)
    package mutating func removeMember(_ slot: EntryTable.Slot, in database: Int, _ member: Span<UInt8>) -> Bool {
        switch slot.entry.collectionEncoding {
        case .table:
            var isRemoved = false
            updateMembers(slot, in: database) { members in isRemoved = members.remove(member) }
            return isRemoved
        case .listpack:
            guard let offset = slot.entry.listpack.find(member) else { return false }
            updateListpack(slot, in: database) { listpack in listpack.remove(at: offset) }
        case .intset:
            guard let value = IntegerText.parse(member), slot.entry.intset.contains(value) else { return false }
            updateIntset(slot, in: database) { intset in _ = intset.remove(value) }
        }
        return true
    }
}
