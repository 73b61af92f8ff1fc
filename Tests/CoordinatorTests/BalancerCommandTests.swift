// BalancerCommandTests.swift - FOG.LB, FOG.BREAKER, FOG.ROUTE and FOG.SCALE over the wire: the mission's tables with
// their sample values.
import TestKit
import Testing

struct BalancerCommandTests {
    /// A session with `count` nodes n0, n1, ... of the given CPU loads.
    private func fleet(
        _ count: Int, cpu: (Int) -> Int = { _ in 0 }, extra: String = "", configuration: String = ""
    ) throws -> TestSession {
        let session = try TestSession(configuration: configuration)
        for number in 0..<count {
            try session.run([("FOG.NODE REGISTER n\(number) CPU \(cpu(number)) \(extra)", "OK")])
        }
        return session
    }

    private func shares(_ session: TestSession, _ command: String, _ count: Int) throws -> [String: Int] {
        var shares: [String: Int] = [:]
        for _ in 0..<count { shares[try session.client.run(command).text ?? "nobody", default: 0] += 1 }
        return shares
    }

    @Test func roundRobinIsEven() throws {
        let session = try fleet(10)
        let found = try shares(session, "FOG.LB SELECT ALGO round_robin", 1000)
        #expect(found.count == 10 && found.values.allSatisfy { $0 == 100 })
    }

    @Test func weightedFollowsFreeCPU() throws {
        let session = try fleet(2) { $0 == 0 ? 10 : 90 }
        let found = try shares(session, "FOG.LB SELECT ALGO weighted", 1000)
        #expect(found == ["n0": 900, "n1": 100])
        let ten = try fleet(10) { min(90, 10 + $0 * 9) }
        let share = try shares(ten, "FOG.LB SELECT ALGO weighted_round_robin", 1000)["n0"] ?? 0
        #expect(share >= 150)
    }

