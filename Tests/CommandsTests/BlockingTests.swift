// BlockingTests.swift - clients that wait for keys, seen through the list commands: who is served, when and in which
// order; everything that ends a wait; what a wait must not do. Time is the test clock's.
import Engine
import TestKit
import Testing

struct BlockingTests {
    /// Sends a command that must wait, and returns when it does.
    private func wait(_ client: TestClient, _ line: String, _ session: TestSession) throws {
        var before = 0
        session.server.withEngine { before = $0.waiting.count }
        try client.send(line)
        for _ in 0..<2000 {
            var now = 0
            session.server.withEngine { now = $0.waiting.count }
            if now > before { return }
            // Gives the server's thread the processor.
            _ = try session.client.run("PING")
        }
        Issue.record("does not wait: \(line)")
    }

    private func expectIdle(_ session: TestSession) throws {
        try session.run([
            (
                "INFO clients",
                """
                (matches) *blocked_clients:0*clients_in_timeout_table:0*total_blocking_keys:0*on_nokey:0*
                """
            )
        ])
    }

    @Test(arguments: TestVariant.all)
    func repliesWithoutWaiting(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("RPUSH l a b c d e f g", "7"), ("SET s x", "OK"),
            ("BLPOP none l 0", #"["l", "a"]"#), ("BRPOP l none 0", #"["l", "g"]"#),
            ("BLMPOP 0 2 none l LEFT COUNT 2", #"["l", ["b", "c"]]"#), ("BLMOVE l m RIGHT LEFT 0", #""f""#),
            ("BRPOPLPUSH l m 0", #""e""#), ("LRANGE m 0 -1", #"["e", "f"]"#),
            ("BLPOP s 0", "(error) WRONGTYPE Operation against a key holding the wrong kind of value"),
            ("BLMOVE l s LEFT LEFT 0", "(error) WRONGTYPE Operation against a key holding the wrong kind of value"),
            ("LLEN l", "1"), ("BLPOP l 0", #"["l", "d"]"#), ("EXISTS l", "0"),
            ("BLPOP l abc", "(error) ERR timeout is not a float or out of range"),
            ("BLPOP l -1", "(error) ERR timeout is negative"),
            ("BLMOVE l m LEFT LEFT -0.5", "(error) ERR timeout is negative"),
            ("BLPOP l 1e300", "(error) ERR timeout is out of range"),
            ("BLMPOP 0 0 l LEFT", "(error) ERR numkeys should be greater than 0"),
            ("BLMPOP 0 2 l LEFT", "(error) ERR syntax error"),
            ("BLMPOP 0 1 l LEFT COUNT 0", "(error) ERR count should be greater than 0"),
            ("BLMOVE l m UP LEFT 0", "(error) ERR syntax error"),
            ("MULTI", "OK"), ("BLPOP l 0", "QUEUED"), ("BLMOVE l m LEFT LEFT 0", "QUEUED"),
            ("BRPOPLPUSH l m 0", "QUEUED"), ("BLMPOP 0 1 l LEFT", "QUEUED"), ("RPUSH l z", "QUEUED"),
            ("BLPOP l 0", "QUEUED"), ("EXEC", #"[(nil), (nil), (nil), (nil), 1, ["l", "z"]]"#),
        ])
        try expectIdle(session)
    }

    /// One push, many who wait: the longest waiting first, each with one element, what is left stays.
    @Test(arguments: TestVariant.all)
    func firstComeFirstServed(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let waiters = try (0..<5).map { _ in try session.server.connect(protocolVersion: variant.protocolVersion) }
        for (index, waiter) in waiters.enumerated() {
            try wait(waiter, index % 2 == 0 ? "BLPOP other q q 0" : "BRPOP q 100", session)
        }
        try session.run([
            (
                "INFO clients",
                """
                (matches) *blocked_clients:5*clients_in_timeout_table:2*total_blocking_keys:2*on_nokey:0*
                """
            ),
            ("CLIENT LIST", "(matches) *flags=b *cmd=blpop*flags=b *cmd=brpop*"),
            ("RPUSH q 1 2 3", "3"), ("LLEN q", "0"),
        ])
        #expect(try waiters[0].reply().description == #"["q", "1"]"#)
        #expect(try waiters[1].reply().description == #"["q", "3"]"#)
        #expect(try waiters[2].reply().description == #"["q", "2"]"#)
        try session.run([("RPUSH q 4 5 6 7", "4"), ("LRANGE q 0 -1", #"["5", "6"]"#)])
        #expect(try waiters[3].reply().description == #"["q", "7"]"#)
        #expect(try waiters[4].reply().description == #"["q", "4"]"#)
        try expectIdle(session)
    }

    /// A transaction is served at its end, seeing what it left; a key that came and went wakes nobody.
    @Test(arguments: TestVariant.all)
    func servesAfterTheWholeTransaction(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let first = try session.server.connect()
        let second = try session.server.connect()
        try wait(first, "BLPOP a b 0", session)
        try wait(second, "BRPOP b 0", session)
        try session.run([
            ("MULTI", "OK"), ("RPUSH a 1", "QUEUED"), ("DEL a", "QUEUED"), ("RPUSH b x y z", "QUEUED"),
            ("LPOP b", "QUEUED"), ("EXEC", #"[1, 1, 3, "x"]"#), ("EXISTS a b", "0"),
        ])
        #expect(try first.reply().description == #"["b", "y"]"#)
        #expect(try second.reply().description == #"["b", "z"]"#)
        try wait(first, "BLPOP a 0", session)
        try session.run([
            ("MULTI", "OK"), ("RPUSH a 1", "QUEUED"), ("SET a x", "QUEUED"), ("EXEC", "[1, OK]"),
            ("SET a y", "OK"), ("DEL a", "1"),
        ])
        #expect(try first.reply(withinMilliseconds: 20) == nil)
        try session.run([("RPUSH a 1", "1")])
        #expect(try first.reply().description == #"["a", "1"]"#)
    }

    /// What serving one client changes makes keys ready for others, in circles as well.
    @Test(arguments: TestVariant.all)
    func movesFollowEachOther(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let clients = try (0..<3).map { _ in try session.server.connect() }
        try wait(clients[0], "BLMOVE a b LEFT RIGHT 0", session)
        try wait(clients[1], "BLMOVE b c LEFT RIGHT 0", session)
        try wait(clients[2], "BLMOVE c a LEFT RIGHT 0", session)
        try session.run([("RPUSH a x", "1"), ("LRANGE a 0 -1", #"["x"]"#), ("EXISTS b c", "0")])
        for client in clients { #expect(try client.reply().description == #""x""#) }
        try wait(clients[0], "BLMOVE q q LEFT RIGHT 0", session)
        try session.run([("RPUSH q 1 2", "2"), ("LRANGE q 0 -1", #"["2", "1"]"#)])
        #expect(try clients[0].reply().description == #""1""#)
        // A target of the wrong type is the waiting client's error, and the element stays.
        try wait(clients[0], "BRPOPLPUSH src text 0", session)
        try session.run([("SET text t", "OK"), ("RPUSH src 1", "1"), ("LLEN src", "1")])
        #expect(try clients[0].reply().description.contains("WRONGTYPE"))
        try expectIdle(session)
    }

    /// Every way in which a key may become a list.
    @Test func anyCommandThatMakesAListServes() throws {
        let session = try TestSession()
        let waiter = try session.server.connect()
        let ways: [[(String, String)]] = [
            [("RPUSH src v", "1"), ("RENAME src k", "OK")],
            [("RPUSH src v", "1"), ("RENAMENX src k", "1")],
            [("RPUSH src v", "1"), ("COPY src k", "1"), ("DEL src", "1")],
            [("RPUSH src v", "1"), ("LMOVE src k LEFT LEFT", #""v""#)],
            [("SELECT 3", "OK"), ("RPUSH k v", "1"), ("MOVE k 0", "1"), ("SELECT 0", "OK")],
            [("SELECT 3", "OK"), ("RPUSH k v", "1"), ("SWAPDB 0 3", "OK"), ("SELECT 0", "OK")],
            [("SELECT 3", "OK"), ("RPUSH k v", "1"), ("COPY k k DB 0", "1"), ("FLUSHDB", "OK"), ("SELECT 0", "OK")],
            [("SET k text", "OK"), ("FLUSHALL", "OK"), ("LPUSH k v", "1")],
        ]
        for way in ways {
            try wait(waiter, "BLPOP k 0", session)
            try session.run(way.map { (command: $0.0, reply: $0.1) })
            #expect(try waiter.reply().description == #"["k", "v"]"#)
            try session.run([("DBSIZE", "0")])
        }
        try expectIdle(session)
    }

    @Test(arguments: TestVariant.all)
    func timeouts(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let names = ["BLPOP k 1", "BLMOVE k l LEFT LEFT 1.0", "BRPOPLPUSH k l 1", "BLMPOP 1 1 k LEFT", "BRPOP k 0.999"]
        let waiters = try names.map { name in
            let client = try session.server.connect(protocolVersion: variant.protocolVersion)
            try wait(client, name, session)
            return client
        }
        session.server.advanceClock(milliseconds: 900)
        for waiter in waiters { #expect(try waiter.reply(withinMilliseconds: 5) == nil) }
        // A key of another type says nothing to a client whose time is over.
        try session.run([("SET k text", "OK")])
        session.server.advanceClock(milliseconds: 101)
        for waiter in waiters { #expect(try waiter.reply().description == "(nil)") }
        try expectIdle(session)
        try session.run([
            ("DEL k", "1"), ("BLPOP k 0.001", "(nil)"), ("BLPOP k 0.0001", "(nil)"),
            ("INFO commandstats", "(matches) *cmdstat_blpop:calls=3,*rejected_calls=0,failed_calls=0*"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func unblocking(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let waiter = try session.server.connect()
        let id = try waiter.run("CLIENT ID").integer ?? 0
        try wait(waiter, "BLPOP k 0", session)
        try session.run([("CLIENT UNBLOCK \(id)", "1"), ("CLIENT UNBLOCK \(id)", "0")])
        #expect(try waiter.reply().description == "(nil)")
        try wait(waiter, "BLMOVE k l LEFT LEFT 0", session)
        try session.run([("CLIENT UNBLOCK \(id) ERROR", "1")])
        #expect(try waiter.reply().description == "(error) UNBLOCKED client unblocked via CLIENT UNBLOCK")
        try wait(waiter, "BLPOP k 0", session)
        // Within a transaction the client is resumed at its end, once.
        try session.run([
            ("MULTI", "OK"), ("CLIENT UNBLOCK \(id)", "QUEUED"), ("CLIENT UNBLOCK \(id) ERROR", "QUEUED"),
            ("RPUSH k v", "QUEUED"), ("LPOP k", "QUEUED"), ("EXEC", #"[1, 0, 1, "v"]"#),
        ])
        #expect(try waiter.reply().description == "(nil)")
        try expectIdle(session)
    }

    /// Clients that go while they wait: by themselves, by CLIENT KILL, by both in a row; the next in line gets it.
    @Test(arguments: TestVariant.all)
    func leavingTheLine(variant: TestVariant) throws {
        let session = try TestSession(variant)
        for round in 0..<10 {
            let gone = try session.server.connect()
            let killed = try session.server.connect()
            let id = try killed.run("CLIENT ID").integer ?? 0
            let last = try session.server.connect()
            try wait(gone, "BLPOP k\(round) k 0", session)
            try wait(killed, "BLPOP k k\(round) 100", session)
            try wait(last, "BRPOP k 100", session)
            gone.close()
            for _ in 0..<2000 {
                var count = 0
                session.server.withEngine { count = $0.waiting.count }
                if count < 3 { break }
                _ = try session.client.run("PING")
            }
            try session.run([
                ("MULTI", "OK"), ("RPUSH k v", "QUEUED"), ("CLIENT KILL ID \(id)", "QUEUED"), ("EXEC", "[1, 1]"),
                ("EXISTS k", "0"),
            ])
            #expect(try last.reply().description == #"["k", "v"]"#)
            #expect(try killed.receiveUntilClosed() == "")
        }
        try expectIdle(session)
    }

    /// What a client sent behind its blocking command runs when that has ended, and not before.
    @Test(arguments: TestVariant.all)
    func pipelinesStandStill(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let waiter = try session.server.connect()
        try waiter.send(raw: "SET a 1\r\nBLPOP k 0\r\nINCR a\r\nBLPOP k 0\r\nINCR a\r\n")
        #expect(try waiter.reply().description == "OK")
        #expect(try waiter.reply(withinMilliseconds: 20) == nil)
        try session.run([("GET a", #""1""#), ("RPUSH k v", "1")])
        #expect(try waiter.reply().description == #"["k", "v"]"#)
        #expect(try waiter.reply().description == "(integer) 2")
        #expect(try waiter.reply(withinMilliseconds: 20) == nil)
        try session.run([("RPUSH k w", "1")])
        #expect(try waiter.reply().description == #"["k", "w"]"#)
        #expect(try waiter.reply().description == "(integer) 3")
    }

    /// A pause holds back what would be served; time still runs out, and what is unpaused in a transaction waits for
    /// its end.
    @Test(arguments: TestVariant.all)
    func pauses(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let waiter = try session.server.connect()
        let impatient = try session.server.connect()
        try wait(waiter, "BLPOP k 0", session)
        try wait(impatient, "BLPOP other 1", session)
        try session.run([
            ("MULTI", "OK"), ("RPUSH k v", "QUEUED"), ("CLIENT PAUSE 100000 WRITE", "QUEUED"), ("EXEC", "[1, OK]"),
            ("LLEN k", "1"),
        ])
        #expect(try waiter.reply(withinMilliseconds: 20) == nil)
        session.server.advanceClock(milliseconds: 1001)
        #expect(try impatient.reply().description == "(nil)")
        try session.run([
            ("MULTI", "OK"), ("CLIENT UNPAUSE", "QUEUED"), ("LLEN k", "QUEUED"), ("EXEC", "[OK, 1]"), ("LLEN k", "0"),
        ])
        #expect(try waiter.reply().description == #"["k", "v"]"#)
        // One that a pause held back waits like any other when its command first runs.
        try session.run([("CLIENT PAUSE 100000 WRITE", "OK")])
        try wait(waiter, "BLPOP k 0", session)
        try session.run([
            ("MULTI", "OK"), ("CLIENT UNPAUSE", "QUEUED"), ("EXEC", "[OK]"),
            ("INFO clients", "(matches) *blocked_clients:1*"), ("RPUSH k w", "1"),
        ])
        #expect(try waiter.reply().description == #"["k", "w"]"#)
    }

    /// MONITOR and the slow log show a blocked command once; statistics count it once.
    @Test func isSeenOnce() throws {
        let session = try TestSession(configuration: "slowlog-log-slower-than 0")
        let waiter = try session.server.connect()
        let monitor = try session.server.connect()
        #expect(try monitor.run("MONITOR").description == "OK")
        try wait(waiter, "BLPOP k 0", session)
        try session.run([("RPUSH k v", "1")])
        #expect(try waiter.reply().description == #"["k", "v"]"#)
        try session.run([
            ("INFO commandstats", "(matches) *cmdstat_blpop:calls=1,*"), ("SLOWLOG GET 1", "(matches) *INFO*"),
            ("ECHO end", #""end""#),
        ])
        var shown = 0
        while true {
            let line = try monitor.reply().description
            if line.contains("BLPOP") { shown += 1 }
            if line.contains("ECHO") { break }
        }
        #expect(shown == 1)
        let slow = try session.client.run("SLOWLOG GET 100").description
        #expect(slow.split(separator: "BLPOP").count == 2)
    }

    /// Thousands in one line: every push serves exactly the oldest, whoever left in between.
    @Test func longLines() throws {
        let session = try TestSession()
        let count = 300
        let waiters = try (0..<count).map { _ in try session.server.connect() }
        for waiter in waiters { try wait(waiter, "BLPOP k 0", session) }
        let left = Set(stride(from: 0, to: count, by: 3))
        for index in left {
            waiters[index].close()
        }
        for _ in 0..<5000 {
            var waiting = 0
            session.server.withEngine { waiting = $0.waiting.count }
            if waiting == count - left.count { break }
            _ = try session.client.run("PING")
        }
        for index in 0..<count where !left.contains(index) {
            try session.run([("RPUSH k \(index)", "1")])
            #expect(try waiters[index].reply().description == #"["k", "\#(index)"]"#)
        }
        try expectIdle(session)
    }

    /// Sorted sets wait in the same lines; each end and each form.
    @Test(arguments: TestVariant.protocols)
    func waitsForMembers(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let score = { (text: String) in variant.protocolVersion == 3 ? "(double) \(text)" : "\"\(text)\"" }
        try session.run([
            ("ZADD z 1 a 2 b 3 c 4 d", "4"), ("BZPOPMIN none z 0", "[\"z\", \"a\", \(score("1"))]"),
            ("BZPOPMAX z none 0", "[\"z\", \"d\", \(score("4"))]"),
            ("BZMPOP 0 2 none z MIN COUNT 5", "[\"z\", [[\"b\", \(score("2"))], [\"c\", \(score("3"))]]]"),
            ("EXISTS z", "0"), ("SET s x", "OK"), ("BZPOPMIN z -1", "(error) ERR timeout is negative"),
            ("BZPOPMIN s 0", "(error) WRONGTYPE Operation against a key holding the wrong kind of value"),
            ("BZMPOP 0 0 z MIN", "(error) ERR numkeys should be greater than 0"),
            ("MULTI", "OK"), ("BZPOPMIN z 0", "QUEUED"), ("BZMPOP 0 1 z MAX", "QUEUED"), ("EXEC", "[(nil), (nil)]"),
        ])
        let first = try session.server.connect(protocolVersion: variant.protocolVersion)
        let second = try session.server.connect(protocolVersion: variant.protocolVersion)
        try wait(first, "BZPOPMIN w z 0", session)
        try wait(second, "BZMPOP 0 1 z MAX COUNT 2", session)
        try session.run([("RPUSH z x", "1"), ("DEL z", "1"), ("ZADD z 1 a 2 b 3 c", "3")])
        #expect(try first.reply().description == "[\"z\", \"a\", \(score("1"))]")
        #expect(
            try second.reply().description == "[\"z\", [[\"c\", \(score("3"))], [\"b\", \(score("2"))]]]")
        try session.run([("EXISTS z", "0")])
        try expectIdle(session)
    }
}
