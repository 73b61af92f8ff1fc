// OutputQueue.swift - what one connection still has to write: bytes of its own, and behind them parts of bytes that it
// shares with others (`SharedBytes`), which are not copied for it. Empty, and without memory, while the client keeps
// up. Owned by one loop.
internal import Base
internal import Engine
internal import Reactor

struct OutputQueue: ~Copyable {
    private struct Piece {
        let bytes: SharedBytes
        var start: Int
        var end: Int
        /// Nobody else refers to the bytes, so more can be appended.
        let isOwn: Bool
    }

    /// Bytes to be written first; `written` of them are gone.
    private var head = ByteBuffer()
    private var written = 0
    /// What follows; those before `firstPiece` are gone.
    private var pieces: [Piece] = []
    private var firstPiece = 0
    private var pieceByteCount = 0
    /// What the own pieces take, and what waits of shared ones, which counts as if it were this client's alone.
    private var ownAllocatedByteCount = 0
    private var sharedByteCount = 0

    var pendingByteCount: Int { head.count - written + pieceByteCount }

    /// With what was written and is not given back yet: the memory that counts against the client's limit.
    var heldByteCount: Int { head.count + pieceByteCount }

    /// Memory that was reserved, as the allocator gave it, for CLIENT LIST and for the limit of all clients.
    var reservedByteCount: Int { head.allocatedByteCount + ownAllocatedByteCount + sharedByteCount }

    /// Output to be written once more than this was written and is still held.
    private static let writtenKeptMax = 64 << 10
    /// What does not fit into so much at the front goes into pieces: bytes that wait are not moved again and again, and
    /// the memory of a client grows as what it leaves unread does.
    private static let headByteCountMax = 64 << 10
    private static let pieceByteCountMin = 16 << 10
    private static let pieceByteCountMax = 64 << 10

    /// Queues a copy of the bytes.
    mutating func append(_ bytes: Span<UInt8>) {
        if firstPiece == pieces.count {
            let isSmall = bytes.count <= OutputQueue.headByteCountMax - (head.count - written)
            if isSmall || head.isEmpty { return appendToHead(bytes) }
        }
        var offset = 0
        if let last = pieces.last, last.isOwn, firstPiece < pieces.count {
            offset = min(bytes.count, last.bytes.buffer.capacity - last.bytes.buffer.count)
            last.bytes.buffer.append(bytes.extracting(0..<offset))
            pieces[pieces.count - 1].end += offset
        }
        let rest = bytes.count - offset
        if rest > 0 {
            let own = SharedBytes()
            // The more waits, the larger the pieces, so that much of it is written at once.
            let usual = min(max(pendingByteCount / 4, OutputQueue.pieceByteCountMin), OutputQueue.pieceByteCountMax)
            own.buffer.reserveExactly(max(rest, usual))
            own.buffer.append(bytes.extracting(offset..<bytes.count))
            ownAllocatedByteCount += own.buffer.allocatedByteCount
            pieces.append(Piece(bytes: own, start: 0, end: rest, isOwn: true))
        }
        pieceByteCount += bytes.count
    }

    private mutating func appendToHead(_ bytes: Span<UInt8>) {
        if written > 0 && written == head.count {
            head.removeAll(keepingCapacity: head.capacity)
            written = 0
        } else if written > OutputQueue.writtenKeptMax && written > head.count / 2 {
            // A client that always lags a little must not make the buffer grow for ever.
            head.removeFirst(written)
            written = 0
        }
        head.append(bytes)
    }

    /// Queues a part of shared bytes. A small part of much is copied, or one slow client would hold what all got.
    mutating func append(_ bytes: SharedBytes, _ range: Range<Int>) {
        if range.isEmpty { return }
        if range.count < bytes.buffer.count / 4 {
            var part = ByteBuffer()
            bytes.buffer.copy(range, to: &part)
            return append(part.span)
        }
        pieces.append(Piece(bytes: bytes, start: range.lowerBound, end: range.upperBound, isOwn: false))
        pieceByteCount += range.count
        sharedByteCount += range.count
    }

    /// What is to be written first, in one piece: nil when nothing waits, or it is shared.
    @unsafe var front: (UnsafePointer<UInt8>, count: Int)? {
        guard written < head.count else { return nil }
        return unsafe (UnsafePointer(head.pointer) + written, head.count - written)
    }

    /// So much of the front was written.
    mutating func took(_ count: Int) {
        precondition(count <= head.count - written, "more was written than the front has")
        written += count
    }

    /// Writes what the socket takes: how many bytes; nil when the peer is gone.
    mutating func flush(_ descriptor: Int32) -> Int? {
        var total = 0
        while written < head.count {
            switch unsafe Socket.write(descriptor, head.pointer + written, count: head.count - written) {
            case .bytes(let count):
                written += count
                total += count
            case .wouldBlock: return total
            case .ended, .closed: return nil
            }
        }
        head.removeAll(keepingCapacity: 0)
        written = 0
        while firstPiece < pieces.count {
            let piece = pieces[firstPiece]
            let start = unsafe piece.bytes.buffer.pointer + piece.start
            switch unsafe Socket.write(descriptor, start, count: piece.end - piece.start) {
            case .bytes(let count):
                total += count
                advance(count)
            case .wouldBlock: return total
            case .ended, .closed: return nil
            }
        }
        pieces = []
        firstPiece = 0
        return total
    }

    /// The first piece lost `count` bytes; one that is empty lets its bytes go.
    private mutating func advance(_ count: Int) {
        pieceByteCount -= count
        pieces[firstPiece].start += count
        let piece = pieces[firstPiece]
        if !piece.isOwn { sharedByteCount -= count }
        guard piece.start == piece.end else { return }
        if piece.isOwn { ownAllocatedByteCount -= piece.bytes.buffer.allocatedByteCount }
        pieces[firstPiece] = Piece(bytes: OutputQueue.nothing, start: 0, end: 0, isOwn: false)
        firstPiece += 1
        if firstPiece > 64 && firstPiece > pieces.count / 2 {
            pieces.removeFirst(firstPiece)
            firstPiece = 0
        }
    }

    private static let nothing = SharedBytes()
}
