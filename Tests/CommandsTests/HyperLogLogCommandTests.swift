// HyperLogLogCommandTests.swift - PFADD, PFCOUNT, PFMERGE, PFDEBUG and PFSELFTEST: replies and bytes as stock servers
// give them, and values that lie about being a HyperLogLog.
import Base
import TestKit
import Testing

struct HyperLogLogCommandTests {
    private static let notOne = "(error) WRONGTYPE Key is not a valid HyperLogLog string value."
    private static let corrupted = "(error) INVALIDOBJ Corrupted HLL object detected"

    private static let wrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value"

    @Test(arguments: TestVariant.all)
    func addingAndCounting(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("PFADD h a b c d", "1"), ("PFADD h a b", "0"), ("PFADD h", "0"), ("PFCOUNT h", "4"), ("PFADD h e", "1"),
            ("PFCOUNT h", "5"), ("PFADD new", "1"), ("PFADD new", "0"), ("PFCOUNT new", "0"), ("STRLEN new", "18"),
            ("OBJECT ENCODING new", #""raw""#), ("PFCOUNT none", "0"), ("PFCOUNT h none new", "5"),
            ("EXPIRE h 100", "1"), ("PFADD h f", "1"), ("TTL h", "100"), ("PFDEBUG TODENSE h", "1"),
            ("TTL h", "100"), ("PFADD h g", "1"), ("PFADD h g a", "0"), ("PFCOUNT h", "7"), ("TTL h", "100"),
            ("RPUSH list a", "1"), ("PFADD list a", Self.wrongType), ("PFCOUNT h list", Self.wrongType),
            ("PFMERGE h list", Self.wrongType), ("PFMERGE list h", Self.wrongType), ("LLEN list", "1"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func merging(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("PFADD a 1 2 3", "1"), ("PFADD b 3 4 5", "1"), ("PFMERGE m a b none", "OK"), ("PFCOUNT m", "5"),
            ("PFCOUNT a b", "5"), ("PFDEBUG ENCODING m", "sparse"), ("PFMERGE alone", "OK"), ("PFCOUNT alone", "0"),
            ("PFDEBUG TODENSE b", "1"), ("PFMERGE m b", "OK"), ("PFDEBUG ENCODING m", "dense"), ("PFCOUNT m", "5"),
            ("EXPIRE a 100", "1"), ("PFMERGE a m", "OK"), ("TTL a", "100"), ("PFCOUNT a", "5"),
            ("PFDEBUG SIMD off", "disabled"), ("PFCOUNT a b", "5"), ("PFMERGE x a b", "OK"),
            ("PFDEBUG SIMD ON", "enabled"), ("PFCOUNT x", "5"),
            ("PFDEBUG SIMD maybe", "(error) ERR Argument must be ON or OFF"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func debugging(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("PFADD g a b c d", "1"),
            ("PFDEBUG DECODE g", #""Z:7292 v:1,1 Z:1143 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603""#),
            ("PFDEBUG ENCODING g", "sparse"), ("PFDEBUG TODENSE g", "1"), ("PFDEBUG TODENSE g", "0"),
            ("PFDEBUG ENCODING g", "dense"), ("STRLEN g", "12304"), ("PFCOUNT g", "4"),
            ("PFDEBUG DECODE g", "(error) ERR HLL encoding is not sparse"),
            ("PFDEBUG NOPE g", "(error) ERR Unknown PFDEBUG subcommand 'NOPE'"),
            ("PFDEBUG ENCODING none", "(error) ERR The specified key does not exist"),
            ("PFDEBUG NOPE none", "(error) ERR The specified key does not exist"), ("PFADD r a b c d", "1"),
        ])
        // GETREG answers every register, and leaves the value dense.
        guard case .array(let registers) = try session.client.run("PFDEBUG GETREG r") else {
            Issue.record("GETREG answers no array")
            return
        }
        #expect(registers.count == 16384)
        let places = [7292: 1, 7292 + 1 + 1143: 1, 7292 + 1 + 1143 + 1 + 4274: 2, 16384 - 603 - 1: 1]
        for (index, register) in registers.enumerated() {
            #expect(register == .integer(Int64(places[index] ?? 0)), "register \(index)")
        }
        try session.run([("PFDEBUG ENCODING r", "dense")])
    }

    @Test func selfTest() throws {
        try TestSession().run([("PFSELFTEST", "OK"), ("PFSELFTEST x", "(matches) *wrong number of arguments*")])
    }

    /// Bytes of the values, taken from Redis 7.0.15.
    @Test func bytesAreThoseOfRedis() throws {
        let session = try TestSession()
        try session.run([
            ("PFADD g a b c d", "1"),
            ("GET g", #""HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\\{\x80Dv\x80P\xb1\x84K\xfb\x80BZ""#),
            ("PFCOUNT g", "4"),
            ("GET g", #""HYLL\x01\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\\{\x80Dv\x80P\xb1\x84K\xfb\x80BZ""#),
        ])
        try add(0..<5000, to: "big", session)
        try add(2500..<7500, to: "other", session)
        try session.run([
            ("PFCOUNT big", "4968"), ("PFDEBUG ENCODING big", "dense"), ("STRLEN big", "12304"),
            ("PFCOUNT big other", "7449"), ("PFMERGE m big other g", "OK"), ("PFCOUNT m", "7455"),
        ])
        #expect(try checksum("m", session) == 0xf276_983a)
        #expect(try checksum("big", session) == 0xd8db_0bbf)
    }

    @Test func sparseBytesMaxIsKept() throws {
        let session = try TestSession(configuration: "hll-sparse-max-bytes 30\n")
        try session.run([
            ("PFADD h a", "1"), ("PFADD h b", "1"), ("PFDEBUG ENCODING h", "sparse"), ("PFADD h c d e f", "1"),
            ("PFDEBUG ENCODING h", "dense"), ("PFCOUNT h", "6"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func valuesThatLie(variant: TestVariant) throws {
        let session = try TestSession(variant)
        for value in [
            "nothll", "12", #""""#, "HYLL", #""HYLL\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x7f\xff""#,
            #""HYLL\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x7f\xff""#,
        ] {
            try session.run([
                ("DEL m", "(any)"), ("SET bad \(value)", "OK"), ("PFADD bad a", Self.notOne),
                ("PFCOUNT bad", Self.notOne), ("PFCOUNT none bad", Self.notOne), ("PFMERGE bad", Self.notOne),
                ("PFMERGE m bad", Self.notOne), ("EXISTS m", "0"), ("PFDEBUG ENCODING bad", Self.notOne),
                ("GETRANGE bad 0 -1", "(any)"),
            ])
        }
        let header = #"HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80"#
        // No runs, too few registers, too many, a run cut in two.
        for runs in ["", #"\x00"#, #"\x7f\xff\x00"#, #"\x7f"#] {
            try session.run([
                ("DEL m", "(any)"), ("SET bad \"\(header)\(runs)\"", "OK"), ("PFCOUNT bad", Self.corrupted),
                ("PFCOUNT none bad", Self.corrupted), ("PFMERGE m bad", Self.corrupted), ("EXISTS m", "0"),
                ("PFDEBUG TODENSE bad", Self.corrupted), ("PFDEBUG GETREG bad", Self.corrupted),
                ("GET bad", "\"\(header)\(runs)\""),
            ])
        }
        // Several elements, of which a later one meets the damage: none goes in.
        try session.run([
            ("SET bad \"\(header)\\x5c\\x7b\"", "OK"), ("PFADD bad q w a e r t z", Self.corrupted),
            ("GET bad", "\"\(header)\\\\{\""), ("PING", "PONG"),
        ])
    }

    /// Random bytes behind a right header: whatever the replies, the server answers and refused values stay.
    @Test func randomRunsNeverTrap() throws {
        let session = try TestSession()
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = RandomGenerator(seed: seed)
        for round in 0..<300 {
            var value = Array("HYLL".utf8) + [1] + [UInt8](repeating: 0, count: 10) + [0x80]
            for _ in 0..<random.below(60) { value.append(UInt8(truncatingIfNeeded: random.next())) }
            try session.client.run(arguments: [Array("SET".utf8), [107], value])
            let elements = (0..<8).map { _ in Array("e\(random.below(1_000_000))".utf8) }
            let added = try session.client.run(arguments: [Array("PFADD".utf8), [107]] + elements)
            if case .error = added {
                let stored = try session.client.run("GET k")
                #expect(stored == .bulk(value), "seed \(seed) round \(round)")
            }
            for command in ["PFCOUNT k", "PFCOUNT k k", "PFDEBUG DECODE k", "PFMERGE k k", "PFDEBUG TODENSE k"] {
                _ = try session.client.run(command)
            }
            #expect(try session.client.run("PING") == .simple(Array("PONG".utf8)), "seed \(seed) round \(round)")
        }
    }

    private func add(_ numbers: Range<Int>, to key: String, _ session: TestSession) throws {
        let elements = numbers.map { Array("e\($0)".utf8) }
        try session.client.run(arguments: [Array("PFADD".utf8), Array(key.utf8)] + elements)
    }

    /// CRC-32 of a string's bytes, as zlib computes it.
    private func checksum(_ key: String, _ session: TestSession) throws -> UInt32 {
        guard case .bulk(let bytes) = try session.client.run("GET \(key)") else { return 0 }
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = (sum >> 1) ^ (sum & 1 == 1 ? 0xedb8_8320 : 0) }
        }
        return ~sum
    }
}
