// PatternIndexTests.swift - the tables behind PUBLISH against naive ones: names and their numbers, and which patterns
// may match a name. Seeds are printed when a run fails.
import Base
import Engine
import Testing

struct PatternIndexTests {
    /// Small alphabets, so that names repeat, share beginnings and collide.
    private static func text(_ random: inout RandomGenerator, alphabet: [UInt8], lengthMax: UInt64) -> [UInt8] {
        (0..<(random.next() % (lengthMax + 1))).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func namesKeepTheirNumbers(seed: UInt64) {
        var random = RandomGenerator(seed: seed)
        var table = NameTable()
        var model: [[UInt8]: Int] = [:]
        for step in 0..<20_000 {
            let lengthMax: UInt64 = step % 4000 < 2000 ? 6 : 2
            let name = PatternIndexTests.text(&random, alphabet: Array("abc".utf8), lengthMax: lengthMax)
            // A poor hash as well: half of the names share 16 of them.
            var hash = NameTable.hash(name.span)
            if seed > 2 { hash &= 15 << 32 }
            if random.next() % 3 < 2 {
                let (number, isNew) = table.insert(name.span, hash: hash)
                #expect(isNew == (model[name] == nil), "seed \(seed)")
                if let known = model[name] { #expect(known == number, "seed \(seed)") }
                model[name] = number
            } else if let number = model.removeValue(forKey: name) {
                table.remove(number)
            }
            #expect(table.find(name.span, hash: hash) == model[name], "seed \(seed), step \(step)")
            #expect(table.count == model.count, "seed \(seed)")
        }
        let numbers: Set<Int> = Set(model.map(\.value))
        #expect(numbers.count == model.count, "a number is one name's, seed \(seed)")
        var seen: [[UInt8]: Int] = [:]
        table.forEach { number, name in seen[name] = number }
        #expect(seen == model, "seed \(seed)")
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func findsWhatALinearSearchFinds(seed: UInt64) {
        var random = RandomGenerator(seed: seed)
        var index = PatternIndex()
        var patterns: [Int: [UInt8]] = [:]
        var numbers: [[UInt8]: Int] = [:]
        let text = seed % 2 == 0 ? "aab*?" : "ab:*?[]\\^-"
        let alphabet = Array(text.utf8)
        for step in 0..<3000 {
            let pattern = PatternIndexTests.text(&random, alphabet: alphabet, lengthMax: 7)
            if let number = numbers[pattern] {
                if random.next() % 2 == 0 {
                    index.remove(pattern.span, number: number)
                    numbers[pattern] = nil
                    patterns[number] = nil
                }
            } else {
                index.insert(pattern.span, number: step)
                numbers[pattern] = step
                patterns[step] = pattern
            }
            guard step % 7 == 0 else { continue }
            let name = PatternIndexTests.text(&random, alphabet: Array("ab:[\\".utf8), lengthMax: 8)
            var candidates: [Int] = []
            index.appendCandidates(for: name.span, to: &candidates)
            #expect(Set(candidates).count == candidates.count, "each once, seed \(seed)")
            #expect(index.count == patterns.count)
            let found = candidates.filter { number in
                guard let pattern = patterns[number] else { return false }
                return Glob.matches(pattern: pattern.span, text: name.span)
            }
            let wanted = patterns.filter { Glob.matches(pattern: $0.value.span, text: name.span) }.map(\.key)
            #expect(found.sorted() == wanted.sorted(), "seed \(seed), step \(step)")
        }
    }

    /// The point of it: of ten thousand patterns a name sees those that begin or end as it does.
    @Test func looksAtFewPatterns() {
        var index = PatternIndex()
        for number in 0..<5000 {
            index.insert(Array("news.\(number).*".utf8).span, number: number)
            index.insert(Array("*:user:\(number)".utf8).span, number: 5000 + number)
        }
        for (name, expected) in [("news.17.sports", 1), ("weather", 0), ("a:user:44", 1), ("news.5", 0), ("", 0)] {
            var candidates: [Int] = []
            index.appendCandidates(for: Array(name.utf8).span, to: &candidates)
            // "*:user:4" does not end "a:user:44"; "*:user:44" does.
            #expect(candidates.count <= expected, "\(name): \(candidates.count)")
        }
    }
}
