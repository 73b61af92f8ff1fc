// EventLogTests.swift - the ring of events against an array, names of the last seconds, templates of rules.
import Base
import Testing

@testable import Coordinator

struct EventLogTests {
    private func entry(_ number: Int, _ size: Int, type: String = "A") -> EventLog.Entry {
        EventLog.Entry(
            type: Array(type.utf8), microseconds: Int64(number) * 10,
            payload: [UInt8](repeating: UInt8(number & 127), count: size))
    }

    @Test func theRingIsBoundedInCountAndBytes() {
        var random = RandomGenerator(seed: 3)
        var log = EventLog()
        log.countMax = 50
        log.byteCountMax = 20_000
        var model: [(sequence: Int64, entry: EventLog.Entry)] = []
        for number in 1...3000 {
            let next = entry(number, random.below(900), type: number % 3 == 0 ? "B" : "A")
            model.append((log.nextSequence, next))
            log.append(next)
            while model.count > 50 || model.reduce(0, { $0 + $1.entry.byteCount }) > 20_000 { model.removeFirst() }
            #expect(log.count == model.count)
            #expect(log.firstSequence == model.first?.sequence)
            guard number % 100 == 0 else { continue }
            var seen: [[UInt8]] = []
            let end = log.replay(from: 0, type: Array("B".utf8)) { seen.append($0.payload); return true }
            #expect(end == log.nextSequence)
            #expect(seen == model.filter { $0.entry.type == Array("B".utf8) }.map { $0.entry.payload })
            let middle = model[model.count / 2]
            #expect(log.sequence(from: middle.entry.microseconds) == middle.sequence)
            #expect(log.sequence(from: middle.entry.microseconds - 5) == middle.sequence)
        }
        log.countMax = 3
        log.trim()
        #expect(log.count == 3)
        log.countMax = 0
        log.append(entry(1, 1))
        #expect(log.count == 0)
        #expect(log.firstSequence == log.nextSequence)
    }

    @Test func namesAreForgottenInTime() {
        var names = EventNames()
        #expect(names.insert([1], now: 1000, window: 50) == true)
        #expect(names.insert([1], now: 1049, window: 50) == false)
        #expect(names.insert([1], now: 1050, window: 50) == true)
        #expect(names.insert([2], now: 1050, window: 0) == true)
        #expect(names.insert([2], now: 1050, window: 0) == true)
        for index in 0..<200 { _ = names.insert([3, UInt8(index)], now: 2000 + Int64(index), window: 10) }
        #expect(names.count <= 11)
    }

    @Test func templatesAreFilledIn() {
        func fill(_ template: String, _ words: EventWords) -> EventTarget {
            EventRules.fill(Array(template.utf8).span, words)
        }
        func target(_ text: String, _ isPattern: Bool) -> EventTarget {
            EventTarget(text: Array(text.utf8), isPattern: isPattern)
        }
        let words = EventWords(resource: Array("vm*1".utf8), node: nil, old: Array("a".utf8), new: nil)
        #expect(fill("vm:state:{id}", words) == target("vm:state:vm*1", false))
        #expect(fill("x:{resource}:*", words) == target("x:vm\\*1:*", true))
        #expect(fill("node:{node}:{old}", words) == target("node:*:a", true))
        #expect(fill("{unknown}:{id", words) == target("{unknown}:{id", false))
    }
}
