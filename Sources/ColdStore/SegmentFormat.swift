// SegmentFormat.swift - the frame of a segment file:
//
//     header 64 | records | when sealed: index, trailer 48
//
//     header   "FOGCOLD1" | number u32 | created i64, milliseconds | zeros | crc32c u32 of the 60 bytes before
//     index    per record: its distance from the one before in eighths (the first: from the header), as a variable
//              number; in segments of large records also the record's head without checksum, and its key
//     trailer  "FOGSEAL1" | records u32 | form u32 | data end u32 | index bytes u32 | least and greatest expiry i64
// each
//              (0: no record expires; greatest -1: some never do) | zeros u32 | crc32c u32 of index and trailer
//
// With the keys in the index a restart does not have to read large values; small ones are read faster than a second
// copy of their keys would be worth its room. Pure, any thread.
internal import Base

enum SegmentFormat {
    static let headerByteCount = 64
    static let trailerByteCount = 48
    private static let headerMagic: StaticString = "FOGCOLD1"
    private static let trailerMagic: StaticString = "FOGSEAL1"
    /// Mean bytes of a record from which the index holds heads and keys: it then adds about 1 %.
    fileprivate static let wholeIndexRecordByteCount = 4096

    static func appendHeader(number: UInt32, createdMilliseconds: Int64, to buffer: inout ByteBuffer) {
        let start = buffer.count
        buffer.append(headerMagic)
        buffer.append(littleEndian: number)
        buffer.append(littleEndian: createdMilliseconds)
        while buffer.count < start + headerByteCount - 4 { buffer.append(0) }
        buffer.append(littleEndian: CRC32C.checksum(buffer.span.extracting(start..<buffer.count)))
    }

    /// When the segment was made; nil when `bytes` is no header of segment `number`.
    static func checkHeader(_ bytes: Span<UInt8>, number: UInt32) -> Int64? {
        guard bytes.count >= headerByteCount, bytes.starts(with: headerMagic),
            bytes.littleEndian32(at: 60) == CRC32C.checksum(bytes.extracting(0..<60)),
            bytes.littleEndian32(at: 8) == number
        else { return nil }
        return Int64(bitPattern: bytes.littleEndian64(at: 12))
    }

    /// What a sealed segment's end says.
    struct Trailer {
        var recordCount = 0
        var hasHeads = false
        var dataEnd = headerByteCount
        var indexByteCount = 0
        /// See above.
        var leastExpiry: Int64 = 0
        var greatestExpiry: Int64 = 0

        /// Every record of the segment is of age.
        func isOver(at now: Int64) -> Bool { recordCount > 0 && greatestExpiry > 0 && greatestExpiry <= now }
    }

    /// The last bytes of a file of `fileByteCount` bytes as a trailer, not yet checked against its index.
    static func parseTrailer(_ bytes: Span<UInt8>, fileByteCount: Int) -> Trailer? {
        guard bytes.count == trailerByteCount, bytes.starts(with: trailerMagic) else { return nil }
        var trailer = Trailer()
        trailer.recordCount = Int(bytes.littleEndian32(at: 8))
        trailer.hasHeads = bytes.littleEndian32(at: 12) == 1
        trailer.dataEnd = Int(bytes.littleEndian32(at: 16))
        trailer.indexByteCount = Int(bytes.littleEndian32(at: 20))
        trailer.leastExpiry = Int64(bitPattern: bytes.littleEndian64(at: 24))
        trailer.greatestExpiry = Int64(bitPattern: bytes.littleEndian64(at: 32))
        guard trailer.dataEnd >= headerByteCount, trailer.dataEnd <= ColdAddress.segmentByteCountMax,
            trailer.dataEnd + trailer.indexByteCount + trailerByteCount == fileByteCount
        else { return nil }
        return trailer
    }

    /// True when index and trailer, one behind the other, are as they were written.
    static func check(indexAndTrailer bytes: Span<UInt8>) -> Bool {
        bytes.count >= trailerByteCount
            && bytes.littleEndian32(at: bytes.count - 4) == CRC32C.checksum(bytes.extracting(0..<(bytes.count - 4)))
    }
}

/// Makes index and trailer while a segment's records are passed in order. What it has made may be taken at any time, so
/// it needs no memory but that.
struct SegmentIndexBuilder: ~Copyable {
    /// Made and not taken.
    private var made = ByteBuffer()
    private var takenByteCount = 0
    private var checksum = CRC32C()
    private var trailer = SegmentFormat.Trailer()
    private var previous = SegmentFormat.headerByteCount
    private var someNeverExpire = false

