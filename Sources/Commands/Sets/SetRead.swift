// SetRead.swift - SISMEMBER, SMISMEMBER, SCARD, SMEMBERS, SSCAN: looking at sets.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SetRead {
    static let commands: [Command] = [
        Command(
            "SISMEMBER", "key member", arity: 3, [.readonly, .fast], keys: [.key([.readOnly])], in: .set,
            since: "1.0.0", complexity: "O(1)", summary: "Determines whether a member belongs to a set.", run: has),
        Command(
            "SMISMEMBER", "key member...", arity: -3, [.readonly, .fast], keys: [.key([.readOnly, .access])], in: .set,
            since: "6.2.0", complexity: "O(N) where N is the number of elements being checked for membership",
            summary: "Determines whether multiple members belong to a set.", run: hasMany),
        Command(
            "SCARD", "key", arity: 2, [.readonly, .fast], keys: [.key([.readOnly])], in: .set, since: "1.0.0",
            complexity: "O(1)", summary: "Returns the number of members in a set.", run: count),
        Command(
            "SMEMBERS", "key", arity: 2, [.readonly], keys: [.key([.readOnly, .access])], in: .set, since: "1.0.0",
            complexity: "O(N) where N is the set cardinality.", summary: "Returns all members of a set.",
            hints: ["nondeterministic_output_order"], run: members),
        Command(
            "SSCAN", "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]", arity: -3, [.readonly],
            keys: [.key([.readOnly, .access])], in: .set, since: "2.8.0",
            complexity: """
                O(1) for every call. O(N) for a complete iteration, including enough command calls for the \
                cursor to return back to 0. N is the number of elements inside the collection.
                """,
            summary: "Iterates over members of a set.", hints: ["nondeterministic_output"], run: scan),
    ]

    private static let has: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(1, .set) else { return call.reply.integer(0) }
        call.reply.integer(entry.hasMember(call.arguments[2]) ? 1 : 0)
    }

    private static let hasMany: Command.Handler = { (call: inout Call) throws(CommandError) in
        let entry = try call.read(1, .set)
        call.reply.array(call.arguments.count - 2)
        for index in 2..<call.arguments.count {
            call.reply.integer(entry.map { $0.hasMember(call.arguments[index]) } ?? false ? 1 : 0)
        }
    }

    private static let count: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(1, .set) else { return call.reply.integer(0) }
        call.reply.integer(entry.memberCount)
    }

    private static let members: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(1, .set) else { return call.reply.set(0) }
        call.replyMembers(of: entry)
    }

    private static let scan: Command.Handler = { (call: inout Call) throws(CommandError) in
        var scan = try MemberScan(cursorOf: call)
        guard let entry = try call.read(1, .set) else { return MemberScan.replyEmpty(call.reply) }
        try scan.readOptions(call)
        let reply = call.reply
        let mark = reply.buffer.count
        var written = 0
        var next: UInt64 = 0
        if entry.isMemberTable {
            next = scan.walk(entry.members) { member in
                reply.bulk(member.key)
                written += 1
            }
        } else {
            entry.forEachMember { member in
                guard scan.matches(member) else { return }
                reply.bulk(member)
                written += 1
            }
        }
        MemberScan.finish(reply, cursor: next, count: written, at: mark)
    }
}
