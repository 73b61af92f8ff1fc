// StringSetOptionTests.swift - SET with every option, SETEX and its relatives: what each word means, which exclude each
// other, and which error wins. Expected replies were taken from stock servers.
import TestKit
import Testing

struct StringSetOptionTests {
    @Test(arguments: TestVariant.all)
    func conditions(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SET k a XX", "(nil)"), ("SET k a NX", "OK"), ("SET k b NX", "(nil)"), ("SET k b XX", "OK"),
            ("GET k", #""b""#), ("SET k c nx NX", "(nil)"), ("SET k c NX XX", "(error) ERR syntax error"),
            ("SET k c NX GET", #""b""#), ("GET k", #""b""#), ("SET k c GET", #""b""#), ("SET new v GET", "(nil)"),
            ("GET new", #""v""#), ("SET k d IFEQ x", "(nil)"), ("SET k d IFEQ c", "OK"), ("GET k", #""d""#),
            ("SET k e IFEQ x GET", #""d""#), ("GET k", #""d""#), ("SET none v IFEQ v", "(nil)"),
            ("SET none v IFEQ v GET", "(nil)"), ("EXISTS none", "0"), ("SET k 10", "OK"), ("SET k 1 IFEQ 010", "(nil)"),
            ("SET k 11 IFEQ 10", "OK"), ("SET k v IFEQ", "(error) ERR syntax error"),
            ("SET k v IFEQ 11 IFEQ 11", "(error) ERR syntax error"), ("SET k v IFEQ 11 XX", "(error) ERR syntax error"),
            ("SET k 12 IFNE 11", "(nil)"), ("SET k 12 IFNE x", "OK"), ("SET fresh v IFNE x", "OK"),
            ("GET fresh", #""v""#),
        ])
    }

    @Test(arguments: TestVariant.all)
    func digests(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let unfit = "(error) ERR must be exactly 16 hexadecimal characters"
        try session.run([
            (
                "SET k v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2jkfzkjytls2kwlj7626sd",
                "OK"
            ),
            ("DIGEST k", #""00006c38adf31777""#), ("DIGEST none", "(nil)"), ("SET k v IFDEQ 6c38adf31777", unfit),
            ("SET k v IFDNE 00006c38adf31777", "(nil)"), ("SET k v IFDEQ 00006C38ADF31777", "OK"), ("GET k", #""v""#),
            ("SET k w IFDEQ 00006c38adf31777", "(nil)"), ("SET k w IFDNE zzzzzzzzzzzzzzzz", "OK"),
            ("SET none v IFDEQ x", "(nil)"), ("SET none v IFDNE x", "OK"), ("DELEX none IFDEQ x", unfit),
        ])
    }

    @Test(arguments: TestVariant.all)
    func expiry(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let invalid = "(error) ERR invalid expire time in 'set' command"
        try session.run([
            ("SET k v EX 100", "OK"), ("TTL k", "100"), ("SET k w KEEPTTL", "OK"), ("TTL k", "100"),
            ("SET k v PX 50000", "OK"), ("TTL k", "50"), ("SET k v", "OK"), ("TTL k", "-1"),
            ("SET k v EXAT 9999999999", "OK"), ("EXPIRETIME k", "9999999999"), ("SET k v PXAT 9999999999999", "OK"),
            ("PEXPIRETIME k", "9999999999999"), ("SET k v EX 10 EX 20", "OK"), ("TTL k", "20"),
            ("SET k v EX 10 PX 10", "(error) ERR syntax error"), ("SET k v EX 10 KEEPTTL", "(error) ERR syntax error"),
            ("SET k v KEEPTTL EX 10", "(error) ERR syntax error"), ("SET k v EX", "(error) ERR syntax error"),
            ("SET k v PERSIST", "(error) ERR syntax error"), ("SET k v EX 0", invalid), ("SET k v EX -1", invalid),
            ("SET k v EX 9223372036854775807", invalid), ("SET k v PX 9223372036854775807", invalid),
            ("SET k v EX x", "(error) ERR value is not an integer or out of range"), ("SET k v PXAT 1", "OK"),
            ("GET k", "(nil)"), ("SET k 5 EX 100", "OK"), ("INCR k", "6"), ("TTL k", "100"), ("APPEND k x", "2"),
            ("TTL k", "100"), ("SETRANGE k 40 y", "41"), ("TTL k", "100"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func relatives(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SETNX k a", "1"), ("SETNX k b", "0"), ("GET k", #""a""#), ("SETEX k 100 v", "OK"), ("TTL k", "100"),
            ("PSETEX k 20000 w", "OK"), ("TTL k", "20"), ("GET k", #""w""#),
            ("SETEX k 0 v", "(error) ERR invalid expire time in 'setex' command"),
            ("PSETEX k -1 v", "(error) ERR invalid expire time in 'psetex' command"),
            ("SETEX k x v", "(error) ERR value is not an integer or out of range"), ("GETSET k 1", #""w""#),
            ("TTL k", "-1"), ("GETSET none 1", "(nil)"), ("GETDEL k", #""1""#), ("GETDEL k", "(nil)"),
            ("EXISTS k", "0"), ("SET k v", "OK"), ("GETEX k EX 100", #""v""#), ("TTL k", "100"), ("GETEX k", #""v""#),
            ("TTL k", "100"), ("GETEX k PERSIST", #""v""#), ("TTL k", "-1"),
            ("GETEX k EX 10 PERSIST", "(error) ERR syntax error"), ("GETEX k KEEPTTL", "(error) ERR syntax error"),
            ("GETEX k EX 0", "(error) ERR invalid expire time in 'getex' command"), ("GETEX missing EX 0", "(nil)"),
            ("GETEX k EXAT 1", #""v""#), ("EXISTS k", "0"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func conditionalDeletes(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SET k 10", "OK"), ("DELIFEQ k 010", "0"), ("DELIFEQ k 10", "1"), ("DELIFEQ k 10", "0"), ("SET k v", "OK"),
            ("DELEX k IFEQ x", "0"), ("DELEX k IFNE v", "0"), ("DELEX k IFNE x", "1"), ("DELEX k IFNE x", "0"),
            ("SET k v", "OK"), ("DELEX k", "1"), ("SET k v", "OK"),
            ("DELEX k IFEQ", "(error) ERR wrong number of arguments for 'delex' command"),
            ("DELEX k FOO v", "(error) ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"), ("EXISTS k", "1"),
        ])
    }
}
