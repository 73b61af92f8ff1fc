// NodeProbeTests.swift - nodes that do not answer their probe leave the rotation and come back; what was declared by
// hand stays. The listener is a server of these tests.
import Base
import TestKit
import Testing

struct NodeProbeTests {
    private func status(_ session: TestSession, _ node: String, becomes wanted: String) throws -> Bool {
        // The probes take real time, whatever the server's clock says.
        let end = Clock().monotonicNanoseconds + 10_000_000_000
        while Clock().monotonicNanoseconds < end {
            if try session.client.run("HGET fog:node:\(node) status").text == wanted { return true }
            session.server.advanceClock(milliseconds: 20)
        }
        return false
    }

    @Test(arguments: ["tcp", "http"])
    func nodesLeaveAndComeBack(kind: String) throws {
        let session = try TestSession(
            configuration: "fog-probe \(kind)\nfog-probe-interval 1\nfog-heartbeat-timeout 0\nfog-default-ttl 0")
        let subscriber = try session.server.connect()
        _ = try subscriber.run("SUBSCRIBE fog:events:NODE_STATUS_CHANGED")
        // Nobody listens at port 1; a Fog server accepts connections, and is no web server.
        let other = try TestServer()
        try session.run([
            ("FOG.NODE REGISTER well ADDR 127.0.0.1:\(other.port)", "OK"),
            ("FOG.NODE REGISTER gone ADDR 127.0.0.1:1", "OK"), ("FOG.NODE REGISTER odd ADDR nonsense", "OK"),
            ("FOG.NODE REGISTER held ADDR 127.0.0.1:1 STATUS failed", "OK"),
            ("FOG.NODE REGISTER six ADDR [::1]:1", "OK"),
        ])
        #expect(try status(session, "gone", becomes: "failed"))
        #expect(try status(session, "six", becomes: "failed"))
        if kind == "http" { #expect(try status(session, "well", becomes: "failed")) }
        try session.run([
            ("HGET fog:node:well status", kind == "tcp" ? #""active""# : #""failed""#),
            ("HGET fog:node:odd status", #""active""#), ("FOG.NODE REGISTER gone ADDR 127.0.0.1:\(other.port)", "OK"),
        ])
        let event = try subscriber.reply(withinMilliseconds: 5000)
        #expect(event?.items.last?.text?.contains(#""new":"failed""#) == true)
        if kind == "tcp" {
            #expect(try status(session, "gone", becomes: "active"))
            // Failed by hand: no probe makes it active.
            try session.run([
                ("FOG.NODE REGISTER held ADDR 127.0.0.1:\(other.port)", "OK"),
            ])
            for _ in 0..<20 { session.server.advanceClock(milliseconds: 500) }
            try session.run([("HGET fog:node:held status", #""failed""#)])
        }
        try session.run([
            ("CONFIG SET fog-probe-path health", "(matches) (error) ERR *begins with /*"),
            ("CONFIG SET fog-probe off", "OK"),
        ])
        other.stop()
    }
}
