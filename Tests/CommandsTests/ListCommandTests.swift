// ListCommandTests.swift - lists, in both encodings: pushing, popping, reading, editing, moving, dumping, and the byte
// account, which must be zero again when the last list has gone. Expected replies were taken from stock servers.
import Base
import Commands
import Engine
import Keyspace
import RESP
import Structures
import TestKit
import Testing

struct ListCommandTests {
    private static let wrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value"
    private static let huge = "9223372036854775807"
    private static let tiny = "-9223372036854775808"

    /// The same replies whether a list is one listpack or a chain of them, compressed inside.
    private func run(_ variant: TestVariant, _ lines: [(String, String)]) throws {
        try TestSession(variant).run(lines)
        try TestSession(variant).run(
            [("CONFIG SET list-max-listpack-size 2 list-compress-depth 1", "OK")] + lines)
    }

    @Test(arguments: TestVariant.all)
    func ends(variant: TestVariant) throws {
        try run(variant, [
            ("LPUSH l b a", "2"), ("RPUSH l c 4", "4"), ("LRANGE l 0 -1", #"["a", "b", "c", "4"]"#), ("LLEN l", "4"),
            ("LPUSHX none x", "0"), ("RPUSHX l e", "5"), ("LPOP l", #""a""#), ("RPOP l 2", #"["e", "4"]"#),
            ("LPOP l 0", "[]"), ("LPOP l -1", "(error) ERR value is out of range, must be positive"),
            ("LPOP l \(Self.huge)", #"["b", "c"]"#), ("EXISTS l", "0"), ("LPOP l", "(nil)"), ("TYPE l", "none"),
            ("LPOP l 1 2", "(error) ERR wrong number of arguments for 'lpop' command"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func ranges(variant: TestVariant) throws {
        try run(variant, [
            ("RPUSH r 0 1 2 3 4 5", "6"), ("LRANGE r \(Self.tiny) 1", #"["0", "1"]"#),
            ("LRANGE r 4 \(Self.huge)", #"["4", "5"]"#), ("LRANGE r \(Self.huge) \(Self.huge)", "[]"),
            ("LRANGE r -2 -1", #"["4", "5"]"#), ("LINDEX r -1", #""5""#), ("LINDEX r \(Self.tiny)", "(nil)"),
            ("LINDEX r 6", "(nil)"), ("LSET r -6 zero", "OK"), ("LSET r 6 x", "(error) ERR index out of range"),
            ("LSET none 0 x", "(error) ERR no such key"), ("LTRIM r 0 -3", "OK"),
            ("LRANGE r 0 -1", #"["zero", "1", "2", "3"]"#), ("LTRIM r \(Self.huge) 0", "OK"), ("EXISTS r", "0"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func editing(variant: TestVariant) throws {
        let limits = "(error) ERR value is out of range, value must between -\(Self.huge) and \(Self.huge)"
        try run(variant, [
            ("RPUSH e a b a c a", "5"), ("LINSERT e BEFORE c x", "6"), ("LINSERT e AFTER a y", "7"),
            ("LINSERT e AFTER none y", "-1"), ("LINSERT e BESIDE a y", "(error) ERR syntax error"),
            ("LRANGE e 0 -1", #"["a", "y", "b", "a", "x", "c", "a"]"#),
            ("LPOS e a RANK -1", "6"), ("LPOS e a RANK 2", "3"),
            ("LPOS e a COUNT 0", "[0, 3, 6]"), ("LPOS e a COUNT 0 MAXLEN 4", "[0, 3]"), ("LPOS e none", "(nil)"),
            ("LPOS e a RANK \(Self.tiny)", limits), ("LPOS e a RANK \(Self.huge)", "(nil)"), ("LREM e -1 a", "1"),
            ("LREM e \(Self.tiny) a", limits), ("LREM e 0 a", "2"), ("LREM e 0 a", "0"),
            ("LRANGE e 0 -1", #"["y", "b", "x", "c"]"#), ("LREM e 1 y", "1"), ("LREM e 1 b", "1"), ("LREM e 1 x", "1"),
            ("LREM e 1 c", "1"), ("EXISTS e", "0"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func moving(variant: TestVariant) throws {
        try run(variant, [
            ("RPUSH s a b c", "3"), ("RPOPLPUSH s d", #""c""#), ("LMOVE s s LEFT RIGHT", #""a""#),
            ("LRANGE s 0 -1", #"["b", "a"]"#), ("LMOVE s d LEFT RIGHT", #""b""#), ("LMOVE s d LEFT LEFT", #""a""#),
            ("EXISTS s", "0"), ("LMOVE s d LEFT LEFT", "(nil)"), ("LRANGE d 0 -1", #"["a", "c", "b"]"#),
            ("LMPOP 2 s d RIGHT COUNT 2", #"["d", ["b", "c"]]"#), ("LMPOP 1 d LEFT COUNT 9", #"["d", ["a"]]"#),
            ("LMPOP 1 d LEFT", "(nil)"), ("LMPOP 0 d LEFT", "(error) ERR numkeys should be greater than 0"),
            ("RPUSH one x", "1"), ("LMOVE one one LEFT RIGHT", #""x""#), ("LLEN one", "1"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func otherTypes(variant: TestVariant) throws {
        try run(variant, [
            ("SET s v", "OK"), ("RPUSH s a", Self.wrongType), ("LLEN s", Self.wrongType), ("RPUSH l a", "1"),
            ("GET l", Self.wrongType), ("APPEND l x", Self.wrongType), ("INCR l", Self.wrongType),
            ("LMOVE l s LEFT LEFT", Self.wrongType), ("LLEN l", "1"), ("SET l 1", "OK"), ("GET l", #""1""#),
            ("DEL l", "1"), ("RPUSH l a b", "2"), ("COPY l m", "1"), ("RPUSH m c", "3"), ("LLEN l", "2"),
            ("RENAME m l", "OK"), ("LLEN l", "3"), ("EXPIRE l 100", "1"), ("RPUSH l d", "4"), ("TTL l", "100"),
            ("MOVE l 1", "1"), ("LLEN l", "0"), ("SELECT 1", "OK"), ("LRANGE l 0 -1", #"["a", "b", "c", "d"]"#),
            ("TYPE l", "list"), ("SET l \(String(repeating: "x", count: 20000))", "OK"), ("STRLEN l", "20000"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func encodings(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let large = String(repeating: "x", count: 9000)
        try session.run([
            ("RPUSH l 1", "1"), ("OBJECT ENCODING l", #""listpack""#), ("RPUSH l \(large)", "2"),
            ("OBJECT ENCODING l", #""quicklist""#), ("RPOP l", #""\#(large)""#),
            ("OBJECT ENCODING l", #""listpack""#), ("CONFIG SET list-max-listpack-size 3", "OK"),
            ("RPUSH m 1 2 3", "3"), ("OBJECT ENCODING m", #""listpack""#), ("RPUSH m 4", "4"),
            ("OBJECT ENCODING m", #""quicklist""#),
        ])
    }
}
