// HyperLogLogSelfTest.swift - what PFSELFTEST checks: packed registers against plain ones, by vectors and one by one,
// sparse values against dense ones, and the estimate against true cardinalities. Pure; touches no key.
internal import Base
internal import Structures

enum HyperLogLogSelfTest {
    private static let sparseBytesMax = 3000
    private static let cardinalityMax = 300_000

    /// What went wrong, nil when nothing did.
    static func run(seed: UInt64) -> String? {
        do throws(HyperLogLog.Fault) {
            if let failure = try checkRegisters(seed: seed) { return failure }
            return try checkEstimates(seed: seed)
        } catch {
            return "a value built here was refused: \(error)"
        }
    }

    private static func element(_ number: UInt64, in scratch: inout ByteBuffer) {
        scratch.truncate(to: 0)
        for byte in 0..<8 { scratch.append(UInt8(truncatingIfNeeded: number >> UInt64(byte * 8))) }
    }

    private static func checkRegisters(seed: UInt64) throws(HyperLogLog.Fault) -> String? {
        var expected = [UInt8](repeating: 0, count: HyperLogLog.registerCount)
        var value = ByteBuffer()
        HyperLogLog.appendEmpty(to: &value)
        _ = try HyperLogLog.makeDense(&value)
        var scratch = ByteBuffer()
        for number in 0..<UInt64(40_000) {
            element(seed &+ number, in: &scratch)
            let (index, rank) = HyperLogLog.place(of: scratch.span)
            expected[index] = max(expected[index], rank)
            _ = try HyperLogLog.add(scratch.span, to: &value, sparseBytesMax: sparseBytesMax)
        }
        var vectors = HyperLogLogRegisters(usesVectors: true)
        try vectors.merge(value.span)
        var single = HyperLogLogRegisters(usesVectors: false)
        try single.merge(value.span)
        for index in 0..<HyperLogLog.registerCount {
            let found = HyperLogLog.denseRegister(index, of: value.span)
            guard found == expected[index], vectors[index] == found, single[index] == found else {
                return "Register \(index) should be \(expected[index]) but is \(found), merged by vectors "
                    + "\(vectors[index]), one by one \(single[index])"
            }
        }
        return nil
    }

    private static func checkEstimates(seed: UInt64) throws(HyperLogLog.Fault) -> String? {
        var dense = ByteBuffer()
        HyperLogLog.appendEmpty(to: &dense)
        var sparse = HyperLogLogValue.copy(nil)
        _ = try HyperLogLog.makeDense(&dense)
        var scratch = ByteBuffer()
        var checkpoint = 1
        for number in 1...cardinalityMax {
            element(seed ^ UInt64(number), in: &scratch)
            _ = try HyperLogLog.add(scratch.span, to: &dense, sparseBytesMax: sparseBytesMax)
            _ = try HyperLogLog.add(scratch.span, to: &sparse, sparseBytesMax: sparseBytesMax)
            guard number == checkpoint else { continue }
            checkpoint *= 10
            if number <= 100, try HyperLogLog.encoding(of: sparse.span) != .sparse {
                return "sparse encoding not used at cardinality \(number)"
            }
            let estimate = try HyperLogLog.count(dense.span)
            if try HyperLogLog.count(sparse.span) != estimate {
                return "dense and sparse values disagree at cardinality \(number)"
            }
            // Six standard errors; two elements of a handful may meet in one register.
            let errorMax = max(2, (6 * 1.04 / 128 * Double(number)).rounded(.up))
            if (Double(estimate) - Double(number)).magnitude > errorMax {
                return "Too big error: cardinality \(number), estimate \(estimate)"
            }
        }
        return nil
    }
}
