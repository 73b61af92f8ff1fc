// PingTests.swift - PING: with and without a message, wrong arity. The shortest example of a table test.
import TestKit
import Testing

struct PingTests {
    @Test(arguments: TestVariant.all)
    func answers(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("PING", "PONG"),
            ("ping hello", #""hello""#),
            (#"PING "a\r\nb""#, #""a\r\nb""#),
            ("PING a b", "(error) ERR wrong number of arguments for 'ping' command"),
        ])
    }
}
