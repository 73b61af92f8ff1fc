// StreamModelTests.swift - random lives of streams, compared with plain arrays after every few steps: adding with all
// kinds of fields, deleting, the ways of trimming, reading both ways, groups that read, acknowledge and claim, copies,
// and being taken apart in steps.
import Base
import Testing
@testable import Structures

struct StreamModelTests {
    private static let fieldSets: [[String]] = [["a"], ["sensor", "value"], ["12", "x", ""], ["sensor", "other"]]

    private static func pairs(_ dice: inout SeededRandom) -> [[UInt8]] {
        if dice.chance(15) { return (0..<(2 + 2 * dice.below(4))).map { _ in dice.element(lengthMax: 30) } }
        return fieldSets[dice.below(fieldSets.count)].flatMap { [Array($0.utf8), dice.element(lengthMax: 40)] }
    }

    private static func nextID(after last: StreamID, _ dice: inout SeededRandom) -> StreamID {
        if dice.chance(50) { return StreamID(last.milliseconds + UInt64(1 + dice.below(1000)), UInt64(dice.below(3))) }
        return StreamID(last.milliseconds, last.sequence + UInt64(1 + dice.below(5)))
    }

    private static func someID(_ model: StreamModel, _ dice: inout SeededRandom) -> StreamID {
        if model.entries.isEmpty || dice.chance(15) {
            return StreamID(UInt64(dice.below(100_000)), UInt64(dice.below(4)))
        }
        return model.entries[dice.below(model.entries.count)].id
    }

    @Test(arguments: SeededRandom.seeds(1, 2, 3, 4))
    func matchesPlainArrays(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        for _ in 0..<6 {
            let model = StreamModel()
            let limits = StreamLog.Limits(
                nodeBytesMax: [0, 200, 4096][dice.below(3)], nodeEntriesMax: [0, 1, 7, 100][dice.below(4)])
            for step in 0..<500 {
                StreamModelTests.act(model, limits, &dice, seed)
                if step % 25 == 0 {
                    let difference = model.difference()
                    verify(difference == nil, "seed \(seed): \(difference ?? "")")
                }
            }
            StreamModelTests.takeApart(model, &dice, seed)
        }
    }

    private static func act(
        _ model: StreamModel, _ limits: StreamLog.Limits, _ dice: inout SeededRandom, _ seed: UInt64
    ) {
        switch dice.below(20) {
        case 0..<10: model.append(nextID(after: model.log.lastID, &dice), pairs(&dice), limits)
        case 10..<12: verify(model.delete(someID(model, &dice)), "seed \(seed)")
        case 12: trim(model, &dice, seed)
        case 13..<15: readRanges(model, &dice, seed)
        case 15:
            let copy = model.log.duplicate()
            // A tree that has shrunk grows by other steps than a new one: a leaf's worth (1 KB) may lie between them.
            verify(copy.entryBytes <= model.log.entryBytes + 1024, "seed \(seed)")
            model.log = copy
        default: actOnGroup(model, &dice, seed)
        }
    }

    private static func readRanges(_ model: StreamModel, _ dice: inout SeededRandom, _ seed: UInt64) {
        let low = someID(model, &dice)
        let high = someID(model, &dice)
        let expected = model.entries.filter { $0.id >= low && $0.id <= high }
        let limit = 1 + dice.below(20)
        let upward = model.collect(model.log.walk(from: low, to: high), limit: limit)
        verify(upward == Array(expected.prefix(limit)), "seed \(seed)")
        let downward = model.collect(model.log.walk(from: low, to: high, isReversed: true), limit: limit)
        verify(downward == Array(expected.reversed().prefix(limit)), "seed \(seed)")
        let found = model.log.entry(low).map { StreamModel.read($0) }
        verify(found == model.entries.first { $0.id == low }, "seed \(seed)")
        verify(model.log.lastEntry?.id == model.entries.last?.id, "seed \(seed)")
    }

    private static func trim(_ model: StreamModel, _ dice: inout SeededRandom, _ seed: UInt64) {
        let before = model.entries
        let isApproximate = dice.chance(50)
        let limit = isApproximate && dice.chance(50) ? 1 + dice.below(30) : 0
        let policy: StreamLog.ReferencePolicy = [.keep, .remove, .requireAcknowledged][dice.below(3)]
        let referenced = Set(before.map(\.id).filter { model.isReferenced($0) })
        let maximum = dice.below(before.count + 2)
        let minimum = someID(model, &dice)
        let isByLength = dice.chance(50)
        let removed = model.log.trim(
            isByLength ? .length(maximum) : .minimumID(minimum), isApproximate: isApproximate, limit: limit,
            policy: policy)
        let kept = model.collect(model.log.walk(from: .zero, to: .max))
        let keptIDs = Set(kept.map(\.id))
        let gone = before.filter { !keptIDs.contains($0.id) }
        verify(kept == before.filter { keptIDs.contains($0.id) } && removed == gone.count, "seed \(seed)")
        if isByLength { verify(kept.count >= min(maximum, before.count), "seed \(seed)") }
        if !isByLength { verify(gone.allSatisfy { $0.id < minimum }, "seed \(seed)") }
        if limit > 0 { verify(removed <= limit, "seed \(seed)") }
        switch policy {
        case .keep, .remove:
            // Nothing is skipped, so what is left is the newest part.
            verify(kept == Array(before.suffix(kept.count)), "seed \(seed)")
            if !isApproximate {
                let expected = isByLength ? before.suffix(maximum).count : before.filter { $0.id >= minimum }.count
                verify(kept.count == expected, "seed \(seed)")
            }
        case .requireAcknowledged:
            verify(gone.allSatisfy { !referenced.contains($0.id) }, "seed \(seed)")
        }
        model.entries = kept
        guard policy == .remove else { return }
        for entry in gone {
            for name in model.groups.keys { model.groups[name]?.pending[entry.id] = nil }
        }
    }

