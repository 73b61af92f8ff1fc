// AdministrationTests.swift - CONFIG, INFO, SLOWLOG, COMMANDLOG, LATENCY, MEMORY, DEBUG, MONITOR and their errors, with
// the texts of redis-server 7.0.15 and Valkey 9.1.
import TestKit
import Testing

struct AdministrationTests {
    @Test(arguments: TestVariant.protocols)
    func configures(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("CONFIG SET a b", "(error) ERR Unknown option or number of arguments for CONFIG SET - 'a'"),
            ("CONFIG SET maxmemory 1 b", "(error) ERR syntax error"),
            (
                "CONFIG SET port abc",
                "(error) ERR CONFIG SET failed (possibly related to argument 'port') - argument couldn't be "
                    + "parsed into an integer"
            ),
            ("CONFIG SET maxmemory 1gb hz 20", "OK"),
            ("CONFIG GET maxmemory", variant.protocolVersion == 3
                ? #"{"maxmemory": "1073741824"}"# : #"["maxmemory", "1073741824"]"#),
            ("CONFIG REWRITE", "(error) ERR The server is running without a config file"),
            ("GET nothing", "(nil)"), ("INFO stats", "(matches) *keyspace_misses:1*"),
            ("CONFIG RESETSTAT", "OK"), ("INFO stats", "(matches) *keyspace_misses:0*"),
        ])
    }

    /// Clients find the server where CONFIG SET puts it, not where it was; a port that is taken changes nothing.
    @Test(arguments: TestVariant.all)
    func movesItsAddress(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let taken = try TestServer()
        // Two free ports, by way of servers that give them back.
        let first = try TestServer()
        let second = try TestServer()
        let ports = (first.port, second.port)
        first.stop()
        second.stop()
        try session.run([
            ("CONFIG SET port \(ports.0)", "OK"), ("INFO server", "(matches) *tcp_port:\(ports.0)*"),
        ])
        #expect(throws: ClientFailure.self) { try TestClient(port: session.server.port) }
        let moved = try TestClient(port: ports.0)
        #expect(try moved.run("PING").description == "PONG")
        let refusal = "(error) ERR CONFIG SET failed (possibly related to argument"
        try session.run([
            (
                "CONFIG SET maxclients 77 port \(taken.port)",
                "\(refusal) 'port') - Unable to listen on this port. Check server logs."
            ),
            (
                "CONFIG SET bind 192.0.2.1",
                "\(refusal) 'bind') - Failed to bind to specified addresses."
            ),
            ("INFO server", "(matches) *tcp_port:\(ports.0)*"),
        ])
        #expect(try TestClient(port: ports.0).run("PING").description == "PONG")
        try session.run([
            ("CONFIG SET bind 127.0.0.1 port \(ports.1)", "OK"), ("CONFIG SET bind ''", "OK"),
        ])
        #expect(throws: ClientFailure.self) { try TestClient(port: ports.1) }
        try session.run([("CONFIG SET bind '127.0.0.1 -::1'", "OK")])
        #expect(try TestClient(port: ports.1).run("PING").description == "PONG")
        #expect(try moved.run("PING").description == "PONG")
    }

    /// Rounds, reads and writes of the loops, since the start and since CONFIG RESETSTAT.
    @Test(arguments: TestVariant.all)
    func countsWhatLoopsDo(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let names = ["eventloop_cycles", "eventloop_duration_sum", "total_reads_processed", "total_writes_processed"]
        func counts() throws -> [Int] {
            let lines = (try session.client.run("INFO stats").text ?? "").split(separator: "\r\n")
            return names.map { name in
                lines.first { $0.hasPrefix(name + ":") }.flatMap { Int($0.dropFirst(name.utf8.count + 1)) } ?? -1
            }
        }
        let before = try counts()
        for _ in 0..<100 { try session.run([("PING", "PONG")]) }
        let after = try counts()
        for index in [0, 2, 3] { #expect(after[index] - before[index] >= 100, "\(names[index]): \(before), \(after)") }
        #expect(after[1] > before[1])
        try session.run([("CONFIG RESETSTAT", "OK")])
        let reset = try counts()
        #expect(reset[2] >= 1 && reset[2] < 100 && reset[3] < 100, "\(reset)")
    }

    /// What held a loop for longest, until CONFIG RESETSTAT.
    @Test(arguments: TestVariant.all)
    func tellsTheLongestRound(variant: TestVariant) throws {
        let session = try TestSession(variant, configuration: "enable-debug-command yes")
        func microseconds() throws -> Int {
            let lines = (try session.client.run("INFO stats").text ?? "").split(separator: "\r\n")
            return try #require(
                lines.first { $0.hasPrefix("fog_eventloop_longest_usec:") }.flatMap { Int($0.dropFirst(27)) })
        }
        try session.run([("DEBUG SLEEP 0.3", "OK")])
        #expect(try microseconds() >= 300_000)
        try session.run([("CONFIG RESETSTAT", "OK")])
        #expect(try microseconds() < 300_000)
    }

    @Test(arguments: TestVariant.protocols)
    func informs(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SET k v EX 100", "OK"),
            (
                "INFO",
                "(matches) *redis_version:8.2.0*server_name:fog*used_memory:*role:master*db0:keys=1,expires=1,avg_ttl=*"
            ),
            (
                "INFO commandstats",
                "(matches) *cmdstat_set:calls=1,usec=*,usec_per_call=*,rejected_calls=0,failed_calls=0*"
            ),
            ("GET", "(error) ERR wrong number of arguments for 'get' command"),
            ("INFO errorstats", "(matches) *errorstat_ERR:count=1*"),
            ("INFO nosuchsection", variant.protocolVersion == 3 ? #"txt:"""# : #""""#),
            ("ROLE", #"["master", 0, []]"#),
            ("LATENCY HISTOGRAM nosuch", variant.protocolVersion == 3 ? "{}" : "[]"),
            ("LATENCY GRAPH x", "(error) ERR No samples available for event 'x'"),
            ("MEMORY USAGE nothing", "(nil)"), ("MEMORY USAGE k", "(any)"),
            ("MEMORY USAGE k SAMPLES -1", "(error) ERR syntax error"),
            ("LOLWUT VERSION 5 10 3", "(matches) *Redis ver. 8.2.0*"),
            ("SHUTDOWN ABORT", "(error) ERR No shutdown in progress."),
            ("SHUTDOWN SAVE NOSAVE", "(error) ERR syntax error"),
        ])
        let cluster = try session.client.run("INFO cluster keyspace").text ?? ""
        #expect(cluster.hasPrefix("# Cluster\r\ncluster_enabled:0\r\n\r\n# Keyspace\r\n"))
    }

    @Test func logsSlowCommands() throws {
        try TestSession(configuration: "enable-debug-command yes\nslowlog-log-slower-than 10000000").run([
            ("SLOWLOG GET -2", "(error) ERR count should be greater than or equal to -1"),
            (
                "COMMANDLOG GET 1 foo",
                "(error) ERR type should be one of the following: slow, large-request, large-reply"
            ),
            ("CONFIG SET slowlog-log-slower-than 1000 latency-monitor-threshold 5", "OK"),
            ("DEBUG SLEEP 0.01", "OK"),
            ("SLOWLOG GET", #"(matches) ??0, *, *, ?"DEBUG", "SLEEP", "0.01"], "127.0.0.1:*", ""]]"#),
            ("COMMANDLOG LEN slow", "(integer) 1"),
            ("LATENCY LATEST", #"(matches) ??"command", *, *, *]]"#),
            ("LATENCY RESET", "(integer) 1"), ("SLOWLOG RESET", "OK"), ("SLOWLOG LEN", "(integer) 0"),
            ("CONFIG SET commandlog-request-larger-than 0", "OK"),
            ("AUTH default secret", "OK"),
            ("COMMANDLOG GET 1 large-request", #"(matches) ??*, ?"AUTH", "(redacted)", "(redacted)"], *]]"#),
        ])
    }

    @Test func debugs() throws {
        try TestSession().run([("DEBUG SLEEP 0", "(matches) (error) ERR DEBUG command not allowed.*")])
        try TestSession(configuration: "enable-debug-command local").run([
            (
                "DEBUG FOO",
                "(error) ERR unknown subcommand or wrong number of arguments for 'FOO'. Try DEBUG HELP."
            ),
            ("SET a b", "OK"), ("SET c 12", "OK"),
            ("DEBUG DIGEST", "f785e817c11e92730e25e6a942cdd8ed6c72fd3e"),
            (
                "DEBUG OBJECT c",
                "(matches) Value at:0x* refcount:1 encoding:int serializedlength:2 lru:* lru_seconds_idle:0"
            ),
            ("DEBUG OBJECT nothing", "(error) ERR no such key"),
            ("DEBUG POPULATE 2 foo 10", "OK"), ("GET foo:1", #""value:1\x00\x00\x00""#),
            ("DEBUG POPULATE -1", "(error) ERR value is out of range, must be positive"),
            ("DEBUG ERROR \"FOO bar\"", "(error) FOO bar"),
            ("DEBUG STRINGMATCH-LEN 10 *a", "(integer) 1"), ("DEBUG STRINGMATCH-LEN 10 b*", "(integer) 0"),
        ])
    }

    @Test func monitors() throws {
        let session = try TestSession()
        let watcher = try session.server.connect()
        #expect(try watcher.run("MONITOR").description == "OK")
        try session.run([
            ("SET k v", "OK"), ("AUTH default secret", "OK"), ("CONFIG GET port", "(any)"), ("PING", "PONG"),
            ("EVAL 'return redis.call(\"get\",KEYS[1])' 1 k", #""v""#),
        ])
        #expect(try watcher.reply().text?.hasSuffix(#"] "SET" "k" "v""#) == true)
        #expect(try watcher.reply().text?.hasSuffix(#"] "AUTH" "(redacted)" "(redacted)""#) == true)
        #expect(try watcher.reply().text?.hasSuffix(#"] "PING""#) == true)
        // A script before what it calls.
        #expect(try watcher.reply().text?.hasSuffix(#" "1" "k""#) == true)
        #expect(try watcher.reply().text?.hasSuffix(#"[0 lua] "get" "k""#) == true)
    }
}
