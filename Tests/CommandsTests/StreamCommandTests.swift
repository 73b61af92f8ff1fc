// StreamCommandTests.swift - streams without groups: identifiers, trimming in both ways and by the policies of Redis
// 8.2, ranges, deleting, counters, XINFO, encodings of the key, and the byte account, which must be zero again when the
// last stream has gone. Expected replies were taken from stock servers, those of Redis 8.2 from its documentation.
import Base
import Commands
import Engine
import Keyspace
import Structures
import TestKit
import Testing

struct StreamCommandTests {
    private static let wrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value"
    private static let badID = "(error) ERR Invalid stream ID specified as stream command argument"
    private static let small =
        "(error) ERR The ID specified in XADD is equal or smaller than the target stream top item"

    @Test(arguments: TestVariant.all)
    func identifiers(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("XADD s 0-0 f v", "(error) ERR The ID specified in XADD must be greater than 0-0"),
            ("EXISTS s", "0"), ("XADD s 0-* f v", #""0-1""#), ("XADD s 1-1 f v", #""1-1""#),
            ("XADD s 1-1 f v", Self.small), ("XADD s 1-* f v", #""1-2""#), ("XADD s 0-* f v", Self.small),
            ("XADD s 2 f v", #""2-0""#), ("XADD s -1 f v", Self.badID), ("XADD s 1-1-1 f v", Self.badID),
            ("XADD s * f", "(error) ERR wrong number of arguments for 'xadd' command"),
            ("XADD s * f v g", "(error) ERR wrong number of arguments for 'xadd' command"),
            (
                "XADD s MAXLEN 5 MAXLEN 5",
                "(error) ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
            ),
            ("XADD none NOMKSTREAM * f v", "(nil)"), ("EXISTS none", "0"), ("XADD s * f v", "(any)"),
            ("XADD m 18446744073709551615-18446744073709551615 f v", #""18446744073709551615-18446744073709551615""#),
            ("XADD m * f v", "(error) ERR The stream has exhausted the last possible ID, unable to add more items"),
            ("XLEN s", "5"), ("XLEN none", "0"),
        ])
    }

    /// The clock decides, and never backward.
    @Test func generatedIdentifiers() throws {
        let session = try TestSession()
        try session.run([
            ("XADD s 9999999999999-7 f v", #""9999999999999-7""#), ("XADD s * f v", #""9999999999999-8""#),
        ])
        let first = try session.client.run("XADD t * f v").description
        session.server.advanceClock(milliseconds: 5)
        let second = try session.client.run("XADD t * f v").description
        #expect(first != second && first.hasSuffix("-0\"") && second.hasSuffix("-0\""))
    }

    @Test(arguments: TestVariant.all)
    func ranges(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("XADD r 1-1 a 1", #""1-1""#), ("XADD r 1-2 b 2 c 3", #""1-2""#), ("XADD r 3-0 a 4", #""3-0""#),
            ("XRANGE r - +", #"[["1-1", ["a", "1"]], ["1-2", ["b", "2", "c", "3"]], ["3-0", ["a", "4"]]]"#),
            ("XRANGE r (1-1 (3-0", #"[["1-2", ["b", "2", "c", "3"]]]"#),
            ("XRANGE r 1 1 COUNT 1", #"[["1-1", ["a", "1"]]]"#),
            ("XREVRANGE r + - COUNT 1", #"[["3-0", ["a", "4"]]]"#),
            ("XREVRANGE r 1 1", #"[["1-2", ["b", "2", "c", "3"]], ["1-1", ["a", "1"]]]"#),
            ("XRANGE r + -", "[]"), ("XRANGE r - + COUNT 0", "(nil)"), ("XRANGE none - + COUNT 0", "[]"),
            ("XRANGE r - + COUNT -5", "(nil)"), ("XRANGE r - (0-0", "(error) ERR invalid end ID for the interval"),
            ("XRANGE r (18446744073709551615-18446744073709551615 +", "(error) ERR invalid start ID for the interval"),
            ("XRANGE r (- +", Self.badID), ("XRANGE r - + COUNT", "(error) ERR syntax error"),
            ("XDEL r 1-2 9-9", "1"), ("XLEN r", "2"), ("XRANGE r - +", #"[["1-1", ["a", "1"]], ["3-0", ["a", "4"]]]"#),
            ("XDEL r 1-1 x", Self.badID), ("XLEN r", "2"), ("XDEL r 1-1 3-0", "2"), ("EXISTS r", "1"),
            ("TYPE r", "stream"),
            ("XADD r 3-0 f v", Self.small),
        ])
    }

    @Test(arguments: TestVariant.all)
    func trimming(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([("CONFIG SET stream-node-max-entries 3", "OK")])
        for id in 1...10 { try session.run([("XADD t \(id)-0 f v", "\"\(id)-0\"")]) }
        try session.run([
            ("XTRIM t MAXLEN ~ 5", "3"), ("XTRIM t MAXLEN ~ 5", "0"), ("XTRIM t MAXLEN = 5", "2"), ("XLEN t", "5"),
            ("XTRIM t MINID ~ 8", "1"), ("XTRIM t MINID 8", "1"), ("XRANGE t - + COUNT 1", #"[["8-0", ["f", "v"]]]"#),
            ("XADD t MAXLEN ~ 1 LIMIT 1 11-0 f v", #""11-0""#), ("XLEN t", "4"),
            ("XADD t MAXLEN 2 12-0 f v", #""12-0""#), ("XLEN t", "2"), ("XADD t MINID = 13 13-0 f v", #""13-0""#),
            ("XLEN t", "1"), ("XTRIM t MAXLEN 0", "1"), ("EXISTS t", "1"), ("XTRIM none MAXLEN 0", "0"),
            ("XTRIM t MAXLEN -1", "(error) ERR The MAXLEN argument must be >= 0."),
            ("XTRIM t MAXLEN 1 LIMIT 1", "(error) ERR syntax error, LIMIT cannot be used without the special ~ option"),
            (
                "XTRIM t LIMIT 1 LIMIT 1",
                "(error) ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
            ),
            ("XTRIM t MAXLEN ~ 1 LIMIT -1", "(error) ERR The LIMIT argument must be >= 0."),
            ("XTRIM t FOO 1", "(error) ERR syntax error"),
        ])
    }

    /// Redis 8.2: what trimming and deleting do about entries that groups wait for.
    @Test(arguments: TestVariant.all)
    func references(variant: TestVariant) throws {
        let session = try TestSession(variant)
        for id in 1...6 { try session.run([("XADD s \(id)-0 f v", "\"\(id)-0\"")]) }
        try session.run([
            ("XGROUP CREATE s g 0", "OK"), ("XGROUP CREATE s h 4", "OK"),
            ("XREADGROUP GROUP g c COUNT 5 STREAMS s >", "(any)"), ("XACK s g 2-0 4-0", "2"),
            ("XTRIM s ACKED MAXLEN 0", "2"), ("XLEN s", "4"),
            ("XDELEX s ACKED IDS 3 1-0 2-0 9-0", "[2, -1, 2]"), ("XDELEX s IDS 1 1-0", "[1]"),
            ("XPENDING s g - + 9 c", #"(matches) *"1-0", *"3-0", *"5-0", *"#),
            ("XDELEX s DELREF IDS 2 1-0 3-0", "[-1, 1]"), ("XPENDING s g - + 9 c", #"(matches) ??"5-0", *"#),
            ("XACKDEL s g ACKED IDS 2 5-0 6-0", "[2, -1]"), ("XLEN s", "2"),
            ("XREADGROUP GROUP h c STREAMS s >", "(any)"), ("XACKDEL s h IDS 2 5-0 7-0", "[1, -1]"),
            ("XACKDEL s none IDS 1 5-0", "[-1]"), ("XACKDEL none g IDS 2 5-0 6-0", "[-1, -1]"),
            ("XDELEX none IDS 1 5-0", "[-1]"),
            ("XDELEX s IDS 0 5-0", "(error) ERR Number of IDs must be a positive integer"),
            ("XDELEX s IDS 3 5-0 6-0", "(error) ERR The `numids` parameter must match the number of arguments"),
            ("XDELEX s KEEPREF DELREF IDS 1 5-0", "(error) ERR syntax error"), ("XDELEX s IDS 1 x", Self.badID),
            ("XADD s DELREF MAXLEN 1 7-0 f v", #""7-0""#), ("XLEN s", "1"),
            ("XPENDING s h", #"[0, (nil), (nil), (nil)]"#),
            ("XADD s ACKED MAXLEN 1 8-0 f v", #""8-0""#), ("XLEN s", "2"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func counters(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("XSETID none 1-1", "(error) ERR no such key"), ("XADD s 5-0 f v", #""5-0""#),
            ("XSETID s 4-0", "(error) ERR The ID specified in XSETID is smaller than the target stream top item"),
            (
                "XSETID s 9-0 ENTRIESADDED 0 MAXDELETEDID 1-0",
                "(error) ERR The entries_added specified in XSETID is smaller than the target stream length"
            ),
            (
                "XSETID s 9-0 MAXDELETEDID 10-0",
                "(error) ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
            ),
            ("XSETID s 9-0 ENTRIESADDED 50 MAXDELETEDID 3-0", "OK"),
            ("XSETID s 2-0", "(error) ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"),
            ("XADD s 9-0 f v", Self.small), ("XADD s 9-1 f v", #""9-1""#), ("XDEL s 5-0", "1"),
        ])
        let facts = [
            (#""length""#, "1"), (#""radix-tree-keys""#, "1"), (#""radix-tree-nodes""#, "2"),
            (#""last-generated-id""#, #""9-1""#), (#""max-deleted-entry-id""#, #""5-0""#), (#""entries-added""#, "51"),
            (#""recorded-first-entry-id""#, #""9-1""#), (#""groups""#, "0"),
            (#""first-entry""#, #"["9-1", ["f", "v"]]"#), (#""last-entry""#, #"["9-1", ["f", "v"]]"#),
        ]
        let map = "{" + facts.map { "\($0): \($1)" }.joined(separator: ", ") + "}"
        let array = "[" + facts.map { "\($0), \($1)" }.joined(separator: ", ") + "]"
        try session.run([("XINFO STREAM s", session.isRESP3 ? map : array)])
    }

    @Test(arguments: TestVariant.all)
    func otherTypes(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("SET s v", "OK"), ("XADD s * f v", Self.wrongType), ("XLEN s", Self.wrongType),
            ("XRANGE s - +", Self.wrongType), ("XTRIM s MAXLEN 1", Self.wrongType), ("XDEL s 1-1", Self.wrongType),
            ("XREAD STREAMS s 0", Self.wrongType), ("XINFO STREAM s", Self.wrongType), ("XSETID s 1-1", Self.wrongType),
            ("DEL s", "1"), ("XADD s 1-1 f v", #""1-1""#), ("GET s", Self.wrongType), ("LPUSH s a", Self.wrongType),
            ("OBJECT ENCODING s", #""stream""#), ("XGROUP CREATE s g 0", "OK"), ("COPY s t", "1"),
            ("XADD t 2-1 f v", #""2-1""#), ("XLEN s", "1"), ("XREADGROUP GROUP g c STREAMS t >", "(any)"),
            ("XPENDING s g", "[0, (nil), (nil), (nil)]"), ("RENAME t s", "OK"), ("XLEN s", "2"),
            ("EXPIRE s 100", "1"), ("XADD s 3-1 f v", #""3-1""#), ("TTL s", "100"), ("MOVE s 1", "1"),
            ("SELECT 1", "OK"), ("XLEN s", "3"), ("SET s v", "OK"), ("GET s", #""v""#),
        ])
    }

    /// Equal to what Redis 7.0 says of the same stream, whatever groups it has.
    @Test func digest() throws {
        try TestSession(configuration: "enable-debug-command yes").run([
            ("XADD s 1-1 f v 1 2", #""1-1""#), ("XADD s 2-1 f w", #""2-1""#),
            ("DEBUG DIGEST-VALUE s", "[42473847ee2887dcf3297037a457effe6b364669]"),
        ])
    }

    /// Whatever happened to streams, nothing is counted any more when the last one is gone.
    @Test func accountReturnsToZero() {
        var keyspace = Keyspace(databaseCount: 2)
        var random = RandomGenerator(seed: 11)
        let names = (0..<8).map { Array("stream:\($0)".utf8) }
        let group = Array("group".utf8)
        for round in 1..<6000 {
            let name = names[Int(random.next() % 8)]
            let hash = KeyHash.hash(name.span, seed: KeyHash.seed)
            guard let slot = keyspace.find(name.span, hash: hash, in: 0) else {
                keyspace.setStream(name.span, hash: hash, in: 0, slot: nil, stream: StreamLog(), expiry: nil)
                continue
            }
            switch random.next() % 24 {
            case 0: keyspace.remove(slot, hash: hash, in: 0)
            case 1:
                let other = names[Int(random.next() % 8)]
                keyspace.copy(slot.entry, to: other.span, hash: KeyHash.hash(other.span, seed: KeyHash.seed), in: 1)
            case 2: _ = keyspace.removeStreamGroup(group.span, of: slot, in: 0)
            case 3...5:
                keyspace.updateStream(slot, in: 0, .all) { _ = $0.createGroup(named: group.span, lastID: .zero) }
            case 6...9: Self.deliver(slot, in: &keyspace, round)
            case 10:
                keyspace.updateStream(slot, in: 0, .entries) { _ = $0.trim(.length(3), isApproximate: false, limit: 0) }
            default:
                let value = [UInt8](repeating: 97, count: Int(random.next() % 200))
                keyspace.updateStream(slot, in: 0, .entries) { stream in
                    var draft = stream.beginEntry(
                        StreamID(UInt64(round), 0), pairCount: 1, byteCount: value.count * 2,
                        limits: .init(nodeEntriesMax: 4))
                    stream.offerField(value.span, &draft)
                    stream.addPair(value.span, value.span, &draft)
                    stream.endEntry(draft)
                }
            }
        }
        #expect(keyspace[0].externalByteCount > 0 && keyspace[1].externalByteCount > 0)
        for database in 0..<2 {
            for name in names {
                _ = keyspace.remove(name.span, hash: KeyHash.hash(name.span, seed: KeyHash.seed), in: database)
            }
            #expect(keyspace[database].externalByteCount == 0)
        }
        let load = keyspace.garbage.take()
        load.freeAll()
    }

    private static func deliver(_ slot: EntryTable.Slot, in keyspace: inout Keyspace, _ round: Int) {
        guard let group = slot.entry.stream.groups.first else { return }
        let name = Array("consumer\(round % 3)".utf8)
        keyspace.updateStream(slot, in: 0, .group(group)) { stream in
            let consumer =
                group.createConsumer(named: name.span, nowMilliseconds: 1) ?? group.consumer(named: name.span)
            guard let consumer else { return }
            var walk = stream.walk(above: group.lastID, group.bookmark)
            while let entry = walk.next() {
                stream.advance(group, to: entry.id)
                group.deliver(entry.id, to: consumer, nowMilliseconds: 2)
            }
            if round % 5 == 0 { _ = group.deleteConsumer(consumer) }
        }
    }
}
