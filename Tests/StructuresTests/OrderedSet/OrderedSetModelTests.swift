// OrderedSetModelTests.swift - the ordered set against a sorted Swift array: random inserts, removals,
// score changes and range removals, with every question asked after them and the whole structure
// proved along the way.
import Testing
import Base
@testable import Structures

/// The same members twice: in the tree under test and in a plain sorted array.
private final class Fixture {
    struct Row: Equatable {
        var score: Double
        var member: [UInt8]
        var element: Entry

        static func precedes(_ left: Row, _ right: Row) -> Bool {
            left.score != right.score ? left.score < right.score : left.member.lexicographicallyPrecedes(right.member)
        }
    }

    var set = OrderedSet()
    var arena = EntryArena()
    var rows: [Row] = []
    var members: Set<[UInt8]> = []

    deinit { arena.releaseAll() }

    func insert(_ member: [UInt8], _ score: Double) {
        guard members.insert(member).inserted else { return }
        let element = arena.makeMember(member.span, score: score)
        let row = Row(score: score, member: member, element: element)
        set.insert(element)
        rows.insert(row, at: place(of: row))
    }

    func remove(at index: Int) {
        let row = rows.remove(at: index)
        members.remove(row.member)
        set.remove(row.element)
        arena.free(row.element)
    }

    /// Moves the entry elsewhere in memory, as a member that gains an expiry does.
    func relocate(at index: Int) {
        let row = rows[index]
        let other = arena.makeMember(row.member.span, score: row.score)
        set.replace(rows[index].element, with: other)
        arena.free(rows[index].element)
        rows[index].element = other
    }

    func update(at index: Int, _ score: Double) {
        var row = rows.remove(at: index)
        set.update(row.element, score: score)
        row.score = score
        rows.insert(row, at: place(of: row))
    }

    func removeRange(_ ranks: Range<Int>) -> Bool {
        let expected = rows[ranks].map(\.element)
        var seen: [Entry] = []
        set.removeRange(ranks) { seen.append($0) }
        for row in rows[ranks] {
            members.remove(row.member)
            arena.free(row.element)
        }
        rows.removeSubrange(ranks)
        return seen == expected
    }

