// SortedSetCombine.swift - ZUNION, ZINTER, ZDIFF, their STORE forms, ZINTERCARD: sorted sets, and plain sets as if each
// member scored 1. Inputs are only read; the result is complete before its key is written, so that it may be an input.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SortedSetCombine {
    static let commands: [Command] = [
        Command(
            "ZUNION", "numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE (SUM | MIN | MAX)] [WITHSCORES]",
            arity: -3, [.readonly], keys: [.counted(at: 1, [.readOnly, .access])], in: .sortedSet, since: "6.2.0",
            complexity: """
                O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the \
                number of elements in the resulting sorted set.
                """,
            summary: "Returns the union of multiple sorted sets.", run: union),
        Command(
            "ZUNIONSTORE",
            "destination:key numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE (SUM | MIN | MAX)]",
            arity: -4, [.write, .denyOOM], keys: [.key([.overwrite, .update]), .counted(at: 2, [.readOnly, .access])],
            in: .sortedSet, since: "2.0.0",
            complexity: """
                O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being the \
                number of elements in the resulting sorted set.
                """,
            summary: "Stores the union of multiple sorted sets in a key.", run: unionStore),
        Command(
            "ZINTER", "numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE (SUM | MIN | MAX)] [WITHSCORES]",
            arity: -3, [.readonly], keys: [.counted(at: 1, [.readOnly, .access])], in: .sortedSet, since: "6.2.0",
            complexity: """
                O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of \
                input sorted sets and M being the number of elements in the resulting sorted set.
                """,
            summary: "Returns the intersect of multiple sorted sets.", run: intersect),
        Command(
            "ZINTERSTORE",
            "destination:key numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE (SUM | MIN | MAX)]",
            arity: -4, [.write, .denyOOM], keys: [.key([.overwrite, .update]), .counted(at: 2, [.readOnly, .access])],
            in: .sortedSet, since: "2.0.0",
            complexity: """
                O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of \
                input sorted sets and M being the number of elements in the resulting sorted set.
                """,
            summary: "Stores the intersect of multiple sorted sets in a key.", run: intersectStore),
        Command(
            "ZINTERCARD", "numkeys:integer key... [LIMIT limit:integer]", arity: -3, [.readonly],
            keys: [.counted(at: 1, [.readOnly, .access])], in: .sortedSet, since: "7.0.0",
            complexity: """
                O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted \
                sets.
                """,
            summary: "Returns the number of members of the intersect of multiple sorted sets.", run: intersectCount),
        Command(
            "ZDIFF", "numkeys:integer key... [WITHSCORES]", arity: -3, [.readonly],
            keys: [.counted(at: 1, [.readOnly, .access])], in: .sortedSet, since: "6.2.0",
            complexity: """
                O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the \
                size of the first set, and K is the size of the result set.
                """,
            summary: "Returns the difference between multiple sorted sets.", run: subtract),
        Command(
            "ZDIFFSTORE", "destination:key numkeys:integer key...", arity: -4, [.write, .denyOOM],
            keys: [.key([.overwrite, .update]), .counted(at: 2, [.readOnly, .access])], in: .sortedSet,
            since: "6.2.0",
            complexity: """
                O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the \
                size of the first set, and K is the size of the result set.
                """,
            summary: "Stores the difference of multiple sorted sets in a key.", run: subtractStore),
    ]

    private static let union: Command.Handler = { (call: inout Call) throws(CommandError) in
        let request = try CombineRequest(call, keyCountAt: 1, .read)
        var tally = ScoreTally()
        request.union(into: &tally)
        answer(&call, tally, withScores: request.withScores)
    }

    private static let unionStore: Command.Handler = { (call: inout Call) throws(CommandError) in
        let request = try CombineRequest(call, keyCountAt: 2, .store)
        var tally = ScoreTally()
        request.union(into: &tally)
        call.storeResult(1, tally.makeSet(call.sortedSetLimits), event: "zunionstore")
    }

    private static let intersect: Command.Handler = { (call: inout Call) throws(CommandError) in
        let request = try CombineRequest(call, keyCountAt: 1, .read)
        var tally = ScoreTally()
        request.intersect(into: &tally)
        answer(&call, tally, withScores: request.withScores)
    }

    private static let intersectStore: Command.Handler = { (call: inout Call) throws(CommandError) in
        let request = try CombineRequest(call, keyCountAt: 2, .store)
        var tally = ScoreTally()
        request.intersect(into: &tally)
        call.storeResult(1, tally.makeSet(call.sortedSetLimits), event: "zinterstore")
    }

    private static let intersectCount: Command.Handler = { (call: inout Call) throws(CommandError) in
        let request = try CombineRequest(call, keyCountAt: 1, .count)
        call.reply.integer(request.intersectCount())
    }

    private static let subtract: Command.Handler = { (call: inout Call) throws(CommandError) in
        let request = try CombineRequest(call, keyCountAt: 1, .readDifference)
        let reply = call.reply
        let mark = reply.buffer.count
        var count = 0
        request.subtract { member, score in
            reply.scored(member, score, withScores: request.withScores)
            count += 1
        }
        let isFlat = request.withScores && reply.protocolVersion < 3
        reply.insertHeader(UInt8(ascii: "*"), isFlat ? count * 2 : count, at: mark)
    }

    private static let subtractStore: Command.Handler = { (call: inout Call) throws(CommandError) in
        let request = try CombineRequest(call, keyCountAt: 2, .storeDifference)
        var tally = ScoreTally()
        request.subtract { member, score in
            member.withText { text in tally.add(text, score: score) { $0 } }
        }
        call.storeResult(1, tally.makeSet(call.sortedSetLimits), event: "zdiffstore")
    }

    private static func answer(_ call: inout Call, _ tally: borrowing ScoreTally, withScores: Bool) {
        let reply = call.reply
        reply.scoredArray(tally.count, withScores: withScores)
        tally.forEachInOrder { member, score in reply.scored(.bytes(member), score, withScores: withScores) }
    }
}

