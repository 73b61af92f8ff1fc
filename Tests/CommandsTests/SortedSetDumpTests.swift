// SortedSetDumpTests.swift - DUMP of sorted sets as Redis 7.0.15 writes them, RESTORE of every form, and payloads whose
// checksum is right and whose contents are not: pairs out of order, members twice, scores that are no numbers.
import Base
import TestKit
import Testing

struct SortedSetDumpTests {
    private static let small =
        "114052520000001200816402842d696e66058161020101816202020181630283332e3504816602c12c02816702f270110104816902f400f"
        + "2052a0100000009816802f400008a5d784563010981650283696e6604ff0a008af33ac74ef28001"
    private static let equal = "111a1a0000000800dff90200010c01000181610200018162020001ff0a00e0871743a94e3ad3"
    private static let large =
        "05080165000000000000f07f01660000000000c07240c00c0000000000001c4001630000000000000c40016200000000000000400161000"
        + "000000000f03f016700000000000000800164000000000000f0ff0a00f49f54c27d6b896e"

    private func expectDump(_ session: TestSession, _ key: String, _ hexadecimal: String) throws {
        let reply = try session.client.run("DUMP \(key)")
        #expect(reply == .bulk(DumpTests.bytes(hexadecimal)), "\(key)")
    }

    private func restore(_ session: TestSession, _ key: String, _ payload: [UInt8]) throws -> ReplyValue {
        try session.client.run(
            arguments: [Array("RESTORE".utf8), Array(key.utf8), [48], payload, Array("REPLACE".utf8)])
    }

    @Test func bytesAreThoseOfRedis() throws {
        let session = try TestSession()
        try session.run([
            ("ZADD s 1 a 2 b 3.5 c -inf d inf e 300 f 70000 g 1e17 h 5000000000 i", "9"),
            ("ZADD e 0 a 0 b 0 12 0 -7", "4"), ("CONFIG SET zset-max-listpack-entries 0", "OK"),
            ("ZADD l 1 a 2 b 3.5 c -inf d inf e 300 f -0 g 7 12", "8"),
        ])
        try expectDump(session, "s", Self.small)
        try expectDump(session, "e", Self.equal)
        try expectDump(session, "l", Self.large)
    }

    @Test func payloadsComeBack() throws {
        let session = try TestSession()
        for payload in [Self.small, Self.equal, Self.large] {
            let bytes = DumpTests.bytes(payload)
            #expect(try restore(session, "k", bytes) == .simple(Array("OK".utf8)))
            let isTable = bytes[0] == 5
            try session.run([("OBJECT ENCODING k", #""listpack""#), ("CONFIG SET zset-max-listpack-entries 0", "OK")])
            #expect(try restore(session, "k", bytes) == .simple(Array("OK".utf8)))
            try session.run([("OBJECT ENCODING k", #""skiplist""#)])
            if isTable { try expectDump(session, "k", payload) }
            try session.run([("CONFIG SET zset-max-listpack-entries 128", "OK")])
        }
        // Text scores of the oldest servers, and a ziplist of Redis 6: a scores 1, b 2.
        let text = DumpTests.signed([3, 2, 1, 97, 1, 49, 1, 98, 3, 50, 46, 53])
        #expect(try restore(session, "t", text) == .simple(Array("OK".utf8)))
        try session.run([("ZRANGE t 0 -1 WITHSCORES", #"["a", "1", "b", "2.5"]"#)])
        let ziplist: [UInt8] = [
            21, 0, 0, 0, 18, 0, 0, 0, 4, 0, 0, 1, 97, 3, 0xF2, 2, 1, 98, 3, 0xF3, 255,
        ]
        let old = DumpTests.signed([12, UInt8(ziplist.count)] + ziplist)
        #expect(try restore(session, "z", old) == .simple(Array("OK".utf8)))
        try session.run([("ZRANGE z 0 -1 WITHSCORES", #"["a", "1", "b", "2"]"#), ("ZRANK z b", "1")])
    }

    /// A listpack of short texts and small integers, given as the bytes of each entry's contents.
    private func listpack(_ elements: [String]) -> [UInt8] {
        var entries: [UInt8] = []
        for element in elements {
            let text = Array(element.utf8)
            if let value = UInt8(element), value < 100, text[0] != 48 || text.count == 1 {
                entries += [value, 1]
            } else {
                entries += [0x80 | UInt8(text.count)] + text + [UInt8(text.count + 1)]
            }
        }
        let count = 7 + entries.count
        return [UInt8(count), 0, 0, 0, UInt8(elements.count), 0] + entries + [255]
    }

    @Test func contentsThatLie() throws {
        let session = try TestSession()
        let bad = ReplyValue.error(Array("ERR Bad data format".utf8))
        let good = listpack(["a", "1", "b", "2"])
        #expect(
            try restore(session, "k", DumpTests.signed([17, UInt8(good.count)] + good)) == .simple(Array("OK".utf8)))
        for elements in [
            ["b", "2", "a", "1"], ["b", "1", "a", "1"], ["a", "1", "a", "2"], ["a", "nan"], ["a", "x"], ["a"],
            ["a", "1", "b"], ["a", "1e400"], ["a", "1", "b", "0.5"], [],
        ] {
            let bytes = listpack(elements)
            #expect(
                try restore(session, "k", DumpTests.signed([17, UInt8(bytes.count)] + bytes)) == bad, "\(elements)")
        }
        let one: [UInt8] = [0, 0, 0, 0, 0, 0, 0xF0, 0x3F]
        let nan: [UInt8] = [0, 0, 0, 0, 0, 0, 0xF8, 0x7F]
        for contents in [
            [5, 2, 1, 97] + one + [1, 97] + one, [5, 1, 1, 97] + nan, [5, 0], [5, 2, 1, 97] + one, [3, 1, 1, 97, 253],
            [5, 0x81, 255, 255, 255, 255, 255, 255, 255, 255], [5, 0x80, 255, 255, 255, 255, 1, 97],
        ] as [[UInt8]] {
            #expect(try restore(session, "k", DumpTests.signed(contents)) == bad, "\(contents)")
        }
        try session.run([("ZRANGE k 0 -1 WITHSCORES", #"["a", "1", "b", "2"]"#)])
    }

    /// Every payload with one byte changed is refused or stands for some sorted set that holds together.
    @Test func damagedPayloads() throws {
        let session = try TestSession()
        for payload in [Self.small, Self.equal, Self.large] {
            let bytes = DumpTests.bytes(payload)
            for index in 1..<(bytes.count - 10) {
                for flip in [0x01, 0x80, 0x55, 0xFF] as [UInt8] {
                    var changed = Array(bytes.prefix(bytes.count - 10))
                    changed[index] ^= flip
                    if try restore(session, "k", DumpTests.signed(changed)).isError { continue }
                    _ = try session.client.run("ZADD k 5 new")
                    _ = try session.client.run("ZRANGEBYSCORE k -inf +inf WITHSCORES")
                    _ = try session.client.run("ZPOPMAX k 100")
                }
            }
        }
        try session.run([("PING", "PONG"), ("EXISTS k", "0")])
    }
}
