// BitmapTests.swift - counting, searching, combining and bit fields against plain arrays of Bool and 128-bit
// arithmetic, with random strings, offsets and widths. Each failure prints the seed of its run.
import Base
import CBits
import Structures
import Testing

@Suite struct BitmapTests {
    /// Mostly uniform stretches, so that searches run far and counts are not all half.
    private func string(_ random: inout SeededRandom, lengthMax: Int) -> [UInt8] {
        var result: [UInt8] = []
        let length = random.below(lengthMax + 1)
        while result.count < length {
            let run = min(length - result.count, random.below(80) + 1)
            switch random.below(4) {
            case 0: result += random.bytes(run)
            case 1: result += [UInt8](repeating: 0xff, count: run)
            default: result += [UInt8](repeating: 0, count: run)
            }
        }
        return result
    }

    private func bits(_ bytes: [UInt8]) -> [Bool] {
        bytes.flatMap { byte in (0..<8).map { byte & (0x80 >> UInt8($0)) != 0 } }
    }

    private func range(_ random: inout SeededRandom, _ count: Int) -> Range<Int> {
        let first = random.below(count + 1)
        return first..<first + random.below(count - first + 1)
    }

    @Test(arguments: TestSeeds.make(20))
    func countsAndSearchesMatchTheModel(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<20 {
            let bytes = string(&random, lengthMax: 300)
            let model = bits(bytes)
            verify(Bitmap.count(bytes.span) == model.count { $0 }, "seed \(seed)")
            for _ in 0..<20 {
                let range = range(&random, model.count)
                let expected = model[range].count { $0 }
                verify(Bitmap.count(bytes.span, bits: range) == expected, "seed \(seed), \(range)")
                for value in [true, false] {
                    let found = Bitmap.firstBit(value, in: bytes.span, bits: range)
                    verify(found == model[range].firstIndex(of: value), "seed \(seed), \(range), \(value)")
                }
                let offset = random.below(model.count + 20)
                let expectedBit = offset < model.count && model[offset]
                verify(Bitmap.bit(at: offset, in: bytes.span) == expectedBit, "seed \(seed)")
            }
        }
    }

    @Test(arguments: TestSeeds.make(8))
    func allKernelsCountTheSame(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for length in [0, 1, 7, 8, 31, 63, 64, 65, 255, 256, 511, 512, 513, 1023, 1024, 5000, 70_001] {
            let bytes = random.bytes(length)
            let skipped = random.below(min(length, 9) + 1)
            let expected = bytes.dropFirst(skipped).reduce(0) { $0 + UInt64($1.nonzeroBitCount) }
            unsafe bytes.withUnsafeBytes { buffer in
                let part = unsafe UnsafeRawBufferPointer(rebasing: buffer.dropFirst(skipped))
                for kernel in 0..<4 as Range<Int32> {
                    let counted = unsafe fog_count_bits_by(kernel, part.baseAddress, part.count)
                    verify(counted == expected || (counted == .max && kernel > 0), "seed \(seed), kernel \(kernel)")
                }
                unsafe verify(fog_count_bits(part.baseAddress, part.count) == expected, "seed \(seed)")
            }
        }
        let ones = [UInt8](repeating: 0xff, count: 100_000)
        verify(Bitmap.count(ones.span) == 800_000)
    }

    @Test func bitsAreSetOneByOne() {
        var random = SeededRandom(seed: 5)
        var buffer = ByteBuffer(copying: [UInt8](repeating: 0, count: 40))
        var model = [Bool](repeating: false, count: 320)
        for _ in 0..<2000 {
            let offset = random.below(320)
            let value = random.chance(50)
            var bytes = buffer.mutableSpan
            verify(Bitmap.setBit(at: offset, to: value, in: &bytes) == model[offset])
            model[offset] = value
        }
        verify(bits(buffer.array()) == model)
    }

    private func combined(_ operation: BitmapOperation, _ sources: [[UInt8]]) -> [UInt8] {
        let length = sources.map(\.count).max() ?? 0
        return (0..<length).map { index in
            let column = sources.map { index < $0.count ? $0[index] : 0 }
            let others = column.dropFirst().reduce(0, |)
            switch operation {
            case .and: return column.dropFirst().reduce(column[0], &)
            case .or: return column[0] | others
            case .xor: return column.reduce(0, ^)
            case .not: return ~column[0]
            case .diff: return column[0] & ~others
            case .diff1: return others & ~column[0]
            case .andor: return column[0] & others
            case .one:
                return (0..<8).reduce(into: UInt8(0)) { byte, bit in
                    let mask = UInt8(1) << UInt8(bit)
                    if column.count(where: { $0 & mask != 0 }) == 1 { byte |= mask }
                }
            }
        }
    }

