// TierModelCommands.swift - random commands over all types for the comparison of a server whose values sleep with a
// plain one: few keys, so that commands meet, and values of all sizes that matter to tiers. The same for the same seed.
import Base

/// How two replies are compared.
enum TierComparison {
    case exact
    /// The order of elements is nobody's promise.
    case unordered
    /// Numbers by the clock: the two servers are asked one after the other.
    case nearly
    /// The value's encoding, or the tier it sleeps in.
    case encoding
    /// What differs by nature: only whether there is an answer.
    case presence
}

struct TierModelStep {
    var words: [[UInt8]]
    var comparison: TierComparison = .exact

    init(_ words: [String], _ comparison: TierComparison = .exact) {
        self.words = words.map { Array($0.utf8) }
        self.comparison = comparison
    }

    var text: String { words.map { String(decoding: $0.prefix(60), as: UTF8.self) }.joined(separator: " ") }
}

struct TierModelCommands {
    private var state: UInt64
    private let keysPerFamily = 12
    /// What the servers' clocks show beyond the machine's.
    var secondsPassed = 0
    private let startSecond = Int(Clock().nowMilliseconds / 1000)

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
    private mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

    // MARK: words

    static let families = ["text", "list", "hash", "set", "zset", "stream"]

    /// A key of one of the families; now and then of another one than the command is for.
    mutating func key(_ family: String) -> String {
        let chosen = below(24) == 0 ? pick(TierModelCommands.families) : family
        return "\(chosen):\(below(keysPerFamily))"
    }

    mutating func anyKey() -> String { key(pick(TierModelCommands.families)) }

    /// A record as applications keep them.
    mutating func record() -> String {
        let number = below(100_000)
        return "{\"id\":\(number),\"name\":\"user-\(number % 977)\",\"email\":\"user\(number)@example.com\",\"status\":"
            + "\"\(pick(["active", "inactive", "suspended"]))\",\"roles\":[\"reader\"],\"score\":\(below(9999)),"
            + "\"created_at\":\"2026-0\(1 + below(9))-1\(below(10))T10:00:00Z\",\"address\":{\"city\":\"Lyon\","
            + "\"street\":\"Rue \(below(300))\",\"country\":\"FR\"}}"
    }

    mutating func value() -> String {
        switch below(16) {
        case 0: return "\(below(1000))"
        case 1: return "short-\(below(100))"
        case 2: return String(repeating: record(), count: 1 + below(30))
        case 3: return String(repeating: record(), count: 300)
        case 4: return String((0..<600).map { _ in Character(UnicodeScalar(UInt8(33 + below(90)))) })
        default: return record()
        }
    }

    mutating func member() -> String { "member-of-the-family-\(below(40))" }
    private mutating func members() -> [String] { (0..<(1 + below(12))).map { _ in member() } }
    private mutating func index() -> String { "\(below(30) - 10)" }
    /// Times to live lie two hundred seconds away from every time the clock is moved to.
    private mutating func seconds() -> String { "\(400 * below(6) + 200)" }

    /// The same as a point in time, for what DUMP shows to the millisecond: no two servers run a command in the same.
    private mutating func dueSecond() -> String { "\(startSecond + secondsPassed + 400 * below(6) + 200)" }

    // MARK: commands

    mutating func step() -> TierModelStep {
        switch below(16) {
        case 0...3: return strings()
        case 4, 5: return lists()
        case 6, 7: return hashes()
        case 8, 9: return sets()
        case 10, 11: return sortedSets()
        case 12: return streams()
        case 13: return scripts()
        default: return keys()
        }
    }

