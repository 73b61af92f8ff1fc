// ColdRecord.swift - how a value lies on disk. Little endian, at a multiple of eight bytes:
//
//     crc32c u32 | bytes u24, type u8 | whole bytes u24, codec 4, encoding 4 | key bytes u16 | database u16
//     | expiry u48 | dictionary u16 | version u16 | key | payload
//
// The checksum covers everything behind it and, without their being written, the segment's number and the record's
// offset: bytes that got to a wrong place are no record. The key's hash is not kept: it is seeded anew by every
// process. Pure, any thread. Decoding believes nothing.
internal import Base

/// What is known of a value beside its key and its bytes. All but `database`, `expiryMilliseconds` and `dictionary`
/// means something to the caller only.
package struct ColdHead: Equatable, Sendable {
    package var type: UInt8 = 0
    /// 0...15.
    package var codec: UInt8 = 0
    /// 0...15.
    package var encoding: UInt8 = 0
    package var database = 0
    /// A number that `ColdStore.register` gave out; 0 for none.
    package var dictionary: UInt16 = 0
    package var version: UInt16 = 0
    /// Bytes of the value when it is not compressed.
    package var wholeByteCount = 0
    /// Milliseconds since the epoch; 0 for never.
    package var expiryMilliseconds: Int64 = 0

    package init() {}
}

enum ColdRecord {
    static let headByteCount = 26
    static let keyByteCountMax = Int(UInt16.max)
    static let databaseMax = Int(UInt16.max)
    static let wholeByteCountMax = 0xFF_FFFF
    static let expiryMax: Int64 = 0xFFFF_FFFF_FFFF

    static func byteCount(key: Int, payload: Int) -> Int { headByteCount + key + payload }

    /// Whether the head can be written as it is.
    static func fits(_ head: ColdHead, keyByteCount: Int) -> Bool {
        head.codec < 16 && head.encoding < 16 && head.database >= 0 && head.database <= databaseMax
            && head.wholeByteCount >= 0 && head.wholeByteCount <= wholeByteCountMax && head.expiryMilliseconds >= 0
            && head.expiryMilliseconds <= expiryMax && keyByteCount <= keyByteCountMax
    }

    /// The checksum of a record whose bytes behind the checksum are `body`.
    static func checksum(_ body: Span<UInt8>, segment: UInt32, offset: Int) -> UInt32 {
        var running = CRC32C()
        running.update(littleEndian: UInt64(segment) << 32 | UInt64(truncatingIfNeeded: offset))
        running.update(body)
        return running.value
    }

    /// Appends the record without its checksum, which needs its place.
    static func append(_ head: ColdHead, key: Span<UInt8>, payload: Span<UInt8>, to buffer: inout ByteBuffer) {
        buffer.append(littleEndian: UInt32(0))
        appendHead(head, keyByteCount: key.count, payloadByteCount: payload.count, to: &buffer)
        buffer.append(key)
        buffer.append(payload)
    }

    /// The head's bytes behind the checksum.
    static func appendHead(
        _ head: ColdHead, keyByteCount: Int, payloadByteCount: Int, to buffer: inout ByteBuffer
    ) {
        let total = byteCount(key: keyByteCount, payload: payloadByteCount)
        precondition(
            fits(head, keyByteCount: keyByteCount) && total <= ColdAddress.recordByteCountMax, "a head that fits")
        buffer.append(littleEndian: UInt32(total) | UInt32(head.type) << 24)
        buffer.append(
            littleEndian: UInt32(head.wholeByteCount) | UInt32(head.codec) << 24 | UInt32(head.encoding) << 28)
        buffer.append(littleEndian: UInt16(keyByteCount))
        buffer.append(littleEndian: UInt16(head.database))
        buffer.append(littleEndian: UInt64(head.expiryMilliseconds) | UInt64(head.dictionary) << 48)
        buffer.append(littleEndian: head.version)
    }

    /// The bytes that the record at the start of `bytes` says it has; nil when that is impossible.
    static func claimedByteCount(_ bytes: Span<UInt8>) -> Int? {
        guard bytes.count >= headByteCount else { return nil }
        let total = Int(bytes.littleEndian32(at: 4) & 0xFF_FFFF)
        let key = Int(bytes.littleEndian16(at: 12))
        return total >= headByteCount + key ? total : nil
    }

    /// The head in the 22 bytes behind the checksum, and what it says about lengths.
    static func parseHead(_ bytes: Span<UInt8>) -> (head: ColdHead, byteCount: Int, keyByteCount: Int)? {
        guard bytes.count >= headByteCount - 4 else { return nil }
        let first = bytes.littleEndian32(at: 0)
        let second = bytes.littleEndian32(at: 4)
        let last = bytes.littleEndian64(at: 12)
        var head = ColdHead()
        head.type = UInt8(first >> 24)
        head.wholeByteCount = Int(second & 0xFF_FFFF)
        head.codec = UInt8(second >> 24 & 15)
        head.encoding = UInt8(second >> 28)
        head.database = Int(bytes.littleEndian16(at: 10))
        head.expiryMilliseconds = Int64(last & 0xFFFF_FFFF_FFFF)
        head.dictionary = UInt16(last >> 48)
        head.version = bytes.littleEndian16(at: 20)
        let byteCount = Int(first & 0xFF_FFFF)
        let keyByteCount = Int(bytes.littleEndian16(at: 8))
        guard byteCount >= headByteCount + keyByteCount else { return nil }
        return (head, byteCount, keyByteCount)
    }

    /// A record that was checked; the ranges are within the bytes it was found in.
    struct Found {
        let head: ColdHead
        let key: Range<Int>
        let payload: Range<Int>
        var byteCount: Int { payload.upperBound }
    }

    /// The record that `bytes` begins with, when every bit of it is as it was written at this place.
    static func check(_ bytes: Span<UInt8>, segment: UInt32, offset: Int) -> Found? {
        guard let total = claimedByteCount(bytes), total <= bytes.count else { return nil }
        let body = bytes.extracting(4..<total)
        guard bytes.littleEndian32(at: 0) == checksum(body, segment: segment, offset: offset),
            let parsed = parseHead(body)
        else { return nil }
        let keyEnd = headByteCount + parsed.keyByteCount
        return Found(head: parsed.head, key: headByteCount..<keyEnd, payload: keyEnd..<total)
    }
}
