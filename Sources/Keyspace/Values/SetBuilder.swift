// SetBuilder.swift - a set that is in no key yet: results of SUNION and its relatives, sets read from payloads. It
// grows through the same forms by the same rules as a set in the keyspace, so that what is stored is what SADD would
// have made. Owned by whoever builds it; `Keyspace.setSet` moves it to a key.
internal import Base
package import Structures

package struct SetBuilder: ~Copyable {
    private let limits: SetLimits
    private(set) var encoding: CollectionEncoding
    private var intset = Intset()
    private var listpack = Listpack()
    private var members = MemberTable()

    /// An empty set that will start as `encoding`.
    package init(limits: SetLimits, encoding: CollectionEncoding = .intset) {
        self.limits = limits
        self.encoding = encoding
    }

    /// A set that lay in an intset, which becomes a table when it is too large for one here.
    init(_ integers: consuming Intset, limits: SetLimits) {
        self.limits = limits
        encoding = .intset
        intset = integers
        if intset.count > limits.intsetCountMax { makeTable() }
    }

    /// A set that lay in a listpack, whose elements all differ.
    init(_ elements: consuming Listpack, limits: SetLimits) {
        self.limits = limits
        encoding = .listpack
        listpack = elements
        if listpack.count > limits.listpack.countMax { makeTable() }
    }

    package var count: Int {
        switch encoding {
        case .intset: intset.count
        case .listpack: listpack.count
        case .table: members.count
        }
    }

    package var isEmpty: Bool { count == 0 }

    /// Adds an element of another set; false when it is there.
    @discardableResult
    package mutating func add(_ member: ListpackElement) -> Bool {
        if case .integer(let value) = member, encoding == .intset { return add(integer: value) }
        return member.withText { text in add(text) }
    }

    /// Adds a member; false when it is there.
    @discardableResult
    package mutating func add(_ member: Span<UInt8>) -> Bool {
        switch encoding {
        case .table: break
        case .listpack:
            if listpack.view.find(member) != nil { return false }
            if limits.listpackTakes(member, listpack.view) {
                listpack.append(member)
                return true
            }
            makeTable()
        case .intset:
            if let value = IntegerText.parse(member) { return add(integer: value) }
            if limits.listpackTakes(intset.view, and: member) {
                var mixed = Listpack()
                for index in 0..<intset.count { mixed.append(intset.view[index]) }
                mixed.append(member)
                listpack = mixed
                intset = Intset()
                encoding = .listpack
                return true
            }
            makeTable()
        }
        let hash = members.hash(member)
        let isNew = members.find(member, hash: hash) == nil
        if isNew { members.insert(member, hash: hash) }
        return isNew
    }

    private mutating func add(integer value: Int64) -> Bool {
        guard intset.add(value) else { return false }
        if intset.count > limits.intsetCountMax { makeTable() }
        return true
    }

    /// Removes an element of another set.
    package mutating func remove(_ member: ListpackElement) {
        switch encoding {
        case .intset:
            if let value = member.integerValue { _ = intset.remove(value) }
        case .listpack:
            let offset = member.withText { text in listpack.view.find(text) }
            if let offset { listpack.remove(at: offset) }
        case .table: member.withText { text in _ = members.remove(text) }
        }
    }

    private mutating func makeTable() {
        var table = MemberTable()
        forEach { member in table.insert(member, value: nil) }
        members = table
        intset = Intset()
        listpack = Listpack()
        encoding = .table
    }

    /// Makes the set an intset when all its members are integers and not too many.
    package mutating func becomeIntsetIfPossible() {
        guard encoding != .intset, count <= limits.intsetCountMax else { return }
        var integers = Intset()
        var isPossible = true
        forEach { member in
            if !isPossible { return }
            guard let value = member.integerValue else {
                isPossible = false
                return
            }
            _ = integers.add(value)
        }
        guard isPossible else { return }
        intset = integers
        listpack = Listpack()
        members = MemberTable()
        encoding = .intset
    }

    /// Visits every member.
    package func forEach(_ visit: (ListpackElement) -> Void) {
        switch encoding {
        case .intset: for index in 0..<intset.count { visit(.integer(intset.view[index])) }
        case .listpack:
            var offset = listpack.view.startOffset
            while let member = listpack.view.next(&offset) { visit(member) }
        case .table: members.forEach { member in visit(.bytes(member.key)) }
        }
    }

    /// Moves the set to `key`, in the place of whatever the slot has.
    fileprivate consuming func place(
        _ key: Span<UInt8>, _ hash: UInt64, _ database: Int, _ slot: EntryTable.Slot?, _ expiry: Int64?,
        in keyspace: inout Keyspace
    ) {
        switch encoding {
        case .table:
            keyspace.setMembers(
                key, hash: hash, in: database, slot: slot, type: .set, members: members, expiry: expiry)
        case .listpack:
            keyspace.setCompact(
                key, hash: hash, in: database, slot: slot, type: .set, encoding: .listpack, bytes: listpack.span,
                expiry: expiry)
        case .intset:
            keyspace.setCompact(
                key, hash: hash, in: database, slot: slot, type: .set, encoding: .intset, bytes: intset.span,
                expiry: expiry)
        }
    }
}

extension Keyspace {
    /// Makes `set`, which has members, the value of `key`, in the place of whatever the slot has.
    package mutating func setSet(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, slot: EntryTable.Slot?, set: consuming SetBuilder,
        expiry: Int64?
    ) {
        precondition(!set.isEmpty, "a key with an empty set does not exist")
        if let slot { willReplace(slot, in: database) }
        set.place(key, hash, database, slot, expiry, in: &self)
    }
}
