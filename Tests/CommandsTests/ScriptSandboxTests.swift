// ScriptSandboxTests.swift - attempts on the sandbox, each with its safe outcome, and scripts that do not end. Every
// attempt leaves a server that answers.
import TestKit
import Testing

struct ScriptSandboxTests {
    private static let readOnly = "(matches) (error) ERR *Attempt to modify a readonly table script: *"

    @Test func nothingSharedCanBeChanged() throws {
        let session = try TestSession()
        let attempts = [
            "foo=1", "_G.foo=1", "_G={}", "KEYS=1", "string.find=1", "redis.call=1", "cjson.decode=1",
            "getmetatable(\"\").__index=1", "getmetatable(_G).__index={}", "getmetatable(_G).__newindex=nil",
            "setmetatable(_G,{})", "setmetatable(string,nil)", "rawset(_G,\"x\",1)", "rawset(redis,\"call\",1)",
            "table.insert(_G,1)", "table.remove(string)", "table.sort(redis)", "table.setn(redis,3)",
        ]
        try session.run(attempts.map { ("EVAL '\($0)' 0", ScriptSandboxTests.readOnly) })
        try session.run([
            ("EVAL 'return foo' 0", "(matches) (error) ERR *nonexistent global variable 'foo'*"),
            ("EVAL 'return getmetatable(\"\").__name == nil and (\"x\"):upper()' 0", #""X""#),
            ("EVAL 'for k in pairs(getmetatable(_G)) do return k end' 0", "(nil)"),
        ])
        let absent = [
            "io", "package", "debug", "require", "module", "dofile", "loadfile", "print", "newproxy", "setfenv",
        ]
        try session.run(
            absent.map { ("EVAL 'return \($0)' 0", "(matches) (error) ERR *nonexistent global variable '\($0)'*") })
        try session.run([
            ("EVAL 'return next(os)' 0", #""clock""#), ("EVAL 'return os.exit == nil' 0", "(integer) 1"),
        ])
    }

    @Test func onlyTextIsCompiled() throws {
        let session = try TestSession()
        try session.run([
            (
                "EVAL 'local f,words = loadstring(string.dump(function() return 1 end)) return {tostring(f),words}' 0",
                "(matches) *\"nil\"*unexpected symbol near 'char(27)'*"
            ),
            (
                "EVAL 'local n=0 return select(2, load(function() n=n+1 return n==1 and \"\\27Lua\" or nil end))' 0",
                "(matches) *unexpected symbol near 'char(27)'*"
            ),
            ("EVAL \"\\x1bLua\" 0", "(matches) (error) ERR Error compiling script*unexpected symbol near 'char(27)'*"),
            ("EVAL 'return loadstring(\"return 1+1\")()' 0", "(integer) 2"),
        ])
    }

    @Test func librariesWithstandTheirKnownHoles() throws {
        let session = try TestSession()
        try session.run([
            ("EVAL 'return bit.tohex(65535,-2147483648)' 0", #""0000FFFF""#),
            ("EVAL 'return unpack({},0,1e9)' 0", "(matches) (error) *too many results to unpack*"),
            ("EVAL 'return unpack({},-2147483648,2147483647)' 0", "(matches) (error) *too many results to unpack*"),
            ("EVAL 'return unpack({},2147483647,-2147483648)' 0", "(nil)"),
            ("EVAL 'return cmsgpack.unpack(\"\\220\\255\\255\")' 0", "(matches) (error) *Missing bytes in input*"),
            ("EVAL 'return cmsgpack.unpack(\"\\221\\255\\255\\255\\255\")' 0", "(matches) (error) *Missing bytes*"),
            ("EVAL 'return cmsgpack.unpack(string.rep(\"\\145\",100000))' 0", "(matches) (error) *nested levels*"),
            ("EVAL 'return struct.unpack(\"c2147483647\",\"ab\")' 0", "(matches) (error) *data string too short*"),
            ("EVAL 'return struct.unpack(\"bc0\",\"\\200abc\")' 0", "(matches) (error) *data string too short*"),
            ("EVAL 'return struct.pack(\"i99999999999\",1)' 0", "(matches) (error) *integral size overflow*"),
            ("EVAL 'return struct.pack(\"i1000000\",1)' 0", "(matches) (error) *integral size*"),
            ("EVAL 'local t={} t.t=t return cjson.encode(t)' 0", "(matches) (error) *excessive nesting (1001)*"),
            ("EVAL 'return cjson.decode(string.rep(\"[\",100000))' 0", "(matches) (error) *too many nested*"),
            ("EVAL 'return #cjson.encode(string.rep(\"\\1\",1000000))' 0", "(integer) 6000002"),
            ("PING", "PONG"),
        ])
    }

    @Test func memoryAndRecursionAreBounded() throws {
        let session = try TestSession()
        try session.run([
            ("EVAL 'local s=\"x\" while true do s=s..s end' 0", "(matches) (error) ERR not enough memory*"),
            (
                "EVAL 'local s=\"x\" while true do pcall(function() while true do s=s..s end end) end' 0",
                "(matches) (error) ERR not enough memory*"
            ),
            ("EVAL 'local function f() return f()+1 end return f()' 0", "(matches) (error) ERR *stack overflow*"),
            ("EVAL 'return #string.rep(\"x\",1e6)' 0", "(integer) 1000000"), ("PING", "PONG"),
        ])
    }

    /// With the deprecated functions a script may change its own globals, but nobody else's.
    @Test func globalsOfOtherScriptsCannotBeReplaced() throws {
        let session = try TestSession(configuration: "lua-enable-deprecated-api yes")
        try session.run(
            ["0", "\"0\"", "-0", "0.0"].map { ("EVAL 'setfenv(\($0),{})' 0", ScriptSandboxTests.readOnly) })
        try session.run([
            ("EVAL 'coroutine.wrap(function() setfenv(0,{}) end)()' 0", ScriptSandboxTests.readOnly),
            ("EVAL 'setfenv(2,{})' 0", "(matches) (error) *"), ("EVAL 'setfenv(-1,{})' 0", "(matches) (error) *"),
            ("EVAL 'local f=function() return x end setfenv(f,{x=5}) return f()' 0", "(integer) 5"),
            ("EVAL 'local f=function() setfenv(1,{x=6}) return x end return f()' 0", "(integer) 6"),
            ("EVAL 'return redis.call(\"echo\",tostring(getfenv(1)==_G))' 0", #""true""#),
        ])
    }

    @Test func replyInjectionIsCut() throws {
        let session = try TestSession()
        try session.run([
            ("EVAL 'return redis.status_reply(\"a\\r\\n-ERR injected\")' 0", "a  -ERR injected"),
            ("EVAL 'return redis.error_reply(\"a\\r\\n+OK\")' 0", "(matches) (error) *a  +OK"), ("PING", "PONG"),
        ])
    }

    // MARK: scripts that do not end

    static let endless = [
        "while true do end", "while true do redis.call(\"get\",\"x\") end",
        "while true do pcall(function() while true do end end) end",
        "xpcall(function() while true do end end, function() while true do end end)",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "local t=setmetatable({},{__index=function() while true do end end}) return t.x",
        "table.sort({1,2,3},function() while true do end end)",
        "string.gsub(\"aaa\",\"a\",function() while true do end end)",
    ]

    @Test(arguments: endless)
    func slowScriptsCanBeKilled(script: String) throws {
        for loopCount in [1, 4] {
            let session = try TestSession(TestVariant(loopCount: loopCount), configuration: "busy-reply-threshold 1")
            let other = try session.server.connect()
            try session.client.send("EVAL '\(script)' 0")
            try ScriptSandboxTests.waitUntilBusy(other)
            #expect("\(try other.run("SCRIPT KILL"))" == "OK")
            let reply = "\(try session.client.reply())"
            #expect(reply.hasPrefix("(error) ERR Script killed by user with SCRIPT KILL. script: "), "\(reply)")
            try session.run([("PING", "PONG")])
        }
    }

    /// Others get BUSY from some moment on.
    static func waitUntilBusy(_ client: TestClient) throws {
        for _ in 0..<10_000 {
            if "\(try client.run("GET x"))".hasPrefix("(error) BUSY") { return }
        }
        Issue.record("the script never became slow")
    }

    @Test func whatHasWrittenCannotBeKilled() throws {
        let session = try TestSession(configuration: "busy-reply-threshold 1")
        let other = try session.server.connect()
        try session.client.send("EVAL 'redis.call(\"set\",\"x\",1) for i=1,2e7 do end redis.call(\"set\",\"x\",2)' 0")
        try ScriptSandboxTests.waitUntilBusy(other)
        #expect("\(try other.run("SCRIPT KILL"))".hasPrefix("(error) UNKILLABLE "))
        _ = try session.client.reply()
        #expect("\(try other.run("GET x"))" == #""2""#)
    }

    /// The client of a slow script goes: a script that only read ends at once, one that wrote is brought to its end.
    @Test func clientsMayGo() throws {
        let server = try TestServer(configuration: "busy-reply-threshold 1")
        let other = try server.connect()
        do {
            let client = try server.connect()
            try client.send("EVAL 'while true do end' 0")
            try ScriptSandboxTests.waitUntilBusy(other)
        }
        try ScriptSandboxTests.waitUntilFree(other)
        do {
            let client = try server.connect()
            try client.send("EVAL 'redis.call(\"set\",\"x\",1) for i=1,1e7 do end redis.call(\"set\",\"x\",2)' 0")
            try ScriptSandboxTests.waitUntilBusy(other)
        }
        try ScriptSandboxTests.waitUntilFree(other)
        #expect("\(try other.run("GET x"))" == #""2""#)
    }

    static func waitUntilFree(_ client: TestClient) throws {
        for _ in 0..<1_000_000 {
            if !"\(try client.run("GET x"))".hasPrefix("(error) BUSY") { return }
        }
        Issue.record("the script never ended")
    }
}
