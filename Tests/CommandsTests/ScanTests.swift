// ScanTests.swift - SCAN's errors and filters, and its promise: a key that is there all the time is returned at least
// once, however much comes and goes meanwhile.
import Base
import Engine
import Keyspace
import TestKit
import Testing

struct ScanTests {
    @Test(arguments: TestVariant.all)
    func errorsAndFilters(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("SCAN 0", #"["0", []]"#), ("SCAN x", "(error) ERR invalid cursor"),
            ("SCAN 1.5", "(error) ERR invalid cursor"),
            ("SCAN 99999999999999999999999", "(error) ERR invalid cursor"),
            ("SCAN 0 COUNT 0", "(error) ERR syntax error"), ("SCAN 0 COUNT -1", "(error) ERR syntax error"),
            ("SCAN 0 COUNT x", "(error) ERR value is not an integer or out of range"),
            ("SCAN 0 COUNT", "(error) ERR syntax error"), ("SCAN 0 FOO BAR", "(error) ERR syntax error"),
            ("SCAN 0 COUNT 9223372036854775807", #"["0", []]"#),
            ("SET k1 v", "OK"), ("SET k2 v", "OK"), ("SET other v", "OK"),
            ("SCAN 0 MATCH k1", #"["0", ["k1"]]"#), ("SCAN 0 TYPE hash", #"["0", []]"#),
            ("SCAN 0 TYPE nosuch", #"["0", []]"#), ("SCAN 0 type STRING match o* count 100", #"["0", ["other"]]"#),
            ("SCAN 281474976710655", "(any)"), ("SCAN 18446744073709551615", #"["0", []]"#),
        ])
    }

    @Test func expiredKeysAreRemoved() throws {
        let session = try TestSession()
        session.server.withEngine { $0.setActiveExpire(false) }
        try session.run([("SET a v", "OK"), ("SET dead v", "OK"), ("PEXPIRE dead 100", "1")])
        session.server.advanceClock(milliseconds: 200)
        try session.run([("DBSIZE", "2"), ("SCAN 0", #"["0", ["a"]]"#), ("DBSIZE", "1")])
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func nothingThatStaysIsMissed(seed: UInt64) throws {
        let session = try TestSession()
        var random = RandomGenerator(seed: seed)
        for index in 0..<2000 { try set(session, "keep:\(index)") }
        var cursor = "0"
        var seen: Set<String> = []
        var noise = 0
        repeat {
            let reply = try session.client.run("SCAN \(cursor) COUNT \(1 + random.below(200))")
            let parts = try #require(reply.elements)
            for key in try #require(parts[1].elements) { seen.insert(try #require(key.text)) }
            cursor = try #require(parts[0].text)
            if random.below(3) > 0 {
                for _ in 0..<random.below(2000) {
                    try set(session, "noise:\(noise)")
                    noise += 1
                }
            } else {
                for index in 0..<noise {
                    _ = try session.client.run(arguments: [Array("DEL".utf8), Array("noise:\(index)".utf8)])
                }
                noise = 0
            }
        } while cursor != "0"
        let missing = (0..<2000).filter { !seen.contains("keep:\($0)") }
        #expect(missing.isEmpty, "seed \(seed)")
    }

    private func set(_ session: TestSession, _ key: String) throws {
        _ = try session.client.run(arguments: [Array("SET".utf8), Array(key.utf8), [118]])
    }
}
