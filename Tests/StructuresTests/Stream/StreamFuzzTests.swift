// StreamFuzzTests.swift - damaged and invented node bytes: whatever `loadNode`
// lets through must survive every operation without a trap, and what it lets
// through must read back as the same node.
import Base
import Testing
@testable import Structures

struct StreamFuzzTests {
    private static func node(_ dice: inout SeededRandom) -> (StreamID, [UInt8]) {
        let model = StreamModel()
        var id = StreamID(UInt64(dice.below(1000)), UInt64(dice.below(1000)) + 1)
        let key = id
        for _ in 0..<(1 + dice.below(12)) {
            let fields = dice.chance(70) ? ["a", "b"] : ["c"]
            let pairs = fields.flatMap { [Array($0.utf8), dice.element(lengthMax: 12)] }
            model.append(id, pairs, .init(nodeBytesMax: 0, nodeEntriesMax: 0))
            id = StreamID(id.milliseconds + UInt64(dice.below(3)), id.sequence + 1)
        }
        if dice.chance(50), model.entries.count > 1 {
            _ = model.delete(model.entries[dice.below(model.entries.count)].id)
        }
        var bytes: [UInt8] = []
        model.log.forEachNode { _, span in bytes = (0..<span.count).map { span[$0] } }
        return (key, bytes)
    }

    /// Most damage breaks the size field only; fixing it lets the rest of the checks see the damage.
    private static func repairHeader(_ bytes: inout [UInt8], _ dice: inout SeededRandom) {
        guard bytes.count >= 7 else { return }
        for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: bytes.count >> (index * 8)) }
        bytes[bytes.count - 1] = 0xff
        if dice.chance(70) {
            bytes[4] = 0xff
            bytes[5] = 0xff
        }
    }

    @Test(arguments: SeededRandom.seeds(1, 2, 3))
    func damagedNodesNeverTrap(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        var accepted = 0
        for _ in 0..<3000 {
            var (key, bytes) = StreamFuzzTests.node(&dice)
            if dice.chance(10) { bytes = dice.bytes(7 + dice.below(60)) }
            for _ in 0...dice.below(3) { FuzzBytes.mutate(&bytes, &dice) }
            StreamFuzzTests.repairHeader(&bytes, &dice)
            if dice.chance(10) { key = dice.chance(50) ? .max : .zero }
            let model = StreamModel()
            guard model.log.loadNode(key: key, bytes.span) else { continue }
            accepted += 1
            verify(model.log.finishLoading(length: UInt64(model.log.length), lastID: .max), "seed \(seed)")
            StreamFuzzTests.use(model, &dice, seed)
        }
        // Damage to values is legal; a fuzz test that accepts nothing tests nothing.
        #expect(accepted > 100)
    }

    private static func use(_ model: StreamModel, _ dice: inout SeededRandom, _ seed: UInt64) {
        model.entries = model.collect(model.log.walk(from: .zero, to: .max))
        let backward = model.collect(model.log.walk(from: .zero, to: .max, isReversed: true))
        verify(backward == model.entries.reversed(), "seed \(seed)")
        let fault = model.log.structuralFault()
        verify(fault == nil, "seed \(seed): \(fault ?? "")")
        _ = model.readNew("g", "c", count: 3, time: 1)
        if let victim = model.entries.first { verify(model.delete(victim.id), "seed \(seed)") }
        if dice.chance(50) {
            _ = model.log.trim(.length(model.log.length / 2), isApproximate: false, limit: 0, policy: .remove)
        } else {
            _ = model.log.trim(.minimumID(model.entries.last?.id ?? .max), isApproximate: false, limit: 0)
        }
        let after = model.log.structuralFault()
        verify(after == nil, "seed \(seed): \(after ?? "")")
        model.log.lastID = model.log.lastEntry?.id ?? .zero
        if let next = model.log.lastID.next { model.append(next, [Array("a".utf8), Array("z".utf8)], .init()) }
        let copy = model.log.duplicate()
        verify(copy.length == model.log.length, "seed \(seed)")
    }
}
