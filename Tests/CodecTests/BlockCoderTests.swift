// BlockCoderTests.swift - blocks come back as they were, with and without dictionaries; damaged ones never write
// outside their room and never pass for whole.
import Base
import Codec
import Testing

struct BlockCoderTests {
    private struct NoDictionary: Error {}

    /// Values as an application would cache them.
    private static func document(_ random: inout RandomGenerator, byteCount: Int) -> [UInt8] {
        let names = ["alice", "bob", "carol", "dave", "eve", "mallory", "oscar", "peggy"]
        let states = ["running", "stopped", "migrating", "paused"]
        var text = "{\"id\":\(random.next() % 100_000),\"name\":\"\(names[Int(random.next() % 8)])\","
        while text.utf8.count < byteCount {
            text += "\"state\":\"\(states[Int(random.next() % 4)])\",\"cpu\":\(random.next() % 100),"
            text += "\"node\":\"node-\(random.next() % 64)\",\"tags\":[\"edge\",\"\(random.next() % 9)\"],"
        }
        return Array(text.utf8.prefix(byteCount))
    }

    private static func freshSeed() -> UInt64 {
        var random = RandomGenerator()
        return random.next()
    }

    private static func dictionary() throws -> CodecDictionary {
        var random = RandomGenerator(seed: 7)
        var samples = CodecSamples()
        for _ in 0..<600 {
            let value = document(&random, byteCount: 200 + Int(random.next() % 300))
            samples.add(value.span)
        }
        guard let trained = DictionaryTrainer.train(samples, level: 1, over: nil, codec: .zstd) else {
            throw NoDictionary()
        }
        return trained
    }

    private static func pack(
        _ value: [UInt8], _ codec: BlockCodec, _ dictionary: CodecDictionary?, _ coder: inout BlockCoder
    ) -> [UInt8]? {
        var block = ByteBuffer()
        let fits = coder.compress(value.span, codec, dictionary, limit: value.count, to: &block)
        return fits ? block.span.array : nil
    }

    /// The room that a block was unpacked to, with 64 bytes behind it that must stay as they were.
    private static func unpack(
        _ block: [UInt8], _ codec: BlockCodec, _ dictionary: CodecDictionary?, count: Int, _ coder: inout BlockCoder
    ) -> (isWhole: Bool, room: [UInt8]) {
        var room = [UInt8](repeating: 0xAA, count: count + 64)
        var isWhole = false
        unsafe room.withUnsafeMutableBufferPointer { buffer in
            guard let target = buffer.baseAddress else { return }
            isWhole = unsafe coder.decompress(block.span, codec, dictionary, to: target, count: count)
        }
        return (isWhole, room)
    }

    private static func checkRoundTrip(
        _ value: [UInt8], _ codec: BlockCodec, _ dictionary: CodecDictionary?, _ coder: inout BlockCoder
    ) -> Bool {
        guard let block = pack(value, codec, dictionary, &coder) else { return true }
        let back = unpack(block, codec, dictionary, count: value.count, &coder)
        return block.count <= value.count && back.isWhole && Array(back.room[..<value.count]) == value
            && back.room[value.count...].allSatisfy { $0 == 0xAA }
    }

    @Test func roundTrips() throws {
        let seed = BlockCoderTests.freshSeed()
        var random = RandomGenerator(seed: seed)
        let trained = try BlockCoderTests.dictionary()
        var coder = BlockCoder()
        for step in 0..<1500 {
            let byteCount = 1 + Int(random.next() % 4000)
            var value = BlockCoderTests.document(&random, byteCount: byteCount)
            if step % 4 == 0 { value = value.map { _ in UInt8(truncatingIfNeeded: random.next()) } }
            let codec = BlockCodec.allCases[step % 3]
            let isPlainRight = BlockCoderTests.checkRoundTrip(value, codec, nil, &coder)
            let isTrainedRight = BlockCoderTests.checkRoundTrip(value, codec, trained, &coder)
            #expect(isPlainRight && isTrainedRight, "seed \(seed)")
        }
    }

