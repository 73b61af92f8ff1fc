// CommandParserTests.swift - the command parser: what clients send and what it means, every protocol error with its
// exact words, and streams cut at every place. The errors were compared with Redis 7.0, byte for byte.
import Base
import ParserRun
import RESP
import Testing

struct CommandParserTests {
    static func words(_ run: ParserRun) -> [[String]] {
        run.commands.map { $0.map { String(decoding: $0, as: UTF8.self) } }
    }

    static func message(_ error: ProtocolError) -> String {
        var buffer = ByteBuffer()
        error.append(to: &buffer)
        return buffer.span.text
    }

    @Test(
        arguments: [
            ("*1\r\n$4\r\nPING\r\n", [["PING"]]),
            ("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n", [["SET", "a", ""]]),
            ("*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n", [["PING"], ["GET", "\r\n"]]),
            ("*0\r\n*-1\r\n*-5\r\nPING\r\n", [["PING"]]),
            ("\r\n\n   \r\nPING\n", [["PING"]]),
            ("get  a\tb\r\n", [["get", "a", "b"]]),
            ("set a \"x\\x41\\n\\\"y\"\r\n", [["set", "a", "xA\n\"y"]]),
            ("set a 'it\\'s \\n'\r\n", [["set", "a", "it's \\n"]]),
            ("set \"\" ''\r\n", [["set", "", ""]]),
            ("a\"b c\"\r\n", [["ab c"]]),
            ("PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n", [["PING"], ["PING"], ["PING"]]),
        ] as [(String, [[String]])])
    func commands(input: String, expected: [[String]]) {
        let run = ParserRun(Array(input.utf8))
        #expect(CommandParserTests.words(run) == expected)
        #expect(run.failure == nil)
        #expect(run.end == input.utf8.count)
    }

    @Test(arguments: [
        ("*abc\r\n", true, "invalid multibulk length"),
        ("*2147483648\r\n", true, "invalid multibulk length"),
        ("*99999999999999999999999\r\n", true, "invalid multibulk length"),
        ("*01\r\n", true, "invalid multibulk length"),
        ("* 1\r\n", true, "invalid multibulk length"),
        ("*\r\n", true, "invalid multibulk length"),
        ("*11\r\n", false, "unauthenticated multibulk length"),
        ("*1\r\n$abc\r\n", true, "invalid bulk length"),
        ("*1\r\n$-1\r\n", true, "invalid bulk length"),
        ("*1\r\n$536870913\r\n", true, "invalid bulk length"),
        ("*1\r\n$9223372036854775808\r\n", true, "invalid bulk length"),
        ("*1\r\n$16385\r\n", false, "unauthenticated bulk length"),
        ("*1\r\n:4\r\n", true, "expected '$', got ':'"),
        ("*1\r\n\r\n", true, "expected '$', got ' '"),
        ("get \"a\r\n", true, "unbalanced quotes in request"),
        ("get 'a\r\n", true, "unbalanced quotes in request"),
        ("get \"a\"b\r\n", true, "unbalanced quotes in request"),
    ])
    func errors(input: String, isAuthenticated: Bool, words: String) throws {
        let run = ParserRun(Array(input.utf8), isAuthenticated: isAuthenticated)
        let failure = try #require(run.failure)
        #expect(CommandParserTests.message(failure) == "Protocol error: " + words)
    }

    @Test(arguments: [
        ("x", "too big inline request"), ("*1", "too big mbulk count string"),
        ("*1\r\n$1", "too big bulk count string"),
    ])
    func endlessLines(start: String, words: String) throws {
        let run = ParserRun(Array(start.utf8) + [UInt8](repeating: UInt8(ascii: "1"), count: (64 << 10) + 1))
        #expect(CommandParserTests.message(try #require(run.failure)) == "Protocol error: " + words)
    }

