// ExpireTests.swift - the EXPIRE family: conditions, overflows, rounding, death by the clock. The replies were compared
// with Redis 7.0.15 and Valkey 9.1.
import Engine
import Keyspace
import TestKit
import Testing

struct ExpireTests {
    @Test(arguments: TestVariant.all)
    func conditions(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("SET k v", "OK"), ("TTL k", "-1"), ("PTTL none", "-2"), ("EXPIRETIME none", "-2"),
            ("EXPIRE none 10", "0"), ("EXPIRE k 100 XX", "0"), ("EXPIRE k 100 GT", "0"), ("EXPIRE k 100 LT", "1"),
            ("EXPIRE k 200 LT", "0"), ("EXPIRE k 50 GT", "0"), ("EXPIRE k 200 gt", "1"), ("EXPIRE k 60 NX", "0"),
            ("EXPIRE k 70 XX", "1"), ("EXPIRE k 80 XX GT", "1"), ("TTL k", "80"), ("PERSIST k", "1"),
            ("PERSIST k", "0"), ("PERSIST none", "0"), ("EXPIRE k 60 nx", "1"), ("GET k", #""v""#),
            ("EXPIRE k 1 NX XX", "(error) ERR NX and XX, GT or LT options at the same time are not compatible"),
            ("EXPIRE k 1 NX GT", "(error) ERR NX and XX, GT or LT options at the same time are not compatible"),
            ("EXPIRE k 1 GT LT", "(error) ERR GT and LT options at the same time are not compatible"),
            ("EXPIRE k abc foo", "(error) ERR Unsupported option foo"),
            ("EXPIRE k abc", "(error) ERR value is not an integer or out of range"),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func extremes(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("SET k v", "OK"),
            ("EXPIRE k 9223372036854775807", "(error) ERR invalid expire time in 'expire' command"),
            ("EXPIRE k 9223372036854775", "(error) ERR invalid expire time in 'expire' command"),
            ("PEXPIRE k 9223372036854775807", "(error) ERR invalid expire time in 'pexpire' command"),
            ("EXPIREAT k 9223372036854775807", "(error) ERR invalid expire time in 'expireat' command"),
            ("EXPIRE k -9223372036854775808", "(error) ERR invalid expire time in 'expire' command"),
            ("PEXPIREAT k 9223372036854775807", "1"), ("PEXPIRETIME k", "9223372036854775807"),
            ("PEXPIREAT k 33177117420499", "1"), ("EXPIRETIME k", "33177117420"),
            ("PEXPIREAT k 33177117420500", "1"), ("EXPIRETIME k", "33177117421"),
            ("PEXPIREAT k -9223372036854775808", "1"), ("EXISTS k", "0"),
            ("SET k v", "OK"), ("EXPIRE k 0", "1"), ("EXISTS k", "0"),
            ("SET k v", "OK"), ("EXPIREAT k 1", "1"), ("DBSIZE", "0"),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func deathByTheClock(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SET a v", "OK"), ("SET b v", "OK"), ("SET c v", "OK"), ("PEXPIRE a 5000", "1"), ("EXPIRE b 5", "1"),
        ])
        session.server.advanceClock(milliseconds: 4000)
        try session.run([("EXISTS a b", "2"), ("TTL b", "1")])
        session.server.advanceClock(milliseconds: 2000)
        try session.run([
            ("EXISTS a", "0"), ("KEYS *", #"["c"]"#), ("RANDOMKEY", #""c""#), ("TTL a", "-2"), ("RENAMENX c b", "1"),
            ("COPY b a", "1"), ("PTTL a", "-1"), ("DBSIZE", "2"),
        ])
    }

    /// Without a client's help all due keys are gone within a second, whatever the database.
    @Test func activeExpiry() throws {
        let session = try TestSession()
        for index in 0..<500 {
            let key = Array("key\(index)".utf8)
            _ = try session.client.run(arguments: [Array("SET".utf8), key, key])
            let milliseconds = index < 400 ? "1000" : "100000"
            _ = try session.client.run(arguments: [Array("PEXPIRE".utf8), key, Array(milliseconds.utf8)])
        }
        try session.run([("SWAPDB 0 3", "OK"), ("SET stays v", "OK")])
        session.server.advanceClock(milliseconds: 2000)
        var left = 500
        session.server.withEngine { engine in
            _ = engine.tick()
            left = engine.keyspace[3].count
        }
        #expect(left == 100)
        try session.run([("DBSIZE", "1"), ("SWAPDB 0 3", "OK"), ("DBSIZE", "100")])
    }
}
