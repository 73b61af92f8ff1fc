// HyperLogLogGoldenTests.swift - values that a stock Redis 7.0.15 built from the same commands,
// frozen: length and FNV-1a hash of every byte of `GET key`, and what PFCOUNT answered. The elements
// are "element-0", "element-1", ...
import Testing
import Base
@testable import Structures

struct Golden: Sendable {
    let elementCount: Int
    let sparseBytesMax: Int
    let byteCount: Int
    let hash: UInt64
    let count: Int64

    init(_ elementCount: Int, sparseBytesMax: Int, byteCount: Int, hash: UInt64, count: Int64) {
        self.elementCount = elementCount
        self.sparseBytesMax = sparseBytesMax
        self.byteCount = byteCount
        self.hash = hash
        self.count = count
    }
}

struct Merge: Sendable {
    let firstCount: Int
    let secondCount: Int
    let byteCount: Int
    let hash: UInt64
    let count: Int64
    let union: Int64

    init(_ firstCount: Int, _ secondCount: Int, byteCount: Int, hash: UInt64, count: Int64, union: Int64) {
        self.firstCount = firstCount
        self.secondCount = secondCount
        self.byteCount = byteCount
        self.hash = hash
        self.count = count
        self.union = union
    }
}

struct HyperLogLogGoldenTests {
    static let additions: [Golden] = [
        Golden(1, sparseBytesMax: 0, byteCount: 12304, hash: 0x8dba72ba98d6945a, count: 1),
        Golden(10000, sparseBytesMax: 0, byteCount: 12304, hash: 0xaa88ff31b72daa52, count: 10016),
        Golden(100, sparseBytesMax: 300, byteCount: 287, hash: 0xf07b7288ddd3db7d, count: 100),
        Golden(300, sparseBytesMax: 300, byteCount: 12304, hash: 0xf214b911ed47b5db, count: 299),
        Golden(1, sparseBytesMax: 3000, byteCount: 21, hash: 0x301de8924104c45d, count: 1),
        Golden(2, sparseBytesMax: 3000, byteCount: 24, hash: 0x6393eeeb4fdababd, count: 2),
        Golden(10, sparseBytesMax: 3000, byteCount: 48, hash: 0xf96a829e03edff0d, count: 10),
        Golden(100, sparseBytesMax: 3000, byteCount: 287, hash: 0xf07b7288ddd3db7d, count: 100),
        Golden(300, sparseBytesMax: 3000, byteCount: 692, hash: 0xe85bcb349547a4d2, count: 299),
        Golden(1000, sparseBytesMax: 3000, byteCount: 1870, hash: 0xaf00f461580baba7, count: 994),
        Golden(3000, sparseBytesMax: 3000, byteCount: 12304, hash: 0x9719810ef473de23, count: 2991),
        Golden(10000, sparseBytesMax: 3000, byteCount: 12304, hash: 0xaa88ff31b72daa52, count: 10016),
        Golden(100000, sparseBytesMax: 3000, byteCount: 12304, hash: 0xaee4ab3738811215, count: 100917),
        Golden(3000, sparseBytesMax: 12000, byteCount: 4880, hash: 0xf60ad58f30f0546d, count: 2991),
        Golden(10000, sparseBytesMax: 12000, byteCount: 10638, hash: 0x7eb549a646e984af, count: 10016),
    ]

    static let merges: [Merge] = [
        Merge(50, 80, byteCount: 299, hash: 0x119caf7b1a7bd572, count: 105, union: 105),
        Merge(500, 900, byteCount: 2120, hash: 0xab43cb9fe20040f4, count: 1144, union: 1144),
        Merge(20000, 50, byteCount: 12304, hash: 0xb21680496c8c69de, count: 19902, union: 19902),
    ]

    private static func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in 0..<bytes.count { hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01b3 }
        return hash
    }

    private static func filled(_ numbers: Range<Int>, sparseBytesMax: Int) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        HyperLogLog.appendEmpty(to: &buffer)
        for number in numbers {
            let element = Array("element-\(number)".utf8)
            if try HyperLogLog.add(element.span, to: &buffer, sparseBytesMax: sparseBytesMax) {
                HyperLogLog.invalidateCache(of: &buffer)
            }
        }
        // The first PFADD of a key always marks the count stale.
        HyperLogLog.invalidateCache(of: &buffer)
        return buffer
    }

    @Test(arguments: additions)
    func addsAsStock(golden: Golden) throws {
        let buffer = try Self.filled(0..<golden.elementCount, sparseBytesMax: golden.sparseBytesMax)
        let count = try HyperLogLog.count(buffer.span)
        let hash = Self.hash(buffer.span)
        #expect(buffer.count == golden.byteCount && hash == golden.hash && count == golden.count)
    }

    @Test(arguments: merges)
    func mergesAsStock(merge: Merge) throws {
        let first = try Self.filled(0..<merge.firstCount, sparseBytesMax: 3000)
        let half = merge.firstCount / 2
        let second = try Self.filled(half..<(half + merge.secondCount), sparseBytesMax: 3000)
        var registers = HyperLogLogRegisters()
        try registers.merge(first.span)
        try registers.merge(second.span)
        let union = registers.count()
        #expect(union == merge.union)
        var target = ByteBuffer()
        HyperLogLog.appendEmpty(to: &target)
        try registers.store(in: &target, sparseBytesMax: 3000)
        let count = try HyperLogLog.count(target.span)
        let hash = Self.hash(target.span)
        #expect(target.count == merge.byteCount && hash == merge.hash && count == merge.count)
    }

    @Test func cachesAndDecodesAsStock() throws {
        var buffer = try Self.filled(0..<12, sparseBytesMax: 3000)
        #expect(HyperLogLog.cachedCount(of: buffer.span) == nil)
        var header = ByteBuffer()
        HyperLogLog.appendCachedCount(12, to: &header)
        buffer.replaceSubrange(HyperLogLog.cacheOffset..<(HyperLogLog.cacheOffset + 8), with: header.span)
        #expect(HyperLogLog.cachedCount(of: buffer.span) == 12)
        let expected = "48594c4c010000000c00000000000000468c84409388491d8047718846be8c42"
            + "a38844128442ee80456380416184465b8c46b9804401"
        var text = ""
        for index in 0..<buffer.count {
            let digits = String(buffer.span[index], radix: 16)
            text += digits.count == 1 ? "0" + digits : digits
        }
        #expect(text == expected)
        var decoded = ByteBuffer()
        try HyperLogLog.appendDecoded(buffer.span, to: &decoded)
        let runs = "Z:1677 v:2,1 Z:148 v:3,1 Z:2334 v:1,1 Z:1906 v:3,1 Z:1727 v:4,1 Z:676 v:3,1 Z:1043 v:2,1 "
            + "Z:751 v:1,1 Z:1380 v:1,1 Z:354 v:2,1 Z:1628 v:4,1 Z:1722 v:1,1 Z:1026"
        let isEqual = LexBound.order(decoded.span, Array(runs.utf8).span) == 0
        #expect(isEqual)
    }
}
