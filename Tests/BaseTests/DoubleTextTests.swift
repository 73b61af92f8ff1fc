// DoubleTextTests.swift - scores in and out. The shortest texts were compared with ZSCORE of Valkey 9.1, what is
// accepted and refused with ZADD of Redis 7.0.
import Base
import Testing

struct DoubleTextTests {
    @Test(arguments: [
        ("0", 0), ("-0", -0.0), ("3", 3), ("+3", 3), ("007", 7), ("1.5", 1.5), (".5", 0.5), ("1.", 1), ("-.5e1", -5),
        ("1e5", 100_000), ("1E5", 100_000), ("1e+5", 100_000), ("1e-2", 0.01), ("0x10", 16), ("0x1p-3", 0.125),
        ("inf", .infinity), ("+inf", .infinity), ("-inf", -.infinity), ("INF", .infinity), ("Infinity", .infinity),
        ("4e-324", Double.leastNonzeroMagnitude), ("1e-307", 1e-307),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("123456789012345678901234567890", 1.2345678901234568e29), ("9007199254740993", 9_007_199_254_740_992),
        ("0.1", 0.1), ("3.14", 3.14), ("123456789.123456789", 123_456_789.123456789), ("1e400000", nil),
    ] as [(String, Double?)])
    func wholeTextIsANumber(text: String, value: Double?) {
        let parsed = DoubleText.parse(bytes(text).span)
        #expect(parsed == value && parsed?.sign == value?.sign)
    }

    @Test(arguments: [
        "", " 1", "1 ", "\t1", "nan", "-nan", "nan(1)", "NaN", ".", "-", "+", "1e", "1e+", "e5", "0x", "1_0", "infx",
        "inf ", "1e400", "-1e400", "1e-400", "2e-324", "1,5", "1\u{0}", "\u{0}", "--1", "1.2.3",
    ])
    func otherTextIsNot(text: String) {
        #expect(DoubleText.parse(bytes(text).span) == nil)
    }

    @Test(arguments: [
        ("", 0), (" 1", 1), ("1e400", .infinity), ("-1e400", -.infinity), ("1e-400", 0), ("inf", .infinity), ("5", 5),
        ("nan", nil), ("x", nil), ("1 ", nil),
    ] as [(String, Double?)])
    func rangeBoundsAreReadLeniently(text: String, value: Double?) {
        #expect(DoubleText.parseRangeBound(bytes(text).span) == value)
    }

    @Test func longTextIsRead() {
        #expect(DoubleText.parse(bytes(String(repeating: "0", count: 20_000) + "5.25").span) == 5.25)
        #expect(DoubleText.parse(bytes("1." + String(repeating: "0", count: 20_000)).span) == 1)
    }

    @Test(arguments: [
        (0, "0"), (-0.0, "-0"), (3, "3"), (-3, "-3"), (0.1, "0.1"), (-0.1, "-0.1"), (3.14, "3.14"), (1e20, "1e+20"),
        (1e21, "1e+21"), (1e-5, "0.00001"), (1e-6, "0.000001"), (1e-7, "1e-7"), (.leastNonzeroMagnitude, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (123456.789, "123456.789"),
        (0.0001234, "1.234e-4"), (0.001234, "0.001234"),
        (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"), (0x1p62, "4611686018427387904"),
        (0x1p63, "9223372036854776000"), (1e22, "1e+22"), (1.2345678901234568e29, "1.2345678901234568e+29"),
        (100, "100"), (1e15, "1000000000000000"), (0.30000000000000004, "0.30000000000000004"),
        // Two of the values where the method misses the shortest form, as Valkey does.
        (4.93210974925117e236, "4.9321097492511695e+236"), (7100512671.482409, "7.1005126714824085e+9"),
        (1.5e-10, "1.5e-10"), (2.5e100, "2.5e+100"), (-1.2345678901234567e-200, "-1.2345678901234567e-200"),
    ] as [(Double, String)])
    func shortestText(value: Double, text: String) {
        #expect(appended { DoubleText.append(value, to: &$0) } == text)
    }

    @Test(arguments: [
        (0, 4, "0.0000"), (166274.1516, 4, "166274.1516"), (0.00005, 4, "0.0000"),
        (0.25, 1, "0.2"), (0.75, 1, "0.8"), (-1.5, 4, "-1.5000"), (1.23456, 2, "1.23"),
        (-0.00001, 4, "0.0000"), (0.5, 1, "0.5"), (1e17, 4, "100000000000000000"), (12.5, 17, "12.50000000000000000"),
        (125, 17, "125"),
    ] as [(Double, Int, String)])
    func fixedDecimals(value: Double, decimals: Int, text: String) {
        #expect(appended { DoubleText.append(value, fractionDigitCount: decimals, to: &$0) } == text)
    }

    /// Twenty thousand scores of a fixed sequence: Valkey 9.1's ZMSCORE printed every one of these texts.
    @Test func scoresArePrintedAsValkeyPrintsThem() {
        var random = RandomGenerator(seed: 7)
        var text = ByteBuffer()
        for index in 0..<20_000 {
            var value = Double(bitPattern: random.next())
            if index % 4 == 1 { value = Double(random.below(2_000_000_000)) / 1000 }
            if index % 4 == 2 { value = 1.7e9 + random.unit() * 1e7 }
            if index % 4 == 3 { value = Double(random.below(1_000_000_000)) * 1e-12 }
            guard value.isFinite else { continue }
            DoubleText.append(value, to: &text)
            text.append(UInt8(ascii: "\n"))
        }
        #expect(CRC64.checksum(text.span) == 0x7e21_9020_8685_1513)
    }

    @Test func everyDoubleSurvivesTheRoundTrip() {
        var random = RandomGenerator(seed: testSeed)
        var mismatches = Mismatches()
        for index in 0..<100_000 {
            var value = Double(bitPattern: random.next())
            if index % 4 == 1 { value = Double(random.below(2_000_000_000)) / 1000 }
            if index % 4 == 2 { value = random.unit() }
            if index % 4 == 3 { value = Double(bitPattern: UInt64(random.below(1 << 53))) }
            guard value.isFinite else { continue }
            let text = appended { DoubleText.append(value, to: &$0) }
            mismatches.check(DoubleText.parse(bytes(text).span) == value, "\(value) gave \(text)")
            mismatches.check(Double(text) == value, "\(value) gave \(text)")
            mismatches.check(text.utf8.count <= DoubleText.byteCountMax, "\(text) is too long")
            mismatches.check(DoubleText.parse(bytes("\(value)").span) == value, "\(value) was not read")
        }
        mismatches.expectNone()
    }
}
