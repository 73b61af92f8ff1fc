// NodeLifeTests.swift - heartbeats, timeouts and status over the wire; lists against a filter of all records after
// random changes by whatever command; registration in bulk and the way back from an export.
import TestKit
import Testing

struct NodeLifeTests {
    @Test func heartbeatsRefreshAndTimeouts() throws {
        let session = try TestSession(configuration: "fog-heartbeat-timeout 1")
        let subscriber = try session.server.connect()
        _ = try subscriber.run("SUBSCRIBE fog:events:NODE_TIMEOUT")
        try session.run([
            ("FOG.NODE REGISTER a", "OK"), ("EXPIRE fog:node:a 100", "1"), ("FOG.NODE HEARTBEAT a CPU 30 RT 2.5", "1"),
            ("TTL fog:node:a", "300"), ("HMGET fog:node:a cpu rt seq", #"["30", "2.5", "1"]"#),
            ("FOG.NODE HEARTBEAT nobody", "(matches) (error) NONODE *"),
            ("FOG.NODE LIST ALIVE 300", #"["a"]"#), ("FOG.NODE LIST STALE 90", "[]"),
        ])
        session.server.advanceClock(milliseconds: 1500)
        let event = try subscriber.reply(withinMilliseconds: 5000)
        #expect(event?.items.last?.text?.contains(#""type":"NODE_TIMEOUT","resource":"a""#) == true)
        try session.run([
            ("HGET fog:node:a status", #""inactive""#),
            ("FOG.NODE LIST STATUS active", "[]"),
            ("FOG.LB SELECT", "(nil)"),
            ("FOG.NODE HEARTBEAT a", "2"),
            ("FOG.NODE LIST STATUS active", #"["a"]"#),
        ])
    }

    @Test func staleNodesAfterNinetySeconds() throws {
        let session = try TestSession()
        try session.run([("FOG.NODE REGISTER old", "OK")])
        session.server.advanceClock(milliseconds: 91_000)
        try session.run([
            ("FOG.NODE REGISTER new", "OK"),
            ("FOG.NODE LIST STALE 90", #"["old"]"#), ("FOG.NODE LIST ALIVE 90", #"["new"]"#),
            ("FOG.NODE EXPLAIN STALE 90", #"["index", "heartbeat", "rows", 1, "matches", 1, "nodes", 2]"#),
        ])
    }

    @Test func statusSaysWhatWas() throws {
        let session = try TestSession()
        let subscriber = try session.server.connect()
        _ = try subscriber.run("SUBSCRIBE fog:events:NODE_STATUS_CHANGED")
        try session.run([
            ("FOG.NODE REGISTER a", "OK"), ("FOG.NODE STATUS a draining", #""active""#),
            ("FOG.NODE STATUS a asleep", "(matches) (error) ERR status must be *"),
            ("FOG.NODE HEARTBEAT a", "1"), ("HGET fog:node:a status", #""draining""#),
        ])
        let event = try subscriber.reply(withinMilliseconds: 5000)
        #expect(event?.items.last?.text?.contains(#""old":"active","new":"draining""#) == true)
    }

    /// Every list is what a client would filter out of all records.
    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 3...UInt64.max)])
    func listsEqualAClientsFilter(seed: UInt64) throws {
        var random = TestRandom(seed)
        let session = try TestSession(configuration: "fog-heartbeat-timeout 0")
        let client = session.client
        let statuses = ["active", "inactive", "draining"]
        for step in 0..<1500 {
            let id = "n\(random.below(40))"
            let (region, type) = ("r\(random.below(3))", "t\(random.below(2))")
            switch random.below(12) {
            case 0...4: _ = try client.run("FOG.NODE REGISTER \(id) REGION \(region) TYPE \(type)")
            case 5: _ = try client.run("FOG.NODE STATUS \(id) \(statuses[random.below(3)])")
            case 6: _ = try client.run("DEL fog:node:\(id)")
            case 7: _ = try client.run("HSET fog:node:\(id) region \(region) status \(statuses[random.below(3)])")
            case 8: _ = try client.run("HDEL fog:node:\(id) region type")
            case 9: _ = try client.run("RENAME fog:node:\(id) fog:node:n\(random.below(40))")
            case 10: _ = try client.run("PEXPIRE fog:node:\(id) \(random.below(3) + 1)")
            default: _ = try client.run(step % 200 == 11 ? "FLUSHDB" : "FOG.NODE HEARTBEAT \(id)")
            }
            guard step % 25 == 24 else { continue }
            session.server.advanceClock(milliseconds: 5)
            var expected: Set<String> = []
            let (status, wanted) = (statuses[random.below(3)], "r\(random.below(3))")
            for number in 0..<40 {
                let fields = try client.run("HMGET fog:node:n\(number) status region").items.map(\.text)
                let exists = try client.run("EXISTS fog:node:n\(number)").integer == 1
                if exists, fields[0] ?? "active" == status, fields[1] == wanted { expected.insert("n\(number)") }
            }
            let query = "STATUS \(status) REGION \(wanted)"
            let found = try client.run("FOG.NODE LIST \(query)").items.compactMap(\.text)
            #expect(Set(found) == expected && found.count == expected.count, "seed \(seed), step \(step), \(query)")
            #expect(try client.run("FOG.NODE COUNT \(query)").integer == Int64(expected.count), "seed \(seed)")
        }
    }

    @Test func indexesSurviveReload() throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(configuration: "enable-debug-command yes", directory: directory.path)
        let session = try TestSession(server: server)
        try session.run([
            ("FOG.NODE REGISTER a REGION eu", "OK"), ("FOG.NODE REGISTER b REGION us", "OK"), ("FOG.LB BEGIN a", "1"),
            ("SET other 1", "OK"), ("DEBUG RELOAD", "OK"), ("FOG.NODE COUNT", "2"),
            ("FOG.NODE LIST REGION us", #"["b"]"#), ("FOG.LB BEGIN a", "2"),
        ])
    }

    @Test func manyAtOnceAndBack() throws {
        let session = try TestSession()
        try session.run([
            ("FOG.NODE MREGISTER 2 a 2 region eu cpu 10 b 1 type edge", "2"),
            ("FOG.NODE MREGISTER 2 a 1 cpu 10", "(matches) (error) ERR *"),
            ("FOG.NODE MREGISTER 1 a 1 cpu 1000", "(matches) (error) ERR *"),
            ("FOG.NODE MGET a nobody", "(matches) *region*eu*(nil)*"),
        ])
        let before = try session.client.run("FOG.NODE EXPORT JSONL")
        let lines = before.text?.split(separator: "\n") ?? []
        #expect(lines.count == 2)
        try session.run([("FLUSHALL", "OK"), ("FOG.NODE COUNT", "0")])
        for line in lines {
            // {"id":"a","x":"1",...} without escapes: the texts are every second part between quotes.
            let parts = line.split(separator: "\"").enumerated()
            let texts = parts.filter { $0.offset % 2 == 1 }.map { String($0.element) }
            let fields = texts.dropFirst(2).joined(separator: " ")
            try session.run([("FOG.NODE MREGISTER 1 \(texts[1]) \((texts.count - 2) / 2) \(fields)", "1")])
        }
        let after = try session.client.run("FOG.NODE EXPORT JSONL")
        func sorted(_ reply: ReplyValue) -> [String] {
            (reply.text ?? "").split(separator: "\n").map { $0.split(separator: ",").sorted().joined() }.sorted()
        }
        #expect(sorted(after).map { $0.filter { $0 != "{" && $0 != "}" }.sorted() }
            == sorted(before).map { $0.filter { $0 != "{" && $0 != "}" }.sorted() })
    }

    @Test func trackingClientsHearOfNodes() throws {
        let session = try TestSession(TestVariant(protocolVersion: 3))
        let other = try session.server.connect()
        _ = try other.run("FOG.NODE REGISTER a CPU 10")
        try session.run([("CLIENT TRACKING ON", "OK"), ("FOG.NODE GET a cpu", "(any)")])
        _ = try other.run("FOG.NODE HEARTBEAT a CPU 20")
        let push = try session.client.reply(withinMilliseconds: 5000)
        #expect(push?.description.contains("fog:node:a") == true)
    }

    @Test func usersNeedTheRecordsKey() throws {
        let session = try TestSession()
        try session.run([
            ("ACL SETUSER bob on nopass ~fog:node:a* +@fog", "OK"),
            ("FOG.NODE REGISTER a1", "OK"),
            ("ACL DRYRUN bob FOG.NODE.GET a1", "OK"),
            ("AUTH bob x", "OK"),
            ("FOG.NODE GET a1 status", #"["status", "active"]"#),
            ("FOG.NODE.REGISTER b", "(error) NOPERM No permissions to access a key"),
            ("FOG.NODE LIST", "(error) NOPERM No permissions to access a key"),
            ("GET x", "(matches) (error) NOPERM *"),
        ])
    }
}
