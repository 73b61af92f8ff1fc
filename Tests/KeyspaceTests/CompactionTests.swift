// CompactionTests.swift - emptying sparse pages of entries: sizes shift and the memory of the old ones comes back,
// every key keeps its value, expiry, age, frequency and label, and what a snapshot holds stays where it is.
internal import Base
@testable internal import Keyspace
@testable internal import Structures
internal import Testing

@Suite("Compaction")
struct CompactionTests {
    private final class Box {
        var keyspace = Keyspace(databaseCount: 2)
        var hand = CompactionHand()
        var generator = RandomGenerator(seed: 11)

        func set(_ number: Int, byteCount: Int, database: Int = 0, expiry: Int64? = nil) {
            let key = Array("key:\(number)".utf8)
            let hash = keyspace[database].table.hash(key.span)
            let value = Box.value(number, byteCount)
            let slot = keyspace.look(key.span, hash: hash, in: database)
            keyspace.setString(key.span, hash: hash, in: database, slot: slot, value: value.span, expiry: expiry)
        }

        static func value(_ number: Int, _ byteCount: Int) -> [UInt8] {
            (0..<byteCount).map { UInt8(truncatingIfNeeded: UInt8(ascii: "a") + UInt8((number + $0) % 23)) }
        }

        func remove(_ number: Int, database: Int = 0) {
            let key = Array("key:\(number)".utf8)
            _ = keyspace.remove(key.span, hash: keyspace[database].table.hash(key.span), in: database)
        }

        func entry(_ number: Int, database: Int = 0) -> Entry? {
            let key = Array("key:\(number)".utf8)
            return keyspace[database].table.find(key.span, hash: keyspace[database].table.hash(key.span))?.entry
        }

        /// Runs all rounds; how many entries moved.
        func compact() -> Int {
            var moved = 0
            hand.restart()
            while true {
                let result = hand.step(&keyspace)
                moved += result.movedCount
                if result.isOver { return moved }
            }
        }
    }

    @Test("memory of sizes that are gone comes back", arguments: [30, 150, 500, 1000, 3000, 9000, 16_000])
    func memoryComesBack(byteCount: Int) {
        let box = Box()
        let count = 2_500_000 / byteCount
        for number in 0..<count { box.set(number, byteCount: byteCount) }
        for number in 0..<count where number % 10 != 0 { box.remove(number) }
        let used = box.keyspace[0].arena.slabByteCount
        #expect(box.keyspace.idleByteCount > used, "one key of ten holds whole pages")
        let moved = box.compact()
        #expect(moved > 0)
        #expect(box.keyspace.idleByteCount < used / 8 + 3 * EntryArena.pageByteCount)
        #expect(box.keyspace[0].arena.slabByteCount == used)
        for number in stride(from: 0, to: count, by: 10) {
            #expect(box.entry(number)?.value.array == Box.value(number, byteCount))
        }
    }

