// IntegerTextTests.swift - integer parsing against the rules of Redis and against the standard library.
import Base
import Testing

struct IntegerTextTests {
    @Test(arguments: [
        ("0", 0), ("7", 7), ("-1", -1), ("10", 10), ("999999999999999999", 999_999_999_999_999_999),
        ("1000000000000000000", 1_000_000_000_000_000_000), ("9223372036854775807", Int64.max),
        ("-9223372036854775808", Int64.min), ("-9223372036854775807", Int64.min + 1),
    ] as [(String, Int64)])
    func canonicalTextIsANumber(text: String, value: Int64) {
        #expect(IntegerText.parse(bytes(text).span) == value)
        #expect(IntegerText.byteCount(of: value) == text.utf8.count)
    }

    @Test(arguments: [
        "", "-", "+", "+1", "-0", "00", "01", "-01", " 1", "1 ", "1a", "a", "0x1", "1.0", "--1", "1e3", "/", ":",
        "9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
        "99999999999999999999", "100000000000000000000", "-99999999999999999999", "1\u{0}", "\u{0}",
    ])
    func otherTextIsNot(text: String) {
        #expect(IntegerText.parse(bytes(text).span) == nil)
    }

    @Test(arguments: [
        ("0", 0), ("18446744073709551615", UInt64.max), ("18446744073709551616", nil), ("20000000000000000000", nil),
        ("-1", nil), ("01", nil), ("", nil), ("9999999999999999999", 9_999_999_999_999_999_999),
        ("100000000000000000000", nil), ("1844674407370955161:", nil),
    ] as [(String, UInt64?)])
    func unsignedText(text: String, value: UInt64?) {
        #expect(IntegerText.parseUnsigned(bytes(text).span) == value)
    }

    @Test(arguments: [
        ("12", 12), ("-5", nil), ("-05", UInt64.max - 4), ("007", 7), (" 7", 7), ("\t\n7", 7), ("+7", 7), ("-0", 0),
        ("7 ", nil), ("", nil), ("+", nil), (" ", nil), ("18446744073709551615", UInt64.max),
        ("18446744073709551616", nil), ("-18446744073709551615", 1), ("+-1", nil),
    ] as [(String, UInt64?)])
    func lenientUnsignedText(text: String, value: UInt64?) {
        #expect(IntegerText.parseUnsignedLenient(bytes(text).span) == value)
    }

    @Test func randomNumbersSurviveTheRoundTrip() {
        var random = RandomGenerator(seed: testSeed)
        var mismatches = Mismatches()
        for _ in 0..<20_000 {
            let value = Int64(truncatingIfNeeded: random.next()) >> Int64(random.below(64))
            let text = "\(value)"
            mismatches.check(IntegerText.parse(bytes(text).span) == value, text)
            mismatches.check(IntegerText.byteCount(of: value) == text.utf8.count, text)
            mismatches.check(IntegerText.parseUnsigned(bytes("\(value.magnitude)").span) == value.magnitude, text)
        }
        mismatches.expectNone()
    }

    @Test func randomTextIsANumberExactlyWhenItIsCanonical() {
        var random = RandomGenerator(seed: testSeed)
        var mismatches = Mismatches()
        for _ in 0..<50_000 {
            let text = random.bytes(countMax: 21, alphabet: bytes("0123456789999-"))
            let reference = Int64(String(decoding: text, as: UTF8.self)).flatMap { bytes("\($0)") == text ? $0 : nil }
            mismatches.check(IntegerText.parse(text.span) == reference, String(decoding: text, as: UTF8.self))
        }
        mismatches.expectNone()
    }
}
