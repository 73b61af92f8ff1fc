// NestedTests.swift - commands inside commands, through the door that EXEC and scripts use: gates, protocol, waiting,
// the database a script leaves behind.
import Base
import Engine
import RESP
import TestKit
import Testing

struct NestedTests {
    /// Runs `lines` inside a command of the test's session and returns the raw replies, refusals marked with `!`.
    private func nested(
        _ session: TestSession, _ context: CommandContext, protocolVersion: Int = 2, refusesWrites: Bool = false,
        _ lines: [[String]]
    ) throws -> [String] {
        // The loop has registered the client once it answers.
        try session.run([("PING", "PONG")])
        var replies: [String] = []
        session.server.withEngine { engine in
            guard let reference = engine.sessions.all.first else { return }
            let scope = engine.beginNesting(context, reference)
            var rules = NestedRules(protocolVersion: protocolVersion)
            rules.refusesWrites = refusesWrites
            for line in lines {
                var output = ByteBuffer()
                let ran = NestedTests.withArguments(line) { arguments in
                    engine.executeNested(reference, arguments, rules: rules, output: &output)
                }
                replies.append((ran ? "" : "!") + output.span.text)
            }
            engine.endNesting(scope, reference)
        }
        return replies
    }

    private static func withArguments(_ words: [String], _ body: (Arguments) -> Bool) -> Bool {
        var bytes = ByteBuffer()
        for word in words { bytes.append(word) }
        let slices = UnsafeMutablePointer<ArgumentSlice>.allocate(capacity: words.count)
        defer { unsafe slices.deallocate() }
        var offset = 0
        for (index, word) in words.enumerated() {
            let start = unsafe UnsafePointer(bytes.pointer) + offset
            unsafe (slices + index).initialize(to: ArgumentSlice(base: start, count: word.utf8.count))
            offset += word.utf8.count
        }
        return body(unsafe Arguments(unchecked: slices, count: words.count))
    }

    @Test func scriptsMayNotRunEverything() throws {
        let session = try TestSession()
        let lines = [["nonsense"], ["get"], ["client", "nonsense"], ["client", "id"], ["config"], ["set", "a", "1"]]
        #expect(
            try nested(session, .script, lines)
                == [
                    "!-ERR Unknown Redis command called from script\r\n",
                    "!-ERR Wrong number of args calling Redis command from script\r\n",
                    "!-ERR Unknown Redis command called from script\r\n",
                    "!-ERR This Redis command is not allowed from script\r\n",
                    "!-ERR Wrong number of args calling Redis command from script\r\n", "+OK\r\n",
                ])
        #expect(
            try nested(session, .script, refusesWrites: true, [["set", "a", "2"], ["get", "a"]])
                == ["!-ERR Write commands are not allowed from read-only scripts.\r\n", "$1\r\n1\r\n"])
    }

    @Test func repliesFollowTheChosenProtocol() throws {
        let session = try TestSession()
        #expect(try nested(session, .script, protocolVersion: 3, [["get", "absent"]]) == ["_\r\n"])
        #expect(try nested(session, .script, protocolVersion: 2, [["get", "absent"]]) == ["$-1\r\n"])
    }

    @Test func scriptsLeaveTheDatabaseAsItWas() throws {
        let session = try TestSession()
        _ = try nested(session, .script, [["select", "3"], ["set", "there", "1"]])
        try session.run([("EXISTS there", "0"), ("SELECT 3", "OK"), ("EXISTS there", "1"), ("SELECT 0", "OK")])
        _ = try nested(session, .transaction, [["select", "3"]])
        try session.run([("EXISTS there", "1")])
    }

    @Test func whatWouldWaitEndsAtOnce() throws {
        let session = try TestSession()
        let replies = try nested(session, .transaction, [["debug", "suspend", "100000"], ["get", "a"]])
        #expect(replies.count == 2 && !replies[0].isEmpty && replies[1] == "$-1\r\n")
        try session.run([("PING", "PONG")])
    }
}
