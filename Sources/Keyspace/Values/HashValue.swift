// HashValue.swift - hashes as values of keys: fields and values in turn in a listpack inside the key's entry while the
// hash is small, a `MemberTable` (field as the member, value as its value, time to live as its expiry) beyond that.
// Reading goes through `Entry`, changing through `Keyspace`; both take care of fields whose time has passed, which stay
// in the table, unseen, until they are swept. A hash in a listpack has no field with a time. Engine's turn only.
// Cost: a lookup is a short scan or one hash lookup; neither allocates.
internal import Base
package import Structures

/// When a small collection outgrows its compact form.
package struct CompactLimits: Sendable {
    /// Members (or fields) at most.
    package let countMax: Int
    /// Bytes of each member, field or value at most.
    package let byteCountMax: Int

    package init(countMax: Int, byteCountMax: Int) {
        self.countMax = countMax
        self.byteCountMax = byteCountMax
    }
}

/// What setting a field's value does to its time to live.
package enum FieldExpiry {
    case cleared
    case kept
    /// Milliseconds since the epoch.
    case at(Int64)
}

extension Entry {
    /// Whether a hash or set lies in a member table.
    @inline(__always) package var isMemberTable: Bool { encoding == CollectionEncoding.table.rawValue }

    /// Fields of a hash, those included whose time has passed and which were not swept yet.
    @inline(__always)
    package var fieldCount: Int { isMemberTable ? members.count : listpack.count >> 1 }

    /// Whether some fields of a hash have a time to live.
    package var hasExpiringFields: Bool { isMemberTable && members.expiryCount > 0 }

    /// Whether a member of a table is gone for everybody who looks at the instant `now`.
    @inline(__always)
    package func isGone(at now: Int64) -> Bool { hasExpiry && expiryMilliseconds < now }

    /// The value of `field`; nil when the hash does not have it.
    @_lifetime(borrow self) @inline(__always)
    package func fieldValue(_ field: Span<UInt8>, now: Int64) -> ListpackElement? {
        if _fastPath(!isMemberTable) {
            let found = listpack.value(of: field)
            return unsafe _overrideLifetime(found, borrowing: self)
        }
        guard let member = liveMember(field, now: now) else { return nil }
        return unsafe _overrideLifetime(ListpackElement.bytes(member.value), borrowing: self)
    }

    /// The live member `field` of a table.
    @inline(__always)
    package func liveMember(_ field: Span<UInt8>, now: Int64) -> Entry? {
        guard let slot = members.find(field) else { return nil }
        let member = slot.entry
        return _slowPath(member.hasExpiry) && member.isGone(at: now) ? nil : member
    }

    /// Whether the hash has `field`.
    @inline(__always)
    package func hasField(_ field: Span<UInt8>, now: Int64) -> Bool {
        isMemberTable ? liveMember(field, now: now) != nil : listpack.find(field, skip: 1) != nil
    }

    /// Visits every live field with its value and, where it has one, its time. The callback must not change anything.
    package func forEachField(
        now: Int64, _ visit: (_ field: ListpackElement, _ value: ListpackElement, _ expiry: Int64?) -> Void
    ) {
        if isMemberTable {
            members.forEach { member in
                if member.isGone(at: now) { return }
                visit(.bytes(member.key), .bytes(member.value), member.expiry)
            }
            return
        }
        let view = listpack
        var offset = view.startOffset
        while let field = view.next(&offset), let value = view.next(&offset) { visit(field, value, nil) }
    }

    /// Live fields: the count itself unless some have a time, which costs a walk.
    package func liveFieldCount(now: Int64) -> Int {
        guard hasExpiringFields else { return fieldCount }
        var count = 0
        members.forEach { member in if !member.isGone(at: now) { count += 1 } }
        return count
    }
}

extension Keyspace {
    /// Makes the hash or set of `slot` a member table; its elements are members, or fields with their values.
    package mutating func makeMemberTable(_ slot: EntryTable.Slot, in database: Int) {
        let entry = slot.entry
        var members = MemberTable()
        switch entry.collectionEncoding {
        case .table: return
        case .intset:
            let view = entry.intset
            for index in 0..<view.count { members.insert(ListpackElement.integer(view[index]), value: nil) }
        case .listpack:
            let view = entry.listpack
            var offset = view.startOffset
            while let member = view.next(&offset) {
                let value = entry.objectType == .hash ? view.next(&offset) : nil
                members.insert(member, value: value)
            }
        }
        let frequency = entry.frequency
        // The hash counts only where the key is not in the table yet.
        setMembers(
            entry.key, hash: self[database].table.hash(entry.key), in: database, slot: slot, type: entry.objectType,
            members: members, expiry: entry.expiry)
        slot.entry.frequency = frequency
    }

