// ClassPolicyTests.swift - FOG.CLASS SET ... POLICY: its words and its record, which keys of a class go under each
// policy, and what is refused where none may go: to clients, in transactions, to scripts.
import Base
@testable import Engine
import TestKit
import Testing

struct ClassPolicyTests {
    /// So long that a hundred keys of a class are some 60 kB.
    private static let value = String(repeating: "v", count: 500)
    private static let limit = 60 << 10

    private static func refusal(_ name: String) -> String {
        "(error) OOM command not allowed when used memory of class '\(name)' > 'MAXMEM'."
    }

    private func figure(_ session: TestSession, _ name: String, _ field: String) throws -> Int {
        Int(try session.client.run("FOG.CLASS STATS \(name)")[field]?.integer ?? -1)
    }

    private func exists(_ session: TestSession, _ key: String) throws -> Bool {
        try session.client.run("EXISTS \(key)").integer == 1
    }

    private func isWithinLimit(_ session: TestSession) throws -> Bool {
        try figure(session, "c", "bytes") <= ClassPolicyTests.limit
    }

    /// A server with one class that has this policy.
    private func session(_ policy: String, _ variant: TestVariant = TestVariant()) throws -> TestSession {
        let session = try TestSession(variant)
        try session.run([("FOG.CLASS SET c PATTERN c:* MAXMEM \(ClassPolicyTests.limit) POLICY \(policy)", "OK")])
        return session
    }

    /// Writes keys until one is refused; how many were not.
    private func fill(_ session: TestSession, _ prefix: String = "c:fill") throws -> Int {
        for number in 0..<1000 {
            let reply = try session.client.run("SET \(prefix)\(number) \(ClassPolicyTests.value)")
            if reply.text != "OK" { return number }
        }
        return 1000
    }

    // MARK: words and records

