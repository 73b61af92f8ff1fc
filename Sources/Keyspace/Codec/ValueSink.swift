// ValueSink.swift - where values are written as RDB bytes: lengths, strings in their shortest form, numbers. One sink
// serves DUMP (everything at once), snapshots (in slices, between which the clock is looked at and other clients have
// their turn: `isFull` says that one is over; `hasPiece` that the sink wants to be drained) and synchronous saves.
// Engine's turn only while entries are read into it; drained pieces may travel.
//
// Compressing is slow (a few hundred MB/s), so a snapshot does not do it under the turn: with `.later` a string that
// is worth trying goes in as it is and its place is noted in `marks`, for the thread that writes the file.
package import Base
package import Structures

package struct ValueSink: ~Copyable {
    /// When strings are LZF-compressed.
    package enum Compression: Sendable {
        case never
        case now
        /// By whoever drains the sink; the places of the strings stand in `marks`.
        case later
    }

    /// What was appended since the last `take`.
    package private(set) var bytes = ByteBuffer()
    /// Offsets in `bytes` where a plain string begins (with its length) that may be compressed. Its bytes may go on in
    /// the next piece.
    package private(set) var marks: [UInt32] = []
    package let compression: Compression
    /// From so many bytes on the sink wants to be drained.
    private let pieceByteCount: Int
    /// Where the slice ends that is being appended.
    private var sliceEnd = Int.max
    /// Members of a table lie anywhere in memory: so many bytes of small ones are some hundred microseconds.
    package static let sliceByteCount = 16 << 10

    /// Strings up to this length are not worth compressing, as in Redis.
    private static let compressedByteCountMin = 21
    /// Longer strings stay as they are when compression comes later: the writer would have to hold them whole.
    package static let laterByteCountMax = 16 << 20
    /// Longer texts are no 32-bit integer.
    private static let integerTextByteCountMax = 11

    package init(_ compression: Compression, pieceByteCount: Int = .max) {
        self.compression = compression
        self.pieceByteCount = pieceByteCount
    }

    /// True when whoever appends in slices should stop and let others go on.
    package var isFull: Bool { @inline(__always) get { bytes.count >= sliceEnd } }

    /// True when what was appended should be taken.
    package var hasPiece: Bool { @inline(__always) get { bytes.count >= pieceByteCount } }

    /// The next slice of a value follows.
    package mutating func beginSlice(byteCount: Int = ValueSink.sliceByteCount) {
        reservePiece()
        sliceEnd = bytes.count + byteCount
    }

    /// What follows is appended whole, however large it is.
    package mutating func endSlices() {
        reservePiece()
        sliceEnd = .max
    }

    /// The room of a piece at once, when it is seen to become one: doubling would touch fresh pages at each step.
    @inline(__always)
    private mutating func reservePiece() {
        guard bytes.count >= ValueSink.sliceByteCount, pieceByteCount != .max else { return }
        bytes.reserveExactly(max(0, pieceByteCount + ValueSink.sliceByteCount - bytes.count))
    }

    package var isEmpty: Bool { bytes.isEmpty }

    /// The bytes written so far, valid until the next ones.
    package var span: Span<UInt8> {
        @_lifetime(borrow self) get { bytes.span }
    }

    /// A part of a value, taken out of the sink.
    package struct Piece: ~Copyable, Sendable {
        package let bytes: ByteBuffer
        package let marks: [UInt32]

        package consuming func takeBytes() -> ByteBuffer { bytes }
    }

    /// Takes out what was appended so far.
    package mutating func take() -> Piece {
        var taken = ByteBuffer()
        Swift.swap(&taken, &bytes)
        let places = marks
        marks = []
        return Piece(bytes: taken, marks: places)
    }

    // MARK: bytes and numbers

    @inline(__always)
    package mutating func append(_ byte: UInt8) { bytes.append(byte) }

    /// Bytes as they are, without a length.
    @inline(__always)
    package mutating func append(raw text: Span<UInt8>) { bytes.append(text) }

    /// The low `byteCount` bytes of `value`, little endian.
    @inline(__always)
    package mutating func append(littleEndian value: UInt64, byteCount: Int = 8) {
        for index in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(index &* 8))) }
    }

    /// A floating-point number in eight bytes.
    package mutating func append(double value: Double) { append(littleEndian: value.bitPattern) }

    /// RDB's length: 6, 14, 32 or 64 bits, big endian.
    @inline(__always)
    package mutating func append(length: Int) {
        precondition(length >= 0, "a length is not negative")
        append(length: UInt64(length))
    }

    /// As `append(length: Int)`, for counters that use all 64 bits.
    package mutating func append(length: UInt64) {
        if length < 1 << 6 {
            bytes.append(UInt8(length))
        } else if length < 1 << 14 {
            bytes.append(0x40 | UInt8(length >> 8))
            bytes.append(UInt8(length & 0xFF))
        } else {
            let byteCount: UInt64 = length <= UInt64(UInt32.max) ? 4 : 8
            bytes.append(byteCount == 4 ? 0x80 : 0x81)
            for index in (0..<byteCount).reversed() { bytes.append(UInt8(length >> (index * 8) & 0xFF)) }
        }
    }

    // MARK: strings

    /// A string in its shortest form: integer, compressed (now or later) or as it is.
    package mutating func append(string text: Span<UInt8>) {
        if text.count <= ValueSink.integerTextByteCountMax, let value = DecimalNumber.parse(text),
            append(integer: value)
        {
            return
        }
        if text.count >= ValueSink.compressedByteCountMin && compression == .now && appendCompressed(text) { return }
        beginString(byteCount: text.count)
        bytes.append(text)
    }

    /// The head of a string whose `byteCount` bytes follow by `append(raw:)`, perhaps in several pieces.
    @inline(__always)
    package mutating func beginString(byteCount: Int) {
        if compression == .later, byteCount >= ValueSink.compressedByteCountMin,
            byteCount <= ValueSink.laterByteCountMax
        {
            marks.append(UInt32(truncatingIfNeeded: bytes.count))
        }
        append(length: byteCount)
    }

    /// A number in the form RDB gives to strings that spell one.
    package mutating func append(integerString value: Int64) {
        if append(integer: value) { return }
        // Too large for the short forms: its text.
        append(length: DecimalDigits.count(value))
        bytes.append(decimal: Int(value))
    }

    /// An element of a compact structure, as a string.
    package mutating func append(element: borrowing ListpackElement) {
        switch element {
        case .integer(let value): append(integerString: value)
        case .bytes(let text): append(string: text)
        }
    }

    private mutating func appendCompressed(_ text: Span<UInt8>) -> Bool {
        ValueSink.appendCompressed(text, to: &bytes)
    }

    /// Appends the compressed form of a string to `output`; false, and nothing appended, when it saves nothing.
    package static func appendCompressed(_ text: Span<UInt8>, to output: inout ByteBuffer) -> Bool {
        var block = ByteBuffer()
        guard LZFBlock.compress(text, savedMin: 4, to: &block) else { return false }
        var head = ValueSink(.never)
        head.append(ValueCode.compressed)
        head.append(length: block.count)
        head.append(length: text.count)
        output.append(head.bytes.span)
        output.append(block.span)
        return true
    }

    /// An integer of 8, 16 or 32 bits; false when it needs more.
    private mutating func append(integer value: Int64) -> Bool {
        if let small = Int8(exactly: value) {
            bytes.append(ValueCode.integer8)
            bytes.append(UInt8(bitPattern: small))
        } else if Int16(exactly: value) != nil {
            bytes.append(ValueCode.integer16)
            append(littleEndian: UInt64(bitPattern: value), byteCount: 2)
        } else if Int32(exactly: value) != nil {
            bytes.append(ValueCode.integer32)
            append(littleEndian: UInt64(bitPattern: value), byteCount: 4)
        } else {
            return false
        }
        return true
    }
}
