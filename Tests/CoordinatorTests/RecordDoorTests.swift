// RecordDoorTests.swift - records through the doors are what plain commands would have made: in the journal, for WATCH,
// in notifications.
import Engine
import TestKit
import Testing

struct RecordDoorTests {
    /// The first words of what the journal recorded, in order.
    private func journal(_ session: TestSession, _ lines: [String]) throws -> [String] {
        session.server.withEngine { $0.setJournal(.replicas, isOn: true) }
        for line in lines { _ = try session.client.run(line) }
        var bytes: [UInt8] = []
        session.server.withEngine { engine in engine.takeJournal { bytes += $0 } }
        var words = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")[...]
        var names: [String] = []
        while let head = words.popFirst(), head.first == "*", let count = Int(head.dropFirst()) {
            if words.count < 2 * count { break }
            names.append(String(words[words.startIndex + 1]))
            words = words.dropFirst(2 * count)
        }
        return names
    }

    @Test func theJournalHoldsPlainCommands() throws {
        let session = try TestSession()
        let names = try journal(
            session,
            [
                "FOG.NODE REGISTER a CPU 10 FIELD x y", "FOG.NODE HEARTBEAT a", "FOG.NODE STATUS a draining",
                "FOG.NODE STATUS a active", "FOG.NODE MREGISTER 2 b 0 c 0", "FOG.ROUTE t1", "FOG.NODE DEL a b",
                "FOG.LB SELECT BEGIN", "FOG.NODE GET a",
            ])
        // Events are for replicas only.
        let plain: Set = ["SELECT", "MULTI", "EXEC", "HSET", "PEXPIREAT", "DEL", "PUBLISH", "SPUBLISH"]
        #expect(names.allSatisfy { plain.contains($0) }, "\(names)")
        #expect(names.count { $0 == "HSET" } == 7 && names.count { $0 == "DEL" } == 2, "\(names)")
        #expect(names.count { $0 == "PEXPIREAT" } == 5 && names.count { $0 == "MULTI" } >= 5, "\(names)")
    }

    @Test func timeoutsAreRecordedToo() throws {
        let session = try TestSession(configuration: "fog-heartbeat-timeout 1")
        let subscriber = try session.server.connect()
        _ = try subscriber.run("SUBSCRIBE fog:events:NODE_TIMEOUT")
        try session.run([("FOG.NODE REGISTER a", "OK")])
        session.server.withEngine { $0.setJournal(.replicas, isOn: true) }
        session.server.advanceClock(milliseconds: 1500)
        _ = try subscriber.reply(withinMilliseconds: 5000)
        var bytes: [UInt8] = []
        session.server.withEngine { engine in engine.takeJournal { bytes += $0 } }
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("HSET\r\n$10\r\nfog:node:a\r\n$6\r\nstatus\r\n$8\r\ninactive"))
    }

    @Test func watchersAndListenersHear() throws {
        let session = try TestSession(configuration: "notify-keyspace-events KEA")
        let other = try session.server.connect()
        try session.run([
            ("FOG.NODE REGISTER a", "OK"), ("WATCH fog:node:a", "OK"), ("MULTI", "OK"), ("PING", "QUEUED"),
        ])
        _ = try other.run("FOG.NODE HEARTBEAT a")
        try session.run([("EXEC", "(nil)")])
        _ = try other.run("PSUBSCRIBE __keyspace@0__:fog:node:*")
        try session.run([
            ("MULTI", "OK"), ("FOG.NODE REGISTER b", "QUEUED"), ("FOG.NODE COUNT", "QUEUED"), ("EXEC", "[OK, 2]"),
            ("FOG.NODE DEL b", "1"),
        ])
        var events: [String] = []
        for _ in 0..<3 {
            events.append(try other.reply(withinMilliseconds: 5000)?.items.last?.text ?? "none")
        }
        #expect(events == ["hset", "expire", "del"])
    }

    private func listens(_ session: TestSession) -> Bool {
        var listens = false
        session.server.withEngine { listens = $0.extensionListens }
        return listens
    }

    /// Nothing is listened to before the first FOG command, and a database without records is left alone.
    @Test func nobodyListensBeforeTheFirstCommand() throws {
        let session = try TestSession()
        try session.run([("HSET fog:node:early region eu", "1"), ("SET x 1", "OK")])
        #expect(!listens(session))
        try session.run([("FOG.NODE LIST REGION eu", #"["early"]"#)])
        #expect(listens(session))
    }
}
