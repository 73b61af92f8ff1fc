// SetCommandTests.swift - sets in all three encodings: adding, removing, moving, algebra, picking, scanning, the points
// where the encoding changes, and the byte account. Expected replies were taken from stock servers.
import Base
import Commands
import Engine
import Keyspace
import RESP
import Structures
import TestKit
import Testing

struct SetCommandTests {
    private static let wrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value"
    private static let huge = "9223372036854775807"
    private static let tiny = "-9223372036854775808"

    /// The same replies from compact forms, tables, and sets that turn from one to the other on the way. Replies that
    /// are sets are written `SET[...]`.
    private func run(_ variant: TestVariant, _ lines: [(String, String)]) throws {
        let opening = variant.protocolVersion == 3 ? "(unordered) ~[" : "(unordered) ["
        let table = lines.map { ($0.0, $0.1.replacing("SET[", with: opening)) }
        try TestSession(variant).run(table)
        try TestSession(variant).run(
            [("CONFIG SET set-max-intset-entries 0 set-max-listpack-entries 0", "OK")] + table)
        try TestSession(variant).run(
            [("CONFIG SET set-max-intset-entries 2 set-max-listpack-entries 3", "OK")] + table)
    }

    @Test(arguments: TestVariant.all)
    func addingAndRemoving(variant: TestVariant) throws {
        try run(variant, [
            ("SADD s 1 2 3", "3"), ("SADD s 3 a", "1"), ("SCARD s", "4"), ("SCARD none", "0"), ("SISMEMBER s 2", "1"),
            ("SISMEMBER s 02", "0"), ("SISMEMBER s a", "1"), ("SISMEMBER none a", "0"), ("SADD s ''", "1"),
            ("SMISMEMBER s 1 x a ''", "[1, 0, 1, 1]"), ("SMISMEMBER none a b", "[0, 0]"), ("SADD s a 1 ''", "0"),
            ("SMEMBERS s", #"SET["", "1", "2", "3", "a"]"#), ("SMEMBERS none", "SET[]"), ("SREM s x", "0"),
            ("SREM none x", "0"), ("SREM s 1 '' x", "2"), ("SREM s 2 3 a a", "3"), ("EXISTS s", "0"),
            ("SADD t x x", "1"), ("SADD u 5 5", "1"), ("SCARD u", "1"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func moving(variant: TestVariant) throws {
        try run(variant, [
            ("SADD a x 1", "2"), ("SADD b y", "1"), ("SMOVE a b x", "1"), ("SMOVE a b none", "0"),
            ("SMOVE none b x", "0"), ("SMEMBERS b", #"SET["x", "y"]"#), ("SMOVE a a 1", "1"), ("SMOVE a a 2", "0"),
            ("SMOVE a new 1", "1"), ("EXISTS a", "0"), ("SMEMBERS new", #"SET["1"]"#), ("SET str v", "OK"),
            ("SMOVE new str 1", Self.wrongType), ("SMOVE str new 1", Self.wrongType), ("SMOVE none str 1", "0"),
            ("SADD b 1", "1"), ("SMOVE new b 1", "1"), ("EXISTS new", "0"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func algebra(variant: TestVariant) throws {
        try run(variant, [
            ("SADD a 1 2 3 4", "4"), ("SADD b 3 4 x", "3"), ("SADD c 4 x y", "3"),
            ("SINTER a b", #"SET["3", "4"]"#), ("SINTER a b c", #"SET["4"]"#), ("SINTER a none", "SET[]"),
            ("SINTER a a", #"SET["1", "2", "3", "4"]"#), ("SUNION b c", #"SET["3", "4", "x", "y"]"#),
            ("SUNION none", "SET[]"), ("SDIFF a b", #"SET["1", "2"]"#), ("SDIFF a b c none", #"SET["1", "2"]"#),
            ("SDIFF none a", "SET[]"), ("SDIFF a a", "SET[]"), ("SINTERSTORE d a b", "2"),
            ("SMEMBERS d", #"SET["3", "4"]"#), ("SUNIONSTORE d d c", "4"), ("SMEMBERS d", #"SET["3", "4", "x", "y"]"#),
            ("SDIFFSTORE d d d", "0"), ("EXISTS d", "0"), ("SET d v", "OK"), ("SDIFFSTORE d a b", "2"),
            ("TYPE d", "set"), ("SINTERSTORE d none a", "0"), ("EXISTS d", "0"), ("SINTERCARD 2 a b", "2"),
            ("SINTERCARD 2 a b LIMIT 1", "1"), ("SINTERCARD 2 a b LIMIT 0", "2"), ("SINTERCARD 1 none", "0"),
            ("SINTERCARD 0 a", "(error) ERR numkeys should be greater than 0"),
            ("SINTERCARD 3 a b", "(error) ERR Number of keys can't be greater than number of args"),
            ("SINTERCARD 1 a LIMIT -1", "(error) ERR LIMIT can't be negative"),
            ("SINTERCARD 1 a FOO", "(error) ERR syntax error"), ("SET str v", "OK"), ("SUNION a str", Self.wrongType),
            ("SINTER none str", Self.wrongType), ("SDIFFSTORE a a str", Self.wrongType), ("SCARD a", "4"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func picking(variant: TestVariant) throws {
        try run(variant, [
            ("SADD one m", "1"), ("SRANDMEMBER one", #""m""#), ("SRANDMEMBER one 3", #"["m"]"#),
            ("SRANDMEMBER one -2", #"["m", "m"]"#), ("SRANDMEMBER one 0", "[]"), ("SRANDMEMBER none", "(nil)"),
            ("SRANDMEMBER none -3", "[]"), ("SRANDMEMBER one -2147483649", "(error) ERR value is out of range"),
            ("SRANDMEMBER one -\(Self.huge)", "(error) ERR value is out of range"),
            ("SRANDMEMBER one \(Self.tiny)",
                "(error) ERR value is out of range, value must between -\(Self.huge) and \(Self.huge)"),
            ("SRANDMEMBER one 1 2", "(error) ERR syntax error"), ("SADD s 1 2 a", "3"),
            ("SRANDMEMBER s \(Self.huge)", #"(unordered) ["1", "2", "a"]"#), ("SPOP s 0", "SET[]"),
            ("SPOP s -1", "(error) ERR value is out of range, must be positive"), ("SPOP none", "(nil)"),
            ("SPOP none 3", "SET[]"), ("SPOP s \(Self.huge)", #"SET["1", "2", "a"]"#), ("EXISTS s", "0"),
            ("SPOP one", #""m""#), ("EXISTS one", "0"), ("SADD five 1 2 3 4 5", "5"), ("SPOP five 3", "(any)"),
            ("SCARD five", "2"), ("SADD words a b c d e", "5"), ("SPOP words 2", "(any)"), ("SCARD words", "3"),
            ("SSCAN none 0", #"["0", []]"#), ("SADD t 7", "1"), ("SSCAN t 0", #"["0", ["7"]]"#),
            ("SSCAN t 0 MATCH 8*", #"["0", []]"#), ("SSCAN t 0 MATCH [0-9] COUNT 3", #"["0", ["7"]]"#),
            ("SSCAN t 0 NOVALUES", "(error) ERR NOVALUES option can only be used in HSCAN"),
        ])
    }

    @Test func encodings() throws {
        let limit = String(repeating: "x", count: 64)
        try TestSession(TestVariant()).run([
            ("SADD i 1 2", "2"), ("OBJECT ENCODING i", #""intset""#), ("SADD i 4294967296", "1"),
            ("OBJECT ENCODING i", #""intset""#), ("SADD i a", "1"), ("OBJECT ENCODING i", #""listpack""#),
            ("SADD i \(limit)x", "1"), ("OBJECT ENCODING i", #""hashtable""#), ("SADD l \(limit)", "1"),
            ("OBJECT ENCODING l", #""listpack""#), ("SADD wide \(limit)x", "1"),
            ("OBJECT ENCODING wide", #""hashtable""#), ("CONFIG SET set-max-intset-entries 3", "OK"),
            ("SADD j 1 2 3", "3"), ("OBJECT ENCODING j", #""intset""#), ("SADD j 4", "1"),
            ("OBJECT ENCODING j", #""hashtable""#), ("SADD k 1 2 3 4", "4"), ("OBJECT ENCODING k", #""listpack""#),
            ("SINTERSTORE d j k", "4"), ("SREM k 4", "1"), ("SINTERSTORE d j k", "3"),
            ("OBJECT ENCODING d", #""intset""#), ("SUNIONSTORE d i", "5"), ("OBJECT ENCODING d", #""hashtable""#),
        ])
    }

    @Test func journalNamesWhatWasPopped() throws {
        let session = try TestSession(TestVariant())
        session.server.withEngine { $0.setJournal(.replicas, isOn: true) }
        try session.run([
            ("SADD s a", "1"), ("SADD s a b", "1"), ("SPOP s 2", "(any)"), ("SADD t x", "1"), ("SPOP t", "(any)"),
        ])
        session.server.withEngine { engine in
            engine.takeJournal { bytes in
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(!text.contains("SPOP"))
                #expect(text.contains("DEL\r\n$1\r\ns\r\n") && text.contains("SREM\r\n$1\r\nt\r\n$1\r\nx\r\n"))
            }
        }
    }

    /// Commands chosen at random against Swift's sets, from small limits to large ones; nothing is left when all keys
    /// are gone.
    @Test(arguments: [0, 4, 128])
    func randomCommandsAgreeWithAModel(entriesMax: Int) throws {
        let session = try TestSession(
            TestVariant(),
            configuration: "set-max-intset-entries \(entriesMax)\nset-max-listpack-entries \(entriesMax)\n")
        let seed = UInt64.random(in: 1...UInt64(Int64.max))
        var random = RandomGenerator(seed: seed)
        var model: [Set<String>] = [[], [], []]
        func shown(_ set: Set<String>) -> String {
            "(unordered) [" + set.map { "\"\($0)\"" }.sorted().joined(separator: ", ") + "]"
        }
        for step in 0..<1500 {
            let (key, other) = (random.below(3), random.below(3))
            let member = random.below(3) == 0 ? "m\(random.below(12))" : "\(random.below(40) - 20)"
            let line: String
            let expected: String
            switch random.below(10) {
            case 0...2:
                line = "SADD s\(key) \(member)"
                expected = model[key].insert(member).inserted ? "1" : "0"
            case 3:
                line = "SREM s\(key) \(member)"
                expected = model[key].remove(member) == nil ? "0" : "1"
            case 4:
                line = "SMOVE s\(key) s\(other) \(member)"
                expected = model[key].contains(member) ? "1" : "0"
                if model[key].remove(member) != nil { model[other].insert(member) }
            case 5:
                line = "SDIFFSTORE s2 s\(key) s\(other)"
                model[2] = model[key].subtracting(model[other])
                expected = "\(model[2].count)"
            case 6:
                line = "SINTER s\(key) s\(other)"
                expected = shown(model[key].intersection(model[other]))
            case 7:
                line = "SUNION s\(key) s\(other)"
                expected = shown(model[key].union(model[other]))
            case 8:
                line = "SISMEMBER s\(key) \(member)"
                expected = model[key].contains(member) ? "1" : "0"
            default:
                line = "SMEMBERS s\(key)"
                expected = shown(model[key])
            }
            let reply = try session.client.run(line)
            #expect(TestSession.accepts(reply, expected), "seed \(seed), step \(step): \(line) gave \(reply)")
        }
        for key in 0..<3 { _ = try session.client.run("DEL s\(key)") }
        session.server.withEngine { engine in
            #expect(engine.keyspace[0].externalByteCount == 0, "seed \(seed)")
            #expect(engine.keyspace[0].arena.usedByteCount == 0, "seed \(seed)")
        }
    }

    /// Commands of one pipeline on one large set are looked ahead for; whatever they are, and whatever becomes of the
    /// set meanwhile, the replies are those of commands that come alone.
    @Test
    func aPipelineOnOneLargeSet() throws {
        let seed = UInt64.random(in: 1...UInt64(Int64.max))
        var random = RandomGenerator(seed: seed)
        var lines: [String] = []
        for _ in 0..<3000 {
            let member = random.below(12_000)
            let line =
                switch random.below(60) {
                case 0: "DEL big"
                case 1: "RENAME big other"
                case 2: "SUNIONSTORE big base"
                case 3: "SET big text"
                case 4: "SADD"
                case 5: "NOSUCHCOMMAND big \(member)"
                case 6: "SCARD big"
                case 7: "SMOVE big other \(member)x"
                case 8: "HGET big \(member)"
                case 9: "SADD big \(member)y \(member)z"
                case 10..<30: "SISMEMBER big \(member)x"
                case 30..<40: "SREM big \(member)x"
                default: "SADD big \(member)x"
                }
            lines.append(line)
        }
        let filling = (["SADD", "base"] + (0..<6000).map { "\($0)x" }).map { Array($0.utf8) }
        var replies: [[String]] = []
        for isPipelined in [true, false] {
            let session = try TestSession(TestVariant())
            defer { session.server.stop() }
            let client = session.client
            _ = try client.run(arguments: filling)
            _ = try client.run("SUNIONSTORE big base")
            if isPipelined { try client.send(raw: lines.map { $0 + "\r\n" }.joined()) }
            replies.append(try lines.map { try (isPipelined ? client.reply(to: $0) : client.run($0)).description })
        }
        #expect(replies[0] == replies[1], "seed \(seed)")
    }
}
