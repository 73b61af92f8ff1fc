// SortedSetCommandTests.swift - sorted sets, in both encodings: adding, scores, ranges, removing, popping, combining,
// conversion, and the byte account, which must be zero again when the last set has gone. Expected replies were taken
// from stock servers.
import Base
import Commands
import Engine
import Keyspace
import RESP
import Structures
import TestKit
import Testing

struct SortedSetCommandTests {
    private static let wrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value"
    private static let huge = "9223372036854775807"
    private static let tiny = "-9223372036854775808"

    /// The same replies whether a set is pairs in a listpack or table and tree.
    private func run(_ variant: TestVariant, _ lines: [(String, String)]) throws {
        try TestSession(variant).run(lines)
        try TestSession(variant).run([("CONFIG SET zset-max-listpack-entries 0", "OK")] + lines)
        try TestSession(variant).run([("CONFIG SET zset-max-listpack-entries 3", "OK")] + lines)
    }

    @Test(arguments: TestVariant.all)
    func adding(variant: TestVariant) throws {
        let notTogether = "(error) ERR GT, LT, and/or NX options at the same time are not compatible"
        try run(variant, [
            ("ZADD z 1 a 2 b 3 c", "3"), ("ZADD z 5 a", "0"), ("ZADD z CH 6 a 7 d", "2"), ("ZADD z NX 9 a 8 e", "1"),
            ("ZADD z XX 10 a 10 none", "0"), ("ZADD z GT CH 5 a", "0"), ("ZADD z GT CH 15 a", "1"),
            ("ZADD z LT CH 12 a", "1"), ("ZADD z GT 1 new", "1"), ("ZADD z NX INCR 5 a", "(nil)"),
            ("ZADD z XX INCR 5 none", "(nil)"), ("ZADD z GT INCR -5 a", "(nil)"), ("ZCARD z", "6"),
            ("ZADD z INCR 1 a 2 b", "(error) ERR INCR option supports a single increment-element pair"),
            ("ZADD z NX XX 1 a", "(error) ERR XX and NX options at the same time are not compatible"),
            ("ZADD z GT LT 1 a", notTogether), ("ZADD z NX GT 1 a", notTogether),             ("ZADD z 1 a 2", "(error) ERR syntax error"), ("ZADD z 1 a x b", "(error) ERR value is not a valid float"),
            ("ZADD z nan a", "(error) ERR value is not a valid float"), ("ZCARD z", "6"),
            ("ZADD none XX 1 a", "0"), ("EXISTS none", "0"), ("ZADD z inf top -inf bottom", "2"),
            ("ZINCRBY z inf bottom", "(error) ERR resulting score is not a number (NaN)"), ("TYPE z", "zset"),
            ("ZREM z a b none", "2"), ("ZREM z c d e new top bottom", "6"), ("EXISTS z", "0"),
            ("SET s x", "OK"), ("ZADD s 1 a", Self.wrongType), ("ZREM s a", Self.wrongType),
        ])
    }

