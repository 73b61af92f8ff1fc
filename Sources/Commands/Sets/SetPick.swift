// SetPick.swift - SRANDMEMBER and SPOP: random members, looked at or taken out.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SetPick {
    static let commands: [Command] = [
        Command(
            "SRANDMEMBER", "key [count:integer@2.6.0]", arity: -2, [.readonly], keys: [.key([.readOnly, .access])],
            in: .set, since: "1.0.0",
            complexity: """
                Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count.
                """,
            summary: "Gets one or multiple random members from a set.",
            history: [("2.6.0", "Added the optional `count` argument.")], hints: ["nondeterministic_output"],
            run: look),
        Command(
            "SPOP", "key [count:integer@3.2.0]", arity: -2, [.write, .fast],
            keys: [.key([.readWrite, .access, .delete])], in: .set, since: "1.0.0",
            complexity: """
                Without the count argument O(1), otherwise O(N) where N is the value of the passed count.
                """,
            summary: """
                Returns one or more random members from a set after removing them. Deletes the set if the last \
                member was popped.
                """,
            history: [("3.2.0", "Added the `count` argument.")], hints: ["nondeterministic_output"], run: pop),
    ]

    // MARK: one member

    /// Calls `body` with a random member of a set that has one.
    private static func withRandomMember(_ call: borrowing Call, _ entry: Entry, _ body: (ListpackElement) -> Void) {
        switch entry.collectionEncoding {
        case .intset: body(.integer(entry.intset[call.random(below: entry.intset.count)]))
        case .listpack:
            let view = entry.listpack
            guard let offset = view.offset(ofIndex: call.random(below: view.count)) else {
                preconditionFailure("a set that exists has a member")
            }
            body(view.element(at: offset))
        case .table:
            guard let member = entry.members.randomEntry({ call.random() }) else {
                preconditionFailure("a set that exists has a member")
            }
            body(.bytes(member.key))
        }
    }

    // MARK: SRANDMEMBER

    private static let look: Command.Handler = { (call: inout Call) throws(CommandError) in
        let reply = call.reply
        guard call.arguments.count > 2 else {
            guard let entry = try call.read(1, .set) else { return reply.null() }
            return withRandomMember(call, entry) { reply.bulk($0) }
        }
        guard call.arguments.count == 3 else { throw .syntax }
        let count = try call.integer(2, in: -Int.max...Int.max, otherwise: .belowNegatedMaximum)
        guard let entry = try call.read(1, .set), count != 0 else { return reply.array(0) }
        if count > 0 {
            reply.array(min(count, entry.memberCount))
            return withDistinctMembers(call, entry, count: count) { reply.bulk($0) }
        }
        try call.checkRepeats(-count, of: entry, elementCount: entry.memberCount)
        reply.array(-count)
        guard case .listpack = entry.collectionEncoding else {
            for _ in 0..<(-count) { withRandomMember(call, entry) { reply.bulk($0) } }
            return
        }
        let view = entry.listpack
        var offsets: [Int32] = []
        view.appendOffsets(to: &offsets)
        for _ in 0..<(-count) { reply.bulk(view.element(at: Int(offsets[call.random(below: offsets.count)]))) }
    }

    /// Calls `body` with up to `count` different members, every choice of them about equally likely.
    private static func withDistinctMembers(
        _ call: borrowing Call, _ entry: Entry, count: Int, _ body: (ListpackElement) -> Void
    ) {
        if count >= entry.memberCount { return entry.forEachMember(body) }
        switch entry.collectionEncoding {
        case .listpack:
            let view = entry.listpack
            view.pickGroups(count, stride: 1, below: { call.random(below: $0) }) { body(view.element(at: $0)) }
        case .intset:
            let view = entry.intset
            var picksLeft = count
            for index in 0..<view.count where picksLeft > 0 && call.random(below: view.count - index) < picksLeft {
                body(.integer(view[index]))
                picksLeft -= 1
            }
        case .table:
            let picked = entry.members.pick(count, below: { call.random(below: $0) }, random: { call.random() })
            for member in picked { body(.bytes(member.key)) }
        }
    }

    // MARK: SPOP

    private static let pop: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard call.arguments.count > 2 else { return try popOne(&call) }
        guard call.arguments.count == 3 else { throw .syntax }
        guard let count = IntegerText.parse(call.arguments[2]), count >= 0 else { throw .negativeValue }
        guard let slot = try call.find(1, .set) else { return call.reply.set(0) }
        if count == 0 { return call.reply.set(0) }
        let entry = slot.entry
        if count >= entry.memberCount {
            call.replyMembers(of: entry)
            call.changed("spop", .set, key: call.arguments[1])
            call.remove(1, slot: slot)
            call.alsoHappened("del", .generic, key: call.arguments[1])
            call.propagate(call.settings.lazyfreeLazyServerDel ? "UNLINK" : "DEL", call.arguments[1])
            return
        }
        popMany(&call, slot, Int(count))
        call.changed("spop", .set, key: call.arguments[1])
    }

    private static func popOne(_ call: inout Call) throws(CommandError) {
        guard let slot = try call.find(1, .set) else { return call.reply.null() }
        var member = ByteBuffer()
        withRandomMember(call, slot.entry) { $0.append(to: &member) }
        _ = call.keyspace.removeMember(slot, in: call.session.database, member.span)
        call.reply.bulk(member.span)
        call.changed("spop", .set, key: call.arguments[1])
        call.propagate("SREM", call.arguments[1], member.span)
        call.removeIfEmpty(1, collection: slot)
    }

    /// Takes out fewer members than there are. A small set is rewritten once, whatever the number.
    private static func popMany(_ call: inout Call, _ slot: EntryTable.Slot, _ count: Int) {
        let reply = call.reply
        let database = call.session.database
        let entry = slot.entry
        reply.set(count)
        switch entry.collectionEncoding {
        case .listpack:
            var offsets: [Int] = []
            let view = entry.listpack
            view.pickGroups(count, stride: 1, below: { call.random(below: $0) }) { offset in
                reply.bulk(view.element(at: offset))
                offsets.append(offset)
            }
            recordRemoval(call, offsets.count) { index, words in
                view.element(at: offsets[index]).withText { text in words.add(text) }
            }
            call.keyspace.updateListpack(slot, in: database) { listpack in listpack.removeEntries(at: offsets.span) }
        case .intset:
            var values: [Int64] = []
            withDistinctMembers(call, entry, count: count) { member in
                reply.bulk(member)
                if case .integer(let value) = member { values.append(value) }
            }
            recordRemoval(call, values.count) { index, words in words.add(decimal: values[index]) }
            call.keyspace.updateIntset(slot, in: database) { intset in
                for value in values { _ = intset.remove(value) }
            }
        case .table:
            let picked = entry.members.pick(count, below: { call.random(below: $0) }, random: { call.random() })
            for member in picked { reply.bulk(member.key) }
            recordRemoval(call, picked.count) { index, words in words.add(picked[index].key) }
            call.keyspace.updateMembers(slot, in: database) { members in
                for member in picked { _ = members.remove(member.key) }
            }
        }
    }

    /// Members named by one SREM in the journal, as stock servers do it.
    private static let recordedCountMax = 1024

    /// Records that `count` members, spelled by `word`, were removed.
    private static func recordRemoval(_ call: borrowing Call, _ count: Int, _ word: (Int, inout JournalWords) -> Void) {
        guard call.isJournaled else { return }
        let key = call.arguments[1]
        var next = 0
        while next < count {
            let end = min(count, next + recordedCountMax)
            call.propagate("SREM") { words in
                words.add(key)
                for index in next..<end { word(index, &words) }
            }
            next = end
        }
    }
}
