// Bitmap.swift - single bits, counts and searches in strings of bytes. Bit 0 is the highest bit of byte 0, as in Redis.
// Pure functions over borrowed bytes, any thread; bits beyond the end read as 0. Ranges are checked here, so a caller's
// mistake traps instead of reading elsewhere; what clients send must be brought into range before. Cost: counting runs
// at the speed of the cache, searching at 32 bytes a step.
internal import CBits

package enum Bitmap {
    /// The bit at `offset`; false beyond the end.
    @inline(__always)
    package static func bit(at offset: Int, in bytes: Span<UInt8>) -> Bool {
        precondition(offset >= 0, "a bit's offset is not negative")
        let index = offset >> 3
        return index < bytes.count && bytes[index] & (0x80 >> UInt8(truncatingIfNeeded: offset & 7)) != 0
    }

    /// Sets the bit at `offset` to `value`; returns what it was. The byte must be held already.
    @inline(__always)
    package static func setBit(at offset: Int, to value: Bool, in bytes: inout MutableSpan<UInt8>) -> Bool {
        precondition(offset >= 0 && offset >> 3 < bytes.count, "a bit outside the bytes")
        let index = offset >> 3
        let mask: UInt8 = 0x80 >> UInt8(truncatingIfNeeded: offset & 7)
        let byte = bytes[index]
        bytes[index] = value ? byte | mask : byte & ~mask
        return byte & mask != 0
    }

    // MARK: Counting

    /// How many bits of `bytes` are set.
    @inline(__always)
    package static func count(_ bytes: Span<UInt8>) -> Int {
        unsafe Int(truncatingIfNeeded: fog_count_bits(ListpackCode.address(of: bytes), bytes.count))
    }

    /// How many of the bits in `range`, which must lie in `bytes`, are set.
    package static func count(_ bytes: Span<UInt8>, bits range: Range<Int>) -> Int {
        check(range, in: bytes)
        if range.isEmpty { return 0 }
        let first = range.lowerBound >> 3
        let last = (range.upperBound &- 1) >> 3
        let head = headMask(range)
        let tail = tailMask(range)
        if first == last { return (bytes[first] & head & tail).nonzeroBitCount }
        let inner = bytes.extracting(first &+ 1..<last)
        return (bytes[first] & head).nonzeroBitCount &+ count(inner) &+ (bytes[last] & tail).nonzeroBitCount
    }

    // MARK: Searching

    /// The first bit of `range`, which must lie in `bytes`, that is set (or, for `value` false, clear); nil when there
    /// is none.
    package static func firstBit(_ value: Bool, in bytes: Span<UInt8>, bits range: Range<Int>) -> Int? {
        check(range, in: bytes)
        if range.isEmpty { return nil }
        // Searching for a clear bit is searching the complement for a set one.
        let flip: UInt8 = value ? 0 : 0xff
        let first = range.lowerBound >> 3
        let last = (range.upperBound &- 1) >> 3
        let head = (bytes[first] ^ flip) & headMask(range) & (first == last ? tailMask(range) : 0xff)
        if head != 0 { return first << 3 &+ head.leadingZeroBitCount }
        if first == last { return nil }
        if let found = firstByte(notEqualTo: flip, in: bytes, first &+ 1..<last) {
            return found << 3 &+ (bytes[found] ^ flip).leadingZeroBitCount
        }
        let tail = (bytes[last] ^ flip) & tailMask(range)
        return tail == 0 ? nil : last << 3 &+ tail.leadingZeroBitCount
    }

    /// The index of the first byte of `range` that is not `byte`.
    private static func firstByte(notEqualTo byte: UInt8, in bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        let base = unsafe UnsafeRawPointer(ListpackCode.address(of: bytes))
        var index = range.lowerBound
        while index &+ 32 <= range.upperBound {
            let first = unsafe base.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ pattern
            let second = unsafe base.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self) ^ pattern
            let third = unsafe base.loadUnaligned(fromByteOffset: index &+ 16, as: UInt64.self) ^ pattern
            let fourth = unsafe base.loadUnaligned(fromByteOffset: index &+ 24, as: UInt64.self) ^ pattern
            if first | second | third | fourth != 0 { break }
            index &+= 32
        }
        while index < range.upperBound {
            if bytes[index] != byte { return index }
            index &+= 1
        }
        return nil
    }

    // MARK: Edges

    private static func check(_ range: Range<Int>, in bytes: Span<UInt8>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= bytes.count &* 8, "a range of bits outside the bytes")
    }

    /// The bits of the first byte that belong to `range`.
    private static func headMask(_ range: Range<Int>) -> UInt8 {
        0xff >> UInt8(truncatingIfNeeded: range.lowerBound & 7)
    }

    /// The bits of the last byte that belong to `range`.
    private static func tailMask(_ range: Range<Int>) -> UInt8 {
        0xff << UInt8(truncatingIfNeeded: 7 &- (range.upperBound &- 1) & 7)
    }
}
