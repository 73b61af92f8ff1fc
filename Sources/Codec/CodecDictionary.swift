// CodecDictionary.swift - bytes that small values are compressed against, made ready for both codecs: what values of
// one kind have in common stands in it once instead of in each of them. Immutable after init, so any number of threads
// may compress and decompress with it, each by a `BlockCoder` of its own. Some 120 KB with the tables of all codecs.
internal import Base
internal import CLZ4
internal import CLinux
internal import CZstd

/// How a block is compressed. The numbers stand in values and files.
package enum BlockCodec: UInt8, Sendable, CaseIterable {
    /// The bytes as they are.
    case none = 0
    /// Quickest to read.
    case lz4 = 1
    /// Smallest.
    case zstd = 2
}

@safe package final class CodecDictionary: @unchecked Sendable {
    // Sendable because nothing of it changes between init and deinit.
    /// Larger dictionaries were worse when measured, and LZ4 looks back 64 KiB at most.
    package static let byteCountMax = 32 << 10

    let base: UnsafeMutablePointer<UInt8>
    package let byteCount: Int
    /// LZ4's state after it has read the dictionary: copied for every block.
    let loaded: UnsafeMutableRawPointer
    let compressor: OpaquePointer
    let decompressor: OpaquePointer

    /// Nil when the library has no memory, or the bytes are none or too many.
    package init?(_ bytes: Span<UInt8>, level: Int) {
        guard bytes.count > 0, bytes.count <= CodecDictionary.byteCountMax else { return nil }
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe copy.initialize(from: start, count: source.count)
        }
        let stream = UnsafeMutablePointer<LZ4_stream_t>.allocate(capacity: 1)
        unsafe LZ4_initStream(stream, MemoryLayout<LZ4_stream_t>.size)
        unsafe LZ4_loadDict(stream, copy, Int32(bytes.count))
        let compressor = unsafe fog_zstd_make_dictionary(copy, bytes.count, Int32(level))
        let decompressor = unsafe ZSTD_createDDict(copy, bytes.count)
        guard let compressor = unsafe compressor, let decompressor = unsafe decompressor else {
            unsafe ZSTD_freeCDict(compressor)
            unsafe ZSTD_freeDDict(decompressor)
            unsafe copy.deallocate()
            unsafe stream.deallocate()
            return nil
        }
        unsafe base = copy
        byteCount = bytes.count
        unsafe loaded = UnsafeMutableRawPointer(stream)
        unsafe self.compressor = compressor
        unsafe self.decompressor = decompressor
    }

    deinit {
        unsafe ZSTD_freeCDict(compressor)
        unsafe ZSTD_freeDDict(decompressor)
        unsafe loaded.deallocate()
        unsafe base.deallocate()
    }

    /// The dictionary's bytes, to be written to a file.
    package var bytes: [UInt8] { unsafe Array(UnsafeBufferPointer(start: base, count: byteCount)) }

    /// What it costs in memory, tables of both codecs included.
    package var allocatedByteCount: Int {
        unsafe byteCount + MemoryLayout<LZ4_stream_t>.size + ZSTD_sizeof_CDict(compressor)
            + ZSTD_sizeof_DDict(decompressor)
    }
}
