// HashExpiryTests.swift - fields with a time to live: setting, reading and losing it, fields that die under readers or
// by the clock, the key that goes with the last one, what the journal says, and that nobody else pays. Expected
// replies were taken from Valkey 9.1.
import Base
import Commands
import Engine
import Keyspace
import RESP
import Structures
import TestKit
import Testing

struct HashExpiryTests {
    private static let mismatch =
        "(error) ERR numfields should be greater than 0 and match the provided number of fields"

    @Test(arguments: TestVariant.all)
    func timesAreSetAndTold(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("HSET h a 1 b 2 c 3", "3"), ("OBJECT ENCODING h", #""listpack""#),
            ("HEXPIRE h 100 FIELDS 2 a none", "[1, -2]"),
            ("OBJECT ENCODING h", #""hashtable""#), ("HTTL h FIELDS 3 a b none", "[100, -1, -2]"),
            ("HPEXPIREAT h 4102444800123 FIELDS 1 b", "[1]"), ("HPEXPIRETIME h FIELDS 2 b c", "[4102444800123, -1]"),
            ("HEXPIRETIME h FIELDS 1 b", "[4102444800]"), ("HEXPIRE h 50 NX FIELDS 2 a c", "[0, 1]"),
            ("HEXPIRE h 60 GT FIELDS 2 a c", "[0, 1]"), ("HEXPIRE h 50 LT FIELDS 2 a c", "[1, 1]"),
            ("HPERSIST h FIELDS 2 a c", "[1, 1]"), ("HPERSIST h FIELDS 2 a none", "[-1, -2]"),
            ("HEXPIRE h 70 XX FIELDS 2 a b", "[0, 1]"), ("HEXPIREAT h 1 FIELDS 2 a none", "[2, -2]"),
            ("HEXISTS h a", "0"), ("HPEXPIRE h 0 FIELDS 2 b c", "[2, 2]"), ("EXISTS h", "0"),
            ("HEXPIRE h 10 FIELDS 1 a", "[-2]"), ("HTTL h FIELDS 1 a", "[-2]"), ("HPERSIST h FIELDS 1 a", "[-2]"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func errors(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("HSET h a 1", "1"), ("HEXPIRE h 1 FIELDS 2 a", Self.mismatch), ("HEXPIRE h 1 FIELDS 0 a", Self.mismatch),
            ("HEXPIRE h 1 FIELDS 9223372036854775807 a", Self.mismatch), ("HEXPIRE h 1 a b c d", Self.mismatch),
            ("HEXPIRE h -1 FIELDS 1 a", "(error) ERR invalid expire time in 'hexpire' command"),
            ("HEXPIRE h 9223372036854775807 FIELDS 1 a", "(error) ERR invalid expire time in 'hexpire' command"),
            ("HEXPIRE h 1 FOO FIELDS 1 a", "(error) ERR Unsupported option FOO"),
            ("HSETEX h FIELDS 4611686018427387905 a 1", Self.mismatch),
            ("HSETEX h NX XX FIELDS 1 a 1", "(error) ERR syntax error"),
            ("HGETEX h EX 1 PERSIST FIELDS 1 a", "(error) ERR syntax error"),
            ("HTTL h FIELDS 2 a", "(error) ERR syntax error"),
            ("HGETDEL h FOO 1 a", "(error) ERR syntax error"), ("OBJECT ENCODING h", #""listpack""#),
        ])
    }

    @Test(arguments: TestVariant.all)
    func extendedForms(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("HSETEX h EX 100 FIELDS 2 a 1 b 2", "1"), ("HTTL h FIELDS 2 a b", "[100, 100]"),
            ("HSETEX h KEEPTTL FIELDS 1 a 9", "1"), ("HTTL h FIELDS 1 a", "[100]"), ("HSETEX h FIELDS 1 a 8", "1"),
            ("HTTL h FIELDS 1 a", "[-1]"), ("HSETEX h FNX FIELDS 2 a 1 c 1", "0"), ("HEXISTS h c", "0"),
            ("HSETEX h FXX FIELDS 2 a 1 c 1", "0"), ("HSETEX h FXX FIELDS 2 a 1 b 1", "1"),
            ("HSETEX h NX FIELDS 1 c 1", "0"),
            ("HSETEX n XX FIELDS 1 c 1", "0"), ("EXISTS n", "0"), ("HSETEX n NX FIELDS 1 c 1", "1"),
            ("HGETEX h EX 200 FIELDS 2 a none", #"["1", (nil)]"#), ("HTTL h FIELDS 1 a", "[200]"),
            ("HGETEX h PERSIST FIELDS 1 a", #"["1"]"#), ("HTTL h FIELDS 1 a", "[-1]"),
            ("HGETEX h PXAT 1 FIELDS 1 a", #"["1"]"#), ("HEXISTS h a", "0"),
            ("HGETDEL h FIELDS 2 b b", #"["1", (nil)]"#),
            ("EXISTS h", "0"), ("HGETDEL h FIELDS 1 a", "[(nil)]"), ("HSETEX n EX 0 FIELDS 1 c 1", "1"),
            ("EXISTS n", "0"),
        ])
    }

    /// What keeps a field's time, and what takes it away.
    @Test(arguments: TestVariant.all)
    func timesGoWithTheirFields(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("HSETEX h EX 100 FIELDS 1 a 1", "1"), ("HINCRBY h a 1", "2"), ("HINCRBYFLOAT h a 0.5", #""2.5""#),
            ("HTTL h FIELDS 1 a", "[100]"), ("COPY h c", "1"), ("HTTL c FIELDS 1 a", "[100]"), ("RENAME c r", "OK"),
            ("HTTL r FIELDS 1 a", "[100]"), ("MOVE r 1", "1"), ("SELECT 1", "OK"), ("HTTL r FIELDS 1 a", "[100]"),
            ("SELECT 0", "OK"), ("HSET h a 3", "0"), ("HTTL h FIELDS 1 a", "[-1]"), ("HEXPIRE h 100 FIELDS 1 a", "[1]"),
            ("HDEL h a", "1"), ("HSET h a 3", "1"), ("HTTL h FIELDS 1 a", "[-1]"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func deadFieldsAreNotSeen(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("HSET h a 1 b 2 c 3", "3"), ("HPEXPIRE h 100 FIELDS 2 a b", "[1, 1]"), ("HSET all x 1", "1"),
            ("HPEXPIRE all 100 FIELDS 1 x", "[1]"),
        ])
        session.server.advanceClock(milliseconds: 150)
        try session.run([
            ("HGET h a", "(nil)"), ("HEXISTS h b", "0"), ("HMGET h a b c", #"[(nil), (nil), "3"]"#), ("HLEN h", "1"),
            ("HKEYS h", #"["c"]"#), ("HVALS h", #"["3"]"#), ("HSTRLEN h a", "0"), ("HRANDFIELD h 5", #"["c"]"#),
            ("HSCAN h 0", #"["0", ["c", "3"]]"#), ("HDEL h a", "0"), ("HTTL h FIELDS 1 a", "[-2]"),
            ("HSETNX h a 5", "1"),
            ("HINCRBY h b 7", "7"), ("HTTL h FIELDS 2 a b", "[-1, -1]"), ("HGET all x", "(nil)"), ("EXISTS all", "0"),
        ])
    }

    /// Large tables are worked off by the clock; until then their dead fields are hidden one by one.
    @Test func deadFieldsOfLargeHashesAreHidden() throws {
        let session = try TestSession()
        let pairs = (0..<1500).map { "f\($0) \($0)" }.joined(separator: " ")
        session.server.withEngine { $0.setActiveExpire(false) }
        try session.run([
            ("HSETEX h PX 100 FIELDS 1500 \(pairs)", "1"), ("HSET h stays 1", "1"),
        ])
        session.server.advanceClock(milliseconds: 150)
        try session.run([
            ("HGET h f7", "(nil)"), ("HKEYS h", #"["stays"]"#), ("HRANDFIELD h", #""stays""#),
            ("HRANDFIELD h -3", #"["stays", "stays", "stays"]"#), ("HRANDFIELD h 2", #"["stays"]"#),
            ("HSET h f7 8", "1"), ("HTTL h FIELDS 1 f7", "[-1]"), ("HLEN h", "1501"),
        ])
        session.server.withEngine { engine in
            engine.setActiveExpire(true)
            while engine.tick() == 3 {}
        }
        try session.run([("HLEN h", "2"), ("HGET h f7", #""8""#)])
    }

    @Test func theClockTakesFieldsAndKeys() throws {
        let session = try TestSession()
        session.server.withEngine { $0.setJournal(.replicas, isOn: true) }
        try session.run([
            ("HSET h a 1 b 2", "2"), ("HPEXPIRE h 100 FIELDS 1 a", "[1]"), ("HSET all x 1", "1"),
            ("HPEXPIRE all 50 FIELDS 1 x", "[1]"), ("HSET later y 1", "1"), ("HEXPIRE later 1000 FIELDS 1 y", "[1]"),
        ])
        session.server.withEngine { engine in
            #expect(engine.keyspace[0].expiringHashCount == 3)
            engine.takeJournal { bytes in #expect(String(decoding: bytes, as: UTF8.self).contains("HPEXPIREAT")) }
        }
        session.server.advanceClock(milliseconds: 150)
        session.server.withEngine { engine in
            while engine.tick() == 3 {}
            #expect(engine.keyspace[0].count == 2)
            #expect(engine.keyspace[0].expiringHashCount == 1)
            #expect(engine.keyspace.statistics.expiredFields == 2)
            engine.takeJournal { bytes in
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(text.contains("HDEL\r\n$1\r\nh\r\n$1\r\na\r\n"))
                #expect(text.contains("HDEL\r\n$3\r\nall\r\n$1\r\nx\r\n"))
            }
        }
        try session.run([
            ("HLEN h", "1"), ("EXISTS all", "0"), ("DEL later", "1"), ("HSETEX k EX 100 FIELDS 1 f v", "1"),
            ("HPERSIST k FIELDS 1 f", "[1]"),
        ])
        session.server.withEngine { engine in #expect(engine.keyspace[0].expiringHashCount == 0) }
    }

    @Test func journalSpeaksInMoments() throws {
        let session = try TestSession()
        session.server.withEngine { $0.setJournal(.replicas, isOn: true) }
        let rows: [(String, String)] = [
            ("HSET h a 1 b 2 c 3 d 4", "HSET"),
            ("HEXPIREAT h 4102444800 FIELDS 1 a", "HPEXPIREAT h 4102444800000 FIELDS 1 a"),
            ("HSETEX h FIELDS 1 b 5", "HSET h b 5"), ("HSETEX h KEEPTTL FIELDS 1 a 5", "HSETEX h KEEPTTL FIELDS 1 a 5"),
            ("HSETEX h FXX EXAT 4102444800 FIELDS 1 b 6", "HSETEX h PXAT 4102444800000 FIELDS 1 b 6"),
            ("HINCRBYFLOAT h a 1", "HSETEX h KEEPTTL FIELDS 1 a 6"), ("HINCRBYFLOAT h c 1", "HSET h c 4"),
            ("HGETEX h EXAT 4102444800 FIELDS 2 c none", "HPEXPIREAT h 4102444800000 FIELDS 1 c"),
            ("HGETEX h PERSIST FIELDS 2 a d", "HPERSIST h FIELDS 1 a"), ("HGETEX h FIELDS 1 a", ""),
            ("HEXPIRE h 0 FIELDS 2 a none", "HDEL h a"), ("HGETDEL h FIELDS 2 b none", "HDEL h b"),
            ("HSETEX h PXAT 1 FIELDS 1 c 1", "HDEL h c"), ("HPERSIST h FIELDS 1 d", ""),
            ("HEXPIRE h 10 XX FIELDS 1 d", ""),
        ]
        for (line, expected) in rows {
            _ = try session.client.run(line)
            session.server.withEngine { engine in
                var text = ""
                engine.takeJournal { text = String(decoding: $0, as: UTF8.self) }
                let words = text.split(separator: "\r\n").filter { $0.first != "$" && $0.first != "*" }
                let spelled = words.filter { $0 != "SELECT" }.joined(separator: " ")
                #expect(expected.isEmpty ? spelled.isEmpty : spelled.contains(expected), "\(line): \(spelled)")
            }
        }
    }
}