    /// `dataEnd`: where the segment's records end. `recordCount` decides whether heads and keys are written: the first
    /// byte of the index depends on it.
    init(dataEnd: Int, recordCount: Int) {
        trailer.dataEnd = dataEnd
        let byteCount = dataEnd - SegmentFormat.headerByteCount
        trailer.hasHeads = recordCount > 0 && byteCount / recordCount >= SegmentFormat.wholeIndexRecordByteCount
    }

    /// Records that were passed.
    var recordCount: Int { trailer.recordCount }
    /// Bytes of index and trailer that wait to be taken.
    var byteCount: Int { made.count }

    mutating func add(_ head: ColdHead, key: Span<UInt8>, offset: Int, byteCount: Int) {
        made.append(variable: (offset - previous) / ColdAddress.alignment)
        previous = offset
        trailer.recordCount += 1
        if trailer.hasHeads {
            ColdRecord.appendHead(
                head, keyByteCount: key.count, payloadByteCount: byteCount - ColdRecord.headByteCount - key.count,
                to: &made)
            made.append(key)
        }
        let expiry = head.expiryMilliseconds
        if expiry == 0 {
            someNeverExpire = true
        } else {
            trailer.leastExpiry = trailer.leastExpiry == 0 ? expiry : min(trailer.leastExpiry, expiry)
            trailer.greatestExpiry = max(trailer.greatestExpiry, expiry)
        }
    }

    /// Appends what waits to `buffer`.
    mutating func take(into buffer: inout ByteBuffer) {
        let start = buffer.count
        buffer.append(made.span)
        checksum.update(buffer.span.extracting(start..<buffer.count))
        takenByteCount += made.count
        made.truncate(to: 0)
    }

    /// No more records: appends what waits, and the trailer.
    mutating func finish(into buffer: inout ByteBuffer) {
        let indexByteCount = takenByteCount + made.count
        SegmentFormat.appendTrailerMagic(to: &made)
        made.append(littleEndian: UInt32(trailer.recordCount))
        made.append(littleEndian: UInt32(trailer.hasHeads ? 1 : 0))
        made.append(littleEndian: UInt32(trailer.dataEnd))
        made.append(littleEndian: UInt32(indexByteCount))
        made.append(littleEndian: trailer.leastExpiry)
        made.append(littleEndian: someNeverExpire ? -1 : trailer.greatestExpiry)
        made.append(littleEndian: UInt32(0))
        take(into: &buffer)
        buffer.append(littleEndian: checksum.value)
    }
}

extension SegmentFormat {
    fileprivate static func appendTrailerMagic(to buffer: inout ByteBuffer) { buffer.append(trailerMagic) }
}

/// Walks the index of a sealed segment.
struct SegmentIndexCursor {
    private let hasHeads: Bool
    private let dataEnd: Int
    private var position = 0
    private var offset = SegmentFormat.headerByteCount
    private var left: Int

    init(_ trailer: SegmentFormat.Trailer) {
        hasHeads = trailer.hasHeads
        dataEnd = trailer.dataEnd
        left = trailer.recordCount
    }

    struct Item {
        let offset: Int
        /// Only in segments of large records; the key is a range of the index.
        let record: (head: ColdHead, byteCount: Int, key: Range<Int>)?
    }

    /// The next record; nil at the end, or when the index is not one.
    mutating func next(_ index: Span<UInt8>) -> Item? {
        guard left > 0, let distance = index.variable(at: &position) else { return nil }
        left -= 1
        offset += distance * ColdAddress.alignment
        guard offset < dataEnd else { return nil }
        guard hasHeads else { return Item(offset: offset, record: nil) }
        let headByteCount = ColdRecord.headByteCount - 4
        guard position + headByteCount <= index.count,
            let parsed = ColdRecord.parseHead(index.extracting(position..<index.count))
        else { return nil }
        let keyStart = position + headByteCount
        let keyEnd = keyStart + parsed.keyByteCount
        guard keyEnd <= index.count, parsed.byteCount <= dataEnd - offset else { return nil }
        position = keyEnd
        return Item(offset: offset, record: (parsed.head, parsed.byteCount, keyStart..<keyEnd))
    }
}
