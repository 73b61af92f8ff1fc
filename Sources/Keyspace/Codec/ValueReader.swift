// ValueReader.swift - reads RDB bytes that nobody has checked: a payload of RESTORE, which lies whole in memory, or a
// stream (an RDB file, a primary's transfer), of which a window is kept and refilled. Nothing is trusted: every length
// is compared with a bound before memory is asked for, and a long string grows by what really arrived, so a lie about
// a length costs nothing. One owner, one thread.
package import Base
internal import CLinux
package import Structures

/// Why bytes cannot be read as what they should be.
package enum ValueError: Error {
    /// They end where more had to come.
    case ended
    /// They are something else than this.
    case expected(StaticString)
    /// The system refused to read; an errno.
    case system(Int32)
}

/// What values are built to when they are read: the bounds and thresholds of the configuration.
package struct ValueLimits: Sendable {
    /// No string may be longer (`proto-max-bulk-len`).
    package var stringByteCountMax = 512 << 20
    package var list = ListLimits.standard
    package var listCompressDepth = 0
    package var sortedSet = SortedSetLimits(countMax: 128, memberByteCountMax: 64)
    package var hash = CompactLimits(countMax: 512, byteCountMax: 64)
    package var set = SetLimits(intsetCountMax: 512, listpackCountMax: 128, listpackByteCountMax: 64)
    package init() {}
}

