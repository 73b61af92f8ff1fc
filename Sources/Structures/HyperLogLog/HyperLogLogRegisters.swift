// HyperLogLogRegisters.swift - all registers of one or many HyperLogLogs, a byte each: what PFCOUNT of several keys and
// PFMERGE work on; and the histogram with the estimator (Otmar Ertl, "New cardinality estimation algorithms for
// HyperLogLog sketches", 2017), whose results equal stock servers'. Pure; 16 KB on the heap per command, engine's turn.
internal import CLinux
package import Base

/// Frequencies of register values.
struct RegisterHistogram {
    private var counts: InlineArray<64, Int32> = .init(repeating: 0)

    @inline(__always)
    mutating func add(_ value: UInt8, times: Int) {
        counts[Int(value & HyperLogLog.registerMax)] &+= Int32(truncatingIfNeeded: times)
    }

    mutating func addDense(_ bytes: Span<UInt8>) {
        precondition(bytes.count == HyperLogLog.denseByteCount, "a dense value has its one length")
        // Four tables, or equal neighbours would wait for each other's increment.
        var tables: InlineArray<256, Int32> = .init(repeating: 0)
        unsafe bytes.withUnsafeBytes { raw in
            guard let start = raw.baseAddress else { return }
            unsafe HyperLogLog.forEachDenseGroup(start + HyperLogLog.headerByteCount) { _, words in
                for lane in 0..<4 { RegisterHistogram.count(words[lane], in: &tables) }
            }
        }
        fold(tables)
    }

    @unsafe
    mutating func addBytes(_ start: UnsafeRawPointer) {
        var tables: InlineArray<256, Int32> = .init(repeating: 0)
        for word in 0..<(HyperLogLog.registerCount / 8) {
            RegisterHistogram.count(unsafe start.load(fromByteOffset: word * 8, as: UInt64.self), in: &tables)
        }
        fold(tables)
    }

    @inline(__always)
    private static func count(_ word: UInt64, in tables: inout InlineArray<256, Int32>) {
        for byte in 0..<8 {
            let value = Int(truncatingIfNeeded: (word >> UInt64(byte * 8)) & 63)
            tables[(byte & 3) &* 64 &+ value] &+= 1
        }
    }

    private mutating func fold(_ tables: InlineArray<256, Int32>) {
        for index in 0..<256 { counts[index & 63] &+= tables[index] }
    }

    /// The cardinality these frequencies stand for.
    func estimate() -> Int64 {
        let registers = Double(HyperLogLog.registerCount)
        let longest = 64 - HyperLogLog.indexBits
        var sum = registers * RegisterHistogram.tau((registers - Double(counts[longest + 1])) / registers)
        for value in stride(from: longest, through: 1, by: -1) {
            sum += Double(counts[value])
            sum *= 0.5
        }
        sum += registers * RegisterHistogram.sigma(Double(counts[0]) / registers)
        let halfByLogarithmOfTwo = 0.721347520444481703680
        let estimate = (halfByLogarithmOfTwo * registers * registers / sum).rounded(.toNearestOrAwayFromZero)
        // Forged registers can make it infinite; C's conversion then yields the lowest integer, and clients see that.
        return Int64(exactly: estimate) ?? Int64.min
    }

    private static func sigma(_ start: Double) -> Double {
        if start == 1 { return .infinity }
        var power = start
        var factor = 1.0
        var sum = start
        var previous: Double
        repeat {
            power *= power
            previous = sum
            sum += power * factor
            factor += factor
        } while previous != sum
        return sum
    }

    private static func tau(_ start: Double) -> Double {
        if start == 0 || start == 1 { return 0 }
        var root = start
        var factor = 1.0
        var sum = 1 - start
        var previous: Double
        repeat {
            root = root.squareRoot()
            previous = sum
            factor *= 0.5
            sum -= (1 - root) * (1 - root) * factor
        } while previous != sum
        return sum / 3
    }
}

