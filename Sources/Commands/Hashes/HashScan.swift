// HashScan.swift - HSCAN: the fields of a hash, some at a time.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum HashScan {
    static let commands: [Command] = [
        Command(
            "HSCAN", "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [NOVALUES]", arity: -3,
            [.readonly], keys: [.key([.readOnly, .access])], in: .hash, since: "2.8.0",
            complexity: """
                O(1) for every call. O(N) for a complete iteration, including enough command calls for the \
                cursor to return back to 0. N is the number of elements inside the collection.
                """,
            summary: "Iterates over fields and values of a hash.", hints: ["nondeterministic_output"], run: scan)
    ]

    private static let scan: Command.Handler = { (call: inout Call) throws(CommandError) in
        var scan = try MemberScan(cursorOf: call)
        guard let entry = try call.readHash(1) else { return MemberScan.replyEmpty(call.reply) }
        try scan.readOptions(call, isHash: true)
        let reply = call.reply
        let mark = reply.buffer.count
        let withValues = !scan.omitsValues
        let now = call.now
        var written = 0
        var next: UInt64 = 0
        if entry.isMemberTable {
            next = scan.walk(entry.members) { member in
                if member.isGone(at: now) { return }
                reply.bulk(member.key)
                if withValues { reply.bulk(member.value) }
                written += withValues ? 2 : 1
            }
        } else {
            entry.forEachField(now: now) { field, value, _ in
                guard scan.matches(field) else { return }
                reply.bulk(field)
                if withValues { reply.bulk(value) }
                written += withValues ? 2 : 1
            }
        }
        MemberScan.finish(reply, cursor: next, count: written, at: mark)
    }
}