    @Test(arguments: [
        "*", "*1", "*1\r", "*1\r\n", "*1\r\n$4\r\nPIN", "*1\r\n$4\r\nPING", "*1\r\n$4\r\nPING\r", "PING", "PING\r",
    ])
    func unfinished(input: String) {
        let run = ParserRun(Array(input.utf8))
        #expect(run.commands.isEmpty && run.failure == nil && run.end == 0)
    }

    @Test func withinUnauthenticatedLimits() {
        let value = String(repeating: "v", count: 16 << 10)
        let input = "*10\r\n" + String(repeating: "$1\r\na\r\n", count: 9) + "$\(value.count)\r\n\(value)\r\n"
        let run = ParserRun(Array(input.utf8), isAuthenticated: false)
        #expect(run.commands.first?.count == 10 && run.failure == nil)
    }

    /// A stream of everything above means the same wherever it is cut in two.
    @Test func everyCut() {
        let input = Array(
            "*2\r\n$3\r\nGET\r\n$3\r\na\r\n\r\nset a \"b \\x00c\" 'd'\r\n*0\r\n\r\n*1\r\n$0\r\n\r\nPING\n*1\r\n$4\r\nLAST\r\n"
                .utf8)
        let whole = ParserRun(input)
        #expect(whole.commands.count == 5)
        for cut in 0...input.count {
            #expect(ParserRun(input, pieces: [cut]) == whole, "cut at \(cut)")
        }
        #expect(ParserRun(input, pieces: Array(repeating: 1, count: input.count)) == whole)
    }

    /// Random streams, valid and broken, arrive in random pieces.
    @Test func randomPieces() {
        let seed = UInt64.random(in: 1 ... .max)
        var random = RandomGenerator(seed: seed)
        for round in 0..<2000 {
            let input = RandomStream.make(&random)
            let whole = ParserRun(input)
            let pieces = (0..<12).map { _ in random.below(input.count / 4 + 2) }
            #expect(ParserRun(input, pieces: pieces) == whole, "seed \(seed), round \(round), pieces \(pieces)")
        }
    }

    /// What was encoded comes back, whatever its bytes.
    @Test func randomArgumentsComeBack() {
        let seed = UInt64.random(in: 1 ... .max)
        var random = RandomGenerator(seed: seed)
        for round in 0..<500 {
            let commands = (0...random.below(5)).map { _ in
                (0...random.below(6)).map { _ in (0..<random.below(40)).map { _ in UInt8(random.below(256)) } }
            }
            let input = commands.flatMap(RandomStream.multibulk)
            let run = ParserRun(input, pieces: [random.below(input.count)])
            #expect(run.commands == commands && run.end == input.count, "seed \(seed), round \(round)")
        }
    }
}

/// Streams of commands, with a mistake here and there.
enum RandomStream {
    static func multibulk(_ arguments: [[UInt8]]) -> [UInt8] {
        arguments.reduce(into: Array("*\(arguments.count)\r\n".utf8)) { bytes, argument in
            bytes += Array("$\(argument.count)\r\n".utf8) + argument + [13, 10]
        }
    }

    static func make(_ random: inout RandomGenerator) -> [UInt8] {
        let parts = [
            "PING\r\n", "get \"a b\"\r\n", "set 'x' \"\\x0a\"\n", "\r\n", "*0\r\n", "*-1\r\n", "*1\r\n$4\r\nPING\r\n",
        ]
        var bytes: [UInt8] = []
        for _ in 0...random.below(6) {
            if random.below(2) == 0 {
                bytes += Array(parts[random.below(parts.count)].utf8)
            } else {
                let arguments = (0...random.below(4)).map { _ in
                    (0..<random.below(20)).map { _ in UInt8(random.below(256)) }
                }
                bytes += multibulk(arguments)
            }
        }
        if random.below(3) == 0 { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
        if random.below(4) == 0 { bytes.removeLast(random.below(bytes.count)) }
        return bytes
    }
}
