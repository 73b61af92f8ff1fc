// StreamGroupTests.swift - consumer groups: reading, acknowledging, claiming, pending lists, lag, and waiting readers.
// Expected replies were taken from stock servers. What is recorded of groups stands in StreamJournalTests.swift.
import Engine
import TestKit
import Testing

struct StreamGroupTests {
    private static let noGroup = "(error) NOGROUP No such key 's' or consumer group 'none'"
    private static let noGroupOfKey = "(error) NOGROUP No such consumer group 'none' for key name 's'"

    /// Five entries, of which `a` has got two and `b` one.
    private func started(_ variant: TestVariant) throws -> TestSession {
        let session = try TestSession(variant)
        for id in 1...5 { try session.run([("XADD s \(id)-0 f v", "\"\(id)-0\"")]) }
        try session.run([
            ("XGROUP CREATE s g 0", "OK"), ("XREADGROUP GROUP g a COUNT 2 STREAMS s >", "(any)"),
            ("XREADGROUP GROUP g b COUNT 1 STREAMS s >", "(any)"),
        ])
        return session
    }

    /// What XREAD and XREADGROUP answer of one stream.
    private func streams(_ session: TestSession, _ entries: String) -> String {
        session.isRESP3 ? #"{"s": [\#(entries)]}"# : #"[["s", [\#(entries)]]]"#
    }