    @Test("sizes that few keys have share pages, and give them back")
    func rareSizesSharePages() {
        let box = Box()
        let sizes = 100..<900
        for number in sizes.reversed() { box.set(number, byteCount: number) }
        let pages = box.keyspace.activeByteCount / EntryArena.pageByteCount
        #expect(pages < 45, "\(pages) pages for a hundred cell sizes")
        for number in sizes { #expect(box.entry(number)?.value.array == Box.value(number, number)) }
        for number in sizes { box.remove(number) }
        #expect(box.keyspace[0].arena.usedByteCount == 0 && box.keyspace.activeByteCount == 0)
    }

    @Test("the last page of a size is emptied into cells that are a little larger")
    func lastPagesAreEmptied() {
        let box = Box()
        // A page and a bit of each of a hundred cell sizes, and then a few keys of each.
        for size in stride(from: 160, to: 960, by: 8) {
            for copy in 0..<500 { box.set(size * 1000 + copy, byteCount: size) }
        }
        for size in stride(from: 160, to: 960, by: 8) {
            for copy in 0..<500 where copy % 100 != 0 { box.remove(size * 1000 + copy) }
        }
        let used = box.keyspace[0].arena.slabByteCount
        #expect(box.compact() > 0)
        let pages = box.keyspace.activeByteCount / EntryArena.pageByteCount
        #expect(pages < 45, "\(pages) pages for 500 keys of a hundred cell sizes")
        let now = box.keyspace[0].arena.slabByteCount
        #expect(now >= used && now <= used * 9 / 8)
        for size in stride(from: 160, to: 960, by: 8) {
            #expect(box.entry(size * 1000)?.value.array == Box.value(size * 1000, size))
        }
    }

    @Test("keys that go by pages leave no half empty ones")
    func evictionByPages() {
        let box = Box()
        var hand = EvictionHand()
        for number in 0..<40_000 { box.set(number, byteCount: 300 + number % 64) }
        let before = box.keyspace[0].byteCount
        let policy = EvictionPolicy(order: .unused, onlyVolatile: false)
        while box.keyspace[0].byteCount > before / 2 {
            _ = hand.step(&box.keyspace, policy, excess: 1000) { box.generator.next() }
        }
        #expect(box.keyspace.idleByteCount < before / 10, "\(box.keyspace.idleByteCount) of \(before) bytes are idle")
        var kept = 0
        for number in 0..<40_000 {
            guard let entry = box.entry(number) else { continue }
            kept += 1
            #expect(entry.value.array == Box.value(number, 300 + number % 64))
        }
        #expect(kept == box.keyspace.count && kept > 15_000)
    }

    @Test("nothing of a key changes")
    func keysStayWhatTheyAre() {
        let box = Box()
        box.keyspace[0].table.newcomerAge = 2
        for number in 0..<10_000 {
            let expiry: Int64? = number % 3 == 0 ? 1_900_000_000_000 + Int64(number) : nil
            box.set(number, byteCount: 50 + number % 4, expiry: expiry)
        }
        for number in 0..<10_000 where number % 8 != 0 { box.remove(number) }
        var labels: [Int: EntryLabel] = [:]
        for number in stride(from: 0, to: 10_000, by: 8) {
            let key = Array("key:\(number)".utf8)
            guard let slot = box.keyspace[0].table.find(key.span, hash: box.keyspace[0].table.hash(key.span)) else {
                Issue.record("a key is gone")
                continue
            }
            slot.entry.frequency = number % 4
            slot.entry.version = number % 2000
            if number % 5 == 0 {
                var label = EntryLabel()
                label.content = UInt8(number % 200)
                label.writtenMilliseconds = Int64(number)
                box.keyspace.setLabel(slot, in: 0, label)
                labels[number] = label
            }
        }
        let expiring = box.keyspace[0].table.expiryCount
        let used = box.keyspace[0].byteCount
        #expect(box.compact() > 200)
        #expect(box.keyspace[0].table.expiryCount == expiring)
        // The last page of a size may have gone to cells that are a little larger.
        #expect((used...used * 9 / 8).contains(box.keyspace[0].byteCount))
        for number in stride(from: 0, to: 10_000, by: 8) {
            let key = Array("key:\(number)".utf8)
            guard let slot = box.keyspace[0].table.find(key.span, hash: box.keyspace[0].table.hash(key.span)) else {
                Issue.record("a key is gone")
                continue
            }
            #expect(slot.age == 2)
            #expect(slot.entry.frequency == number % 4 && slot.entry.version == number % 2000)
            #expect(slot.entry.expiry == (number % 3 == 0 ? 1_900_000_000_000 + Int64(number) : nil))
            #expect(slot.entry.value.array == Box.value(number, 50 + number % 4))
            #expect(slot.entry.label == labels[number] ?? EntryLabel())
        }
    }

    @Test("sizes, keys and databases at random against a model")
    func model() {
        let box = Box()
        var model: [[Int: Int]] = [[:], [:]]
        for round in 0..<21 {
            let size = [10, 40, 200, 700, 1500, 6000, 20_000][round % 7]
            for _ in 0..<400 {
                let number = Int.random(in: 0..<3000, using: &box.generator)
                let database = Int.random(in: 0...1, using: &box.generator)
                if Int.random(in: 0..<3, using: &box.generator) == 0 {
                    box.remove(number, database: database)
                    model[database][number] = nil
                } else {
                    let byteCount = Int.random(in: size / 2...size, using: &box.generator)
                    box.set(number, byteCount: byteCount, database: database)
                    model[database][number] = byteCount
                }
            }
            for _ in 0..<40 { _ = box.hand.step(&box.keyspace) }
            for database in 0..<2 {
                #expect(box.keyspace[database].count == model[database].count)
                for (number, byteCount) in model[database] {
                    let entry = box.entry(number, database: database)
                    #expect(entry?.stringByteCount == byteCount)
                    #expect(entry?.stringBytes().array == Box.value(number, byteCount))
                }
            }
        }
        for database in 0..<2 {
            for number in model[database].keys { box.remove(number, database: database) }
            #expect(box.keyspace[database].arena.usedByteCount == 0)
            #expect(box.keyspace[database].externalByteCount == 0 && box.keyspace[database].slabByteCount == 0)
        }
    }

    @Test("a snapshot that runs writes every key once")
    func besideASnapshot() {
        let box = Box()
        for number in 0..<20_000 { box.set(number, byteCount: 100) }
        for number in 0..<20_000 where number % 6 != 0 { box.remove(number) }
        let expected = box.keyspace.count
        var pieces = 0
        let capture = box.keyspace.beginSnapshot(compresses: false) { _ in pieces += 1 }
        var turns = 0
        while !box.keyspace.advanceSnapshot(while: { _ in
            turns += 1
            return turns % 50 != 0
        }) {
            _ = box.hand.step(&box.keyspace)
            box.set(turns % 20_000, byteCount: 90 + turns % 40)
            box.remove((turns * 7) % 20_000)
        }
        #expect(capture.keysWritten == expected && pieces > 0)
        #expect(box.compact() > 0)
    }
}
