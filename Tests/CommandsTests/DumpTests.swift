// DumpTests.swift - DUMP's bytes as Redis 7.0.15 writes them, RESTORE of them and of payloads that lie.
import Base
import TestKit
import Testing

struct DumpTests {
    /// (value, DUMP as Redis 7.0.15 answers it)
    private static let golden: [(String, String)] = [
        ("1", "00c0010a002678e7b6d10111fc"),
        ("-128", "00c0800a009966326d2f0c5bd9"),
        ("127", "00c07f0a000db5eb315254c514"),
        ("128", "00c180000a00eb7ab3b510cf4b65"),
        ("-32768", "00c100800a00b540064753bb1ace"),
        ("32767", "00c1ff7f0a00495a37da17f4d52b"),
        ("32768", "00c2008000000a0045d82eedd5bda910"),
        ("2147483647", "00c2ffffff7f0a002c74e59ee02eada1"),
        ("2147483648", "000a323134373438333634380a00e7b129a34c1d76ee"),
        ("-2147483649", "000b2d323134373438333634390a00c261377908f2028c"),
        ("9223372036854775807", "0013393232333337323033363835343737353830370a003a657e9481e85f22"),
        ("007", "00033030370a007258e27b4c69bad9"),
        ("", "00000a005d9b5c400f7fa2da"),
        ("hello", "000568656c6c6f0a006372df766534200a"),
        ("xxxxxxxxxxxxxxxxxxxx", "001478787878787878787878787878787878787878780a005b3c81eca58cc56b"),
        ("xxxxxxxxxxxxxxxxxxxxx", "00c30615017878e00a000a00941a83676017192f"),
        (String(repeating: "abc", count: 30), "00c30b405a0361626361e04b020162630a00238036f9e2d0c780"),
        (
            "The quick brown fox jumps over the lazy dog.",
            "002c54686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f67"
                + "2e0a001f4e3727b6f87f89"
        ),
        (
            String(repeating: "ab", count: 5000),
            "00c34079671002616261e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff"
                + "01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff"
                + "01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0ff01e0da010161620a00c3f54592638f"
                + "68fa"
        ),
    ]

    @Test func bytesAreThoseOfRedis() throws {
        let session = try TestSession()
        for (value, payload) in DumpTests.golden {
            _ = try session.client.run(arguments: [Array("SET".utf8), [107], Array(value.utf8)])
            let bytes = try session.client.run(arguments: [Array("DUMP".utf8), [107]])
            #expect(bytes == .bulk(DumpTests.bytes(payload)), "value \(value)")
        }
    }

    @Test func payloadsComeBack() throws {
        let session = try TestSession()
        for (value, payload) in DumpTests.golden {
            let restore = [Array("RESTORE".utf8), [107], [48], DumpTests.bytes(payload), Array("REPLACE".utf8)]
            #expect(try session.client.run(arguments: restore) == .simple(Array("OK".utf8)))
            #expect(try session.client.run(arguments: [Array("GET".utf8), [107]]) == .bulk(Array(value.utf8)))
        }
    }

    /// Every payload with one byte changed or cut off is refused or stands for some string; the server lives.
    @Test func damagedPayloads() throws {
        let session = try TestSession()
        for (_, payload) in DumpTests.golden {
            let bytes = DumpTests.bytes(payload)
            for index in 0..<bytes.count {
                var changed = bytes
                changed[index] ^= 0x55
                let reply = try session.client.run(
                    arguments: [Array("RESTORE".utf8), [120], [48], changed, Array("REPLACE".utf8)])
                #expect(reply == .error(Array("ERR DUMP payload version or checksum are wrong".utf8)))
                // The same damage under a checksum that is right.
                let contents = DumpTests.signed(Array(changed.prefix(bytes.count - 10)))
                _ = try session.client.run(
                    arguments: [Array("RESTORE".utf8), [120], [48], contents, Array("REPLACE".utf8)])
                let cut = DumpTests.signed(Array(bytes.prefix(min(index, bytes.count - 11))))
                let short = try session.client.run(
                    arguments: [Array("RESTORE".utf8), [120], [48], cut, Array("REPLACE".utf8)])
                #expect(short == .error(Array("ERR Bad data format".utf8)), "cut at \(index)")
            }
        }
        #expect(try session.client.run("PING") == .simple(Array("PONG".utf8)))
    }

    @Test(arguments: TestVariant.protocols)
    func options(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let one = #""\x00\xc0\x01\n\x00\xf2\x11\xde\xad""#
        try session.run([
            ("DUMP none", "(nil)"),
            ("RESTORE k 0 short", "(error) ERR DUMP payload version or checksum are wrong"),
            ("RESTORE k -1 \(one)", "(error) ERR Invalid TTL value, must be >= 0"),
            ("RESTORE k x \(one)", "(error) ERR value is not an integer or out of range"),
            ("RESTORE k 0 \(one) IDLETIME -1", "(error) ERR Invalid IDLETIME value, must be >= 0"),
            ("RESTORE k 0 \(one) FREQ 256", "(error) ERR Invalid FREQ value, must be >= 0 and <= 255"),
            ("RESTORE k 0 \(one) IDLETIME 1 FREQ 1", "(error) ERR syntax error"),
            ("RESTORE k 0 \(one) nonsense", "(error) ERR syntax error"),
            ("SET k v", "OK"), ("RESTORE k 0 x", "(error) BUSYKEY Target key name already exists."),
        ])
    }

    @Test func timesAndIdleTime() throws {
        let session = try TestSession()
        let payload = DumpTests.bytes(DumpTests.golden[0].1)
        func restore(_ words: String...) throws {
            let tail = words.dropFirst().map { Array($0.utf8) }
            let reply = try session.client.run(
                arguments: [Array("RESTORE".utf8), [107], Array(words[0].utf8), payload] + tail)
            #expect(reply == .simple(Array("OK".utf8)))
        }
        try restore("5000")
        try session.run([("TTL k", "5")])
        try restore("33177117420000", "ABSTTL", "REPLACE")
        try session.run([("PEXPIRETIME k", "33177117420000")])
        try restore("1", "ABSTTL", "REPLACE")
        try session.run([("EXISTS k", "0")])
        try restore("0", "IDLETIME", "1000")
        try session.run([("OBJECT IDLETIME k", "1000"), ("TTL k", "-1")])
    }

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8).map { $0 < 58 ? $0 - 48 : $0 - 87 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    static func signed(_ contents: [UInt8]) -> [UInt8] {
        var payload = contents + [10, 0]
        var checksum = CRC64.checksum(payload.span)
        for _ in 0..<8 {
            payload.append(UInt8(truncatingIfNeeded: checksum))
            checksum >>= 8
        }
        return payload
    }
}