    @Test func damagedBlocksStayInTheirRoom() throws {
        let seed = BlockCoderTests.freshSeed()
        var random = RandomGenerator(seed: seed)
        let trained = try BlockCoderTests.dictionary()
        var coder = BlockCoder()
        for step in 0..<3000 {
            let value = BlockCoderTests.document(&random, byteCount: 64 + Int(random.next() % 800))
            let codec: BlockCodec = step % 2 == 0 ? .lz4 : .zstd
            var damaged = BlockCoderTests.pack(value, codec, trained, &coder) ?? value
            for _ in 0..<(1 + random.next() % 3) {
                damaged[Int(random.next() % UInt64(damaged.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            if step % 3 == 0 { damaged.removeLast(Int(random.next() % UInt64(damaged.count))) }
            let promised = step % 5 == 0 ? 1 + Int(random.next() % 900) : value.count
            let back = BlockCoderTests.unpack(damaged, codec, trained, count: promised, &coder)
            let isUntouched = back.room[promised...].allSatisfy { $0 == 0xAA }
            #expect(isUntouched, "seed \(seed)")
        }
    }

    private static func teaches(_ samples: CodecSamples) -> Bool {
        if let _ = DictionaryTrainer.train(samples, level: 1, over: nil, codec: .zstd) { return true }
        return false
    }

    private static func packedByteCount(
        _ values: [[UInt8]], _ codec: BlockCodec, _ dictionary: CodecDictionary?
    ) -> Int {
        var coder = BlockCoder()
        var total = 0
        for value in values { total += pack(value, codec, dictionary, &coder)?.count ?? value.count }
        return total
    }

    @Test func aDictionaryIsWorthIt() throws {
        var random = RandomGenerator(seed: 11)
        let trained = try BlockCoderTests.dictionary()
        var values: [[UInt8]] = []
        for _ in 0..<300 { values.append(BlockCoderTests.document(&random, byteCount: 400)) }
        for (codec, leastRatio) in [(BlockCodec.lz4, 2.0), (.zstd, 3.0)] {
            let packed = BlockCoderTests.packedByteCount(values, codec, trained)
            #expect(Double(300 * 400) / Double(packed) > leastRatio)
            #expect(packed < BlockCoderTests.packedByteCount(values, codec, nil))
        }
    }

    @Test func noiseIsRefused() {
        var random = RandomGenerator(seed: 3)
        var coder = BlockCoder()
        let noise = (0..<500).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        var block = ByteBuffer()
        for codec in [BlockCodec.lz4, .zstd] {
            let fits = coder.compress(noise.span, codec, nil, limit: 400, to: &block)
            let isEmpty = block.isEmpty
            #expect(!fits && isEmpty)
        }
    }

    @Test func trainingRefusesWhatTeachesNothing() {
        var random = RandomGenerator(seed: 5)
        var noise = CodecSamples()
        for _ in 0..<200 {
            let value = (0..<200).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            noise.add(value.span)
        }
        #expect(!BlockCoderTests.teaches(noise))
        #expect(!BlockCoderTests.teaches(CodecSamples()))
    }

    /// A block that did not fit must not leave anything behind in the coder: not its dictionary either.
    @Test func refusedBlocksLeaveNoTrace() throws {
        let seed = BlockCoderTests.freshSeed()
        var random = RandomGenerator(seed: seed)
        let dictionary = try BlockCoderTests.dictionary()
        var coder = BlockCoder()
        for round in 0..<3000 {
            let value = BlockCoderTests.document(&random, byteCount: 100 + Int(random.next() % 1200))
            let chosen = random.next() % 2 == 0 ? dictionary : nil
            let limit = random.next() % 3 == 0 ? 20 : value.count
            let codec: BlockCodec = random.next() % 4 == 0 ? .lz4 : .zstd
            var block = ByteBuffer()
            guard coder.compress(value.span, codec, chosen, limit: limit, to: &block) else { continue }
            let unpacked = BlockCoderTests.unpack(block.span.array, codec, chosen, count: value.count, &coder)
            let isSame = unpacked.isWhole && Array(unpacked.room.prefix(value.count)) == value
            #expect(isSame, "seed \(seed), round \(round)")
        }
    }
}
