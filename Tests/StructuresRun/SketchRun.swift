// SketchRun.swift - HyperLogLogs: sparse and dense values against plain registers, and bytes from outside, which may be
// refused and must never be written out of bounds.
internal import Base
internal import Structures

enum SketchRun {
    static func run(_ tape: inout Tape) {
        do throws(HyperLogLog.Fault) {
            if tape.below(2) == 0 { try runModel(&tape) } else { try runForeign(&tape) }
        } catch { return }
    }

    private static func runModel(_ tape: inout Tape) throws(HyperLogLog.Fault) {
        var model = [UInt8](repeating: 0, count: HyperLogLog.registerCount)
        let sparseBytesMax = [0, 60, 3000, 20_000][tape.below(4)]
        var value = ByteBuffer()
        HyperLogLog.appendEmpty(to: &value)
        while !tape.isEnded {
            let element = tape.bytes(1 + tape.below(4))
            let (index, rank) = HyperLogLog.place(of: element.span)
            let isNews = add(element, to: &value, sparseBytesMax)
            precondition(isNews == (rank > model[index]), "an element is news when it raises a register")
            model[index] = max(model[index], rank)
        }
        try HyperLogLog.validate(value.span)
        var registers = HyperLogLogRegisters()
        try registers.merge(value.span)
        for index in model.indices { precondition(registers[index] == model[index], "registers keep the highest") }
        let count = try HyperLogLog.count(value.span)
        _ = try HyperLogLog.makeDense(&value)
        let denseCount = try HyperLogLog.count(value.span)
        precondition(count == denseCount, "both forms count the same")
    }

    /// A value of our own is never refused.
    private static func add(_ element: [UInt8], to value: inout ByteBuffer, _ sparseBytesMax: Int) -> Bool {
        do throws(HyperLogLog.Fault) {
            return try HyperLogLog.add(element.span, to: &value, sparseBytesMax: sparseBytesMax)
        } catch { preconditionFailure("a sound value takes an element") }
    }

    private static func runForeign(_ tape: inout Tape) throws(HyperLogLog.Fault) {
        var value = ByteBuffer()
        value.append(Array("HYLL".utf8) + [UInt8(tape.below(2))])
        let elements = (0..<4).map { _ in tape.bytes(4) }
        value.append(tape.rest())
        _ = try HyperLogLog.encoding(of: value.span)
        for element in elements { _ = try HyperLogLog.add(element.span, to: &value, sparseBytesMax: 300) }
        _ = try HyperLogLog.count(value.span)
        var registers = HyperLogLogRegisters()
        try registers.merge(value.span)
        try registers.store(in: &value, sparseBytesMax: 3000)
        _ = try HyperLogLog.makeDense(&value)
        var output = ByteBuffer()
        try HyperLogLog.appendDecoded(value.span, to: &output)
    }
}
