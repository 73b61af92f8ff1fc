// StreamTreeTests.swift - the tree over stream identifiers against a sorted array,
// with values of several sizes, in appending, prepending and random order, and its
// structure proved along the way.
import Testing
@testable import Structures

struct StreamTreeTests {
    enum Order: CaseIterable { case rising, falling, random }

    private static func id(_ order: Order, _ step: Int, _ dice: inout SeededRandom) -> StreamID {
        switch order {
        case .rising: return StreamID(UInt64(step / 3), UInt64(step % 3))
        case .falling: return StreamID(UInt64(1_000_000 - step / 3), UInt64(2 - step % 3))
        case .random: return StreamID(UInt64(dice.below(60)), UInt64(dice.below(200)))
        }
    }

    private static func run<Value: BitwiseCopyable & Equatable>(
        _ order: Order, seed: UInt64, value: (Int) -> Value
    ) {
        var dice = SeededRandom(seed: seed)
        var tree = StreamTree<Value>()
        var model: [(id: StreamID, value: Value)] = []
        func place(_ id: StreamID) -> Int {
            var low = 0
            var high = model.count
            while low < high {
                let middle = (low + high) / 2
                if model[middle].id < id { low = middle + 1 } else { high = middle }
            }
            return low
        }
        for step in 0..<9000 {
            let id = id(order, step, &dice)
            let index = place(id)
            let isThere = index < model.count && model[index].id == id
            if dice.chance(step % 3000 < 2000 ? 80 : 25) {
                verify(tree.insert(id, value(step)) == !isThere, "seed \(seed)")
                if !isThere { model.insert((id, value(step)), at: index) }
            } else if !model.isEmpty {
                let victim = order == .random ? index % model.count : dice.below(model.count)
                verify(tree.remove(model[victim].id) == model[victim].value, "seed \(seed)")
                verify(tree.remove(model[victim].id) == nil, "seed \(seed)")
                model.remove(at: victim)
            }
            if step % 50 == 0 { check(tree, model, id, seed) }
            if step % 1000 == 0 {
                let fault = tree.structuralFault()
                verify(fault == nil, "seed \(seed): \(fault ?? "")")
            }
        }
        var freed = 0
        while tree.removeSome(limit: 700, { _, _ in freed += 1 }) {
            verify(tree.structuralFault() == nil, "seed \(seed)")
        }
        verify(freed == model.count && tree.allocatedBytes == 0, "seed \(seed)")
    }

    private static func check<Value: BitwiseCopyable & Equatable>(
        _ tree: borrowing StreamTree<Value>, _ model: [(id: StreamID, value: Value)], _ id: StreamID, _ seed: UInt64
    ) {
        verify(tree.count == model.count, "seed \(seed)")
        verify(tree.first?.id == model.first?.id && tree.last?.id == model.last?.id, "seed \(seed)")
        verify(tree.find(id) == model.first { $0.id == id }?.value, "seed \(seed)")
        let below = model.prefix { $0.id < id }.count
        let upTo = model.prefix { $0.id <= id }.count
        for (cursor, index) in [(tree.cursor(before: id), below), (tree.cursor(behind: id), upTo)] {
            var up = cursor
            for entry in model[index...].prefix(40) {
                let found = up.next()
                verify(found?.id == entry.id && found?.value == entry.value, "seed \(seed)")
            }
            if model.count - index <= 40 { verify(up.next() == nil, "seed \(seed)") }
            var down = cursor
            for entry in model[..<index].reversed().prefix(40) {
                let found = down.previous()
                verify(found?.id == entry.id && found?.value == entry.value, "seed \(seed)")
            }
            if index <= 40 { verify(down.previous() == nil, "seed \(seed)") }
        }
    }

    struct Wide: BitwiseCopyable, Equatable {
        var first: Int64
        var second: UInt64
        var third: UInt
    }

    struct Empty: BitwiseCopyable, Equatable {}

    @Test(arguments: Order.allCases, SeededRandom.seeds(1, 2))
    func matchesSortedArray(order: Order, seed: UInt64) {
        StreamTreeTests.run(order, seed: seed) { UInt($0) }
        StreamTreeTests.run(order, seed: seed) { Wide(first: Int64($0), second: 7, third: UInt($0 * 3)) }
        StreamTreeTests.run(order, seed: seed) { _ in Empty() }
    }

    @Test func appendsFillTheirNodes() {
        var tree = StreamTree<UInt>()
        for step in 0..<100_000 { tree.insert(StreamID(UInt64(step), 0), UInt(step)) }
        let bytesPerEntry = Double(tree.allocatedBytes) / 100_000
        verify(tree.structuralFault() == nil)
        #expect(bytesPerEntry < 27, "24 bytes of payload take \(bytesPerEntry)")
    }
}
