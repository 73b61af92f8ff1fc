// ConnectionTests.swift - SELECT, ECHO, HELLO, AUTH, RESET, CLIENT and the waits that CLIENT ends: replies are those of
// redis-server 7.0.15 and Valkey 9.1.
import TestKit
import Testing

struct ConnectionTests {
    @Test(arguments: TestVariant.all)
    func states(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("ECHO hi", #""hi""#),
            ("SELECT 16", "(error) ERR DB index is out of range"),
            ("SELECT a", "(error) ERR value is not an integer or out of range"),
            (
                "SELECT 99999999999",
                "(error) ERR value is out of range, value must between -2147483648 and 2147483647"
            ),
            ("SELECT 3", "OK"), ("SET k v", "OK"), ("SELECT 0", "OK"), ("GET k", "(nil)"),
            (
                "CLIENT SETNAME \"a b\"",
                "(error) ERR Client names cannot contain spaces, newlines or special characters."
            ),
            ("CLIENT SETNAME me", "OK"), ("CLIENT GETNAME", #""me""#),
            ("CLIENT SETINFO lib-name x", "OK"), ("CLIENT SETINFO foo x", "(error) ERR Unrecognized option 'foo'"),
            ("CLIENT INFO", "(matches) *name=me *flags=N db=0 *cmd=client|info *lib-name=x*"),
            ("CLIENT GETREDIR", "(integer) -1"),
            ("CLIENT NO-EVICT on", "OK"), ("CLIENT NO-TOUCH maybe", "(error) ERR syntax error"),
            ("HELLO 4", "(error) NOPROTO unsupported protocol version"),
            ("HELLO 2 FOO", "(error) ERR Syntax error in HELLO option 'FOO'"),
            ("RESET", "RESET"), ("CLIENT GETNAME", "(nil)"),
            ("CLIENT INFO", "(matches) *name= *resp=2*"),
        ])
    }

    @Test func passwords() throws {
        let session = try TestSession(configuration: "requirepass sesame")
        let wrong = "(error) WRONGPASS invalid username-password pair or user is disabled."
        try session.run([
            ("PING", "(error) NOAUTH Authentication required."),
            ("HELLO", "(matches) (error) NOAUTH HELLO must be called*"),
            ("AUTH x", wrong), ("AUTH nobody sesame", wrong), ("HELLO 2 AUTH default x", wrong),
            ("HELLO 2 AUTH default sesame SETNAME me", "(any)"),
            ("CLIENT GETNAME", #""me""#),
            ("INFO stats", "(matches) *acl_access_denied_auth:3*"),
            ("RESET", "RESET"), ("PING", "(error) NOAUTH Authentication required."),
            ("AUTH sesame", "OK"), ("PING", "PONG"),
            ("CONFIG SET requirepass \"\"", "OK"), ("RESET", "RESET"), ("PING", "PONG"),
            ("AUTH x", "(matches) (error) ERR AUTH <password> called without any password configured*"),
        ])
    }

    @Test(arguments: [1, 4])
    func waits(loopCount: Int) throws {
        let session = try TestSession(
            TestVariant(loopCount: loopCount), configuration: "enable-debug-command yes")
        let waiter = try session.server.connect()
        let id = try #require(try waiter.run("CLIENT ID").integer)
        try waiter.send("DEBUG SUSPEND 0")
        while try session.client.run("CLIENT UNBLOCK \(id) ERROR").integer == 0 {}
        #expect(
            try waiter.reply().description == "(error) UNBLOCKED client unblocked via CLIENT UNBLOCK")
        try waiter.send("DEBUG SUSPEND 0")
        while try session.client.run("CLIENT UNBLOCK \(id)").integer == 0 {}
        #expect(try waiter.reply().description == "(nil)")
        #expect(try waiter.run("DEBUG SUSPEND 20").description == "(nil)")
        try session.run([
            ("CLIENT PAUSE a", "(error) ERR timeout is not an integer or out of range"),
            ("CLIENT PAUSE 1 FOO", "(error) ERR CLIENT PAUSE mode must be WRITE or ALL"),
            ("CLIENT PAUSE 60000 WRITE", "OK"), ("GET k", "(nil)"),
        ])
        try waiter.send("SET k v")
        #expect(try waiter.reply(withinMilliseconds: 100) == nil)
        try session.run([("CLIENT PAUSE 120000 WRITE", "OK"), ("CLIENT UNPAUSE", "OK")])
        #expect(try waiter.reply().description == "OK")
    }

    @Test(arguments: [1, 4])
    func kills(loopCount: Int) throws {
        let session = try TestSession(TestVariant(loopCount: loopCount))
        let victim = try session.server.connect()
        let id = try #require(try victim.run("CLIENT ID").integer)
        try session.run([
            ("CLIENT KILL nobody", "(error) ERR No such client"),
            ("CLIENT KILL ID 0", "(error) ERR client-id should be greater than 0"),
            ("CLIENT KILL TYPE odd", "(error) ERR Unknown client type 'odd'"),
            ("CLIENT KILL MAXAGE 0", "(error) ERR maxage should be greater than 0"),
            ("CLIENT KILL ID \(id) ADDR", "(error) ERR syntax error"),
            ("CLIENT KILL ID \(id) TYPE replica", "(integer) 0"),
            ("CLIENT KILL ID \(id)", "(integer) 1"),
            ("CLIENT LIST ID \(id)", #""""#),
        ])
        #expect(throws: (any Error).self) { _ = try victim.run("PING") }
    }

    @Test func silence() throws {
        let session = try TestSession()
        try session.client.send("CLIENT REPLY OFF")
        try session.client.send("PING lost")
        #expect(try session.client.run("CLIENT REPLY ON").description == "OK")
        try session.client.send("CLIENT REPLY SKIP")
        try session.client.send("PING lost")
        #expect(try session.client.run("PING heard").description == #""heard""#)
    }
}
