// SegmentIndexTests.swift - the index of a sealed segment: with heads and keys where records are large, with distances
// alone where they are small, whatever their number, and all records found again through it.
import Testing

@testable import Base
@testable import ColdStore

struct SegmentIndexTests {
    /// Records of `byteCount` bytes side by side; what the index says of them, or nil when it is not one.
    private func readBack(count: Int, byteCount: Int) throws -> (hasHeads: Bool, indexByteCount: Int, offsets: [Int]) {
        let stride = ColdAddress.padded(byteCount)
        let dataEnd = SegmentFormat.headerByteCount + count * stride
        var builder = SegmentIndexBuilder(dataEnd: dataEnd, recordCount: count)
        var end = ByteBuffer()
        for index in 0..<count {
            // Taken in pieces it is the same.
            if index % 100 == 99 { builder.take(into: &end) }
            let key = Array("key:\(index)".utf8)
            builder.add(
                ColdHead(), key: key.span, offset: SegmentFormat.headerByteCount + index * stride, byteCount: byteCount)
        }
        builder.finish(into: &end)
        let intact = SegmentFormat.check(indexAndTrailer: end.span)
        #expect(intact)
        let indexByteCount = end.count - SegmentFormat.trailerByteCount
        let parsed = SegmentFormat.parseTrailer(
            end.span.extracting(indexByteCount..<end.count), fileByteCount: dataEnd + end.count)
        let trailer = try #require(parsed)
        #expect(trailer.recordCount == count && trailer.indexByteCount == indexByteCount)
        var cursor = SegmentIndexCursor(trailer)
        var offsets: [Int] = []
        while let item = cursor.next(end.span.extracting(0..<indexByteCount)) {
            offsets.append(item.offset)
            #expect((item.record != nil) == trailer.hasHeads)
        }
        return (trailer.hasHeads, indexByteCount, offsets)
    }

    @Test(arguments: [(1, 200), (10, 4000), (10, 4096), (10, 5000), (2000, 200), (300, 4096), (300, 4088)])
    func isReadBack(count: Int, byteCount: Int) throws {
        let index = try readBack(count: count, byteCount: byteCount)
        #expect(index.hasHeads == (byteCount >= 4096))
        let stride = ColdAddress.padded(byteCount)
        #expect(index.offsets == (0..<count).map { SegmentFormat.headerByteCount + $0 * stride })
        // What a small record adds is its distance alone.
        if !index.hasHeads { #expect(index.indexByteCount <= count * 2) }
    }

    @Test func ofNothingIsEmpty() throws {
        let index = try readBack(count: 0, byteCount: 100)
        #expect(!index.hasHeads && index.indexByteCount == 0 && index.offsets.isEmpty)
    }
}
