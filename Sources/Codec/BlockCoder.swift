// BlockCoder.swift - compresses and decompresses blocks, with or without a dictionary. It keeps the libraries' contexts
// (about half a megabyte once used), so a block costs no allocation. One owner, any thread. Decompression believes
// nothing: it writes into the room it is given and nowhere else, and succeeds only when the block has exactly the
// promised size.
package import Base
internal import CLZ4
internal import CLinux
internal import CZstd

@safe package struct BlockCoder: ~Copyable {
    /// Blocks beyond this are refused: the libraries' contexts grow with the largest block they have seen.
    package static let byteCountMax = 4 << 20

    private var compressor: OpaquePointer?
    private var decompressor: OpaquePointer?
    /// An LZ4_stream_t. Not typed as one: modules that do not see the C library lay this struct out as well, and the
    /// compiler leaves fields out whose types it cannot see (release builds wrote into what lies behind).
    private let stream: UnsafeMutableRawPointer
    private let level: Int

    /// `level` is Zstd's, 1 to 19, for blocks without a dictionary; a dictionary brings its own.
    package init(level: Int = 1) {
        unsafe compressor = nil
        unsafe decompressor = nil
        unsafe stream = .allocate(
            byteCount: MemoryLayout<LZ4_stream_t>.size, alignment: MemoryLayout<LZ4_stream_t>.alignment)
        unsafe LZ4_initStream(stream, MemoryLayout<LZ4_stream_t>.size)
        self.level = level
    }

    deinit {
        unsafe ZSTD_freeCCtx(compressor)
        unsafe ZSTD_freeDCtx(decompressor)
        unsafe stream.deallocate()
    }

    /// Appends the compressed form of `bytes` to `output`. False, and nothing appended, when it would be longer than
    /// `limit` bytes.
    package mutating func compress(
        _ bytes: Span<UInt8>, _ codec: BlockCodec, _ dictionary: CodecDictionary?, limit: Int,
        to output: inout ByteBuffer
    ) -> Bool {
        guard bytes.count > 0, bytes.count <= BlockCoder.byteCountMax, limit > 0 else { return false }
        let room = min(limit, bytes.count)
        output.reserve(room)
        let written = unsafe bytes.withUnsafeBufferPointer { source -> Int in
            guard let base = source.baseAddress else { return 0 }
            let target = unsafe output.pointer + output.count
            switch codec {
            case .none:
                guard source.count <= room else { return 0 }
                unsafe memcpy(target, base, source.count)
                return source.count
            case .lz4: return unsafe compressLZ4(base, source.count, dictionary, target, room)
            case .zstd: return unsafe compressZstd(base, source.count, dictionary, target, room)
            }
        }
        guard written > 0 else { return false }
        output.commit(written)
        return true
    }

    @unsafe private func compressLZ4(
        _ source: UnsafePointer<UInt8>, _ count: Int, _ dictionary: CodecDictionary?,
        _ target: UnsafeMutablePointer<UInt8>, _ room: Int
    ) -> Int {
        if let dictionary {
            // 16 KiB copied: a third of a microsecond, and less than reading the dictionary anew.
            unsafe memcpy(stream, dictionary.loaded, MemoryLayout<LZ4_stream_t>.size)
            let typed = unsafe stream.assumingMemoryBound(to: LZ4_stream_t.self)
            return unsafe Int(LZ4_compress_fast_continue(typed, source, target, Int32(count), Int32(room), 1))
        }
        return unsafe Int(LZ4_compress_fast(source, target, Int32(count), Int32(room), 1))
    }

    @unsafe private mutating func compressZstd(
        _ source: UnsafePointer<UInt8>, _ count: Int, _ dictionary: CodecDictionary?,
        _ target: UnsafeMutablePointer<UInt8>, _ room: Int
    ) -> Int {
        if unsafe compressor == nil {
            unsafe compressor = ZSTD_createCCtx()
            precondition(unsafe fog_zstd_write_bare(compressor, Int32(level)) != 0, "libzstd knows bare frames")
        }
        // A block that did not fit leaves the context in the middle of a frame, where it keeps the dictionary it has
        // and only says so by the returned error.
        unsafe ZSTD_CCtx_reset(compressor, ZSTD_reset_session_only)
        guard unsafe ZSTD_isError(ZSTD_CCtx_refCDict(compressor, dictionary?.compressor)) == 0 else { return 0 }
        let written = unsafe ZSTD_compress2(compressor, target, room, source, count)
        return ZSTD_isError(written) != 0 ? 0 : written
    }

    /// Writes the `count` bytes that `block` stands for to `target`. False when it stands for anything else; what is
    /// in `target` then means nothing.
    @unsafe package mutating func decompress(
        _ block: Span<UInt8>, _ codec: BlockCodec, _ dictionary: CodecDictionary?,
        to target: UnsafeMutablePointer<UInt8>, count: Int
    ) -> Bool {
        guard block.count > 0, block.count <= BlockCoder.byteCountMax, count > 0, count <= BlockCoder.byteCountMax
        else { return false }
        return unsafe block.withUnsafeBufferPointer { source -> Bool in
            guard let base = source.baseAddress else { return false }
            switch codec {
            case .none:
                guard source.count == count else { return false }
                unsafe memcpy(target, base, count)
                return true
            case .lz4:
                let written = unsafe LZ4_decompress_safe_usingDict(
                    base, target, Int32(source.count), Int32(count), dictionary?.base,
                    Int32(dictionary?.byteCount ?? 0))
                return Int(written) == count
            case .zstd:
                return unsafe decompressZstd(base, source.count, dictionary, target, count)
            }
        }
    }

    @unsafe private mutating func decompressZstd(
        _ source: UnsafePointer<UInt8>, _ sourceCount: Int, _ dictionary: CodecDictionary?,
        _ target: UnsafeMutablePointer<UInt8>, _ count: Int
    ) -> Bool {
        if unsafe decompressor == nil {
            unsafe decompressor = ZSTD_createDCtx()
            precondition(unsafe fog_zstd_read_bare(decompressor) != 0, "libzstd knows bare frames")
        }
        guard unsafe ZSTD_isError(ZSTD_DCtx_refDDict(decompressor, dictionary?.decompressor)) == 0 else { return false }
        let written = unsafe ZSTD_decompressDCtx(decompressor, target, count, source, sourceCount)
        return ZSTD_isError(written) == 0 && written == count
    }
}