    private mutating func strings() -> TierModelStep {
        let key = key("text")
        switch below(30) {
        case 0...4: return TierModelStep(["SET", key, value()])
        case 5: return TierModelStep(["SET", key, value(), "EX", seconds(), pick(["NX", "XX", "GET"])])
        case 6...9: return TierModelStep(["GET", key])
        case 10: return TierModelStep(["APPEND", key, record()])
        case 11: return TierModelStep(["SETRANGE", key, "\(below(900))", "patched"])
        case 12, 13: return TierModelStep(["GETRANGE", key, index(), "\(below(700) - 100)"])
        case 14: return TierModelStep(["STRLEN", key])
        case 15: return TierModelStep([pick(["INCR", "DECR"]), key])
        case 16: return TierModelStep(["INCRBYFLOAT", key, "1.5"])
        case 17: return TierModelStep(["GETDEL", key])
        case 18: return TierModelStep(["GETEX", key, "EX", seconds()])
        case 19: return TierModelStep(["GETSET", key, value()])
        case 20: return TierModelStep(["SETBIT", key, "\(below(4000))", "\(below(2))"])
        case 21: return TierModelStep([pick(["BITCOUNT", "STRLEN"]), key])
        case 22: return TierModelStep(["BITOP", pick(["AND", "OR", "XOR"]), self.key("text"), key, self.key("text")])
        case 23: return TierModelStep(["BITFIELD", key, "INCRBY", "u8", "\(below(400))", "3", "GET", "u16", "8"])
        case 24: return TierModelStep(["MGET", key, self.key("text"), self.key("hash"), self.key("text")])
        case 25: return TierModelStep(["MSET", key, value(), self.key("text"), value()])
        case 26: return TierModelStep(["MSETNX", key, value(), self.key("text"), value()])
        case 27: return TierModelStep(["BITPOS", key, "\(below(2))"])
        case 28: return TierModelStep(["PFADD", "text:hyper", member(), member()])
        default: return TierModelStep(["PFCOUNT", "text:hyper"])
        }
    }

    private mutating func lists() -> TierModelStep {
        let key = key("list")
        switch below(18) {
        case 0...3: return TierModelStep([pick(["RPUSH", "LPUSH"]), key] + members())
        case 4: return TierModelStep([pick(["RPUSH", "LPUSHX"]), key, value()])
        case 5: return TierModelStep([pick(["LPOP", "RPOP"]), key])
        case 6: return TierModelStep(["LPOP", key, "\(below(4))"])
        case 7, 8: return TierModelStep(["LRANGE", key, index(), index()])
        case 9: return TierModelStep(["LINDEX", key, index()])
        case 10: return TierModelStep(["LSET", key, index(), member()])
        case 11: return TierModelStep(["LINSERT", key, pick(["BEFORE", "AFTER"]), member(), member()])
        case 12: return TierModelStep(["LREM", key, index(), member()])
        case 13: return TierModelStep(["LTRIM", key, "0", "\(20 + below(60))"])
        case 14: return TierModelStep(["LLEN", key])
        case 15: return TierModelStep(["LPOS", key, member(), "COUNT", "0"])
        case 16: return TierModelStep(["LMOVE", key, self.key("list"), pick(["LEFT", "RIGHT"]), "LEFT"])
        default: return TierModelStep(["LMPOP", "2", key, self.key("list"), "RIGHT", "COUNT", "2"])
        }
    }

    private mutating func hashes() -> TierModelStep {
        let key = key("hash")
        switch below(20) {
        case 0...3: return TierModelStep(["HSET", key] + members().flatMap { [$0, record()] })
        case 4: return TierModelStep(["HSET", key, member(), value()])
        case 5, 6: return TierModelStep(["HGET", key, member()])
        case 7: return TierModelStep(["HMGET", key, member(), member(), "none"])
        case 8, 9: return TierModelStep(["HGETALL", key], .unordered)
        case 10: return TierModelStep(["HDEL", key] + members())
        case 11: return TierModelStep([pick(["HLEN", "HKEYS", "HVALS"]), key], .unordered)
        case 12: return TierModelStep([pick(["HEXISTS", "HSTRLEN"]), key, member()])
        case 13: return TierModelStep(["HINCRBY", key, "count-of-visits-of-the-page", "7"])
        case 14: return TierModelStep(["HINCRBYFLOAT", key, "mean-length-of-a-visit", "0.25"])
        case 15: return TierModelStep(["HSETNX", key, member(), record()])
        case 16: return TierModelStep(["HSCAN", key, "0", "COUNT", "1000"], .unordered)
        case 17: return TierModelStep(["HEXPIREAT", key, dueSecond(), "FIELDS", "1", member()])
        case 18: return TierModelStep(["HTTL", key, "FIELDS", "1", member()], .nearly)
        default: return TierModelStep(["HPERSIST", key, "FIELDS", "1", member()])
        }
    }

