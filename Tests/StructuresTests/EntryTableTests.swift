// EntryTableTests.swift - randomised model tests of the segmented table and its arena against a Swift dictionary.
// The seed is printed with every failure; set FOG_TEST_SEED to repeat a run.
import Base
import CLinux
import Structures
import Testing

private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// A table with its arena, as the keyspace uses them.
private struct Store: ~Copyable {
    var table = EntryTable()
    var arena = EntryArena()

    mutating func set(_ key: [UInt8], _ value: [UInt8], expiry: Int64? = nil) {
        let hash = table.hash(key.span)
        let size = Entry.byteCount(keyByteCount: key.count, valueByteCount: value.count, hasExpiry: expiry != nil)
        let entry = arena.allocate(size)
        entry.initialize(
            type: 0, encoding: 1, hasExpiry: expiry != nil, keyByteCount: key.count, valueByteCount: value.count)
        if let expiry { entry.expiryMilliseconds = expiry }
        for (index, byte) in key.enumerated() { unsafe entry.keyAddress[index] = byte }
        for (index, byte) in value.enumerated() { unsafe entry.valueAddress[index] = byte }
        if let slot = table.find(key.span, hash: hash) {
            let old = slot.entry
            table.replace(slot, with: entry)
            arena.free(old)
        } else {
            table.insert(entry, hash: hash)
        }
    }

    mutating func remove(_ key: [UInt8]) -> Bool {
        let hash = table.hash(key.span)
        guard let slot = table.find(key.span, hash: hash) else { return false }
        let entry = slot.entry
        table.remove(slot, hash: hash)
        arena.free(entry)
        return true
    }

    func get(_ key: [UInt8]) -> [UInt8]? {
        guard let slot = table.find(key.span, hash: table.hash(key.span)) else { return nil }
        return bytes(slot.entry.value)
    }
}

private func bytes(_ span: Span<UInt8>) -> [UInt8] {
    var copy: [UInt8] = []
    for index in 0..<span.count { copy.append(span[index]) }
    return copy
}

