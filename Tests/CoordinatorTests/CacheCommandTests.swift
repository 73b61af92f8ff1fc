// CacheCommandTests.swift - FOG.CACHE and FOG.INVALIDATE over the wire: values with tags, leases and those who wait for
// them, invalidation by name, tag, pattern, node, class and all.
import Engine
import TestKit
import Testing

struct CacheCommandTests {
    @Test(arguments: TestVariant.all)
    func setsAndReads(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("FOG.CACHE SET k value EX 60 CONTENT json TAG a b", "OK"),
            ("GET k", #""value""#), ("TTL k", "60"), ("FOG.CACHE GET k", #""value""#),
            ("FOG.CACHE.GET k", #""value""#),
            ("FOG.CACHE SET n 17", "OK"), ("TTL n", "300"), ("GET n", #""17""#),
            ("FOG.CACHE SET p x PERSIST", "OK"), ("TTL p", "-1"),
            ("FOG.CACHE MSET 50 m1 1 m2 two", "OK"), ("MGET m1 m2", #"["1", "two"]"#), ("TTL m2", "50"),
            ("FOG.CACHE MSETX 2 key1 a 300 key2 b 600", "OK"), ("TTL key1", "300"), ("TTL key2", "600"),
            ("FOG.CACHE MGET m1 nobody key2", #"["1", (nil), "b"]"#),
            ("FOG.CACHE FRESH k", "(any)"), ("SET plain x", "OK"), ("FOG.CACHE FRESH plain", "-1"),
            ("FOG.CACHE FRESH nobody", "-2"),
            ("FOG.CACHE META nobody", "(nil)"),
            ("FOG.CACHE SET k", "(error) ERR wrong number of arguments for 'fog.cache|set' command"),
            ("FOG.CACHE SET k v EX 0", "(error) ERR invalid expire time in 'fog.cache' command"),
            ("FOG.CACHE SET k v EX 1 PX 1", "(error) ERR syntax error"),
            (
                "FOG.CACHE SET k v CONTENT xml",
                "(error) ERR CONTENT is json, msgpack, gob, text, html, protobuf or binary"
            ),
            (#"FOG.CACHE SET k v TAG """#, "(error) ERR a tag has 1 to 1024 bytes"),
            ("FOG.CACHE MSETX 2 key1 a 300", "(error) ERR numkeys is not the number of keys"),
            ("FOG.CACHE MSETX 2 key1 a", "(error) ERR wrong number of arguments for 'fog.cache|msetx' command"),
            ("FOG.CACHE MSETX 2 key1 a 300 key2 b", "(error) ERR numkeys is not the number of keys"),
            ("SET k v TAG a", "(error) ERR syntax error"),
            ("LPUSH l x", "1"),
            ("FOG.CACHE GET l", "(error) WRONGTYPE Operation against a key holding the wrong kind of value"),
        ])
        session.server.advanceClock(milliseconds: 1500)
        try session.run([
            ("FOG.CACHE FRESH k", "(matches) *1???*"),
            (
                "FOG.CACHE META k",
                #"(matches) *"type"*"string"*"ttl_ms"*5????*"json"*"age_ms"*1???*"a", "b"*"lease_ms"*0*"#
            ),
        ])
    }

    @Test(arguments: TestVariant.all)
    func tagsDieEverywhere(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("FOG.CACHE SET k1 v PERSIST TAG a", "OK"), ("FOG.CACHE SET k2 v PERSIST TAG a b", "OK"),
            ("FOG.CACHE SET k3 v PERSIST TAG b", "OK"), ("SET k4 v", "OK"),
            ("SELECT 1", "OK"), ("FOG.CACHE SET k1 v PERSIST TAG a", "OK"), ("SELECT 0", "OK"),
            ("COPY k1 c1", "1"), ("RENAME k2 r2", "OK"), ("APPEND k1 more", "5"),
            ("FOG.INVALIDATE TAG a", "4"),
            ("MGET k1 c1 r2 k3 k4", #"[(nil), (nil), (nil), "v", "v"]"#),
            ("KEYS *", #"(unordered) ["k3", "k4"]"#), ("EXISTS k1 r2 k3", "1"),
            ("FOG.INVALIDATE TAG a", "0"), ("FOG.INVALIDATE TAG b nothing", "1"),
            ("EXISTS k3", "0"), ("DBSIZE", "1"),
            ("FOG.CACHE SET k1 new PERSIST TAG a", "OK"), ("GET k1", #""new""#),
            ("SET k1 plain", "OK"), ("FOG.INVALIDATE TAG a", "0"), ("GET k1", #""plain""#),
            ("FOG.CACHE LABEL k1 TAG x y", "1"), ("FOG.CACHE LABEL nobody TAG x", "0"),
            ("EXPIRE k1 100", "1"), ("PERSIST k1", "1"), ("SWAPDB 0 1", "OK"),
            ("FOG.INVALIDATE TAG y", "1"), ("SELECT 1", "OK"), ("GET k1", "(nil)"),
        ])
    }

    @Test func deadKeysAreTakenAway() throws {
        let session = try TestSession()
        for index in 0..<300 { try session.run([("FOG.CACHE SET k\(index) v PERSIST TAG all t\(index % 7)", "OK")]) }
        try session.run([("FOG.INVALIDATE TAG all", "300"), ("FOG.INVALIDATE TAG t3", "0")])
        session.server.withEngine { engine in
            for _ in 0..<5 { _ = engine.tick() }
        }
        try session.run([
            ("DBSIZE", "0"), ("INFO keyspace", "(any)"), ("FOG.STATS CACHE", #"(matches) *"invalidated", 300, "tags", 0, *"#)])
    }

    @Test func flushForgetsTags() throws {
        let session = try TestSession()
        try session.run([
            ("FOG.CACHE SET a v TAG t", "OK"), ("SELECT 2", "OK"), ("FOG.CACHE SET b v TAG t", "OK"),
            ("FLUSHDB", "OK"), ("FOG.INVALIDATE TAG t", "1"), ("SELECT 0", "OK"), ("GET a", "(nil)"),
            ("FOG.CACHE SET a v TAG t", "OK"), ("FLUSHALL", "OK"), ("FOG.INVALIDATE TAG t", "0"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func otherSelectors(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let listener = try session.server.connect()
        _ = try listener.run("SUBSCRIBE fog:events:MANUAL_INVALIDATION")
        for index in 0..<2500 { try session.run([("SET user:\(index) v", "OK")]) }
        try session.run([
            ("MSET vm:state:1 x vm:state:2 x vm:metrics:1 x node:resources:n1 x node:vms:n1 x other x", "OK"),
            ("FOG.CACHE SET tagged v TAG node:n1", "OK"),
            ("FOG.INVALIDATE KEY other nobody", "1"),
            ("FOG.INVALIDATE PATTERN user:*", "2500"), ("DBSIZE", "6"),
            ("FOG.INVALIDATE NODE n1", "3"), ("EXISTS node:resources:n1 node:vms:n1 tagged", "0"),
            ("FOG.INVALIDATE TYPE vm:state", "2"), ("EXISTS vm:metrics:1", "1"),
            ("FOG.INVALIDATE CLUSTER", "1"), ("DBSIZE", "0"),
            ("MSET user:1 a user:2 b", "OK"), ("FOG.INVALIDATE PATTERN user:* ASYNC", "2"),
            ("FOG.INVALIDATE PATTERN x NONSENSE", "(error) ERR syntax error"),
            ("MULTI", "OK"), ("SET a:1 x", "QUEUED"), ("FOG.INVALIDATE PATTERN a:*", "QUEUED"), ("EXEC", "[OK, 1]"),
        ])
        let wanted = #"\"resource\":\"other\",\"keys\":[\"other\"],\"data\":{\"selector\":\"KEY\",\"count\":1}"#
        #expect(try listener.reply().description.contains(wanted))
        #expect(try listener.reply().description.contains(#"{\"selector\":\"PATTERN\",\"count\":2500}"#))
    }

    @Test(arguments: TestVariant.all)
    func oneOfManyFetches(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let waiters = try (0..<20).map { _ in try session.server.connect() }
        let reply = try session.client.run("FOG.CACHE FETCH k")
        let token = reply.description.split(separator: "\"").dropLast().last.map(String.init) ?? ""
        #expect(Int(token) != nil)
        for waiter in waiters { try waiter.send("FOG.CACHE FETCH k WAIT 5000") }
        for waiter in waiters { #expect(try waiter.reply(withinMilliseconds: 5) == nil) }
        try session.run([
            ("FOG.CACHE FETCH k WAIT 0", "(matches) *\"wait\"*"),
            ("FOG.CACHE FILL k 12345 v", "(error) LEASELOST another client has the lease of this key"),
            ("FOG.CACHE FILL k \(token) value EX 60 TAG t", "OK"),
            ("FOG.CACHE FILL k \(token) again", "(error) LEASELOST no lease of this key is out: FETCH it again"),
        ])
        for waiter in waiters {
            let text = try waiter.reply().description
            #expect(text.contains("\"hit\"") && text.contains("\"value\""), "\(text)")
        }
        try session.run([
            ("FOG.CACHE FETCH k", "(matches) *\"hit\"*\"value\"*"), ("TTL k", "60"),
            ("FOG.STATS CACHE", "(matches) *\"leases_granted\"*1*\"leases_filled\"*1*"),
        ])
    }

    @Test func aLeaseThatEndsGoesToOneWaiter() throws {
        let session = try TestSession()
        let waiters = try (0..<5).map { _ in try session.server.connect() }
        try session.run([("FOG.CACHE FETCH k LEASE 60", "(matches) *\"lease\"*")])
        for waiter in waiters { try waiter.send("FOG.CACHE FETCH k LEASE 60000 WAIT 400") }
        var leases = 0
        var waits = 0
        for waiter in waiters {
            let text = try waiter.reply().description
            if text.contains("\"lease\"") { leases += 1 }
            if text.contains("\"wait\"") { waits += 1 }
        }
        #expect(leases == 1)
        #expect(waits == 4)
    }

    @Test func whatWasInvalidatedCannotBeFilled() throws {
        let session = try TestSession()
        func token(_ command: String) throws -> String {
            let text = try session.client.run(command).description
            return text.split(separator: "\"").dropLast().last.map(String.init) ?? ""
        }
        var lease = try token("FOG.CACHE FETCH k")
        try session.run([
            ("FOG.INVALIDATE KEY k", "0"),
            ("FOG.CACHE FILL k \(lease) old", "(error) LEASELOST no lease of this key is out: FETCH it again"),
        ])
        lease = try token("FOG.CACHE FETCH k")
        try session.run([
            ("FOG.INVALIDATE TAG t", "0"),
            (
                "FOG.CACHE FILL k \(lease) old TAG t",
                "(error) LEASELOST a tag of the value was invalidated while the lease was out"
            ),
        ])
        lease = try token("FOG.CACHE FETCH k")
        try session.run([
            ("SET k newer", "OK"),
            ("FOG.CACHE FILL k \(lease) old", "(error) LEASELOST the key was written while its lease was out"),
            ("GET k", #""newer""#),
        ])
    }

    @Test func staleValuesAreServedAndRenewedByOne() throws {
        let session = try TestSession()
        try session.run([
            ("FOG.CACHE SET k v EX 10", "OK"),
            ("FOG.CACHE FETCH k STALE 3000", #"["state", "hit", "value", "v", "token", (nil)]"#),
        ])
        session.server.advanceClock(milliseconds: 8000)
        let first = try session.client.run("FOG.CACHE FETCH k STALE 3000").description
        let token = first.split(separator: "\"").dropLast().last.map(String.init) ?? ""
        #expect(first.contains("\"stale\"") && Int(token) != nil)
        try session.run([
            ("FOG.CACHE FETCH k STALE 3000", #"["state", "stale", "value", "v", "token", (nil)]"#),
            ("FOG.CACHE FILL k \(token) v2 EX 10", "OK"),
            ("FOG.CACHE FETCH k STALE 3000", #"["state", "hit", "value", "v2", "token", (nil)]"#),
        ])
    }

    @Test func statisticsHaveTheMissionsNames() throws {
        let session = try TestSession()
        try session.run([("SET k v", "OK")])
        for _ in 0..<17 { try session.run([("GET k", #""v""#)]) }
        for _ in 0..<3 { try session.run([("GET nobody", "(nil)")]) }
        try session.run([
            (
                "FOG.STATS CACHE",
                #"(matches) *"hits", 17, "misses", 3, "hit_rate", "85", *"lru_capacity", 0, *"evictions", 0*"#
            ),
            (
                "FOG.HEALTH",
                #"(matches) *"status", "healthy", *"last_event_age", "-1", *"cache_hits", 17, "cache_misses", 3, *"#
            ),
            ("FOG.WARM LOAD TTL 100 a 1 k 2 b 3", "2"), ("GET k", #""v""#), ("TTL a", "100"),
            ("FOG.WARM LOAD TTL 5", "1"), ("GET TTL", #""5""#),
        ])
    }

    @Test func usersReachOnlyTheirKeys() throws {
        let session = try TestSession()
        try session.run([
            ("ACL SETUSER bob on nopass +@fog +@all ~a:*", "OK"),
            ("MSET a:1 x b:1 x", "OK"), ("AUTH bob x", "OK"),
            ("FOG.CACHE SET b:2 v", "(error) NOPERM No permissions to access a key"),
            ("FOG.INVALIDATE KEY b:1", "(error) NOPERM No permissions to access a key"),
            ("FOG.INVALIDATE PATTERN *", "(error) NOPERM No permissions to access a key"),
            (
                "FOG.INVALIDATE PATTERN *:1",
                "(error) NOPERM users with key permissions may only use patterns of a prefix and a star"
            ),
            ("FOG.INVALIDATE PATTERN a:*", "1"),
            ("FOG.EVENT PUBLISH T r KEYS b:1", "(error) NOPERM No permissions to access a key"),
        ])
    }
}
