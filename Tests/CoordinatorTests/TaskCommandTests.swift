// TaskCommandTests.swift - FOG.TASK over the wire: order of service, leases, retries, waiting workers, limits, lists,
// and queues that come through a restart.
import TestKit
import Testing

struct TaskCommandTests {
    /// Enqueues a task under an id, for tables.
    private func task(_ queue: String, _ id: String, _ options: String = "") -> (String, String) {
        ("FOG.TASK ENQUEUE \(queue) payload-\(id) ID \(id) \(options)", "\"\(id)\"")
    }

    private func claimed(_ client: TestClient, _ line: String) throws -> [String] {
        let reply = try client.run(line)
        return (reply.elements ?? []).compactMap { $0["id"]?.text }
    }

    @Test(arguments: TestVariant.all)
    func servesByPriority(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            task("q", "l", "PRIORITY low"), task("q", "n"), task("q", "h", "PRIORITY HIGH"),
            task("q", "c", "priority critical"),
            ("FOG.TASK ENQUEUE q x PRIORITY urgent", "(matches) (error) ERR PRIORITY must be *"),
            ("FOG.TASK ENQUEUE q x DELAY -1", "(error) ERR milliseconds are out of range"),
            ("FOG.TASK.ENQUEUE q x ID h", "(matches) (error) ERR a task with this id is not finished*"),
            ("FOG.TASK ENQUEUE q x ID h UNIQUE", #""h""#),
            ("TTL fog:task:h", "-1"), ("HMGET fog:task:h queue status priority", #"["q", "queued", "high"]"#),
        ])
        let order = try claimed(session.client, "FOG.TASK CLAIM q w COUNT 10")
        #expect(order == ["c", "h", "n", "l"])
        let nothing = try session.client.run("FOG.TASK CLAIM q w")
        #expect(nothing == .array([]))
    }

    @Test(arguments: TestVariant.protocols)
    func ageingStarvesNobody(variant: TestVariant) throws {
        let session = try TestSession(variant, configuration: "fog-task-aging-ms 100")
        try session.run([task("q", "old", "PRIORITY low")])
        session.server.advanceClock(milliseconds: 301)
        try session.run([task("q", "new", "PRIORITY critical")])
        let first = try claimed(session.client, "FOG.TASK CLAIM q w")
        #expect(first == ["old"])
        try session.run([("CONFIG SET fog-task-aging-ms 0", "OK"), task("q", "again", "PRIORITY low")])
        session.server.advanceClock(milliseconds: 10_000)
        try session.run([task("q", "urgent", "PRIORITY high")])
        let strict = try claimed(session.client, "FOG.TASK CLAIM q w")
        #expect(strict == ["new"])
    }

