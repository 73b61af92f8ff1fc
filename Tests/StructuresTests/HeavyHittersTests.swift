// HeavyHittersTests.swift - the summary of heavy keys against exact counts, under skewed, even and hostile loads. What
// it promises is checked for every key after every load; each failure prints the seed of its run.
import Base
import Structures
import Testing

@Suite struct HeavyHittersTests {
    private func key(_ number: Int) -> [UInt8] { Array("key:\(number)".utf8) }

    /// Shown weights are never too large, and too small by the error at most; nothing heavy is missing.
    private func check(_ summary: HeavyHitters, _ truth: [Int: UInt64], _ seed: UInt64) {
        let total = truth.values.reduce(0, +)
        verify(summary.total == total, "seed \(seed)")
        let shown = summary.heaviest(summary.capacity)
        verify(shown.count == min(truth.count, summary.capacity), "seed \(seed)")
        var weights: [[UInt8]: UInt64] = [:]
        for item in shown { weights[item.key] = item.weight }
        verify(shown.map(\.weight) == shown.map(\.weight).sorted(by: >), "seed \(seed)")
        let share = total / UInt64(summary.capacity)
        for (number, weight) in truth {
            let key = key(number)
            let error = summary.error(of: key.span)
            guard let least = weights[key], let error else {
                verify(weight <= share, "seed \(seed): \(number) with \(weight) of \(total) has no counter")
                continue
            }
            verify(least <= weight && weight <= least + error, "seed \(seed): \(number): \(least) \(weight) \(error)")
            verify(error <= share, "seed \(seed): an error of \(error) of \(total)")
        }
    }

    @Test(arguments: TestSeeds.make(12))
    func keepsItsPromises(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for capacity in [1, 2, 3, 10, 64, 500] {
            var summary = HeavyHitters(capacity: capacity)
            var truth: [Int: UInt64] = [:]
            let keyCount = 1 + random.below(600)
            let isSkewed = random.below(2) == 0
            for _ in 0..<3000 {
                // The product of two draws favours small numbers.
                let number = isSkewed
                    ? random.below(keyCount) * random.below(keyCount) / keyCount : random.below(keyCount)
                let weight = UInt64(random.below(50))
                let key = key(number)
                summary.add(key.span, weight: weight)
                if weight > 0 { truth[number, default: 0] += weight }
            }
            check(summary, truth, seed)
        }
    }

    /// Every key is new: the counters change hands all the time, and the one hot key among them is kept.
    @Test func withstandsKeysThatNeverReturn() {
        var summary = HeavyHitters(capacity: 32)
        let hot = key(-1)
        for number in 0..<20_000 {
            let cold = key(number)
            summary.add(cold.span, weight: 3)
            if number % 5 == 0 { summary.add(hot.span, weight: 10) }
        }
        let first = summary.heaviest(1)
        verify(first.count == 1 && first[0].key == hot, "the hot key is shown first")
        let least = first.first?.weight ?? 0
        verify(least > 36_000 && least <= 40_000, "of 40000 bytes \(least) are shown")
    }

    @Test func takesNothingFromNothing() {
        var summary = HeavyHitters(capacity: 4)
        let key = key(1)
        summary.add(key.span, weight: 0)
        verify(summary.heaviest(4).isEmpty && summary.total == 0, "no weight is no key")
        summary.add([UInt8]().span, weight: 2)
        let items = summary.heaviest(4)
        verify(items.count == 1 && items[0].key.isEmpty && items[0].weight == 2, "the empty key is a key")
    }
}
