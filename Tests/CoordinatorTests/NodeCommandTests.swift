// NodeCommandTests.swift - FOG.NODE over the wire: records are plain hashes, indexes follow what any command does to
// them, dotted names, ACL.
import TestKit
import Testing

struct NodeCommandTests {
    @Test(arguments: TestVariant.all)
    func registersAndReads(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("FOG.NODE REGISTER n1 TYPE edge REGION us-east CPU 20 CAP 8 ADDR 10.0.0.1:7000", "OK"),
            ("FOG.NODE REGISTER n1 NX", "(nil)"),
            ("FOG.NODE REGISTER n2 XX", "(nil)"),
            ("fog.node.register n2 REGION eu", "OK"),
            ("FOG.NODE COUNT", "2"),
            ("FOG.NODE.COUNT", "2"),
            ("TYPE fog:node:n1", "hash"),
            (
                "HMGET fog:node:n1 type region status cpu cap addr",
                #"["edge", "us-east", "active", "20", "8", "10.0.0.1:7000"]"#
            ),
            ("HGET fog:node:n2 weight", #""1""#),
            ("FOG.NODE GET nobody", "(nil)"),
            ("FOG.NODE DEL n1 n2 n3", "2"),
            ("FOG.NODE COUNT", "0"),
            ("EXISTS fog:node:n1", "0"),
        ])
    }

    @Test func countFollowsWhateverHappensToRecords() throws {
        let session = try TestSession()
        try session.run([
            ("FOG.NODE REGISTER a", "OK"),
            ("FOG.NODE REGISTER b TTL 5", "OK"),
            ("HSET fog:node:c status active", "1"),
            ("FOG.NODE COUNT", "3"),
            ("RENAME fog:node:a fog:node:d", "OK"),
            ("COPY fog:node:d fog:node:e", "1"),
            ("FOG.NODE COUNT", "4"),
            ("MOVE fog:node:e 1", "1"),
            ("FOG.NODE COUNT", "3"),
            ("SWAPDB 0 1", "OK"),
            ("FOG.NODE COUNT", "1"),
            ("SWAPDB 0 1", "OK"),
            ("FOG.NODE COUNT", "3"),
            ("SET fog:node:c text", "OK"),
            ("FOG.NODE COUNT", "2"),
        ])
        session.server.advanceClock(milliseconds: 6000)
        try session.run([
            ("GET fog:node:b", "(nil)"),
            ("FOG.NODE COUNT", "1"),
            ("FLUSHDB", "OK"),
            ("FOG.NODE COUNT", "0"),
        ])
    }
}
