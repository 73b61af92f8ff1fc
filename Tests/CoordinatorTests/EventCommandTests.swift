// EventCommandTests.swift - FOG.EVENT over the wire: channels, payload, log, names, rules, tracking, priorities.
import TestKit
import Testing

struct EventCommandTests {
    @Test(arguments: TestVariant.all)
    func publishes(variant: TestVariant) throws {
        let session = try TestSession(variant, configuration: "fog-node-id n1\nfog-region eu")
        let listener = try session.server.connect()
        _ = try listener.run("SUBSCRIBE fog:events")
        let typed = try session.server.connect()
        _ = try typed.run("PSUBSCRIBE fog:events:*")
        let shard = try session.server.connect()
        _ = try shard.run("SSUBSCRIBE fog:events:PRICING_UPDATED")
        try session.run([
            ("SET price:1 10", "OK"),
            (
                #"FOG.EVENT PUBLISH pricing_updated "RTX 3080" PRIORITY high DEDUP e1 DATA '{"price":0.18}' "#
                    + "KEYS price:1 price:2",
                #"(matches) *"e1"*receivers*3*invalidated*1*"#
            ),
            ("EXISTS price:1", "0"),
            ("FOG.EVENT PUBLISH PRICING_UPDATED x DEDUP e1", #"(matches) *receivers*0*invalidated*0*"#),
            ("FOG.EVENT PUBLISH PRICING_UPDATED x DATA {oops}", "(error) ERR DATA is not valid JSON"),
            (
                "FOG.EVENT PUBLISH A-B x",
                "(error) ERR a type of events is named by up to 64 letters, digits and underscores"
            ),
            ("FOG.EVENT PUBLISH A x PRIORITY urgent", "(error) ERR a priority is critical, high, normal or low"),
            ("FOG.EVENT PUBLISH A x NONSENSE", "(error) ERR syntax error"),
        ])
        let message = try listener.reply().description
        let wanted = [
            #"{\"id\":\"e1\",\"type\":\"PRICING_UPDATED\",\"resource\":\"RTX 3080\","#,
            #"\"keys\":[\"price:1\",\"price:2\"],\"data\":{\"price\":0.18},\"source_node\":\"n1\","#,
            #"\"region\":\"eu\",\"priority\":\"high\",\"ts_us\":"#,
        ].joined()
        #expect(message.contains(wanted), "\(message)")
        #expect(message.contains(#"\"seq\":1,\"epoch\":"#), "\(message)")
        #expect(try typed.reply().description.contains("fog:events:PRICING_UPDATED"))
        #expect(try shard.reply().description.contains("smessage"))
        #expect(try listener.reply(withinMilliseconds: 20) == nil)
    }

    @Test func replays() throws {
        let session = try TestSession(configuration: "fog-event-log 3")
        for index in 1...5 { try session.run([("FOG.EVENT PUBLISH T\(index % 2) r\(index)", "(any)")]) }
        try session.run([
            ("FOG.EVENT REPLAY FROM 1 COUNT 1", #"(matches) *r3*"next", 4, "lost", 2]"#),
            ("FOG.EVENT REPLAY FROM 4", #"(matches) *r4*r5*"next", 6, "lost", 0]"#),
            ("FOG.EVENT REPLAY FROM 1 TYPE t0", #"(matches) *r4*"next", 6, "lost", 2?"#),
            ("FOG.EVENT REPLAY FROM 9999999999999", #"["events", [], "next", 6, "lost", 0]"#),
            ("FOG.EVENT REPLAY FROM 6", #"["events", [], "next", 6, "lost", 0]"#),
            ("FOG.EVENT REPLAY FROM -1", "(error) ERR value is out of range, must be positive"),
            ("CONFIG SET fog-event-log 1", "OK"),
            ("FOG.EVENT PUBLISH T r6", "(any)"),
            ("FOG.EVENT REPLAY FROM 6", #"(matches) *r6*"next", 7, "lost", 0]"#),
        ])
    }

    @Test func aNameIsNewAgainBehindItsWindow() throws {
        let session = try TestSession(configuration: "fog-event-dedup-window 100")
        try session.run([
            ("FOG.EVENT PUBLISH T r DEDUP a", "(any)"), ("FOG.EVENT PUBLISH T r DEDUP a", "(any)"),
            ("FOG.STATS EVENTS", #"(matches) *"events_processed", 1, *"deduped", 1, *"#),
        ])
        session.server.advanceClock(milliseconds: 101)
        try session.run([
            ("FOG.EVENT PUBLISH T r DEDUP a", "(any)"),
            ("FOG.STATS EVENTS", #"(matches) *"events_processed", 2, *"deduped", 1, *"#),
            ("CONFIG RESETSTAT", "OK"),
            ("FOG.STATS EVENTS", #"(matches) *"events_processed", 0, *"deduped", 0, *"#),
        ])
    }

    @Test func rulesSayWhichKeysGo() throws {
        let session = try TestSession()
        try session.run([
            ("FOG.EVENT RULE GET VM_STATE_CHANGED", #"["vm:state:{id}", "vm:metrics:{id}"]"#),
            ("FOG.EVENT RULE SET my_type PATTERN a:{resource} b:*:{id}", "OK"),
            ("FOG.EVENT RULE GET MY_TYPE", #"["a:{resource}", "b:*:{id}"]"#),
            ("HGET fog:event:rules MY_TYPE", #""a:{resource} b:*:{id}""#),
            ("MSET a:1 x b:x:1 x b:y:1 x b:y:2 x a:2 x", "OK"),
            ("FOG.EVENT PUBLISH my_type 1", #"(matches) *"invalidated", 3]"#),
            ("DBSIZE", "3"),
            ("CONFIG SET fog-event-invalidation no", "OK"),
            ("FOG.EVENT PUBLISH my_type 2", #"(matches) *"invalidated", 0]"#),
            ("EXISTS a:2 b:y:2", "2"),
            ("FOG.EVENT RULE DEL my_type", "1"),
            ("FOG.EVENT RULE DEL my_type", "0"),
            ("EXISTS fog:event:rules", "0"),
            ("FOG.EVENT RULE GET my_type", "[]"),
            ("FOG.EVENT RULE LIST", "(matches) *NODE_INVALIDATED*"),
        ])
    }

    @Test func trackingClientsAreTold() throws {
        let session = try TestSession(TestVariant(protocolVersion: 3))
        let tracker = try session.server.connect(protocolVersion: 3)
        _ = try tracker.run("CLIENT TRACKING ON")
        _ = try tracker.run("GET far:key")
        try session.run([("FOG.EVENT PUBLISH T r KEYS far:key", "(any)")])
        #expect(try tracker.reply().description.contains("invalidate"))
    }

    @Test func criticalEventsOvertakeLowOnes() throws {
        let session = try TestSession()
        let listener = try session.server.connect()
        _ = try listener.run("SUBSCRIBE fog:events")
        var text = "MULTI\r\n"
        for index in 0..<5000 { text += "FOG.EVENT PUBLISH LOW r\(index) PRIORITY low\r\n" }
        text += "FOG.EVENT PUBLISH HOT now PRIORITY critical\r\nEXEC\r\n"
        try session.client.send(raw: text)
        for _ in 0..<5003 { _ = try session.client.reply() }
        var place = 0
        var last = -1
        for index in 0..<5001 {
            let message = try listener.reply().description
            if message.contains("HOT") { place = index; continue }
            let rest = message.split(separator: #"\"resource\":\"r"#).last ?? ""
            let number = Int(rest.prefix { $0.isNumber }) ?? -1
            #expect(number == last + 1)
            last = number
        }
        #expect(place < 5000)
        #expect(last == 4999)
    }
}
