// SortedSetModelTests.swift - sorted sets in both forms against a sorted Swift array: random additions, score changes
// and removals through a draft, every question asked through the view afterwards, and the small form turning into the
// large one on the way.
import Base
import Testing
@testable import Structures

/// The same members twice: in the draft under test and in a plain sorted array.
private final class SortedSetFixture {
    struct Row: Equatable {
        var score: Double
        var member: [UInt8]
    }

    var draft: SortedSetDraft
    var rows: [Row] = []

    init(countMax: Int) {
        draft = SortedSetDraft(SortedSetLimits(countMax: countMax, memberByteCountMax: 64))
    }

    func set(_ member: [UInt8], _ score: Double) {
        draft.set(member.span, score: score)
        if let index = rows.firstIndex(where: { $0.member == member }) {
            // Equal scores are left alone, minus zero and zero among them.
            if rows[index].score == score { return }
            rows.remove(at: index)
        }
        let row = Row(score: score, member: member)
        rows.insert(row, at: rows.firstIndex { SortedSetFixture.precedes(row, $0) } ?? rows.count)
    }

    func remove(_ member: [UInt8]) {
        let place = draft.place(of: member.span)
        let index = rows.firstIndex { $0.member == member }
        verify((place.score == nil) == (index == nil), "a member is there or not")
        guard let index else { return }
        draft.remove(at: place)
        rows.remove(at: index)
    }

    static func precedes(_ left: Row, _ right: Row) -> Bool {
        left.score != right.score ? left.score < right.score : left.member.lexicographicallyPrecedes(right.member)
    }
}

struct SortedSetModelTests {
    private static func member(_ dice: inout SeededRandom) -> [UInt8] {
        switch dice.below(4) {
        case 0: Array(String(dice.below(300)).utf8)
        case 1: dice.bytes(count: dice.below(5), alphabet: 97...101)
        case 2: dice.bytes(count: dice.below(70))
        default: Array("member:\(dice.below(60))".utf8)
        }
    }

    private static func score(_ dice: inout SeededRandom) -> Double {
        switch dice.below(6) {
        case 0: Double(dice.below(5))
        case 1: Double(dice.integer())
        case 2: Double(dice.below(1000)) / 7
        case 3:
            [-Double.infinity, .infinity, .leastNonzeroMagnitude, -.greatestFiniteMagnitude, 0.1, -2.5][dice.below(6)]
        case 4: Double(dice.below(100_000)) - 50_000
        default: 0
        }
    }

    @Test(arguments: SeededRandom.seeds(1, 2, 3), [0, 20, 128, 100_000])
    func matchesSortedArray(seed: UInt64, countMax: Int) {
        var dice = SeededRandom(seed: seed)
        let fixture = SortedSetFixture(countMax: countMax)
        for step in 0..<1200 {
            if dice.chance(70) || fixture.rows.isEmpty {
                fixture.set(SortedSetModelTests.member(&dice), SortedSetModelTests.score(&dice))
            } else if dice.chance(20) {
                let low = dice.below(fixture.rows.count)
                let ranks = low..<(low + dice.below(min(8, fixture.rows.count - low) + 1))
                fixture.draft.removeRanks(ranks)
                fixture.rows.removeSubrange(ranks)
            } else if dice.chance(80) {
                fixture.remove(fixture.rows[dice.below(fixture.rows.count)].member)
            } else {
                fixture.remove(SortedSetModelTests.member(&dice))
            }
            if step % 60 == 59 { check(fixture, &dice) }
        }
        if countMax == 0 || fixture.rows.count > countMax {
            verify(fixture.draft.isLarge, "seed \(seed): the limit was passed")
        }
    }