    private mutating func sets() -> TierModelStep {
        let key = key("set")
        switch below(16) {
        case 0...3: return TierModelStep(["SADD", key] + members())
        case 4: return TierModelStep(["SADD", key] + (0..<20).map { _ in "\(below(500))" })
        case 5: return TierModelStep(["SREM", key] + members())
        case 6: return TierModelStep(["SMEMBERS", key], .unordered)
        case 7: return TierModelStep(["SISMEMBER", key, member()])
        case 8: return TierModelStep(["SMISMEMBER", key, member(), "17", member()])
        case 9: return TierModelStep(["SCARD", key])
        case 10: return TierModelStep([pick(["SINTER", "SUNION", "SDIFF"]), key, self.key("set")], .unordered)
        case 11:
            let verb = pick(["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"])
            return TierModelStep([verb, self.key("set"), key, self.key("set")])
        case 12: return TierModelStep(["SINTERCARD", "2", key, self.key("set")])
        case 13: return TierModelStep(["SMOVE", key, self.key("set"), member()])
        case 14: return TierModelStep(["SSCAN", key, "0", "COUNT", "1000"], .unordered)
        default: return TierModelStep(["SRANDMEMBER", key], .presence)
        }
    }

    private mutating func sortedSets() -> TierModelStep {
        let key = key("zset")
        switch below(20) {
        case 0...3: return TierModelStep(["ZADD", key] + members().flatMap { ["\(below(100))", $0] })
        case 4: return TierModelStep(["ZINCRBY", key, "2.5", member()])
        case 5: return TierModelStep(["ZREM", key] + members())
        case 6, 7: return TierModelStep(["ZRANGE", key, index(), index(), "WITHSCORES"])
        case 8: return TierModelStep(["ZRANGE", key, "(10", "80", "BYSCORE", "LIMIT", "1", "5"])
        case 9: return TierModelStep([pick(["ZRANK", "ZREVRANK", "ZSCORE"]), key, member()])
        case 10: return TierModelStep(["ZMSCORE", key, member(), member()])
        case 11: return TierModelStep(["ZCARD", key])
        case 12: return TierModelStep(["ZCOUNT", key, "20", "(70"])
        case 13: return TierModelStep([pick(["ZPOPMIN", "ZPOPMAX"]), key, "2"])
        case 14:
            let verb = pick(["ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"])
            return TierModelStep([verb, self.key("zset"), "2", key, self.key(pick(["zset", "set"]))])
        case 15: return TierModelStep(["ZRANGESTORE", self.key("zset"), key, "0", "5"])
        case 16: return TierModelStep(["ZREMRANGEBYRANK", key, "0", "\(below(3))"])
        case 17: return TierModelStep(["ZSCAN", key, "0", "COUNT", "1000"], .unordered)
        case 18: return TierModelStep(["GEOADD", key, "2.\(below(90))", "48.\(below(90))", member()])
        default: return TierModelStep(["ZUNION", "2", key, self.key("set"), "WITHSCORES"])
        }
    }

    private mutating func streams() -> TierModelStep {
        let key = key("stream")
        switch below(8) {
        case 0...3: return TierModelStep(["XADD", key, "\(1 + below(100_000))-*", "field", record()])
        case 4: return TierModelStep(["XLEN", key])
        case 5: return TierModelStep(["XRANGE", key, "-", "+", "COUNT", "5"])
        case 6: return TierModelStep(["XTRIM", key, "MAXLEN", "\(below(20))"])
        default: return TierModelStep(["XREVRANGE", key, "+", "-", "COUNT", "2"])
        }
    }

