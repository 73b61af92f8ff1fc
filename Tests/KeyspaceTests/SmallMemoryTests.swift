// SmallMemoryTests.swift - what serves the keyspace takes a share of a small memory only.
@testable internal import Keyspace
internal import Testing

@Suite("Small memory")
struct SmallMemoryTests {
    @Test("clocks grow with the keys, and no further than they may")
    func clocksAreBounded() {
        var keyspace = Keyspace(databaseCount: 1)
        keyspace.clocks.grow(keyCount: 1_000_000, byteCountMax: 100_000)
        #expect(keyspace.clocks.allocatedByteCount == 64 << 10)
        keyspace.clocks.grow(keyCount: 1_000_000, byteCountMax: 64 << 10)
        #expect(keyspace.clocks.allocatedByteCount == 64 << 10)
        keyspace.clocks.grow(keyCount: 1_000_000)
        #expect(keyspace.clocks.allocatedByteCount == 2 << 20)
    }

    @Test("a training set is as large as memory allows", arguments: [(0, 64), (100 << 10, 100), (1 << 30, 384)])
    func samplesAreBounded(limit: Int, kilobytes: Int) {
        let tiers = Keyspace(databaseCount: 1).tiers
        tiers.limitSamples(byteCount: limit)
        let value = [UInt8](repeating: 7, count: 1024)
        var count = 0
        while tiers.takeJobs().isEmpty {
            tiers.observe(value.span, family: 0)
            count += 1
        }
        #expect(count == kilobytes)
    }
}
