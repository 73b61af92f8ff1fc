// EvictionPolicyTests.swift - what the policy is worth: hit ratios on streams of keys with a random start, against LRU
// simulated beside it; the ghosts against a naive model; ages of entries through growth and shrinking of a table.
internal import Base
@testable internal import Keyspace
internal import Structures
internal import Testing

@Suite("Eviction policy")
struct EvictionPolicyTests {
    /// A cache of some bytes over a keyspace: every key that is asked for and missing is written.
    fileprivate final class Cache {
        var keyspace = Keyspace(databaseCount: 1)
        var hand = EvictionHand()
        let limit: Int
        private(set) var hits = 0
        private(set) var requests = 0

        init(limit: Int) { self.limit = limit }

        func ask(_ number: Int) {
            let key = Array("key:\(number)".utf8)
            let hash = keyspace[0].table.hash(key.span)
            requests += 1
            if let slot = keyspace.find(key.span, hash: hash, in: 0) {
                hits += 1
                keyspace.noteAccess(slot.entry, silently: false)
                return
            }
            let value = [UInt8](repeating: UInt8(ascii: "v"), count: 100)
            keyspace.setString(key.span, hash: hash, in: 0, slot: nil, value: value.span, expiry: nil)
            if keyspace[0].byteCount > limit * 9 / 10 && !hand.isOn { hand.begin(&keyspace) }
            let policy = EvictionPolicy(order: .unused, onlyVolatile: false)
            var steps = 0
            while keyspace[0].byteCount > limit {
                _ = hand.step(&keyspace, policy, excess: keyspace[0].byteCount - limit) { 1 }
                steps += 1
                precondition(steps < 1000, "the hand finds something to evict")
            }
        }

        var ratio: Double { Double(hits) / Double(requests) }
    }

    /// The keys that LRU would hold, by count.
    private struct LeastRecent {
        let capacity: Int
        private var stamps: [Int: Int] = [:]
        private var order: [(stamp: Int, key: Int)] = []
        private var head = 0
        private var time = 0
        private(set) var hits = 0

        init(capacity: Int) { self.capacity = capacity }

        mutating func ask(_ key: Int) {
            time += 1
            if stamps[key] != nil { hits += 1 }
            stamps[key] = time
            order.append((time, key))
            while stamps.count > capacity {
                let oldest = order[head]
                head += 1
                if stamps[oldest.key] == oldest.stamp { stamps[oldest.key] = nil }
            }
        }
    }

    /// About Zipf's law with exponent 1: the logarithm of the rank is uniform.
    private static func rank(_ count: Int, _ generator: inout RandomGenerator) -> Int {
        // 2^(u * log2(count)) by squaring would need Foundation; doubling a uniform number by parts is close enough.
        let octave = Int(generator.next() % UInt64(Int.bitWidth - 1 - count.leadingZeroBitCount))
        return 1 << octave + Int(generator.next() % UInt64(1 << octave)) - 1
    }

