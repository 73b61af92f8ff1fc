// MemoryTextTests.swift - amounts of memory; the inputs were tried with CONFIG SET maxmemory on Redis 7.0. Unlike it,
// amounts from 2^63 on are refused here instead of wrapped or clamped, and so is text behind a zero byte.
import Base
import Testing

struct MemoryTextTests {
    @Test(arguments: [
        ("0", 0), ("1024", 1024), ("1b", 1), ("1k", 1000), ("1kB", 1024), ("2M", 2_000_000), ("3mb", 3 << 20),
        ("1g", 1_000_000_000), ("2Gb", 2 << 30), ("", 0), ("kb", 0), ("007", 7),
        ("9223372036854775807", .max), ("8589934591gb", 8_589_934_591 << 30),
    ] as [(String, Int64)])
    func amounts(text: String, value: Int64) {
        #expect(MemoryText.parse(bytes(text).span) == value)
    }

    @Test(arguments: [
        "-1", "-5k", "+1", " 1", "1 ", "1x", "1kbb", "1 kb", "1.5gb", "x", "9223372036854775808", "8589934592gb",
        "99999999999999999999", "1\u{0}",
    ])
    func notAmounts(text: String) {
        #expect(MemoryText.parse(bytes(text).span) == nil)
    }

    @Test(arguments: [
        (0, "0B"), (1, "1B"), (1023, "1023B"), (1024, "1.00K"), (1536, "1.50K"), (1_048_575, "1024.00K"),
        (1 << 20, "1.00M"), (1_288_490, "1.23M"), (1 << 30, "1.00G"), (5_368_709_120, "5.00G"), (1 << 40, "1.00T"),
        (1 << 50, "1.00P"), (1 << 60, "1152921504606846976B"), (-5, "-5B"), (1029, "1.00K"), (1030, "1.01K"),
        ((1 << 60) - 1, "1024.00P"), (1_152_921_504_606_846_000, "1024.00P"),
    ])
    func humanText(byteCount: Int, text: String) {
        #expect(MemoryText.human(byteCount) == text)
    }

    @Test func humanTextRoundsAsPrintfDoes() {
        var random = RandomGenerator(seed: testSeed)
        var mismatches = Mismatches()
        for round in 0..<20_000 {
            let value = round < 4000 ? 1024 + round : random.below(1 << 60) >> random.below(50)
            mismatches.check(MemoryText.human(value) == printfText(value), "\(value)")
        }
        mismatches.expectNone()
    }

    private func printfText(_ value: Int) -> String {
        var quotient = Double(value)
        var letters = ["B", "K", "M", "G", "T", "P"]
        var limit = 1024
        while value >= limit {
            quotient /= 1024
            limit <<= 10
            letters.removeFirst()
        }
        return letters[0] == "B" ? "\(value)B" : fixedText(quotient, decimals: 2) + letters[0]
    }
}
