// ListValueTests.swift - lists in all their forms against plain arrays: small ones in their entry, larger ones outside
// of it under either name, and back. The seed is printed when something differs.
import Base
import Keyspace
import Structures
import Testing

struct ListValueTests {
    /// A keyspace and what should be in it.
    private struct Pair: ~Copyable {
        var keyspace = Keyspace(databaseCount: 2)
        var lists: [[UInt8]: [[UInt8]]] = [:]
        var random: RandomGenerator
        let options: ListOptions
        let names = (0..<3).map { Array("list:\($0)".utf8) }
        /// Encodings that were seen.
        var forms: Set<Int> = []
        var externalByteCountMax = 0

        init(seed: UInt64, fill: Int) {
            random = RandomGenerator(seed: seed)
            options = ListOptions(limits: ListLimits(fill: fill), compressDepth: 0)
        }

        mutating func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

        mutating func element() -> [UInt8] {
            let part = "\(below(100))"
            return Array(String(repeating: part, count: 1 + below(40)).utf8)
        }

        static func hash(_ name: [UInt8]) -> UInt64 { KeyHash.hash(name.span, seed: KeyHash.seed) }

        mutating func change(_ slot: EntryTable.Slot, _ change: ListChange, _ body: (inout ListEditor) -> Void) {
            keyspace.updateList(slot, in: 0, change, options, body)
        }

        mutating func make(_ name: [UInt8]) {
            let added = element()
            let growth = ListGrowth(added.span)
            keyspace.makeList(name.span, hash: Pair.hash(name), in: 0, for: growth)
            guard let slot = keyspace.find(name.span, hash: Pair.hash(name), in: 0) else { return }
            change(slot, .growing(growth)) { $0.append(added.span) }
            lists[name] = [added]
        }

        mutating func grow(_ slot: EntryTable.Slot, _ list: inout [[UInt8]]) {
            let added = element()
            let growth = ListGrowth(added.span)
            let place = below(list.count)
            switch below(4) {
            case 0:
                change(slot, .growing(growth)) { $0.insert(added.span, at: place) }
                list.insert(added, at: place)
            case 1:
                change(slot, .growing(growth)) { $0.prepend(added.span) }
                list.insert(added, at: 0)
            default:
                change(slot, .growing(growth)) { $0.append(added.span) }
                list.append(added)
            }
        }

        mutating func edit(_ slot: EntryTable.Slot, _ list: inout [[UInt8]]) {
            let other = element()
            let place = below(list.count)
            switch below(6) {
            case 0:
                change(slot, .shrinking) { $0.removeRange(index: place, count: 5) }
                list.removeSubrange(place..<min(list.count, place + 5))
            case 1:
                let target = names[below(3)]
                keyspace.copy(slot.entry, to: target.span, hash: Pair.hash(target), in: 1)
            case 2:
                change(slot, .replacing(byteCount: other.count)) { $0.replace(at: place, with: other.span) }
                list[place] = other
            case 3:
                let needle = list[place]
                var removed = 0
                change(slot, .shrinking) { removed = $0.removeMatches(of: needle.span, fromTail: false, limit: 1) }
                if removed == 1, let index = list.firstIndex(of: needle) { list.remove(at: index) }
            case 4:
                change(slot, .shrinking) { $0.popFirst { _ in } }
                list.removeFirst()
            default:
                change(slot, .shrinking) { $0.popLast { _ in } }
                list.removeLast()
            }
        }

        /// The elements that the keyspace has for the slot.
        func elements(_ slot: EntryTable.Slot) -> [[UInt8]] {
            var found: [[UInt8]] = []
            var text = ByteBuffer()
            let entry = slot.entry
            var cursor = entry.list.cursor()
            while let element = cursor.next() {
                text.truncate(to: 0)
                element.append(to: &text)
                found.append(text.span.array)
            }
            return found
        }
    }

    @Test(arguments: [-2, 3, 40]) func followsAModel(fill: Int) {
        let seed = UInt64.random(in: 1...UInt64.max)
        var pair = Pair(seed: seed, fill: fill)
        for round in 0..<20000 {
            let name = pair.names[pair.below(3)]
            guard let slot = pair.keyspace.find(name.span, hash: Pair.hash(name), in: 0) else {
                pair.make(name)
                continue
            }
            var list = pair.lists[name] ?? []
            // Long stretches of growing and of shrinking, so that lists pass through all their forms.
            let isGrowing = round / 1000 % 2 == 0
            if pair.below(8) < (isGrowing ? 7 : 2) { pair.grow(slot, &list) } else { pair.edit(slot, &list) }
            pair.forms.insert(slot.entry.encoding)
            pair.externalByteCountMax = max(pair.externalByteCountMax, pair.keyspace[0].externalByteCount)
            if slot.entry.list.count != list.count || round % 16 == 0 && pair.elements(slot) != list {
                Issue.record("seed \(seed), round \(round)")
                return
            }
            pair.lists[name] = list
            if list.isEmpty {
                pair.keyspace.remove(slot, hash: Pair.hash(name), in: 0)
                pair.lists[name] = nil
            }
        }
        #expect(pair.forms == (fill == 3 ? [1, 9] : [1, 8, 9]), "seed \(seed)")
        #expect(pair.externalByteCountMax > 0)
        // Nothing is counted any more when the last list is gone.
        for database in 0..<2 {
            for name in pair.names { _ = pair.keyspace.remove(name.span, hash: Pair.hash(name), in: database) }
            #expect(pair.keyspace[database].externalByteCount == 0, "seed \(seed)")
        }
        // Lists that were too large to be freed at once wait here.
        let load = pair.keyspace.garbage.take()
        load.freeAll()
    }
}