    @Test(arguments: TestVariant.protocols)
    func wordsAndFields(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let names = [
            "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu",
            "allkeys-random", "noeviction", "allkeys-s3fifo", "allkeys-tinylfu",
        ]
        for name in names {
            try session.run([
                ("FOG.CLASS SET a PATTERN a:* MAXMEM 1mb policy \(name.uppercased())", "OK"),
                ("HGET fog:class:a policy", "\"\(name)\""),
            ])
            #expect(try session.client.run("FOG.CLASS GET a")["policy"]?.text == name)
            #expect(try session.client.run("FOG.CLASS STATS a")["policy"]?.text == name)
        }
        try session.run([
            ("FOG.CLASS SET a PATTERN a:* MAXMEM 1mb", "OK"), ("HGET fog:class:a policy", #""default""#),
            (
                "FOG.CLASS SET x PATTERN a* POLICY lru",
                "(error) ERR POLICY is a maxmemory-policy: allkeys-lru, volatile-ttl, noeviction or another"
            ),
            (
                "FOG.CLASS SET x PATTERN a* POLICY allkeys-lrm",
                "(error) ERR POLICY cannot be an lrm one: a class has no order by modification"
            ),
            (
                "FOG.CLASS SET x PATTERN a* POLICY Volatile-LRM",
                "(error) ERR POLICY cannot be an lrm one: a class has no order by modification"
            ),
            ("FOG.CLASS SET x PATTERN a* POLICY", "(error) ERR syntax error"), ("FOG.CLASS LIST", #"["a"]"#),
        ])
    }

    /// Records of before have no such field, and records written by hand may have any.
    @Test func recordsOfAnyKindAreRead() throws {
        let session = try TestSession(TestVariant())
        for (fields, policy) in [
            ("", "default"), ("policy nonsense", "default"), ("policy allkeys-lrm", "default"), ("policy 7", "default"),
            ("policy volatile-ttl", "volatile-ttl"),
        ] {
            try session.run([
                ("DEL fog:class:old", "(any)"), ("HSET fog:class:old pattern old:* maxmem 5000 \(fields)", "(any)"),
                ("FOG.CLASS OF old:1", #""old""#),
            ])
            #expect(try session.client.run("FOG.CLASS STATS old")["policy"]?.text == policy, "\(fields)")
            #expect(try figure(session, "old", "maxmem") == 5000)
        }
    }

    @Test func policiesSurviveARestart() throws {
        let directory = try TemporaryDirectory()
        do {
            let session = try TestSession(server: TestServer(directory: directory.path))
            try session.run([
                ("FOG.CLASS SET c PATTERN c:* MAXMEM \(ClassPolicyTests.limit) POLICY noeviction", "OK"),
                ("FOG.CLASS SET v PATTERN v:* MAXMEM 5000 POLICY volatile-ttl", "OK"),
            ])
            #expect(try fill(session) < 1000)
            for number in 0..<4 { try session.run([("SET v:\(number) \(ClassPolicyTests.value) EX 90", "OK")]) }
            try session.run([("SAVE", "OK")])
        }
        let session = try TestSession(server: TestServer(directory: directory.path))
        #expect(try session.client.run("FOG.CLASS STATS v")["policy"]?.text == "volatile-ttl")
        #expect(try figure(session, "c", "bytes") > ClassPolicyTests.limit)
        try session.run([("SET c:new x", ClassPolicyTests.refusal("c")), ("SET v:new x", "OK")])
        // What expires was counted anew, so the class gives its keys up.
        for number in 10..<30 { try session.run([("SET v:\(number) \(ClassPolicyTests.value) EX 90", "OK")]) }
        #expect(try figure(session, "v", "bytes") <= 5000)
        #expect(try exists(session, "v:new"))
    }

    // MARK: which keys go

    /// A few keys that are used often, and some hundred that nobody reads.
    private func keptOfUsed(_ session: TestSession, suffix: String = "") throws -> Int {
        let value = ClassPolicyTests.value
        for number in 0..<20 { try session.run([("SET c:hot\(number) \(value)\(suffix)", "OK")]) }
        for number in 0..<400 {
            try session.run([
                ("SET c:\(number) \(value)\(suffix)", "OK"), ("GET c:hot\(number % 20)", "(any)"),
                ("GET c:hot\((number + 7) % 20)", "(any)"),
            ])
        }
        #expect(try isWithinLimit(session))
        var kept = 0
        for number in 0..<20 where try exists(session, "c:hot\(number)") { kept += 1 }
        return kept
    }

    @Test(arguments: ["allkeys-lru", "allkeys-s3fifo", "allkeys-lfu", "allkeys-tinylfu"])
    func usedKeysStay(policy: String) throws {
        #expect(try keptOfUsed(session(policy)) >= 18)
    }

    @Test(arguments: ["volatile-lru", "volatile-lfu"])
    func usedKeysStayAmongThoseThatExpire(policy: String) throws {
        #expect(try keptOfUsed(session(policy), suffix: " EX 1000") >= 18)
    }

    /// Some sixty keys of over five hundred stay: of twenty, two or three.
    @Test(arguments: ["allkeys-random", "volatile-random"])
    func useDoesNotMatterToChance(policy: String) throws {
        let kept = try keptOfUsed(session(policy), suffix: policy == "allkeys-random" ? "" : " EX 1000")
        #expect(kept < 14, "\(kept)")
    }

    @Test("what was used three times outlives what was used once, though that was later")
    func usesCount() throws {
        // Uses that pass: how many of each kind of key are left.
        func left(_ policy: String) throws -> (often: Int, once: Int) {
            let session = try session(policy)
            for number in 0..<30 {
                try session.run([("SET c:often\(number) \(ClassPolicyTests.value)", "OK")])
                for _ in 0..<3 { try session.run([("GET c:often\(number)", "(any)")]) }
            }
            for number in 0..<300 {
                try session.run([
                    ("SET c:once\(number) \(ClassPolicyTests.value)", "OK"), ("GET c:once\(number)", "(any)"),
                ])
            }
            var (often, once) = (0, 0)
            for number in 0..<30 where try exists(session, "c:often\(number)") { often += 1 }
            for number in 0..<300 where try exists(session, "c:once\(number)") { once += 1 }
            return (often, once)
        }
        let (lfu, lru) = (try left("allkeys-lfu"), try left("allkeys-lru"))
        #expect(lfu.often >= 15 && lfu.once > 20, "\(lfu)")
        #expect(lru.often <= 5 && lru.once > 20, "\(lru)")
    }

    @Test(arguments: ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"])
    func whatDoesNotExpireStays(policy: String) throws {
        let session = try session(policy)
        // Looking for them is no use of them.
        try session.run([("CLIENT NO-TOUCH ON", "OK")])
        for number in 0..<40 { try session.run([("SET c:keep\(number) \(ClassPolicyTests.value)", "OK")]) }
        for number in 0..<300 { try session.run([("SET c:\(number) \(ClassPolicyTests.value) EX 500", "OK")]) }
        for number in 0..<40 { #expect(try exists(session, "c:keep\(number)")) }
        #expect(try isWithinLimit(session))
        #expect(try figure(session, "c", "evicted") > 200)
        // A key that lost its expiry stays too, and one that got one may go.
        try session.run([("PERSIST c:299", "1"), ("EXPIRE c:keep0 100", "1")])
        // Under some policies its uses keep it for a while: passes of the hand, not writes, wear them off.
        for round in 1...10 where try round == 1 || exists(session, "c:keep0") {
            for number in 300..<600 {
                try session.run([("SET c:\(round):\(number) \(ClassPolicyTests.value) EX 500", "OK")])
            }
        }
        #expect(try exists(session, "c:299"))
        #expect(try !exists(session, "c:keep0"))
        for number in 1..<40 { #expect(try exists(session, "c:keep\(number)")) }
    }

    @Test func fewKeysGoInTheOrderOfTheirExpiry() throws {
        let session = try TestSession(TestVariant())
        try session.run([
            (TableFilling.line, "OK"), ("FOG.CLASS SET c PATTERN c:* MAXMEM 1mb POLICY volatile-ttl", "OK"),
        ])
        for number in 0..<12 {
            let life = 100 + (number * 7) % 12 * 10
            try session.run([("SET c:\(number) \(ClassPolicyTests.value) EX \(life)", "OK")])
            for _ in 0..<3 { try session.run([("GET c:\(number)", "(any)")]) }
        }
        // The key written last is c:11.
        let each = try figure(session, "c", "bytes") / 12
        for left in stride(from: 11, through: 2, by: -1) {
            let limit = each * left + each / 2
            try session.run([("FOG.CLASS SET c PATTERN c:* MAXMEM \(limit) POLICY volatile-ttl", "OK")])
            #expect(try figure(session, "c", "keys") == left)
            let lives = try (0..<12).filter { try exists(session, "c:\($0)") && $0 != 11 }.map { ($0 * 7) % 12 }
            let expected = Array((0..<12).filter { $0 != 11 * 7 % 12 }.suffix(left - 1))
            #expect(lives.sorted() == expected)
        }
    }

    @Test func manyKeysGoAboutInTheOrderOfTheirExpiry() throws {
        let session = try session("volatile-ttl")
        var generator = RandomGenerator(seed: 5)
        var lives = Array(1000..<1600)
        for place in lives.indices { lives.swapAt(place, generator.below(place + 1)) }
        for life in lives { try session.run([("SET c:\(life) \(ClassPolicyTests.value) EX \(life)", "OK")]) }
        #expect(try isWithinLimit(session))
        let kept = try lives.filter { try exists(session, "c:\($0)") }
        let mean = kept.reduce(0, +) / max(1, kept.count)
        // By chance it would be 1300; the latest of them all have 1550.
        #expect(kept.count > 60 && mean > 1520, "\(mean) of \(kept.count)")
    }

    /// The one key that expires is the one that was written last: there is no other to spare it for.
    @Test(arguments: ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"])
    func theOnlyOneThatMayGoGoes(policy: String) throws {
        let session = try session(policy)
        try session.run([(TableFilling.line, "OK")])
        var count = 0
        while try figure(session, "c", "bytes") + 1500 < ClassPolicyTests.limit {
            try session.run([("SET c:\(count) \(ClassPolicyTests.value)", "OK")])
            count += 1
        }
        try session.run([
            ("SET c:last \(String(repeating: "v", count: 2000)) EX 100", "OK"), ("EXISTS c:last", "0"),
            ("SET c:small x", "OK"),
        ])
        #expect(try figure(session, "c", "keys") == count + 1)
        #expect(try isWithinLimit(session))
    }

    @Test(arguments: ["allkeys-random", "volatile-ttl", "noeviction"])
    func valuesGoDownFirst(policy: String) throws {
        let session = try TestSession(server: TestServer(configuration: "fog-compress yes"))
        try session.run([("FOG.CLASS SET c PATTERN c:* MAXMEM 100kb POLICY \(policy)", "OK")])
        // A kilobyte each, of which a tenth is left once it is compressed.
        let text = String(repeating: "a value that shrinks, ", count: 48)
        for number in 0..<200 {
            let line = ["SET", "c:\(number)", text, "EX", "1000"]
            // Compressing has its own time in each millisecond, so one write may have to be tried again.
            var tries = 0
            while tries < 500, try session.client.run(arguments: line.map { Array($0.utf8) }).text != "OK" {
                session.server.advanceClock(milliseconds: 100)
                tries += 1
            }
            session.server.advanceClock(milliseconds: 20)
        }
        // Some ninety fit as they are.
        let keys = try figure(session, "c", "keys")
        var compressed = 0
        for number in 0..<200 {
            if try session.client.run("OBJECT ENCODING c:\(number)").text?.hasPrefix("compressed") == true {
                compressed += 1
            }
        }
        switch policy {
        case "noeviction": #expect(keys == 200 && compressed > 100, "\(keys) and \(compressed)")
        // The soonest would go next in any case.
        case "volatile-ttl": #expect(keys < 110 && compressed == 0, "\(keys) and \(compressed)")
        default: #expect(keys > 110 && compressed > 20, "\(keys) and \(compressed)")
        }
    }
}
