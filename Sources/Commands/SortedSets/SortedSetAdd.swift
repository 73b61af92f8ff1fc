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
        try add(&call, SortedSetAddOptions())
    }

    private static let increment: Command.Handler = { (call: inout Call) throws(CommandError) in
        try add(&call, SortedSetAddOptions(increments: true))
    }

    private static func add(_ call: inout Call, _ given: SortedSetAddOptions) throws(CommandError) {
        var options = given
        var first = 2
        while first < call.arguments.count, options.take(call.arguments[first]) { first += 1 }
        let wordCount = call.arguments.count - first
        guard wordCount > 0, wordCount & 1 == 0 else { throw .syntax }
        try options.check(pairCount: wordCount / 2)
        for index in stride(from: first, to: call.arguments.count, by: 2) { _ = try call.double(index) }
        try call.addMembers(SortedSetPairs(first: first, form: .scores), options)
    }
}

/// The words in front of the pairs of ZADD and GEOADD.
struct SortedSetAddOptions {
    private(set) var onlyNew = false
    private(set) var onlyExisting = false
    private(set) var onlyGreater = false
    private(set) var onlyLess = false
    private(set) var countsChanges = false
    private(set) var increments = false

    init(increments: Bool = false) { self.increments = increments }

    /// Takes `word` when it is an option of ZADD.
    mutating func take(_ word: Span<UInt8>) -> Bool {
        // Scores are what mostly stands here.
        guard let first = word.firstByte, first | 0x20 >= UInt8(ascii: "a") else { return false }
        if takeForPositions(word) { return true }
        if word.equalsIgnoringCase("INCR") {
            increments = true
        } else if word.equalsIgnoringCase("GT") {
            onlyGreater = true
        } else if word.equalsIgnoringCase("LT") {
            onlyLess = true
        } else {
            return false
        }
        return true
    }

    /// Takes `word` when it is an option of GEOADD.
    mutating func takeForPositions(_ word: Span<UInt8>) -> Bool {
        if word.equalsIgnoringCase("NX") {
            onlyNew = true
        } else if word.equalsIgnoringCase("XX") {
            onlyExisting = true
        } else if word.equalsIgnoringCase("CH") {
            countsChanges = true
        } else {
            return false
        }
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

/// Where scores and members stand among the arguments, every one of them read before.
struct SortedSetPairs {
    enum Form {
        /// score member
        case scores
        /// longitude latitude member
        case positions

        var wordCount: Int { self == .scores ? 2 : 3 }
    }

    let first: Int
    let form: Form

    func count(_ arguments: Arguments) -> Int { (arguments.count - first) / form.wordCount }

    @_lifetime(copy arguments)
    func member(_ index: Int, _ arguments: Arguments) -> Span<UInt8> {
        arguments[first + (index + 1) * form.wordCount - 1]
    }

    @inline(__always)
    func score(_ index: Int, _ arguments: Arguments) -> Double {
        let start = first + index * form.wordCount
        guard let value = DoubleText.parse(arguments[start]) else { preconditionFailure("a number was read before") }
        if form == .scores { return value }
        guard let latitude = DoubleText.parse(arguments[start + 1]) else {
            preconditionFailure("a number was read before")
        }
        return Geohash.score(of: GeoPoint(longitude: value, latitude: latitude))
    }
}

/// What came of the pairs.
private struct SortedSetOutcome {
    var added = 0
    var updated = 0
    /// The score that the last pair led to, changed or not; nil when an option left it out.
    var score: Double?
    var isNaN = false
}

extension Call {
    /// Adds the pairs to the set at argument 1, which is made when it is not there, and answers as ZADD does. True when
    /// anything changed.
    @discardableResult
    func addMembers(_ pairs: SortedSetPairs, _ options: SortedSetAddOptions) throws(CommandError) -> Bool {
        let outcome: SortedSetOutcome
        if let slot = try find(1, .sortedSet) {
            outcome = change(slot, pairs, options)
            if outcome.isNaN { throw .scoreNotNumber }
        } else {
            outcome = options.onlyExisting ? SortedSetOutcome() : make(pairs, options)
        }
        let isChanged = outcome.added + outcome.updated > 0
        if isChanged { changed(options.increments ? "zincr" : "zadd", .sortedSet, key: arguments[1]) }
        if !options.increments {
            reply.integer(options.countsChanges ? outcome.added + outcome.updated : outcome.added)
        } else if let score = outcome.score {
            reply.double(score)
        } else {
            reply.null()
        }
        return isChanged
    }

    /// Changes the set that is there.
    private func change(
        _ slot: EntryTable.Slot, _ pairs: SortedSetPairs, _ options: SortedSetAddOptions
    ) -> SortedSetOutcome {
        var outcome = SortedSetOutcome()
        let arguments = arguments
        let count = pairs.count(arguments)
        updateSortedSet(1, slot) { draft in
            draft.expect(count)
            for index in 0..<count {
                draft.apply(
                    pairs.score(index, arguments), pairs.member(index, arguments), options, &outcome)
            }
        }
        return outcome
    }

    /// Makes a set for the pairs.
    private func make(_ pairs: SortedSetPairs, _ options: SortedSetAddOptions) -> SortedSetOutcome {
        var outcome = SortedSetOutcome()
        let count = pairs.count(arguments)
        var longest = 0
        for index in 0..<count { longest = max(longest, pairs.member(index, arguments).count) }
        var draft = SortedSetDraft(
            sortedSetLimits, expectedCount: count, expectedMemberByteCount: longest)
        for index in 0..<count {
            draft.apply(pairs.score(index, arguments), pairs.member(index, arguments), options, &outcome)
        }
        keyspace.setSortedSet(
            arguments[1], hash: hash(1), in: session.database, slot: nil, draft: draft, expiry: nil)
        return outcome
    }
}

extension SortedSetDraft {
    @inline(__always)
    fileprivate mutating func apply(
        _ given: Double, _ member: Span<UInt8>, _ options: SortedSetAddOptions, _ outcome: inout SortedSetOutcome
    ) {
        outcome.score = nil
        let place = place(of: member)
        guard let old = place.score else {
            if options.onlyExisting { return }
            insert(member, score: given, at: place)
            outcome.added += 1
            outcome.score = given
            return
        }
        if options.onlyNew { return }
        let score = options.increments ? given + old : given
        if score.isNaN {
            outcome.isNaN = true
            return
        }
        if (options.onlyLess && score >= old) || (options.onlyGreater && score <= old) { return }
        outcome.score = score
        guard score != old else { return }
        setScore(score, of: member, at: place)
        outcome.updated += 1
    }
}
