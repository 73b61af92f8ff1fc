// ClassRefusalTests.swift - classes that are full and give nothing up (FOG.CLASS SET ... POLICY noeviction, or a
// volatile policy without a key that expires): what is refused, to clients, in transactions, to scripts, and what goes
// on.
@testable import Engine
import TestKit
import Testing

/// Keys of no class. Each key has a share of the table, which would otherwise change much with every few keys.
enum TableFilling {
    static let line = "MSET" + (0..<3000).map { " filling:\($0) x" }.joined()
}

struct ClassRefusalTests {
    private static let value = String(repeating: "v", count: 500)
    private static let refusal = "(error) OOM command not allowed when used memory of class 'c' > 'MAXMEM'."
    private static let abort =
        "(error) EXECABORT Transaction discarded because of: "
        + "OOM command not allowed when used memory of class 'c' > 'MAXMEM'."

    private func figure(_ session: TestSession, _ field: String) throws -> Int {
        Int(try session.client.run("FOG.CLASS STATS c")[field]?.integer ?? -1)
    }

    /// A class `c` that is over its limit by some 400 bytes, less than one of its strings has.
    private func fullSession(
        _ variant: TestVariant = TestVariant(), policy: String = "noeviction"
    ) throws -> TestSession {
        let session = try TestSession(variant)
        try session.run([(TableFilling.line, "OK")])
        try session.run([
            ("RPUSH c:list a b c", "3"), ("HSET c:hash f v", "1"), ("SET c:number 7", "OK"), ("SADD c:set a b", "2"),
            ("RPUSH other:list a b c", "3"), ("SADD other:set x y", "2"),
            ("FOG.CLASS SET c PATTERN c:* MAXMEM 20kb POLICY \(policy)", "OK"),
            ("FOG.CLASS SET d PATTERN d:* MAXMEM 20kb POLICY noeviction", "OK"),
        ])
        var count = 0
        let value = ClassRefusalTests.value
        while count < 100, try session.client.run("SET c:\(count) \(value)").text == "OK" { count += 1 }
        #expect(count > 20 && count < 100)
        let bytes = try figure(session, "bytes")
        #expect(bytes > 20 << 10)
        // Some keys more or less do not bring it under its limit by their share of the table.
        try session.run([("FOG.CLASS SET c PATTERN c:* MAXMEM \(bytes - 400) POLICY \(policy)", "OK")])
        return session
    }