/// One input of a combination.
private struct CombineInput {
    /// Nil where there is no such key.
    let entry: Entry?
    var weight = 1.0

    private var isPlain: Bool { entry?.objectType == .set }

    var count: Int {
        guard let entry else { return 0 }
        return isPlain ? entry.memberCount : entry.sortedSet.count
    }

    func score(of member: Span<UInt8>) -> Double? {
        guard let entry else { return nil }
        if isPlain { return entry.hasMember(member) ? 1 : nil }
        return entry.sortedSet.score(of: member)
    }

    func forEach(_ body: (ListpackElement, Double) -> Void) {
        guard let entry else { return }
        if isPlain { return entry.forEachMember { body($0, 1) } }
        let set = entry.sortedSet
        set.forEach(in: set.whole, body)
    }
}

/// What such a command asks for: inputs with their weights, and how scores meet.
private struct CombineRequest {
    enum Purpose {
        case read
        case store
        case count
        case readDifference
        case storeDifference

        var weighs: Bool { self == .read || self == .store }
        var mayShowScores: Bool { self == .read || self == .readDifference }
    }

    private enum Aggregate {
        case sum
        case minimum
        case maximum
    }

    private var inputs: [CombineInput] = []
    private var aggregate = Aggregate.sum
    private(set) var withScores = false
    /// Members to count at most, 0 for all.
    private var limit = 0

