// ArgumentTextTests.swift - quoting; the lines without a zero byte or newline were sent to Redis 7.0 as inline RPUSH.
import Base
import Testing

struct ArgumentTextTests {
    @Test(arguments: [
        ("", []), ("   ", []), ("a", ["a"]), (" a  b\tc\r\n", ["a", "b", "c"]), ("\"\"", [""]), ("''", [""]),
        ("\"a b\" c", ["a b", "c"]), ("'a b' c", ["a b", "c"]), ("foo\"bar\"", ["foobar"]),
        ("foo'b r' x", ["foob r", "x"]),
        ("\"a\\nb\\r\\t\\b\\a\\\\\\\"\\q\"", ["a\nb\r\t\u{8}\u{7}\\\"q"]), ("\"\\x41\\x6g\\x\"", ["Ax6gx"]),
        ("'\\x41\\n'", ["\\x41\\n"]), ("'it\\'s'", ["it's"]), ("a\\nb", ["a\\nb"]), ("a\u{b}b", ["a\u{b}b"]),
        ("\u{b}a", ["a"]), ("a b\u{0}c", ["a", "b"]), ("\"a\"\u{b}b", ["a", "b"]), ("\"'\" '\"'", ["'", "\""]),
    ] as [(String, [String])])
    func lines(line: String, arguments: [String]) {
        #expect(ArgumentText.split(bytes(line).span) == arguments.map(bytes))
    }

    @Test(arguments: [
        "\"", "'", "\"a", "'a", "\"a\"b", "'a'b", "\"a\"\"b\"", "\"a\\", "\"a\\\"", "'a\\'", "a \"b",
        "\"a\u{0}\"",
    ])
    func unbalancedLines(line: String) {
        #expect(ArgumentText.split(bytes(line).span) == nil)
    }

    @Test func quoting() {
        #expect(appended { ArgumentText.appendQuoted(bytes("").span, to: &$0) } == "\"\"")
        #expect(appended { ArgumentText.appendQuoted(bytes("a\"\\\n\r\t\u{7}\u{8}\u{0}~").span, to: &$0) }
            == "\"a\\\"\\\\\\n\\r\\t\\a\\b\\x00~\"")
        #expect(appended { ArgumentText.appendQuoted(([0x7f, 0xff, 0x1b] as [UInt8]).span, to: &$0) }
            == "\"\\x7f\\xff\\x1b\"")
    }

    @Test func quotedBytesReadBack() {
        var random = RandomGenerator(seed: testSeed)
        for _ in 0..<2000 {
            let arguments = (0...random.below(4)).map { _ in random.bytes(countMax: 12, alphabet: Array(0...255)) }
            var line = ByteBuffer()
            for argument in arguments {
                ArgumentText.appendQuoted(argument.span, to: &line)
                line.append(UInt8(ascii: " "))
            }
            #expect(ArgumentText.split(line.span) == arguments, "seed \(testSeed)")
        }
    }

    @Test func randomLinesNeverTrap() {
        var random = RandomGenerator(seed: testSeed)
        var refusedCount = 0
        for _ in 0..<20_000 {
            let line = random.bytes(countMax: 12, alphabet: bytes("ab\"'\\x4 \u{0}\n"))
            if ArgumentText.split(line.span) == nil { refusedCount += 1 }
        }
        #expect(refusedCount > 1000 && refusedCount < 19_000, "seed \(testSeed)")
    }
}
