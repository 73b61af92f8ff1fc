// StreamDumpTests.swift - streams as DUMP payloads: bytes that Redis 7.0 wrote for the same history, the older and the
// newer form, writing in pieces, and payloads that lie about owners, order or counts, which must be refused.
import Base
import Keyspace
import Structures
import TestKit
import Testing

struct StreamDumpTests {
    private static let refused = "(error) ERR Bad data format"

    /// Dumped by Redis 7.0 after: XADD s 1-1 f v, XADD s 2-1 f 7, XADD s 3-5 f v g w, XDEL s 2-1.
    private static let plain =
        #"\x13\x01\x10\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01==\x00\x00\x00"#
        + #"\x18\x00\x02\x01\x01\x01\x01\x01\x81f\x02\x00\x01\x02\x01\x00\x01\x00\x01\x81v\x02\x04\x01"#
        + #"\x03\x01\x01\x01\x00\x01\a\x01\x04\x01\x00\x01\x02\x01\x04\x01\x02\x01\x81f\x02\x81v\x02\x81"#
        + #"g\x02\x81w\x02\b\x01\xff\x02\x03\x05\x01\x01\x02\x01\x03\x00\n\x00\xb4j\xafD\xb9o#\x97"#

    @Test(arguments: TestVariant.protocols)
    func sameBytesAsRedis(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("XADD s 1-1 f v", #""1-1""#), ("XADD s 2-1 f 7", #""2-1""#), ("XADD s 3-5 f v g w", #""3-5""#),
            ("XDEL s 2-1", "1"), ("DUMP s", "\"\(Self.plain)\""), ("RESTORE t 0 \"\(Self.plain)\"", "OK"),
            ("XRANGE t - +", #"[["1-1", ["f", "v"]], ["3-5", ["f", "v", "g", "w"]]]"#),
            ("XGROUP CREATE t g 0", "OK"), ("XREADGROUP GROUP g c COUNT 1 STREAMS t >", "(any)"),
        ])
        let payload = try dump("t", session)
        try session.run([("RESTORE u 0 \"\(payload)\"", "OK"), ("XPENDING u g", #"[1, "1-1", "1-1", [["c", "1"]]]"#)])
        #expect(try dump("u", session) == payload)
        let full = "XINFO STREAM t FULL"
        let (first, second) = (try session.client.run(full), try session.client.run("XINFO STREAM u FULL"))
        #expect(first.description == second.description)
    }

    private func dump(_ key: String, _ session: TestSession) throws -> String {
        let reply = try session.client.run("DUMP \(key)").description
        return String(reply.dropFirst().dropLast())
    }

    // MARK: made payloads

    /// A payload of a stream with one entry, 5-0, and one group; each part as the test wants it.
    private struct Draft {
        var type: UInt8 = 19
        var length = 1
        var lastID = StreamID(5, 0)
        var pending: [StreamID] = [StreamID(5, 0)]
        var consumers: [(name: String, owned: [StreamID])] = [("c", [StreamID(5, 0)])]
        var groups = ["g"]
        var nodeKeys = [StreamID(5, 0)]

        func payload() -> [UInt8] {
            var sink = ValueSink(.never)
            sink.append(type)
            sink.append(length: nodeKeys.count)
            for key in nodeKeys {
                sink.append(length: 16)
                append(raw: key, to: &sink)
                sink.append(string: Draft.node.span)
            }
            sink.append(length: length)
            append(lastID, to: &sink)
            if type != 15 {
                append(StreamID(5, 0), to: &sink)
                append(.zero, to: &sink)
                sink.append(length: 1)
            }
            sink.append(length: groups.count)
            for group in groups { append(group: group, to: &sink) }
            sink.append(littleEndian: 10, byteCount: 2)
            sink.append(littleEndian: CRC64.checksum(sink.bytes.span))
            return sink.bytes.span.array
        }

        private func append(group: String, to sink: inout ValueSink) {
            sink.append(string: group.utf8.span)
            append(StreamID(5, 0), to: &sink)
            if type != 15 { sink.append(length: 1) }
            sink.append(length: pending.count)
            for id in pending {
                append(raw: id, to: &sink)
                sink.append(littleEndian: 1000)
                sink.append(length: 3)
            }
            sink.append(length: consumers.count)
            for consumer in consumers {
                sink.append(string: consumer.name.utf8.span)
                sink.append(littleEndian: 2000)
                if type == 21 { sink.append(littleEndian: UInt64(bitPattern: -1)) }
                sink.append(length: consumer.owned.count)
                for id in consumer.owned { append(raw: id, to: &sink) }
            }
        }

        private func append(_ id: StreamID, to sink: inout ValueSink) {
            sink.append(length: id.milliseconds)
            sink.append(length: id.sequence)
        }

        private func append(raw id: StreamID, to sink: inout ValueSink) {
            for word in [id.milliseconds, id.sequence] { sink.append(littleEndian: word.byteSwapped) }
        }

        /// One entry under its own key: counts, field f, then flags, differences, value v, pieces.
        static let node: [UInt8] = {
            var list = Listpack()
            for text in ["1", "0", "1", "f", "0", "2", "0", "0", "v", "4"] { list.append(text.utf8.span) }
            return list.span.array
        }()
    }

    private func restore(_ draft: Draft, _ session: TestSession) throws -> String {
        try session.client.run(
            arguments: ["RESTORE", "k", "0"].map { Array($0.utf8) } + [draft.payload(), Array("REPLACE".utf8)]
        )
        .description
    }

    @Test func formsOfAllVersions() throws {
        let session = try TestSession()
        for type in [15, 19, 21] as [UInt8] {
            #expect(try restore(Draft(type: type), session) == "OK")
            try session.run([
                ("XRANGE k - +", #"[["5-0", ["f", "v"]]]"#),
                ("XPENDING k g - + 9", "(matches) ??\"5-0\", \"c\", *, 3??"),
                (
                    "XADD k 5-0 f v",
                    "(error) ERR The ID specified in XADD is equal or smaller than the target stream top item"
                ),
            ])
        }
    }

    @Test func liesAreRefused() throws {
        let session = try TestSession()
        let drafts: [(String, (inout Draft) -> Void)] = [
            ("another length", { $0.length = 2 }), ("a top below the last entry", { $0.lastID = StreamID(4, 9) }),
            ("a pending entry twice", { $0.pending = [StreamID(5, 0), StreamID(5, 0)] }),
            ("a pending entry without owner", { $0.consumers = [] }),
            ("a consumer without its pending entry", { $0.pending = [] }),
            ("two owners", { $0.consumers = [("c", [StreamID(5, 0)]), ("d", [StreamID(5, 0)])] }),
            ("a consumer twice", { $0.consumers = [("c", [StreamID(5, 0)]), ("c", [])] }),
            ("a group twice", { $0.groups = ["g", "g"] }),
            ("nodes out of order", { ($0.nodeKeys, $0.length) = ([StreamID(5, 0), StreamID(4, 0)], 2) }),
            ("a node twice", { ($0.nodeKeys, $0.length) = ([StreamID(5, 0), StreamID(5, 0)], 2) }),
        ]
        for (name, change) in drafts {
            var draft = Draft()
            change(&draft)
            #expect(try restore(draft, session) == Self.refused, "\(name)")
        }
        try session.run([("EXISTS k", "0")])
    }

    /// A sink that is full after every few bytes gets the same bytes in many pieces.
    @Test func piecesMakeTheSameBytes() {
        var keyspace = Keyspace(databaseCount: 1)
        let key = Array("s".utf8)
        let hash = KeyHash.hash(key.span, seed: KeyHash.seed)
        keyspace.setStream(key.span, hash: hash, in: 0, slot: nil, stream: StreamLog(), expiry: nil)
        guard let slot = keyspace.find(key.span, hash: hash, in: 0) else {
            Issue.record("the key is there")
            return
        }
        keyspace.updateStream(slot, in: 0, .all) { stream in
            for number in 1...300 as ClosedRange<UInt64> {
                var draft = stream.beginEntry(
                    StreamID(number, 0), pairCount: 1, byteCount: 2, limits: .init(nodeEntriesMax: 7))
                stream.offerField(key.span, &draft)
                stream.addPair(key.span, key.span, &draft)
                stream.endEntry(draft)
            }
            for name in ["a", "b", "c"] { Self.deliver(name, &stream) }
        }
        func write(_ sliceByteCount: Int?) -> ([UInt8], pieces: Int) {
            var sink = ValueSink(.never)
            var position = ValuePosition()
            var bytes: [UInt8] = []
            var pieces = 0
            var isComplete = false
            while !isComplete {
                if let sliceByteCount { sink.beginSlice(byteCount: sliceByteCount) }
                isComplete = ValueCodec.append(slot.entry, from: &position, to: &sink)
                pieces += 1
                bytes += sink.take().takeBytes().span.array
            }
            return (bytes, pieces)
        }
        let whole = write(nil)
        for size in [1, 20, 100] {
            let pieces = write(size)
            #expect(pieces.0 == whole.0 && pieces.pieces > 50)
        }
        keyspace.remove(slot, hash: hash, in: 0)
    }

    private static func deliver(_ name: String, _ stream: inout StreamLog) {
        let bytes = Array(name.utf8)
        let idle = Array("idle".utf8)
        guard let group = stream.createGroup(named: bytes.span, lastID: .zero),
            let consumer = group.createConsumer(named: bytes.span, nowMilliseconds: 5),
            group.createConsumer(named: idle.span, nowMilliseconds: 6) != nil
        else { return }
        var walk = stream.walk(from: .zero, to: .max)
        while let entry = walk.next() { group.deliver(entry.id, to: consumer, nowMilliseconds: 7) }
    }
}