    func place(of row: Row) -> Int {
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if Row.precedes(rows[middle], row) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

private func collect(_ cursor: OrderedCursor, limit: Int, forward: Bool) -> [Entry] {
    var cursor = cursor
    var elements: [Entry] = []
    while elements.count < limit, let element = forward ? cursor.next() : cursor.previous() { elements.append(element) }
    return elements
}

struct OrderedSetModelTests {
    enum Scores: CaseIterable { case wide, few, equal, rising, falling }

    private static func score(_ scores: Scores, step: Int, _ dice: inout SeededRandom) -> Double {
        switch scores {
        case .wide: return Double(dice.below(1_000_000)) / 7 - 50_000
        case .few: return [-Double.infinity, -1, -0.0, 0, 0.5, 3, .infinity][dice.below(7)]
        case .equal: return 0
        case .rising: return Double(step)
        case .falling: return -Double(step)
        }
    }

    @Test(arguments: Scores.allCases, SeededRandom.seeds(1, 2))
    func matchesSortedArray(scores: Scores, seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        let fixture = Fixture()
        // Phases of growth and decline, so that the tree passes through every height and size several times.
        for phase in 0..<6 {
            let insertPercent = phase % 2 == 0 ? 85 : 25
            for step in 0..<1500 {
                let score = OrderedSetModelTests.score(scores, step: phase * 1500 + step, &dice)
                if fixture.rows.isEmpty || dice.below(100) < insertPercent {
                    fixture.insert(dice.bytes(count: dice.below(9), alphabet: 97...103), score)
                } else if dice.once(in: 3) {
                    fixture.update(at: dice.below(fixture.rows.count), score)
                } else if dice.once(in: 4) {
                    fixture.relocate(at: dice.below(fixture.rows.count))
                } else {
                    fixture.remove(at: dice.below(fixture.rows.count))
                }
                if dice.once(in: 40) { check(fixture, &dice, seed) }
            }
            verify(fixture.set.structuralFault() == nil, "seed \(seed)")
        }
        while !fixture.rows.isEmpty { fixture.remove(at: dice.below(fixture.rows.count)) }
        verify(fixture.set.structuralFault() == nil && fixture.set.allocatedBytes == 0, "seed \(seed)")
    }

    @Test(arguments: SeededRandom.seeds(3, 4, 5))
    func removesRanges(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        let fixture = Fixture()
        for round in 0..<60 {
            for step in 0..<dice.below(3000) {
                fixture.insert(dice.bytes(count: 1 + dice.below(12), alphabet: 97...122), Double(step % 97))
            }
            for _ in 0..<4 {
                let low = dice.below(fixture.rows.count + 1)
                let rest = fixture.rows.count - low
                let length = dice.once(in: 3) ? dice.below(rest + 1) : min(rest, dice.below(200))
                verify(fixture.removeRange(low..<(low + length)), "seed \(seed) round \(round)")
                verify(fixture.set.structuralFault() == nil, "seed \(seed) round \(round)")
            }
            check(fixture, &dice, seed)
            if round % 10 == 9 { #expect(fixture.removeRange(0..<fixture.rows.count), "seed \(seed)") }
        }
    }

    /// Enough elements for two levels of inner nodes, which the array model would be too slow for.
    @Test(arguments: SeededRandom.seeds(7, 8))
    func staysSoundAtHeightTwo(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        var set = OrderedSet()
        var arena = EntryArena()
        defer { arena.releaseAll() }
        var elements: [Entry] = []
        for step in 0..<40_000 {
            let score = Double(dice.below(dice.once(in: 2) ? 1_000_000 : 50))
            let element = arena.makeMember(Array("member:\(step)".utf8).span, score: score)
            elements.append(element)
            set.insert(element)
            if step % 8000 == 0 { verify(set.structuralFault() == nil, "seed \(seed)") }
        }
        verify(set.height == 2, "the tree is \(set.height) high")
        for step in 0..<20_000 {
            set.update(elements[dice.below(elements.count)], score: Double(dice.below(1_000_000)))
            if step % 8000 == 0 { verify(set.structuralFault() == nil, "seed \(seed)") }
        }
        elements.shuffle(using: &dice)
        while let element = elements.popLast() {
            let rank = set.rank(of: element)
            verify(set.element(atRank: rank) == element, "seed \(seed)")
            set.remove(element)
            arena.free(element)
            if elements.count % 4000 == 0 { verify(set.structuralFault() == nil, "seed \(seed)") }
        }
        verify(set.allocatedBytes == 0, "seed \(seed)")
    }

    @Test(arguments: SeededRandom.seeds(6))
    func freesInBoundedSteps(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        var set = OrderedSet()
        var arena = EntryArena()
        defer { arena.releaseAll() }
        for _ in 0..<20_000 {
            set.insert(arena.makeMember(dice.bytes(count: 20).span, score: Double(dice.below(1000))))
        }
        var freed = 0
        var steps = 0
        var remains = true
        while remains {
            remains = set.removeSome(limit: 700) { element in
                arena.free(element)
                freed += 1
            }
            steps += 1
            if steps % 8 == 0 { #expect(set.structuralFault() == nil, "seed \(seed)") }
        }
        verify(freed == 20_000 && steps == 29 && set.allocatedBytes == 0 && set.isEmpty, "seed \(seed)")
    }

    /// Asks everything at a random place and compares with the array.
    private func check(_ fixture: Fixture, _ dice: inout SeededRandom, _ seed: UInt64) {
        let rows = fixture.rows
        verify(fixture.set.count == rows.count, "seed \(seed)")
        verify(fixture.set.first == rows.first?.element && fixture.set.last == rows.last?.element, "seed \(seed)")
        verify(fixture.set.element(atRank: rows.count) == nil && fixture.set.element(atRank: -1) == nil, "seed \(seed)")
        guard !rows.isEmpty else { return }
        let rank = dice.below(rows.count)
        let element = rows[rank].element
        verify(fixture.set.rank(of: element) == rank, "seed \(seed)")
        verify(fixture.set.element(atRank: rank) == element, "seed \(seed)")
        let upward = collect(fixture.set.cursor(before: element), limit: 150, forward: true)
        verify(upward == rows[rank...].prefix(150).map(\.element), "seed \(seed)")
        let downward = collect(fixture.set.cursor(atRank: rank), limit: 150, forward: false)
        verify(downward == rows[..<rank].suffix(150).reversed().map(\.element), "seed \(seed)")
        checkScoreRange(fixture, &dice, seed)
        if rows.allSatisfy({ $0.score == rows[0].score }) { checkLexRange(fixture, &dice, seed) }
    }

    private func checkScoreRange(_ fixture: Fixture, _ dice: inout SeededRandom, _ seed: UInt64) {
        let rows = fixture.rows
        let lowScore = rows[dice.below(rows.count)].score + (dice.once(in: 3) ? 0.25 : 0)
        let highScore = rows[dice.below(rows.count)].score - (dice.once(in: 3) ? 0.25 : 0)
        let low = ScoreBound(lowScore, isExclusive: dice.once(in: 2))
        let high = ScoreBound(highScore, isExclusive: dice.once(in: 2))
        let expected = rows.filter { low.admitsAsMinimum($0.score) && high.admitsAsMaximum($0.score) }.map(\.element)
        let slice = fixture.set.slice(from: low, to: high)
        verify(slice.count == expected.count, "seed \(seed)")
        verify(collect(slice.start, limit: slice.count, forward: true) == expected, "seed \(seed)")
        verify(collect(slice.end, limit: slice.count, forward: false) == expected.reversed(), "seed \(seed)")
        verify(fixture.set.first(from: low) == rows.first { low.admitsAsMinimum($0.score) }?.element, "seed \(seed)")
        verify(fixture.set.last(to: high) == rows.last { high.admitsAsMaximum($0.score) }?.element, "seed \(seed)")
    }

    private func checkLexRange(_ fixture: Fixture, _ dice: inout SeededRandom, _ seed: UInt64) {
        let rows = fixture.rows
        let lowText = lexBound(rows, &dice)
        let highText = lexBound(rows, &dice)
        guard let low = LexBound(parsing: lowText.span), let high = LexBound(parsing: highText.span) else {
            Issue.record("a well-formed bound was refused, seed \(seed)")
            return
        }
        var expected: [Entry] = []
        var firstAbove: Entry?
        var lastBelow: Entry?
        for row in rows {
            let isAbove = low.admitsAsMinimum(row.member.span)
            let isBelow = high.admitsAsMaximum(row.member.span)
            if isAbove && isBelow { expected.append(row.element) }
            if isAbove && firstAbove == nil { firstAbove = row.element }
            if isBelow { lastBelow = row.element }
        }
        let slice = fixture.set.slice(from: low, to: high)
        verify(slice.count == expected.count, "seed \(seed)")
        verify(collect(slice.start, limit: slice.count, forward: true) == expected, "seed \(seed)")
        verify(collect(slice.end, limit: slice.count, forward: false) == expected.reversed(), "seed \(seed)")
        verify(fixture.set.first(from: low) == firstAbove && fixture.set.last(to: high) == lastBelow, "seed \(seed)")
    }

    private func lexBound(_ rows: [Fixture.Row], _ dice: inout SeededRandom) -> [UInt8] {
        switch dice.below(6) {
        case 0: return Array("-".utf8)
        case 1: return Array("+".utf8)
        case 2: return Array("[".utf8) + dice.bytes(count: dice.below(6), alphabet: 97...103)
        case 3: return Array("(".utf8) + dice.bytes(count: dice.below(6), alphabet: 97...103)
        case 4: return Array("[".utf8) + rows[dice.below(rows.count)].member
        default: return Array("(".utf8) + rows[dice.below(rows.count)].member
        }
    }
}
