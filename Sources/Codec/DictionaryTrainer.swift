// DictionaryTrainer.swift - makes a dictionary of samples, and says what it is worth on samples it has not seen. Takes
// 50 to 200 milliseconds, so it is for a background thread; it touches nothing but what it is given.
internal import Base
internal import CZstd

/// Values one after another, as they were collected.
package struct CodecSamples: Sendable {
    package private(set) var bytes: [UInt8] = []
    package private(set) var byteCounts: [Int] = []
    package init() {}

    package var count: Int { byteCounts.count }

    package mutating func add(_ value: Span<UInt8>) {
        unsafe value.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        byteCounts.append(value.count)
    }

    /// Calls `body` with each of the samples in `range`.
    func forEach(in range: Range<Int>, _ body: (Span<UInt8>) -> Void) {
        var offset = byteCounts[..<range.lowerBound].reduce(0, +)
        for index in range {
            body(bytes.span.extracting(offset..<(offset + byteCounts[index])))
            offset += byteCounts[index]
        }
    }
}

package enum DictionaryTrainer {
    /// Dictionary bytes: 4 to 16 KiB are equally good on small values (within 1 %), 64 KiB is worse.
    package static let byteCount = 8 << 10
    /// Fewer samples teach nothing.
    package static let sampleCountMin = 64

    /// A dictionary made of the first three quarters of `samples`, when it saves more than `gainMin` (a share) over
    /// `present` on the last quarter; else nil.
    package static func train(
        _ samples: CodecSamples, level: Int, over present: CodecDictionary?, codec: BlockCodec, gainMin: Double = 0.1
    ) -> CodecDictionary? {
        guard samples.count >= sampleCountMin else { return nil }
        let taught = samples.count * 3 / 4
        guard let bytes = makeDictionary(samples, taught), let fresh = CodecDictionary(bytes.span, level: level)
        else { return nil }
        let test = taught..<samples.count
        let now = compressedByteCount(samples, test, codec, present, level)
        let then = compressedByteCount(samples, test, codec, fresh, level)
        return Double(then) < Double(now) * (1 - gainMin) ? fresh : nil
    }

    private static func makeDictionary(_ samples: CodecSamples, _ taught: Int) -> [UInt8]? {
        var room = [UInt8](repeating: 0, count: byteCount)
        let written = unsafe room.withUnsafeMutableBytes { target in
            unsafe samples.bytes.withUnsafeBytes { source in
                unsafe samples.byteCounts.withUnsafeBufferPointer { counts in
                    // Int and size_t have the same bytes, and no sample is negative.
                    unsafe counts.withMemoryRebound(to: UInt.self) { sizes in
                        unsafe fog_zstd_train(
                            target.baseAddress, target.count, source.baseAddress, sizes.baseAddress, UInt32(taught))
                    }
                }
            }
        }
        guard ZDICT_isError(written) == 0, written <= room.count else { return nil }
        room.removeLast(room.count - written)
        return room
    }

    /// What the samples of `range` take; those that do not shrink count as they are.
    private static func compressedByteCount(
        _ samples: CodecSamples, _ range: Range<Int>, _ codec: BlockCodec, _ dictionary: CodecDictionary?, _ level: Int
    ) -> Int {
        var coder = BlockCoder(level: level)
        var total = 0
        var room = ByteBuffer()
        samples.forEach(in: range) { value in
            room.truncate(to: 0)
            let fits = coder.compress(value, codec, dictionary, limit: value.count, to: &room)
            total += fits ? room.count : value.count
        }
        return total
    }
}