    private mutating func scripts() -> TierModelStep {
        switch below(5) {
        case 0:
            let script =
                "local v = redis.call('GET', KEYS[1]); "
                + "if v then redis.call('SET', KEYS[2], v .. ARGV[1]) end; return {v, redis.call('GET', KEYS[2])}"
            return TierModelStep(["EVAL", script, "2", "text:\(below(12))", "text:\(below(12))", "tail"])
        case 1:
            let script = "local r = redis.pcall('HGETALL', KEYS[1]); if r.err then return r.err end; return #r"
            return TierModelStep(["EVAL", script, "1", key("hash")])
        case 2:
            let script =
                "local n = 0; for i = 0, 11 do local v = redis.pcall('GET', 'text:' .. i); "
                + "if type(v) == 'string' then n = n + #v end end; return n"
            return TierModelStep(["EVAL", script, "0"])
        case 3:
            let script = "redis.call('RPUSH', KEYS[1], ARGV[1]); return redis.call('LRANGE', KEYS[1], 0, -1)"
            return TierModelStep(["EVAL", script, "1", "list:\(below(12))", member()])
        default:
            return TierModelStep(["EVAL_RO", "return redis.call('LRANGE', KEYS[1], 0, -1)", "1", key("list")])
        }
    }

    private mutating func keys() -> TierModelStep {
        let key = anyKey()
        switch below(32) {
        case 0: return TierModelStep([pick(["DEL", "UNLINK"]), key])
        case 1: return TierModelStep([pick(["EXISTS", "TOUCH"]), key, anyKey()])
        case 2: return TierModelStep(["TYPE", key])
        case 3, 4: return TierModelStep(["EXPIRE", key, seconds()])
        case 5: return TierModelStep(["TTL", key], .nearly)
        case 6: return TierModelStep(["PERSIST", key])
        case 7, 8: return TierModelStep([pick(["RENAME", "RENAMENX"]), key, anyKey()])
        case 9, 10: return TierModelStep(["COPY", key, anyKey(), "REPLACE"])
        case 11: return TierModelStep(["COPY", key, key, "DB", "1"])
        case 12: return TierModelStep(["MOVE", key, "1"])
        case 13: return below(4) == 0 ? TierModelStep(["SWAPDB", "0", "1"]) : TierModelStep(["DBSIZE"])
        case 14, 15: return TierModelStep(["DUMP", key])
        case 16: return TierModelStep(["SORT", self.key("list"), "ALPHA", "LIMIT", "0", "20"])
        case 17: return TierModelStep(["SORT", self.key("set"), "BY", "nosort", "GET", "text:*"], .unordered)
        case 18: return TierModelStep(["SORT", self.key("list"), "ALPHA", "STORE", self.key("list")])
        case 19: return TierModelStep(["OBJECT", "ENCODING", key], .encoding)
        case 20: return TierModelStep(["OBJECT", "IDLETIME", key], .nearly)
        case 21: return TierModelStep(["MEMORY", "USAGE", key], .presence)
        case 22: return TierModelStep(["DEBUG", "OBJECT", key], .presence)
        case 23: return TierModelStep(["SCAN", "0", "COUNT", "10000"], .unordered)
        case 24:
            let type = pick(["string", "hash", "list"])
            return TierModelStep(["SCAN", "0", "COUNT", "10000", "TYPE", type], .unordered)
        case 25: return TierModelStep(["KEYS", pick(["*", "text:*", "*:1*"])], .unordered)
        case 26: return TierModelStep(["RANDOMKEY"], .presence)
        case 27: return below(20) == 0 ? TierModelStep([pick(["FLUSHDB", "FLUSHALL"])]) : TierModelStep(["DBSIZE"])
        case 28: return TierModelStep(["DEBUG", "DIGEST-VALUE", key, anyKey()])
        case 29: return TierModelStep(["DEBUG", "DIGEST"])
        case 30: return TierModelStep(["OBJECT", "REFCOUNT", key])
        default: return TierModelStep(["EXPIRETIME", key], .nearly)
        }
    }
}