    @Test(arguments: TestVariant.all)
    func reading(variant: TestVariant) throws {
        let session = try started(variant)
        try session.run([
            ("XREADGROUP GROUP g a STREAMS s >", streams(session, #"["4-0", ["f", "v"]], ["5-0", ["f", "v"]]"#)),
            ("XREADGROUP GROUP g a STREAMS s >", "(nil)"),
            ("XREADGROUP GROUP g b STREAMS s 0", streams(session, #"["3-0", ["f", "v"]]"#)),
            ("XDEL s 3-0", "1"), ("XREADGROUP GROUP g b STREAMS s 0", streams(session, #"["3-0", (nil)]"#)),
            ("XREADGROUP GROUP g b STREAMS s 3-0", streams(session, "")),
            ("XREADGROUP GROUP g c STREAMS s 0", streams(session, "")),
            ("XREADGROUP GROUP g c STREAMS s 18446744073709551615-18446744073709551615", streams(session, "")),
            ("XADD s 6-0 f v", #""6-0""#),
            ("XREADGROUP GROUP g c NOACK STREAMS s >", streams(session, #"["6-0", ["f", "v"]]"#)),
            ("XPENDING s g", #"[5, "1-0", "5-0", [["a", "4"], ["b", "1"]]]"#),
            (
                "XREADGROUP GROUP none a STREAMS s >",
                "(error) NOGROUP No such key 's' or consumer group 'none' in XREADGROUP with GROUP option"
            ),
            (
                "XREADGROUP GROUP g a STREAMS s t > >",
                "(error) NOGROUP No such key 't' or consumer group 'g' in XREADGROUP with GROUP option"
            ),
            ("XREADGROUP STREAMS s s s > > >", "(error) ERR Missing GROUP option for XREADGROUP"),
            (
                "XREADGROUP GROUP g a STREAMS s s >",
                "(error) ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
            ),
            (
                "XREAD STREAMS s >",
                "(error) ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
            ),
            ("XREAD STREAMS s +", streams(session, #"["6-0", ["f", "v"]]"#)),
            ("XREAD COUNT 1 STREAMS s none 4 0", streams(session, #"["5-0", ["f", "v"]]"#)),
            ("XREAD STREAMS s $", "(nil)"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func acknowledging(variant: TestVariant) throws {
        let session = try started(variant)
        try session.run([
            ("XACK s g 1-0 1-0 9-0", "1"),
            ("XACK s g 2-0 x", "(error) ERR Invalid stream ID specified as stream command argument"),
            ("XACK s none 1-0", "0"), ("XACK none g 1-0", "0"),
            ("XPENDING s g", #"[2, "2-0", "3-0", [["a", "1"], ["b", "1"]]]"#),
            ("XPENDING s g - + 10 nobody", "[]"), ("XPENDING s g IDLE 500000 - + 10", "[]"),
            ("XPENDING s none", Self.noGroup),
            ("XPENDING s g - +", "(error) ERR syntax error"), ("XGROUP DELCONSUMER s g a", "1"),
            ("XPENDING s g", #"[1, "3-0", "3-0", [["b", "1"]]]"#),
        ])
        session.server.advanceClock(milliseconds: 1000)
        let late = try session.client.run("XPENDING s g IDLE 900 (2-0 + 10 b").description
        #expect(late.hasPrefix(#"[["3-0", "b", 1"#) && late.hasSuffix(", 1]]"))
    }

    @Test(arguments: TestVariant.all)
    func claiming(variant: TestVariant) throws {
        let session = try started(variant)
        session.server.advanceClock(milliseconds: 5000)
        try session.run([
            ("XCLAIM s g c 9999999 1-0", "[]"), ("XCLAIM s g c 4000 1-0 5-0", #"[["1-0", ["f", "v"]]]"#),
            ("XCLAIM s g c 0 5-0 FORCE JUSTID RETRYCOUNT 7", #"["5-0"]"#), ("XDEL s 2-0", "1"),
            ("XCLAIM s g c 0 2-0", "[]"), ("XPENDING s g", #"[3, "1-0", "5-0", [["b", "1"], ["c", "2"]]]"#),
            ("XCLAIM s g c 0 3-0 NONSENSE", "(error) ERR Unrecognized XCLAIM option 'NONSENSE'"),
            ("XCLAIM s none c 0 3-0", Self.noGroup),
            ("XCLAIM s g c x 3-0", "(error) ERR Invalid min-idle-time argument for XCLAIM"),
            ("XAUTOCLAIM s g d 0 0 COUNT 1", #"["3-0", [["1-0", ["f", "v"]]], []]"#), ("XDEL s 3-0", "1"),
            ("XAUTOCLAIM s g d 0 3-0 JUSTID", #"["0-0", ["5-0"], ["3-0"]]"#),
            ("XAUTOCLAIM s g d 0 0 COUNT 0", "(error) ERR COUNT must be > 0"),
            ("XAUTOCLAIM s none d 0 0", Self.noGroup),
            ("XPENDING s g - + 9", #"(matches) ??"1-0", "d", *, 3?, ?"5-0", "d", *, 7??"#),
            ("XCLAIM s g d 0 9-0 LASTID 8-0", "[]"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func groups(variant: TestVariant) throws {
        let session = try started(variant)
        func groups(_ facts: [(String, String)]) -> String {
            let isMap = session.isRESP3
            let text = facts.map { "\"\($0)\"\(isMap ? ":" : ",") \($1)" }.joined(separator: ", ")
            return isMap ? "[{\(text)}]" : "[[\(text)]]"
        }
        try session.run([
            (
                "XINFO GROUPS s",
                groups([
                    ("name", #""g""#), ("consumers", "2"), ("pending", "3"), ("last-delivered-id", #""3-0""#),
                    ("entries-read", "3"), ("lag", "2"),
                ])
            ),
            ("XDEL s 4-0", "1"),
            (
                "XINFO GROUPS s",
                groups([
                    ("name", #""g""#), ("consumers", "2"), ("pending", "3"), ("last-delivered-id", #""3-0""#),
                    ("entries-read", "3"), ("lag", "(nil)"),
                ])
            ),
            ("XGROUP CREATE s g 0", "(error) BUSYGROUP Consumer Group name already exists"),
            (
                "XGROUP CREATE none g 0",
                "(error) ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."
            ),
            ("XGROUP CREATE none g x MKSTREAM", "(error) ERR Invalid stream ID specified as stream command argument"),
            ("EXISTS none", "0"),
            ("XGROUP CREATE none g $ MKSTREAM ENTRIESREAD 3", "OK"), ("XLEN none", "0"),
            ("XGROUP CREATE none h 0 ENTRIESREAD -2", "(error) ERR value for ENTRIESREAD must be positive or -1"),
            (
                "XGROUP CREATE s h 0 FOO",
                "(error) ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP."
            ),
            ("XGROUP CREATECONSUMER s g a", "0"), ("XGROUP CREATECONSUMER s g z", "1"),
            ("XGROUP DELCONSUMER s g z", "0"),
            ("XGROUP CREATECONSUMER s none z", Self.noGroupOfKey), ("XGROUP SETID s none 0", Self.noGroupOfKey),
            ("XGROUP SETID s g $", "OK"), ("XREADGROUP GROUP g a STREAMS s >", "(nil)"),
            ("XGROUP SETID s g - ENTRIESREAD 0", "OK"),
            ("XREADGROUP GROUP g b COUNT 1 STREAMS s >", streams(session, #"["1-0", ["f", "v"]]"#)),
            ("XPENDING s g", #"[3, "1-0", "3-0", [["a", "1"], ["b", "2"]]]"#),
            ("XGROUP DESTROY s g", "1"), ("XGROUP DESTROY s g", "0"), ("XINFO GROUPS s", "[]"),
            ("XINFO CONSUMERS s none", Self.noGroupOfKey), ("XINFO GROUPS missing", "(error) ERR no such key"),
            (
                "XINFO STREAM s FULL COUNT",
                "(error) ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP."
            ),
        ])
    }

    // MARK: waiting

    @Test(arguments: TestVariant.all)
    func readersWait(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let reader = try session.server.connect(protocolVersion: variant.protocolVersion)
        try session.run([("XADD s 1-0 f v", #""1-0""#), ("XGROUP CREATE s g $", "OK")])
        try reader.send("XREAD BLOCK 0 STREAMS none s $ $")
        try waitForBlocked(1, session)
        try session.run([("XADD s 2-0 f w", #""2-0""#), ("XADD s 3-0 f w", #""3-0""#)])
        #expect(try reader.reply().description == streams(session, #"["2-0", ["f", "w"]]"#))
        try session.run([("XGROUP SETID s g $", "OK")])
        try reader.send("XREADGROUP GROUP g c BLOCK 0 STREAMS s >")
        try waitForBlocked(1, session)
        try session.run([("XINFO CONSUMERS s g", "(any)"), ("XADD s 4-0 f w", #""4-0""#)])
        #expect(try reader.reply().description == streams(session, #"["4-0", ["f", "w"]]"#))
        try reader.send("XREADGROUP GROUP g c BLOCK 0 STREAMS s >")
        try waitForBlocked(1, session)
        try session.run([("XGROUP DESTROY s g", "1")])
        #expect(
            try reader.reply().description
                == "(error) NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option")
        try session.run([("XGROUP CREATE s g $", "OK")])
        try reader.send("XREADGROUP GROUP g c BLOCK 0 STREAMS s >")
        try waitForBlocked(1, session)
        try session.run([("SET s x", "OK")])
        #expect(try reader.reply().description.hasPrefix("(error) WRONGTYPE"))
        try session.run([
            ("MULTI", "OK"), ("XREAD BLOCK 0 STREAMS t $", "QUEUED"), ("EXEC", "[(nil)]"),
        ])
    }

    /// Two of a group wait: one entry serves the first alone.
    @Test func oneEntryServesOne() throws {
        let session = try TestSession()
        let first = try session.server.connect()
        let second = try session.server.connect()
        try session.run([("XGROUP CREATE s g 0 MKSTREAM", "OK")])
        try first.send("XREADGROUP GROUP g a BLOCK 0 STREAMS s >")
        try waitForBlocked(1, session)
        try second.send("XREADGROUP GROUP g b BLOCK 0 STREAMS s >")
        try waitForBlocked(2, session)
        try session.run([("XADD s 1-0 f v", #""1-0""#)])
        #expect(try first.reply().description == streams(session, #"["1-0", ["f", "v"]]"#))
        try session.run([("XADD s 2-0 f v", #""2-0""#)])
        #expect(try second.reply().description == streams(session, #"["2-0", ["f", "v"]]"#))
        try session.run([("XPENDING s g", #"[2, "1-0", "2-0", [["a", "1"], ["b", "1"]]]"#)])
    }

    private func waitForBlocked(_ count: Int, _ session: TestSession) throws {
        for _ in 0..<2000 {
            var now = 0
            session.server.withEngine { now = $0.waiting.count }
            if now >= count { return }
            // Gives the server's thread the processor.
            _ = try session.client.run("PING")
        }
        Issue.record("\(count) clients should wait")
    }
}
