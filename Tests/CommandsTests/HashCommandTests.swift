// HashCommandTests.swift - hashes in both encodings: setting, reading, counting, picking, scanning, the points where
// the encoding changes, and the byte account. Expected replies were taken from stock servers.
import Base
import Commands
import Engine
import Keyspace
import RESP
import Structures
import TestKit
import Testing

struct HashCommandTests {
    private static let wrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value"
    private static let huge = "9223372036854775807"
    private static let tiny = "-9223372036854775808"

    /// The same replies from a listpack, a table, and a hash that turns from one to the other on the way.
    private func run(_ variant: TestVariant, _ lines: [(String, String)]) throws {
        try TestSession(variant).run(lines)
        try TestSession(variant).run([("CONFIG SET hash-max-listpack-entries 0", "OK")] + lines)
        try TestSession(variant).run([("CONFIG SET hash-max-listpack-entries 2", "OK")] + lines)
    }

    @Test(arguments: TestVariant.all)
    func settingAndReading(variant: TestVariant) throws {
        try run(variant, [
            ("HSET h a 1 b two", "2"), ("HSET h a 3 c ''", "1"), ("HGET h a", #""3""#), ("HGET h c", #""""#),
            ("HGET h none", "(nil)"), ("HGET none a", "(nil)"), ("HMGET h a none b", #"["3", (nil), "two"]"#),
            ("HMGET none a b", "[(nil), (nil)]"), ("HMSET h d 4", "OK"), ("HLEN h", "4"), ("HLEN none", "0"),
            ("HEXISTS h a", "1"), ("HEXISTS h x", "0"), ("HSTRLEN h b", "3"), ("HSTRLEN h a", "1"),
            ("HSTRLEN h x", "0"), ("HSETNX h a 9", "0"), ("HSETNX h e 5", "1"), ("HSETNX n e 5", "1"),
            ("HSET h a", "(error) ERR wrong number of arguments for 'hset' command"),
            ("HSET h a 1 b", "(error) ERR wrong number of arguments for 'hset' command"),
            ("HMSET h a 1 b", "(error) ERR wrong number of arguments for 'hmset' command"),
            ("HSET twice f 1 f 2 f 3", "1"), ("HGET twice f", #""3""#), ("HLEN twice", "1"),
            ("HKEYS h", #"(unordered) ["a", "b", "c", "d", "e"]"#),
            ("HVALS h", #"(unordered) ["", "3", "4", "5", "two"]"#),
            ("HKEYS none", "[]"), ("HVALS none", "[]"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func removing(variant: TestVariant) throws {
        try run(variant, [
            ("HSET h a 1 b 2 c 3", "3"), ("HDEL h b none", "1"), ("HDEL h none", "0"), ("HDEL none a", "0"),
            ("HGET h c", #""3""#), ("HDEL h a c a", "2"), ("EXISTS h", "0"), ("HLEN h", "0"), ("TYPE h", "none"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func counting(variant: TestVariant) throws {
        try run(variant, [
            ("HINCRBY h n 5", "5"), ("HINCRBY h n -7", "-2"), ("HSET h big \(Self.huge) word w", "2"),
            ("HINCRBY h big 1", "(error) ERR increment or decrement would overflow"),
            ("HINCRBY h word 1", "(error) ERR hash value is not an integer"),
            ("HINCRBY h n 1.5", "(error) ERR value is not an integer or out of range"),
            ("HINCRBYFLOAT h f 10.5", #""10.5""#), ("HINCRBYFLOAT h f 0.1", #""10.6""#),
            ("HINCRBYFLOAT h f -5.0e3", #""-4989.39999999999999991""#),
            ("HINCRBYFLOAT h word 1", "(error) ERR hash value is not a float"),
            ("HINCRBYFLOAT h f x", "(error) ERR value is not a valid float"),
            ("HINCRBYFLOAT h f inf", "(error) ERR value is NaN or Infinity"),
            ("HGET h f", #""-4989.39999999999999991""#), ("HINCRBY new x 1", "1"), ("EXISTS new", "1"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func picking(variant: TestVariant) throws {
        try run(variant, [
            ("HSET one f v", "1"), ("HRANDFIELD one", #""f""#), ("HRANDFIELD one 5", #"["f"]"#),
            ("HRANDFIELD one -3", #"["f", "f", "f"]"#), ("HRANDFIELD one 0", "[]"), ("HRANDFIELD none", "(nil)"),
            ("HRANDFIELD none 2", "[]"),
            ("HRANDFIELD one \(Self.tiny)",
                "(error) ERR value is out of range, value must between -\(Self.huge) and \(Self.huge)"),
            ("HRANDFIELD one -2147483649", "(error) ERR value is out of range"),
            ("HRANDFIELD one -\(Self.huge)", "(error) ERR value is out of range"),
            ("HRANDFIELD one -4611686018427387905 WITHVALUES", "(error) ERR value is out of range"),
            ("HRANDFIELD one 1 FOO", "(error) ERR syntax error"),
            ("HSET three a 1 b 2 c 3", "3"), ("HRANDFIELD three 9", #"(unordered) ["a", "b", "c"]"#),
        ])
    }

    @Test(arguments: TestVariant.all)
    func scanning(variant: TestVariant) throws {
        try run(variant, [
            ("HSET one f v", "1"), ("HSCAN one 0", #"["0", ["f", "v"]]"#), ("HSCAN one 0 NOVALUES", #"["0", ["f"]]"#),
            ("HSCAN one 0 MATCH x*", #"["0", []]"#), ("HSCAN one 0 MATCH f* COUNT 5", #"["0", ["f", "v"]]"#),
            ("HSCAN none 0 FOO", #"["0", []]"#), ("HSCAN one 0 FOO", "(error) ERR syntax error"),
            ("HSCAN one 0 COUNT 0", "(error) ERR syntax error"), ("HSCAN one x", "(error) ERR invalid cursor"),
            ("HSCAN one 0 COUNT x", "(error) ERR value is not an integer or out of range"),
        ])
    }

    @Test func encodings() throws {
        let limit = String(repeating: "x", count: 64)
        try TestSession(TestVariant()).run([
            ("HSET h f \(limit)", "1"), ("OBJECT ENCODING h", #""listpack""#), ("HSET h g \(limit)x", "1"),
            ("OBJECT ENCODING h", #""hashtable""#), ("HDEL h g", "1"), ("OBJECT ENCODING h", #""hashtable""#),
            ("HSET wide \(limit)x 1", "1"), ("OBJECT ENCODING wide", #""hashtable""#),
            ("CONFIG SET hash-max-listpack-entries 2", "OK"), ("HSET few a 1 b 2", "2"),
            ("OBJECT ENCODING few", #""listpack""#), ("HSETNX few c 3", "1"), ("OBJECT ENCODING few", #""hashtable""#),
            ("HSET small a 1", "1"), ("HSET small a 1 a 2 a 3", "0"), ("OBJECT ENCODING small", #""hashtable""#),
            ("HGET small a", #""3""#), ("COPY few again", "1"), ("HGET again c", #""3""#),
            ("OBJECT ENCODING again", #""hashtable""#), ("HDEL again c", "1"), ("HGET few c", #""3""#),
            ("MOVE again 1", "1"), ("RENAME few other", "OK"), ("HGET other b", #""2""#), ("SELECT 1", "OK"),
            ("HGET again b", #""2""#),
        ])
    }

    @Test(arguments: TestVariant.all)
    func otherTypes(variant: TestVariant) throws {
        try run(variant, [
            ("SET s v", "OK"), ("HSET s f v", Self.wrongType), ("HGET s f", Self.wrongType), ("HLEN s", Self.wrongType),
            ("HDEL s f", Self.wrongType), ("HINCRBY s f 1", Self.wrongType), ("HRANDFIELD s", Self.wrongType),
            ("HGETALL s", Self.wrongType), ("HSCAN s 0", Self.wrongType), ("HSET h f v", "1"),
            ("GET h", Self.wrongType), ("LPUSH h x", Self.wrongType), ("SADD h x", Self.wrongType), ("SET h v", "OK"),
        ])
    }

    /// Commands chosen at random against a dictionary, over both encodings, and no byte left when all keys are gone.
    @Test(arguments: [0, 8, 512])
    func randomCommandsAgreeWithAModel(entriesMax: Int) throws {
        let session = try TestSession(TestVariant(), configuration: "hash-max-listpack-entries \(entriesMax)\n")
        let seed = UInt64.random(in: 1...UInt64(Int64.max))
        var random = RandomGenerator(seed: seed)
        var model: [[String: String]] = [[:], [:], [:]]
        for step in 0..<1500 {
            let key = random.below(3)
            let field = "f\(random.below(20))"
            let isLong = random.below(10) == 0
            let value = isLong ? String(repeating: "v", count: random.below(200)) : "\(random.below(1000))"
            let reply: ReplyValue
            let expected: String
            switch random.below(6) {
            case 0, 1:
                reply = try session.client.run("HSET h\(key) \(field) '\(value)'")
                expected = model[key].updateValue(value, forKey: field) == nil ? "1" : "0"
            case 2:
                reply = try session.client.run("HDEL h\(key) \(field)")
                expected = model[key].removeValue(forKey: field) == nil ? "0" : "1"
            case 3:
                reply = try session.client.run("HGET h\(key) \(field)")
                expected = model[key][field].map { "\"\($0)\"" } ?? "(nil)"
            case 4:
                reply = try session.client.run("HLEN h\(key)")
                expected = "\(model[key].count)"
            default:
                if random.below(40) == 0 {
                    reply = try session.client.run("DEL h\(key)")
                    expected = model[key].isEmpty ? "0" : "1"
                    model[key] = [:]
                } else {
                    reply = try session.client.run("HEXISTS h\(key) \(field)")
                    expected = model[key][field] == nil ? "0" : "1"
                }
            }
            #expect(TestSession.accepts(reply, expected), "seed \(seed), step \(step)")
        }
        for key in 0..<3 {
            let all = try session.client.run("HGETALL h\(key)")
            #expect(all.elements?.count == model[key].count * 2, "seed \(seed)")
            _ = try session.client.run("DEL h\(key)")
        }
        session.server.withEngine { engine in
            #expect(engine.keyspace[0].externalByteCount == 0, "seed \(seed)")
            #expect(engine.keyspace[0].arena.usedByteCount == 0, "seed \(seed)")
        }
    }
}