    @Test(arguments: TestSeeds.make(12))
    func combinationsMatchTheModel(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for operation in [.and, .or, .xor, .not, .diff, .diff1, .andor, .one] as [BitmapOperation] {
            for lengthMax in [0, 10, 200, 20_000] {
                let sources = (0..<(operation == .not ? 1 : random.below(5) + 1)).map { _ in
                    string(&random, lengthMax: lengthMax)
                }
                let expected = combined(operation, sources)
                var combiner = BitmapCombiner(operation)
                for source in sources { combiner.add(source.span) }
                verify(combiner.finish().array() == expected, "seed \(seed), \(operation), one by one")
                let copies = unsafe sources.map { source in
                    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: source.count)
                    _ = unsafe copy.initialize(from: source)
                    return unsafe copy
                }
                let addresses = unsafe copies.map { UnsafeBufferPointer($0) }
                let atOnce = unsafe BitmapCombiner.combine(operation, addresses)
                verify(atOnce.array() == expected, "seed \(seed), \(operation), at once")
                for unsafe copy in unsafe copies { unsafe copy.deallocate() }
            }
        }
    }
}

@Suite struct BitfieldTests {
    private static let types: [BitfieldType] =
        (1...64).compactMap { BitfieldType(isSigned: true, width: $0) }
        + (1...63).compactMap { BitfieldType(isSigned: false, width: $0) }

    private func bits(_ bytes: [UInt8]) -> [Bool] {
        bytes.flatMap { byte in (0..<8).map { byte & (0x80 >> UInt8($0)) != 0 } }
    }

    private func number(_ bits: ArraySlice<Bool>, _ type: BitfieldType) -> Int64 {
        var value: Int128 = 0
        for bit in bits { value = value * 2 + (bit ? 1 : 0) }
        if type.isSigned && bits.first == true { value -= Int128(1) << Int128(type.width) }
        return Int64(value)
    }

    @Test(arguments: TestSeeds.make(10))
    func fieldsReadAndWriteAsTheModel(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var buffer = ByteBuffer(copying: random.bytes(60))
        for step in 0..<400 {
            let type = BitfieldTests.types[random.below(BitfieldTests.types.count)]
            let offset = random.below(480)
            let before = bits(buffer.array())
            let padded = before + [Bool](repeating: false, count: 64)
            let expected = number(padded[offset..<offset + type.width], type)
            let read = Bitfield.read(type, at: offset, in: buffer.span)
            verify(read == expected, "seed \(seed), step \(step), \(type), \(offset)")
            let needed = Bitfield.byteCount(covering: offset, width: type.width)
            verify(needed == (offset + type.width + 7) / 8, "seed \(seed)")
            guard let needed, needed <= 60 else { continue }
            let value = random.integer()
            var bytes = buffer.mutableSpan
            Bitfield.write(value, type, at: offset, in: &bytes)
            var after = before
            for index in 0..<type.width {
                after[offset + index] = value >> Int64(type.width - 1 - index) & 1 != 0
            }
            verify(bits(buffer.array()) == after, "seed \(seed), step \(step), \(type), \(offset), \(value)")
        }
    }

    private func resolved(_ wide: Int128, _ type: BitfieldType, _ overflow: BitfieldOverflow) -> Int64? {
        let span = Int128(1) << Int128(type.width)
        let minimum: Int128 = type.isSigned ? -(span / 2) : 0
        let maximum = minimum + span - 1
        if wide >= minimum && wide <= maximum { return Int64(wide) }
        switch overflow {
        case .fail: return nil
        case .saturate: return Int64(wide > maximum ? maximum : minimum)
        case .wrap:
            var rest = (wide - minimum) % span
            if rest < 0 { rest += span }
            return Int64(rest + minimum)
        }
    }

    @Test(arguments: TestSeeds.make(10))
    func overflowIsTreatedAsTheModelDoes(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for type in BitfieldTests.types {
            for overflow in [.wrap, .saturate, .fail] as [BitfieldOverflow] {
                for _ in 0..<12 {
                    let edges: [Int64] = [type.minimum, type.maximum, 0, 1, .min, .max, -1]
                    let value = random.chance(30) ? edges[random.below(7)] : random.integer()
                    // Redis takes a negative number for an unsigned field for its 64 bits.
                    let wide = !type.isSigned && value < 0 ? Int128(UInt64(bitPattern: value)) : Int128(value)
                    let note = "seed \(seed), \(type), \(overflow), \(value)"
                    verify(Bitfield.fit(value, in: type, overflow: overflow) == resolved(wide, type, overflow), note)
                    let held = type.value(ofBits: random.next())
                    let sum = Bitfield.add(value, to: held, in: type, overflow: overflow)
                    verify(sum == resolved(Int128(held) + Int128(value), type, overflow), "\(note) to \(held)")
                }
            }
        }
    }

    @Test func typesAndOffsetsFromClientsAreChecked() {
        for text in ["", "i", "u", "i0", "u0", "i65", "u64", "x8", "i08", "i-1", "8", "i8 ", "I8", "u999"] {
            let bytes = Array(text.utf8)
            verify(BitfieldType(bytes.span) == nil, text)
        }
        for width in 1...64 {
            let signed = Array("i\(width)".utf8)
            verify(BitfieldType(signed.span) == BitfieldType(isSigned: true, width: width))
        }
        verify(Bitfield.byteCount(covering: .max, width: 8) == nil)
        verify(Bitfield.byteCount(covering: -1, width: 8) == nil)
        verify(Bitfield.byteCount(covering: .max - 64, width: 64) != nil)
        verify(Bitfield.bitOffset(ofIndex: .max, width: 2) == nil)
        verify(Bitfield.bitOffset(ofIndex: -1, width: 2) == nil)
        verify(Bitfield.bitOffset(ofIndex: 10, width: 7) == 70)
    }
}
