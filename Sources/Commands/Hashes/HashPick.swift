// HashPick.swift - HRANDFIELD: random fields, once each or with repeats.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum HashPick {
    static let commands: [Command] = [
        Command(
            "HRANDFIELD", "key [options=(count:integer [WITHVALUES])]", arity: -2, [.readonly],
            keys: [.key([.readOnly, .access])], in: .hash, since: "6.2.0",
            complexity: "O(N) where N is the number of fields returned",
            summary: "Returns one or more random fields from a hash.", hints: ["nondeterministic_output"], run: pick)
    ]

    private static let pick: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard call.arguments.count > 2 else { return try pickOne(&call) }
        let count = try call.integer(2, in: -Int.max...Int.max, otherwise: .belowNegatedMaximum)
        let withValues = call.arguments.count == 4 && call.arguments[3].equalsIgnoringCase("WITHVALUES")
        guard call.arguments.count == (withValues ? 4 : 3) else { throw .syntax }
        if withValues, count.magnitude > UInt(Int.max / 2) { throw .message("ERR value is out of range") }
        guard let entry = try call.readHash(1), count != 0 else { return call.reply.array(0) }
        if count < 0 {
            try repeated(call, entry, count: -count, withValues: withValues)
        } else {
            distinct(call, entry, count: count, withValues: withValues)
        }
    }

    private static func pickOne(_ call: inout Call) throws(CommandError) {
        guard let entry = try call.readHash(1) else { return call.reply.null() }
        if !entry.isMemberTable {
            writeRandomField(call, entry)
        } else if let member = liveMember(call, entry) {
            call.reply.bulk(member.key)
        } else {
            call.reply.null()
        }
    }

    private static func writeRandomField(_ call: borrowing Call, _ entry: Entry) {
        let view = entry.listpack
        guard let offset = view.offset(ofIndex: 2 * call.random(below: view.count / 2)) else {
            preconditionFailure("a hash that exists has a field")
        }
        call.reply.bulk(view.element(at: offset))
    }

    /// Random members looked at before the live ones are collected.
    private static let triesMax = 100

    /// A random member whose time has not passed; nil when there is none.
    private static func liveMember(_ call: borrowing Call, _ entry: Entry) -> Entry? {
        let now = call.now
        for _ in 0..<triesMax {
            guard let member = entry.members.randomEntry({ call.random() }) else { return nil }
            if !member.isGone(at: now) { return member }
        }
        let live = liveMembers(entry, now: now)
        return live.isEmpty ? nil : live[call.random(below: live.count)]
    }

    private static func liveMembers(_ entry: Entry, now: Int64) -> [Entry] {
        var live: [Entry] = []
        entry.members.forEach { member in if !member.isGone(at: now) { live.append(member) } }
        return live
    }

    /// Opens an array of `count` fields, with their values or without.
    private static func begin(_ reply: Reply, _ count: Int, withValues: Bool) {
        reply.array(withValues && reply.protocolVersion < 3 ? count * 2 : count)
    }

    private static func write(
        _ reply: Reply, _ field: ListpackElement, _ value: ListpackElement, withValues: Bool
    ) {
        guard withValues else { return reply.bulk(field) }
        if reply.protocolVersion >= 3 { reply.array(2) }
        reply.bulk(field)
        reply.bulk(value)
    }

    /// `count` picks, each of any field.
    private static func repeated(
        _ call: borrowing Call, _ entry: Entry, count: Int, withValues: Bool
    ) throws(CommandError) {
        let reply = call.reply
        try call.checkRepeats(count, of: entry, elementCount: entry.fieldCount)
        guard entry.isMemberTable else {
            begin(reply, count, withValues: withValues)
            let view = entry.listpack
            var offsets: [Int32] = []
            view.appendOffsets(stride: 2, to: &offsets)
            for _ in 0..<count {
                var offset = Int(offsets[call.random(below: offsets.count)])
                guard let field = view.next(&offset), let value = view.next(&offset) else { break }
                write(reply, field, value, withValues: withValues)
            }
            return
        }
        let live = entry.hasExpiringFields ? liveMembers(entry, now: call.now) : []
        if entry.hasExpiringFields && live.isEmpty { return reply.array(0) }
        begin(reply, count, withValues: withValues)
        for _ in 0..<count {
            let picked = live.isEmpty
                ? entry.members.randomEntry { call.random() } : live[call.random(below: live.count)]
            guard let member = picked else { preconditionFailure("a hash that exists has a field") }
            write(reply, .bytes(member.key), .bytes(member.value), withValues: withValues)
        }
    }

    /// Up to `count` different fields.
    private static func distinct(_ call: borrowing Call, _ entry: Entry, count: Int, withValues: Bool) {
        let reply = call.reply
        let now = call.now
        let total = entry.liveFieldCount(now: now)
        begin(reply, min(count, total), withValues: withValues)
        if count >= total {
            entry.forEachField(now: now) { field, value, _ in write(reply, field, value, withValues: withValues) }
            return
        }
        guard entry.isMemberTable else {
            let view = entry.listpack
            view.pickGroups(count, stride: 2, below: { call.random(below: $0) }) { start in
                var offset = start
                guard let field = view.next(&offset), let value = view.next(&offset) else { return }
                write(reply, field, value, withValues: withValues)
            }
            return
        }
        guard entry.hasExpiringFields else {
            let picked = entry.members.pick(count, below: { call.random(below: $0) }, random: { call.random() })
            for member in picked { write(reply, .bytes(member.key), .bytes(member.value), withValues: withValues) }
            return
        }
        var live = liveMembers(entry, now: now)
        for index in 0..<count {
            live.swapAt(index, index + call.random(below: live.count - index))
            write(reply, .bytes(live[index].key), .bytes(live[index].value), withValues: withValues)
        }
    }
}
