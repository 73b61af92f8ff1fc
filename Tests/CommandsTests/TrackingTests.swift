// TrackingTests.swift - CLIENT TRACKING: what is told, to whom, when, over one loop and four; limits, redirection, and
// that clients which do not track pay nothing.
import Base
import Engine
import TestKit
import Testing

struct TrackingTests {
    /// A tracking RESP3 client and another that changes keys.
    private struct Bench {
        let session: TestSession
        let other: TestClient

        init(_ loopCount: Int, _ options: String = "", configuration: String = "") throws {
            session = try TestSession(
                TestVariant(protocolVersion: 3, loopCount: loopCount), configuration: configuration)
            other = try session.server.connect()
            try session.run([("CLIENT TRACKING ON \(options)", "OK")])
        }

        /// Runs a command of the other client.
        func change(_ line: String) throws {
            let reply = try other.run(line)
            #expect(!reply.isError, "\(line): \(reply)")
        }

        /// What was pushed to the client so far.
        func pushed(_ client: TestClient? = nil) throws -> [String] {
            let client = client ?? session.client
            try client.send("PING")
            var pushes: [String] = []
            while true {
                let reply = try client.reply()
                if reply.text == "PONG" || reply.description == #"["pong", ""]"# { return pushes }
                pushes.append(reply.description)
            }
        }
    }

