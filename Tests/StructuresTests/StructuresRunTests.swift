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

    @Test(arguments: TestSeeds.make(2))
    func largeMemberTables(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        StructuresRun.runLargeMembers(random.bytes(4000))
    }
}