    @Test(arguments: TestVariant.all)
    func whatGrowsTheClassIsRefused(variant: TestVariant) throws {
        let session = try fullSession(variant)
        let refusal = ClassRefusalTests.refusal
        let before = try figure(session, "refused")
        #expect(before == 1)
        try session.run([
            ("SET c:new x", refusal), ("SET c:0 x", refusal), ("APPEND c:0 x", refusal), ("INCR c:number", refusal),
            ("RPUSH c:list d", refusal), ("HSET c:hash g v", refusal), ("MSET other 1 c:new 2", refusal),
            ("LMOVE other:list c:list LEFT LEFT", refusal), ("SORT other:list ALPHA STORE c:sorted", refusal),
            ("SUNIONSTORE c:sum other:set c:set", refusal), ("COPY other:list c:copy", refusal),
            ("BITFIELD c:number SET u8 0 1", refusal), ("EXISTS other c:new c:sorted c:sum c:copy", "0"),
            // Reads, deletes, what takes away, other classes and keys of none go on.
            ("GET c:number", #""7""#), ("LRANGE c:list 0 -1", #"["a", "b", "c"]"#), ("EXPIRE c:hash 1000", "1"),
            ("BITFIELD c:number GET u8 0", "[55]"), ("LMOVE c:list other:list LEFT LEFT", #""a""#),
            ("LPOP c:list", #""b""#), ("SUNIONSTORE d:sum c:set other:set", "4"), ("SET d:1 x", "OK"),
            ("SET other y", "OK"), ("COPY c:list other:copy", "1"), ("SORT c:list ALPHA", #"["c"]"#),
            ("SELECT 1", "OK"), ("SET c:new x", "OK"), ("SELECT 0", "OK"), ("DEL c:0 c:1 c:2", "3"),
            ("SET c:new x", "OK"), ("INCR c:number", "8"),
        ])
        #expect(try figure(session, "refused") == before + 12)
        #expect(try figure(session, "evicted") == 0)
        let errors = try session.client.run("INFO errorstats").text ?? ""
        #expect(errors.contains("errorstat_OOM:count=13"), "\(errors)")
        try session.run([("CONFIG RESETSTAT", "OK")])
        #expect(try figure(session, "refused") == 0)
    }

    @Test func theLimitMayBeRaisedAndThePolicyChanged() throws {
        let session = try fullSession()
        try session.run([
            ("SET c:new x", ClassRefusalTests.refusal),
            ("FOG.CLASS SET c PATTERN c:* MAXMEM 1mb POLICY noeviction", "OK"), ("SET c:new x", "OK"),
            ("FOG.CLASS SET c PATTERN c:* MAXMEM 10kb POLICY noeviction", "OK"),
            ("SET c:new x", ClassRefusalTests.refusal), ("FOG.CLASS SET c PATTERN c:* MAXMEM 10kb", "OK"),
            ("SET c:new x", "OK"), ("FOG.CLASS SET c PATTERN c:* MAXMEM 100 POLICY noeviction", "OK"),
            ("SET c:new x", ClassRefusalTests.refusal), ("FOG.CLASS DEL c", "1"), ("SET c:new x", "OK"),
        ])
        session.server.withEngine { engine in
            // Class d is left; without it nothing stands in anybody's way.
            #expect(engine.gates.contains(.classLimits))
        }
        try session.run([("FOG.CLASS SET d PATTERN d:* MAXMEM 20kb POLICY allkeys-lru", "OK")])
        session.server.withEngine { engine in #expect(!engine.gates.contains(.classLimits)) }
        try session.run([("FOG.CLASS SET d PATTERN d:* POLICY noeviction", "OK")])
        session.server.withEngine { engine in #expect(!engine.gates.contains(.classLimits)) }
    }

    @Test(arguments: ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"])
    func withoutAKeyThatExpires(policy: String) throws {
        let session = try fullSession(policy: policy)
        let value = ClassRefusalTests.value
        try session.run([
            ("SET c:new x EX 100", ClassRefusalTests.refusal), ("GET c:number", #""7""#),
            // What expires goes, and with it the reason to refuse.
            ("EXPIRE c:0 100", "1"), ("EXPIRE c:1 100", "1"), ("SET c:new x EX 100", "OK"), ("EXISTS c:0", "0"),
            ("SET c:new1 \(value) EX 100", "OK"), ("SET c:new2 \(value) EX 100", "OK"),
            ("SET c:new3 \(value) EX 100", "OK"),
        ])
        #expect(try figure(session, "bytes") <= figure(session, "maxmem"))
        #expect(try figure(session, "evicted") >= 3)
    }

    @Test(arguments: TestVariant.all)
    func transactionsAreRefused(variant: TestVariant) throws {
        let session = try fullSession(variant)
        let (refusal, abort) = (ClassRefusalTests.refusal, ClassRefusalTests.abort)
        try session.run([
            // As it is queued.
            ("MULTI", "OK"), ("GET c:number", "QUEUED"), ("SET other 1", "QUEUED"), ("SET c:new x", refusal),
            ("EXEC", "(error) EXECABORT Transaction discarded because of previous errors."), ("EXISTS other", "0"),
            ("MULTI", "OK"), ("GET c:number", "QUEUED"), ("DEL c:none", "QUEUED"),
            ("SET other 1", "QUEUED"), ("EXEC", #"["7", 0, OK]"#),
            // The keys of another database are in none of this one's classes.
            ("MULTI", "OK"), ("SELECT 1", "QUEUED"), ("SET c:new x", "QUEUED"), ("SELECT 0", "QUEUED"),
            ("SET c:new x", refusal), ("DISCARD", "OK"), ("MULTI", "OK"), ("SELECT 1", "QUEUED"),
            ("SET c:new x", "QUEUED"), ("EXEC", "[OK, OK]"), ("SELECT 0", "OK"),
            ("SELECT 1", "OK"), ("MULTI", "OK"), ("SELECT 0", "QUEUED"), ("SET c:new x", refusal), ("DISCARD", "OK"),
            ("SELECT 0", "OK"),
        ])
        // The class becomes full behind MULTI.
        try session.run([
            ("DEL c:1 c:2 c:3", "3"), ("MULTI", "OK"), ("SET c:new x", "QUEUED"), ("SET other 2", "QUEUED"),
        ])
        let other = try session.server.connect()
        for number in 1...4 { _ = try other.run("SET c:\(number) \(ClassRefusalTests.value)") }
        try session.run([
            ("EXEC", abort), ("EXISTS c:new", "0"), ("GET other", #""1""#), ("EXEC", "(error) ERR EXEC without MULTI"),
            ("MULTI", "OK"), ("SET other 3", "QUEUED"), ("EXEC", "[OK]"),
        ])
        // Once it has begun it goes on to its end.
        try session.run([
            ("DEL c:1 c:2", "2"), ("MULTI", "OK"), ("SET c:1 \(ClassRefusalTests.value)", "QUEUED"),
            ("SET c:2 \(ClassRefusalTests.value)", "QUEUED"), ("SET c:2a \(ClassRefusalTests.value)", "QUEUED"),
            ("SET c:2b \(ClassRefusalTests.value)", "QUEUED"), ("EXEC", "[OK, OK, OK, OK]"), ("SET c:new x", refusal),
        ])
    }

    @Test(arguments: TestVariant.all)
    func scriptsAreRefused(variant: TestVariant) throws {
        let session = try fullSession(variant)
        let refusal = "(matches) " + ClassRefusalTests.refusal.dropLast() + "*"
        try session.run([
            (#"EVAL "return redis.call('SET', KEYS[1], 'x')" 1 c:new"#, refusal), ("EXISTS c:new", "0"),
            (
                #"EVAL "return redis.pcall('SET', KEYS[1], 'x').err" 1 c:new"#,
                "\"\(ClassRefusalTests.refusal.dropFirst("(error) ".count))\""
            ),
            (#"EVAL "return redis.call('GET', KEYS[1])" 1 c:number"#, #""7""#),
            // What has begun to write is not stopped half way.
            (#"EVAL "redis.call('SET', 'other', 'x') return redis.call('SET', KEYS[1], 'x')" 1 c:new"#, "OK"),
            (#"EVAL "redis.call('DEL', KEYS[1]) return redis.call('SET', KEYS[1], 'x')" 1 c:new"#, "OK"),
            (##"EVAL "#!lua flags=allow-oom\nreturn redis.call('SET', KEYS[1], 'y')" 1 c:new"##, "OK"),
            (##"EVAL "#!lua\nreturn redis.call('SET', KEYS[1], 'y')" 1 c:new"##, refusal), ("GET c:new", #""y""#),
            ("MULTI", "OK"), (#"EVAL "return redis.call('SET', KEYS[1], 'x')" 1 c:newer"#, "QUEUED"),
            ("EXEC", "(matches) *\(ClassRefusalTests.refusal.dropFirst(8).dropLast())*"), ("EXISTS c:newer", "0"),
        ])
    }

    @Test func blockedClientsAreRefusedWhenTheyAreServed() throws {
        let session = try fullSession()
        try session.run([("BLMOVE other:empty c:list LEFT LEFT 1", ClassRefusalTests.refusal)])
        // A client that waits for an element to take away is served.
        let waiting = try session.server.connect()
        try waiting.send("BLMOVE c:empty other:list LEFT LEFT 5")
        try session.run([("DEL c:0 c:1 c:2", "3"), ("RPUSH c:empty e", "1")])
        #expect(try waiting.reply().text == "e")
    }

    @Test func aFullClassSurvivesItsJournal() throws {
        let directory = try TemporaryDirectory()
        let configuration = "appendonly yes"
        var keys = 0
        do {
            let session = try TestSession(
                server: TestServer(configuration: configuration, directory: directory.path))
            try session.run([("FOG.CLASS SET c PATTERN c:* MAXMEM 1mb POLICY noeviction", "OK")])
            for number in 0..<40 { try session.run([("SET c:\(number) \(ClassRefusalTests.value)", "OK")]) }
            // Lowered behind the writes, so that all of them are recorded in front of and behind it.
            try session.run([
                ("FOG.CLASS SET c PATTERN c:* MAXMEM 20kb POLICY noeviction", "OK"),
                ("EVAL \"redis.call('SET', 'o', 1) redis.call('SET', 'c:script', 1)\" 0", "(nil)"),
                ("SET c:new x", ClassRefusalTests.refusal),
            ])
            keys = try figure(session, "keys")
        }
        let session = try TestSession(server: TestServer(configuration: configuration, directory: directory.path))
        #expect(try figure(session, "keys") == keys && keys == 41)
        try session.run([("GET c:script", #""1""#), ("SET c:new x", ClassRefusalTests.refusal)])
    }
}
