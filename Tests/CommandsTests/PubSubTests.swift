// PubSubTests.swift - subscribing, publishing and what a subscriber may do, over RESP2 and RESP3, one loop and four;
// order, lists, slow subscribers, clients that leave.
import Base
import Engine
import TestKit
import Testing

struct PubSubTests {
    /// How a message reads: an array in RESP2, a push in RESP3; both show their elements in brackets.
    private static func message(_ client: TestClient) throws -> [String] {
        let reply = try client.reply()
        let elements = try #require(reply.elements)
        return elements.map { $0.text ?? $0.integer.map { "\($0)" } ?? "\($0)" }
    }

    @Test(arguments: TestVariant.all)
    func messagesReachChannelsAndPatterns(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let listener = try session.server.connect(protocolVersion: variant.protocolVersion)
        try listener.send("SUBSCRIBE news weather")
        #expect(try PubSubTests.message(listener) == ["subscribe", "news", "1"])
        #expect(try PubSubTests.message(listener) == ["subscribe", "weather", "2"])
        try listener.send("PSUBSCRIBE n* *s w[a-f]*")
        for (count, pattern) in [(3, "n*"), (4, "*s"), (5, "w[a-f]*")] {
            #expect(try PubSubTests.message(listener) == ["psubscribe", pattern, "\(count)"])
        }
        try session.run([
            ("PUBLISH news hello", "3"), ("PUBLISH weather rain", "2"), ("PUBLISH other nothing", "0"),
            ("PUBSUB NUMSUB news other", #"["news", 1, "other", 0]"#), ("PUBSUB NUMPAT", "3"),
            ("PUBSUB CHANNELS n*", #"["news"]"#),
        ])
        #expect(try PubSubTests.message(listener) == ["message", "news", "hello"])
        let both = [try PubSubTests.message(listener), try PubSubTests.message(listener)]
        let patterns = both.map { $0[1] }.sorted()
        #expect(patterns == ["*s", "n*"] && both.allSatisfy { $0[2...] == ["news", "hello"] })
        #expect(try PubSubTests.message(listener) == ["message", "weather", "rain"])
        try listener.send("PUNSUBSCRIBE")
        var left: Set<String> = []
        for count in [4, 3, 2] {
            // "w[a-f]*" matched the weather.
            var answer = try PubSubTests.message(listener)
            if answer[0] == "pmessage" { answer = try PubSubTests.message(listener) }
            #expect(answer[0] == "punsubscribe" && answer[2] == "\(count)")
            left.insert(answer[1])
        }
        #expect(left == ["n*", "*s", "w[a-f]*"])
        try session.run([("PUBLISH news again", "1"), ("PUBSUB NUMPAT", "0")])
        #expect(try PubSubTests.message(listener) == ["message", "news", "again"])
    }

    @Test(arguments: TestVariant.all)
    func shardChannelsAreApart(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let listener = try session.server.connect(protocolVersion: variant.protocolVersion)
        try listener.send("SSUBSCRIBE a")
        #expect(try PubSubTests.message(listener) == ["ssubscribe", "a", "1"])
        try session.run([
            ("PUBLISH a no", "0"), ("SPUBLISH a yes", "1"), ("PUBSUB SHARDCHANNELS", #"["a"]"#),
            ("PUBSUB CHANNELS", "[]"), ("PUBSUB SHARDNUMSUB a b", #"["a", 1, "b", 0]"#),
        ])
        #expect(try PubSubTests.message(listener) == ["smessage", "a", "yes"])
        listener.close()
        try eventually { try session.client.run("PUBSUB SHARDCHANNELS").elements?.isEmpty == true }
    }

    @Test(arguments: [1, 4])
    func subscribersSpeakingRESP2MayDoLittle(loopCount: Int) throws {
        let session = try TestSession(TestVariant(loopCount: loopCount))
        try session.run([
            ("SUBSCRIBE a", #"["subscribe", "a", 1]"#),
            ("PING", #"["pong", ""]"#), ("PING x", #"["pong", "x"]"#),
            (
                "GET a",
                """
                (error) ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are \
                allowed in this context
                """
            ),
            ("CLIENT ID", "(matches) (error) ERR Can't execute 'client|id': only*"),
            ("RESET", "RESET"), ("GET a", "(nil)"), ("PUBSUB CHANNELS", "[]"),
        ])
    }

    @Test(arguments: [1, 4])
    func subscribersSpeakingRESP3MayDoAnything(loopCount: Int) throws {
        let session = try TestSession(TestVariant(protocolVersion: 3, loopCount: loopCount))
        _ = try session.client.run("SUBSCRIBE me")
        try session.run([("GET a", "(nil)"), ("PING", "PONG")])
        // What a client sends itself follows the reply, in a transaction the reply of EXEC.
        #expect(try session.client.run("PUBLISH me 1").integer == 1)
        #expect(try PubSubTests.message(session.client) == ["message", "me", "1"])
        try session.run([
            ("MULTI", "OK"), ("PUBLISH me 2", "QUEUED"), ("SET a 1", "QUEUED"), ("EXEC", "[1, OK]"),
        ])
        #expect(try PubSubTests.message(session.client) == ["message", "me", "2"])
        // Pipelined with other commands it still stands behind its own.
        try session.client.send(raw: "PUBLISH me 3\r\nGET a\r\n")
        #expect(try session.client.reply().integer == 1)
        #expect(try PubSubTests.message(session.client) == ["message", "me", "3"])
        #expect(try session.client.reply().text == "1")
    }

    /// Many messages to many subscribers of both protocols on every loop: each gets all, whole and in order.
    @Test(arguments: [1, 4])
    func everybodyGetsEverythingInOrder(loopCount: Int) throws {
        let server = try TestServer(loopCount: loopCount)
        let publisher = try server.connect()
        let subscribers = try (0..<24).map { try server.connect(protocolVersion: $0 % 3 == 0 ? 3 : 2) }
        for (index, subscriber) in subscribers.enumerated() {
            try subscriber.send(index % 2 == 0 ? "SUBSCRIBE c0 c1" : "PSUBSCRIBE c*")
            _ = try subscriber.reply()
            if index % 2 == 0 { _ = try subscriber.reply() }
        }
        var sent: [(channel: String, payload: String)] = []
        var wire: [UInt8] = []
        for number in 0..<400 {
            // Small ones are gathered, long ones go as they are.
            let payload = "\(number):" + String(repeating: "x", count: number % 50 == 7 ? 40_000 : number % 90)
            sent.append(("c\(number % 3 == 0 ? 1 : 0)", payload))
            wire += TestClient.multibulk([
                Array("PUBLISH".utf8), Array(sent[number].channel.utf8), Array(payload.utf8),
            ])
        }
        try publisher.send(bytes: wire)
        for _ in sent { #expect(try publisher.reply().integer == 24) }
        for (index, subscriber) in subscribers.enumerated() {
            for (channel, payload) in sent {
                let expected = index % 2 == 0 ? ["message", channel, payload] : ["pmessage", "c*", channel, payload]
                let got = try PubSubTests.message(subscriber)
                guard got == expected else {
                    Issue.record("subscriber \(index): \(got[1]) for \(channel)")
                    return
                }
            }
        }
    }

    /// A subscriber that does not read is cut off; the publisher never waits, and others get what they should.
    @Test(arguments: [1, 4])
    func slowSubscribersAreCut(loopCount: Int) throws {
        let server = try TestServer(
            loopCount: loopCount, configuration: "client-output-buffer-limit pubsub 1mb 0 0")
        let publisher = try server.connect()
        let slow = try server.connect()
        let reader = try server.connect()
        for client in [slow, reader] { _ = try client.run("SUBSCRIBE c") }
        let payload = [UInt8](repeating: 120, count: 100_000)
        var isCut = false
        for _ in 0..<400 where !isCut {
            isCut = try publisher.run(arguments: [Array("PUBLISH".utf8), [99], payload]).integer == 1
            #expect(try reader.reply().elements?.last?.bytes == payload)
        }
        #expect(isCut, "the slow subscriber is gone")
        #expect(try publisher.run("PUBSUB NUMSUB c").description == #"["c", 1]"#)
        let text = try #require(try publisher.run("INFO stats").text)
        #expect(text.contains("client_output_buffer_limit_disconnections:1\r\n"))
    }

    @Test(arguments: TestVariant.protocols)
    func listsTellAboutSubscribers(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let listener = try session.server.connect(protocolVersion: variant.protocolVersion)
        for line in ["SUBSCRIBE a", "PSUBSCRIBE b*", "SSUBSCRIBE d"] { _ = try listener.run(line) }
        let list = try #require(try session.client.run("CLIENT LIST TYPE pubsub").text)
        #expect(list.contains(" flags=P ") && list.contains(" sub=1 psub=1 ssub=1 "))
        #expect(list.split(separator: "\n").count == 1)
        let info = try #require(try session.client.run("INFO").text)
        for line in ["pubsub_channels:1", "pubsub_patterns:1", "pubsubshard_channels:1", "pubsub_clients:1"] {
            #expect(info.contains("\(line)\r\n"))
        }
        try session.run([("CLIENT KILL TYPE pubsub", "1"), ("PUBLISH a x", "0"), ("PUBLISH b x", "0")])
    }

    @Test func idleSubscribersStay() throws {
        let session = try TestSession(configuration: "timeout 1")
        let idle = try session.server.connect()
        _ = try session.client.run("SUBSCRIBE a")
        #expect(try idle.run("PING").text == "PONG")
        _ = try idle.receiveUntilClosed()
        let publisher = try session.server.connect()
        #expect(try publisher.run("PUBLISH a still").integer == 1)
        #expect(try PubSubTests.message(session.client) == ["message", "a", "still"])
    }

    @Test(arguments: TestVariant.all)
    func silentClientsGetMessages(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.client.send(raw: "CLIENT REPLY OFF\r\nSUBSCRIBE a\r\n")
        #expect(try PubSubTests.message(session.client) == ["subscribe", "a", "1"])
        let publisher = try session.server.connect()
        #expect(try publisher.run("PUBLISH a x").integer == 1)
        #expect(try PubSubTests.message(session.client) == ["message", "a", "x"])
    }

    /// Clients that come and go in any order leave nothing behind.
    @Test func nothingIsLeftOfThoseWhoLeave() throws {
        let session = try TestSession(TestVariant(loopCount: 4))
        for round in 0..<5 {
            let clients = try (0..<12).map { _ in try session.server.connect() }
            for (index, client) in clients.enumerated() {
                try client.send("SUBSCRIBE all own:\(index)")
                _ = try client.reply()
                _ = try client.reply()
                _ = try client.run("PSUBSCRIBE p\(index % 4)*")
            }
            #expect(try session.client.run("PUBLISH all x").integer == 12)
            for index in [3, 0, 11, 5] { clients[index].close() }
            try eventually { try session.client.run("PUBLISH all x").integer == 8 }
            #expect(try session.client.run("PUBLISH own:4 x").integer == 1, "round \(round)")
            #expect(try session.client.run("PUBLISH p1x x").integer == 2)
            for client in clients { client.close() }
            try eventually { try session.client.run("PUBSUB NUMPAT").integer == 0 }
            #expect(try session.client.run("PUBSUB CHANNELS").elements?.isEmpty == true)
        }
    }

    /// Waits until what other threads do has happened.
    private func eventually(_ condition: () throws -> Bool) throws {
        for _ in 0..<5000 where try !condition() {}
        #expect(try condition())
    }
}
