// EvictionShadowTests.swift - simulated caches against the caches they stand for: LRU to the last hit, the server's own
// order against its real hand, a sample against the whole; and what counts as a fill, a use, an end.
internal import Base
@testable internal import Keyspace
internal import Structures
internal import Testing

@Suite("Eviction advisor's caches")
struct EvictionShadowTests {
    private static let everything: [ShadowRule] = [
        ShadowRule("own", .unused), ShadowRule("counted", .counted), ShadowRule("modified", .modified),
        ShadowRule("random", .random), ShadowRule("ttl", .soonestExpiry, onlyVolatile: true),
        ShadowRule("lru", .leastRecent), ShadowRule("lfu", .leastFrequent), ShadowRule("never", .never),
    ]

    private static func identity(_ key: Int) -> UInt64 {
        let text = Array("key:\(key)".utf8)
        return ShadowSampling.identity(KeyHash.hash(text.span, seed: 7), database: 0)
    }

    /// Capacities of so many keys of a hundred bytes, times the factors.
    private static func limit(_ shadow: EvictionShadow, keys: Int) {
        shadow.setCapacities(EvictionShadow.factors.map { Int(Double(keys * 100) * $0) }, now: 1)
    }

    /// A client of a cache that the server never finds anything in: reads, and writes what was not there.
    private static func ask(_ shadow: EvictionShadow, _ key: Int, byteCount: Int = 100, deadline: UInt32 = 0) {
        let identity = identity(key)
        guard shadow.sampling.contains(identity) else { return }
        shadow.read(identity, database: 0, real: nil, now: 1)
        shadow.wrote(identity, database: 0, real: ShadowKey(byteCount: byteCount, deadline: deadline), now: 1)
    }

    /// About Zipf's law with exponent 1 over 16,384 keys.
    private static func rank(_ generator: inout RandomGenerator) -> Int {
        let octave = Int(generator.next() % 14)
        return 1 << octave + Int(generator.next() % UInt64(1 << octave)) - 1
    }

    private static func ratios(_ shadow: EvictionShadow, _ name: String, reads: Int) -> [Double] {
        shadow.outcomes(reads: reads).first { "\($0.rule.name)" == name }?.hitRatios ?? []
    }

