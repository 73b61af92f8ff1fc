// SetAccess.swift - what the set commands share: limits, making a set's key, and putting a built set in a key's place.
// Engine's turn only.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

extension Call {
    /// When a set outgrows its compact forms.
    @inline(__always)
    var setLimits: SetLimits {
        SetLimits(
            intsetCountMax: settings.setMaxIntsetEntries, listpackCountMax: settings.setMaxListpackEntries,
            listpackByteCountMax: settings.setMaxListpackValue)
    }

    /// Makes the key in argument `index`, which does not exist, a set that starts with the members of arguments
    /// `first..<end`. Returns how many there are.
    func makeSet(_ index: Int, members first: Int, to end: Int) -> Int {
        let limits = setLimits
        let hash = hash(index)
        let database = session.database
        let key = arguments[index]
        var isTable = false
        switch limits.startingEncoding(first: arguments[first], count: end - first) {
        case .intset:
            keyspace.makeIntset(key, hash: hash, in: database, room: 8) { intset in
                if let value = IntegerText.parse(arguments[first]) { _ = intset.add(value) }
            }
        case .listpack:
            isTable = arguments[first].count > limits.listpack.byteCountMax
            let room = isTable ? 0 : smallRoom(first, end, limits)
            keyspace.makeListpack(key, hash: hash, in: database, type: .set, room: room) { listpack in
                if !isTable { listpack.append(arguments[first]) }
            }
        case .table:
            keyspace.setMembers(
                key, hash: hash, in: database, slot: nil, type: .set, members: MemberTable(), expiry: nil)
            isTable = true
        }
        guard let slot = keyspace.find(key, hash: hash, in: database) else {
            preconditionFailure("a key that was just made is there")
        }
        var added = isTable ? 0 : 1
        for argument in (isTable ? first : first + 1)..<end {
            if keyspace.addMember(slot, in: database, arguments[argument], limits: limits) { added += 1 }
        }
        return added
    }

    /// Bytes of the entries of arguments `first..<end`, as far as a listpack takes them.
    private func smallRoom(_ first: Int, _ end: Int, _ limits: SetLimits) -> Int {
        var room = 0
        for argument in first..<end {
            let member = arguments[argument]
            if member.count > limits.listpack.byteCountMax { break }
            room += Listpack.entryByteCount(of: member)
        }
        return min(room, Listpack.byteCountMax / 2)
    }

    /// Puts `set` in the place of the key in argument `index`, or removes the key when `set` is empty. `event` names
    /// the change. Answers how many members there are.
    func storeSet(_ index: Int, _ set: consuming SetBuilder, event: StaticString) {
        let count = set.count
        let slot = look(index)
        if count > 0 {
            overwrote(arguments[index], from: slot?.entry.type, to: ObjectType.set.rawValue)
            keyspace.setSet(
                arguments[index], hash: hash(index), in: session.database, slot: slot, set: set, expiry: nil)
            changed(event, .set, key: arguments[index])
        } else if let slot {
            remove(index, slot: slot)
            changed("del", .generic, key: arguments[index])
        }
        reply.integer(count)
    }

    /// Answers every member of a set.
    func replyMembers(of entry: Entry) {
        let reply = reply
        reply.set(entry.memberCount)
        if case .listpack = entry.collectionEncoding {
            let view = entry.listpack
            var offset = view.startOffset
            view.appendBulkStrings(from: &offset, limit: .max, to: &reply.buffer)
        } else {
            entry.forEachMember { member in reply.bulk(member) }
        }
    }
}
