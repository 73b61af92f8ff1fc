// SortedSetSample.swift - ZRANDMEMBER, ZSCAN: members in no particular order.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SortedSetSample {
    static let commands: [Command] = [
        Command(
            "ZRANDMEMBER", "key [options=(count:integer [WITHSCORES])]", arity: -2, [.readonly],
            keys: [.key([.readOnly, .access])], in: .sortedSet, since: "6.2.0",
            complexity: "O(N) where N is the number of members returned",
            summary: "Returns one or more random members from a sorted set.", hints: ["nondeterministic_output"],
            run: random),
        Command(
            "ZSCAN", "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [NOSCORES]", arity: -3,
            [.readonly], keys: [.key([.readOnly, .access])], in: .sortedSet, since: "2.8.0",
            complexity: """
                O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor \
                to return back to 0. N is the number of elements inside the collection.
                """,
            summary: "Iterates over members and scores of a sorted set.",
            history: [("8.0.0", "Added noscores option.")], hints: ["nondeterministic_output"], run: scan),
    ]

    private static let random: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard call.arguments.count > 2 else { return try one(&call) }
        let picks = try call.integer(2, in: -Int.max...Int.max, otherwise: .belowNegatedMaximum)
        var withScores = false
        if call.arguments.count > 3 {
            guard call.arguments.count == 4, call.arguments[3].equalsIgnoringCase("WITHSCORES") else { throw .syntax }
            withScores = true
            if picks < -(Int.max / 2) || picks > Int.max / 2 { throw .outOfRange }
        }
        guard let entry = try call.read(1, .sortedSet), picks != 0 else { return call.reply.array(0) }
        let set = entry.sortedSet
        let reply = call.reply
        var random = RandomGenerator(seed: call.random())
        if picks > 0 {
            reply.scoredArray(min(picks, set.count), withScores: withScores)
            set.forEachDistinctRandom(picks, below: { random.below($0) }) { member, score in
                reply.scored(member, score, withScores: withScores)
            }
        } else {
            try call.checkRepeats(-picks, of: entry, elementCount: set.count)
            reply.scoredArray(-picks, withScores: withScores)
            set.forEachRandom(-picks, below: { random.below($0) }) { member, score in
                reply.scored(member, score, withScores: withScores)
            }
        }
    }

    private static func one(_ call: inout Call) throws(CommandError) {
        guard let entry = try call.read(1, .sortedSet) else { return call.reply.null() }
        let reply = call.reply
        var random = RandomGenerator(seed: call.random())
        entry.sortedSet.forEachRandom(1, below: { random.below($0) }) { member, _ in reply.bulk(member) }
    }

    private static let scan: Command.Handler = { (call: inout Call) throws(CommandError) in
        var scan = try MemberScan(cursorOf: call)
        guard let entry = try call.read(1, .sortedSet) else { return MemberScan.replyEmpty(call.reply) }
        try scan.readOptions(call, isSortedSet: true)
        let reply = call.reply
        let mark = reply.buffer.count
        let withScores = !scan.omitsValues
        var written = 0
        var next: UInt64 = 0
        let set = entry.sortedSet
        if set.isLarge {
            set.withTable { members in
                next = scan.walk(members) { member in
                    reply.bulk(member.key)
                    if withScores { reply.bulk(seventeenDigits: member.score) }
                    written += withScores ? 2 : 1
                }
            }
        } else {
            set.forEach(in: set.whole) { member, score in
                guard scan.matches(member) else { return }
                reply.bulk(member)
                if withScores { reply.bulk(shortest: score) }
                written += withScores ? 2 : 1
            }
        }
        MemberScan.finish(reply, cursor: next, count: written, at: mark)
    }
}

extension Reply {
    /// A score as its shortest text, a bulk in either protocol.
    fileprivate func bulk(shortest score: Double) {
        let mark = buffer.count
        DoubleText.append(score, to: &buffer)
        insertHeader(UInt8(ascii: "$"), buffer.count - mark, at: mark)
        buffer.append("\r\n")
    }

    /// A score as stock servers print those of large sets here: with seventeen digits.
    fileprivate func bulk(seventeenDigits score: Double) {
        let mark = buffer.count
        DoubleText.appendSeventeenDigits(score, to: &buffer)
        insertHeader(UInt8(ascii: "$"), buffer.count - mark, at: mark)
        buffer.append("\r\n")
    }
}
