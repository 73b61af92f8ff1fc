// FleetReportTests.swift - what commands report: tables of balancing, counts, exports, scaling by pool and region, and
// the errors of their options; RESP2 and RESP3.
import Base
import Engine
import TestKit
import Testing

@testable import Coordinator

struct FleetReportTests {
    @Test(arguments: TestVariant.protocols)
    func listsWithFields(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("FOG.NODE REGISTER a REGION eu POOL p ADDR h:1", "OK"), ("FOG.NODE REGISTER b REGION us", "OK"),
            ("FOG.NODE LIST POOL p WITHFIELDS", "(matches) *\"id\"*\"a\"*\"region\"*\"eu\"*\"addr\"*\"h:1\"*"),
            ("FOG.NODE LIST REGION mars", "[]"), ("FOG.NODE COUNT REGION mars ALIVE 10", "0"),
            ("FOG.NODE LIST LIMIT 1 1", #"["b"]"#), ("FOG.NODE LIST LIMIT 0 0", "[]"),
            ("FOG.NODE LIST LIMIT 0 -1", #"["a", "b"]"#), ("FOG.NODE LIST SINCE 1 REGION us", #"["b"]"#),
            ("FOG.NODE COUNT STATUS active POOL p TYPE t", "0"), ("FOG.NODE COUNT STATUS active POOL p", "1"),
            ("FOG.NODE LIST STATUS", "(error) ERR syntax error"),
            ("FOG.NODE LIST STATUS odd", "(matches) (error) ERR status must be active, *"),
            ("FOG.NODE LIST ALIVE 9223372036854775807", "(any)"),
            ("FOG.NODE GET b region nothing", variant.protocolVersion == 3
                ? "(any)" : #"["region", "us", "nothing", (nil)]"#),
            ("FOG.NODE REGISTER a NX XX", "(error) ERR syntax error"),
            ("FOG.NODE REGISTER a XX NX", "(error) ERR syntax error"),
            ("FOG.NODE REGISTER a TTL 0", "(error) ERR invalid expire time"),
            ("FOG.NODE REGISTER a CAP -1", "(matches) (error) ERR CAP *"),
            ("FOG.NODE REGISTER a WEIGHT -1", "(matches) (error) ERR WEIGHT *"),
            ("FOG.NODE REGISTER a FIELD heartbeat soon", "(error) ERR value is not an integer or out of range"),
            (#"FOG.NODE REGISTER """#, "(error) ERR an id cannot be empty"),
            ("SET fog:node:s text", "OK"), ("FOG.NODE REGISTER s", "(matches) (error) WRONGTYPE *"),
            ("FOG.NODE GET s", "(matches) (error) WRONGTYPE *"),
            ("FOG.NODE REGISTER t TTL 60", "OK"), ("FOG.NODE HEARTBEAT t MEM 5 CONN 3", "1"), ("TTL fog:node:t", "60"),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func balancingTables(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("FOG.NODE REGISTER a CPU 50", "OK"), ("FOG.NODE REGISTER b", "OK"), ("FOG.LB BEGIN a", "1"),
            ("FOG.LB SELECT ALGO round_robin EXCLUDE b ALGO round_robin", #""a""#),
            ("FOG.LB END a FAIL RT 7.5", "(any)"),
        ])
        let rows = try session.client.run("FOG.LB STATS a").items
        #expect(rows.count == 1)
        let row = rows[0].items
        #expect(row[1].text == "a" && row[3] == .integer(1) && row[5] == .integer(0) && row[7].text == "7.5")
        #expect(row[9].text == "0.25" && row[11].text == "DEGRADED" && row[13] == .integer(1))
        try session.run([
            ("FOG.LB STATS nobody", "(matches) (error) NONODE *"), ("FOG.LB RESETSTAT", "OK"),
            ("FOG.LB SELECT ALGO fastest", "(matches) (error) ERR ALGO must be *"),
            ("FOG.LB END a MAYBE", "(error) ERR syntax error"), ("FOG.LB END a OK RT -1", "(matches) (error) ERR RT *"),
            ("FOG.BREAKER LIST STATE BAD", "(matches) (error) ERR STATE *"),
            ("FOG.BREAKER TRIP a SECONDS 0", "(error) ERR value is out of range"),
            ("FOG.ROUTE t PRIORITY urgent", "(matches) (error) ERR PRIORITY *"),
            ("FOG.LB RING s", "(any)"), ("FOG.EDGE INFO", "(matches) *coordinator-1*90*"),
            ("FOG.STATS NODES", "(matches) *nodes*2*active*2*index_bytes*"),
        ])
        let after = try session.client.run("FOG.LB STATS").items
        #expect(after.count == 2 && after[0].items[3] == .integer(0) && after[0].items[13] == .integer(0))
    }

    @Test func scalingByPoolAndRegion() throws {
        let session = try TestSession(configuration: "fog-scale-max 3")
        for number in 0..<3 {
            try session.run([
                ("FOG.NODE REGISTER a\(number) POOL p REGION eu CPU 90", "OK"),
                ("FOG.NODE REGISTER b\(number) POOL q REGION us CPU 10", "OK"),
            ])
        }
        func reason(_ command: String) throws -> String { try session.client.run(command).items[3].text ?? "" }
        #expect(try reason("FOG.SCALE CHECK") == "CPU usage within limits (30.0% <= 50.0% <= 80.0%)")
        #expect(try reason("FOG.SCALE CHECK POOL p").hasSuffix("but fog-scale-max 3 is reached"))
        #expect(try reason("FOG.SCALE CHECK REGION us") == "Low CPU usage (10.0% < 30.0%)")
        #expect(try reason("FOG.SCALE CHECK POOL none") == "No active nodes")
        try session.run([
            ("FOG.SCALE CHECK POOL q", "(matches) *scale_down*"),
            ("FOG.SCALE HISTORY", "(matches) *scale_down*pool*q*"),
            ("FOG.SCALE HISTORY 0", "[]"), ("FOG.SCALE CHECK TYPE t", "(error) ERR syntax error"),
            ("CONFIG SET fog-auto-scaling no", "OK"),
        ])
        #expect(try reason("FOG.SCALE CHECK") == "Auto-scaling is off (fog-auto-scaling no)")
    }

    @Test func exportsQuoteWhatNeedsIt() throws {
        let session = try TestSession()
        try session.run([
            (#"FOG.NODE REGISTER "a,1" FIELD note "say \"hi\"\n" FIELD heartbeat 5"#, "OK"),
            ("FOG.NODE REGISTER b FIELD heartbeat 5", "OK"),
            (
                "FOG.NODE EXPORT CSV",
                #""id,cap,cpu,heartbeat,mem,note,seq,status,weight\r\n"#
                    + #"\"a,1\",0,0,5,0,\"say \"\"hi\"\"\n\",0,active,1\r\n"#
                    + #"b,0,0,5,0,,0,active,1\r\n""#
            ),
            ("FOG.NODE EXPORT XML", "(error) ERR syntax error"),
        ])
        let lines = try session.client.run("FOG.NODE EXPORT JSONL").text ?? ""
        #expect(lines.contains(#""note":"say \"hi\"\n""#))
    }

    @Test func anotherPrefixHasOtherRecords() throws {
        let session = try TestSession()
        try session.run([
            ("HSET edge/node:x region eu", "1"), ("FOG.NODE REGISTER a", "OK"), ("FOG.NODE COUNT", "1"),
            ("CONFIG SET fog-key-prefix edge/", "OK"), ("FOG.NODE LIST", #"["x"]"#),
            ("FOG.NODE REGISTER y", "OK"), ("EXISTS edge/node:y", "1"),
            ("CONFIG SET fog-key-prefix fog:", "OK"), ("FOG.NODE LIST", #"["a"]"#),
            ("CONFIG SET fog-lb-vnodes 16", "OK"), ("FOG.LB RING s", #""a""#), ("CONFIG SET fog-lb-vnodes 8", "OK"),
            ("FOG.LB RING s", #""a""#), ("CONFIG SET fog-lb-rt-alpha 0", "(matches) (error) ERR *between*"),
            (#"CONFIG SET fog-node-id """#, "(matches) (error) ERR *"),
        ])
    }

    @Test func databasesWithoutRecordsAreLetGoAfterLoading() throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(configuration: "enable-debug-command yes", directory: directory.path)
        let session = try TestSession(server: server)
        func listens() -> Bool {
            var listens = false
            server.withEngine { listens = $0.extensionListens }
            return listens
        }
        try session.run([("SET x 1", "OK"), ("DEBUG RELOAD", "OK")])
        var tries = 0
        while listens() && tries < 5000 {
            try session.run([("PING", "PONG")])
            tries += 1
        }
        #expect(!listens())
        try session.run([("HSET fog:node:a region eu", "1"), ("DEBUG RELOAD", "OK"), ("FOG.NODE COUNT REGION eu", "1")])
    }

    @Test func virtualTimeIsSetBack() {
        let group = BalancingGroup(NodeFilter())
        group.begin(.weightedRoundRobin)
        group.update(0, Node(), isAvailable: true, weight: 1e-6)
        group.update(1, Node(), isAvailable: true, weight: 2e-6)
        var counts = [0, 0]
        for _ in 0..<300 { counts[group.choice(.weightedRoundRobin) { _ in true } ?? 0] += 1 }
        #expect(counts == [100, 200])
        group.update(1, Node(), isAvailable: false, weight: 2e-6)
        #expect(group.choice(.weightedRoundRobin) { _ in true } == 0)
        #expect(group.choice(.weightedRoundRobin) { $0 != 0 } == nil)
        #expect(group.byteCount > 0)
    }
}
