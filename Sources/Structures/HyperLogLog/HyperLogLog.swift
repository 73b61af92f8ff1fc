// HyperLogLog.swift - Redis' HyperLogLog as the string value it is: "HYLL", an encoding byte, three unused bytes, the
// cached cardinality (little endian, top bit set when stale), then 16384 registers, packed at 6 bits (dense) or as
// runs (sparse). Byte-equal to what stock servers build from the same commands. Pure functions over a `ByteBuffer`
// that the key owns; engine's turn. The bytes may come from SET or RESTORE, so nothing in them is trusted: a wrong
// header is `notHyperLogLog`, runs that do not sum up are `corrupted`, and neither is ever read out of bounds.
internal import CLinux
package import Base

/// Operations on HyperLogLog string values.
package enum HyperLogLog {
    /// What is wrong with a value.
    package enum Fault: Error, Equatable {
        /// Not a HyperLogLog at all: "-WRONGTYPE Key is not a valid HyperLogLog string value."
        case notHyperLogLog
        /// The header is right, the runs are not: "-INVALIDOBJ Corrupted HLL object detected".
        case corrupted
    }

    /// The two forms, by their number in the header.
    package enum Encoding: UInt8, Sendable {
        case dense = 0
        case sparse = 1
    }

    /// Number of registers: 2^14, a standard error of 0.81 %.
    package static let registerCount = 16384
    /// Length of every dense value.
    package static let denseByteCount = headerByteCount + registerCount * 6 / 8
    static let headerByteCount = 16
    static let indexBits = 14
    static let registerMax: UInt8 = 63
    private static let encodingOffset = 4
    /// Where the header keeps the cardinality.
    package static let cacheOffset = 8
    private static let staleOffset = 15
    private static let staleBit: UInt8 = 0x80

    // MARK: Header

    /// Appends a HyperLogLog that has seen nothing.
    package static func appendEmpty(to buffer: inout ByteBuffer) {
        buffer.append("HYLL")
        buffer.append(Encoding.sparse.rawValue)
        for _ in 5..<headerByteCount { buffer.append(0) }
        // One run of 16384 zeros.
        buffer.append(0x7f)
        buffer.append(0xff)
    }

    /// The check every command makes first: magic, encoding, and the dense form's length.
    package static func encoding(of bytes: Span<UInt8>) throws(Fault) -> Encoding {
        guard bytes.count >= headerByteCount,
            bytes[0] == UInt8(ascii: "H"), bytes[1] == UInt8(ascii: "Y"),
            bytes[2] == UInt8(ascii: "L"), bytes[3] == UInt8(ascii: "L"),
            let encoding = Encoding(rawValue: bytes[encodingOffset]),
            encoding == .sparse || bytes.count == denseByteCount
        else { throw .notHyperLogLog }
        return encoding
    }

    /// Everything that can be checked: the header, and that sparse runs cover exactly all registers.
    package static func validate(_ bytes: Span<UInt8>) throws(Fault) {
        guard try encoding(of: bytes) == .sparse else { return }
        try forEachRun(of: bytes) { _, _ in }
    }

    /// The cardinality kept in the header, nil when it is stale. The header must have been checked.
    package static func cachedCount(of bytes: Span<UInt8>) -> Int64? {
        precondition(bytes.count >= headerByteCount, "a HyperLogLog has a header")
        guard bytes[staleOffset] & staleBit == 0 else { return nil }
        var value: UInt64 = 0
        for index in 0..<8 { value |= UInt64(bytes[cacheOffset + index]) << UInt64(index * 8) }
        return Int64(bitPattern: value)
    }

    /// Appends the header's eight bytes for `count`, which PFCOUNT writes at `cacheOffset`, as Redis does.
    package static func appendCachedCount(_ count: Int64, to buffer: inout ByteBuffer) {
        for index in 0..<8 { buffer.append(UInt8(truncatingIfNeeded: count >> Int64(index * 8))) }
    }

    /// Marks the cached cardinality stale; its other bytes stay, as they do in Redis.
    package static func invalidateCache(of buffer: inout ByteBuffer) {
        let byte = buffer.span[staleOffset]
        buffer.replace(at: staleOffset, with: byte | staleBit)
    }

    static func setEncoding(_ encoding: Encoding, of buffer: inout ByteBuffer) {
        buffer.replace(at: encodingOffset, with: encoding.rawValue)
    }

    // MARK: Adding

    /// Adds `element`. True when a register grew; the caller then calls `invalidateCache` once per command. A sparse
    /// value turns dense when it would pass `sparseBytesMax` (hll-sparse-max-bytes). The header must have been checked.
    package static func add(
        _ element: Span<UInt8>, to buffer: inout ByteBuffer, sparseBytesMax: Int
    ) throws(Fault) -> Bool {
        let (index, value) = place(of: element)
        if buffer.span[encodingOffset] == Encoding.dense.rawValue {
            return raiseDense(index, to: value, in: &buffer)
        }
        var hint = SparseHint()
        return try raiseSparse(index, to: value, in: &buffer, sparseBytesMax: sparseBytesMax, &hint)
    }

    /// The register an element falls into and the value it gives it: one more than the zeros that follow.
    package static func place(of element: Span<UInt8>) -> (index: Int, value: UInt8) {
        let hash = unsafe element.withUnsafeBufferPointer { bytes in unsafe murmur(bytes) }
        let index = Int(truncatingIfNeeded: hash & UInt64(registerCount - 1))
        // The bit behind the last one ends the count when all are zero.
        let rest = (hash >> UInt64(indexBits)) | (1 << UInt64(64 - indexBits))
        return (index, UInt8(truncatingIfNeeded: rest.trailingZeroBitCount + 1))
    }

    /// MurmurHash64A (Austin Appleby, public domain) under Redis' seed.
    @unsafe
    private static func murmur(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let multiplier: UInt64 = 0xc6a4_a793_5bd1_e995
        var hash = 0xadc8_3b19 ^ (UInt64(bytes.count) &* multiplier)
        let words = bytes.count / 8
        let raw = UnsafeRawBufferPointer(bytes)
        for word in 0..<words {
            var mixed = unsafe raw.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self) &* multiplier
            mixed ^= mixed >> 47
            hash = (hash ^ (mixed &* multiplier)) &* multiplier
        }
        let rest = bytes.count & 7
        if rest > 0 {
            for index in 0..<rest { unsafe hash ^= UInt64(bytes[words * 8 + index]) << UInt64(index * 8) }
            hash = hash &* multiplier
        }
        hash = (hash ^ (hash >> 47)) &* multiplier
        return hash ^ (hash >> 47)
    }

    // MARK: Counting

    /// The estimated cardinality, computed. The header must have been checked.
    package static func count(_ bytes: Span<UInt8>) throws(Fault) -> Int64 {
        var histogram = RegisterHistogram()
        if bytes[encodingOffset] == Encoding.dense.rawValue {
            histogram.addDense(bytes)
        } else {
            try forEachRun(of: bytes) { value, length in histogram.add(value, times: length) }
        }
        return histogram.estimate()
    }

    // MARK: Debugging

    /// `PFDEBUG DECODE`: the runs of a sparse value as text.
    package static func appendDecoded(_ bytes: Span<UInt8>, to output: inout ByteBuffer) throws(Fault) {
        guard try encoding(of: bytes) == .sparse else { throw .corrupted }
        var text = ByteBuffer()
        var offset = headerByteCount
        while offset < bytes.count {
            guard let run = SparseRun(at: offset, of: bytes) else { throw .corrupted }
            if offset > headerByteCount { text.append(UInt8(ascii: " ")) }
            switch run.kind {
            case .zeros: text.append("z:")
            case .manyZeros: text.append("Z:")
            case .value:
                text.append("v:")
                text.append(decimal: Int(run.value))
                text.append(UInt8(ascii: ","))
            }
            text.append(decimal: run.length)
            offset += run.byteCount
        }
        output.append(text.span)
    }
}
