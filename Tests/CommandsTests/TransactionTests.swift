// TransactionTests.swift - MULTI, EXEC, DISCARD, WATCH, UNWATCH: replies are those of redis-server 7.0.15.
import TestKit
import Testing

struct TransactionTests {
    @Test(arguments: TestVariant.all)
    func queues(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("EXEC", "(error) ERR EXEC without MULTI"), ("DISCARD", "(error) ERR DISCARD without MULTI"),
            ("MULTI", "OK"), ("MULTI", "(error) ERR MULTI calls can not be nested"),
            ("WATCH k", "(error) ERR WATCH inside MULTI is not allowed"),
            ("SET k 1", "QUEUED"), ("INCR k", "QUEUED"), ("CLIENT INFO", "QUEUED"),
            ("EXEC", "(matches) *OK*2*flags=x*multi=3*"), ("GET k", #""2""#),
            ("MULTI", "OK"), ("SET k 9", "QUEUED"), ("DISCARD", "OK"), ("GET k", #""2""#),
            ("CLIENT INFO", "(matches) *flags=N*multi=-1 watch=0*"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func refusalsSpoilATransaction(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let aborted = "(error) EXECABORT Transaction discarded because of previous errors."
        try session.run([
            ("MULTI", "OK"), ("SET k 1", "QUEUED"), ("GET", "(matches) (error) ERR wrong number*"), ("EXEC", aborted),
            ("MULTI", "OK"), ("NONSENSE", "(matches) (error) ERR unknown*"), ("SET k 1", "QUEUED"), ("EXEC", aborted),
            ("MULTI", "OK"), ("SHUTDOWN NOSAVE", "(error) ERR Command not allowed inside a transaction"),
            ("EXEC", aborted), ("EXISTS k", "(integer) 0"),
            ("MULTI", "OK"), ("SET k 1", "QUEUED"),
            (
                "EXEC a",
                "(error) EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"
            ),
            ("EXEC", "(error) ERR EXEC without MULTI"), ("EXISTS k", "(integer) 0"),
            ("CONFIG SET maxmemory 0", "OK"),
            ("MULTI", "OK"), ("SET k 1", "QUEUED"), ("RESET", "RESET"), ("EXEC", "(error) ERR EXEC without MULTI"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func watches(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let rival = try session.server.connect()
        for change in ["SET k 2", "DEL k", "SET k 3", "EXPIRE k 100", "FLUSHDB", "SET k 4", "FLUSHALL"] {
            try session.run([
                ("WATCH k", "OK"), ("INFO clients", "(matches) *watching_clients:1*total_watched_keys:1*"),
            ])
            _ = try rival.run(change)
            try session.run([
                ("CLIENT INFO", "(matches) *flags=d *watch=0*"),
                ("MULTI", "OK"), ("SET mine 1", "QUEUED"), ("EXEC", "(nil)"), ("EXISTS mine", "(integer) 0"),
            ])
        }
        try session.run([("WATCH k absent", "OK")])
        _ = try rival.run("DEL k")
        _ = try rival.run("SET other 1")
        try session.run([("MULTI", "OK"), ("PING", "QUEUED"), ("EXEC", "[PONG]"), ("WATCH k", "OK")])
        _ = try rival.run("SET k 1")
        try session.run([
            ("UNWATCH", "OK"), ("MULTI", "OK"), ("PING", "QUEUED"), ("EXEC", "[PONG]"),
            ("INFO clients", "(matches) *watching_clients:0*total_watched_keys:0*"),
        ])
    }

    /// What EXEC runs decides whether memory refuses it; what was queued while there was room is refused as a whole.
    @Test(arguments: TestVariant.all)
    func memoryRefusesExec(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let other = try session.server.connect()
        try session.run([("SET r 1", "OK"), ("MULTI", "OK"), ("SET k 1", "QUEUED"), ("DEL r", "QUEUED")])
        #expect(try other.run("CONFIG SET maxmemory 1").description == "OK")
        try session.run([
            (
                "EXEC",
                """
                (error) EXECABORT Transaction discarded because of: OOM command not allowed when used memory > \
                'maxmemory'.
                """
            ),
            ("EXISTS k r", "1"), ("EXEC", "(error) ERR EXEC without MULTI"),
            ("MULTI", "OK"), ("SET k 1", "(error) OOM command not allowed when used memory > 'maxmemory'."),
            ("EXEC", "(error) EXECABORT Transaction discarded because of previous errors."),
        ])
        #expect(try other.run("CONFIG SET maxmemory 0").description == "OK")
        try session.run([("MULTI", "OK"), ("GET r", "QUEUED"), ("DEL r", "QUEUED")])
        #expect(try other.run("CONFIG SET maxmemory 1").description == "OK")
        try session.run([("EXEC", #"["1", 1]"#), ("EXISTS r", "0")])
    }

    /// CLIENT PAUSE WRITE holds an EXEC that writes until it ends, and lets one pass that reads.
    @Test(arguments: TestVariant.all)
    func aPauseHoldsExec(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let writer = try session.server.connect()
        let reader = try session.server.connect()
        for line in ["MULTI", "SET k 1", "INCR k"] { _ = try writer.run(line) }
        for line in ["MULTI", "GET k"] { _ = try reader.run(line) }
        try session.run([("CLIENT PAUSE 100000 WRITE", "OK")])
        try writer.send("EXEC")
        #expect(try writer.reply(withinMilliseconds: 50) == nil)
        #expect(try reader.run("EXEC").description == "[(nil)]")
        try session.run([
            ("GET k", "(nil)"), ("INFO clients", "(matches) *blocked_clients:1*"), ("CLIENT UNPAUSE", "OK"),
        ])
        #expect(try writer.reply().description == "[OK, 2]")
        try session.run([("GET k", #""2""#)])
    }

    /// What replicas would be told of waits for the end of CLIENT PAUSE WRITE; one that declared not to write runs.
    @Test(arguments: TestVariant.all)
    func aPauseHoldsWhatReplicates(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let script = ##""#!lua flags=no-writes\nreturn 'read'""##
        let digest = try session.client.run("SCRIPT LOAD \(script)").text ?? ""
        let library = ##""#!lua name=l\nredis.register_function{function_name='f', flags={'no-writes'}, "##
            + #"callback=function() return 'read' end}""#
        try session.run([
            ("PFADD h a", "1"), ("FUNCTION LOAD \(library)", #""l""#), ("CLIENT PAUSE 100000 WRITE", "OK"),
        ])
        let lines = ["PFCOUNT h", "PUBLISH c m", "SPUBLISH c m", "EVAL 'return 7' 0", "FUNCTION FLUSH"]
        let waiting = try lines.map { line in
            let client = try session.server.connect()
            try client.send(line)
            return client
        }
        for client in waiting { #expect(try client.reply(withinMilliseconds: 30) == nil) }
        let read = #""read""#
        try session.run([
            ("EVAL \(script) 0", read), ("EVALSHA \(digest) 0", read), ("FCALL f 0", read),
            ("MULTI", "OK"), ("EVAL \(script) 0", "QUEUED"), ("EXEC", "[\(read)]"),
            ("INFO clients", "(matches) *blocked_clients:5*"), ("CLIENT UNPAUSE", "OK"),
        ])
        let replies = try waiting.map { try $0.reply().description }
        #expect(replies == ["(integer) 1", "(integer) 0", "(integer) 0", "(integer) 7", "OK"])
    }

    /// Replies beyond the hard limit close their client before any of them is sent; what ran has happened.
    @Test(arguments: TestVariant.all)
    func aReplyIsBounded(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SETRANGE large 150000 x", "150001"), ("CONFIG SET client-output-buffer-limit 'normal 100000 0 0'", "OK"),
        ])
        let reader = try session.server.connect()
        try reader.send(raw: "MULTI\r\nSET k 1\r\nGET large\r\nSET k 2\r\nEXEC\r\nSET after 1\r\n")
        #expect(try !reader.receiveUntilClosed().contains("x"))
        try session.run([("GET k", #""2""#), ("INFO stats", "(matches) *output_buffer_limit_disconnections:1*")])
    }

    @Test func aQueueIsBounded() throws {
        let session = try TestSession(configuration: "client-query-buffer-limit 1mb")
        try session.run([("MULTI", "OK")])
        let value = String(repeating: "x", count: 100_000)
        var queued = 0
        while queued < 100, (try? session.client.run("SET k \(value)")) != nil { queued += 1 }
        #expect(queued >= 9 && queued <= 11)
        let other = try session.server.connect()
        #expect(try other.run("EXISTS k").integer == 0)
    }
}
