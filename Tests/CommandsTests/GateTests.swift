// GateTests.swift - what stands before every handler, and commands that wait: authentication, unknown names, arity,
// memory, CLIENT PAUSE with its deadline, its end and a client that leaves while it waits. Time is the test clock's.
import Engine
import TestKit
import Testing

struct GateTests {
    @Test(arguments: TestVariant.all)
    func authentication(variant: TestVariant) throws {
        let session = try TestSession(TestVariant(loopCount: variant.loopCount), configuration: "requirepass secret")
        try session.run([
            ("GET a", "(error) NOAUTH Authentication required."),
            ("nonsense", "(error) ERR unknown command 'nonsense', with args beginning with: "),
            ("AUTH wrong", "(error) WRONGPASS invalid username-password pair or user is disabled."),
            ("AUTH secret", "OK"),
            ("GET a", "(nil)"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func namesAndArity(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("nonsense", "(error) ERR unknown command 'nonsense', with args beginning with: "),
            ("nonsense a b", "(error) ERR unknown command 'nonsense', with args beginning with: 'a' 'b' "),
            ("CLIENT nonsense", "(error) ERR unknown subcommand 'nonsense'. Try CLIENT HELP."),
            ("GET", "(error) ERR wrong number of arguments for 'get' command"),
            ("GET a b", "(error) ERR wrong number of arguments for 'get' command"),
            ("CLIENT SETNAME", "(error) ERR wrong number of arguments for 'client|setname' command"),
        ])
    }

    @Test func memory() throws {
        let session = try TestSession(configuration: "maxmemory 1")
        try session.run([
            ("SET a 1", "(error) OOM command not allowed when used memory > 'maxmemory'."),
            ("GET a", "(nil)"),
            ("DEL a", "0"),
            ("CONFIG SET maxmemory 0", "OK"),
            ("SET a 1", "OK"),
        ])
    }

    @Test(arguments: [1, 4])
    func pauseEndsByItsDeadline(loopCount: Int) throws {
        let session = try TestSession(TestVariant(loopCount: loopCount))
        let other = try session.server.connect()
        try session.run([("CLIENT PAUSE 100000 WRITE", "OK"), ("GET a", "(nil)")])
        try other.send("SET a 1")
        #expect(try other.reply(withinMilliseconds: 150) == nil)
        session.server.advanceClock(milliseconds: 100_001)
        #expect(try other.reply(to: "SET a 1").description == "OK")
        try session.run([("GET a", #""1""#)])
    }

    @Test(arguments: [1, 4])
    func unpauseRunsWhatWaitsInOrder(loopCount: Int) throws {
        let session = try TestSession(TestVariant(loopCount: loopCount))
        let other = try session.server.connect()
        try session.run([("CLIENT PAUSE 100000 WRITE", "OK")])
        try other.send("SET a 1")
        try other.send("INCR a")
        try other.send("GET a")
        #expect(try other.reply(withinMilliseconds: 100) == nil)
        try session.run([("CLIENT UNPAUSE", "OK")])
        #expect(try other.reply().description == "OK")
        #expect(try other.reply().description == "(integer) 2")
        #expect(try other.reply().description == #""2""#)
    }

    /// A pause of everything holds even CLIENT UNPAUSE, as in Redis: only time ends it.
    @Test func aFullPauseHoldsEveryone() throws {
        let session = try TestSession()
        try session.run([("CLIENT PAUSE 100000", "OK")])
        try session.client.send("CLIENT UNPAUSE")
        #expect(try session.client.reply(withinMilliseconds: 100) == nil)
        session.server.advanceClock(milliseconds: 100_001)
        #expect(try session.client.reply().description == "OK")
    }

    @Test func aClientMayLeaveWhileItWaits() throws {
        let session = try TestSession()
        let other = try session.server.connect()
        try session.run([("CLIENT PAUSE 100000 WRITE", "OK")])
        try other.send("SET a 1")
        #expect(try other.reply(withinMilliseconds: 50) == nil)
        other.close()
        var count = 2
        for _ in 0..<100 where count > 1 {
            try session.run([("PING", "PONG")])
            session.server.withEngine { count = $0.sessions.count }
            if count > 1 { _ = try session.client.reply(withinMilliseconds: 20) }
        }
        #expect(count == 1)
        try session.run([("CLIENT UNPAUSE", "OK"), ("GET a", "(nil)")])
    }
}
