// CollectionDumpTests.swift - DUMP and RESTORE of hashes and sets: payloads that stock servers of all ages wrote load
// and come back, with their times; payloads that lie are refused.
import Base
import TestKit
import Testing

struct CollectionDumpTests {
    struct Payload: CustomTestStringConvertible, Sendable {
        let source: String
        let encoding: String
        /// `field=value` pairs, or members, sorted.
        let contents: String
        let hexadecimal: String

        init(_ row: (String, String, String, String)) { (source, encoding, contents, hexadecimal) = row }

        var testDescription: String { source }
        var bytes: [UInt8] { CollectionDumpTests.bytes(hexadecimal) }
        var isHash: Bool { contents.contains("=") }
        var expires: Bool { source.hasPrefix("expiring") }
    }

    /// 2100-01-01 00:00:00.123, when the field `a` dies where fields do.
    private static let time = "4102444800123"

    private static let payloads = [
        (
            "hash in a listpack, Redis 7.0", "listpack", "f=v g=12",
            "10121200000004008166028176028167020c01ff0a00de133993f783817e"
        ),
        (
            "hash in a table, Redis 7.0", "listpack", "f=v",
            "0401016601760a00adf24356b1860efc"
        ),
        (
            "intset, Redis 7.0", "intset", "-70000 1 3",
            "0b14040000000300000090eefeff01000000030000000a00090eec49a6504d88"
        ),
        (
            "set in a table, Redis 7.0", "listpack", "a",
            "020101610a006296e97e44d21a6d"
        ),
        (
            "set in a listpack, Valkey 9.1", "listpack", "7 a",
            "140c0c00000002008161020701ff5000027b42880d8b2c8b"
        ),
        (
            "expiring fields, Valkey 9.1", "hashtable", "a=1 b=2",
            "16020161c0017bd8c32cbb0300000162c002ffffffffffffffff500055b14e3c9dc212bc"
        ),
        (
            "expiring fields, Redis 7.4", "hashtable", "a=1 b=2",
            "187bd8c32cbb03000002010161013100016201320c00ab219a9f15722b43"
        ),
        (
            "expiring fields, a preview of Redis 7.4", "hashtable", "a=1 b=2",
            "160281000003bb2cc3d87b0161013100016201320c003ba433b8bba6d7b9"
        ),
        (
            "expiring fields in a listpack, Redis 7.4", "hashtable", "a=1 b=2",
            "197bd8c32cbb0300001d1d00000006008161020101f47bd8c32cbb0300000981620202010001ff0c00aac346faebfa76b9"
        ),
        (
            "expiring fields in a listpack, a preview of Redis 7.4", "hashtable", "a=1 b=2",
            "171d1d00000006008161020101f47bd8c32cbb0300000981620202010001ff0c006bb97ffbf89bc117"
        ),
        (
            "ziplist, Redis 2.6 to 6.2", "listpack", "f=v g=12",
            "0d161600000013000000040000016603017603016703fdff0a00572c81349ac23db6"
        ),
        (
            "zipmap, Redis 2.4", "listpack", "f=v",
            "0907010166010076ff0a007994afb42199d720"
        ),
    ].map(Payload.init)

    private static let lies: [(String, String)] = [
        ("duplicate field", "040201660176016601770a00a2ab60bb0fc3fdc7"),
        ("duplicate member", "0202016101610a0057be762fc2d6523a"),
        ("odd listpack", "100a0a0000000100816602ff0a004b549b41012af633"),
        ("duplicate in listpack", "101111000000040081660201018166020201ff0a002e0f8a269ef1c549"),
        ("integer and its text", "140c0c00000002000701813702ff0b0051ed314e7435693b"),
        ("unordered intset", "0b0c0200000002000000020001000a0099699f900a67a49f"),
        ("empty hash", "04000a00933196c0279295bf"),
        ("promised too much", "02807fffffff01610a00a928bebde8fd1f81"),
        ("time beyond bounds", "18ffffffffffffff7f0102016101310c00988ad8b8ff17bfe7"),
        ("triples cut off", "170c0c00000002008161020101ff0c005d9f1828844aeec9"),
    ]

    private static func bytes(_ text: String) -> [UInt8] {
        let digits = Array(text.utf8).map { $0 <= 57 ? $0 - 48 : $0 - 87 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private func contents(_ session: TestSession, _ key: String, isHash: Bool) throws -> String {
        let reply = try session.client.run(isHash ? "HGETALL \(key)" : "SMEMBERS \(key)")
        let texts = (reply.elements ?? []).map { $0.text ?? "" }
        guard isHash else { return texts.sorted().joined(separator: " ") }
        return stride(from: 0, to: texts.count, by: 2).map { "\(texts[$0])=\(texts[$0 + 1])" }.sorted()
            .joined(separator: " ")
    }

    private func restore(_ session: TestSession, _ key: String, _ payload: [UInt8]) throws -> ReplyValue {
        try session.client.run(
            arguments: [Array("RESTORE".utf8), Array(key.utf8), [48], payload, Array("REPLACE".utf8)])
    }

    @Test(arguments: payloads)
    func payloadsLoadAndComeBack(payload: Payload) throws {
        let session = try TestSession()
        #expect(try restore(session, "k", payload.bytes) == .simple(Array("OK".utf8)))
        let dump = try session.client.run("DUMP k")
        #expect(try restore(session, "again", dump.bytes ?? []) == .simple(Array("OK".utf8)))
        for key in ["k", "again"] {
            #expect(try contents(session, key, isHash: payload.isHash) == payload.contents)
            try session.run([("OBJECT ENCODING \(key)", "\"\(payload.encoding)\"")])
            if payload.expires {
                try session.run([("HPEXPIRETIME \(key) FIELDS 2 a b", "[\(Self.time), -1]")])
            }
        }
    }

    /// Forms that Redis 7.0 writes itself are written byte for byte.
    @Test(arguments: payloads.filter { $0.source.hasSuffix("Redis 7.0") && !$0.source.contains("hash in a table") })
    func bytesAreThoseOfRedis(payload: Payload) throws {
        let session = try TestSession()
        _ = try restore(session, "k", payload.bytes)
        #expect(try session.client.run("DUMP k") == .bulk(payload.bytes))
    }

    @Test(arguments: lies)
    func liesAreRefused(name: String, hexadecimal: String) throws {
        let session = try TestSession()
        let reply = try restore(session, "k", Self.bytes(hexadecimal))
        #expect(reply == .error(Array("ERR Bad data format".utf8)), "\(name)")
        try session.run([("EXISTS k", "0"), ("PING", "PONG")])
    }

    @Test(arguments: [0, 512])
    func limitsDecideTheForm(entriesMax: Int) throws {
        let session = try TestSession(
            TestVariant(),
            configuration: """
                hash-max-listpack-entries \(entriesMax)
                set-max-listpack-entries \(entriesMax)
                set-max-intset-entries \(entriesMax)
                """)
        for payload in Self.payloads {
            _ = try restore(session, "k", payload.bytes)
            #expect(try contents(session, "k", isHash: payload.isHash) == payload.contents, "\(payload.source)")
            let encoding = entriesMax == 0 ? "hashtable" : payload.encoding
            try session.run([("OBJECT ENCODING k", "\"\(encoding)\"")])
        }
    }
}
