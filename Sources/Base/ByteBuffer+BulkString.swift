// ByteBuffer+BulkString.swift - lines and strings as the protocol frames them, `$5\r\nhello\r\n`: what replies are
// made of and the journal writes for each word of every change, so one reservation and one copy. Any thread; cost: a
// copy and a few nanoseconds.
internal import CLinux

extension ByteBuffer {
    /// Head and tail of a bulk string at their longest.
    private static var frameByteCountMax: Int { 32 }

    /// Appends `bytes` with their length in front.
    @inline(__always)
    package mutating func append(bulkString bytes: Span<UInt8>) {
        let count = bytes.count
        reserve(count &+ ByteBuffer.frameByteCountMax)
        let digits = count < 10 ? 1 : count < 100 ? 2 : IntegerText.byteCount(ofMagnitude: UInt64(count))
        let start = unsafe pointer + self.count
        unsafe start[0] = UInt8(ascii: "$")
        var rest = count
        var index = digits
        repeat {
            unsafe start[index] = UInt8(truncatingIfNeeded: 48 &+ rest % 10)
            rest /= 10
            index &-= 1
        } while index > 0
        let body = unsafe ByteBuffer.endLine(start + (digits &+ 1))
        unsafe bytes.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { unsafe memcpy(body, base, count) }
        }
        unsafe _ = ByteBuffer.endLine(body + count)
        commit(count &+ digits &+ 5)
    }

    /// Appends the line of a number, `:42\r\n` and whatever else stands in front of one.
    @inline(__always)
    package mutating func append(line prefix: UInt8, _ value: Int) {
        reserve(ByteBuffer.frameByteCountMax)
        let start = unsafe pointer + count
        unsafe start[0] = prefix
        if _fastPath(value >= 0 && value < 10) {
            unsafe start[1] = UInt8(truncatingIfNeeded: 48 &+ value)
            unsafe _ = ByteBuffer.endLine(start + 2)
            return commit(4)
        }
        commit(1)
        append(decimal: value)
        unsafe _ = ByteBuffer.endLine(pointer + count)
        commit(2)
    }

    @unsafe @inline(__always)
    private static func endLine(_ position: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        unsafe position[0] = 13
        unsafe position[1] = 10
        return unsafe position + 2
    }
}
