// IntsetTests.swift - the intset against Swift's Set: random adding and removing with integers of every width, and
// after it the bytes must validate and read back in order. Each failure prints the seed of its run.
import Base
import Structures
import Testing

@Suite struct IntsetTests {
    private func check(_ set: borrowing Intset, _ model: Set<Int64>, _ note: String) {
        verify(Intset.validate(set.span, allowsEmpty: true), "\(note): the bytes do not validate")
        let sorted = model.sorted()
        let view = set.view
        verify(view.count == sorted.count && set.isEmpty == sorted.isEmpty, note)
        verify(view.minimum == sorted.first && view.maximum == sorted.last, note)
        for (index, value) in sorted.enumerated() {
            verify(view[index] == value, note)
            verify(view.index(of: value) == index, note)
        }
    }

    @Test(arguments: TestSeeds.make(16))
    func editsMatchTheModel(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var set = Intset()
        var model: Set<Int64> = []
        // Some runs stay narrow, so that every width is met with many members.
        let magnitude = [6, 14, 30, 63][random.below(4)]
        for step in 0..<300 {
            var value = Int64(truncatingIfNeeded: random.next()) >> Int64(63 - magnitude)
            if random.chance(1) { value = random.integer() }
            if random.chance(40), let member = model.sorted().randomMember(&random) { value = member }
            if random.chance(65) {
                verify(set.add(value) == model.insert(value).inserted, "seed \(seed), step \(step)")
            } else {
                verify(set.remove(value) == (model.remove(value) != nil), "seed \(seed), step \(step)")
            }
            let probe = value &+ Int64(random.below(3)) &- 1
            verify(set.view.contains(probe) == model.contains(probe), "seed \(seed), step \(step)")
            verify(set.view.contains(Array(String(probe).utf8).span) == model.contains(probe), "seed \(seed)")
            if step % 16 == 0 { check(set, model, "seed \(seed), step \(step)") }
        }
        let sorted = model.sorted()
        let index = random.below(sorted.count + 1)
        let limit = random.below(sorted.count + 3)
        let removed = set.removeRange(index: index, count: limit)
        let gone = sorted.dropFirst(index).prefix(limit)
        verify(removed == gone.count, "seed \(seed)")
        check(set, model.subtracting(gone), "seed \(seed)")
        let bytes = set.span.array()
        verify(set.take().array() == bytes)
    }

    @Test func bytesAreRedis() {
        for (members, expected) in RedisGoldenBytes.intsets {
            var set = Intset()
            for member in members { verify(set.add(member)) }
            verify(set.span.array() == bytes(hexadecimal: expected), "\(members)")
            verify(Intset(validating: set.span)?.count == members.count)
        }
    }

    @Test func refusesWhatIsNotAnIntset() {
        let good = bytes(hexadecimal: "0200000003000000fbff05002c01")
        verify(Intset.validate(good.span))
        let bad = [
            "", "02000000", "0200000000000000", "0300000001000000fb0000", "0200000004000000fbff05002c01",
            "0200000002000000fbff05002c01", "02000000030000000500fbff2c01", "0200000002000000fbfffbff",
            "08000000ffffffff", "ffffffffffffffff", "0200000003000000fbff05002c0100",
        ]
        for text in bad {
            let payload = bytes(hexadecimal: text)
            verify(!Intset.validate(payload.span), text)
        }
    }
}

extension Array {
    func randomMember(_ random: inout SeededRandom) -> Element? { isEmpty ? nil : self[random.below(count)] }
}
