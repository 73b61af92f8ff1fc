// HyperLogLogModelTests.swift - sparse and dense values against a plain array of registers, and
// arbitrary bytes through every operation: they may be refused, they must never stop the server or be
// written out of bounds.
import Testing
import Base
@testable import Structures

struct HyperLogLogModelTests {
    @Test(arguments: SeededRandom.seeds(1, 2), [0, 60, 3000, 20_000])
    func matchesPlainRegisters(seed: UInt64, sparseBytesMax: Int) throws {
        var dice = SeededRandom(seed: seed)
        var model = [UInt8](repeating: 0, count: HyperLogLog.registerCount)
        var buffer = ByteBuffer()
        HyperLogLog.appendEmpty(to: &buffer)
        for step in 0..<4000 {
            let element = dice.bytes(count: dice.below(20))
            let (index, value) = HyperLogLog.place(of: element.span)
            let grows = value > model[index]
            model[index] = max(model[index], value)
            let changed = try HyperLogLog.add(element.span, to: &buffer, sparseBytesMax: sparseBytesMax)
            verify(changed == grows, "step \(step) seed \(seed)")
            if step % 500 == 0 || step < 20 { try expect(buffer, equals: model, seed) }
        }
        try expect(buffer, equals: model, seed)
        let sparseCount = try HyperLogLog.count(buffer.span)
        _ = try HyperLogLog.makeDense(&buffer)
        let denseCount = try HyperLogLog.count(buffer.span)
        #expect(sparseCount == denseCount && buffer.count == HyperLogLog.denseByteCount, "seed \(seed)")
        try expect(buffer, equals: model, seed)
    }

    private func expect(_ buffer: borrowing ByteBuffer, equals model: [UInt8], _ seed: UInt64) throws {
        try HyperLogLog.validate(buffer.span)
        var registers = HyperLogLogRegisters()
        try registers.merge(buffer.span)
        for index in 0..<HyperLogLog.registerCount where registers[index] != model[index] {
            Issue.record("register \(index) is \(registers[index]), not \(model[index]), seed \(seed)")
            return
        }
    }

    @Test(arguments: SeededRandom.seeds(3))
    func denseRegistersDoNotTouchTheirNeighbours(seed: UInt64) throws {
        var dice = SeededRandom(seed: seed)
        var model = [UInt8](repeating: 0, count: HyperLogLog.registerCount)
        var buffer = ByteBuffer()
        HyperLogLog.appendEmpty(to: &buffer)
        _ = try HyperLogLog.makeDense(&buffer)
        for _ in 0..<60_000 {
            let index = dice.once(in: 10) ? HyperLogLog.registerCount - 1 : dice.below(HyperLogLog.registerCount)
            let value = UInt8(dice.below(64))
            let raised = HyperLogLog.raiseDense(index, to: value, in: &buffer)
            verify(raised == (value > model[index]), "seed \(seed)")
            model[index] = max(model[index], value)
        }
        for index in 0..<HyperLogLog.registerCount {
            verify(HyperLogLog.denseRegister(index, of: buffer.span) == model[index], "seed \(seed)")
        }
        try expect(buffer, equals: model, seed)
        // Packing is the inverse of unpacking.
        var registers = HyperLogLogRegisters()
        try registers.merge(buffer.span)
        var copy = ByteBuffer()
        HyperLogLog.appendEmpty(to: &copy)
        try registers.store(in: &copy, sparseBytesMax: 3000)
        try expect(copy, equals: model, seed)
    }

    @Test(arguments: SeededRandom.seeds(4, 5))
    func survivesForeignBytes(seed: UInt64) throws {
        var dice = SeededRandom(seed: seed)
        for _ in 0..<400 {
            var bytes: [UInt8] = []
            if dice.once(in: 4) {
                bytes = Array("HYLL".utf8) + [UInt8(dice.below(2))] + dice.bytes(count: dice.below(120))
                if bytes[4] == 0 && dice.once(in: 2) {
                    bytes += dice.bytes(count: max(0, HyperLogLog.denseByteCount - bytes.count))
                }
            } else {
                var buffer = ByteBuffer()
                HyperLogLog.appendEmpty(to: &buffer)
                for _ in 0..<dice.below(200) {
                    _ = try HyperLogLog.add(dice.bytes(count: 8).span, to: &buffer, sparseBytesMax: 3000)
                }
                for index in 0..<buffer.count { bytes.append(buffer.span[index]) }
                for _ in 0...dice.below(4) { FuzzBytes.mutate(&bytes, &dice) }
            }
            tryEverything(bytes, &dice)
        }
    }

    private func tryEverything(_ bytes: [UInt8], _ dice: inout SeededRandom) {
        var isValid = true
        do throws(HyperLogLog.Fault) { try HyperLogLog.validate(bytes.span) } catch { isValid = false }
        var buffer = ByteBuffer()
        buffer.append(bytes)
        do throws(HyperLogLog.Fault) {
            _ = try HyperLogLog.encoding(of: buffer.span)
            _ = HyperLogLog.cachedCount(of: buffer.span)
            for _ in 0..<20 {
                _ = try HyperLogLog.add(dice.bytes(count: 5).span, to: &buffer, sparseBytesMax: 200 + dice.below(3000))
            }
            _ = try HyperLogLog.count(buffer.span)
            var registers = HyperLogLogRegisters()
            try registers.merge(buffer.span)
            _ = registers.count()
            try registers.store(in: &buffer, sparseBytesMax: 3000)
            _ = try HyperLogLog.makeDense(&buffer)
        } catch {
            #expect(!isValid, "a value that validates is usable: \(bytes)")
        }
        var text = ByteBuffer()
        do throws(HyperLogLog.Fault) { try HyperLogLog.appendDecoded(bytes.span, to: &text) } catch { return }
    }

    @Test func tellsTheTwoFaultsApart() {
        func fault(_ bytes: [UInt8]) -> HyperLogLog.Fault? {
            do throws(HyperLogLog.Fault) { try HyperLogLog.validate(bytes.span) } catch { return error }
            return nil
        }
        let head = Array("HYLL".utf8) + [1] + [UInt8](repeating: 0, count: 11)
        #expect(fault(head + [0x7f, 0xff]) == nil)
        #expect(fault([]) == .notHyperLogLog && fault(Array("HYLL".utf8)) == .notHyperLogLog)
        #expect(fault(Array("HYLX".utf8) + head.dropFirst(4)) == .notHyperLogLog)
        #expect(fault(Array("HYLL".utf8) + [2] + head.dropFirst(5)) == .notHyperLogLog)
        #expect(fault(Array("HYLL".utf8) + [0] + head.dropFirst(5)) == .notHyperLogLog)
        #expect(fault(head) == .corrupted && fault(head + [0x7f]) == .corrupted)
        #expect(fault(head + [0x7f, 0xff, 0x00]) == .corrupted && fault(head + [0x7f, 0xfe]) == .corrupted)
    }
}
