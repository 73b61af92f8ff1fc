// ListpackView+Bulk.swift - writing runs of elements as RESP bulk strings ("$5", CR LF, bytes, CR LF): the inner loop
// of LRANGE, HGETALL, SMEMBERS and their like. It lies here, beside the bytes, because going through one element value
// at a time doubles its cost. Reads the listpack, appends to the caller's buffer; any thread. Cost: 2-4 ns an element.
package import Base
internal import CLinux

extension ListpackView {
    /// Appends up to `limit` elements from `offset` on, every `stride`-th one (2: only the fields of a hash, or only
    /// the values when `offset` is a value's); `offset` moves on to the first entry not looked at. Returns how many.
    @discardableResult
    package func appendBulkStrings(
        from offset: inout Int, limit: Int, stride: Int = 1, to output: inout ByteBuffer
    ) -> Int {
        precondition(stride > 0, "a stride is positive")
        if offset == endOffset || limit <= 0 { return 0 }
        checkOffset(offset)
        var position = unsafe base + offset
        let stop = unsafe end
        var written = 0
        while unsafe position < stop, written < limit {
            let entry = unsafe ListpackCode.decode(position)
            unsafe BulkString.append(entry, listEnd: stop + 1, to: &output)
            unsafe position += entry.byteCount
            written &+= 1
            var left = stride &- 1
            while left > 0, unsafe position < stop {
                unsafe position += ListpackCode.entryByteCount(position)
                left &-= 1
            }
        }
        offset = unsafe position - base
        return written
    }

    /// Appends up to `limit` elements that lie before `offset`, the nearest first; `offset` moves back to the last
    /// entry written. Returns how many.
    @discardableResult
    package func appendBulkStrings(before offset: inout Int, limit: Int, to output: inout ByteBuffer) -> Int {
        precondition(offset >= startOffset && offset <= endOffset, "an offset outside the listpack")
        let start = unsafe base + ListpackCode.headerByteCount
        var position = unsafe base + offset
        let listEnd = unsafe end + 1
        var written = 0
        while unsafe position > start, written < limit {
            unsafe position -= ListpackCode.entryByteCount(endingAt: position)
            unsafe BulkString.append(ListpackCode.decode(position), listEnd: listEnd, to: &output)
            written &+= 1
        }
        offset = unsafe position - base
        return written
    }
}

/// One RESP bulk string, written with as few branches and calls as its length allows.
enum BulkString {
    /// "$", twenty digits, two line ends, and what the widest unconditional copy writes too much.
    private static let overheadByteCountMax = 64
    /// A text up to here is copied by whole vectors, beyond its end if need be.
    private static let vectorCopyByteCountMax = 32

    /// Appends the element of `entry`; up to `listEnd` memory may be read.
    @unsafe @inline(__always)
    static func append(_ entry: ListpackCode.Entry, listEnd: UnsafePointer<UInt8>, to output: inout ByteBuffer) {
        guard let text = unsafe entry.text else {
            appendInteger(entry.integer, to: &output)
            return
        }
        unsafe append(text, count: entry.textByteCount, readable: listEnd - text, to: &output)
    }

    /// Appends `count` bytes at `text`, of which `readable` (at least `count`) may be read.
    @unsafe @inline(__always)
    static func append(_ text: UnsafePointer<UInt8>, count: Int, readable: Int, to output: inout ByteBuffer) {
        output.reserve(count &+ overheadByteCountMax)
        let start = unsafe output.pointer + output.count
        var target = unsafe start
        unsafe target[0] = UInt8(ascii: "$")
        if count < 10 {
            unsafe target[1] = UInt8(truncatingIfNeeded: 48 &+ count)
            unsafe target += 2
        } else if count < 100 {
            unsafe target[1] = UInt8(truncatingIfNeeded: 48 &+ count / 10)
            unsafe target[2] = UInt8(truncatingIfNeeded: 48 &+ count % 10)
            unsafe target += 3
        } else {
            let digits = ListpackNumber.textByteCount(Int64(count))
            unsafe ListpackNumber.write(Int64(count), byteCount: digits, to: target + 1)
            unsafe target += 1 &+ digits
        }
        unsafe storeLineEnd(target)
        unsafe target += 2
        if count <= vectorCopyByteCountMax && readable >= vectorCopyByteCountMax {
            unsafe copyVector(from: text, to: target)
            if count > 16 { unsafe copyVector(from: text + 16, to: target + 16) }
        } else {
            unsafe memcpy(target, text, count)
        }
        unsafe target += count
        unsafe storeLineEnd(target)
        output.commit(unsafe target + 2 - start)
    }

    @inline(never)
    private static func appendInteger(_ value: Int64, to output: inout ByteBuffer) {
        output.reserve(overheadByteCountMax)
        let start = unsafe output.pointer + output.count
        let count = ListpackNumber.textByteCount(value)
        unsafe start[0] = UInt8(ascii: "$")
        var target = unsafe start + 1
        let digits = count < 10 ? 1 : 2
        unsafe ListpackNumber.write(Int64(count), byteCount: digits, to: target)
        unsafe target += digits
        unsafe storeLineEnd(target)
        unsafe ListpackNumber.write(value, byteCount: count, to: target + 2)
        unsafe target += 2 &+ count
        unsafe storeLineEnd(target)
        output.commit(unsafe target + 2 - start)
    }

    @unsafe @inline(__always)
    private static func storeLineEnd(_ target: UnsafeMutablePointer<UInt8>) {
        unsafe UnsafeMutableRawPointer(target).storeBytes(of: UInt16(0x0a0d).littleEndian, as: UInt16.self)
    }

    @unsafe @inline(__always)
    private static func copyVector(from source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>) {
        let vector = unsafe UnsafeRawPointer(source).loadUnaligned(as: SIMD16<UInt8>.self)
        unsafe UnsafeMutableRawPointer(target).storeBytes(of: vector, as: SIMD16<UInt8>.self)
    }
}
