// NotificationTests.swift - keyspace notifications: which events commands publish, in which order, for which letters;
// events of the newest servers (overwritten, type_changed) that no stock server here can be asked about.
import Engine
import TestKit
import Testing

struct NotificationTests {
    /// A session and a second client that listens to all notifications.
    private struct Bench {
        let session: TestSession
        let listener: TestClient

        init(_ variant: TestVariant, _ letters: String) throws {
            session = try TestSession(
                variant, configuration: "enable-debug-command yes\nnotify-keyspace-events \"\(letters)\"")
            listener = try session.server.connect(protocolVersion: variant.protocolVersion)
            _ = try listener.run("PSUBSCRIBE __key*__:*")
            _ = try listener.run("SUBSCRIBE end")
        }

        /// What the commands publish, as "channel event".
        func events(_ lines: String...) throws -> [String] {
            for line in lines {
                let reply = try session.client.run(line)
                if reply.isError { throw SessionFailureText(text: "\(line): \(reply)") }
            }
            _ = try session.client.run("PUBLISH end x")
            var events: [String] = []
            while true {
                let words = try #require(try listener.reply().elements).map { $0.text ?? "" }
                if words[1] == "end" { return events }
                events.append("\(words[2]) \(words[3])")
            }
        }
    }

    private struct SessionFailureText: Error { let text: String }

    @Test(arguments: TestVariant.all)
    func eventsInTheirOrder(variant: TestVariant) throws {
        let bench = try Bench(variant, "AKEn")
        #expect(
            try bench.events("SET a 1 EX 100", "MSET a 2 b 1") == [
                "__keyspace@0__:a new", "__keyevent@0__:new a", "__keyspace@0__:a set", "__keyevent@0__:set a",
                "__keyspace@0__:a expire", "__keyevent@0__:expire a", "__keyspace@0__:a set", "__keyevent@0__:set a",
                "__keyspace@0__:b new", "__keyevent@0__:new b", "__keyspace@0__:b set", "__keyevent@0__:set b",
            ])
        #expect(
            try bench.events("MULTI", "SELECT 3", "RPUSH l 1", "RPOP l", "EXEC") == [
                "__keyspace@3__:l new", "__keyevent@3__:new l", "__keyspace@3__:l rpush", "__keyevent@3__:rpush l",
                "__keyspace@3__:l rpop", "__keyevent@3__:rpop l", "__keyspace@3__:l del", "__keyevent@3__:del l",
            ])
    }

    @Test(arguments: [1, 4])
    func lettersChoose(loopCount: Int) throws {
        let variant = TestVariant(loopCount: loopCount)
        let lines = ["SET s 1", "LPUSH l 1", "DEL l", "GET missing"]
        let all = ["__keyspace@0__:s set", "__keyspace@0__:l lpush", "__keyspace@0__:l del"]
        for (letters, expected) in [
            ("KA", all), ("K$", [all[0]]), ("Kl", [all[1]]), ("Kg", [all[2]]), ("A", []), ("K", []), ("", []),
            ("Km", ["__keyspace@0__:missing keymiss"]), ("Kn", ["__keyspace@0__:s new", "__keyspace@0__:l new"]),
            ("Eg", ["__keyevent@0__:del l"]),
        ] {
            let bench = try Bench(variant, letters)
            var events: [String] = []
            for line in lines { events += try bench.events(line) }
            #expect(events == expected, "\(letters)")
        }
    }

    /// Nothing tells when nobody listens, and what happened then is not told later.
    @Test func nothingIsKeptForLater() throws {
        let session = try TestSession(configuration: "notify-keyspace-events KEAn")
        _ = try session.client.run("SET before 1")
        let listener = try session.server.connect()
        _ = try listener.run("PSUBSCRIBE __keyspace*")
        try session.run([("SET after 1", "OK")])
        #expect(try listener.reply().elements?.last?.text == "new")
        #expect(try listener.reply().elements?.map { $0.text ?? "" }[2...] == ["__keyspace@0__:after", "set"])
    }

    @Test(arguments: TestVariant.protocols)
    func expiredKeys(variant: TestVariant) throws {
        let bench = try Bench(variant, "Kx$")
        #expect(try bench.events("SET a 1 PX 100", "SET b 1 PX 100").count == 2)
        try bench.session.run([("DEBUG SET-ACTIVE-EXPIRE 0", "OK")])
        bench.session.server.advanceClock(milliseconds: 200)
        // Found by a command: where it went, before what the command did.
        #expect(
            try bench.events("SET c 1", "SET a 2") == [
                "__keyspace@0__:c set", "__keyspace@0__:a expired", "__keyspace@0__:a set",
            ])
        // Found by the server itself.
        try bench.session.run([("DEBUG SET-ACTIVE-EXPIRE 1", "OK")])
        #expect(try bench.listener.reply().elements?.last?.text == "expired")
    }

    /// MSET of a live key and a dead one: each key's end stands where it was found.
    @Test func aDeadKeyIsToldWhereItWasFound() throws {
        let bench = try Bench(TestVariant(), "Kx$")
        #expect(try bench.events("DEBUG SET-ACTIVE-EXPIRE 0", "SET b 1 PX 100").count == 1)
        bench.session.server.advanceClock(milliseconds: 200)
        let events = try bench.events("MSET a 1 b 2")
        #expect(events == ["__keyspace@0__:a set", "__keyspace@0__:b expired", "__keyspace@0__:b set"])
    }

    @Test(arguments: TestVariant.protocols)
    func overwrittenKeysAndChangedTypes(variant: TestVariant) throws {
        let bench = try Bench(variant, "Koc")
        func of(_ key: String, _ events: String...) -> [String] { events.map { "__keyspace@0__:\(key) \($0)" } }
        #expect(try bench.events("SET s 1", "RPUSH l 1", "APPEND s x", "INCR n", "SADD st a") == [])
        #expect(try bench.events("SET s 2") == of("s", "overwritten"))
        #expect(try bench.events("SET l 1") == of("l", "overwritten", "type_changed"))
        #expect(try bench.events("MSET s 1 new 2") == of("s", "overwritten"))
        #expect(try bench.events("GETSET s 1", "SETEX s 100 1") == of("s", "overwritten", "overwritten"))
        #expect(try bench.events("COPY s st REPLACE") == of("st", "overwritten", "type_changed"))
        #expect(try bench.events("RENAME s st") == of("st", "overwritten"))
        #expect(try bench.events("RPUSH l2 1", "SADD m a b") == [])
        #expect(try bench.events("SUNIONSTORE l2 m") == of("l2", "overwritten", "type_changed"))
        #expect(try bench.events("BITOP AND m st st") == of("m", "overwritten", "type_changed"))
    }

    @Test func clientsThatSpeakRESP3HearThemselvesBehindTheReply() throws {
        let session = try TestSession(
            TestVariant(protocolVersion: 3), configuration: "notify-keyspace-events E$")
        _ = try session.client.run("SUBSCRIBE __keyevent@0__:set")
        #expect(try session.client.run("SET a 1").text == "OK")
        #expect(try session.client.reply().elements?.map { $0.text ?? "" } == ["message", "__keyevent@0__:set", "a"])
    }
}
