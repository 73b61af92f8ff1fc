// TierDemotionTests.swift - which values the eviction hand puts to sleep, which it leaves and which go: compressing has
// a budget of time, what was used stays raw, and a value that sleeps is read where it lies until it is read often.
internal import Base
@testable internal import Keyspace
internal import Structures
internal import Testing

@Suite("Demotion")
struct TierDemotionTests {
    private final class Box {
        var keyspace = Keyspace(databaseCount: 1)
        var hand = EvictionHand()
        var generator = RandomGenerator(seed: 11)

        init() {
            keyspace.now = 1_000_000
            keyspace.tiers.options.isCompressionOn = true
        }

        /// A value that Zstd shrinks without a dictionary.
        func set(_ name: String, byteCount: Int = 4096) {
            let key = Array(name.utf8)
            let hash = keyspace[0].table.hash(key.span)
            var value: [UInt8] = []
            while value.count < byteCount { value += Array("\(name) and \(generator.next() % 1000); ".utf8) }
            let slot = keyspace.look(key.span, hash: hash, in: 0)
            keyspace.setString(key.span, hash: hash, in: 0, slot: slot, value: value.span, expiry: nil)
        }

        func slot(_ name: String) -> EntryTable.Slot? {
            let key = Array(name.utf8)
            return keyspace.look(key.span, hash: keyspace[0].table.hash(key.span), in: 0)
        }

        func read(_ name: String, stamp: UInt64) -> Entry? {
            let key = Array(name.utf8)
            return keyspace.read(key.span, hash: keyspace[0].table.hash(key.span), in: 0, stamp: stamp)
        }

        func tier(_ name: String) -> Tier? { slot(name)?.entry.tier }

        /// As `tier`, which counts as an access.
        func peek(_ name: String) -> Tier? {
            let key = Array(name.utf8)
            return keyspace[0].table.find(key.span, hash: keyspace[0].table.hash(key.span))?.entry.tier
        }

        func demote(_ name: String) -> Bool {
            guard let slot = slot(name) else { return false }
            return keyspace.demote(slot, in: 0) != nil
        }

        /// Shows values to the family of all keys until it has a dictionary.
        func train() {
            for index in 0..<1100 where keyspace.tiers.dictionaryCount == 0 {
                set("sample:\(index)", byteCount: 600)
                if let slot = slot("sample:\(index)") { keyspace.sample(slot.entry) }
                for job in keyspace.tiers.takeJobs() { keyspace.tiers.finish(job, job.run()) { _ in 0 } }
            }
        }

        func shrink(to limit: Int) {
            for _ in 0..<10_000 where keyspace[0].byteCount > limit {
                let excess = keyspace[0].byteCount - limit
                _ = hand.step(&keyspace, EvictionPolicy(order: .unused, onlyVolatile: false), excess: excess) {
                    generator.next()
                }
            }
        }
    }

    @Test("compressing ends when its time in a millisecond is spent, and goes on in the next")
    func hasABudget() {
        let box = Box()
        for index in 0..<2000 { box.set("key:\(index)") }
        let slept = (0..<2000).count { box.demote("key:\($0)") }
        #expect(slept > 0 && slept < 2000)
        #expect(box.keyspace.tiers.statistics.skippedForTime == 2000 - slept)
        box.keyspace.now += 1
        let next = (0..<2000).first { box.tier("key:\($0)") == .raw } ?? 0
        let goesOn = box.demote("key:\(next)")
        #expect(goesOn)
    }

    @Test("victims go uncompressed when the budget is spent")
    func victimsGo() {
        let box = Box()
        for index in 0..<2000 { box.set("key:\(index)") }
        let before = box.keyspace[0].byteCount
        box.shrink(to: before / 8)
        let statistics = box.keyspace.tiers.statistics
        #expect(box.keyspace[0].byteCount <= before / 8)
        #expect(statistics.skippedForTime > 0 && box.keyspace.count < 2000 && box.keyspace.count > 0)
        #expect(box.keyspace.statistics.evicted == 2000 - box.keyspace.count)
        let figures = TierFigures(box.keyspace)
        #expect(figures.rawKeys + figures.warm.keys + figures.dense.keys == box.keyspace.count)
    }

