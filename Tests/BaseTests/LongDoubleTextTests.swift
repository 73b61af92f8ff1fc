// LongDoubleTextTests.swift - INCRBYFLOAT's numbers. What survives was compared with INCRBYFLOAT of Redis 7.0; the
// C library's "%.17Lf" and strtold are the reference for random ones.
import Base
import CLinux
import Testing

#if arch(x86_64)
struct LongDoubleTextTests {
    @Test(arguments: [
        (0, "0"), (-0.0, "0"), (3, "3"), (-3, "-3"), (0.5, "0.5"), (3.14, "3.14000000000000012"),
        (1e-17, "0.00000000000000001"), (1e-18, "0"), (-1e-18, "0"), (5e-18, "0.00000000000000001"),
        (4.9e-18, "0"), (1e18, "1000000000000000000"), (0x1p63, "9223372036854775808"),
        (0x1p64, "18446744073709551616"), (1e30, "1000000000000000019884624838656"), (.infinity, "inf"),
        (-.infinity, "-inf"), (.nan, "nan"), (0x1p-17, "0.00000762939453125"), (0x1p-18, "0.00000381469726562"),
        (3 * 0x1p-18, "0.00001144409179688"),
    ] as [(Double, String)])
    func textOfDoubles(value: Double, text: String) {
        #expect(appended { LongDoubleText.append(LongDouble(value), to: &$0) } == text)
    }

    @Test(arguments: [
        ("0.1", "0.1"), ("3.14", "3.14"), ("5.0e3", "5000"), ("10.5", "10.5"), ("-0", "0"), ("0x10", "16"),
        ("1e-400", "0"), ("0.99999999999999999", "0.99999999999999999"), ("0.999999999999999999", "1"),
        ("-0.999999999999999999", "-1"), ("9223372036854775807", "9223372036854775807"),
        ("123456789.123456789", "123456789.12345678899873747"), ("inf", "inf"), ("-infinity", "-inf"),
    ])
    func textSurvives(text: String, expected: String) throws {
        let parsed = LongDoubleText.parse(bytes(text).span)
        let value = try #require(parsed)
        #expect(appended { LongDoubleText.append(value, to: &$0) } == expected)
    }

    @Test(arguments: ["", " 1", "1 ", "nan", "-nan", ".", "1e", "0x", "1_0", "1e5000", "-1e5000", "1\u{0}", "abc"])
    func otherTextIsNotANumber(text: String) {
        #expect(LongDoubleText.parse(bytes(text).span) == nil)
    }

    @Test func veryLongTextIsRefused() {
        #expect(LongDoubleText.parse(bytes(String(repeating: "0", count: 5119) + "1").span) == nil)
        #expect(LongDoubleText.parse(bytes(String(repeating: "0", count: 5118) + "1").span) == 1)
    }

    @Test func theLargestNumberFits() {
        let text = appended { LongDoubleText.append(.greatestFiniteMagnitude, to: &$0) }
        #expect(text.utf8.count == 4933)
        #expect(LongDoubleText.parse(bytes(text).span) == .greatestFiniteMagnitude)
    }

    @Test func randomTextIsReadAsTheCLibraryReadsIt() {
        var random = RandomGenerator(seed: testSeed)
        var mismatches = Mismatches()
        for _ in 0..<50_000 {
            let text = random.bytes(countMax: 21, alphabet: bytes("0123456789012345678.-"))
            let reference = unsafe String(decoding: text, as: UTF8.self).withCString { start in
                var end: UnsafeMutablePointer<CChar>?
                let value = unsafe strtold(start, &end)
                return unsafe end == UnsafeMutablePointer(mutating: start) + text.count && !text.isEmpty ? value : nil
            }
            mismatches.check(LongDoubleText.parse(text.span) == reference, String(decoding: text, as: UTF8.self))
            let double = Double(String(decoding: text, as: UTF8.self))
            mismatches.check(DoubleText.parse(text.span) == double, String(decoding: text, as: UTF8.self))
        }
        mismatches.expectNone()
    }

    @Test func randomNumbersPrintAsTheCLibraryPrintsThem() {
        var random = RandomGenerator(seed: testSeed)
        var mismatches = Mismatches()
        for _ in 0..<50_000 {
            let scale = LongDouble(sign: .plus, exponent: random.below(200) - 130, significand: 1)
            var value = LongDouble(random.next() | 1 << 63) * 0x1p-63 * scale
            if random.below(3) == 0 { value = LongDouble(random.below(1_000_000_000)) / 0x1p20 }
            if random.below(2) == 0 { value = -value }
            let reference = unsafe withVaList([value]) { arguments in
                var buffer = [UInt8](repeating: 0, count: 6000)
                let count = unsafe buffer.withUnsafeMutableBytes {
                    unsafe vsnprintf($0.bindMemory(to: CChar.self).baseAddress, 6000, "%.17Lf", arguments)
                }
                var text = String(decoding: buffer[..<Int(count)], as: UTF8.self)
                while text.hasSuffix("0") { text.removeLast() }
                if text.hasSuffix(".") { text.removeLast() }
                return text == "-0" ? "0" : text
            }
            let text = appended { LongDoubleText.append(value, to: &$0) }
            mismatches.check(text == reference, "\(value) gave \(text), not \(reference)")
        }
        mismatches.expectNone()
    }
}
#endif
