// CompactFuzzTests.swift - the fuzz targets over a hundred thousand buffers: noise, and whole structures with bytes
// changed, cut, doubled, and the size and count fields put right again so that the damage lies deep. A trap ends the
// test process, which is the failure; the seed is the test's argument.
import Base
import Structures
import StructuresRun
import Testing

@Suite struct CompactFuzzTests {
    private func listpackBytes(_ random: inout SeededRandom) -> [UInt8] {
        var list = Listpack()
        for _ in 0..<random.below(6) {
            let element = random.element(lengthMax: 70)
            list.append(element.span)
        }
        return list.span.array()
    }

    private func intsetBytes(_ random: inout SeededRandom) -> [UInt8] {
        var set = Intset()
        for _ in 0..<random.below(8) { set.add(random.integer() >> (random.chance(50) ? 50 : 0)) }
        return set.span.array()
    }

    private func damage(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        for _ in 0..<random.below(3) + 1 {
            guard !bytes.isEmpty else { return }
            let index = random.below(bytes.count)
            let interesting: [UInt8] = [0, 1, 0x7f, 0x80, 0xbf, 0xc0, 0xdf, 0xe0, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff]
            switch random.below(6) {
            case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes[index] = interesting[random.below(interesting.count)]
            case 2: bytes[index] ^= 1 << UInt8(random.below(8))
            case 3: bytes.removeSubrange(index..<min(bytes.count, index + random.below(9)))
            case 4: bytes.insert(contentsOf: random.bytes(random.below(5)), at: index)
            default: bytes.insert(contentsOf: bytes[index...].prefix(random.below(20)), at: index)
            }
        }
    }

    /// Makes the outermost fields agree with the length, so that the first look finds nothing.
    private func mendListpack(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        guard bytes.count >= 7 else { return }
        for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: bytes.count >> (8 * index)) }
        bytes[bytes.count - 1] = 0xff
        if random.chance(50) {
            bytes[4] = 0xff
            bytes[5] = 0xff
        }
    }

    @Test(arguments: TestSeeds.make(10))
    func anyBytesAreJudgedWithoutATrap(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var accepted = 0
        for _ in 0..<10_000 {
            var bytes: [UInt8]
            switch random.below(10) {
            case 0: bytes = random.bytes(random.below(40))
            case 1...2:
                bytes = intsetBytes(&random)
                damage(&bytes, &random)
            default:
                bytes = listpackBytes(&random)
                if random.chance(90) { damage(&bytes, &random) }
                if random.chance(80) { mendListpack(&bytes, &random) }
            }
            if CompactRun.listpack(bytes.span) { accepted += 1 }
            if CompactRun.intset(bytes.span) { accepted += 1 }
            _ = CompactRun.lzf(bytes.span)
        }
        // Damage in a text, or none, leaves a structure whole: the targets are reached, not only the validator.
        verify(accepted > 1000 && accepted < 9000, "seed \(seed): \(accepted)")
    }

    @Test func compressedBlocksComeBack() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<200 {
            let bytes = Array((0..<random.below(60) + 1).map { _ in random.element(lengthMax: 9) }.joined())
            var packed = ByteBuffer()
            guard LZFBlock.compress(bytes.span, to: &packed) else {
                verify(packed.isEmpty)
                continue
            }
            verify(packed.count < bytes.count)
            var unpacked = ByteBuffer()
            verify(LZFBlock.decompress(packed.span, byteCount: bytes.count, to: &unpacked))
            verify(unpacked.array() == bytes)
            verify(!LZFBlock.decompress(packed.span, byteCount: bytes.count + 1, to: &unpacked))
            verify(!LZFBlock.decompress(packed.span, byteCount: bytes.count - 1, to: &unpacked))
            verify(unpacked.count == bytes.count)
        }
    }

    /// References at every distance, overlapping and not, with the longest and the shortest lengths; into room of
    /// exactly the size and into more.
    @Test func referencesOfEveryDistanceRepeatWhatStandsThere() {
        for distance in 1...40 {
            for length in [3, 4, 8, 9, 15, 16, 17, 31, 264] {
                var expected = (0..<distance).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
                var packed: [UInt8] = []
                for start in stride(from: 0, to: distance, by: 32) {
                    let part = expected[start..<min(distance, start + 32)]
                    packed += [UInt8(part.count - 1)] + part
                }
                let high = UInt8((distance - 1) >> 8)
                let low = UInt8((distance - 1) & 255)
                packed += length < 9 ? [UInt8(length - 2) << 5 | high, low] : [7 << 5 | high, UInt8(length - 9), low]
                for _ in 0..<length { expected.append(expected[expected.count - distance]) }
                for spare in [0, 7, 100] {
                    var output = ByteBuffer(capacity: expected.count + spare)
                    let isWhole = LZFBlock.decompress(packed.span, byteCount: expected.count, to: &output)
                    #expect(isWhole && output.array() == expected, "distance \(distance), length \(length), \(spare)")
                }
                // One byte further back is before the beginning.
                packed[packed.count - 1] &+= 1
                var output = ByteBuffer()
                let isRefused = !LZFBlock.decompress(packed.span, byteCount: expected.count, to: &output)
                #expect(isRefused && output.array().isEmpty)
            }
        }
    }

    @Test func duplicatesAreSeenWhateverTheirForm() {
        var list = Listpack()
        for text in ["a", "1", "b", "1", "7", "2"] { list.append(Array(text.utf8).span) }
        verify(Listpack.validate(list.span, uniqueEach: 2))
        verify(!Listpack.validate(list.span, uniqueEach: 1))
        verify(!Listpack.validate(list.span, uniqueEach: 4))
        list.append(7)
        list.append(3)
        verify(!Listpack.validate(list.span, uniqueEach: 2))
        // The number 7, written as a text by a foreign hand: 0x81 '7' 0x02.
        let forged = bytes(hexadecimal: "0e00000004000701813702" + "000101" + "ff")
        verify(!Listpack.validate(forged.span), "an odd number of entries for its count")
        let twice = bytes(hexadecimal: "10000000040007010001" + "813702" + "0001ff")
        verify(Listpack.validate(twice.span))
        verify(!Listpack.validate(twice.span, uniqueEach: 2))
        let empty = Listpack()
        verify(!Listpack.validate(empty.span, uniqueEach: 2))
        verify(Listpack.validate(empty.span, uniqueEach: 2, allowsEmpty: true))
        var many = Listpack()
        for index in 0..<2000 { many.append(Int64(index)) }
        verify(Listpack.validate(many.span, uniqueEach: 1))
        many.append(Array("1999".utf8).span)
        verify(!Listpack.validate(many.span, uniqueEach: 1))
    }
}
