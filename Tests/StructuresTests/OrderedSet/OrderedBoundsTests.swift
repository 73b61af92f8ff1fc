// OrderedBoundsTests.swift - how range ends are read, the odd spellings that stock servers accept included, and the
// layout of elements. The accepted and refused texts were tried against a stock server.
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

    @Test(arguments: [0, 1, 7, 8, 16, 254, 255, 256, 70_000])
    func elementsKeepTheirMember(length: Int) {
        var dice = SeededDice(seed: UInt64(length) + 1)
        let member = dice.bytes(count: length)
        let element = OrderedElement.allocate(score: -2.5, member: member.span)
        #expect(element.score == -2.5 && element.memberLength == length)
        let held = element.member
        verify(held.count == length && LexBound.order(held, member.span) == 0, "the member changed")
        #expect(element.allocatedBytes >= length + 9)
        element.free()
    }

    @Test func sixteenByteMembersTakeThirtyTwoBytes() {
        let element = OrderedElement.allocate(score: 1, member: [UInt8](repeating: 65, count: 16).span)
        #expect(element.allocatedBytes <= 32)
        element.free()
    }
}
