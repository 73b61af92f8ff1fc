// TagTableTests.swift - tags against a naive model: every key with its tags, every invalidation killing each of them.
import Base
import Structures
import Testing

struct TagTableTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func cohort(_ table: TagTable, _ names: [String]) -> TagTable.Number {
        table.cohort(of: names.map { table.tag(bytes($0).span) })
    }

    @Test func keysOfOneSetShareACohort() {
        let table = TagTable()
        let first = cohort(table, ["a", "b"])
        table.retain(first)
        let second = cohort(table, ["b", "a", "b"])
        #expect(second == first)
        table.retain(second)
        #expect(table.keyCount(of: bytes("a").span) == 2)
        #expect(table.invalidate(bytes("b").span) == 2)
        #expect(table.isDead(first))
        #expect(table.deadKeyCount == 2)
        #expect(table.keyCount(of: bytes("a").span) == 0)
        #expect(table.invalidate(bytes("a").span) == 0)
        let third = cohort(table, ["a", "b"])
        #expect(third != first)
        table.retain(third)
        #expect(!table.isDead(third))
        table.release(first, keyCount: 2)
        #expect(table.deadKeyCount == 0)
        table.release(third)
        #expect(table.isEmpty)
    }

    @Test func namesStayWhileASnapshotMayAsk() {
        let table = TagTable()
        let number = cohort(table, ["x"])
        table.retain(number)
        table.keepsNumbers = true
        table.release(number)
        let other = cohort(table, ["y"])
        table.retain(other)
        #expect(other != number)
        #expect(table.names(of: number) == [bytes("x")])
        table.keepsNumbers = false
        #expect(table.keyCount(of: bytes("x").span) == 0)
        #expect(table.names(of: other) == [bytes("y")])
        #expect(table.tagCount == 1)
    }

    @Test func countsOfManySetsAreExact() {
        let table = TagTable()
        for index in 0..<1000 { table.retain(cohort(table, ["all", "user:\(index % 100)"])) }
        #expect(table.invalidate(bytes("all").span) == 1000)
        #expect(table.hasUnsettled)
        #expect(table.invalidate(bytes("user:7").span) == 0)
        while !table.settle(limit: 7) {}
        #expect(!table.hasUnsettled)
        #expect(table.keyCount(of: bytes("user:8").span) == 0)
        #expect(table.deadKeyCount == 1000)
    }

    @Test(arguments: 0..<20)
    func behavesLikeTheModel(round: Int) {
        let seed = UInt64(round) &* 7919 &+ 1
        var random = RandomGenerator(seed: seed)
        let table = TagTable()
        var keys: [(tags: Set<String>, cohort: TagTable.Number, isDead: Bool)] = []
        let names = (0..<8).map { "tag\($0)" }
        for _ in 0..<2000 {
            switch random.below(10) {
            case 0..<5:
                let tags = (0...random.below(3)).map { _ in names[random.below(names.count)] }
                let number = cohort(table, tags)
                table.retain(number)
                keys.append((Set(tags), number, false))
            case 5..<8:
                guard !keys.isEmpty else { continue }
                let key = keys.remove(at: random.below(keys.count))
                table.release(key.cohort)
            case 8:
                let name = names[random.below(names.count)]
                let expected = keys.count { !$0.isDead && $0.tags.contains(name) }
                #expect(table.invalidate(bytes(name).span) == expected, "seed \(seed)")
                for index in keys.indices where keys[index].tags.contains(name) { keys[index].isDead = true }
            default:
                if random.below(2) == 0 { _ = table.settle(limit: random.below(4)) }
                table.keepsNumbers = random.below(3) == 0
                let name = names[random.below(names.count)]
                let expected = keys.count { !$0.isDead && $0.tags.contains(name) }
                #expect(table.keyCount(of: bytes(name).span) == expected, "seed \(seed)")
            }
            #expect(table.deadKeyCount == keys.count { $0.isDead }, "seed \(seed)")
        }
        for key in keys {
            #expect(table.isDead(key.cohort) == key.isDead, "seed \(seed)")
            #expect(Set(table.names(of: key.cohort)) == Set(key.tags.map(bytes)), "seed \(seed)")
        }
        table.keepsNumbers = false
        for key in keys { table.release(key.cohort) }
        #expect(table.isEmpty, "seed \(seed)")
    }
}
