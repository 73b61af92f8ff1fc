// HotKeysTests.swift - HOTKEYS: syntax and errors with Redis 8.6's texts, what sessions count (transactions, scripts,
// several keys, samples), and that a session ends when it should.
import TestKit
import Testing

struct HotKeysTests {
    @Test(arguments: TestVariant.all)
    func refusesWhatItCannotDo(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("HOTKEYS", "(error) ERR wrong number of arguments for 'hotkeys' command"),
            ("HOTKEYS NOPE", "(error) ERR unknown subcommand 'NOPE'. Try HOTKEYS HELP."),
            ("HOTKEYS START", "(error) ERR METRICS parameter is required"),
            ("HOTKEYS START METRICS", "(error) ERR METRICS parameter is required"),
            ("HOTKEYS START COUNT 3", "(error) ERR METRICS parameter is required"),
            ("HOTKEYS START METRICS 0", "(error) ERR METRICS count must be > 0 and <= 2"),
            ("HOTKEYS START METRICS x CPU", "(error) ERR METRICS count must be > 0 and <= 2"),
            ("HOTKEYS START METRICS 3 CPU NET", "(error) ERR METRICS count must be > 0 and <= 2"),
            (
                "HOTKEYS START METRICS 2 CPU",
                "(error) ERR METRICS count does not match number of metric types provided"
            ),
            ("HOTKEYS START METRICS 1 CPU NET", "(error) ERR syntax error"),
            ("HOTKEYS START METRICS 2 CPU CPU", "(error) ERR METRICS CPU defined more than once!"),
            ("HOTKEYS START METRICS 2 NET NET", "(error) ERR METRICS NET defined more than once!"),
            ("HOTKEYS START METRICS 1 GPU", "(error) ERR METRICS no valid metrics passed. Supported: CPU|NET"),
            ("HOTKEYS START METRICS 1 CPU COUNT 0", "(error) ERR COUNT must be between 1 and 64"),
            ("HOTKEYS START METRICS 1 CPU COUNT 65", "(error) ERR COUNT must be between 1 and 64"),
            ("HOTKEYS START METRICS 1 CPU COUNT", "(error) ERR syntax error"),
            ("HOTKEYS START METRICS 1 CPU DURATION 0", "(error) ERR DURATION must be between 1 and 1000000"),
            ("HOTKEYS START METRICS 1 CPU SAMPLE 0", "(error) ERR SAMPLE ratio must be positive"),
            (
                "HOTKEYS START METRICS 1 CPU SLOTS 1 0",
                "(error) ERR SLOTS parameter cannot be used in non-cluster mode"
            ),
            ("HOTKEYS GET", "(nil)"), ("HOTKEYS STOP", "(nil)"), ("HOTKEYS RESET", "OK"),
            ("HOTKEYS START METRICS 2 GPU CPU", "OK"),
            ("HOTKEYS START METRICS 1 CPU", "(error) ERR hotkey tracking session already in progress"),
            ("HOTKEYS RESET", "(error) ERR hotkey tracking session in progress, stop tracking first"),
            ("HOTKEYS STOP", "OK"), ("HOTKEYS STOP", "(nil)"), ("HOTKEYS RESET", "OK"), ("HOTKEYS GET", "(nil)"),
        ])
    }

    /// The bytes of a command are those of its request and its reply, shared by its keys.
    @Test(arguments: TestVariant.all)
    func countsBytes(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let (open, close) = variant.protocolVersion == 3 ? ("{", "}") : ("[", "]")
        try session.run([
            ("HOTKEYS START METRICS 1 NET COUNT 2", "OK"),
            ("SET a xxx", "OK"), ("GET a", #""xxx""#), ("PING", "PONG"), ("MSET b 1 c 2", "OK"), ("GET a", #""xxx""#),
            ("HOTKEYS STOP", "OK"), ("GET a", #""xxx""#),
        ])
        let found = try session.client.run("HOTKEYS GET").description
        let text = found.split(separator: " ").joined(separator: " ").replacing(#"": "#, with: #"", "#)
        let head = #""tracking-active", 0, "sample-ratio", 1, "selected-slots", [[0, 16383]],"#
        #expect(text.hasPrefix("[\(open)\(head)"), "\(text)")
        #expect(text.hasSuffix("\(close)]"))
        // The array's head, each word with its length, and the reply.
        let set = 4 + 9 + 7 + 9 + 5
        let get = 4 + 9 + 7 + 9
        let several = 4 + 10 + 7 * 4 + 5
        #expect(text.contains("\"net-bytes-all-commands-all-slots\", \(set + 2 * get + several),"), "\(text)")
        #expect(text.contains("\"total-net-bytes\", \(set + 2 * get + several / 2 * 2),"), "\(text)")
        #expect(text.contains("\"by-net-bytes\", [\"a\", \(set + 2 * get), \"b\", \(several / 2)]"), "\(text)")
        #expect(!text.contains("by-cpu-time-us") && !text.contains("total-cpu-time"))
    }

    /// What EXEC runs counts by itself; a script is one command with the keys that it was given.
    @Test(arguments: TestVariant.all)
    func looksIntoTransactionsAndNotIntoScripts(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("HOTKEYS START METRICS 2 NET CPU", "OK"), ("MULTI", "OK"), ("SET t 1", "QUEUED"), ("EXEC", "[OK]"),
            ("EVAL \"redis.call('set', 'inner', 1); return 1\" 1 outer", "1"), ("HOTKEYS STOP", "OK"),
        ])
        let found = try session.client.run("HOTKEYS GET").description
        for word in ["\"t\"", "\"outer\"", "by-cpu-time-us", "by-net-bytes"] {
            #expect(found.contains(word), "\(found)")
        }
        #expect(!found.contains("inner"), "\(found)")
    }

    @Test(arguments: TestVariant.protocols)
    func endsByItself(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([("HOTKEYS START METRICS 1 CPU DURATION 2", "OK"), ("SET a 1", "OK")])
        session.server.advanceClock(milliseconds: 2500)
        try session.run([
            ("SET late 1", "OK"), ("HOTKEYS GET", "(matches) *tracking-active\"? 0*collection-duration-ms\"? 2000,*"),
            ("HOTKEYS STOP", "(nil)"), ("HOTKEYS START METRICS 1 CPU", "OK"),
        ])
    }

    /// One command in ten is looked at; all are in the totals.
    @Test func samples() throws {
        let session = try TestSession()
        try session.run([("HOTKEYS START METRICS 1 NET SAMPLE 10", "OK")])
        for _ in 0..<1000 { try session.run([("SET a 1", "OK")]) }
        try session.run([("HOTKEYS STOP", "OK")])
        let text = try session.client.run("HOTKEYS GET").description
        func number(_ name: String) -> Int {
            let rest = text.split(separator: "\"\(name)\"").last ?? ""
            return Int(rest.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? -1
        }
        let all = number("net-bytes-all-commands-all-slots")
        let seen = number("total-net-bytes")
        #expect(all == 1000 * (4 + 9 + 7 + 7 + 5))
        #expect(seen > all / 30 && seen < all / 4, "\(seen) of \(all)")
    }

    /// While a session runs every command goes the slow way; the slow log must not notice.
    @Test func leavesTheSlowLogAlone() throws {
        let session = try TestSession(configuration: "slowlog-log-slower-than 1000000\nlatency-monitor-threshold 10000")
        try session.run([
            ("HOTKEYS START METRICS 1 CPU", "OK"), ("SET a 1", "OK"), ("GET a", #""1""#), ("SLOWLOG LEN", "0"),
            ("LATENCY LATEST", "[]"), ("CONFIG SET slowlog-log-slower-than 0", "OK"), ("GET a", #""1""#),
            ("SLOWLOG LEN", "2"), ("CONFIG SET slowlog-log-slower-than -1", "OK"),
            ("SLOWLOG RESET", "OK"), ("GET a", #""1""#), ("SLOWLOG LEN", "0"), ("HOTKEYS STOP", "OK"),
            ("HOTKEYS GET", "(matches) *by-cpu-time-us*\"a\"*"),
        ])
    }
}