    @Test("popular keys: more hits than LRU with as many keys")
    func beatsLeastRecentlyUsed() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomGenerator(seed: seed)
        let cache = Cache(limit: 200_000)
        var ranks: [Int] = []
        for _ in 0..<60_000 { ranks.append(EvictionPolicyTests.rank(16_384, &generator)) }
        for rank in ranks { cache.ask(rank) }
        var recent = LeastRecent(capacity: cache.keyspace.count)
        for rank in ranks { recent.ask(rank) }
        let gain = cache.ratio - Double(recent.hits) / Double(ranks.count)
        #expect(gain > 0.02, "gained \(gain) over LRU, seed \(seed)")
    }

    @Test("a scan costs little of what is used")
    func resistsScans() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomGenerator(seed: seed)
        let cache = Cache(limit: 200_000)
        for _ in 0..<30_000 { cache.ask(EvictionPolicyTests.rank(1024, &generator)) }
        let before = (0..<1024).count { cache.holds($0) }
        for number in 100_000..<110_000 { cache.ask(number) }
        let kept = (0..<1024).count { cache.holds($0) }
        #expect(kept * 10 >= before * 8, "\(kept) of \(before) used keys outlived a scan, seed \(seed)")
    }

    @Test("a loop over ten times what fits hits sometimes")
    func holdsPartOfALoop() {
        let cache = Cache(limit: 150_000)
        for _ in 0..<12 {
            for number in 0..<10_000 { cache.ask(number) }
        }
        #expect(cache.ratio > 0.03, "\(cache.ratio)")
    }

    @Test("writing counts as use, a value of another size keeps its uses and its age")
    func keepsUsesOnReplacement() {
        let cache = Cache(limit: 1 << 20)
        cache.hand.begin(&cache.keyspace)
        let key = Array("k".utf8)
        let hash = cache.keyspace[0].table.hash(key.span)
        for size in [10, 100, 1000, 20_000] {
            let slot = cache.keyspace.find(key.span, hash: hash, in: 0)
            let value = [UInt8](repeating: 1, count: size)
            cache.keyspace.setString(key.span, hash: hash, in: 0, slot: slot, value: value.span, expiry: nil)
            guard let now = cache.keyspace.find(key.span, hash: hash, in: 0) else {
                Issue.record("the key is there")
                return
            }
            let age = now.age
            #expect(age == 1)
            cache.keyspace.noteAccess(now.entry, silently: false)
        }
        let uses = cache.keyspace.find(key.span, hash: hash, in: 0)?.entry.frequency
        #expect(uses == 3)
    }

    @Test("ages survive growth, splits, merges and removals of neighbours")
    func agesSurvive() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomGenerator(seed: seed)
        let cache = Cache(limit: .max)
        var model: [Int: UInt8] = [:]
        for round in 0..<40_000 {
            let number = Int(generator.next() % 8000)
            let key = Array("key:\(number)".utf8)
            let hash = cache.keyspace[0].table.hash(key.span)
            let slot = cache.keyspace.find(key.span, hash: hash, in: 0)
            let isShrinking = round > 25_000
            if let slot, isShrinking || generator.next() % 4 == 0 {
                cache.keyspace.remove(slot, hash: hash, in: 0)
                model[number] = nil
            } else if slot == nil && !isShrinking {
                let age = UInt8(generator.next() % 4)
                cache.keyspace[0].table.newcomerAge = age
                cache.keyspace.setString(key.span, hash: hash, in: 0, slot: nil, value: key.span, expiry: nil)
                model[number] = age
            }
        }
        var place = EntryTable.Place()
        var seen: [Int: UInt8] = [:]
        var isInside = true
        while isInside {
            isInside = cache.keyspace[0].table.visitBucket(at: &place) { slot in
                guard let number = Int(slot.entry.key.text.dropFirst(4)) else { return }
                seen[number] = slot.age
            }
        }
        #expect(seen == model, "seed \(seed)")
    }

    @Test("keys that are left in one narrow range of hashes, and new ones among them")
    func crowdsInHashOrder() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomGenerator(seed: seed)
        let cache = Cache(limit: .max)
        var present: [UInt64: Int] = [:]
        var fresh = 0
        func add(_ count: Int) {
            for _ in 0..<count {
                fresh += 1
                let key = Array("key:\(fresh)".utf8)
                let hash = cache.keyspace[0].table.hash(key.span)
                cache.keyspace.setString(key.span, hash: hash, in: 0, slot: nil, value: key.span, expiry: nil)
                present[hash] = fresh
            }
        }
        for round in 0..<60 {
            add(4000)
            // What a hand leaves that went all around but for a few buckets.
            let order = present.keys.sorted()
            let kept = 20 + generator.below(60)
            let start = generator.below(order.count - kept)
            for (index, hash) in order.enumerated() where index < start || index >= start + kept {
                guard let slot = cache.keyspace[0].table.find(hash: hash) else {
                    Issue.record("a key is lost in round \(round), seed \(seed)")
                    return
                }
                cache.keyspace.remove(slot, hash: hash, in: 0)
                present[hash] = nil
            }
            // Among what is left come many more.
            add(generator.below(400))
            let found = present.keys.count { cache.keyspace[0].table.find(hash: $0) != nil }
            #expect(found == present.count && cache.keyspace.count == present.count, "seed \(seed)")
        }
    }

    @Test("ghosts: what went last is known, what went long ago is forgotten, strangers are not taken for ghosts")
    func ghostsAgainstModel() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomGenerator(seed: seed)
        var ghosts = GhostTable()
        ghosts.fit(keyCount: 10_000)
        let byteCount = ghosts.allocatedByteCount
        #expect(byteCount <= 2 * 10_000)
        var gone: [UInt64] = []
        for _ in 0..<60_000 {
            let hash = generator.next()
            ghosts.insert(hash)
            gone.append(hash)
        }
        let recent = gone.suffix(2000).count { ghosts.contains($0) }
        let old = gone.prefix(20_000).count { ghosts.contains($0) }
        let strangers = (0..<20_000).count { _ in ghosts.contains(generator.next()) }
        #expect(recent > 1980, "\(recent) of 2000, seed \(seed)")
        #expect(old < 40, "\(old) of 20000, seed \(seed)")
        #expect(strangers < 40, "\(strangers) of 20000, seed \(seed)")
        ghosts.removeAll()
        let left = gone.suffix(100).count { ghosts.contains($0) }
        let leftByteCount = ghosts.allocatedByteCount
        #expect(left == 0 && leftByteCount == 0)
    }

    @Test("levels of use and the stock servers' counter")
    func accessLevels() {
        #expect(AccessLevel.shown(0) == 5)
        for level in 0..<15 { #expect(AccessLevel.shown(level) < AccessLevel.shown(level + 1)) }
        for level in 0...15 { #expect(AccessLevel.level(ofCounter: AccessLevel.shown(level)) == level) }
        #expect(AccessLevel.level(ofCounter: 0) == 0 && AccessLevel.level(ofCounter: 255) == 15)
    }
}

extension EvictionPolicyTests.Cache {
    fileprivate func holds(_ number: Int) -> Bool {
        let key = Array("key:\(number)".utf8)
        return keyspace.find(key.span, hash: keyspace[0].table.hash(key.span), in: 0) != nil
    }
}
