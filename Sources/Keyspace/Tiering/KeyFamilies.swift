// KeyFamilies.swift - keys that begin alike hold values that look alike, so each family (the key up to its first ':',
// at most sixteen of them, the rest together) has a dictionary of its own. Values on their way to sleep are sampled;
// when there are enough a dictionary is trained in the background. A new one is adopted only when it is clearly better
// on values that it has not seen. Engine's turn only; a `TrainingJob` is for a background thread.
internal import Base
package import Codec
internal import Structures

/// A dictionary that values are compressed with, by its number.
package struct DictionaryGeneration {
    package let number: Int
    package let dictionary: CodecDictionary
    /// The family it was made for.
    package let family: Int
    /// Bytes that were compressed with it, before and after.
    package var plainByteCount = 0
    package var packedByteCount = 0
    /// The number that records on disk name it by, given when the store's dictionaries had this edition; 0 for none.
    var coldNumber: UInt16 = 0
    var coldEdition = 0
}

/// Training of one dictionary: `run` on a background thread, then back to `TierStore.finish`.
package struct TrainingJob: Sendable {
    let family: Int
    let samples: CodecSamples
    let level: Int
    let codec: BlockCodec
    let present: CodecDictionary?

    /// Cost: 50 to 200 milliseconds.
    package func run() -> CodecDictionary? {
        DictionaryTrainer.train(samples, level: level, over: present, codec: codec)
    }
}

struct KeyFamily {
    enum Phase {
        /// Values are being collected.
        case sampling
        /// A job has the samples.
        case training
        /// So many values may pass before the next look.
        case resting(Int)
    }

    let prefix: [UInt8]
    var phase = Phase.sampling
    var samples = CodecSamples()
    /// Number of the dictionary that new values are compressed with; 0 before the first.
    var current = 0
    /// Values that passed since the family has a dictionary, or since one was refused.
    var seen = 0

    init(prefix: [UInt8]) { self.prefix = prefix }
}

struct KeyFamilies {
    static let countMax = 16
    /// Longer beginnings are nobody's families.
    private static let prefixByteCountMax = 32
    /// A training set: enough for 8 KiB of dictionary, little enough to be forgotten soon.
    static let sampleCountMax = 1000
    static let sampleByteCountMax = 384 << 10
    static let sampleByteCountMin = 64 << 10
    /// What of a large value is sampled.
    private static let byteCountMaxOfOne = 4 << 10
    /// Values that pass between two trainings, and of which one in sixteen is sampled then.
    static let restCount = 100_000
    private static let retrainingStride = 16

    /// A training set's bytes, where memory is short.
    var sampleByteCountMax = KeyFamilies.sampleByteCountMax
    private(set) var all: [KeyFamily] = [KeyFamily(prefix: [])]

    subscript(index: Int) -> KeyFamily {
        get { all[index] }
        _modify { yield &all[index] }
    }

    /// Whether some family has no dictionary yet and looks for samples.
    var wantsSamples: Bool {
        all.contains { family in
            if case .sampling = family.phase { return family.current == 0 }
            return false
        }
    }

    /// The family of `key`; 0 for those that have none of their own.
    mutating func index(of key: Span<UInt8>) -> Int {
        var end = 0
        let limit = min(key.count, KeyFamilies.prefixByteCountMax)
        while end < limit && key[end] != UInt8(ascii: ":") { end += 1 }
        guard end > 0, end < limit else { return 0 }
        let prefix = key.extracting(0..<end)
        for index in 1..<max(1, all.count) where KeyFamilies.isSame(all[index].prefix, prefix) { return index }
        guard all.count < KeyFamilies.countMax else { return 0 }
        all.append(KeyFamily(prefix: prefix.array))
        return all.count - 1
    }

    private static func isSame(_ known: [UInt8], _ prefix: Span<UInt8>) -> Bool {
        guard known.count == prefix.count else { return false }
        for index in known.indices where known[index] != prefix[index] { return false }
        return true
    }

    /// Sees a value of family `index`; true when there are enough samples for a training.
    mutating func observe(_ value: Span<UInt8>, of index: Int) -> Bool {
        switch all[index].phase {
        case .training: return false
        case .resting(let left):
            all[index].phase = left > 0 ? .resting(left - 1) : .sampling
            return false
        case .sampling: break
        }
        all[index].seen &+= 1
        if all[index].current != 0, all[index].seen % KeyFamilies.retrainingStride != 0 { return false }
        let sampled = min(value.count, KeyFamilies.byteCountMaxOfOne)
        all[index].samples.add(value.extracting(0..<sampled))
        return all[index].samples.count >= KeyFamilies.sampleCountMax
            || all[index].samples.bytes.count >= sampleByteCountMax
    }
}
