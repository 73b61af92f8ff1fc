// SortedSetView+Bulk.swift - writing the members of a stretch as RESP bulk strings: the inner loop of ZRANGE and its
// kin without scores. It lies here, beside the bytes, because going through one element value at a time doubles its
// cost. Reads the set, appends to the caller's buffer; engine's turn. Cost: 5 ns a member that is in the cache.
package import Base
internal import CLinux

extension SortedSetView {
    /// Appends the members of `stretch`, from its end when `isReversed`.
    package func appendBulkStrings(in stretch: SortedStretch, isReversed: Bool, to output: inout ByteBuffer) {
        guard isLarge else {
            forEach(in: stretch, isReversed: isReversed) { member, _ in
                BulkString.append(member, to: &output)
            }
            return
        }
        forEachEntry(in: stretch, isReversed: isReversed) { entry in
            unsafe BulkString.append(entry.keyAddress, count: entry.keyByteCount, to: &output)
        }
    }
}

extension BulkString {
    /// Appends an element.
    static func append(_ element: ListpackElement, to output: inout ByteBuffer) {
        element.withText { text in
            unsafe append(ListpackCode.address(of: text), count: text.count, readable: text.count, to: &output)
        }
    }

    /// Appends `count` bytes at `text`, beyond which nothing may be read.
    @unsafe @inline(__always)
    static func append(_ text: UnsafePointer<UInt8>, count: Int, to output: inout ByteBuffer) {
        guard count >= 16, count <= 32 else {
            return unsafe append(text, count: count, readable: count, to: &output)
        }
        // "$16", CR LF, up to 32 bytes, CR LF: two vectors that overlap where the text is shorter than both.
        output.reserve(48)
        let start = unsafe output.pointer + output.count
        let target = UnsafeMutableRawPointer(start)
        let digits = UInt32(truncatingIfNeeded: 48 &+ count / 10) | UInt32(truncatingIfNeeded: 48 &+ count % 10) << 8
        unsafe target.storeBytes(of: UInt8(ascii: "$"), as: UInt8.self)
        unsafe target.storeBytes(of: (digits | 0x0a0d_0000).littleEndian, toByteOffset: 1, as: UInt32.self)
        let source = unsafe UnsafeRawPointer(text)
        let head = unsafe source.loadUnaligned(as: SIMD16<UInt8>.self)
        let tail = unsafe source.loadUnaligned(fromByteOffset: count &- 16, as: SIMD16<UInt8>.self)
        unsafe target.storeBytes(of: head, toByteOffset: 5, as: SIMD16<UInt8>.self)
        unsafe target.storeBytes(of: tail, toByteOffset: count &- 11, as: SIMD16<UInt8>.self)
        unsafe target.storeBytes(of: UInt16(0x0a0d).littleEndian, toByteOffset: count &+ 5, as: UInt16.self)
        output.commit(count &+ 7)
    }
}