    init(_ call: borrowing Call, keyCountAt index: Int, _ purpose: Purpose) throws(CommandError) {
        let keyCount = try call.integer(index)
        guard keyCount >= 1 else {
            call.reply.error("ERR at least 1 input key is needed for '\(call.arguments[0].text.lowercased())' command")
            throw .written
        }
        guard keyCount < call.arguments.count - index else { throw .syntax }
        // Keys that have expired go first, so that none goes while the others' entries are looked at.
        for keyIndex in (index + 1)...(index + keyCount) { _ = call.look(keyIndex) }
        for keyIndex in (index + 1)...(index + keyCount) {
            let entry = call.read(keyIndex)
            if let entry, entry.objectType != .sortedSet && entry.objectType != .set { throw .wrongType }
            inputs.append(CombineInput(entry: entry))
        }
        try readOptions(call, from: index + keyCount + 1, purpose)
        // Smallest first: fewest look-ups, and the order in which stock servers add scores up.
        if purpose != .readDifference && purpose != .storeDifference {
            inputs.sort { $0.count < $1.count }
        }
    }

    private mutating func readOptions(
        _ call: borrowing Call, from start: Int, _ purpose: Purpose
    ) throws(CommandError) {
        var options = call.options(from: start)
        while !options.isAtEnd {
            if purpose.weighs, options.take("WEIGHTS", values: inputs.count) {
                for index in inputs.indices {
                    guard let weight = DoubleText.parse(try options.next()) else {
                        throw .message("ERR weight value is not a float")
                    }
                    inputs[index].weight = weight
                }
            } else if purpose.weighs, options.take("AGGREGATE", values: 1) {
                if options.take("SUM") {
                    aggregate = .sum
                } else if options.take("MIN") {
                    aggregate = .minimum
                } else if options.take("MAX") {
                    aggregate = .maximum
                } else {
                    throw .syntax
                }
            } else if purpose.mayShowScores, options.take("WITHSCORES") {
                withScores = true
            } else if purpose == .count, options.take("LIMIT", values: 1) {
                guard let limit = IntegerText.parse(try options.next()), limit >= 0 else {
                    throw .message("ERR LIMIT can't be negative")
                }
                self.limit = Int(limit)
            } else {
                throw .syntax
            }
        }
    }

    // MARK: scores

    /// A weighted score; infinity times zero is zero.
    private func weighted(_ score: Double, _ weight: Double) -> Double {
        let product = score * weight
        return product.isNaN ? 0 : product
    }

    /// What two scores of one member make; opposite infinities make zero. The second may be no number, for which the
    /// comparisons of the stock servers keep the first.
    private func combined(_ first: Double, _ second: Double) -> Double {
        switch aggregate {
        case .sum:
            let sum = first + second
            return sum.isNaN ? 0 : sum
        case .minimum: return second < first ? second : first
        case .maximum: return second > first ? second : first
        }
    }

    // MARK: combinations

    func union(into tally: inout ScoreTally) {
        for input in inputs {
            input.forEach { member, score in
                let score = weighted(score, input.weight)
                member.withText { text in tally.add(text, score: score) { combined($0, score) } }
            }
        }
    }

    func intersect(into tally: inout ScoreTally) {
        inputs[0].forEach { member, first in
            member.withText { text in
                var score = weighted(first, inputs[0].weight)
                for index in 1..<max(inputs.count, 1) {
                    guard let other = inputs[index].score(of: text) else { return }
                    score = combined(score, other * inputs[index].weight)
                }
                tally.add(text, score: score) { $0 }
            }
        }
    }

    func intersectCount() -> Int {
        var count = 0
        inputs[0].forEach { member, _ in
            if limit > 0 && count >= limit { return }
            let isCommon = member.withText { text in
                for index in 1..<max(inputs.count, 1) where inputs[index].score(of: text) == nil { return false }
                return true
            }
            if isCommon { count += 1 }
        }
        return count
    }

    /// Calls `body` with the members of the first input that are in no other, in their order.
    func subtract(_ body: (ListpackElement, Double) -> Void) {
        inputs[0].forEach { member, score in
            let isElsewhere = member.withText { text in
                for index in 1..<max(inputs.count, 1) where inputs[index].score(of: text) != nil { return true }
                return false
            }
            if !isElsewhere { body(member, score) }
        }
    }
}