/// The maximum over any number of HyperLogLogs.
@safe package struct HyperLogLogRegisters: ~Copyable {
    private let bytes: UnsafeMutableRawPointer
    /// True when one of the merged values was dense; PFMERGE's target then is, too.
    package private(set) var hasDenseSource = false

    /// False: dense values merge one register at a time (PFDEBUG SIMD OFF), with the same result.
    private let usesVectors: Bool

    /// All registers zero.
    package init(usesVectors: Bool = true) {
        self.usesVectors = usesVectors
        guard let memory = unsafe calloc(1, HyperLogLog.registerCount) else {
            outOfMemory(byteCount: HyperLogLog.registerCount)
        }
        unsafe bytes = memory
    }

    deinit { unsafe free(bytes) }

    /// The value of one register.
    package subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < HyperLogLog.registerCount, "a HyperLogLog has 16384 registers")
        return unsafe bytes.load(fromByteOffset: index, as: UInt8.self)
    }

    /// Raises every register to that of `value`, whatever it holds: the header is checked here.
    package mutating func merge(_ value: Span<UInt8>) throws(HyperLogLog.Fault) {
        switch try HyperLogLog.encoding(of: value) {
        case .dense:
            hasDenseSource = true
            mergeDense(value)
        case .sparse:
            // Checked as a whole before a register moves.
            try HyperLogLog.validate(value)
            var register = 0
            try HyperLogLog.forEachRun(of: value) { run, length in
                if run > 0 { raise(register, length, to: run) }
                register += length
            }
        }
    }

    private func raise(_ first: Int, _ count: Int, to value: UInt8) {
        for index in first..<(first + count) where unsafe bytes.load(fromByteOffset: index, as: UInt8.self) < value {
            unsafe bytes.storeBytes(of: value, toByteOffset: index, as: UInt8.self)
        }
    }

    private func mergeDense(_ value: Span<UInt8>) {
        guard usesVectors else {
            for index in 0..<HyperLogLog.registerCount {
                raise(index, 1, to: HyperLogLog.denseRegister(index, of: value))
            }
            return
        }
        unsafe value.withUnsafeBytes { raw in
            guard let start = raw.baseAddress else { return }
            unsafe HyperLogLog.forEachDenseGroup(start + HyperLogLog.headerByteCount) { index, words in
                let mine = unsafe bytes.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
                unsafe bytes.storeBytes(
                    of: HyperLogLog.maximum(mine, words), toByteOffset: index, as: SIMD4<UInt64>.self)
            }
        }
    }

    /// The estimated cardinality of the union.
    package func count() -> Int64 {
        var histogram = RegisterHistogram()
        unsafe histogram.addBytes(bytes)
        return histogram.estimate()
    }

    /// PFMERGE's end: writes the registers into the target, which must be one of the merged values or empty, byte for
    /// byte as Redis would, and marks its cached count stale.
    package func store(in buffer: inout ByteBuffer, sparseBytesMax: Int) throws(HyperLogLog.Fault) {
        let isDense = try HyperLogLog.encoding(of: buffer.span) == .dense
        if isDense || hasDenseSource {
            storeDense(in: &buffer)
        } else {
            var hint = SparseHint()
            for index in 0..<HyperLogLog.registerCount where self[index] > 0 {
                _ = try HyperLogLog.raiseSparse(
                    index, to: self[index], in: &buffer, sparseBytesMax: sparseBytesMax, &hint)
                if try HyperLogLog.encoding(of: buffer.span) == .dense {
                    storeDense(in: &buffer)
                    break
                }
            }
        }
        HyperLogLog.invalidateCache(of: &buffer)
    }

    /// Replaces everything behind the header by these registers, packed.
    func storeDense(in buffer: inout ByteBuffer) {
        buffer.makeRoom(
            at: HyperLogLog.headerByteCount..<buffer.count,
            byteCount: HyperLogLog.denseByteCount - HyperLogLog.headerByteCount)
        HyperLogLog.setEncoding(.dense, of: &buffer)
        let target = unsafe UnsafeMutableRawPointer(buffer.pointer) + HyperLogLog.headerByteCount
        for group in 0..<(HyperLogLog.registerCount / 32) {
            let words = unsafe bytes.loadUnaligned(fromByteOffset: group * 32, as: SIMD4<UInt64>.self)
            let packed = HyperLogLog.pack(words)
            for lane in 0..<4 {
                let place = unsafe target + group * 24 + lane * 6
                unsafe place.storeBytes(of: UInt32(truncatingIfNeeded: packed[lane]), as: UInt32.self)
                unsafe place.storeBytes(
                    of: UInt16(truncatingIfNeeded: packed[lane] >> 32), toByteOffset: 4, as: UInt16.self)
            }
        }
    }
}

extension HyperLogLog {
    typealias Registers = HyperLogLogRegisters
}
