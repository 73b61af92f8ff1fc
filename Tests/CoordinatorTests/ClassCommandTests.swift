// ClassCommandTests.swift - FOG.CLASS over the wire: definitions and their order, times to live, limits that evict
// inside a class alone, figures against MEMORY USAGE, restarts, transactions and scripts, and the classes that are
// shipped.
import Base
import Engine
import TestKit
import Testing

struct ClassCommandTests {
    @Test(arguments: TestVariant.all)
    func definitionsAreRecords(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("FOG.CLASS SET state PATTERN vm:state:* TTL 30 MAXTTL 60 JITTER 0 MAXMEM 1mb PRIORITY 2", "OK"),
            ("FOG.CLASS SET all PATTERN vm:*", "OK"), ("FOG.CLASS SET odd PATTERN vm:state:?x*", "OK"),
            ("FOG.CLASS LIST", #"["state", "odd", "all"]"#),
            ("HGET fog:class:state maxmem", #""1048576""#), ("TTL fog:class:state", "-1"),
            ("FOG.CLASS OF vm:state:1", #""state""#), ("FOG.CLASS OF vm:other", #""all""#),
            ("FOG.CLASS OF elsewhere", "(nil)"), ("FOG.CLASS OF fog:class:state", "(nil)"),
            ("FOG.CLASS SET state PATTERN vm:state:* TTL 30", "OK"), ("FOG.CLASS OF vm:state:1x2", #""odd""#),
            ("HGET fog:class:state maxttl", #""0""#), ("FOG.CLASS GET nobody", "(nil)"),
            ("FOG.CLASS DEL odd", "1"), ("FOG.CLASS DEL odd", "0"), ("FOG.CLASS OF vm:state:1x2", #""state""#),
            ("DEL fog:class:state", "1"), ("FOG.CLASS LIST", #"["all"]"#),
            ("FOG.CLASS SET x PATTERN", "(error) ERR wrong number of arguments for 'fog.class|set' command"),
            ("FOG.CLASS SET x PATTERN a* LIMIT 5", "(error) ERR syntax error"),
            ("FOG.CLASS SET x PATTERN a* TTL -1", "(error) ERR a time to live is 0 to 10000000000 seconds"),
            ("FOG.CLASS SET x PATTERN a* TTL 5 MAXTTL 4", "(error) ERR TTL cannot be greater than MAXTTL"),
            ("FOG.CLASS SET x PATTERN a* JITTER 91", "(error) ERR JITTER is 0 to 90 per cent"),
            ("FOG.CLASS STATS nobody", "(nil)"), ("FOG.CLASS LIST", #"["all"]"#),
        ])
    }

    @Test(arguments: TestVariant.all)
    func keysGetTheirTimeToLive(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SET vm:state:0 before", "OK"),
            ("FOG.CLASS SET state PATTERN vm:state:* TTL 30 MAXTTL 60", "OK"), ("TTL vm:state:0", "-1"),
            ("SET vm:state:1 x", "OK"), ("TTL vm:state:1", "30"), ("HSET vm:state:2 a 1", "1"),
            ("TTL vm:state:2", "30"), ("SET vm:state:3 x EX 45", "OK"), ("TTL vm:state:3", "45"),
            ("SET vm:state:3 x EX 600", "OK"), ("TTL vm:state:3", "60"), ("EXPIRE vm:state:3 5", "1"),
            ("TTL vm:state:3", "5"), ("EXPIRE vm:state:3 900", "1"), ("TTL vm:state:3", "60"),
            ("PERSIST vm:state:3", "1"), ("TTL vm:state:3", "60"), ("MSET vm:state:4 a other b", "OK"),
            ("TTL vm:state:4", "30"), ("TTL other", "-1"), ("RENAME other vm:state:5", "OK"),
            ("TTL vm:state:5", "30"), ("SELECT 1", "OK"), ("SET vm:state:1 x", "OK"), ("TTL vm:state:1", "-1"),
            ("SELECT 0", "OK"), ("MULTI", "OK"), ("SET vm:state:6 x", "QUEUED"), ("TTL vm:state:6", "QUEUED"),
            ("EXEC", "(matches) *OK*30*"),
            (#"EVAL "redis.call('SET', KEYS[1], 'x') return redis.call('TTL', KEYS[1])" 1 vm:state:7"#, "30"),
            ("FOG.CLASS SET state PATTERN vm:state:* TTL 30", "OK"), ("PERSIST vm:state:7", "1"),
            ("TTL vm:state:7", "-1"),
            ("FOG.CLASS SET state PATTERN vm:state:* TTL 1000 JITTER 20", "OK"),
        ])
        var lives: Set<Int64> = []
        for number in 0..<40 {
            try session.run([("SET vm:state:j\(number) x", "OK")])
            let seconds = try session.client.run("TTL vm:state:j\(number)").integer ?? -1
            lives.insert(seconds)
            #expect(seconds >= 800 && seconds <= 1200, "\(seconds)")
        }
        #expect(lives.count > 10)
        try session.run([("CONFIG SET notify-keyspace-events KEA", "OK"), ("SET vm:state:1 y", "OK")])
        session.server.advanceClock(milliseconds: 1_300_000)
        try session.run([("EXISTS vm:state:1 vm:state:j1 vm:state:7", "1")])
    }

    /// Whole numbers of FOG.CLASS STATS.
    private func figures(_ session: TestSession, _ name: String) throws -> [String: Int] {
        let reply = try session.client.run("FOG.CLASS STATS \(name)")
        var found: [String: Int] = [:]
        for field in ["keys", "bytes", "maxmem", "hits", "misses", "evicted", "expired"] {
            found[field] = reply[field]?.integer.map { Int($0) }
        }
        return found
    }

    @Test(arguments: TestVariant.all)
    func aLimitEvictsInsideTheClassAlone(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("FOG.CLASS SET gpu PATTERN gpu:* MAXMEM 100kb", "OK"), ("FOG.CLASS SET rest PATTERN r:*", "OK"),
        ])
        let value = String(repeating: "v", count: 500)
        for number in 0..<100 { try session.run([("SET r:\(number) \(value)", "OK")]) }
        for number in 0..<400 {
            try session.run([("SET gpu:\(number) \(value)", "OK"), ("EXISTS gpu:\(number)", "1")])
            if number % 20 == 0 {
                let bytes = try figures(session, "gpu")["bytes"] ?? -1
                #expect(bytes > 0 && bytes <= 102_400)
            }
        }
        let gpu = try figures(session, "gpu")
        let rest = try figures(session, "rest")
        #expect((gpu["keys"] ?? 0) > 100 && (gpu["evicted"] ?? 0) == 400 - (gpu["keys"] ?? 0))
        #expect(rest["keys"] == 100 && rest["evicted"] == 0)
        // A value that is greater than the whole limit does not stay, and neither does it cost the others their places
        // in another class.
        try session.run([("SET gpu:huge \(String(repeating: "v", count: 200_000))", "OK")])
        let none = try figures(session, "gpu")["bytes"] ?? -1
        #expect(none >= 0 && none <= 102_400)
        try session.run([("EXISTS gpu:huge", "0")])
        try session.run([("FOG.CLASS SET gpu PATTERN gpu:* MAXMEM 5kb", "OK")])
        let small = try figures(session, "gpu")["bytes"] ?? -1
        #expect(small <= 5120)
    }

    @Test func usedKeysStay() throws {
        let session = try TestSession(TestVariant())
        try session.run([("FOG.CLASS SET c PATTERN c:* MAXMEM 60kb", "OK")])
        let value = String(repeating: "v", count: 500)
        for number in 0..<20 { try session.run([("SET c:hot\(number) \(value)", "OK")]) }
        for number in 0..<400 {
            try session.run([
                ("SET c:\(number) \(value)", "OK"), ("GET c:hot\(number % 20)", "(any)"),
                ("GET c:hot\((number + 7) % 20)", "(any)"),
            ])
        }
        var kept = 0
        for number in 0..<20 where try session.client.run("EXISTS c:hot\(number)").integer == 1 { kept += 1 }
        #expect(kept >= 18, "\(kept) of 20 used keys stayed")
    }

    @Test(arguments: TestVariant.all)
    func figuresAreThoseOfTheKeys(variant: TestVariant) throws {
        let session = try TestSession(variant)
        var generator = RandomGenerator(seed: 11)
        for number in 0..<50 { try session.run([("SET c:old\(number) \(number)", "OK")]) }
        try session.run([("FOG.CLASS SET c PATTERN c:*", "OK"), ("FOG.CLASS SET d PATTERN d:*", "OK")])
        for _ in 0..<600 {
            let key = "\(generator.below(2) == 0 ? "c" : "d"):\(generator.below(60))"
            let text = String(repeating: "x", count: 1 + generator.below(300))
            let line =
                switch generator.below(8) {
                case 0: "SET s\(key) \(text)"
                case 1: "SET \(key):s \(text)"
                case 2: "APPEND \(key):a \(text)"
                case 3: "RPUSH \(key):l \(text) \(text)"
                case 4: "HSET \(key):h f\(generator.below(9)) \(text)"
                case 5: "DEL \(key):h \(key):s"
                case 6: "LPOP \(key):l"
                default: "RENAME \(key):s d:\(generator.below(60)):s"
                }
            _ = try session.client.run(line)
        }
        for name in ["c", "d"] {
            let keys = try session.client.run("KEYS \(name):*").items.compactMap { $0.text }
            var sum = 0
            for key in keys { sum += Int(try session.client.run("MEMORY USAGE \(key)").integer ?? 0) }
            let told = try figures(session, name)
            #expect(told["keys"] == keys.count)
            #expect(abs((told["bytes"] ?? 0) - sum) <= sum / 100, "\(told) against \(sum)")
        }
        try session.run([("FLUSHDB", "OK"), ("FOG.CLASS LIST", "[]")])
    }

    @Test(arguments: TestVariant.all)
    func readsAreCounted(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("FOG.CLASS SET c PATTERN c:* TTL 10", "OK"), ("SET c:1 x", "OK"), ("GET c:1", #""x""#),
            ("GET c:2", "(nil)"),
            ("MGET c:1 c:2 other", #"["x", (nil), (nil)]"#), ("HGETALL c:3", "(any)"),
            ("MULTI", "OK"), ("GET c:1", "QUEUED"), ("EXEC", #"["x"]"#),
            (#"EVAL "return redis.call('GET', KEYS[1])" 1 c:1"#, #""x""#),
        ])
        let told = try figures(session, "c")
        #expect(told["hits"] == 4 && told["misses"] == 3, "\(told)")
        session.server.advanceClock(milliseconds: 11_000)
        try session.run([("GET c:1", "(nil)")])
        let later = try figures(session, "c")
        #expect(later["misses"] == 4 && later["expired"] == 1 && later["keys"] == 0, "\(later)")
        try session.run([("CONFIG RESETSTAT", "OK")])
        let reset = try figures(session, "c")
        #expect(reset["hits"] == 0 && reset["expired"] == 0)
    }

    @Test func classesSurviveARestart() throws {
        let directory = try TemporaryDirectory()
        do {
            let session = try TestSession(server: TestServer(directory: directory.path))
            try session.run([
                ("FOG.CLASS SET c PATTERN c:* TTL 30 MAXMEM 1mb", "OK"), ("SET c:1 x", "OK"), ("SAVE", "OK"),
            ])
        }
        let session = try TestSession(server: TestServer(directory: directory.path))
        try session.run([("SET c:2 x", "OK"), ("TTL c:2", "30"), ("FOG.CLASS LIST", #"["c"]"#)])
        let told = try figures(session, "c")
        #expect(told["keys"] == 2 && told["maxmem"] == 1_048_576)
    }

    @Test func theShippedClassesLoad() throws {
        let session = try TestSession(TestVariant())
        let file = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = ProcessFacts.read("/\(file)/fog-classes.conf")
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.count == 13)
        for line in lines { try session.run([(line, "OK")]) }
        let lives = [
            ("vm:state", 30), ("vm:resources", 120), ("vm:migration", 60), ("vm:metrics", 15), ("vm:config", 900),
            ("node:resources", 30), ("user:vms", 300),
        ]
        for (name, seconds) in lives { try session.run([("SET \(name):1 x", "OK"), ("TTL \(name):1", "\(seconds)")]) }
        let limits = [
            ("gpu:avail", 100), ("gpu:price", 50), ("orderbook", 200), ("provider", 50), ("market", 100), ("hist", 500),
        ]
        for (name, megabytes) in limits {
            try session.run([
                ("HGET fog:class:\(name) maxmem", "\"\(megabytes << 20)\""),
                ("FOG.CLASS OF \(name):7", "\"\(name)\""),
            ])
        }
        try session.run([("SET hist:1 x", "OK"), ("SET hist:2 x", "OK"), ("FOG.INVALIDATE TYPE hist", "2")])
    }
}
