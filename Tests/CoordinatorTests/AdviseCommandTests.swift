// AdviseCommandTests.swift - FOG.ADVISE over the wire: on and off, what is counted, keys that were there before, keys
// of transactions and scripts, what it says.
import Base
@testable import Engine
@testable import Keyspace
import TestKit
import Testing

struct AdviseCommandTests {
    private static func figure(_ session: TestSession, _ name: String) throws -> ReplyValue? {
        try session.client.run("FOG.ADVISE EVICTION")[name]
    }

    @Test(arguments: TestVariant.all)
    func startsAndStops(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("FOG.ADVISE EVICTION", "(error) NOADVICE nothing is simulated; FOG.ADVISE START begins"),
            ("FOG.ADVISE RESET", "(error) NOADVICE nothing is simulated; FOG.ADVISE START begins"),
            ("FOG.ADVISE STOP", "OK"), ("FOG.ADVISE START KEYS 5", "(error) ERR KEYS is 1024 to 1048576"),
            ("FOG.ADVISE START KEYS x", "(error) ERR value is not an integer or out of range"),
            ("FOG.ADVISE START NOW", "(error) ERR syntax error"),
            ("FOG.ADVISE START KEYS 2048", "OK"), ("FOG.ADVISE EVICTION", "(any)"), ("FOG.ADVISE STOP", "OK"),
            ("FOG.ADVISE EVICTION", "(error) NOADVICE nothing is simulated; FOG.ADVISE START begins"),
            ("CONFIG SET fog-advise-eviction yes", "OK"), ("FOG.ADVISE EVICTION", "(any)"),
            ("CONFIG SET fog-advise-keys 4096 maxmemory 100mb maxmemory-policy volatile-lfu", "OK"),
            ("FOG.ADVISE EVICTION", "(matches) *volatile-lfu*"), ("CONFIG SET fog-advise-eviction no", "OK"),
            ("FOG.ADVISE RESET", "(error) NOADVICE nothing is simulated; FOG.ADVISE START begins"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func countsReadsOfEveryKind(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SET there 1", "OK"), ("FOG.ADVISE START", "OK"), ("GET there", #""1""#), ("GET nowhere", "(nil)"),
            ("SET nowhere 2", "OK"), ("GET nowhere", #""2""#), ("MGET there nowhere none", #"["1", "2", (nil)]"#),
            ("MULTI", "OK"), ("GET there", "QUEUED"), ("EXEC", #"["1"]"#),
            (#"EVAL "return redis.call('GET', KEYS[1])" 1 there"#, #""1""#), ("DEL there", "1"),
            ("GET there", "(nil)"), ("INCR counter", "1"), ("PING", "PONG"),
        ])
        // Nine reads, three of them of what was not there; all four memories hold everything.
        #expect(try AdviseCommandTests.figure(session, "reads")?.integer == 9)
        #expect(try AdviseCommandTests.figure(session, "sampled_reads")?.integer == 9)
        #expect(try AdviseCommandTests.figure(session, "one_key_in")?.integer == 1)
        let own = try AdviseCommandTests.figure(session, "predicted")?["allkeys-lru"]
        #expect(own?["1x"]?.text == "66.7" && own?["4x"]?.text == "66.7", "\(String(describing: own))")
        try session.run([("FOG.ADVISE RESET", "OK"), ("GET nowhere", #""2""#)])
        #expect(try AdviseCommandTests.figure(session, "reads")?.integer == 1)
        #expect(try AdviseCommandTests.figure(session, "hit_rate")?.text == "100")
        try session.run([("FLUSHALL", "OK"), ("GET nowhere", "(nil)"), ("CONFIG RESETSTAT", "OK")])
        #expect(try AdviseCommandTests.figure(session, "reads")?.integer == 0)
        try session.run([("GET nowhere", "(nil)")])
        #expect(try AdviseCommandTests.figure(session, "hit_rate")?.text == "0")
    }

    /// The policy that is set is always one that is simulated, under its own name and only once.
    @Test(arguments: [("allkeys-s3fifo", "allkeys-lru"), ("allkeys-tinylfu", "allkeys-lfu")])
    func namesOfTheHand(name: String, stock: String) throws {
        let session = try TestSession(configuration: "maxmemory 64gb\nmaxmemory-policy \(name)")
        try session.run([("FOG.ADVISE START KEYS 4096", "OK"), ("SET key value", "OK"), ("GET key", #""value""#)])
        #expect(try AdviseCommandTests.figure(session, "policy")?.text == name)
        let predicted = try AdviseCommandTests.figure(session, "predicted")
        #expect(predicted?[name]?["1x"]?.text == "100", "\(String(describing: predicted))")
        #expect(predicted?[stock] == nil)
        for number in 0..<1200 { try session.run([("GET key", #""value""#), ("GET none\(number)", "(nil)")]) }
        let advice = try AdviseCommandTests.figure(session, "advice")?.text ?? ""
        #expect(advice.hasPrefix("No other policy would find as much as a point more."), "\(advice)")
        try session.run([("CONFIG SET maxmemory-policy \(stock)", "OK"), ("GET key", #""value""#)])
        #expect(try AdviseCommandTests.figure(session, "predicted")?[stock] != nil)
    }

    @Test("what was there before is known, and a smaller memory finds less of it")
    func knowsWhatWasThere() throws {
        // Half of it must be more than what all tests of the process use.
        let session = try TestSession(configuration: "maxmemory 64gb")
        for number in 0..<3000 { try session.run([("SET key:\(number) \(String(repeating: "v", count: 200))", "OK")]) }
        try session.run([("FOG.ADVISE START KEYS 4096", "OK")])
        for _ in 0..<20 { session.server.advanceClock(milliseconds: 100) }
        for number in 0..<1500 { try session.run([("EXISTS key:\(number)", "1")]) }
        #expect(try AdviseCommandTests.figure(session, "starting")?.integer == 0)
        #expect(try AdviseCommandTests.figure(session, "one_key_in")?.integer == 2)
        let own = try AdviseCommandTests.figure(session, "predicted")?["lru"]
        #expect(own?["0.5x"]?.text == "100" && own?["1x"]?.text == "100", "\(String(describing: own))")
        let advice = try AdviseCommandTests.figure(session, "advice")?.text ?? ""
        #expect(advice.hasPrefix("Too few reads yet"), "\(advice)")
    }
}

struct AdviceTextTests {
    private static func figures(
        _ ratios: [(StaticString, [Double])], policy: MaxmemoryPolicy = .allKeysLRU, hasLimit: Bool = true,
        wasFull: Bool = true
    ) -> AdviceFigures {
        AdviceFigures(
            milliseconds: 1000, reads: 100_000, sampledReads: 100_000, sampledKeyCount: 1000, weight: 4, byteCount: 1,
            memoryByteCount: 1 << 30, hasLimit: hasLimit, policy: policy, hitRatio: 0.5, isStarting: false,
            outcomes: ratios.map { item in
                ShadowOutcome(
                    rule: ShadowRule(item.0, .unused), hitRatios: item.1,
                    wasFull: [true, true, wasFull, wasFull])
            })
    }

    @Test func saysWhatIsWorthwhile() {
        let better = AdviceTextTests.figures([
            ("allkeys-lru", [0.4, 0.5, 0.6, 0.7]), ("allkeys-lfu", [0.4, 0.55, 0.6, 0.7]),
            ("lfu", [0.9, 0.9, 0.9, 0.9]), ("volatile-ttl", [0.9, 0.9, 0.9, 0.9]),
        ])
        #expect(
            better.advice == "maxmemory-policy allkeys-lfu would find 5.0 points more. "
                + "Twice the memory would find 10.0 points more, half of it 10.0 less.")
        let named = AdviceTextTests.figures(
            [("allkeys-s3fifo", [0.4, 0.5, 0.6, 0.7]), ("allkeys-lfu", [0.4, 0.55, 0.6, 0.7])], policy: .allKeysS3FIFO)
        #expect(named.advice.hasPrefix("maxmemory-policy allkeys-lfu would find 5.0 points more."))
        let enough = AdviceTextTests.figures([
            ("allkeys-lru", [0.698, 0.7, 0.7, 0.7]), ("allkeys-random", [0.5, 0.5, 0.5, 0.5]),
        ])
        #expect(
            enough.advice == "No other policy would find as much as a point more. "
                + "Half the memory would do: 0.2 points less.")
        let filling = AdviceTextTests.figures([("allkeys-lru", [0.4, 0.5, 0.6, 0.7])], wasFull: false)
        #expect(filling.advice.contains("Twice the memory would find at least 10.0 points more"))
        let unlimited = AdviceTextTests.figures([("allkeys-lru", [0.4, 0.5, 0.5, 0.5])], hasLimit: false)
        #expect(
            unlimited.advice == "maxmemory is not set, so nothing is evicted. "
                + "More memory would find little more, half of it 10.0 points less.")
    }
}
