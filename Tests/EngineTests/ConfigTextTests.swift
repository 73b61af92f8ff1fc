// ConfigTextTests.swift - quoting, number reading and globs of configuration text, as stock servers do them.
// Tables of text and result; what C's own functions do was tried with them.
// The hostile-pattern test fails by time: an exponential matcher would never finish.
import Testing

@testable import Engine

@Suite struct ConfigTextTests {
    @Test(
        arguments: [
            ("a b  c", ["a", "b", "c"]), ("  a\t b\r\n", ["a", "b"]), ("", []), (" \u{0b}\u{0c} ", []),
            ("\"a b\" c", ["a b", "c"]), ("a\"b c\"", ["ab c"]), ("'a b'", ["a b"]), ("'it\\'s'", ["it's"]),
            ("'a\\n'", ["a\\n"]), ("\"\\x41\\x4a\\n\\r\\t\\\"\\\\\\q\"", ["AJ\n\r\t\"\\q"]), ("\"\\xg1\"", ["xg1"]),
            ("\"\"", [""]), ("'' \"\"", ["", ""]), ("\"a\"\tb", ["a", "b"]), ("a\u{0b}b", ["a\u{0b}b"]), ("#a", ["#a"]),
        ] as [(String, [String])])
    func splits(line: String, arguments: [String]) {
        #expect(ConfigText.splitArguments(bytes(line))?.map { text($0) } == arguments)
    }

    @Test(arguments: ["\"", "a\"", "\"a", "\"a\"b", "'a'b", "'a", "'a\\'", "\"a\\\"", "\"a\\", "'", "a 'b' c\"d"])
    func refusesUnbalanced(line: String) {
        #expect(ConfigText.splitArguments(bytes(line)) == nil)
    }

    @Test func quotedBytesComeBack() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<500 {
            let original = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let line = bytes("name ") + ConfigText.quoted(original)
            #expect(line.allSatisfy { $0 >= 32 && $0 < 127 })
            #expect(ConfigText.splitArguments(line) == [bytes("name"), original])
        }
    }

    @Test(
        arguments: [
            ("0", 0), ("7", 7), ("-7", -7), ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("", nil), ("-", nil), ("-0", nil),
            ("+1", nil),
            ("01", nil), (" 1", nil), ("1 ", nil), ("1x", nil), ("0x1", nil), ("00", nil),
            ("123456789012345678901234567890", nil),
        ] as [(String, Int64?)])
    func readsIntegers(word: String, value: Int64?) {
        #expect(ConfigNumber.integer(bytes(word)) == value)
    }

    @Test(
        arguments: [
            ("0", 0), ("12", 12), ("1b", 1), ("1k", 1000), ("1KB", 1024), ("1m", 1_000_000), ("1Mb", 1 << 20),
            ("1g", 1_000_000_000), ("1gB", 1 << 30), ("", 0), ("kb", 0), ("18446744073709551616", UInt64.max),
            ("99999999999gb", 15_140_462_030_378_500_096), ("-1", nil), ("1tb", nil), ("1 kb", nil), ("1.5gb", nil),
            (String(repeating: "1", count: 127), UInt64.max), (String(repeating: "1", count: 128), nil),
        ] as [(String, UInt64?)])
    func readsMemory(word: String, value: UInt64?) {
        #expect(ConfigNumber.memory(bytes(word)) == value)
    }

    @Test(
        arguments: [
            ("", 0), ("5", 5), (" \t+5", 5), ("-5", -5), ("99999999999999999999", Int64.max),
            ("-99999999999999999999", Int64.min), ("5 ", nil), ("-", nil), (" ", nil), ("5x", nil),
        ] as [(String, Int64?)])
    func readsLikeStrtoll(word: String, value: Int64?) {
        #expect(ConfigNumber.saturating(bytes(word))?.value == value)
    }

    @Test func readsOctal() {
        #expect(ConfigNumber.saturating(bytes("0777"), radix: 8)?.value == 511)
        #expect(ConfigNumber.saturating(bytes("778"), radix: 8) == nil)
        #expect(ConfigNumber.saturating(bytes("7777777777777777777777777"), radix: 8)?.isExact == false)
    }

    @Test(
        arguments: [
            ("50", 50), ("99.9", 99.9), ("0x10", 16), ("-0", 0), ("1e1", 10), ("+3", 3), ("inf", Double.infinity),
            ("nan", nil), ("1e999", nil), ("1e-999", nil), ("", nil), (" 1", nil), ("1 ", nil), ("1x", nil), ("0e5", 0),
        ] as [(String, Double?)])
    func readsReals(word: String, value: Double?) {
        #expect(ConfigNumber.real(bytes(word)) == value)
    }

    @Test(
        arguments: [
            (50, "50"), (99.9, "99.9"), (0, "0"), (-0.0, "-0"), (33.3333333, "33.333333"), (99.9999999, "100"),
            (0.0000005, "0"), (0.00000051, "0.000001"), (1e-300, "0"), (0.5, "0.5"), (99.99, "99.99"), (100, "100"),
            (2.0000015, "2.000002"), (0.1234565, "0.123456"),
        ] as [(Double, String)])
    func printsReals(value: Double, expected: String) {
        #expect(ConfigNumber.fixed(value) == expected)
    }

    @Test(
        arguments: [
            (0, "0"), (1, "1"), (1024, "1kb"), (1 << 20, "1mb"), (5 << 30, "5gb"), (1025, "1025"),
            (-1, "18446744073709551615"),
        ] as [(Int64, String)])
    func printsMemoryWithUnits(value: Int64, expected: String) {
        #expect(ConfigNumber.memoryText(value) == expected)
    }

    @Test(
        arguments: [
            ("*", "maxmemory", true), ("max*", "maxmemory", true), ("max*y", "maxmemory", true),
            ("m?x*", "maxmemory", true),
            ("[^a-l]axmemory", "maxmemory", true), ("[z-m]axmemory", "maxmemory", true), ("ma[x", "max", true),
            ("[", "a", false), ("\\maxmemory", "maxmemory", true), ("MAX*", "maxmemory", true),
            ("max", "maxmemory", false),
            ("", "", true), ("", "a", false), ("**", "", true), ("*a*b*c*", "xaxbxcx", true),
            ("*a*b*c*d", "xaxbxcx", false),
            ("a\\", "a\\", true), ("[]a", "a", false), ("[^]a", "xa", true), ("[a-", "a", true), ("[\\]]", "]", true),
        ] as [(String, String, Bool)])
    func matchesGlobs(pattern: String, name: String, expected: Bool) {
        #expect(ConfigPattern.matches(bytes(pattern), bytes(name), ignoringCase: true) == expected)
    }

    @Test func aHostilePatternIsCheap() {
        let pattern = bytes(String(repeating: "*a", count: 2000) + "b")
        #expect(!ConfigPattern.matches(pattern, bytes(String(repeating: "a", count: 2000)), ignoringCase: true))
    }

    @Test(
        arguments: [
            ("maxmemroy", "maxmemory"), ("MAXMEMORY-POLCY", "maxmemory-policy"), ("apendonly", "appendonly"),
            ("bnd", "bind"), ("slaveoff", "slaveof"), ("inclde", "include"), ("xyzzy", nil), ("q", nil),
            ("completely-different", nil),
        ] as [(String, String?)])
    func suggests(word: String, expected: String?) {
        #expect(DirectiveTable.suggestion(for: bytes(word)) == expected)
    }
}
