// SortedSetPop.swift - ZPOPMIN, ZPOPMAX, ZMPOP: the members at either end, answered and removed. A set that goes as a
// whole is freed as one piece.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

/// An end of a sorted set.
enum SortedSetEnd {
    case minimum
    case maximum

    /// MIN or MAX in any case; anything else is a syntax error.
    init(_ word: Span<UInt8>) throws(CommandError) {
        if word.equalsIgnoringCase("MIN") {
            self = .minimum
        } else if word.equalsIgnoringCase("MAX") {
            self = .maximum
        } else {
            throw .syntax
        }
    }

    var isReversed: Bool { self == .maximum }
    var popEvent: StaticString { self == .minimum ? "zpopmin" : "zpopmax" }

    /// The `limit` members at this end, or fewer where there are not so many.
    func stretch(of set: borrowing SortedSetView, limit: Int) -> SortedStretch {
        let count = min(limit, set.count)
        return set.stretch(self == .minimum ? 0..<count : (set.count - count)..<set.count)
    }
}

enum SortedSetPop {
    static let commands: [Command] = [
        Command(
            "ZPOPMIN", "key [count:integer]", arity: -2, [.write, .fast],
            keys: [.key([.readWrite, .access, .delete])], in: .sortedSet, since: "5.0.0",
            complexity: """
                O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of \
                elements popped.
                """,
            summary: """
                Returns the lowest-scoring members from a sorted set after removing them. Deletes the sorted set \
                if the last member was popped.
                """,
            run: popMinimum),
        Command(
            "ZPOPMAX", "key [count:integer]", arity: -2, [.write, .fast],
            keys: [.key([.readWrite, .access, .delete])], in: .sortedSet, since: "5.0.0",
            complexity: """
                O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of \
                elements popped.
                """,
            summary: """
                Returns the highest-scoring members from a sorted set after removing them. Deletes the sorted set \
                if the last member was popped.
                """,
            run: popMaximum),
        Command(
            "ZMPOP", "numkeys:integer key... where=(MIN | MAX) [COUNT count:integer]", arity: -4, [.write],
            keys: [.counted(at: 1, [.readWrite, .access, .delete])], in: .sortedSet, since: "7.0.0",
            complexity: """
                O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the \
                sorted set, and M being the number of elements popped.
                """,
            summary: """
                Returns the highest- or lowest-scoring members from one or more sorted sets after removing them. \
                Deletes the sorted set if the last member was popped.
                """,
            run: popFromFirst),
    ]

    private static let popMinimum: Command.Handler = { (call: inout Call) throws(CommandError) in
        try pop(&call, .minimum)
    }

    private static let popMaximum: Command.Handler = { (call: inout Call) throws(CommandError) in
        try pop(&call, .maximum)
    }

    private static func pop(_ call: inout Call, _ end: SortedSetEnd) throws(CommandError) {
        if call.arguments.count > 3 { throw .syntax }
        let isCounted = call.arguments.count == 3
        var limit = 1
        if isCounted {
            guard let count = IntegerText.parse(call.arguments[2]), count >= 0 else { throw .negativeValue }
            limit = Int(count)
        }
        guard let slot = try call.find(1, .sortedSet), limit > 0 else { return call.reply.array(0) }
        guard isCounted else {
            call.reply.array(2)
            return call.popMember(1, slot, end)
        }
        let set = slot.entry.sortedSet
        let stretch = end.stretch(of: set, limit: limit)
        call.reply.members(of: set, in: stretch, isReversed: end.isReversed, withScores: true)
        call.removeRanks(1, slot, stretch.ranks, event: end.popEvent)
    }

    private static let popFromFirst: Command.Handler = { (call: inout Call) throws(CommandError) in
        let request = try ManyPop(call, keyCountAt: 1)
        if try !call.popFromFirst(request) { call.reply.nullArray() }
    }
}

/// What ZMPOP and BZMPOP ask for: keys, an end, and how many members at most.
struct ManyPop {
    let keys: Range<Int>
    let end: SortedSetEnd
    let limit: Int

    /// Reads `numkeys key... MIN|MAX [COUNT count]` from argument `index` on.
    init(_ call: borrowing Call, keyCountAt index: Int) throws(CommandError) {
        guard let keyCount = IntegerText.parse(call.arguments[index]), keyCount > 0 else {
            throw .message("ERR numkeys should be greater than 0")
        }
        guard keyCount < call.arguments.count - index - 1 else { throw .syntax }
        keys = (index + 1)..<(index + 1 + Int(keyCount))
        end = try SortedSetEnd(call.arguments[keys.upperBound])
        var options = call.options(from: keys.upperBound + 1)
        var limit: Int?
        while !options.isAtEnd {
            guard limit == nil, options.take("COUNT", values: 1) else { throw .syntax }
            guard let count = IntegerText.parse(try options.next()), count > 0 else {
                throw .message("ERR count should be greater than 0")
            }
            limit = Int(count)
        }
        self.limit = limit ?? 1
    }
}

extension Call {
    /// Answers the member at an end of the set at argument `index` and its score, and takes it out.
    func popMember(_ index: Int, _ slot: EntryTable.Slot, _ end: SortedSetEnd) {
        let set = slot.entry.sortedSet
        let stretch = end.stretch(of: set, limit: 1)
        set.forEach(in: stretch) { member, score in
            reply.bulk(member)
            reply.double(score)
        }
        removeRanks(index, slot, stretch.ranks, event: end.popEvent)
    }

    /// Answers the first key that has members, and takes those asked for out of it; false when no key has any. Whoever
    /// repeats the command must not choose again.
    func popFromFirst(_ request: ManyPop) throws(CommandError) -> Bool {
        for index in request.keys {
            guard let slot = try find(index, .sortedSet) else { continue }
            let set = slot.entry.sortedSet
            let stretch = request.end.stretch(of: set, limit: request.limit)
            reply.array(2)
            reply.bulk(arguments[index])
            reply.pairs(of: set, in: stretch, isReversed: request.end.isReversed)
            removeRanks(index, slot, stretch.ranks, event: request.end.popEvent)
            propagate(
                request.end == .minimum ? "ZPOPMIN" : "ZPOPMAX", arguments[index], decimal: Int64(stretch.count))
            return true
        }
        return false
    }
}