    @Test func scores() throws {
        // As RESP2 and RESP3 print them; RESP3's doubles are told apart by TestVariant's own lines elsewhere.
        for (given, shown) in [
            ("3.14159265358979", "3.14159265358979"), ("0.1", "0.1"), ("1e17", "100000000000000000"),
            ("1e-7", "1e-7"), ("0.30000000000000004", "0.30000000000000004"), ("1.0", "1"), ("1e21", "1e+21"),
            ("4.9e-324", "5e-324"), ("1.7976931348623157e308", "1.7976931348623157e+308"), ("-2.5e-9", "-2.5e-9"),
            ("+inf", "inf"), ("-Infinity", "-inf"), ("0x10", "16"), ("9007199254740993", "9007199254740992"),
        ] {
            let session = try TestSession()
            try session.run([("ZADD z \(given) a", "1"), ("ZSCORE z a", "\"\(shown)\"")])
            try session.run([
                ("CONFIG SET zset-max-listpack-entries 0", "OK"), ("ZADD y \(given) a", "1"),
                ("ZSCORE y a", "\"\(shown)\""), ("ZRANGE y 0 -1 WITHSCORES", #"["a", "\#(shown)"]"#),
            ])
        }
    }

    @Test func scoresByProtocol() throws {
        for limit in ["128", "0"] {
            let old = try TestSession()
            let new = try TestSession(TestVariant(protocolVersion: 3))
            for session in [old, new] {
                try session.run([
                    ("CONFIG SET zset-max-listpack-entries \(limit)", "OK"), ("ZADD z 1 a 2.5 b inf c", "3"),
                ])
            }
            try old.run([
                ("ZRANGE z 0 -1 WITHSCORES", #"["a", "1", "b", "2.5", "c", "inf"]"#), ("ZSCORE z b", #""2.5""#),
                ("ZPOPMIN z", #"["a", "1"]"#), ("ZPOPMAX z 2", #"["c", "inf", "b", "2.5"]"#),
            ])
            try new.run([
                ("ZRANGE z 0 -1 WITHSCORES", #"[["a", (double) 1], ["b", (double) 2.5], ["c", (double) inf]]"#), ("ZSCORE z b", "(double) 2.5"),
                ("ZRANK z b WITHSCORE", "[1, (double) 2.5]"), ("ZPOPMIN z", #"["a", (double) 1]"#),
                ("ZPOPMAX z 2", #"[["c", (double) inf], ["b", (double) 2.5]]"#),
            ])
        }
    }

    @Test(arguments: TestVariant.all)
    func ranges(variant: TestVariant) throws {
        let notFloat = "(error) ERR min or max is not a float"
        let notMember = "(error) ERR min or max not valid string range item"
        try run(variant, [
            ("ZADD r 1 a 2 b 2 bb 3 c inf d -inf e", "6"), ("ZRANGE r 0 -1", #"["e", "a", "b", "bb", "c", "d"]"#),
            ("ZRANGE r \(Self.tiny) \(Self.huge) REV", #"["d", "c", "bb", "b", "a", "e"]"#),
            ("ZRANGE r -2 -1", #"["c", "d"]"#), ("ZRANGE r 5 2", "[]"), ("ZRANGE r 1 2 REV", #"["c", "bb"]"#),
            ("ZREVRANGE r 0 0", #"["d"]"#), ("ZREVRANGE r 0 1 REV", "(error) ERR syntax error"),
            ("ZRANGEBYSCORE r (1 (3", #"["b", "bb"]"#), ("ZRANGEBYSCORE r -inf +inf LIMIT 1 2", #"["a", "b"]"#),
            ("ZRANGEBYSCORE r -inf +inf LIMIT -1 2", "[]"), ("ZRANGEBYSCORE r -inf +inf LIMIT 4 -1", #"["c", "d"]"#),
            ("ZRANGEBYSCORE r 3 1", "[]"), ("ZRANGEBYSCORE r x 1", notFloat),
            ("ZREVRANGEBYSCORE r 3 (1 LIMIT 0 2", #"["c", "bb"]"#), ("ZRANGE r 3 1 BYSCORE REV LIMIT 1 1", #"["bb"]"#),
            ("ZRANGE r 1 3 BYSCORE BYLEX", "(error) ERR syntax error"),
            ("ZRANGE r 0 -1 LIMIT 0 1",
                "(error) ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"),
            ("ZCOUNT r -inf +inf", "6"), ("ZCOUNT r (1 2", "2"), ("ZCOUNT r 1 x", notFloat), ("ZCOUNT none 0 1", "0"),
            ("ZRANK r bb", "3"), ("ZREVRANK r bb", "2"), ("ZRANK r none", "(nil)"), ("ZRANK r none WITHSCORE", "(nil)"),
            ("ZADD x 0 a 0 b 0 c 0 d 0 aa", "5"), ("ZRANGEBYLEX x - +", #"["a", "aa", "b", "c", "d"]"#),
            ("ZRANGEBYLEX x (a [c", #"["aa", "b", "c"]"#), ("ZREVRANGEBYLEX x [c (a LIMIT 1 1", #"["b"]"#),
            ("ZRANGE x - (b BYLEX", #"["a", "aa"]"#), ("ZRANGEBYLEX x a b", notMember), ("ZLEXCOUNT x [aa +", "4"),
            ("ZRANGE x - + BYLEX WITHSCORES",
                "(error) ERR syntax error, WITHSCORES not supported in combination with BYLEX"),
            ("SET s v", "OK"), ("ZRANGE s 0 -1", Self.wrongType), ("ZRANGE s x 1", "(error) ERR value is not an integer or out of range"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func storing(variant: TestVariant) throws {
        try run(variant, [
            ("ZADD r 1 a 2 b 3 c 4 d", "4"), ("SET dst x EX 100", "OK"), ("ZRANGESTORE dst r 0 2", "3"), ("TTL dst", "-1"),
            ("ZRANGE dst 0 -1", #"["a", "b", "c"]"#), ("ZRANGESTORE dst r 4 (2 BYSCORE REV LIMIT 0 1", "1"),
            ("ZRANGE dst 0 -1", #"["d"]"#), ("ZRANGESTORE r r 1 2", "2"), ("ZRANGE r 0 -1", #"["b", "c"]"#),
            ("ZRANGESTORE dst none 0 -1", "0"), ("EXISTS dst", "0"), ("ZRANGESTORE dst r 0 -1 WITHSCORES", "(error) ERR syntax error"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func removing(variant: TestVariant) throws {
        try run(variant, [
            ("ZADD r 1 a 2 b 3 c 4 d 5 e 6 f", "6"), ("ZREMRANGEBYRANK r 0 0", "1"), ("ZREMRANGEBYRANK r 5 2", "0"),
            ("ZREMRANGEBYSCORE r 2 (3", "1"), ("ZRANGE r 0 -1", #"["c", "d", "e", "f"]"#),
            ("ZREMRANGEBYRANK r \(Self.tiny) -3", "2"), ("ZREMRANGEBYSCORE r -inf +inf", "2"), ("EXISTS r", "0"),
            ("ZADD r 0 a 0 b 0 c", "3"), ("ZREMRANGEBYLEX r [a (b", "1"), ("ZREMRANGEBYLEX r - +", "2"), ("EXISTS r", "0"),
            ("ZADD q 1 a 2 b 3 c 4 d 5 e", "5"), ("ZPOPMIN q 0", "[]"),
            ("ZPOPMIN q -1", "(error) ERR value is out of range, must be positive"),
            ("ZPOPMIN q 1 2", "(error) ERR syntax error"), ("ZMPOP 2 none q MAX COUNT 0", "(error) ERR count should be greater than 0"),
            ("ZMPOP 0 q MIN", "(error) ERR numkeys should be greater than 0"), ("ZMPOP 2 q MIN", "(error) ERR syntax error"),
            ("ZREM q a b", "2"), ("ZMPOP 1 none MIN", "(nil)"), ("ZPOPMAX none 3", "[]"), ("ZREM q c d e", "3"),
            ("EXISTS q", "0"),
        ])
    }

    @Test func combining() throws {
        for limit in ["128", "0"] {
            try TestSession().run([
                ("CONFIG SET zset-max-listpack-entries \(limit)", "OK"), ("ZADD u 1 a 2 b 3 c", "3"),
                ("ZADD v 10 b 20 c 30 d", "3"), ("ZUNION 2 u v WITHSCORES", #"["a", "1", "b", "12", "c", "23", "d", "30"]"#),
                ("ZUNION 2 u v WEIGHTS 2 3 AGGREGATE MAX WITHSCORES", #"["a", "2", "b", "30", "c", "60", "d", "90"]"#),
                ("ZINTER 2 u v AGGREGATE MIN WITHSCORES", #"["b", "2", "c", "3"]"#), ("ZINTER 2 u none", "[]"),
                ("ZDIFF 2 u v WITHSCORES", #"["a", "1"]"#), ("ZINTERCARD 2 u v", "2"), ("ZINTERCARD 2 u v LIMIT 1", "1"),
                ("ZINTERCARD 2 u v LIMIT -1", "(error) ERR LIMIT can't be negative"),
                ("ZUNION 2 u v WEIGHTS 1", "(error) ERR syntax error"),
                ("ZUNION 2 u v WEIGHTS 1 x", "(error) ERR weight value is not a float"),
                ("ZUNION 0 u", "(error) ERR at least 1 input key is needed for 'zunion' command"),
                ("ZUNION \(Self.huge) u", "(error) ERR syntax error"), ("ZDIFFSTORE d 2 u u", "0"), ("EXISTS d", "0"),
                ("ZUNIONSTORE u 1 u WEIGHTS 2", "3"), ("ZRANGE u 0 -1 WITHSCORES", #"["a", "2", "b", "4", "c", "6"]"#),
                ("ZINTERSTORE d 2 u v WEIGHTS 0.5 2", "2"), ("ZRANGE d 0 -1 WITHSCORES", #"["b", "22", "c", "43"]"#),
                ("ZADD p inf a", "1"), ("ZADD m -inf a", "1"), ("ZUNION 2 p m WITHSCORES", #"["a", "0"]"#),
                ("ZUNION 1 p WEIGHTS 0 WITHSCORES", #"["a", "0"]"#), ("SET s x", "OK"), ("ZUNION 2 u s", Self.wrongType),
            ])
        }
    }

    @Test func conversion() throws {
        let long = String(repeating: "m", count: 65)
        try TestSession().run([
            ("ZADD a 1 \(long.dropLast())", "1"), ("OBJECT ENCODING a", #""listpack""#), ("ZADD a 1 \(long)", "1"),
            ("OBJECT ENCODING a", #""skiplist""#), ("ZREM a \(long)", "1"), ("OBJECT ENCODING a", #""skiplist""#),
            ("ZADD b 1 \(long)", "1"), ("OBJECT ENCODING b", #""skiplist""#),
            ("CONFIG SET zset-max-listpack-entries 3", "OK"), ("ZADD c 1 a 2 b 3 c", "3"),
            ("OBJECT ENCODING c", #""listpack""#), ("EXPIRE c 100", "1"), ("ZADD c 4 d", "1"),
            ("OBJECT ENCODING c", #""skiplist""#), ("TTL c", "100"), ("ZRANGE c 0 -1", #"["a", "b", "c", "d"]"#),
            ("ZUNIONSTORE c 1 c", "4"), ("OBJECT ENCODING c", #""skiplist""#), ("ZREM c a", "1"),
            ("ZUNIONSTORE c 1 c", "3"), ("OBJECT ENCODING c", #""listpack""#),
            // A call that brings more pairs than the limit is not looked through for pairs that are there.
            ("ZADD c 1 b 2 b 3 b 4 b", "0"), ("OBJECT ENCODING c", #""skiplist""#),
        ])
    }

    @Test func extremeCounts() throws {
        let limits = "(error) ERR value is out of range, value must between -\(Self.huge) and \(Self.huge)"
        for limit in ["128", "0"] {
            try TestSession().run([
                ("CONFIG SET zset-max-listpack-entries \(limit)", "OK"), ("ZADD z 1 a 2 b", "2"),
                ("ZRANDMEMBER z \(Self.tiny)", limits), ("ZRANDMEMBER z -\(Self.huge)", "(error) ERR value is out of range"),
                ("ZRANDMEMBER z \(Self.huge)", #"(unordered) ["a", "b"]"#),
                ("ZRANDMEMBER z \(Self.huge) WITHSCORES", "(error) ERR value is out of range"),
                ("ZRANDMEMBER z 0", "[]"), ("ZRANDMEMBER none", "(nil)"), ("ZRANDMEMBER none -3", "[]"),
                ("ZRANDMEMBER z 1 FOO", "(error) ERR syntax error"), ("ZREM z a", "1"),
                ("ZRANDMEMBER z -3 WITHSCORES", #"["b", "2", "b", "2", "b", "2"]"#),
                ("ZPOPMAX z \(Self.huge)", #"["b", "2"]"#),
            ])
        }
    }

    @Test func scanning() throws {
        let session = try TestSession()
        let pairs = (0..<300).map { "\($0) m\($0)" }.joined(separator: " ")
        try session.run([
            ("ZADD small 1 a 2.5 b", "2"), ("ZSCAN small 0", #"["0", ["a", "1", "b", "2.5"]]"#),
            ("ZSCAN small 0 NOSCORES", #"["0", ["a", "b"]]"#), ("ZSCAN small 0 MATCH b*", #"["0", ["b", "2.5"]]"#),
            ("ZSCAN small x", "(error) ERR invalid cursor"), ("ZSCAN small 0 COUNT 0", "(error) ERR syntax error"),
            ("ZSCAN none 0", #"["0", []]"#), ("ZADD big \(pairs)", "300"),
            ("ZSCAN big 0 COUNT 100000 MATCH m7", #"["0", ["m7", "7"]]"#), ("ZADD one 0.1 a", "1"),
            ("CONFIG SET zset-max-listpack-entries 0", "OK"), ("ZADD two 0.1 a", "1"),
            ("ZSCAN one 0", #"["0", ["a", "0.1"]]"#), ("ZSCAN two 0", #"["0", ["a", "0.10000000000000001"]]"#),
        ])
    }

    @Test func accountsForEveryByte() throws {
        let session = try TestSession()
        let pairs = (0..<2000).map { "\($0 % 17) member:\($0)" }.joined(separator: " ")
        try session.run([("ZADD big \(pairs)", "2000"), ("ZADD small 1 a 2 b", "2"), ("COPY big other", "1")])
        session.server.withEngine { #expect($0.keyspace[0].externalByteCount > 2000 * 2 * 32) }
        try session.run([
            ("ZREMRANGEBYRANK other 10 1200", "1191"), ("ZPOPMIN other 300", "(any)"), ("DEL other", "1"),
            ("ZADD small 1 \(String(repeating: "x", count: 100))", "1"), ("RENAME small large", "OK"),
            ("DEL big large", "2"),
        ])
        session.server.withEngine { #expect($0.keyspace[0].externalByteCount == 0) }
    }
}
