// WarmCommandTests.swift - FOG.WARM: files at start and while clients are served, sets that are kept warm, and what is
// asked for by WARM_NEEDED.
import Engine
import TestKit
import Testing

struct WarmCommandTests {
    @Test func aFileBeforeTheFirstClient() throws {
        let directory = try TemporaryDirectory()
        var text = "key,value,ttl\n"
        for number in 0..<5000 { text += "k\(number),v\(number),\(number % 2 == 0 ? "0" : "")\n" }
        directory.write("warm.csv", Array(text.utf8))
        let server = try TestServer(configuration: "fog-warm-file warm.csv", directory: directory.path)
        let session = try TestSession(server: server)
        try session.run([
            ("DBSIZE", "5000"), ("GET k4999", #""v4999""#), ("TTL k2", "-1"), ("TTL k3", "300"),
            ("CONFIG SET fog-warm-file other", "(matches) (error) ERR *"),
        ])
    }

    @Test func aMissingFileIsAColdStart() throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(configuration: "fog-warm-file none.csv", directory: directory.path)
        try TestSession(server: server).run([("DBSIZE", "0")])
    }

    /// What a file brought is in the append only file: what was done to it since is not lost with a restart.
    @Test func warmKeysAreRecorded() throws {
        let directory = try TemporaryDirectory()
        directory.write("warm.jsonl", Array(#"{"key":"n","value":5,"ttl":0}"#.utf8))
        let configuration = "appendonly yes\nfog-warm-file warm.jsonl"
        do {
            let server = try TestServer(configuration: configuration, directory: directory.path)
            try TestSession(server: server).run([("INCR n", "6"), ("SET m 1", "OK"), ("DEL m", "1")])
            server.stop()
        }
        let server = try TestServer(configuration: configuration, directory: directory.path)
        try TestSession(server: server).run([("GET n", #""6""#), ("DBSIZE", "1")])
    }

    @Test(arguments: TestVariant.all)
    func filesWhileClientsAreServed(variant: TestVariant) throws {
        let directory = try TemporaryDirectory()
        directory.write("w.csv", Array("key,value\na,1\nb,2\n\"c\nd\",\"x,y\"".utf8))
        directory.write("w.jsonl", Array("{\"key\":\"e\",\"value\":\"1\"}\n{\"key\":1,\"value\":[]}".utf8))
        let server = try TestServer(loopCount: variant.loopCount, directory: directory.path)
        let session = try TestSession(server: server)
        try session.run([
            ("SET b mine", "OK"), ("FOG.WARM FILE w.csv CSV", "2"), ("MGET a b", #"["1", "mine"]"#),
            (#"GET "c\nd""#, #""x,y""#), ("TTL a", "300"),
            ("FOG.WARM FILE w.jsonl JSONL",
                "(error) ERR 1 keys were set, then it ended: row 2: values are texts, numbers, true, false or null"),
            ("GET e", #""1""#), ("FOG.WARM FILE ../w.csv CSV", "(matches) (error) ERR the file is named without *"),
            ("FOG.WARM FILE none CSV", "(matches) (error) ERR 0 keys were set, then it ended: open *"),
            ("FOG.WARM FILE w.csv XML", "(error) ERR syntax error"),
            ("MULTI", "OK"), ("FOG.WARM FILE w.csv CSV", "(matches) (error) ERR *"), ("DISCARD", "OK"),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func setsAreKeptWarm(variant: TestVariant) throws {
        let session = try TestSession(variant, configuration: "fog-warmup no")
        let subscriber = try session.server.connect()
        _ = try subscriber.run("SUBSCRIBE fog:events:WARM_NEEDED")
        try session.run([
            ("FOG.WARM ADD prod vm-1 vm-2 vm-1", "2"), ("FOG.WARM ADD prod vm-2 vm-db-*", "1"),
            ("HKEYS fog:warm:prod", #"(unordered) ["vm-1", "vm-2", "vm-db-*"]"#),
            ("SET vm-1 x EX 1000", "OK"), ("SET vm-db-1 x EX 100", "OK"), ("SET other x EX 100", "OK"),
        ])
        let found = try session.client.run("FOG.WARM RUN prod").items
        #expect(found.map { $0.text ?? "\($0.integer ?? -1)" }
            == ["present", "2", "expiring", "1", "missing", "1", "events", "2"])
        var needed: Set<String> = []
        for _ in 0..<2 {
            let payload = try subscriber.reply(withinMilliseconds: 5000)?.items.last?.text ?? ""
            if payload.contains(#""resource":"vm-2""#), payload.contains("missing") { needed.insert("vm-2") }
            if payload.contains(#""resource":"vm-db-1""#), payload.contains("expiring") { needed.insert("vm-db-1") }
        }
        #expect(needed == ["vm-2", "vm-db-1"])
        let status = try session.client.run("FOG.WARM STATUS").items
        #expect(status.count == 1 && status[0].items[1].text == "prod" && status[0].items[3].items.count == 3)
        #expect(status[0].items[5].integer == 2 && (status[0].items[11].integer ?? 0) > 0)
        try session.run([
            ("FOG.WARM STATUS none", "(matches) (error) ERR there is no such warm set*"),
            ("FOG.WARM RUN none", "(matches) (error) ERR there is no such warm set*"),
            ("FOG.WARM DEL prod vm-db-*", "1"), ("FOG.WARM DEL prod", "1"), ("FOG.WARM STATUS", "[]"),
        ])
    }

    /// The clock runs the sets each interval, and they survive a restart of the index.
    @Test func theClockRunsThem() throws {
        let session = try TestSession(configuration: "fog-warmup-interval 60\nenable-debug-command yes")
        let subscriber = try session.server.connect()
        _ = try subscriber.run("SUBSCRIBE fog:events:WARM_NEEDED")
        try session.run([("FOG.WARM ADD s gone", "1"), ("DEBUG RELOAD", "OK"), ("FOG.WARM STATUS", "(any)")])
        for _ in 0..<2 {
            session.server.advanceClock(milliseconds: 61_000)
            let payload = try subscriber.reply(withinMilliseconds: 5000)?.items.last?.text ?? ""
            #expect(payload.contains(#""resource":"gone""#))
        }
        try session.run([("CONFIG SET fog-warmup no", "OK")])
    }

    @Test func tagsAndContentGoThroughDump() throws {
        let session = try TestSession()
        try session.run([
            ("FOG.CACHE SET a 1 EX 100 CONTENT json TAG x y", "OK"), ("SET b 1", "OK"),
        ])
        let payload = try session.client.run("DUMP a").bytes ?? []
        let plain = try session.client.run("DUMP b").bytes ?? []
        #expect(payload.count > plain.count)
        func restore(_ key: String, _ bytes: [UInt8]) throws -> String? {
            try session.client.run(arguments: [Array("RESTORE".utf8), Array(key.utf8), [48], bytes]).text
        }
        #expect(try restore("c", payload) == "OK")
        #expect(try restore("d", plain) == "OK")
        try session.run([
            ("FOG.CACHE META c", #"(matches) *content*json*tags*x*y*"#), ("FOG.INVALIDATE TAG y", "2"),
            ("EXISTS a b c d", "2"),
        ])
        var broken = payload
        broken.removeLast(12)
        #expect(try restore("e", broken)?.hasPrefix("ERR DUMP payload") == true)
        // A record that a user tagged keeps its tags as well.
        try session.run([("FOG.NODE REGISTER n", "OK"), ("FOG.CACHE LABEL fog:node:n TAG fleet", "1")])
        let record = try session.client.run("DUMP fog:node:n").bytes ?? []
        #expect(try restore("fog:node:m", record) == "OK")
        try session.run([("FOG.NODE COUNT", "2"), ("FOG.INVALIDATE TAG fleet", "2"), ("FOG.NODE COUNT", "0")])
    }
}
