// RandomGeneratorTests.swift - the sequence of xoshiro256** is fixed by its definition; bounded numbers are even.
import Base
import Testing

struct RandomGeneratorTests {
    @Test func theSequenceIsXoshiro256StarStarSeededBySplitMix64() {
        var random = RandomGenerator(seed: 0)
        let expected: [UInt64] = [
            0x99ec5f36cb75f2b4, 0xbf6e1f784956452a, 0x1a5f849d4933e6e0,
            0x6aa594f1262d2d2c, 0xbba5ad4a1f842e59, 0xffef8375d9ebcaca,
        ]
        #expect(expected.map { _ in random.next() } == expected)
    }

    @Test func equalSeedsGiveEqualSequencesAndOthersDoNot() {
        var first = RandomGenerator(seed: 42)
        var second = RandomGenerator(seed: 42)
        var third = RandomGenerator(seed: 43)
        let sequence = (0..<8).map { _ in first.next() }
        #expect(sequence == (0..<8).map { _ in second.next() })
        #expect(sequence != (0..<8).map { _ in third.next() })
        var system = RandomGenerator()
        var other = RandomGenerator()
        #expect(system.next() != other.next())
    }

    @Test(arguments: [1, 2, 3, 7, 10, 1000])
    func boundedNumbersAreEven(bound: Int) {
        var random = RandomGenerator(seed: testSeed)
        var counts = [Int](repeating: 0, count: bound)
        let drawCount = bound * 2000
        for _ in 0..<drawCount { counts[random.below(bound)] += 1 }
        // Chi-squared with bound - 1 degrees of freedom: mean bound - 1, deviation sqrt(2(bound - 1)); seven sigma.
        let chiSquared = counts.reduce(0.0) { $0 + Double(($1 - 2000) * ($1 - 2000)) / 2000 }
        let freedom = Double(bound - 1)
        #expect(chiSquared <= freedom + 7 * (2 * freedom).squareRoot() + 20 * (bound > 1 ? 1 : 0), "seed \(testSeed)")
    }

    @Test func largeBoundsAreReached() {
        var random = RandomGenerator(seed: testSeed)
        var largest = 0
        for _ in 0..<1000 { largest = max(largest, random.below(.max)) }
        #expect(largest > Int.max / 2, "seed \(testSeed)")
        for _ in 0..<1000 {
            let value = random.unit()
            #expect(value >= 0 && value < 1, "seed \(testSeed)")
        }
    }

    @Test func runIdentifiersAreFortyHexadecimalDigits() {
        let identifiers = (0..<200).map { _ in RunIdentifier.make() }
        #expect(Set(identifiers).count == 200)
        for identifier in identifiers {
            #expect(identifier.utf8.count == 40)
            #expect(identifier.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        }
    }
}
