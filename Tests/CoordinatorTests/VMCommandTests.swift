// VMCommandTests.swift - FOG.VM over the wire: facets and their lifetimes, nodes, events and the rules behind them.
import TestKit
import Testing

struct VMCommandTests {
    @Test(arguments: TestVariant.all)
    func facetsHaveTheirLifetimes(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            (#"FOG.VM SET vm-1 STATE '{"id":"vm-1","state":"running","type":"kvm"}'"#, "OK"),
            ("FOG.VM GET vm-1 STATE", #""{\"id\":\"vm-1\",\"state\":\"running\",\"type\":\"kvm\"}""#),
            ("FOG.VM SET vm-1 RESOURCES cpu 4 mem 8", "OK"), ("HGET vm:resources:vm-1 mem", #""8""#),
            ("FOG.VM SET vm-1 MIGRATION progress 40", "OK"), ("FOG.VM SET vm-1 METRICS cpu 71.5", "OK"),
            ("FOG.VM SET vm-1 CONFIG text", "OK"),
            ("TTL vm:state:vm-1", "30"), ("TTL vm:resources:vm-1", "120"), ("TTL vm:migration:vm-1", "60"),
            ("TTL vm:metrics:vm-1", "15"), ("TTL vm:config:vm-1", "900"),
            ("FOG.VM SET vm-1 RESOURCES cpu 2", "OK"), ("HLEN vm:resources:vm-1", "1"),
            ("FOG.VM MGET CONFIG vm-1 vm-2", #"["text", (nil)]"#),
            ("FOG.VM NODE n1 cpu 64 mem 512", "OK"), ("TTL node:resources:n1", "30"),
            ("FOG.VM NODE n2", "(nil)"),
            ("FOG.VM SET vm-1 COLOUR x", "(error) ERR a facet is STATE, RESOURCES, MIGRATION, METRICS or CONFIG"),
            ("FOG.VM SET vm-1 STATE a b c", "(error) ERR syntax error"),
        ])
        session.server.advanceClock(milliseconds: 16_000)
        try session.run([("FOG.VM GET vm-1 METRICS", "(nil)"), ("EXISTS vm:state:vm-1", "1")])
    }

    @Test(arguments: TestVariant.all)
    func eventsRemoveWhatIsNotTrueAnyMore(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let listener = try session.server.connect()
        _ = try listener.run("SUBSCRIBE fog:events")
        let all = ["STATE", "RESOURCES", "MIGRATION", "METRICS", "CONFIG"]
        for facet in all { try session.run([("FOG.VM SET a \(facet) x", "OK"), ("FOG.VM SET b \(facet) x", "OK")]) }
        try session.run([
            ("FOG.VM NODE n1 cpu 1", "OK"), ("FOG.VM NODE n2 cpu 1", "OK"), ("SET node:vms:n1 list", "OK"),
            ("FOG.VM EVENT a STATE running stopped", "2"), ("EXISTS vm:state:a vm:metrics:a vm:config:a", "1"),
            ("FOG.VM EVENT a RESOURCE n1", "2"), ("EXISTS node:resources:n1 node:resources:n2", "1"),
            ("FOG.VM NODE n1 cpu 1", "OK"), ("FOG.VM EVENT c CREATED n1", "2"),
            ("FOG.VM EVENT b RESOURCE", "2"), ("EXISTS node:resources:n2 vm:resources:b", "0"),
            ("FOG.VM EVENT b DELETED n2", "4"), ("KEYS vm:*:b", "[]"),
            ("FOG.EVENT RULE SET VM_CREATED PATTERN vm:config:*", "OK"),
            ("FOG.VM EVENT x CREATED n1", "1"), ("EXISTS vm:config:a", "0"),
            ("FOG.VM EVENT x EXPLODED n1", "(error) ERR syntax error"),
            ("FOG.VM EVENT x STATE running", "(error) ERR syntax error"),
        ])
        let first = try listener.reply().description
        #expect(first.contains(#"\"type\":\"VM_STATE_CHANGED\",\"resource\":\"a\",\"keys\":[]"#), "\(first)")
        #expect(first.contains(#"\"data\":{\"old\":\"running\",\"new\":\"stopped\"}"#), "\(first)")
    }
}