    @Test func weightHasLoadAndHealth() throws {
        let session = try fleet(0)
        try session.run([
            ("FOG.NODE REGISTER a CPU 20 WEIGHT 10", "OK"),
            ("FOG.LB WEIGHT a", #""8""#),
            ("FOG.LB END a FAIL", #"["health", "DEGRADED", "failures", 1, "active", 0, "circuit", "closed"]"#),
            ("FOG.LB WEIGHT a", #""4""#),
            ("FOG.LB.END a FAIL", "(any)"),
            ("FOG.LB.END a FAIL", "(any)"),
            ("FOG.LB WEIGHT a", #""0.8""#),
            ("FOG.LB WEIGHT b", "(error) NONODE there is no such node; register it with FOG.NODE REGISTER"),
        ])
    }

    @Test func leastConnectionsGoesToTheIdle() throws {
        let session = try fleet(2)
        for _ in 0..<5 { try session.run([("FOG.LB BEGIN n0", "(any)")]) }
        try session.run([
            ("FOG.LB SELECT", #""n1""#),
            ("FOG.LB SELECT EXCLUDE n1", #""n0""#),
            ("FOG.LB SELECT EXCLUDE n1 n0 ALGO least_connections", "(nil)"),
            ("FOG.LB END n1 OK", #"["health", "HEALTHY", "failures", 0, "active", 0, "circuit", "closed"]"#),
            ("FOG.LB END n0 OK RT 25.0", #"["health", "HEALTHY", "failures", 0, "active", 4, "circuit", "closed"]"#),
        ])
    }

    @Test func responseTimePrefersTheFastAndProbesTheNew() throws {
        let session = try fleet(2)
        try session.run([
            ("FOG.LB END n0 OK RT 25", "(any)"),
            ("FOG.LB END n1 OK RT 5", "(any)"),
            ("FOG.LB SELECT ALGO response_time", #""n1""#),
            ("FOG.LB SELECT ALGO response_time", #""n1""#),
            ("FOG.NODE REGISTER new", "OK"),
            ("FOG.LB SELECT ALGO response_time", #""new""#),
            ("FOG.LB SELECT ALGO response_time", #""n1""#),
            ("FOG.LB END new OK RT 1", "(any)"),
            ("FOG.LB SELECT ALGO response_time", #""new""#),
        ])
    }

    @Test func sessionsStick() throws {
        let session = try fleet(10)
        var before: [String: String] = [:]
        for number in 0..<300 {
            before["s\(number)"] = try session.client.run("FOG.LB SELECT ALGO consistent_hash SESSION s\(number)").text
        }
        for (name, node) in before { try session.run([("FOG.LB RING \(name)", "\"\(node)\"")]) }
        try session.run([("FOG.NODE DEL n4", "1")])
        for (name, node) in before where node != "n4" { try session.run([("FOG.LB RING \(name)", "\"\(node)\"")]) }
        try session.run([
            (
                "FOG.LB SELECT ALGO consistent_hash",
                "(error) ERR consistent_hash needs SESSION <id>: the same session goes to the same node"
            )
        ])
    }

    @Test func requestsCountOnce() throws {
        let session = try fleet(1)
        try session.run([
            ("FOG.LB BEGIN n0 REQ r1", "1"), ("FOG.LB BEGIN n0 REQ r1", "1"), ("FOG.LB BEGIN n0 REQ r2", "2"),
            ("FOG.LB END n0 OK REQ r1", "(matches) *active\", 1,*"),
            ("FOG.LB END n0 FAIL REQ r1", #"["health", "HEALTHY", "failures", 0, "active", 1, "circuit", "closed"]"#),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func statisticsHaveTheMissionsNames(variant: TestVariant) throws {
        let session = try TestSession(variant)
        for number in 0..<5 { try session.run([("FOG.NODE REGISTER n\(number)", "OK")]) }
        for _ in 0..<30 { for node in 0..<5 { try session.run([("FOG.LB BEGIN n\(node)", "(any)")]) } }
        for number in 0..<25 {
            try session.run([("FOG.LB SELECT ALGO consistent_hash SESSION s\(number)", "(any)")])
        }
        // Twelve failures, two circuits open, no connection fewer.
        for (node, count) in [(0, 5), (1, 5), (2, 2)] {
            for _ in 0..<count {
                try session.run([("FOG.LB BEGIN n\(node)", "(any)"), ("FOG.LB END n\(node) FAIL", "(any)")])
            }
        }
        let body =
            #""algorithm", "least_connections", "total_connections", 150, "sticky_sessions", 25, "circuit_breaker","#
        let flat = #" ["enabled", 1, "open_circuits", 2, "total_failures", 12]"#
        let reply = try session.client.run("FOG.STATS LB")
        let elements = reply.items
        #expect(elements.count == 8)
        #expect(elements[3] == .integer(150) && elements[5] == .integer(25))
        #expect(elements[7].items[3] == .integer(2) && elements[7].items[5] == .integer(12))
        if !session.isRESP3 { #expect(reply.description == "[" + body + flat + "]") }
        try session.run([("CONFIG RESETSTAT", "OK")])
        let after = try session.client.run("FOG.STATS LB").items
        #expect(after[3] == .integer(150) && after[5] == .integer(0) && after[7].items[5] == .integer(0))
    }

    @Test func circuitsOpenAndRecover() throws {
        let session = try fleet(2, configuration: "fog-breaker-timeout 1")
        for _ in 0..<5 { try session.run([("FOG.LB END n0 FAIL", "(any)")]) }
        try session.run([
            ("FOG.BREAKER GET n0", "(matches) *CIRCUIT_OPEN*failures\", 5*"),
            ("FOG.LB SELECT", #""n1""#), ("FOG.LB SELECT", #""n1""#),
            ("FOG.LB BEGIN n0", "(matches) (error) CIRCUITOPEN *"),
        ])
        session.server.advanceClock(milliseconds: 1001)
        try session.run([
            ("FOG.BREAKER GET n0", "(matches) *HALF_OPEN*"),
            ("FOG.LB SELECT EXCLUDE n1 BEGIN", #""n0""#),
            ("FOG.LB SELECT EXCLUDE n1 BEGIN", "(nil)"),
            ("FOG.LB END n0 OK", "(matches) *half_open*"),
            ("FOG.LB SELECT EXCLUDE n1 BEGIN", #""n0""#),
            ("FOG.LB END n0 OK", "(matches) *HEALTHY*closed*"),
            ("FOG.BREAKER TRIP n0 SECONDS 5", "OK"),
            ("FOG.BREAKER LIST STATE CIRCUIT_OPEN", "(matches) *n0*"),
            ("FOG.LB SELECT EXCLUDE n1", "(nil)"),
            ("FOG.BREAKER RESET n0", "OK"),
            ("FOG.LB SELECT EXCLUDE n1", #""n0""#),
            ("CONFIG SET fog-circuit-breaker no", "OK"),
        ])
        for _ in 0..<100 { try session.run([("FOG.LB END n0 FAIL", "(any)")]) }
        try session.run([("FOG.LB SELECT EXCLUDE n1", #""n0""#), ("FOG.BREAKER TRIP n0", "(matches) (error) ERR *")])
    }

    @Test func routesWithinCapacity() throws {
        let session = try fleet(10, extra: "CAP 12 ADDR host:1")
        for number in 0..<120 { try session.run([("FOG.ROUTE t\(number)", "(any)")]) }
        try session.run([
            ("FOG.ROUTE more", "(matches) (error) NOELIGIBLE *"),
            ("HMGET fog:task:t7 status priority", #"["assigned", "normal"]"#),
            ("FOG.LB END n3 OK", "(any)"),
            ("FOG.ROUTE more PRIORITY critical", #"["node", "n3", "addr", "host:1", "assignment", "fog:task:more"]"#),
            ("HGET fog:task:more node", #""n3""#),
            ("EXISTS fog:task:none", "0"),
        ])
        let stats = try session.client.run("FOG.STATS LB").items
        #expect(stats[3] == .integer(120))
    }

    @Test func scalingAdvice() throws {
        let session = try fleet(10, cpu: { _ in 85 })
        let subscriber = try session.server.connect()
        _ = try subscriber.run("SUBSCRIBE fog:events:SCALE_RECOMMENDED")
        let check = try session.client.run("FOG.SCALE CHECK").items
        #expect(check[1].text == "scale_up" && check[3].text == "High CPU usage (85.0% > 80.0%)")
        #expect(check[5] == .integer(10) && check[7].text == "85")
        #expect(check[9].text?.hasSuffix("Z") == true)
        let event = try subscriber.reply(withinMilliseconds: 5000)
        #expect(event?.items.last?.text?.contains("High CPU usage (85.0% > 80.0%)") == true)
        let history = try session.client.run("FOG.SCALE HISTORY 5").items
        #expect(history.count == 1)
        for number in 0..<10 { try session.run([("FOG.NODE HEARTBEAT n\(number) CPU 20", "1")]) }
        let down = try session.client.run("FOG.SCALE CHECK").items
        #expect(down[1].text == "scale_down")
        for number in 0..<10 { try session.run([("FOG.NODE HEARTBEAT n\(number) CPU 50", "2")]) }
        let none = try session.client.run("FOG.SCALE CHECK").items
        #expect(none[1].text == "none")
    }
}
