// Chunk.swift - the write buffer of a segment: a fixed piece of memory that holds what will lie at `offset` of the
// file. The owner appends; the writer's thread reads only what lies before the end of a range it was given, so the two
// never touch the same byte. Values are served from here until all of it was written.
internal import Base
internal import CLinux
internal import Synchronization

/// What the chunks of a store take, wherever they are.
final class ChunkMemory: Sendable {
    let byteCount = Atomic<Int>(0)
}

@safe final class Chunk: @unchecked Sendable {
    // Sendable because bytes that were handed to the writer are never changed again, and the memory never moves.
    private let memory: UnsafeMutablePointer<UInt8>
    private let counted: ChunkMemory
    let capacity: Int
    /// Where the first byte lies in the segment.
    let offset: Int
    /// Bytes held. Owner only, as all that follows.
    private(set) var count = 0
    /// Bytes given to the writer.
    var submittedCount = 0
    /// Bytes the writer has written.
    var writtenCount = 0

    init(capacity: Int, offset: Int, counted: ChunkMemory) {
        self.counted = counted
        counted.byteCount.add(capacity, ordering: .relaxed)
        self.capacity = capacity
        self.offset = offset
        guard let fresh = unsafe malloc(capacity) else { outOfMemory(byteCount: capacity) }
        unsafe memory = fresh.assumingMemoryBound(to: UInt8.self)
    }

    deinit {
        counted.byteCount.subtract(capacity, ordering: .relaxed)
        unsafe free(memory)
    }

    var room: Int { capacity - count }

    /// Appends `bytes` and zeros up to `paddedByteCount`.
    func append(_ bytes: Span<UInt8>, paddedByteCount: Int) {
        precondition(paddedByteCount >= bytes.count && paddedByteCount <= room, "a record fits into its chunk")
        unsafe bytes.copyBytes(to: memory + count)
        unsafe memset(memory + count + bytes.count, 0, paddedByteCount - bytes.count)
        count += paddedByteCount
    }

    /// The bytes of a record at `offset` of the segment; nil when they are not here.
    @_lifetime(borrow self)
    func bytes(at offset: Int, byteCount: Int) -> Span<UInt8>? {
        let start = offset - self.offset
        guard start >= 0, byteCount >= 0, start + byteCount <= count else { return nil }
        let view = unsafe Span(_unsafeStart: UnsafePointer(memory + start), count: byteCount)
        return unsafe _overrideLifetime(view, borrowing: self)
    }

    /// For the writer: writes `range` to where it belongs.
    func write(_ range: Range<Int>, to file: SegmentFile) throws(SystemError) {
        precondition(range.lowerBound >= 0 && range.upperBound <= capacity, "a range of the chunk")
        try unsafe file.write(
            UnsafePointer(memory + range.lowerBound), count: range.count, at: offset + range.lowerBound)
    }
}