    private func check(_ fixture: SortedSetFixture, _ dice: inout SeededRandom) {
        let limits = SortedSetLimits(countMax: 0, memberByteCountMax: 0)
        if fixture.draft.isLarge {
            // The draft's content is taken out for the questions and put back.
            var taken = SortedSetDraft(limits)
            swap(&taken, &fixture.draft)
            let set = taken.takeLarge()
            verify(set.structuralFault() == nil, "seed \(dice.seed): \(set.structuralFault() ?? "")")
            let copy = set.duplicate()
            verify(copy.structuralFault() == nil, "seed \(dice.seed): the copy is sound")
            unsafe withUnsafePointer(to: copy) { address in
                ask(unsafe SortedSetView(large: address), fixture.rows, &dice)
            }
            fixture.draft = SortedSetDraft(large: set, limits)
        } else {
            var taken = SortedSetDraft(limits)
            swap(&taken, &fixture.draft)
            let pairs = taken.takePairs()
            ask(pairs, fixture.rows, &dice)
            fixture.draft = SortedSetDraft(
                pairs: pairs, SortedSetLimits(countMax: 128, memberByteCountMax: 64))
        }
    }

    private func ask(_ pairs: borrowing Listpack, _ rows: [SortedSetFixture.Row], _ dice: inout SeededRandom) {
        let isSound = Listpack.validate(pairs.span)
        verify(isSound, "seed \(dice.seed): the pairs are a listpack")
        ask(SortedSetView(pairs: pairs.view), rows, &dice)
    }

    private func ask(
        _ set: borrowing SortedSetView, _ rows: [SortedSetFixture.Row], _ dice: inout SeededRandom
    ) {
        let seed = dice.seed
        verify(set.count == rows.count, "seed \(seed): count")
        verify(collect(set, set.whole, false) == rows, "seed \(seed): order")
        verify(collect(set, set.whole, true) == rows.reversed(), "seed \(seed): order from the end")
        for _ in 0..<6 {
            let wanted = dice.chance(60) && !rows.isEmpty
                ? rows[dice.below(rows.count)].member : SortedSetModelTests.member(&dice)
            let rank = rows.firstIndex { $0.member == wanted }
            let found = set.rank(of: wanted.span)
            verify(found?.rank == rank, "seed \(seed): rank")
            verify(set.score(of: wanted.span) == rank.map { rows[$0].score }, "seed \(seed): score")
        }
        for _ in 0..<6 {
            let low = ScoreBound(SortedSetModelTests.score(&dice), isExclusive: dice.chance(50))
            let high = ScoreBound(SortedSetModelTests.score(&dice), isExclusive: dice.chance(50))
            let expected = rows.filter { low.admitsAsMinimum($0.score) && high.admitsAsMaximum($0.score) }
            let stretch = set.stretch(from: low, to: high)
            verify(collect(set, stretch, false) == expected, "seed \(seed): scores \(low) to \(high)")
            let offset = dice.below(4) - 1
            let limit = dice.below(6) - 1
            let limited = stretch.limited(offset: offset, limit: limit, isReversed: true)
            let left = offset < 0 ? [] : Array(expected.reversed().dropFirst(offset).prefix(limit < 0 ? .max : limit))
            verify(collect(set, limited, true) == left, "seed \(seed): limited \(offset) \(limit)")
            verify(collect(set, limited, false) == left.reversed(), "seed \(seed): limited \(offset) \(limit)")
        }
        askAtRandom(set, rows, &dice)
    }

    private func askAtRandom(
        _ set: borrowing SortedSetView, _ rows: [SortedSetFixture.Row], _ dice: inout SeededRandom
    ) {
        if rows.isEmpty { return }
        let seed = dice.seed
        var random = RandomGenerator(seed: dice.next())
        let wanted = dice.below(rows.count + 3)
        var seen: [[UInt8]] = []
        set.forEachDistinctRandom(wanted, below: { random.below($0) }) { member, _ in
            member.withText { seen.append($0.array) }
        }
        verify(seen.count == min(wanted, rows.count), "seed \(seed): \(wanted) different ones")
        verify(Set(seen).count == seen.count, "seed \(seed): none twice")
        var picks = 0
        set.forEachRandom(wanted, below: { random.below($0) }) { member, score in
            picks += 1
            let row = member.withText { SortedSetFixture.Row(score: score, member: $0.array) }
            verify(rows.contains(row), "seed \(seed): a pick is a member")
        }
        verify(picks == wanted, "seed \(seed): as many picks as asked for")
        if !set.isLarge { return }
        var scanned: Set<[UInt8]> = []
        set.withTable { members in
            var cursor: UInt64 = 0
            repeat { cursor = members.scan(cursor: cursor) { scanned.insert($0.key.array) } } while cursor != 0
        }
        verify(scanned == Set(rows.map(\.member)), "seed \(seed): a scan sees all")
    }

