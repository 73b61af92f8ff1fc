// HashBuilder.swift - a hash that is in no key yet: one read from a payload or file. It grows by the same rules as a
// hash in the keyspace. Owned by whoever builds it; `Keyspace.setHash` moves it to a key.
internal import Base
package import Structures

package struct HashBuilder: ~Copyable {
    private let limits: CompactLimits
    private var isTable = false
    private var listpack = Listpack()
    private var members = MemberTable()

    /// An empty hash; `count` fields are said to come.
    init(limits: CompactLimits, expecting count: Int = 0) {
        self.limits = limits
        isTable = count > limits.countMax
    }

    /// A hash that lay in a listpack, whose fields all differ.
    init(_ pairs: consuming Listpack, limits: CompactLimits) {
        self.limits = limits
        listpack = pairs
        if listpack.count / 2 > limits.countMax { makeTable() }
    }

    var count: Int { isTable ? members.count : listpack.count / 2 }

    /// Adds a field; false when it is there.
    mutating func add(_ field: Span<UInt8>, _ value: Span<UInt8>, expiry: Int64? = nil) -> Bool {
        if !isTable {
            if listpack.view.find(field, skip: 1) != nil { return false }
            let added = Listpack.entryByteCount(of: field) + Listpack.entryByteCount(of: value)
            if expiry == nil, count < limits.countMax, max(field.count, value.count) <= limits.byteCountMax,
                listpack.hasRoom(for: added)
            {
                listpack.append(field)
                listpack.append(value)
                return true
            }
            makeTable()
        }
        let hash = members.hash(field)
        let isNew = members.find(field, hash: hash) == nil
        if isNew { members.insert(field, hash: hash, value: value, expiry: expiry) }
        return isNew
    }

    private mutating func makeTable() {
        var table = MemberTable()
        var offset = listpack.view.startOffset
        while let field = listpack.view.next(&offset), let value = listpack.view.next(&offset) {
            table.insert(field, value: value)
        }
        members = table
        listpack = Listpack()
        isTable = true
    }

    fileprivate consuming func place(
        _ key: Span<UInt8>, _ hash: UInt64, _ database: Int, _ slot: EntryTable.Slot?, _ expiry: Int64?,
        in keyspace: inout Keyspace
    ) {
        if isTable {
            keyspace.setMembers(
                key, hash: hash, in: database, slot: slot, type: .hash, members: members, expiry: expiry)
            if let placed = keyspace[database].table.find(key, hash: hash) {
                keyspace[database].noteExpiringFields(of: placed.entry)
            }
        } else {
            keyspace.setCompact(
                key, hash: hash, in: database, slot: slot, type: .hash, encoding: .listpack, bytes: listpack.span,
                expiry: expiry)
        }
    }
}

extension Keyspace {
    /// Makes `fields`, which are some, the hash of `key`, in the place of whatever the slot has.
    package mutating func setHash(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, slot: EntryTable.Slot?, fields: consuming HashBuilder,
        expiry: Int64?
    ) {
        precondition(fields.count > 0, "a key with an empty hash does not exist")
        fields.place(key, hash, database, slot, expiry, in: &self)
    }
}