    @Test("what was used stays raw, what was not goes to sleep, and is the same when it wakes")
    func forgivesUse() {
        let box = Box()
        for index in 0..<40 { box.set("key:\(index)", byteCount: 1200) }
        for index in 0..<10 {
            guard let slot = box.slot("key:\(index)") else { continue }
            for _ in 0..<8 { box.keyspace.noteAccess(slot.entry, silently: false) }
        }
        let texts = (0..<40).map { index in box.slot("key:\(index)").map { $0.entry.stringBytes().array } ?? [] }
        box.hand.begin(&box.keyspace)
        // Little at a time, and each time in another millisecond: nobody has to go.
        let limit = box.keyspace[0].byteCount * 2 / 3
        for _ in 0..<400 where box.keyspace[0].byteCount > limit {
            box.keyspace.now += 1
            _ = box.hand.step(&box.keyspace, EvictionPolicy(order: .unused, onlyVolatile: false), excess: 1) { 0 }
        }
        // Where a millisecond's budget was spent by one bucket, as on a busy machine, its last ones went.
        let statistics = box.keyspace.tiers.statistics
        #expect(box.keyspace.statistics.evicted <= statistics.skippedForTime)
        let raw = (0..<10).count { box.tier("key:\($0)") == .raw }
        let asleep = (10..<40).count { box.tier("key:\($0)").map { $0 != .raw } ?? false }
        #expect(raw == 10 && asleep > 5, "\(raw) used ones are raw, \(asleep) of the others asleep")
        // Once there is room; until then raw values are no more than a share of the memory.
        box.keyspace.forgetRawShare()
        for index in 0..<40 where box.slot("key:\(index)") != nil {
            for stamp in 1...3 {
                let read = box.read("key:\(index)", stamp: UInt64(index * 3 + stamp)).map { $0.stringBytes().array }
                #expect(read == texts[index])
            }
            #expect(box.tier("key:\(index)") == .raw, "read three times")
        }
    }

    @Test("in a full memory raw values have a share, and what is read beyond it is read where it lies")
    func sharesMemory() {
        let box = Box()
        for index in 0..<400 { box.set("key:\(index)", byteCount: 1200) }
        box.hand.begin(&box.keyspace)
        let limit = box.keyspace[0].byteCount * 3 / 4
        for _ in 0..<2000 where box.keyspace[0].byteCount > limit {
            box.keyspace.now += 1
            for index in 0..<400 {
                guard let slot = box.slot("key:\(index)"), slot.entry.frequency < 2 else { continue }
                box.keyspace.noteAccess(slot.entry, silently: false)
            }
            _ = box.hand.step(&box.keyspace, EvictionPolicy(order: .unused, onlyVolatile: false), excess: 1) { 0 }
        }
        #expect(box.keyspace.statistics.evicted <= box.keyspace.tiers.statistics.skippedForTime)
        let asleep = (0..<400).filter { box.tier("key:\($0)").map { $0 != .raw } ?? false }
        #expect(asleep.count > 50, "\(asleep.count) are asleep, though all are used")
        for index in asleep.prefix(10) {
            for stamp in 1...4 { _ = box.read("key:\(index)", stamp: UInt64(index * 10 + stamp)) }
            #expect(box.tier("key:\(index)") != .raw)
        }
    }

