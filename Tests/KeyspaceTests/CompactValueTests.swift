// CompactValueTests.swift - listpacks and intsets inside their key's entry, edited at random against an array: the
// bytes stay right whether an edit happened in place, moved the entry or let it shrink, and the database's byte account
// ends where it began.
internal import Base
internal import Keyspace
internal import Structures
internal import Testing

@Suite("CompactValue")
struct CompactValueTests {
    @Test("a listpack in an entry follows an array", arguments: [nil, 1_900_000_000_000] as [Int64?])
    func listpack(expiry: Int64?) {
        var generator = RandomNumbers(state: 7)
        let keyspace = KeyspaceBox()
        let key = Array("a key".utf8)
        let hash = keyspace.value[0].table.hash(key.span)
        keyspace.value.setCompact(
            key.span, hash: hash, in: 0, slot: nil, type: .hash, encoding: .listpack, bytes: Listpack().span,
            expiry: expiry)
        var model: [[UInt8]] = []
        for step in 0..<4000 {
            let slot = keyspace.slot(key, hash)
            if model.count < 4 || generator.below(100) < (step / 500 % 2 == 0 ? 70 : 30) {
                let element = [UInt8](repeating: UInt8(97 + generator.below(26)), count: generator.below(90))
                let honest = generator.below(4) != 0
                keyspace.value.updateListpack(
                    slot, in: 0, adding: honest ? Listpack.entryByteCount(of: element.span) : 0
                ) { $0.append(element.span) }
                model.append(element)
            } else {
                let index = generator.below(model.count)
                keyspace.value.updateListpack(slot, in: 0) { _ = $0.removeRange(index: index, count: 1) }
                model.remove(at: index)
            }
            let entry = keyspace.slot(key, hash).entry
            #expect(entry.expiry == expiry)
            if step % 16 == 0 { #expect(elements(entry.listpack) == model) }
        }
        keyspace.value.remove(keyspace.slot(key, hash), hash: hash, in: 0)
        #expect(keyspace.value[0].arena.usedByteCount == 0)
        #expect(keyspace.value[0].externalByteCount == 0)
    }

    @Test("an intset in an entry widens and empties")
    func intset() {
        let keyspace = KeyspaceBox()
        let key = Array("numbers".utf8)
        let hash = keyspace.value[0].table.hash(key.span)
        keyspace.value.setCompact(
            key.span, hash: hash, in: 0, slot: nil, type: .set, encoding: .intset, bytes: Intset().span, expiry: nil)
        let values: [Int64] = [5, -3, 70_000, 1, .max, .min, 0]
        for value in values {
            keyspace.value.updateIntset(keyspace.slot(key, hash), in: 0, adding: 8) { $0.add(value) }
        }
        let view = keyspace.slot(key, hash).entry.intset
        #expect(view.count == values.count)
        #expect((0..<values.count).map { view[$0] } == values.sorted())
        for value in values {
            keyspace.value.updateIntset(keyspace.slot(key, hash), in: 0) { $0.remove(value) }
        }
        #expect(keyspace.slot(key, hash).entry.intset.count == 0)
    }

    private func elements(_ view: ListpackView) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var offset = view.startOffset
        while let element = view.next(&offset) {
            element.withText { text in found.append(text.indices.map { text[$0] }) }
        }
        return found
    }
}

/// A keyspace that closures may reach.
private final class KeyspaceBox {
    var value = Keyspace(databaseCount: 1)

    func slot(_ key: [UInt8], _ hash: UInt64) -> EntryTable.Slot {
        guard let slot = value.find(key.span, hash: hash, in: 0) else { preconditionFailure("the key is there") }
        return slot
    }
}

/// Numbers that are the same in every run.
private struct RandomNumbers {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }
}
