// StructuresRunTests.swift - the fuzz target's programs over tapes of chance, some for every structure: a difference
// between structure and model ends the test process, which is the failure; the seed is the test's argument.
import StructuresRun
import Testing

@Suite struct StructuresRunTests {
    @Test(arguments: TestSeeds.make(6))
    func tapesOfChance(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for kind in 0..<StructuresRun.count {
            for _ in 0..<24 {
                StructuresRun.run([UInt8(kind)] + random.bytes(random.below(2000)))
            }
        }
    }

    /// The second byte makes a table start with more members than keep to the process allocator.
    @Test(arguments: TestSeeds.make(2))
    func largeMemberTables(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        StructuresRun.run([2, 1] + random.bytes(4000))
    }
}