    @Test(arguments: [1, 4])
    func keysThatWereRead(loopCount: Int) throws {
        let bench = try Bench(loopCount)
        try bench.change("MSET a 1 b 2")
        try bench.session.run([("MGET a b c", #"["1", "2", (nil)]"#)])
        try bench.change("SET a 2")
        try bench.change("SET a 3")
        try bench.change("SET c 1")
        #expect(try bench.pushed() == [#">["invalidate", ["a"]]"#, #">["invalidate", ["c"]]"#])
        // Behind the reply when it is the client's own doing, in a transaction behind EXEC's.
        try bench.session.run([("GET a", #""3""#), ("SET a 4", "OK")])
        #expect(try bench.pushed() == [#">["invalidate", ["a"]]"#])
        try bench.session.run([
            ("MULTI", "OK"), ("GET a", "QUEUED"), ("INCR a", "QUEUED"), ("GET a", "QUEUED"),
            ("EXEC", #"["4", 5, "5"]"#),
        ])
        #expect(try bench.pushed() == [#">["invalidate", ["a"]]"#])
        try bench.change("DEL a")
        #expect(try bench.pushed() == [#">["invalidate", ["a"]]"#])
        try bench.session.run([("GET b", #""2""#)])
        try bench.change("FLUSHALL")
        #expect(try bench.pushed() == [#">["invalidate", (nil)]"#])
        try bench.change("SET b 1")
        #expect(try bench.pushed() == [])
    }

    @Test(arguments: [1, 4])
    func expiredKeys(loopCount: Int) throws {
        let bench = try Bench(loopCount)
        try bench.change("SET a 1 PX 100")
        try bench.change("SET b 1 PX 100")
        _ = try bench.pushed()
        try bench.session.run([("MGET a b", #"["1", "1"]"#)])
        bench.session.server.advanceClock(milliseconds: 200)
        // Found by a command or by the clock, whichever comes first.
        try bench.session.run([("SET x 1", "OK")])
        var pushes = try bench.pushed()
        let end = Clock().monotonicNanoseconds + 10_000_000_000
        while pushes.count < 2 && Clock().monotonicNanoseconds < end { pushes += try bench.pushed() }
        #expect(Set(pushes) == [#">["invalidate", ["a"]]"#, #">["invalidate", ["b"]]"#])
    }

    @Test(arguments: [1, 4])
    func prefixes(loopCount: Int) throws {
        let bench = try Bench(loopCount, "BCAST PREFIX user: PREFIX item:")
        try bench.change("MSET user:2 1 other 1 item:1 1 user:1 1 user:2 2")
        #expect(
            try bench.pushed() == [
                #">["invalidate", ["item:1"]]"#, #">["invalidate", ["user:1", "user:2"]]"#,
            ])
        try bench.session.run([("SET user:3 1", "OK")])
        #expect(try bench.pushed() == [#">["invalidate", ["user:3"]]"#])
        try bench.session.run([("CLIENT TRACKING OFF", "OK"), ("CLIENT TRACKING ON BCAST NOLOOP", "OK")])
        try bench.session.run([("SET user:3 1", "OK")])
        #expect(try bench.pushed() == [])
        try bench.change("SET anything 1")
        #expect(try bench.pushed() == [#">["invalidate", ["anything"]]"#])
    }

    @Test(arguments: [1, 4])
    func optingInAndOut(loopCount: Int) throws {
        let bench = try Bench(loopCount, "OPTIN NOLOOP")
        try bench.session.run([
            ("GET a", "(nil)"), ("CLIENT CACHING YES", "OK"), ("GET b", "(nil)"), ("GET c", "(nil)"),
        ])
        try bench.change("MSET a 1 b 1 c 1")
        #expect(try bench.pushed() == [#">["invalidate", ["b"]]"#])
        try bench.session.run([("CLIENT CACHING YES", "OK"), ("GET b", #""1""#), ("SET b 2", "OK")])
        #expect(try bench.pushed() == [])
        try bench.session.run([
            ("CLIENT TRACKING OFF", "OK"), ("CLIENT TRACKING ON OPTOUT", "OK"), ("CLIENT CACHING NO", "OK"),
            ("GET a", #""1""#), ("GET c", #""1""#),
        ])
        try bench.change("MSET a 1 c 1")
        #expect(try bench.pushed() == [#">["invalidate", ["c"]]"#])
    }

    @Test(arguments: [1, 4])
    func redirection(loopCount: Int) throws {
        let session = try TestSession(TestVariant(loopCount: loopCount))
        let receiver = try session.server.connect()
        let id = try #require(try receiver.run("CLIENT ID").integer)
        _ = try receiver.run("SUBSCRIBE __redis__:invalidate")
        try session.run([
            ("CLIENT TRACKING ON REDIRECT \(id)", "OK"), ("CLIENT GETREDIR", "\(id)"), ("GET a", "(nil)"),
        ])
        try session.run([("SET a 1", "OK")])
        #expect(try receiver.reply().description == #"["message", "__redis__:invalidate", ["a"]]"#)
        try session.run([("FLUSHDB", "OK")])
        #expect(try receiver.reply().description == #"["message", "__redis__:invalidate", (nil)]"#)
        let list = try #require(try session.client.run("CLIENT INFO").text)
        #expect(list.contains(" flags=t ") && list.contains(" redir=\(id) "))
        receiver.close()
        for _ in 0..<2000 where try session.client.run("CLIENT LIST ID \(id)").text?.isEmpty == false {}
        try session.run([
            ("GET a", "(nil)"), ("SET a 1", "OK"),
            ("CLIENT TRACKINGINFO", #"["flags", ["on", "broken_redirect"], "redirect", \#(id), "prefixes", []]"#),
        ])
    }

    /// Once QUIT is answered nobody else meets the client, whichever loop is to close it.
    @Test(arguments: [1, 4])
    func aClientThatQuitsIsGone(loopCount: Int) throws {
        let bench = try Bench(loopCount)
        for _ in 0..<40 {
            let receiver = try bench.session.server.connect()
            let id = try #require(try receiver.run("CLIENT ID").integer)
            _ = try receiver.run("SUBSCRIBE c")
            try bench.session.run([("CLIENT TRACKING ON REDIRECT \(id)", "OK"), ("GET a", "(nil)")])
            #expect(try receiver.run("QUIT").text == "OK")
            try bench.session.run([("PUBSUB NUMSUB c", #"["c", 0]"#), ("CLIENT LIST ID \(id)", #"txt:"""#)])
            try bench.change("INCR a")
            #expect(try bench.pushed() == [#">["tracking-redir-broken", \#(id)]"#])
            try bench.change("DEL a")
            receiver.close()
        }
    }

    @Test(arguments: [1, 4])
    func aBrokenRedirectionIsTold(loopCount: Int) throws {
        let bench = try Bench(loopCount)
        let id = try #require(try bench.other.run("CLIENT ID").integer)
        try bench.session.run([("CLIENT TRACKING ON REDIRECT \(id)", "OK"), ("GET a", "(nil)")])
        bench.other.close()
        for _ in 0..<2000 where try bench.session.client.run("CLIENT LIST ID \(id)").text?.isEmpty == false {}
        try bench.session.run([("SET a 1", "OK")])
        #expect(try bench.pushed() == [#">["tracking-redir-broken", \#(id)]"#])
    }

    /// A client that waited changes a key that it tracks: told behind the reply of the command that waited.
    @Test(arguments: [1, 4])
    func whoWaitedIsToldBehindItsReply(loopCount: Int) throws {
        let bench = try Bench(loopCount)
        try bench.session.run([("EXISTS target", "0")])
        try bench.session.client.send("BLMOVE source target LEFT LEFT 0")
        for _ in 0..<2000 where try bench.other.run("INFO clients").text?.contains("blocked_clients:1") == false {}
        try bench.change("RPUSH source x")
        #expect(try bench.session.client.reply().text == "x")
        #expect(try bench.session.client.reply().description == #">["invalidate", ["target"]]"#)
        #expect(try bench.pushed() == [])
    }

    /// More keys than the table may hold: those given up are told as if they had changed.
    @Test(arguments: [1, 4])
    func theTableIsBounded(loopCount: Int) throws {
        // NOLOOP is about a client's own changes, not about keys given up because of what it read.
        let bench = try Bench(loopCount, "NOLOOP", configuration: "tracking-table-max-keys 10")
        var told = 0
        for number in 0..<50 {
            try bench.session.client.send("GET key:\(number)")
            while try bench.session.client.reply() != .null { told += 1 }
        }
        told += try bench.pushed().count
        #expect(told == 40)
        let info = try #require(try bench.other.run("INFO stats").text)
        #expect(info.contains("tracking_total_keys:10\r\n") && info.contains("tracking_total_items:10\r\n"))
        // A limit that is lowered takes hold.
        try bench.change("CONFIG SET tracking-table-max-keys 1")
        for _ in 0..<5000 where told < 49 { told += try bench.pushed().count }
        #expect(told == 49)
    }

    @Test func nothingIsLeft() throws {
        let session = try TestSession(TestVariant(protocolVersion: 3))
        for options in ["", "BCAST PREFIX a PREFIX b", "NOLOOP"] {
            let client = try session.server.connect(protocolVersion: 3)
            #expect(try client.run("CLIENT TRACKING ON \(options)").text == "OK")
            _ = try client.run("GET k")
            client.close()
        }
        for _ in 0..<2000 where try session.client.run("INFO clients").text?.contains("tracking_clients:0") == false {}
        let info = try #require(try session.client.run("INFO").text)
        for name in ["clients", "total_keys", "total_items", "total_prefixes"] {
            #expect(info.contains("tracking_\(name):0\r\n"), "\(name)")
        }
        try session.run([("SET k 1", "OK"), ("CLIENT TRACKING ON", "OK"), ("RESET", "RESET")])
        try session.run([("CLIENT GETREDIR", "-1")])
    }
}