@safe package struct ValueReader: ~Copyable {
    /// Reads up to `count` bytes to `target`: how many came, 0 at the end, a negative errno.
    package typealias Refill = (_ target: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int

    private var base: UnsafePointer<UInt8>
    /// Next byte in the window, and the bytes in it.
    private var offset = 0
    private var count: Int
    private let refill: Refill?
    private var window = ByteBuffer()
    private var scratch = ByteBuffer()
    /// Place of the window in the stream.
    private var origin = 0
    private var checksumOffset = 0
    private var running = CRC64()
    package let limits: ValueLimits
    /// Whose numbers the bytes follow; whoever read the head of the file or payload says it.
    package var dialect = ValueDialect.redis

    private static let windowByteCount = 1 << 20
    /// A long string is taken over in pieces of this size.
    private static let pieceByteCount = 1 << 20

    /// Reads a stream.
    @unsafe package init(limits: ValueLimits, refill: @escaping Refill) {
        unsafe base = UnsafePointer(window.pointer)
        count = 0
        unsafe self.refill = refill
        self.limits = limits
    }

    @unsafe private init(_ base: UnsafePointer<UInt8>, count: Int, limits: ValueLimits) {
        unsafe self.base = base
        self.count = count
        unsafe refill = nil
        self.limits = limits
    }

    /// Calls `body` with a reader of `bytes`, which end where they end.
    @inline(__always)
    package static func read<Result: ~Copyable, Failure: Error>(
        _ bytes: Span<UInt8>, limits: ValueLimits, _ body: (inout ValueReader) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let base = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe buffer.baseAddress ?? UnsafePointer(bitPattern: 16).unsafelyUnwrapped
        }
        // The span is borrowed for the whole call, and the reader ends with it.
        var reader = unsafe ValueReader(base, count: bytes.count, limits: limits)
        return try body(&reader)
    }

    // MARK: place and checksum

    /// Bytes read so far.
    package var position: Int { origin + offset }

    /// Bytes of the window that were not read yet: 0 at the end of a payload.
    package var leftInWindow: Int { count - offset }

    /// The checksum of everything read so far.
    package mutating func checksum() -> UInt64 {
        settleChecksum()
        return running.value
    }

    private mutating func settleChecksum() {
        unsafe running.update(base + checksumOffset, count: offset - checksumOffset)
        checksumOffset = offset
    }

    // MARK: bytes

    /// Makes sure that `needed` bytes, at most a window, lie in the window.
    @inline(__always)
    private mutating func ensure(_ needed: Int) throws(ValueError) {
        if _fastPath(count &- offset >= needed) { return }
        try fill(needed)
    }

    @inline(never)
    private mutating func fill(_ needed: Int) throws(ValueError) {
        guard let refill = unsafe refill else { throw .ended }
        settleChecksum()
        window.removeFirst(offset)
        origin += offset
        offset = 0
        checksumOffset = 0
        defer {
            unsafe base = UnsafePointer(window.pointer)
            count = window.count
        }
        while window.count < needed {
            window.reserve(max(needed - window.count, ValueReader.windowByteCount))
            let got = unsafe refill(window.pointer + window.count, window.capacity - window.count)
            if got < 0 { throw .system(Int32(truncatingIfNeeded: -got)) }
            if got == 0 { throw .ended }
            window.commit(got)
        }
    }

    @inline(__always)
    package mutating func byte() throws(ValueError) -> UInt8 {
        try ensure(1)
        offset &+= 1
        return unsafe base[offset &- 1]
    }

    /// Takes `byteCount` bytes and copies them behind `output`, whatever their number.
    private mutating func append(_ byteCount: Int, to output: inout ByteBuffer) throws(ValueError) {
        var left = byteCount
        while left > 0 {
            if offset == count { try fill(1) }
            let piece = min(left, count - offset, ValueReader.pieceByteCount)
            unsafe output.append(base + offset, count: piece)
            offset += piece
            left -= piece
        }
    }

    /// Passes over `byteCount` bytes.
    package mutating func skip(_ byteCount: Int) throws(ValueError) {
        var left = byteCount
        while left > 0 {
            if offset == count { try fill(1) }
            let piece = min(left, count - offset)
            offset += piece
            left -= piece
        }
    }

    // MARK: numbers

    package mutating func bigEndian(_ byteCount: Int) throws(ValueError) -> UInt64 {
        try ensure(byteCount)
        var value: UInt64 = 0
        for _ in 0..<byteCount {
            value = unsafe value << 8 | UInt64(base[offset])
            offset &+= 1
        }
        return value
    }

    package mutating func littleEndian(_ byteCount: Int = 8) throws(ValueError) -> UInt64 {
        try ensure(byteCount)
        var value: UInt64 = 0
        for index in 0..<byteCount { value |= unsafe UInt64(base[offset &+ index]) << UInt64(index &* 8) }
        offset &+= byteCount
        return value
    }

    /// A floating-point number in eight bytes.
    package mutating func double() throws(ValueError) -> Double { Double(bitPattern: try littleEndian()) }

    /// A floating-point number as text behind its length; 253 to 255 stand for nan, inf and -inf.
    package mutating func textDouble() throws(ValueError) -> Double {
        let byteCount = try byte()
        switch byteCount {
        case 253: return .nan
        case 254: return .infinity
        case 255: return -.infinity
        default:
            try ensure(Int(byteCount))
            let text = unsafe Span(_unsafeStart: base + offset, count: Int(byteCount))
            guard let value = DoubleText.parse(text) else { throw .expected("a number as text") }
            offset += Int(byteCount)
            return value
        }
    }

    /// A length or count. Nothing may be reserved for it before as much has arrived.
    @inline(__always)
    package mutating func length() throws(ValueError) -> Int {
        let first = try byte()
        if _fastPath(first < 0x40) { return Int(first) }
        return try length(after: first)
    }

    private mutating func length(after first: UInt8) throws(ValueError) -> Int {
        guard let length = Int(exactly: try wideLength(after: first)) else { throw .expected("a length") }
        return length
    }

    /// A counter that may use all 64 bits, in the form of a length.
    package mutating func wideLength() throws(ValueError) -> UInt64 { try wideLength(after: byte()) }

    private mutating func wideLength(after first: UInt8) throws(ValueError) -> UInt64 {
        switch first >> 6 {
        case 0: return UInt64(first)
        case 1: return UInt64(first & 0x3F) << 8 | UInt64(try byte())
        default:
            if first == 0x80 { return try bigEndian(4) }
            guard first == 0x81 else { throw .expected("a length") }
            return try bigEndian(8)
        }
    }

    // MARK: strings

    /// Reads a string of any form into `output`, in the place of what that held.
    package mutating func string(into output: inout ByteBuffer) throws(ValueError) {
        output.truncate(to: 0)
        _ = try appendString(to: &output)
    }

    /// Reads a string of any form behind what `output` holds: its length.
    @inline(__always)
    package mutating func appendString(to output: inout ByteBuffer) throws(ValueError) -> Int {
        let first = try byte()
        let start = output.count
        if first >= 0xC0 {
            try special(first, into: &output)
        } else {
            let byteCount = try checkedCount(first < 0x40 ? Int(first) : length(after: first))
            if _fastPath(count &- offset >= byteCount) {
                unsafe output.append(base + offset, count: byteCount)
                offset &+= byteCount
            } else {
                try append(byteCount, to: &output)
            }
        }
        return output.count &- start
    }

    /// Calls `body` with a string of any form; no copy is made of one that lies in the window as it is.
    @inline(__always)
    package mutating func withString<Result>(_ body: (Span<UInt8>) -> Result) throws(ValueError) -> Result {
        let first = try byte()
        if first >= 0xC0 { return try withSpecial(first, body) }
        let byteCount = try checkedCount(first < 0x40 ? Int(first) : length(after: first))
        if _slowPath(byteCount > ValueReader.windowByteCount) {
            // Not the shared scratch: so much memory is not worth keeping.
            var room = ByteBuffer()
            try append(byteCount, to: &room)
            return body(room.span)
        }
        try ensure(byteCount)
        let text = unsafe Span(_unsafeStart: base + offset, count: byteCount)
        offset &+= byteCount
        return body(text)
    }

    private mutating func withSpecial<Result>(
        _ first: UInt8, _ body: (Span<UInt8>) -> Result
    ) throws(ValueError) -> Result {
        var room = ByteBuffer()
        Swift.swap(&room, &scratch)
        defer { Swift.swap(&room, &scratch) }
        room.removeAll(keepingCapacity: ValueReader.windowByteCount)
        try special(first, into: &room)
        return body(room.span)
    }

    @inline(__always)
    private func checkedCount(_ byteCount: Int) throws(ValueError) -> Int {
        if byteCount > limits.stringByteCountMax { throw .expected("a string that is not too long") }
        return byteCount
    }

    private mutating func special(_ first: UInt8, into output: inout ByteBuffer) throws(ValueError) {
        switch first {
        case ValueCode.integer8: output.append(decimal: Int(Int8(truncatingIfNeeded: try littleEndian(1))))
        case ValueCode.integer16: output.append(decimal: Int(Int16(truncatingIfNeeded: try littleEndian(2))))
        case ValueCode.integer32: output.append(decimal: Int(Int32(truncatingIfNeeded: try littleEndian(4))))
        case ValueCode.compressed: try compressed(into: &output)
        default: throw .expected("a string")
        }
    }

    private mutating func compressed(into output: inout ByteBuffer) throws(ValueError) {
        let blockCount = try length()
        let byteCount = try checkedCount(length())
        // A block byte stands for at most 264 / 3 bytes, so a promise beyond that is a lie not worth memory.
        guard blockCount > 0, blockCount <= byteCount, byteCount / 88 <= blockCount else {
            throw .expected("a compressed string")
        }
        let isWhole: Bool
        if blockCount <= ValueReader.windowByteCount {
            try ensure(blockCount)
            let block = unsafe Span(_unsafeStart: base + offset, count: blockCount)
            isWhole = LZFBlock.decompress(block, byteCount: byteCount, to: &output)
            offset += blockCount
        } else {
            var block = ByteBuffer()
            try append(blockCount, to: &block)
            isWhole = LZFBlock.decompress(block.span, byteCount: byteCount, to: &output)
        }
        if !isWhole { throw .expected("a compressed string") }
    }
}
