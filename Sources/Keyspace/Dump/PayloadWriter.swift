// PayloadWriter.swift - the byte forms of RDB that DUMP uses: lengths, strings as text, integer or LZF, and the footer
// with version and CRC-64. A type that can be dumped adds a case to `append(_ entry:)`. Engine's turn only; the output
// grows in a `ByteBuffer` of the caller. The bytes equal what Redis 7.0 writes for the same value.
package import Base
package import Structures

/// Numbers of RDB's format that both directions need.
enum PayloadCode {
    /// What DUMP writes: Redis 7.0 and everything after it reads this.
    static let version = 10
    /// The newest version that Redis gave to payloads of the types known here (8.2), and Valkey 9's own range.
    static func canRead(version: Int) -> Bool { version <= 12 || version == 80 }
    static let footerByteCount = 10
    static let typeString: UInt8 = 0
    /// A list as its elements, of old servers; only read.
    static let typeList: UInt8 = 1
    /// A list as its nodes, each plain or a listpack.
    static let typeQuicklist: UInt8 = 18
    static let plainNode = 1
    static let packedNode = 2
    static let integer8: UInt8 = 0xC0
    static let integer16: UInt8 = 0xC1
    static let integer32: UInt8 = 0xC2
    static let compressed: UInt8 = 0xC3
}

package enum PayloadWriter {
    /// Strings up to this length are not worth compressing, as in Redis.
    private static let compressedByteCountMin = 21
    /// Longer texts are no 32-bit integer.
    private static let integerTextByteCountMax = 11

    /// Appends the payload DUMP answers for `entry`. False, and nothing appended, when the type has no payload form.
    package static func append(_ entry: Entry, compresses: Bool, to output: inout ByteBuffer) -> Bool {
        let start = output.count
        switch entry.objectType {
        case .string:
            output.append(PayloadCode.typeString)
            appendStringValue(entry, compresses: compresses, to: &output)
        case .list:
            output.append(PayloadCode.typeQuicklist)
            append(list: entry.list, compresses: compresses, to: &output)
        case .set, .sortedSet, .hash, .stream:
            return false
        }
        appendFooter(from: start, to: &output)
        return true
    }

    private static func append(list: ListView, compresses: Bool, to output: inout ByteBuffer) {
        append(length: list.nodeCount, to: &output)
        list.forEachNode { isPlain, bytes in
            append(length: isPlain ? PayloadCode.plainNode : PayloadCode.packedNode, to: &output)
            append(string: bytes, compresses: compresses, to: &output)
        }
    }

    private static func appendStringValue(_ entry: Entry, compresses: Bool, to output: inout ByteBuffer) {
        if let value = entry.integerValue {
            if append(integer: value, to: &output) { return }
            // Too large for the short forms: its text.
            entry.withStringBytes { text in
                append(length: text.count, to: &output)
                output.append(text)
            }
            return
        }
        append(string: entry.stringBytes(), compresses: compresses, to: &output)
    }

    /// A string in its shortest form: integer, LZF (when `compresses`) or as it is.
    static func append(string bytes: Span<UInt8>, compresses: Bool, to output: inout ByteBuffer) {
        if bytes.count <= integerTextByteCountMax, let value = DecimalNumber.parse(bytes),
            append(integer: value, to: &output)
        {
            return
        }
        if compresses, bytes.count >= compressedByteCountMin {
            var block = ByteBuffer()
            if LZFBlock.compress(bytes, savedMin: 4, to: &block) {
                output.append(PayloadCode.compressed)
                append(length: block.count, to: &output)
                append(length: bytes.count, to: &output)
                output.append(block.span)
                return
            }
        }
        append(length: bytes.count, to: &output)
        output.append(bytes)
    }

    /// An integer of 8, 16 or 32 bits; false when it needs more.
    static func append(integer value: Int64, to output: inout ByteBuffer) -> Bool {
        if let small = Int8(exactly: value) {
            output.append(PayloadCode.integer8)
            output.append(UInt8(bitPattern: small))
        } else if Int16(exactly: value) != nil {
            output.append(PayloadCode.integer16)
            append(UInt64(bitPattern: value), byteCount: 2, to: &output)
        } else if Int32(exactly: value) != nil {
            output.append(PayloadCode.integer32)
            append(UInt64(bitPattern: value), byteCount: 4, to: &output)
        } else {
            return false
        }
        return true
    }

    /// RDB's length: 6, 14, 32 or 64 bits, big endian.
    static func append(length: Int, to output: inout ByteBuffer) {
        precondition(length >= 0, "a length is not negative")
        if length < 1 << 6 {
            output.append(UInt8(length))
        } else if length < 1 << 14 {
            output.append(0x40 | UInt8(length >> 8))
            output.append(UInt8(length & 0xFF))
        } else {
            let byteCount = length <= Int(UInt32.max) ? 4 : 8
            output.append(byteCount == 4 ? 0x80 : 0x81)
            for index in (0..<byteCount).reversed() { output.append(UInt8(length >> (index * 8) & 0xFF)) }
        }
    }

    private static func append(_ value: UInt64, byteCount: Int, to output: inout ByteBuffer) {
        for index in 0..<byteCount { output.append(UInt8(truncatingIfNeeded: value >> UInt64(index * 8))) }
    }

    /// Version and CRC-64 of everything since `start`.
    private static func appendFooter(from start: Int, to output: inout ByteBuffer) {
        append(UInt64(PayloadCode.version), byteCount: 2, to: &output)
        let checksum = CRC64.checksum(output.span.extracting(start..<output.count))
        append(checksum, byteCount: 8, to: &output)
    }
}
