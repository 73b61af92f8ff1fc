// FunctionTests.swift - FUNCTION and FCALL: libraries come and go as a whole. The replies are those of redis-server
// 7.0.15.
import TestKit
import Testing

struct FunctionTests {
    private static let echo = """
        FUNCTION LOAD "#!lua name=echo\\nredis.register_function('echo', function(keys, args) return {keys, args} end)"
        """

    @Test(arguments: TestVariant.all)
    func functionsAreCalledByName(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            (FunctionTests.echo, #""echo""#), ("FCALL echo 1 k a b", #"[["k"], ["a", "b"]]"#),
            ("FCALL ECHO 0", "[[], []]"), ("FCALL none 0", "(error) ERR Function not found"),
            ("FCALL echo x", "(error) ERR Bad number of keys provided"),
            ("FCALL echo 5", "(error) ERR Number of keys can't be greater than number of args"),
            ("FCALL echo -1", "(error) ERR Number of keys can't be negative"),
            ("FCALL_RO echo 0", "(error) ERR Can not execute a script with write flag using *_ro command."),
            (FunctionTests.echo, "(error) ERR Library 'echo' already exists"),
            ("FUNCTION DELETE none", "(error) ERR Library not found"), ("FUNCTION DELETE echo", "OK"),
            ("FCALL echo 0", "(error) ERR Function not found"),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func aFailedLoadChangesNothing(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let head = "FUNCTION LOAD REPLACE \"#!lua name=echo\\n"
        try session.run([
            (FunctionTests.echo, #""echo""#),
            ("\(head)x x\"", "(matches) (error) ERR Error compiling function: user_function:2: *"),
            ("\(head)redis.call('get','x')\"", "(matches) (error) ERR Error registering functions: *variable 'call'"),
            ("\(head)foo=1\"", "(matches) (error) ERR Error registering functions: *readonly table"),
            ("\(head)return math\"", "(matches) (error) ERR Error registering functions: *variable 'math'"),
            ("\(head)\"", "(error) ERR No functions registered"),
            ("\(head)redis.register_function('a-b', function() end)\"", "(matches) (error) *letters, numbers, or*"),
            ("\(head)while true do end\"", "(error) ERR Error registering functions: ERR FUNCTION LOAD timeout"),
            ("FUNCTION LOAD 'return 1'", "(error) ERR Missing library metadata"),
            ("FUNCTION LOAD \"#!lua\\n\"", "(error) ERR Library name was not given"),
            ("FUNCTION LOAD \"#!foo name=x\\n\"", "(error) ERR Engine 'foo' not found"),
            (
                "FUNCTION LOAD \"#!lua name=other\\nredis.register_function('echo', function() end)\"",
                "(error) ERR Function echo already exists"
            ),
            ("FCALL echo 0", "[[], []]"), ("FUNCTION LIST LIBRARYNAME other", "[]"),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func payloadsBringLibrariesBack(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([(FunctionTests.echo, #""echo""#)])
        guard case .bulk(let payload) = try session.client.run("FUNCTION DUMP") else {
            Issue.record("FUNCTION DUMP answers a payload")
            return
        }
        func restore(_ policy: String...) throws -> String {
            let words = (["FUNCTION", "RESTORE"].map { Array($0.utf8) } + [payload]) + policy.map { Array($0.utf8) }
            return "\(try session.client.run(arguments: words))"
        }
        #expect(try restore() == "(error) ERR Library echo already exists")
        #expect(try restore("REPLACE") == "OK")
        try session.run([("FUNCTION FLUSH", "OK"), ("FCALL echo 0", "(error) ERR Function not found")])
        #expect(try restore("APPEND") == "OK")
        #expect(try restore("FLUSH") == "OK")
        #expect(try restore("x").hasPrefix("(error) ERR Wrong restore policy given"))
        try session.run([
            ("FCALL echo 1 k", #"[["k"], []]"#),
            ("FUNCTION RESTORE nonsense", "(error) ERR DUMP payload version or checksum are wrong"),
        ])
    }

    @Test func slowFunctionsCanBeKilled() throws {
        let session = try TestSession(configuration: "busy-reply-threshold 1")
        let other = try session.server.connect()
        try session.run([
            (
                "FUNCTION LOAD \"#!lua name=l\\nredis.register_function('loop', function() while true do end end)\"",
                #""l""#
            )
        ])
        try session.client.send("FCALL loop 1 k a")
        try ScriptSandboxTests.waitUntilBusy(other)
        let refusal = try other.run("SCRIPT KILL")
        #expect("\(refusal)".hasPrefix("(error) BUSY Redis is busy running a script. You can only"))
        #expect("\(try other.run("FUNCTION STATS"))".contains(#""loop", "command", ["FCALL", "loop", "1", "k", "a"]"#))
        #expect("\(try other.run("FUNCTION KILL"))" == "OK")
        #expect("\(try session.client.reply())".hasPrefix("(error) ERR Script killed by user with FUNCTION KILL."))
    }

    /// A slow script inside EXEC: others get BUSY, it can be killed, and the rest of the transaction runs.
    @Test func slowScriptsInTransactionsCanBeKilled() throws {
        let session = try TestSession(configuration: "busy-reply-threshold 1")
        let other = try session.server.connect()
        try session.run([
            ("MULTI", "OK"), ("SET a 1", "QUEUED"), ("EVAL 'while true do end' 0", "QUEUED"), ("SET b 2", "QUEUED"),
        ])
        try session.client.send("EXEC")
        try ScriptSandboxTests.waitUntilBusy(other)
        #expect("\(try other.run("SCRIPT KILL"))" == "OK")
        let reply = "\(try session.client.reply())"
        #expect(reply.hasPrefix("[OK, (error) ERR Script killed by user with SCRIPT KILL."), "\(reply)")
        #expect(reply.hasSuffix(", OK]"), "\(reply)")
        try session.run([("MGET a b", #"["1", "2"]"#), ("EXEC", "(error) ERR EXEC without MULTI")])
    }

    /// The client goes while its EXEC stands in a slow script: the transaction still comes to its end.
    @Test func transactionsOutliveTheirClient() throws {
        let server = try TestServer(configuration: "busy-reply-threshold 1")
        let other = try server.connect()
        do {
            let client = try server.connect()
            for line in ["MULTI", "SET a 1", "EVAL 'while true do end' 0", "SET b 2"] { try client.run(line) }
            try client.send("EXEC")
            try ScriptSandboxTests.waitUntilBusy(other)
        }
        try ScriptSandboxTests.waitUntilFree(other)
        #expect("\(try other.run("MGET a b"))" == #"["1", "2"]"#)
    }
}