    @Test("LRU hits exactly where a naive LRU of as many bytes does, in all four memories")
    func leastRecentIsExact() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomGenerator(seed: seed)
        let shadow = EvictionShadow(rules: [ShadowRule("lru", .leastRecent)], keyCountMax: 40_000, seed: seed)
        EvictionShadowTests.limit(shadow, keys: 500)
        var models = EvictionShadow.factors.map { NaiveCache(limit: Int(50_000 * $0)) }
        for _ in 0..<20_000 {
            let key = EvictionShadowTests.rank(&generator)
            // The size is the key's own: what is larger pushes out more.
            let byteCount = 40 + key % 7 * 30
            EvictionShadowTests.ask(shadow, key, byteCount: byteCount)
            for index in models.indices { models[index].ask(key, byteCount) }
        }
        let ratios = EvictionShadowTests.ratios(shadow, "lru", reads: 20_000)
        let expected = models.map { Double($0.hits) / 20_000 }
        #expect(zip(ratios, expected).allSatisfy { abs($0 - $1) < 1e-9 }, "\(ratios) \(expected), seed \(seed)")
        #expect(shadow.sampling.shift == 0)
    }

    @Test("the server's own order hits as its real hand does", arguments: [300, 2000])
    func ownOrderIsLikeTheHand(keys: Int) {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomGenerator(seed: seed)
        let shadow = EvictionShadow(rules: [ShadowRule("own", .unused)], keyCountMax: 40_000, seed: seed)
        let real = RealCache(limit: keys * 160)
        var reads = 0
        for _ in 0..<60_000 {
            let key = EvictionShadowTests.rank(&generator)
            reads += 1
            let identity = EvictionShadowTests.identity(key)
            shadow.setCapacities(EvictionShadow.factors.map { Int(Double(real.limit) * $0) }, now: 1)
            let found = real.cost(of: key).map { ShadowKey(byteCount: $0, deadline: 0) }
            shadow.read(identity, database: 0, real: found, now: 1)
            real.ask(key)
            if found == nil, let cost = real.cost(of: key) {
                shadow.wrote(identity, database: 0, real: ShadowKey(byteCount: cost, deadline: 0), now: 1)
            }
        }
        let measured = Double(real.hits) / Double(reads)
        let predicted = EvictionShadowTests.ratios(shadow, "own", reads: reads)
        #expect(abs(predicted[1] - measured) < 0.02, "\(predicted[1]) against \(measured), seed \(seed)")
        #expect(predicted[0] < predicted[1] && predicted[1] < predicted[2] && predicted[2] < predicted[3])
    }

    @Test("a sample in bounded memory tells what all keys would")
    func samplesTellTheWhole() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomGenerator(seed: seed)
        let whole = EvictionShadow(rules: EvictionShadowTests.everything, keyCountMax: 40_000, seed: 1)
        let sample = EvictionShadow(rules: EvictionShadowTests.everything, keyCountMax: 4096, seed: 2)
        for shadow in [whole, sample] { EvictionShadowTests.limit(shadow, keys: 1000) }
        let before = sample.allocatedByteCount
        for _ in 0..<60_000 {
            let key = EvictionShadowTests.rank(&generator)
            EvictionShadowTests.ask(whole, key)
            EvictionShadowTests.ask(sample, key)
        }
        #expect(sample.sampling.shift > 0 && sample.keyCount <= 4096)
        #expect(sample.allocatedByteCount == before)
        for rule in EvictionShadowTests.everything where rule.order != .never && rule.order != .soonestExpiry {
            let name = "\(rule.name)"
            let all = EvictionShadowTests.ratios(whole, name, reads: 60_000)
            let some = EvictionShadowTests.ratios(sample, name, reads: 60_000)
            for (left, right) in zip(all, some) {
                #expect(abs(left - right) < 0.05, "\(name): \(all) \(some), seed \(seed)")
            }
        }
    }

    @Test("keys never seen again crowd nobody out for ever: memory stays, the sample shrinks")
    func scansStayBounded() {
        let shadow = EvictionShadow(rules: EvictionShadowTests.everything, keyCountMax: 1024, seed: 3)
        EvictionShadowTests.limit(shadow, keys: 100)
        for key in 0..<200_000 { EvictionShadowTests.ask(shadow, key) }
        #expect(shadow.keyCount <= 1024)
        #expect(shadow.sampling.shift < 4, "\(shadow.sampling.shift): what nobody holds makes place")
        for outcome in shadow.outcomes(reads: 200_000) where outcome.rule.order != .never {
            #expect(outcome.hitRatios.allSatisfy { $0 < 0.1 }, "\(outcome)")
        }
    }

    @Test("a write behind a read without a find fills and is no use; any other write is one")
    func fillsAreNoUses() {
        let shadow = EvictionShadow(rules: [ShadowRule("own", .unused)], keyCountMax: 64, seed: 4)
        EvictionShadowTests.limit(shadow, keys: 16)
        let key = EvictionShadowTests.identity(1)
        let real = ShadowKey(byteCount: 100, deadline: 0)
        func uses() -> UInt8 { shadow.records.find(key).map { shadow.states[$0 * 4 + 1] & 0x0F } ?? 99 }
        EvictionShadowTests.ask(shadow, 1)
        #expect(uses() == 0)
        shadow.wrote(key, database: 0, real: real, now: 1)
        #expect(uses() == 1)
        shadow.read(key, database: 0, real: real, now: 1)
        #expect(uses() == 2)
        // The server has lost it, the simulated cache has not.
        EvictionShadowTests.ask(shadow, 1)
        #expect(uses() == 3)
        shadow.removed(key)
        EvictionShadowTests.ask(shadow, 1)
        #expect(uses() == 0)
        let misses = shadow.caches.map(\.misses)
        #expect(misses == [2, 2, 2, 2])
    }

    @Test("what the server has fills a cache that misses; what nobody writes is missed by all")
    func whatFillsACache() {
        let shadow = EvictionShadow(rules: [ShadowRule("lru", .leastRecent)], keyCountMax: 64, seed: 5)
        EvictionShadowTests.limit(shadow, keys: 4)
        let real = ShadowKey(byteCount: 100, deadline: 0)
        for _ in 0..<3 { shadow.read(EvictionShadowTests.identity(1), database: 0, real: real, now: 1) }
        #expect(shadow.caches.map(\.misses) == [1, 1, 1, 1])
        for _ in 0..<3 { shadow.read(EvictionShadowTests.identity(2), database: 0, real: nil, now: 1) }
        #expect(shadow.caches.map(\.misses) == [4, 4, 4, 4])
        shadow.resetCounts()
        #expect(shadow.caches.map(\.misses) == [0, 0, 0, 0] && shadow.sampledReads == 0)
    }

    @Test("expired keys are missed, swept away, and the soonest go first")
    func expiries() {
        let rules = [ShadowRule("ttl", .soonestExpiry, onlyVolatile: true)]
        let shadow = EvictionShadow(rules: rules, keyCountMax: 4096, seed: 6)
        EvictionShadowTests.limit(shadow, keys: 400)
        for key in 0..<200 { EvictionShadowTests.ask(shadow, key) }
        for key in 200..<1400 { EvictionShadowTests.ask(shadow, key, deadline: UInt32(100 + key)) }
        // The second cache holds 400: the 200 that may not go, and what expires last.
        let held = (0..<1400).filter { key in
            shadow.records.find(EvictionShadowTests.identity(key)).map { shadow.caches[1].holds($0) } ?? false
        }
        #expect(held.count == 400 && held.prefix(200).allSatisfy { $0 < 200 })
        let late = held.count { $0 >= 1100 }
        #expect(late > 150, "\(late) of 200")
        for _ in 0..<8 { shadow.expireSlice(now: 5000) }
        #expect(shadow.caches.map(\.count) == [200, 200, 200, 200])
        shadow.read(EvictionShadowTests.identity(1399), database: 0, real: nil, now: 5000)
        #expect(shadow.caches[1].misses == 1401)
    }

    @Test("where nothing may go nothing comes when all is full")
    func neverEvicts() {
        let shadow = EvictionShadow(rules: [ShadowRule("never", .never)], keyCountMax: 64, seed: 7)
        EvictionShadowTests.limit(shadow, keys: 4)
        for key in 0..<20 { EvictionShadowTests.ask(shadow, key) }
        #expect(shadow.caches.map(\.count) == [2, 4, 8, 16])
        shadow.removeAll()
        #expect(shadow.caches.map(\.count) == [0, 0, 0, 0] && shadow.caches.allSatisfy { $0.byteCount == 0 })
    }

    @Test("records against a dictionary")
    func recordsAgainstModel() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomGenerator(seed: seed)
        var records = ShadowRecords(capacity: 100, random: &generator)
        var model: [UInt64: Int] = [:]
        var held: Set<UInt64> = []
        for _ in 0..<20_000 {
            // Few homes, so that many keys stand behind one another.
            let identity = generator.next() % 300 * 64
            let place = records.find(identity)
            #expect(place == model[identity], "seed \(seed)")
            if let place {
                if held.contains(identity) {
                    records.release(place)
                    held.remove(identity)
                } else {
                    records.hold(place)
                    held.insert(identity)
                }
            } else if !records.isFull {
                let fresh = records.add(identity, database: 0) { gone in
                    model = model.filter { $0.value != gone }
                }
                model[identity] = fresh
            }
            let count = records.count
            let idle = records.idleCount
            #expect(count == model.count && idle == model.count - held.count, "seed \(seed)")
        }
        #expect(held.allSatisfy { model[$0] != nil })
    }
}

