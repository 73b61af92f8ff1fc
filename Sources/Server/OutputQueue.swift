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

    var pendingByteCount: Int { head.count - written + pieceByteCount }

    /// With what was written and is not given back yet: the memory that counts against the client's limit.
    var heldByteCount: Int { head.count + pieceByteCount }

    /// Memory that was reserved, for CLIENT LIST.
    var reservedByteCount: Int { head.capacity + pieceByteCount }

    /// Output to be written once more than this was written and is still held.
    private static let writtenKeptMax = 64 << 10
    private static let ownPieceByteCountMax = 64 << 10

    /// Queues a copy of the bytes.
    mutating func append(_ bytes: Span<UInt8>) {
        if firstPiece == pieces.count { return appendToHead(bytes) }
        let last = pieces.count - 1
        if pieces[last].isOwn && pieces[last].end < OutputQueue.ownPieceByteCountMax {
            pieces[last].bytes.buffer.append(bytes)
            pieces[last].end += bytes.count
        } else {
            let own = SharedBytes()
            own.buffer.append(bytes)
            pieces.append(Piece(bytes: own, start: 0, end: bytes.count, isOwn: true))
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
        guard pieces[firstPiece].start == pieces[firstPiece].end else { return }
        pieces[firstPiece] = Piece(bytes: OutputQueue.nothing, start: 0, end: 0, isOwn: false)
        firstPiece += 1
        if firstPiece > 64 && firstPiece > pieces.count / 2 {
            pieces.removeFirst(firstPiece)
            firstPiece = 0
        }
    }

    private static let nothing = SharedBytes()
}