@Suite struct EntryTableTests {
    @Test(arguments: [1, 2, 3, 4])
    func behavesAsADictionary(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        var store = Store()
        var model: [[UInt8]: [UInt8]] = [:]
        for step in 0..<120_000 {
            let growing = (step / 30_000) % 2 == 0
            let key = Array("key:\(random.next() % 20_000)".utf8)
            if random.next() % 10 < (growing ? 7 : 3) {
                let length = Int(random.next() % (random.next() % 50 == 0 ? 3000 : 90))
                let value = [UInt8](repeating: UInt8(truncatingIfNeeded: step), count: length)
                store.set(key, value, expiry: random.next() % 3 == 0 ? Int64(step) : nil)
                model[key] = value
            } else {
                let removed = store.remove(key)
                #expect(removed == (model.removeValue(forKey: key) != nil), "seed \(seed)")
            }
            let count = store.table.count
            if step % 1000 == 0 { #expect(count == model.count, "seed \(seed) step \(step)") }
        }
        for (key, value) in model {
            let found = store.get(key)
            #expect(found == value, "seed \(seed)")
        }
        var visited = 0
        store.table.forEach { _ in visited += 1 }
        #expect(visited == model.count)
        for key in model.keys { _ = store.remove(key) }
        let left = [
            store.table.count, store.table.expiryCount, store.table.allocatedByteCount, store.arena.usedByteCount,
        ]
        #expect(left == [0, 0, 0, 0])
    }

    /// Keys present during the whole scan are seen, and seen once when nothing else happens.
    @Test(arguments: [10, 500, 5000, 50_000])
    func scanSeesEveryKeyOnce(size: Int) {
        var store = Store()
        for index in 0..<size { store.set(Array("k\(index)".utf8), [1]) }
        var seen: [[UInt8]: Int] = [:]
        var cursor: UInt64 = 0
        repeat {
            cursor = store.table.scan(cursor: cursor) { seen[bytes($0.key), default: 0] += 1 }
        } while cursor != 0
        #expect(seen.count == size)
        #expect(seen.values.allSatisfy { $0 == 1 })
    }

    @Test(arguments: [true, false])
    func scanSurvivesResizing(growing: Bool) {
        var store = Store()
        let stable = (0..<3000).map { Array("stable:\($0)".utf8) }
        for key in stable { store.set(key, [1]) }
        if !growing { for index in 0..<60_000 { store.set(Array("noise:\(index)".utf8), [2]) } }
        var seen: Set<[UInt8]> = []
        var cursor: UInt64 = 0
        var step = 0
        repeat {
            cursor = store.table.scan(cursor: cursor) { seen.insert(bytes($0.key)) }
            for offset in 0..<40 {
                let key = Array("noise:\(step * 40 + offset)".utf8)
                if growing && step < 1500 { store.set(key, [2]) } else if !growing { _ = store.remove(key) }
            }
            step += 1
        } while cursor != 0
        #expect(stable.allSatisfy { seen.contains($0) })
    }

    @Test func sweepFindsExactlyTheExpired() {
        var store = Store()
        for index in 0..<20_000 {
            store.set(Array("k\(index)".utf8), [1], expiry: index % 2 == 0 ? Int64(index) : nil)
        }
        func sweep(_ now: Int64) -> Set<[UInt8]> {
            var dead: Set<[UInt8]> = []
            var position: UInt64? = 0
            while let here = position {
                position = store.table.sweepExpired(at: here, now: now) { dead.insert(bytes($0.key)) }
            }
            return dead
        }
        let dead = sweep(9999)
        #expect(dead.count == 5000)
        for key in dead {
            let removed = store.remove(key)
            #expect(removed)
        }
        #expect(sweep(9999).isEmpty)
        #expect(sweep(20_000).count == 5000)
        let left = store.table.expiryCount
        #expect(left == 5000)
    }

    /// Removal in hash order leaves crowded segments behind, which must not be merged into one that cannot hold them;
    /// and a sweep that removes as it goes must visit everything although segments merge under it.
    @Test func oneSweepRemovesEverythingDue() {
        var store = Store()
        for index in 0..<100_000 { store.set(Array("k\(index)".utf8), [1], expiry: index % 10 == 0 ? 20 : 10) }
        let before = store.table.allocatedByteCount
        for (now, left) in [(10, 10_000), (20, 0)] as [(Int64, Int)] {
            var position: UInt64? = 0
            while let here = position {
                var dead: [[UInt8]] = []
                position = store.table.sweepExpired(at: here, now: now) { dead.append(bytes($0.key)) }
                for key in dead {
                    let removed = store.remove(key)
                    #expect(removed)
                }
            }
            let count = store.table.count
            #expect(count == left)
        }
        let after = store.table.allocatedByteCount
        #expect(after < before / 20)
    }

    @Test func randomPicksAreSpread() {
        var store = Store()
        for index in 0..<1000 { store.set(Array("k\(index)".utf8), [1]) }
        var random = SeededGenerator(state: 7)
        var counts: [[UInt8]: Int] = [:]
        for _ in 0..<100_000 {
            if let entry = store.table.randomEntry({ random.next() }) { counts[bytes(entry.key), default: 0] += 1 }
        }
        #expect(counts.count == 1000)
        #expect(counts.values.allSatisfy { $0 > 40 && $0 < 200 })
    }

    /// Room made beforehand, for fewer, as many and more keys than come: a table as any other, of about the size to
    /// which it would have grown.
    @Test(arguments: [1000, 30_000, 50_000, 200_000])
    func roomMadeBeforehandChangesNothing(promised: Int) {
        var store = Store()
        store.table.reserve(promised)
        for index in 0..<50_000 { store.set(Array("k\(index)".utf8), [1], expiry: index % 2 == 0 ? 1 : nil) }
        let perKey = Double(store.table.allocatedByteCount) / Double(max(promised, 50_000))
        #expect(perKey > 9 && perKey < 18, "\(perKey)")
        store.table.reserve(1_000_000)
        let unchanged = Double(store.table.allocatedByteCount) / Double(max(promised, 50_000))
        #expect(unchanged == perKey)
        var seen: Set<[UInt8]> = []
        var cursor: UInt64 = 0
        repeat {
            cursor = store.table.scan(cursor: cursor) { seen.insert(bytes($0.key)) }
        } while cursor != 0
        #expect(seen.count == 50_000)
        for key in seen { _ = store.remove(key) }
        let left = [store.table.count, store.table.expiryCount, store.table.allocatedByteCount]
        #expect(left == [0, 0, 0])
    }

    @Test func memoryPerKeyStaysLow() {
        var store = Store()
        for index in 0..<200_000 { store.set(Array("key:\(index)".utf8), [1]) }
        let perKey = Double(store.table.allocatedByteCount) / 200_000
        #expect(perKey < 15.5)
    }
}