    @Test(arguments: TestVariant.protocols)
    func walksThroughEveryStatus(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            task("q", "t", "MAXRETRY 1"), ("HGET fog:task:t status", #""queued""#),
            ("FOG.TASK ACK t w", "(matches) (error) NOLEASE *"), ("FOG.TASK ACK no w", "(matches) (error) NOTASK *"),
            ("FOG.TASK CLAIM q w LEASE 1000", "(any)"), ("HGET fog:task:t status", #""running""#),
            ("FOG.TASK EXTEND t w 5000", "(any)"), ("FOG.TASK EXTEND t other 5000", "(matches) (error) NOLEASE *"),
            ("FOG.TASK FAIL t w REASON oops RETRYIN 100", #""failed""#),
            ("HMGET fog:task:t status reason", #"["failed", "oops"]"#), ("FOG.TASK CLAIM q w", "[]"),
        ])
        session.server.advanceClock(milliseconds: 100)
        try session.run([
            ("FOG.TASK CLAIM q w", "(any)"), ("HGET fog:task:t attempt", #""2""#),
            ("FOG.TASK FAIL t w", #""dead""#), ("FOG.TASK LIST STATUS dead", #"["t"]"#), ("FOG.TASK CLAIM q w", "[]"),
            ("TTL fog:task:t", "-1"),
            task("q", "d"), ("FOG.TASK CLAIM q w", "(any)"), ("FOG.TASK ACK d w RESULT 42", "OK"),
            ("HMGET fog:task:d status result", #"["done", "42"]"#), ("TTL fog:task:d", "300"),
            ("FOG.NODE REGISTER n1", "OK"), ("FOG.TASK ASSIGN a n1 JOB j1", "OK"),
            ("HMGET fog:task:a status node job", #"["assigned", "n1", "j1"]"#),
            ("FOG.TASK ASSIGN a nobody", "(matches) (error) NONODE *"),
            ("FOG.TASK ACK a n1", "OK"), ("HGET fog:task:a status", #""done""#),
        ])
    }

    @Test(arguments: TestVariant.all)
    func leasesEndByTheClock(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            task("q", "t", "MAXRETRY 1"), ("FOG.TASK CLAIM q gone LEASE 1000", "(any)"),
            ("FOG.TASK CLAIM q other", "[]"),
        ])
        session.server.advanceClock(milliseconds: 1001)
        try session.run([
            ("FOG.TASK ACK t gone", "(matches) (error) NOLEASE *"),
            ("HMGET fog:task:t status reason", #"["queued", "lease expired"]"#),
            ("FOG.TASK CLAIM q other LEASE 1000", "(any)"), ("HGET fog:task:t attempt", #""2""#),
        ])
        session.server.advanceClock(milliseconds: 1001)
        try session.run([("FOG.TASK LIST STATUS dead", #"["t"]"#)])
    }

    @Test(arguments: TestVariant.all)
    func workersWaitInLine(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let first = try session.server.connect(protocolVersion: variant.protocolVersion)
        let second = try session.server.connect(protocolVersion: variant.protocolVersion)
        try first.send("FOG.TASK CLAIM q w1 BLOCK 0")
        #expect(try first.reply(withinMilliseconds: 50) == nil)
        try second.send("FOG.TASK CLAIM q w2 BLOCK 0")
        #expect(try second.reply(withinMilliseconds: 50) == nil)
        try session.run([task("q", "one")])
        #expect(try first.reply().items[0]["id"]?.text == "one")
        #expect(try second.reply(withinMilliseconds: 50) == nil)
        try session.run([task("q", "two", "DELAY 500")])
        #expect(try second.reply(withinMilliseconds: 50) == nil)
        session.server.advanceClock(milliseconds: 500)
        #expect(try second.reply().items[0]["id"]?.text == "two")
        try first.send("FOG.TASK CLAIM q w1 BLOCK 100")
        #expect(try first.reply(withinMilliseconds: 50) == nil)
        session.server.advanceClock(milliseconds: 200)
        #expect(try first.reply() == .null)
        // Plain commands bring tasks as well, and a transaction waits for nothing.
        try first.send("FOG.TASK CLAIM q w1 BLOCK 0")
        #expect(try first.reply(withinMilliseconds: 50) == nil)
        try session.run([
            ("HSET fog:task:plain queue q payload p status queued", "3"),
            ("MULTI", "OK"), ("FOG.TASK CLAIM nothing w BLOCK 0", "QUEUED"), ("EXEC", "[(nil)]"),
        ])
        #expect(try first.reply().items[0]["id"]?.text == "plain")
    }

    @Test(arguments: TestVariant.protocols)
    func waitersLeaveAndAreUnblocked(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let gone = try session.server.connect()
        try gone.send("FOG.TASK CLAIM q gone BLOCK 0")
        #expect(try gone.reply(withinMilliseconds: 50) == nil)
        let waiting = try session.server.connect()
        let id = try waiting.run("CLIENT ID").integer ?? 0
        try waiting.send("FOG.TASK CLAIM q w BLOCK 0")
        #expect(try waiting.reply(withinMilliseconds: 50) == nil)
        gone.close()
        try session.run([("CLIENT UNBLOCK \(id) ERROR", "1")])
        #expect(try waiting.reply().isError)
        try waiting.send("FOG.TASK CLAIM q w BLOCK 0")
        #expect(try waiting.reply(withinMilliseconds: 50) == nil)
        try session.run([task("q", "t")])
        #expect(try waiting.reply().items[0]["id"]?.text == "t")
    }

    @Test(arguments: TestVariant.protocols)
    func limitsHold(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            task("q", "a"), task("q", "b"), task("q", "c"), ("FOG.TASK CONCURRENCY q", "0"),
            ("FOG.TASK CONCURRENCY q 2", "OK"), ("FOG.TASK CONCURRENCY q", "2"),
            ("FOG.TASK CLAIM q w COUNT 5", "(any)"),
        ])
        #expect(try session.client.run("FOG.TASK STATS q")["leased"]?.integer == 2)
        let waiting = try session.server.connect()
        try waiting.send("FOG.TASK CLAIM q v BLOCK 0")
        #expect(try waiting.reply(withinMilliseconds: 50) == nil)
        try session.run([("FOG.TASK ACK a w", "OK")])
        #expect(try waiting.reply().items[0]["id"]?.text == "c")
        // The limit is a record like others.
        try session.run([("DEL fog:queue:q", "1"), ("FOG.TASK CONCURRENCY q", "0")])
    }

    @Test func statisticsCount() throws {
        let session = try TestSession(TestVariant(protocolVersion: 3))
        try session.run([
            task("q", "a", "PRIORITY high"), task("q", "b"), task("q", "c", "MAXRETRY 0"),
            ("FOG.TASK CLAIM q w COUNT 2", "(any)"),
        ])
        session.server.advanceClock(milliseconds: 40)
        try session.run([
            ("FOG.TASK ACK a w", "OK"), ("FOG.TASK CLAIM q v", "(any)"), ("FOG.TASK FAIL c v", #""dead""#),
        ])
        let stats = try session.client.run("FOG.TASK STATS q")
        #expect(
            ["leased", "done", "failed", "dead", "workers"].map { stats[$0]?.integer } == [1, 1, 1, 1, 1])
        // The clock that a test moves forward moves by itself as well.
        let ran = stats["avg_run_ms"]?.text.flatMap { Double($0) } ?? 0
        #expect(ran >= 40 && ran < 1000)
        #expect(try session.client.run("FOG.TASK STATS") == session.client.run("FOG.STATS TASKS"))
        try session.run([("CONFIG RESETSTAT", "OK")])
        #expect(try session.client.run("FOG.TASK STATS q")["done"]?.integer == 0)
    }

    @Test func recordsOfAnyCommandCount() throws {
        let session = try TestSession()
        try session.run([
            task("q", "a"), task("q", "b"), task("q", "c"), task("q", "d", "TTL 1"), ("DEL fog:task:a", "1"),
            ("RENAME fog:task:b fog:task:z", "OK"), ("PEXPIRE fog:task:c 10", "1"),
        ])
        session.server.advanceClock(milliseconds: 1100)
        #expect(try claimed(session.client, "FOG.TASK CLAIM q w COUNT 9") == ["z"])
        try session.run([("FLUSHALL", "OK"), ("FOG.TASK LIST", "[]"), task("q", "n")])
        #expect(try claimed(session.client, "FOG.TASK CLAIM q w COUNT 9") == ["n"])
    }

    @Test(arguments: ["appendonly no", "appendonly yes"])
    func queuesSurviveARestart(configuration: String) throws {
        let directory = try TemporaryDirectory()
        do {
            let server = try TestServer(configuration: configuration, directory: directory.path)
            let session = try TestSession(server: server)
            try session.run([
                task("q", "n"), task("q", "h", "PRIORITY high"), task("q", "n2"), ("FOG.TASK CONCURRENCY q 2", "OK"),
                ("FOG.TASK CLAIM q w LEASE 600000", "(any)"), ("SAVE", "OK"),
            ])
            server.stop()
        }
        let server = try TestServer(configuration: configuration, directory: directory.path)
        let session = try TestSession(server: server)
        let stats = try session.client.run("FOG.TASK STATS q")
        #expect(stats["leased"]?.integer == 1 && stats["workers"]?.integer == 1)
        #expect(try claimed(session.client, "FOG.TASK CLAIM q w COUNT 9") == ["n"])
        try session.run([("FOG.TASK ACK h w", "OK"), ("FOG.TASK CONCURRENCY q", "2")])
        #expect(try claimed(session.client, "FOG.TASK CLAIM q w COUNT 9") == ["n2"])
    }
}
