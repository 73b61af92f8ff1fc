// ScriptTests.swift - EVAL, EVALSHA and SCRIPT: values both ways, errors, the sandbox. The replies are those of
// redis-server 7.0.15.
import TestKit
import Testing

struct ScriptTests {
    @Test(arguments: TestVariant.all)
    func valuesBecomeReplies(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let isRESP3 = session.isRESP3
        try session.run([
            ("EVAL 'return 1' 0", "(integer) 1"), ("EVAL 'return 3.99' 0", "(integer) 3"),
            ("EVAL 'return -3.99' 0", "(integer) -3"), ("EVAL 'return true' 0", "(integer) 1"),
            ("EVAL 'return false' 0", "(nil)"), ("EVAL 'return nil' 0", "(nil)"),
            ("EVAL 'return function() end' 0", "(nil)"), ("EVAL 'return {1,2,{3,\"4\"}}' 0", #"[1, 2, [3, "4"]]"#),
            ("EVAL 'return {1,nil,3}' 0", "[1]"), ("EVAL 'return {KEYS[1],ARGV[1],#ARGV}' 1 k a b", #"["k", "a", 2]"#),
            ("EVAL 'return {ok=\"fine\"}' 0", "fine"), ("EVAL 'return {err=\"BAD thing\"}' 0", "(error) BAD thing"),
            ("EVAL 'return redis.error_reply(\"My Err\")' 0", "(error) My Err"),
            ("EVAL 'return redis.error_reply(\"Single\")' 0", "(error) ERR Single"),
            ("EVAL 'return redis.status_reply(\"Fine\")' 0", "Fine"),
            ("EVAL 'return {double=3.5}' 0", isRESP3 ? "(double) 3.5" : #""3.5""#),
            ("EVAL 'return {big_number=\"123\"}' 0", isRESP3 ? "(matches) *123*" : #""123""#),
            ("EVAL 'redis.setresp(3) return false' 0", isRESP3 ? "(false)" : "(integer) 0"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func repliesBecomeValues(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("EVAL 'return redis.call(\"set\",KEYS[1],ARGV[1])' 1 k v", "OK"),
            ("EVAL 'return redis.call(\"get\",KEYS[1])' 1 k", #""v""#),
            ("EVAL 'return type(redis.call(\"get\",\"none\"))' 0", #""boolean""#),
            ("EVAL 'redis.setresp(3) return type(redis.call(\"get\",\"none\"))' 0", #""nil""#),
            ("EVAL 'return redis.call(\"ping\").ok' 0", #""PONG""#),
            ("EVAL 'redis.call(\"rpush\",\"l\",1,2,3) return redis.call(\"lrange\",\"l\",0,-1)' 0", #"["1", "2", "3"]"#),
            ("EVAL 'return redis.call(\"set\",\"n\",0.1)' 0", "OK"), ("GET n", #""0.10000000000000001""#),
            ("EVAL 'return redis.call(\"set\",\"n\",1e20)' 0", "OK"), ("GET n", #""1e+20""#),
            ("EVAL 'return redis.pcall(\"nosuch\").err' 0", #""ERR Unknown Redis command called from script""#),
            ("EVAL 'return {pcall(redis.call,\"get\",\"l\")}' 0", "(matches) *(nil)*WRONGTYPE*"),
            (
                "EVAL 'local ok,words=pcall(redis.call,\"get\",\"l\") return words' 0",
                #""WRONGTYPE Operation against a key holding the wrong kind of value""#
            ),
            ("EVAL 'redis.setresp(3) return type(redis.call(\"command\",\"docs\",\"get\").map)' 0", #""table""#),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func errorsSayWhere(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            (
                "EVAL 'error(\"abc\")' 0",
                "(error) ERR user_script:1: abc script: 54110b09c745af35ea85822de262247e9999d72b, on @user_script:1."
            ),
            ("EVAL 'error({})' 0", "(matches) (error) ERR unknown error script: *, on @user_script:1."),
            ("EVAL 'error(nil)' 0", "(matches) (error) ERR nil script: *, on @user_script:1."),
            ("EVAL 'error({err=\"My foo\"})' 0", "(matches) (error) My foo script: *"),
            ("EVAL 'error(\"a\\r\\n+X\")' 0", "(matches) (error) ERR user_script:1: a  +X script: *"),
            ("EVAL 'return {err=\"x\\r\\n+OK\"}' 0", "(error) x  +OK"),
            ("EVAL 'return redis.call(\"get\")' 0", "(matches) (error) ERR Wrong number of args calling Redis *"),
            ("EVAL 'return redis.call()' 0", "(matches) (error) ERR Please specify at least one argument *"),
            ("EVAL 'return redis.call({})' 0", "(matches) (error) ERR Lua redis lib command arguments must *"),
            ("EVAL 'x' 0", "(matches) (error) ERR Error compiling script (new function): user_script:1: *"),
            ("EVAL 'return 1' x", "(error) ERR value is not an integer or out of range"),
            ("EVAL 'return 1' 1", "(error) ERR Number of keys can't be greater than number of args"),
            ("EVAL 'return 1' -1", "(error) ERR Number of keys can't be negative"),
            ("PING", "PONG"),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func scriptsAreFoundByDigest(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let digest = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"
        try session.run([
            ("EVALSHA \(digest) 0", "(error) NOSCRIPT No matching script. Please use EVAL."),
            ("SCRIPT LOAD 'return 1'", "\"\(digest)\""), ("EVALSHA \(digest.uppercased()) 0", "(integer) 1"),
            ("SCRIPT EXISTS \(digest) nonsense", "[1, 0]"), ("SCRIPT SHOW \(digest)", #""return 1""#),
            ("SCRIPT FLUSH ASYNC", "OK"), ("SCRIPT EXISTS \(digest)", "[0]"),
            ("SCRIPT SHOW \(digest)", "(error) NOSCRIPT No matching script. Please use EVAL."),
            ("EVAL 'return 1' 0", "(integer) 1"), ("EVALSHA \(digest) 0", "(integer) 1"),
            ("SCRIPT FLUSH x", "(error) ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
            ("SCRIPT KILL", "(error) NOTBUSY No scripts in execution right now."),
            ("FUNCTION KILL", "(error) NOTBUSY No scripts in execution right now."),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func aShebangDeclaresFlags(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("EVAL \"#!lua\" 0", "(error) ERR Invalid script shebang"),
            ("EVAL \"#!lua\\nreturn 1\" 0", "(integer) 1"),
            ("EVAL \"#!foo\\nreturn 1\" 0", "(error) ERR Unexpected engine in script shebang: #!foo"),
            ("EVAL \"#!lua foo\\nreturn 1\" 0", "(error) ERR Unknown lua shebang option: foo"),
            ("EVAL \"#!lua flags=foo\\nreturn 1\" 0", "(error) ERR Unexpected flag in script shebang: foo"),
            (
                "EVAL \"#!lua flags=no-writes\\nreturn redis.call('set','x',1)\" 0",
                "(matches) (error) ERR Write commands are not allowed from read-only scripts. script: *"
            ),
            (
                "EVAL_RO \"#!lua\\nreturn 1\" 0",
                "(error) ERR Can not execute a script with write flag using *_ro command."
            ),
            ("EVAL_RO \"#!lua flags=no-writes\\nreturn 1\" 0", "(integer) 1"),
            ("EVAL_RO \"return redis.call('set','x',1)\" 0", "(matches) (error) ERR Write commands are not allowed *"),
            ("EVAL \"#!lua\\n\\nerror('third')\" 0", "(matches) (error) ERR user_script:3: third*on @user_script:3."),
        ])
    }

    @Test(arguments: TestVariant.protocols)
    func commandsAreRefusedInside(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let refused = "(matches) (error) ERR This Redis command is not allowed from script script: *"
        try session.run([
            ("EVAL 'return redis.call(\"multi\")' 0", refused), ("EVAL 'return redis.call(\"exec\")' 0", refused),
            ("EVAL 'return redis.call(\"eval\",\"return 1\",0)' 0", refused),
            ("EVAL 'return redis.call(\"select\",3)' 0", "OK"), ("SET only0 1", "OK"),
            ("EVAL 'redis.call(\"select\",3) redis.call(\"set\",\"in3\",1)' 0", "(nil)"), ("EXISTS in3", "(integer) 0"),
            ("SELECT 3", "OK"), ("EXISTS in3 only0", "(integer) 1"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func runInTransactionsAndBreakWatches(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let other = try session.server.connect()
        try session.run([
            ("MULTI", "OK"), ("EVAL 'return redis.call(\"incr\",\"n\")' 0", "QUEUED"), ("GET n", "QUEUED"),
            ("EXEC", #"[1, "1"]"#), ("WATCH n", "OK"), ("MULTI", "OK"), ("PING", "QUEUED"),
        ])
        #expect("\(try other.run("EVAL 'return redis.call(\"incr\",\"n\")' 0"))" == "(integer) 2")
        try session.run([("EXEC", "(nil)"), ("GET n", #""2""#)])
    }

    @Test func memoryLimitHoldsForScripts() throws {
        let session = try TestSession(configuration: "maxmemory 1")
        try session.run([
            ("EVAL 'return redis.call(\"get\",\"x\")' 0", "(nil)"),
            ("EVAL 'return redis.call(\"set\",\"x\",1)' 0", "(matches) (error) OOM command not allowed when used *"),
            (
                "EVAL \"#!lua\\nreturn redis.call('get','x')\" 0",
                "(error) OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"
            ),
            ("EVAL \"#!lua flags=allow-oom\\nreturn redis.call('set','x',1)\" 0", "OK"),
            ("EVAL \"#!lua flags=no-writes\\nreturn redis.call('get','x')\" 0", #""1""#),
        ])
    }

    /// What a command answered with an error was counted then; handing it on is no second error.
    @Test func errorsThatScriptsHandOnAreCountedOnce() throws {
        let session = try TestSession()
        try session.run([
            ("RPUSH l 1", "(integer) 1"), ("CONFIG RESETSTAT", "OK"),
            ("EVAL 'return redis.pcall(\"get\",\"l\")' 0", "(matches) (error) WRONGTYPE*"),
            ("INFO errorstats", "(matches) *errorstat_WRONGTYPE:count=1*"),
            ("EVAL 'return redis.call(\"get\",\"l\")' 0", "(matches) (error) WRONGTYPE*"),
            ("INFO errorstats", "(matches) *errorstat_WRONGTYPE:count=2*"),
            // Nothing that a script makes up keeps the next error from being counted.
            ("EVAL 'return {1,ignore_error_stats_update=true}' 0", "[1]"), ("GET l", "(matches) (error) WRONGTYPE*"),
            ("INFO errorstats", "(matches) *errorstat_WRONGTYPE:count=3*"),
        ])
    }

    /// Small blocks are kept for the next script: values that grow and shrink through all sizes stay what they are.
    @Test func valuesOfAllSizesSurviveEachOther() throws {
        let session = try TestSession()
        let script = """
            local parts = {} \
            for round = 1, 3 do \
              for size = 1, 600 do parts[size] = string.rep(string.char(97 + (size + round) % 26), size) end \
              for size = 1, 600, 2 do parts[size] = {parts[size], {size, size + 1, size + 2}} end \
              collectgarbage() \
            end \
            for size = 1, 600 do \
              local text = type(parts[size]) == "table" and parts[size][1] or parts[size] \
              if text ~= string.rep(string.char(97 + (size + 3) % 26), size) then return size end \
            end \
            return 0
            """
        try session.run((0..<3).map { _ in ("EVAL '\(script)' 0", "(integer) 0") })
    }
}
