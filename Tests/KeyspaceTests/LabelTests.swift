// LabelTests.swift - labels of keys through everything that moves or replaces an entry: values that change their form,
// copies, renames, moves, expiries, flushes, sweeps and snapshots.
import Base
import Keyspace
import Structures
import Testing

/// A keyspace and what the tests do with it.
private final class Keys {
    var keyspace: Keyspace

    init(databaseCount: Int) { keyspace = Keyspace(databaseCount: databaseCount) }

    func hash(_ key: String) -> UInt64 { KeyHash.hash(Array(key.utf8).span, seed: KeyHash.seed) }

    func set(_ key: String, _ value: String, in database: Int = 0) {
        let slot = slot(key, in: database)
        keyspace.setString(
            Array(key.utf8).span, hash: hash(key), in: database, slot: slot, value: Array(value.utf8).span,
            expiry: nil)
    }

    func slot(_ key: String, in database: Int = 0) -> EntryTable.Slot? {
        keyspace.find(Array(key.utf8).span, hash: hash(key), in: database)
    }

    func label(_ key: String, _ tags: [String], in database: Int = 0) {
        guard let slot = slot(key, in: database) else { return }
        var label = EntryLabel()
        label.cohort = keyspace.tags.cohort(of: tags.map { keyspace.tags.tag(Array($0.utf8).span) })
        label.writtenMilliseconds = 7
        keyspace.setLabel(slot, in: database, label)
    }

    func written(_ key: String) -> Int64? { slot(key)?.entry.label.writtenMilliseconds }

    func text(_ key: String, in database: Int = 0) -> String? {
        guard let slot = slot(key, in: database) else { return nil }
        if let number = slot.entry.integerValue { return "\(number)" }
        return slot.entry.stringBytes().text
    }

    func count(_ tag: String) -> Int { keyspace.tags.keyCount(of: Array(tag.utf8).span) }
    func invalidate(_ tag: String) -> Int { keyspace.tags.invalidate(Array(tag.utf8).span) }
    var deadCount: Int { keyspace.tags.deadKeyCount }
    var hasNoTags: Bool { keyspace.tags.isEmpty }
}

struct LabelTests {
    @Test func aLabelledValueIsRead() {
        let keys = Keys(databaseCount: 2)
        for value in ["short", "12345", String(repeating: "v", count: 3000), String(repeating: "w", count: 70_000)] {
            keys.set("key", value)
            keys.label("key", ["a"])
            #expect(keys.text("key") == value)
            #expect(keys.written("key") == 7)
            #expect(keys.count("a") == 1)
        }
    }

    @Test func replacingForgetsAndEditingKeeps() throws {
        let keys = Keys(databaseCount: 1)
        keys.set("key", "value")
        keys.label("key", ["a"])
        keys.set("key", "other")
        #expect(keys.count("a") == 0)
        keys.label("key", ["a"])
        let hash = keys.hash("key")
        for size in [3, 100, 5000, 40_000] {
            let slot = try #require(keys.slot("key"))
            let start = slot.entry.stringByteCount
            keys.keyspace.overwriteString(
                slot, hash: hash, in: 0, at: start, with: [UInt8](repeating: 120, count: size).span)
            let now = try #require(keys.slot("key"))
            #expect(now.entry.hasLabel)
            #expect(now.entry.stringByteCount == start + size)
            #expect(keys.count("a") == 1)
        }
        let before = try #require(keys.slot("key"))
        keys.keyspace.setExpiry(before, hash: hash, in: 0, to: 1 << 50)
        #expect(keys.written("key") == 7)
        let after = try #require(keys.slot("key"))
        keys.keyspace.setExpiry(after, hash: hash, in: 0, to: nil)
        #expect(keys.count("a") == 1)
        #expect(keys.invalidate("a") == 1)
        #expect(keys.text("key") == nil)
        let (left, invalidated) = (keys.keyspace[0].count, keys.keyspace.statistics.invalidated)
        #expect(left == 0)
        #expect(invalidated == 1)
    }

    @Test func integersAreReplacedToo() {
        let keys = Keys(databaseCount: 1)
        keys.set("n", "5")
        keys.label("n", ["a"])
        keys.set("n", "6")
        #expect(keys.count("a") == 0)
        #expect(keys.invalidate("a") == 0)
        #expect(keys.text("n") == "6")
    }

    @Test func copiesRenamesAndMovesCarryTheirTags() throws {
        let keys = Keys(databaseCount: 2)
        keys.set("key", "value")
        keys.set("target", "old")
        keys.label("key", ["a"])
        keys.label("target", ["b"])
        let source = try #require(keys.slot("key")).entry
        keys.keyspace.copy(source, to: Array("copy".utf8).span, hash: keys.hash("copy"), in: 1)
        #expect(keys.count("a") == 2)
        let renamed = try #require(keys.slot("key"))
        keys.keyspace.rename(
            renamed, hash: keys.hash("key"), to: Array("target".utf8).span, newHash: keys.hash("target"), in: 0)
        #expect(keys.count("a") == 2)
        #expect(keys.count("b") == 0)
        let moved = try #require(keys.slot("target"))
        keys.keyspace.move(moved, hash: keys.hash("target"), from: 0, to: 1)
        #expect(keys.count("a") == 2)
        keys.keyspace.swap(0, 1)
        #expect(keys.invalidate("a") == 2)
        #expect(keys.text("target", in: 0) == nil)
        #expect(keys.text("copy", in: 0) == nil)
        #expect(keys.hasNoTags)
    }

    @Test func flushingForgetsAll() {
        let keys = Keys(databaseCount: 2)
        for index in 0..<100 {
            keys.set("k\(index)", "v", in: index % 2)
            keys.label("k\(index)", ["a", "t\(index % 3)"], in: index % 2)
        }
        #expect(keys.count("a") == 100)
        keys.keyspace.flush(0, inBackground: false)
        #expect(keys.count("a") == 50)
        #expect(keys.invalidate("a") == 50)
        keys.keyspace.flush(1, inBackground: false)
        #expect(keys.hasNoTags)
        #expect(keys.deadCount == 0)
    }

    @Test func theSweepTakesTheDead() {
        let keys = Keys(databaseCount: 3)
        for index in 0..<5000 {
            keys.set("k\(index)", "v", in: index % 3)
            if index % 5 != 0 { keys.label("k\(index)", [index % 2 == 0 ? "even" : "odd"], in: index % 3) }
        }
        #expect(keys.invalidate("even") == 2000)
        var sweep = TagSweep()
        var slices = 0
        while !sweep.run(&keys.keyspace, clock: Clock(), deadlineNanoseconds: 0) { slices += 1 }
        let left = keys.keyspace.count
        #expect(slices > 1)
        #expect(left == 3000)
        #expect(keys.deadCount == 0)
        #expect(keys.count("odd") == 2000)
    }
}
