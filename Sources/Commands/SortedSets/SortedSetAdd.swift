// SortedSetAdd.swift - ZADD, ZINCRBY: members and their scores. Every score is read before anything changes.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SortedSetAdd {
    static let commands: [Command] = [
        Command(
            "ZADD",
            """
                key [condition=(NX | XX)@3.0.2] [comparison=(GT | LT)@6.2.0] [change=CH@3.0.2] \
                [increment=INCR@3.0.2] data=(score:double member)...
                """,
            arity: -4, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .update])], in: .sortedSet, since: "1.2.0",
            complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
            summary: """
                Adds one or more members to a sorted set, or updates their scores. Creates the key if it doesn't \
                exist.
                """,
            history: [
                ("2.4.0", "Accepts multiple elements."),
                ("3.0.2", "Added the `XX`, `NX`, `CH` and `INCR` options."),
                ("6.2.0", "Added the `GT` and `LT` options."),
            ],
            run: add),
        Command(
            "ZINCRBY", "key increment:integer member", arity: 4, [.write, .denyOOM, .fast],
            keys: [.key([.readWrite, .access, .update])], in: .sortedSet, since: "1.2.0",
            complexity: "O(log(N)) where N is the number of elements in the sorted set.",
            summary: "Increments the score of a member in a sorted set.", run: increment),
    ]

    private static let add: Command.Handler = { (call: inout Call) throws(CommandError) in
        try add(&call, Options())
    }

    private static let increment: Command.Handler = { (call: inout Call) throws(CommandError) in
        try add(&call, Options(increments: true))
    }

    private struct Options {
        var onlyNew = false
        var onlyExisting = false
        var onlyGreater = false
        var onlyLess = false
        var countsChanges = false
        var increments = false

        /// Takes `word` when it is an option.
        mutating func take(_ word: Span<UInt8>) -> Bool {
            // Scores are what mostly stands here.
            guard let first = word.firstByte, first | 0x20 >= UInt8(ascii: "a") else { return false }
            if word.equalsIgnoringCase("NX") { onlyNew = true } else
            if word.equalsIgnoringCase("XX") { onlyExisting = true } else
            if word.equalsIgnoringCase("CH") { countsChanges = true } else
            if word.equalsIgnoringCase("INCR") { increments = true } else
            if word.equalsIgnoringCase("GT") { onlyGreater = true } else
            if word.equalsIgnoringCase("LT") { onlyLess = true } else { return false }
            return true
        }

        func check(pairCount: Int) throws(CommandError) {
            if onlyNew && onlyExisting {
                throw .message("ERR XX and NX options at the same time are not compatible")
            }
            if (onlyGreater && onlyNew) || (onlyLess && onlyNew) || (onlyGreater && onlyLess) {
                throw .message("ERR GT, LT, and/or NX options at the same time are not compatible")
            }
            if increments && pairCount > 1 {
                throw .message("ERR INCR option supports a single increment-element pair")
            }
        }
    }

    /// What came of the pairs.
    private struct Outcome {
        var added = 0
        var updated = 0
        /// The score that the last pair led to, changed or not; nil when an option left it out.
        var score: Double?
        var isNaN = false
    }

    private static func add(_ call: inout Call, _ given: Options) throws(CommandError) {
        var options = given
        var first = 2
        while first < call.arguments.count, options.take(call.arguments[first]) { first += 1 }
        let wordCount = call.arguments.count - first
        guard wordCount > 0, wordCount & 1 == 0 else { throw .syntax }
        try options.check(pairCount: wordCount / 2)
        var longest = 0
        for index in stride(from: first, to: call.arguments.count, by: 2) {
            _ = try call.double(index)
            longest = max(longest, call.arguments[index + 1].count)
        }
        let outcome: Outcome
        if let slot = try call.find(1, .sortedSet) {
            outcome = change(call, slot, from: first, options)
            if outcome.isNaN { throw .scoreNotNumber }
        } else {
            outcome = options.onlyExisting ? Outcome() : make(call, from: first, longest: longest, options)
        }
        if outcome.added + outcome.updated > 0 {
            call.changed(options.increments ? "zincr" : "zadd", .sortedSet, key: call.arguments[1])
        }
        if !options.increments {
            return call.reply.integer(options.countsChanges ? outcome.added + outcome.updated : outcome.added)
        }
        if let score = outcome.score { call.reply.double(score) } else { call.reply.null() }
    }

    /// Changes the set that is there.
    private static func change(
        _ call: borrowing Call, _ slot: EntryTable.Slot, from first: Int, _ options: Options
    ) -> Outcome {
        var outcome = Outcome()
        let arguments = call.arguments
        call.updateSortedSet(1, slot) { draft in
            draft.expect((arguments.count - first) / 2)
            for index in stride(from: first, to: arguments.count, by: 2) {
                apply(arguments[index], arguments[index + 1], options, to: &draft, &outcome)
            }
        }
        return outcome
    }

    /// Makes a set for the pairs.
    private static func make(
        _ call: borrowing Call, from first: Int, longest: Int, _ options: Options
    ) -> Outcome {
        var outcome = Outcome()
        let arguments = call.arguments
        var draft = SortedSetDraft(
            call.sortedSetLimits, expectedCount: (arguments.count - first) / 2, expectedMemberByteCount: longest)
        for index in stride(from: first, to: arguments.count, by: 2) {
            apply(arguments[index], arguments[index + 1], options, to: &draft, &outcome)
        }
        call.storeSortedSet(1, draft)
        return outcome
    }

    @inline(__always)
    private static func apply(
        _ text: Span<UInt8>, _ member: Span<UInt8>, _ options: Options, to draft: inout SortedSetDraft,
        _ outcome: inout Outcome
    ) {
        guard var score = DoubleText.parse(text) else { preconditionFailure("a score was read before") }
        outcome.score = nil
        let place = draft.place(of: member)
        guard let old = place.score else {
            if options.onlyExisting { return }
            draft.insert(member, score: score, at: place)
            outcome.added += 1
            outcome.score = score
            return
        }
        if options.onlyNew { return }
        if options.increments {
            score += old
            if score.isNaN {
                outcome.isNaN = true
                return
            }
        }
        if (options.onlyLess && score >= old) || (options.onlyGreater && score <= old) { return }
        outcome.score = score
        guard score != old else { return }
        draft.setScore(score, of: member, at: place)
        outcome.updated += 1
    }
}
