// SetEdit.swift - SADD, SREM, SMOVE: members in, out and across.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SetEdit {
    static let commands: [Command] = [
        Command(
            "SADD", "key member...", arity: -3, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .insert])],
            in: .set, since: "1.0.0",
            complexity: """
                O(1) for each element added, so O(N) to add N elements when the command is called with multiple \
                arguments.
                """,
            summary: "Adds one or more members to a set. Creates the key if it doesn't exist.",
            history: [("2.4.0", "Accepts multiple `member` arguments.")], run: add),
        Command(
            "SREM", "key member...", arity: -3, [.write, .fast], keys: [.key([.readWrite, .delete])], in: .set,
            since: "1.0.0", complexity: "O(N) where N is the number of members to be removed.",
            summary: "Removes one or more members from a set. Deletes the set if the last member was removed.",
            history: [("2.4.0", "Accepts multiple `member` arguments.")], run: remove),
        Command(
            "SMOVE", "source:key destination:key member", arity: 4, [.write, .fast],
            keys: [.key([.readWrite, .access, .delete]), .key(at: 2, [.readWrite, .insert])], in: .set, since: "1.0.0",
            complexity: "O(1)", summary: "Moves a member from one set to another.", run: move),
    ]

    private static let add: Command.Handler = { (call: inout Call) throws(CommandError) in
        let count = call.arguments.count
        var added = 0
        if let slot = try call.find(1, .set) {
            let limits = call.setLimits
            let database = call.session.database
            prepare(call, slot, count - 2, limits)
            for index in 2..<count {
                if call.keyspace.addMember(slot, in: database, call.arguments[index], limits: limits) { added &+= 1 }
            }
        } else {
            added = call.makeSet(1, members: 2, to: count)
        }
        if added > 0 { call.changed("sadd", .set, key: call.arguments[1]) }
        call.reply.integer(added)
    }

    /// As stock servers do: more arguments than a compact form has places for make a table at once.
    @inline(__always)
    private static func prepare(_ call: borrowing Call, _ slot: EntryTable.Slot, _ count: Int, _ limits: SetLimits) {
        switch slot.entry.collectionEncoding {
        case .table: return
        case .listpack: if count <= limits.listpack.countMax { return }
        case .intset: if count <= limits.intsetCountMax { return }
        }
        call.keyspace.makeMemberTable(slot, in: call.session.database)
    }

    private static let remove: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let slot = try call.find(1, .set) else { return call.reply.integer(0) }
        let database = call.session.database
        var removed = 0
        for index in 2..<call.arguments.count {
            if call.keyspace.removeMember(slot, in: database, call.arguments[index]) { removed += 1 }
        }
        if removed > 0 { call.changed("srem", .set, key: call.arguments[1]) }
        call.reply.integer(removed)
        if removed > 0 { call.removeIfEmpty(1, collection: slot) }
    }

    private static let move: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let source = call.find(1) else { return call.reply.integer(0) }
        let target = call.find(2)
        guard source.entry.type == ObjectType.set.rawValue,
            target.map({ $0.entry.type == ObjectType.set.rawValue }) ?? true
        else { throw .wrongType }
        let member = call.arguments[3]
        let database = call.session.database
        if let target, target.entry == source.entry {
            return call.reply.integer(source.entry.hasMember(member) ? 1 : 0)
        }
        guard call.keyspace.removeMember(source, in: database, member) else { return call.reply.integer(0) }
        call.changed("srem", .set, key: call.arguments[1])
        call.removeIfEmpty(1, collection: source)
        // Removing a key may have moved the other one's place in the table.
        var isNew = true
        if let target = call.find(2) {
            isNew = call.keyspace.addMember(target, in: database, member, limits: call.setLimits)
        } else {
            _ = call.makeSet(2, members: 3, to: 4)
        }
        if isNew { call.changed("sadd", .set, key: call.arguments[2]) }
        call.reply.integer(1)
    }
}