    @Test("of a loop over more keys than fit a part is held, though every one of them is compressed first")
    func holdsAPartOfALoop() {
        let box = Box()
        let count = 600
        for index in 0..<count { box.set("key:\(index)", byteCount: 1200) }
        let limit = box.keyspace[0].byteCount / 8
        box.hand.begin(&box.keyspace)
        box.shrink(to: limit)
        var hits = 0
        for turn in 0..<10 * count {
            box.keyspace.now += 1
            let name = "key:\(turn % count)"
            if box.read(name, stamp: UInt64(turn + 1)) != nil {
                if turn >= 5 * count { hits += 1 }
                continue
            }
            box.keyspace.statistics.misses += 1
            box.set(name, byteCount: 1200)
            box.shrink(to: limit)
        }
        let percent = hits * 100 / (5 * count)
        #expect(percent >= 8, "\(percent) percent of the reads found their value")
    }

    @Test("what is raw and not hot is compressed before any key goes, whoever has just come")
    func compressesBeforeEvicting() {
        let box = Box()
        // However busy the machine: without time to compress, what is compressed already goes too.
        box.keyspace.tiers.budget = CompressionBudget(microsecondsPerMillisecond: 1_000_000)
        for index in 0..<300 { box.set("old:\(index)", byteCount: 1200) }
        box.hand.begin(&box.keyspace)
        let limit = box.keyspace[0].byteCount
        for index in 0..<300 {
            box.keyspace.now += 1
            box.keyspace.statistics.misses += 1
            box.set("new:\(index)", byteCount: 1200)
            box.shrink(to: limit)
        }
        #expect(box.keyspace.statistics.evicted <= box.keyspace.tiers.statistics.skippedForTime)
        let asleep = (0..<300).count { box.tier("old:\($0)").map { $0 != .raw } ?? false }
        #expect(asleep > 200, "\(asleep) of 300 are compressed")
    }

    @Test("short of memory a value becomes as small as can be at once, for other reasons as quick to read as can be")
    func choosesItsCodec() throws {
        let box = Box()
        box.set("sample:a")
        box.set("sample:b")
        // Without a dictionary LZ4 would gain too little, whatever the reason.
        #expect(box.demote("sample:a"))
        #expect(box.tier("sample:a") == .dense)
        let slot = try #require(box.slot("sample:b"))
        #expect(box.keyspace.demote(slot, in: 0, memoryIsShort: false) != nil)
        #expect(box.tier("sample:b") == .dense)
        box.train()
        #expect(box.keyspace.tiers.dictionaryCount == 1)
        box.set("sample:c", byteCount: 600)
        box.set("sample:d", byteCount: 600)
        #expect(box.demote("sample:c"))
        #expect(box.tier("sample:c") == .dense)
        let other = try #require(box.slot("sample:d"))
        #expect(box.keyspace.demote(other, in: 0, memoryIsShort: false) != nil)
        #expect(box.tier("sample:d") == .warm)
    }

    @Test(
        "a value compressed to be read quickly is made smaller when nobody reads it for two rounds",
        arguments: [false, true])
    func settles(isRead: Bool) {
        let box = Box()
        box.train()
        // One key alone, so that there is time for it.
        box.keyspace.flush(0, inBackground: false)
        box.set("sample:one", byteCount: 600)
        box.keyspace.tiers.options.keepsRaw = false
        box.keyspace.tiers.options.roundSeconds = 10
        let key = Array("sample:one".utf8)
        let hash = box.keyspace[0].table.hash(key.span)
        // As every command does that accesses a key.
        func touch() { box.keyspace.clocks.note(hash, in: 0, at: box.keyspace.now) }
        func walk(after seconds: Int64) {
            box.keyspace.now += seconds * 1000
            var hand = TierHand()
            while !hand.step(&box.keyspace, .standing).isRoundOver { box.keyspace.now += 1 }
        }
        touch()
        walk(after: 1)
        #expect(box.peek("sample:one") == .warm)
        walk(after: 15)
        #expect(box.peek("sample:one") == .warm)
        if isRead { touch() }
        walk(after: 15)
        #expect(box.peek("sample:one") == (isRead ? .warm : .dense))
    }
}