/// LRU by the book, by scanning.
private struct NaiveCache {
    let limit: Int
    private var keys: [(key: Int, byteCount: Int)] = []
    private(set) var hits = 0

    init(limit: Int) { self.limit = limit }

    mutating func ask(_ key: Int, _ byteCount: Int) {
        if let index = keys.firstIndex(where: { $0.key == key }) {
            hits += 1
            keys.append(keys.remove(at: index))
            return
        }
        keys.append((key, byteCount))
        var used = keys.reduce(0) { $0 + $1.byteCount }
        while used > limit { used -= keys.removeFirst().byteCount }
    }
}

/// The server's hand over a keyspace, filled by whoever misses.
private final class RealCache {
    var keyspace = Keyspace(databaseCount: 1)
    var hand = EvictionHand()
    let limit: Int
    private(set) var hits = 0

    init(limit: Int) { self.limit = limit }

    func cost(of number: Int) -> Int? {
        let key = Array("key:\(number)".utf8)
        let hash = keyspace[0].table.hash(key.span)
        guard let slot = keyspace.find(key.span, hash: hash, in: 0) else { return nil }
        return keyspace[0].memoryUsage(of: slot.entry)
    }

    func ask(_ number: Int) {
        let key = Array("key:\(number)".utf8)
        let hash = keyspace[0].table.hash(key.span)
        if let slot = keyspace.find(key.span, hash: hash, in: 0) {
            hits += 1
            return keyspace.noteAccess(slot.entry, silently: false)
        }
        let value = [UInt8](repeating: 1, count: 100)
        keyspace.setString(key.span, hash: hash, in: 0, slot: nil, value: value.span, expiry: nil)
        if keyspace[0].byteCount > limit * 9 / 10 && !hand.isOn { hand.begin(&keyspace) }
        let policy = EvictionPolicy(order: .unused, onlyVolatile: false)
        while keyspace[0].byteCount > limit {
            _ = hand.step(&keyspace, policy, excess: keyspace[0].byteCount - limit) { 1 }
        }
    }
}