    /// Sets a field of the hash of `slot`, which becomes a table where `limits` ask for it. Returns whether the field
    /// is new.
    @discardableResult @inline(__always)
    package mutating func setField(
        _ slot: EntryTable.Slot, in database: Int, _ field: Span<UInt8>, to value: Span<UInt8>,
        _ expiry: FieldExpiry = .cleared, limits: CompactLimits
    ) -> Bool {
        if !slot.entry.isMemberTable {
            if case .at = expiry {
                makeMemberTable(slot, in: database)
            } else if let isNew = setSmallField(slot, in: database, field, to: value, limits) {
                return isNew
            }
        }
        return setTableField(slot, in: database, field, to: value, expiry)
    }

    /// Nil when the hash had to become a table first.
    private mutating func setSmallField(
        _ slot: EntryTable.Slot, in database: Int, _ field: Span<UInt8>, to value: Span<UInt8>,
        _ limits: CompactLimits
    ) -> Bool? {
        let view = slot.entry.listpack
        let valueByteCount = Listpack.entryByteCount(of: value)
        let fits = max(field.count, value.count) <= limits.byteCountMax
        let isRoomy = view.hasRoom(for: Listpack.entryByteCount(of: field) + valueByteCount)
        if let offset = view.find(field, skip: 1) {
            guard fits, isRoomy else {
                makeMemberTable(slot, in: database)
                return nil
            }
            let valueOffset = view.offset(after: offset)
            let old = view.offset(after: valueOffset) - valueOffset
            updateListpack(slot, in: database, adding: max(0, valueByteCount - old)) { listpack in
                listpack.replace(at: valueOffset, with: value)
            }
            return false
        }
        guard fits, isRoomy, view.count >> 1 < limits.countMax else {
            makeMemberTable(slot, in: database)
            return nil
        }
        updateListpack(slot, in: database, adding: Listpack.entryByteCount(of: field) + valueByteCount) { listpack in
            listpack.append(field)
            listpack.append(value)
        }
        return true
    }

    private mutating func setTableField(
        _ slot: EntryTable.Slot, in database: Int, _ field: Span<UInt8>, to value: Span<UInt8>, _ expiry: FieldExpiry
    ) -> Bool {
        let now = now
        let time: Int64? = if case .at(let time) = expiry { time } else { nil }
        var isNew = true
        let hadExpiry = slot.entry.hasExpiringFields
        updateMembers(slot, in: database) { members in
            let hash = members.hash(field)
            guard let place = members.find(field, hash: hash) else {
                members.insert(field, hash: hash, value: value, expiry: time)
                return
            }
            let old = place.entry
            isNew = old.isGone(at: now)
            let isKept = if case .kept = expiry { !isNew } else { false }
            members.setValue(place, value, expiry: isKept ? old.expiry : time)
        }
        if let time {
            self[database].noteExpiringFields(slot.entry.key, earliest: time)
        } else if hadExpiry {
            self[database].fieldExpiryTaken(from: slot.entry)
        }
        return isNew
    }

    /// Removes a field; false when the hash of `slot` did not have it. The caller removes the key of an empty hash.
    package mutating func removeField(_ slot: EntryTable.Slot, in database: Int, _ field: Span<UInt8>) -> Bool {
        if slot.entry.isMemberTable {
            let now = now
            var wasLive = false
            let hadExpiry = slot.entry.hasExpiringFields
            updateMembers(slot, in: database) { members in
                let hash = members.hash(field)
                guard let place = members.find(field, hash: hash) else { return }
                wasLive = !place.entry.isGone(at: now)
                members.remove(place, hash: hash)
            }
            if hadExpiry { self[database].fieldExpiryTaken(from: slot.entry) }
            return wasLive
        }
        guard let offset = slot.entry.listpack.find(field, skip: 1) else { return false }
        updateListpack(slot, in: database) { listpack in listpack.removeRange(at: offset, count: 2) }
        return true
    }
}

extension MemberTable {
    /// Adds the text of `member`, which is not in the table, with that of `value`.
    mutating func insert(_ member: ListpackElement, value: ListpackElement?) {
        member.withText { text in
            let hash = hash(text)
            if let value {
                value.withText { valueText in _ = insert(text, hash: hash, value: valueText) }
            } else {
                insert(text, hash: hash)
            }
        }
    }
}
