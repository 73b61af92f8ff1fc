// KeyTests.swift - DEL, EXISTS, TYPE, TOUCH, RENAME, COPY, MOVE, SWAPDB, FLUSH*, KEYS and OBJECT as tables. The replies
// were compared with Redis 7.0.15 and Valkey 9.1.
import Engine
import Keyspace
import TestKit
import Testing

struct KeyTests {
    @Test(arguments: TestVariant.all)
    func presence(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("SET a 1", "OK"), ("SET b hello", "OK"),
            ("EXISTS a b a nokey", "3"), ("TOUCH a b none a", "3"),
            ("TYPE a", "string"), ("TYPE none", "none"),
            ("DEL a none a", "1"), ("UNLINK b b", "1"), ("DBSIZE", "0"), ("RANDOMKEY", "(nil)"),
            ("DEL", "(error) ERR wrong number of arguments for 'del' command"),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func names(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("RENAME none x", "(error) ERR no such key"), ("RENAMENX none none", "(error) ERR no such key"),
            ("SET a 1", "OK"), ("SET b hello", "OK"),
            ("RENAME a a", "OK"), ("RENAMENX a a", "0"), ("RENAMENX a b", "0"), ("RENAMENX a a2", "1"),
            ("RENAME a2 b", "OK"), ("GET b", #""1""#), ("OBJECT ENCODING b", #""int""#), ("DBSIZE", "1"),
            ("PEXPIREAT b 33177117420000", "1"), ("RENAME b c", "OK"), ("PEXPIRETIME c", "33177117420000"),
            ("SET d x", "OK"), ("RENAME d c", "OK"), ("PTTL c", "-1"),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func copies(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("SET a 1", "OK"), ("PEXPIREAT a 33177117420000", "1"),
            ("COPY a a", "(error) ERR source and destination objects are the same"),
            ("COPY none b", "0"), ("COPY a b", "1"), ("COPY a b", "0"), ("COPY a b REPLACE", "1"),
            ("PEXPIRETIME b", "33177117420000"),
            ("COPY a a DB 1", "1"), ("COPY a a DB 1", "0"), ("COPY a a DB 1 replace", "1"),
            ("COPY a b DB 99", "(error) ERR DB index is out of range"),
            ("COPY a b DB -1", "(error) ERR DB index is out of range"),
            ("COPY a b DB x", "(error) ERR value is not an integer or out of range"),
            (
                "COPY a b DB 99999999999",
                "(error) ERR value is out of range, value must between -2147483648 and 2147483647"
            ),
            ("COPY a b DB", "(error) ERR syntax error"), ("COPY a b nonsense", "(error) ERR syntax error"),
            ("SWAPDB 0 1", "OK"), ("DBSIZE", "1"), ("GET a", #""1""#), ("PEXPIRETIME a", "33177117420000"),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func databases(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("MOVE a 0", "(error) ERR source and destination objects are the same"),
            ("MOVE a 1", "0"), ("MOVE a 99", "(error) ERR DB index is out of range"),
            ("MOVE a x", "(error) ERR value is not an integer or out of range"),
            ("SET a 1", "OK"), ("MOVE a 1", "1"), ("EXISTS a", "0"), ("SET a 2", "OK"), ("MOVE a 1", "0"),
            ("SWAPDB 0 1", "OK"), ("GET a", #""1""#), ("SWAPDB 0 0", "OK"),
            ("SWAPDB x 0", "(error) ERR invalid first DB index"), ("SWAPDB 0 x", "(error) ERR invalid second DB index"),
            ("SWAPDB 99999999999 0", "(error) ERR invalid first DB index"),
            ("SWAPDB 0 16", "(error) ERR DB index is out of range"),
            ("FLUSHDB nonsense", "(error) ERR syntax error"), ("FLUSHALL SYNC ASYNC", "(error) ERR syntax error"),
            ("FLUSHDB ASYNC", "OK"), ("DBSIZE", "0"), ("SWAPDB 0 1", "OK"), ("DBSIZE", "1"),
            ("FLUSHALL SYNC", "OK"), ("DBSIZE", "0"),
        ])
    }

    /// A value outside its entry goes along without a copy, and its bytes are counted where it lives.
    @Test func largeValuesMove() throws {
        let session = try TestSession()
        let value = [UInt8](repeating: 120, count: 200_000)
        func externalBytes() -> [Int] {
            var counts: [Int] = []
            session.server.withEngine { engine in
                for index in 0..<3 { counts.append(engine.keyspace[index].externalByteCount) }
            }
            return counts
        }
        _ = try session.client.run(arguments: [Array("SET".utf8), Array("big".utf8), value])
        let held = externalBytes()[0]
        #expect(held >= 200_000)
        try session.run([("RENAME big big2", "OK")])
        #expect(externalBytes() == [held, 0, 0])
        try session.run([("MOVE big2 2", "1")])
        #expect(externalBytes() == [0, 0, held])
        try session.run([("SWAPDB 0 2", "OK"), ("COPY big2 big3", "1"), ("DEL big2", "1"), ("STRLEN big3", "200000")])
        #expect(externalBytes()[0] == held)
        #expect(try session.client.run(arguments: [Array("GET".utf8), Array("big3".utf8)]) == .bulk(value))
        try session.run([("DEL big3", "1")])
        #expect(externalBytes() == [0, 0, 0])
    }

    @Test(arguments: TestVariant.protocols)
    func patterns(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("SET k1 v", "OK"), ("SET k2 v", "OK"), ("SET x v", "OK"), ("SET dead v", "OK"),
            ("EXPIREAT dead 33177117420", "1"),
            ("KEYS *", #"(unordered) ["dead", "k1", "k2", "x"]"#), ("KEYS k?", #"(unordered) ["k1", "k2"]"#),
            ("KEYS x", #"["x"]"#), ("KEYS none", "[]"), ("KEYS [a-d]*", #"["dead"]"#),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func objects(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SET i 12", "OK"), ("SET e hello", "OK"), ("SET r \(String(repeating: "r", count: 45))", "OK"),
            ("OBJECT ENCODING i", #""int""#), ("OBJECT ENCODING e", #""embstr""#), ("OBJECT ENCODING r", #""raw""#),
            ("OBJECT ENCODING none", "(nil)"), ("OBJECT REFCOUNT e", "1"), ("OBJECT IDLETIME e", "0"),
            ("OBJECT IDLETIME none", "(nil)"), ("OBJECT FREQ none", "(nil)"),
            (
                "OBJECT FREQ e",
                """
                (error) ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that \
                when switching between policies at runtime LRU and LFU data will take some time to adjust.
                """
            ),
            ("OBJECT REFCOUNT", "(error) ERR wrong number of arguments for 'object|refcount' command"),
        ])
    }

    @Test func idleTime() throws {
        let session = try TestSession()
        try session.run([("SET a 1", "OK"), ("SET b 1", "OK")])
        session.server.advanceClock(milliseconds: 10_000)
        try session.run([
            ("TYPE a", "string"), ("TTL a", "-1"), ("EXISTS a", "1"), ("OBJECT IDLETIME a", "10"),
            ("GET a", #""1""#), ("OBJECT IDLETIME a", "0"), ("OBJECT IDLETIME b", "10"),
            ("TOUCH b", "1"), ("OBJECT IDLETIME b", "0"),
        ])
        session.server.advanceClock(milliseconds: 3_600_000)
        try session.run([("OBJECT IDLETIME a", "3600"), ("RENAME a c", "OK"), ("OBJECT IDLETIME c", "0")])
    }
}