    private static func actOnGroup(_ model: StreamModel, _ dice: inout SeededRandom, _ seed: UInt64) {
        let groupName = "group:\(dice.below(3))"
        let consumerName = "consumer:\(dice.below(3))"
        let group = model.group(groupName)
        let time = Int64(dice.below(1000))
        let pendingIDs = model.groups[groupName]?.pending.keys.sorted() ?? []
        let id = pendingIDs.isEmpty || dice.chance(20) ? someID(model, &dice) : pendingIDs[dice.below(pendingIDs.count)]
        switch dice.below(12) {
        case 0..<5:
            verify(model.readNew(groupName, consumerName, count: 1 + dice.below(12), time: time), "seed \(seed)")
        case 5..<8:
            let wasPending = model.groups[groupName]?.pending.removeValue(forKey: id) != nil
            verify(group.acknowledge(id) == wasPending, "seed \(seed)")
        case 8:
            let consumer = model.consumer(consumerName, in: group)
            group.assign(id, to: consumer, timeMilliseconds: time, count: 5)
            model.groups[groupName]?.pending[id] = .init(time: time, count: 5, consumer: consumerName)
        case 9:
            let isPending = model.groups[groupName]?.pending[id] != nil
            verify(group.redeliver(id, timeMilliseconds: time, count: 9) == isPending, "seed \(seed)")
            model.groups[groupName]?.pending[id]?.time = time
            model.groups[groupName]?.pending[id]?.count = 9
            verify(group.firstPending(from: id)?.id == pendingIDs.first { $0 >= id }, "seed \(seed)")
        case 10:
            group.lastID = id
            model.groups[groupName]?.lastID = id
        default:
            verify(model.log.isReferenced(id) == model.isReferenced(id), "seed \(seed)")
            guard dice.chance(30) else { return }
            if dice.chance(50) {
                let holders = model.groups.values.filter { $0.pending[id] != nil }.count
                verify(model.log.removeReferences(to: id) == holders, "seed \(seed)")
                for name in model.groups.keys { model.groups[name]?.pending[id] = nil }
            } else if let consumer = group.consumers.first {
                let name = consumer.name.text
                let owned = model.groups[groupName]?.pending.filter { $0.value.consumer == name }.count
                verify(group.deleteConsumer(consumer) == owned, "seed \(seed)")
                let left = model.groups[groupName]?.pending.filter { $0.value.consumer != name }
                model.groups[groupName]?.pending = left ?? [:]
            }
        }
    }

    private static func takeApart(_ model: StreamModel, _ dice: inout SeededRandom, _ seed: UInt64) {
        if let name = model.groups.keys.first {
            let bytes = Array(name.utf8)
            let detached = model.log.detachGroup(named: bytes.span)
            verify(detached != nil && model.log.group(named: bytes.span) == nil, "seed \(seed)")
            if let detached {
                while detached.removeSome(limit: 3) {}
                verify(detached.pendingCount == 0, "seed \(seed)")
                detached.free()
            }
        }
        var steps = 0
        while model.log.removeSome(limit: 5) { steps += 1 }
        verify(model.log.nodeCount == 0 && model.log.groups.isEmpty && model.log.length == 0, "seed \(seed)")
        verify(steps < 10_000, "seed \(seed)")
    }

    @Test func bookmarksSurviveGrowthAndGoStaleWithChanges() {
        let model = StreamModel()
        let limits = StreamLog.Limits()
        for step in 1...300 {
            model.append(StreamID(UInt64(step), 0), [Array("f".utf8), Array("value \(step)".utf8)], limits)
        }
        var expected: [StreamID] = []
        for round in 0..<200 {
            let before = model.groups["g"]?.lastID ?? .zero
            verify(model.readNew("g", "c", count: 1 + round % 5, time: 1), "round \(round)")
            if round % 7 == 3 { verify(model.delete(StreamID(UInt64(round + 1), 0))) }
            let value = [UInt8](repeating: 65, count: round)
            model.append(StreamID(UInt64(301 + round), 0), [Array("f".utf8), value], limits)
            if before == model.groups["g"]?.lastID { break }
            expected.append(before)
        }
        let difference = model.difference()
        #expect(difference == nil && expected.count > 100)
    }

    @Test func largeEntriesAndSmallStreamsTakeWhatTheyNeed() {
        let model = StreamModel()
        model.append(StreamID(1, 0), [Array("f".utf8), Array("v".utf8)], .init())
        let small = model.log.allocatedBytes
        #expect(small <= 400, "one small entry takes \(small) bytes")
        model.append(StreamID(2, 0), [Array("f".utf8), [UInt8](repeating: 66, count: 1_000_000)], .init())
        model.append(StreamID(3, 0), [Array("f".utf8), Array("v".utf8)], .init())
        let large = model.log.allocatedBytes
        #expect(large < 1_200_000, "a megabyte takes \(large) bytes")
        let difference = model.difference()
        #expect(difference == nil)
    }
}
