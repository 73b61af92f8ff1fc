// ClassTierTests.swift - how a class's values are kept: its words and its record, that values go down as their class
// says and no others are touched, and what the clock does for it.
import Base
import Engine
import Keyspace
import Structures
import TestKit
import Testing

struct ClassTierTests {
    private static let text = String(repeating: "a value that shrinks, ", count: 40)

    /// One step down, as when memory is needed.
    private func demote(_ session: TestSession, _ key: String) {
        session.server.withEngine { engine in
            let bytes = Array(key.utf8)
            let hash = KeyHash.hash(bytes.span, seed: KeyHash.seed)
            // Another millisecond has its own time for compressing.
            engine.keyspace.now += 10
            guard let slot = engine.keyspace[0].table.find(bytes.span, hash: hash) else { return }
            _ = engine.keyspace.demote(slot, in: 0)
        }
    }

    private func encoding(_ session: TestSession, _ key: String) throws -> String? {
        try session.client.run("OBJECT ENCODING \(key)").text
    }

    /// The forms a key's value takes on its way down.
    private func way(_ session: TestSession, _ key: String) throws -> [String] {
        _ = try session.client.run(arguments: ["SET", key, ClassTierTests.text].map { Array($0.utf8) })
        var forms: [String] = []
        for _ in 0..<3 {
            demote(session, key)
            let form = try encoding(session, key) ?? ""
            if forms.last != form { forms.append(form) }
        }
        return forms
    }

    private func session(_ configuration: String, in directory: TemporaryDirectory) throws -> TestSession {
        let text = "fog-l3-enabled yes\nfog-l3-path \(directory.path)/cold\n" + configuration
        return try TestSession(server: TestServer(configuration: text, directory: directory.path))
    }

    @Test(arguments: TestVariant.protocols)
    func wordsAndFields(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("FOG.CLASS SET a PATTERN a:* L1 no L1TTL 60 COMPRESS Zstd L3 NO", "OK"),
            ("HMGET fog:class:a l1 l1ttl compress l3", #"["no", "60", "zstd", "no"]"#),
            ("FOG.CLASS SET a PATTERN a:* l1 yes compress no", "OK"),
            ("HMGET fog:class:a l1 l1ttl compress l3", #"["yes", "-1", "no", "default"]"#),
            ("FOG.CLASS SET a PATTERN a:* COMPRESS yes", "OK"), ("HGET fog:class:a compress", #""yes""#),
            ("FOG.CLASS SET a PATTERN a:*", "OK"),
            ("HMGET fog:class:a l1 l1ttl compress l3", #"["default", "-1", "default", "default"]"#),
            ("FOG.CLASS SET a PATTERN a:* L1 maybe", "(error) ERR L1 and L3 are yes or no"),
            ("FOG.CLASS SET a PATTERN a:* COMPRESS gzip", "(error) ERR COMPRESS is yes, no, auto, lz4 or zstd"),
            ("FOG.CLASS SET a PATTERN a:* L3", "(error) ERR syntax error"),
            ("FOG.CLASS SET a PATTERN a:* L1TTL -1", "(error) ERR a time to live is 0 to 10000000000 seconds"),
        ])
    }

    @Test func valuesGoDownAsTheirClassSays() throws {
        let directory = try TemporaryDirectory()
        let session = try session("fog-compress yes", in: directory)
        try session.run([
            ("FOG.CLASS SET plain PATTERN plain:* COMPRESS NO", "OK"),
            ("FOG.CLASS SET here PATTERN here:* COMPRESS NO L3 NO", "OK"),
            ("FOG.CLASS SET quick PATTERN quick:* COMPRESS LZ4", "OK"),
            ("FOG.CLASS SET quickhere PATTERN quickhere:* COMPRESS LZ4 L3 NO", "OK"),
            ("FOG.CLASS SET small PATTERN small:* COMPRESS ZSTD L3 NO", "OK"),
        ])
        #expect(try way(session, "plain:1") == ["cold"])
        #expect(try way(session, "here:1") == ["raw"])
        #expect(try way(session, "quick:1") == ["compressed-lz4", "cold"])
        #expect(try way(session, "quickhere:1") == ["compressed-lz4"])
        #expect(try way(session, "small:1") == ["compressed-zstd"])
        #expect(try way(session, "other:1") == ["compressed-zstd", "cold"])
        // Whoever asks by name is told the same.
        try session.run([
            ("SET here:2 \(String(repeating: "x", count: 600))", "OK"), ("FOG.TIER DEMOTE here:2 L2", "0"),
            ("FOG.TIER DEMOTE here:2 L3", "0"), ("FOG.CLASS DEL here", "1"), ("FOG.TIER DEMOTE here:2 L3", "1"),
        ])
        #expect(try way(session, "here:1") == ["compressed-zstd", "cold"])
        for key in ["plain:1", "quick:1", "quickhere:1", "small:1", "other:1"] {
            #expect(try session.client.run("GET \(key)").text == ClassTierTests.text)
        }
        // Classes of another database say nothing here.
        try session.run([
            ("SELECT 1", "OK"), ("FOG.CLASS SET other PATTERN other:* COMPRESS NO L3 NO", "OK"), ("SELECT 0", "OK"),
        ])
        #expect(try way(session, "other:1") == ["compressed-zstd", "cold"])
    }

    @Test func aClassIsCompressedAlthoughOthersAreNot() throws {
        let directory = try TemporaryDirectory()
        let session = try session("fog-compress no", in: directory)
        try session.run([("FOG.CLASS SET c PATTERN c:* COMPRESS YES L3 NO", "OK")])
        #expect(try way(session, "c:1") == ["compressed-zstd"])
        #expect(try way(session, "other:1") == ["cold"])
        // Read twice it is raw again, as any other.
        _ = try session.client.run("GET c:1")
        #expect(try encoding(session, "c:1") == "compressed-zstd")
        _ = try session.client.run("GET c:1")
        #expect(try encoding(session, "c:1") == "raw")
        try session.run([("CONFIG SET fog-l2-enabled no", "OK")])
        #expect(try way(session, "c:2") == ["raw"])
    }

    @Test func theClockFollowsAClass() throws {
        let session = try TestSession(server: TestServer(configuration: "fog-compress yes\nfog-l1-cleanup 1"))
        try session.run([
            ("FOG.CLASS SET asleep PATTERN asleep:* L1 NO", "OK"), ("FOG.CLASS SET idle PATTERN idle:* L1TTL 30", "OK"),
        ])
        for key in ["asleep:1", "idle:1", "other:1"] {
            _ = try session.client.run(arguments: ["SET", key, ClassTierTests.text].map { Array($0.utf8) })
        }
        func wait(_ key: String) throws {
            for _ in 0..<400 where try encoding(session, key) != "compressed-zstd" {
                session.server.advanceClock(milliseconds: 100)
                Clock.sleep(nanoseconds: 2_000_000)
            }
            #expect(try encoding(session, key) == "compressed-zstd")
        }
        try wait("asleep:1")
        #expect(try encoding(session, "idle:1") == "raw" && encoding(session, "other:1") == "raw")
        for _ in 0..<5 { #expect(try session.client.run("GET asleep:1").text == ClassTierTests.text) }
        #expect(try encoding(session, "asleep:1") == "compressed-zstd")
        session.server.advanceClock(milliseconds: 31_000)
        try wait("idle:1")
        #expect(try encoding(session, "other:1") == "raw")
    }
}