    private func collect(
        _ set: borrowing SortedSetView, _ stretch: SortedStretch, _ isReversed: Bool
    ) -> [SortedSetFixture.Row] {
        var rows: [SortedSetFixture.Row] = []
        set.forEach(in: stretch, isReversed: isReversed) { member, score in
            member.withText { rows.append(SortedSetFixture.Row(score: score, member: $0.array)) }
        }
        return rows
    }

    /// Ranges by member mean something where all scores are equal.
    @Test(arguments: SeededRandom.seeds(4, 5), [0, 1000])
    func findsMembersBetween(seed: UInt64, countMax: Int) {
        var dice = SeededRandom(seed: seed)
        let fixture = SortedSetFixture(countMax: countMax)
        for _ in 0..<200 { fixture.set(SortedSetModelTests.member(&dice), 7) }
        var taken = SortedSetDraft(SortedSetLimits(countMax: 0, memberByteCountMax: 0))
        swap(&taken, &fixture.draft)
        if taken.isLarge {
            let set = taken.takeLarge()
            unsafe withUnsafePointer(to: set) { address in
                askBetween(unsafe SortedSetView(large: address), fixture.rows, &dice)
            }
        } else {
            let pairs = taken.takePairs()
            askBetween(SortedSetView(pairs: pairs.view), fixture.rows, &dice)
        }
    }

    private func askBetween(
        _ set: borrowing SortedSetView, _ rows: [SortedSetFixture.Row], _ dice: inout SeededRandom
    ) {
        for _ in 0..<200 {
            let first = bound(&dice, "-")
            let second = bound(&dice, "+")
            guard let low = LexBound(parsing: first.span), let high = LexBound(parsing: second.span) else { return }
            let expected = rows.filter { row in
                low.admitsAsMinimum(row.member.span) && high.admitsAsMaximum(row.member.span)
            }
            let stretch = set.stretch(from: low, to: high)
            verify(collect(set, stretch, false) == expected, "seed \(dice.seed): \(first) to \(second)")
        }
    }

    private func bound(_ dice: inout SeededRandom, _ end: String) -> [UInt8] {
        if dice.chance(15) { return Array(end.utf8) }
        return Array((dice.chance(50) ? "[" : "(").utf8) + SortedSetModelTests.member(&dice)
    }

    /// A tally adds up as a dictionary does, and makes a set in order, small or large as the limits say.
    @Test(arguments: SeededRandom.seeds(6), [0, 1000])
    func tallies(seed: UInt64, countMax: Int) {
        var dice = SeededRandom(seed: seed)
        var tally = ScoreTally()
        var model: [[UInt8]: Double] = [:]
        for _ in 0..<500 {
            let member = SortedSetModelTests.member(&dice)
            let score = Double(dice.below(40))
            tally.add(member.span, score: score) { $0 + score }
            model[member, default: 0] += score
        }
        let rows = model.map { SortedSetFixture.Row(score: $0.value, member: $0.key) }
            .sorted(by: SortedSetFixture.precedes)
        var seen: [SortedSetFixture.Row] = []
        tally.forEachInOrder { seen.append(SortedSetFixture.Row(score: $1, member: $0.array)) }
        verify(seen == rows, "seed \(seed)")
        let made = tally.makeSet(SortedSetLimits(countMax: countMax, memberByteCountMax: 100))
        verify(made.count == rows.count, "seed \(seed)")
        guard made.isLarge else {
            let pairs = made.takePairs()
            verify(collect(SortedSetView(pairs: pairs.view), .init(0..<rows.count), false) == rows, "seed \(seed)")
            return
        }
        let set = made.takeLarge()
        verify(set.structuralFault() == nil, "seed \(seed)")
    }
}
