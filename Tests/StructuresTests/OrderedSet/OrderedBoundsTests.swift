// OrderedBoundsTests.swift - how range ends are read, the odd spellings that stock
// servers accept included, and what members take. The accepted and refused texts
// were tried against a stock server.
import Testing
import Base
@testable import Structures

struct OrderedBoundsTests {
    @Test(arguments: [
        ("1.5", 1.5, false), ("(1.5", 1.5, true), ("-inf", -.infinity, false), ("(+inf", .infinity, true),
        ("inf", .infinity, false), ("1e3", 1000, false), ("0x10", 16, false), (" 7", 7, false), ("", 0, false),
        ("(", 0, true), ("1\0x", 1, false), ("infinity", .infinity, false),
    ])
    func readsScoreBounds(text: String, value: Double, isExclusive: Bool) {
        let bytes = Array(text.utf8)
        let bound = ScoreBound(parsing: bytes.span)
        #expect(bound?.value == value && bound?.isExclusive == isExclusive)
    }

    @Test(arguments: ["nan", "(nan", "a", "((1", "1.5x", "1 ", "[1", "--1"])
    func refusesScoreBounds(text: String) {
        let bytes = Array(text.utf8)
        let bound = ScoreBound(parsing: bytes.span)
        #expect(bound == nil)
    }

    @Test(arguments: [
        ("-", LexBound.Kind.minimum, 0), ("+", .maximum, 0), ("[abc", .inclusive, 3), ("(abc", .exclusive, 3),
        ("[", .inclusive, 0), ("(", .exclusive, 0), ("-\0z", .minimum, 2), ("[-", .inclusive, 1),
    ])
    func readsLexBounds(text: String, kind: LexBound.Kind, length: Int) {
        let bytes = Array(text.utf8)
        guard let bound = LexBound(parsing: bytes.span) else {
            Issue.record("\(text) was refused")
            return
        }
        verify(bound.kind == kind && bound.member.count == length, "\(text) was misread")
    }

    @Test(arguments: ["", "a", "-a", "++", "\0", "{a"])
    func refusesLexBounds(text: String) {
        let bytes = Array(text.utf8)
        let isRefused = if LexBound(parsing: bytes.span) == nil { true } else { false }
        #expect(isRefused)
    }

    @Test(arguments: [0, 1, 8, 16, 255, 65_535, 65_536, 70_000])
    func membersKeepBytesAndScore(length: Int) {
        var dice = SeededRandom(seed: UInt64(length) + 1)
        var arena = EntryArena()
        let member = dice.bytes(count: length)
        let element = arena.makeMember(member.span, score: -2.5)
        #expect(element.score == -2.5 && element.keyByteCount == length)
        let held = element.key
        verify(LexBound.order(held, member.span) == 0, "the member changed")
        arena.free(element)
    }

    /// Whatever a client sends as a bound is read or refused.
    @Test(arguments: SeededRandom.seeds(1))
    func arbitraryBoundsNeverTrap(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        var scores = 0
        for _ in 0..<20_000 {
            let text = dice.chance(50)
                ? dice.bytes(count: dice.below(12)) : dice.bytes(count: dice.below(40), alphabet: 40...57)
            if let bound = ScoreBound(parsing: text.span) {
                scores += 1
                verify(!bound.value.isNaN, "seed \(seed)")
            }
            if let bound = LexBound(parsing: text.span) { verify(bound.member.count < text.count, "seed \(seed)") }
            _ = StreamID(parsingBound: text.span, missingSequence: 0)
            _ = StreamID.request(parsing: text.span)
        }
        #expect(scores > 100)
    }

    @Test func sixteenByteMembersTakeThirtyTwoBytes() {
        var arena = EntryArena()
        let element = arena.makeMember([UInt8](repeating: 65, count: 16).span, score: 1)
        let byteCount = arena.allocatedByteCount(of: element)
        #expect(byteCount == 32)
        arena.free(element)
        arena.releaseAll()
    }
}
