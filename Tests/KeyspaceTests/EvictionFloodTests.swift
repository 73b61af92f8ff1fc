// EvictionFloodTests.swift - keys that are used stay while many times a cache of new keys runs through, however the new
// ones come: one at a time, or in bursts that are large beside what is on probation (one MSET), small or large values.
internal import Base
internal import Keyspace
internal import Structures
internal import Testing

@Suite("Eviction under a flood")
struct EvictionFloodTests {
    private final class Cache {
        var keyspace = Keyspace(databaseCount: 1)
        var hand = EvictionHand()
        var generator = RandomGenerator(seed: 5)
        let policy: EvictionPolicy

        init(countsUses: Bool) {
            policy = EvictionPolicy(order: .unused, onlyVolatile: false, countsUses: countsUses)
            keyspace.setUseCounting(countsUses ? .frequent : .recent)
        }

        func set(_ name: String, byteCount: Int) {
            let key = Array(name.utf8)
            let hash = keyspace[0].table.hash(key.span)
            let value = [UInt8](repeating: UInt8(ascii: "v"), count: byteCount)
            keyspace.setString(key.span, hash: hash, in: 0, slot: nil, value: value.span, expiry: nil)
        }

        /// Uses a key as often as `times` says; false when it is gone.
        func use(_ key: [UInt8], times: Int) -> Bool {
            let hash = keyspace[0].table.hash(key.span)
            guard let slot = keyspace.find(key.span, hash: hash, in: 0) else { return false }
            for _ in 0..<times { keyspace.noteAccess(slot.entry, silently: false) }
            return true
        }

        var byteCount: Int { keyspace[0].byteCount }

        /// Evicts until at most `limit` bytes are held, as the engine does before a command.
        func makeRoom(under limit: Int) -> Int {
            var evicted = 0
            var fruitless = 0
            while byteCount > limit && fruitless < 1000 {
                let count = hand.step(&keyspace, policy, excess: byteCount - limit) { generator.next() }
                fruitless = count == 0 ? fruitless + 1 : 0
                evicted += count
            }
            return evicted
        }
    }

    struct Flood: CustomTestStringConvertible, Sendable {
        /// Keys that fit, new keys of one burst, evictions in all.
        let keyCount: Int
        let burstCount: Int
        let evictionCount: Int
        var valueByteCount = 200
        var countsUses = false

        var testDescription: String {
            "\(keyCount) keys, bursts of \(burstCount), \(evictionCount) evictions of \(valueByteCount) bytes"
        }
    }

    private static let floods: [Flood] = [
        Flood(keyCount: 2000, burstCount: 1, evictionCount: 30_000),
        Flood(keyCount: 2000, burstCount: 10, evictionCount: 30_000),
        Flood(keyCount: 2000, burstCount: 100, evictionCount: 100_000),
        Flood(keyCount: 2000, burstCount: 100, evictionCount: 30_000, countsUses: true),
        Flood(keyCount: 2000, burstCount: 150, evictionCount: 40_000),
        Flood(keyCount: 2000, burstCount: 240, evictionCount: 40_000),
        Flood(keyCount: 500, burstCount: 50, evictionCount: 20_000),
        Flood(keyCount: 20_000, burstCount: 1500, evictionCount: 100_000),
        Flood(keyCount: 20_000, burstCount: 7, evictionCount: 60_000, countsUses: true),
        Flood(keyCount: 4000, burstCount: 1, evictionCount: 30_000, valueByteCount: 8000),
    ]

    /// What is read twice in a quarter of a cache's worth of new keys is as hot as a key must be to stay under any
    /// policy; what is read three times in a whole cache's worth stays only as long as the new keys are on probation in
    /// a small part of memory.
    @Test("used keys stay, whatever the bursts", arguments: floods)
    private func keepsUsedKeys(flood: Flood) {
        let cache = Cache(countsUses: flood.countsUses)
        let hot = (0..<20).map { Array("hot:\($0)".utf8) }
        let warm = (0..<20).map { Array("warm:\($0)".utf8) }
        for index in 0..<20 {
            cache.set("hot:\(index)", byteCount: 20)
            cache.set("warm:\(index)", byteCount: 20)
        }
        for index in 0..<(flood.keyCount - 40) { cache.set("filler:\(index)", byteCount: 200) }
        let limit = cache.byteCount
        let room = limit * flood.burstCount / flood.keyCount * flood.valueByteCount / 200
        // How many of the flood's keys fill the memory.
        let turnover = max(1, flood.keyCount * 200 / flood.valueByteCount)
        var (written, evicted, hotNext, warmNext) = (0, 0, 0, 0)
        var lost: [String] = []
        while evicted < flood.evictionCount {
            if written >= hotNext {
                hotNext = written + turnover / 4
                for key in hot where !cache.use(key, times: 2) { lost.append("hot at \(evicted)") }
            }
            if written >= warmNext {
                warmNext = written + turnover
                for key in warm where !cache.use(key, times: 3) { lost.append("warm at \(evicted)") }
            }
            guard lost.isEmpty else { break }
            evicted += cache.makeRoom(under: limit - room)
            for _ in 0..<flood.burstCount {
                cache.set("cold:\(written)", byteCount: flood.valueByteCount)
                written += 1
            }
        }
        #expect(lost.isEmpty, "\(lost.count) used keys are lost: \(lost.prefix(3))")
    }
}
