// PayloadReader.swift - reads what RESTORE is given. Nothing in a payload is trusted: every length is compared with the
// bytes left before memory is asked for, and bytes left over at the end are an error. Once built, the value stands in
// the keyspace through the same doors as any other. A type that can be restored adds a case to `restore`.
// Engine's turn only.
package import Base
internal import CLinux
package import Structures

package enum PayloadError: Error {
    /// Too short, of an unknown version, or with another checksum.
    case footer
    /// The footer is right and the contents are not.
    case contents
}

/// What a payload holds.
package enum PayloadValue: ~Copyable {
    case text(ByteBuffer)
    case list(Quicklist)
}

package struct PayloadReader: ~Escapable {
    private let bytes: Span<UInt8>
    private var offset = 0

    /// Checks the footer of `payload`; the reader then sees what stands before it.
    @_lifetime(copy payload)
    package init(payload: Span<UInt8>, checksChecksum: Bool = true) throws(PayloadError) {
        let count = payload.count - PayloadCode.footerByteCount
        guard count >= 0 else { throw .footer }
        let version = Int(payload[count]) | Int(payload[count + 1]) << 8
        guard PayloadCode.canRead(version: version) else { throw .footer }
        if checksChecksum {
            var stored: UInt64 = 0
            for index in (0..<8).reversed() { stored = stored << 8 | UInt64(payload[count + 2 + index]) }
            guard CRC64.checksum(payload.extracting(0..<(count + 2))) == stored else { throw .footer }
        }
        bytes = payload.extracting(0..<count)
    }

    private var left: Int { bytes.count - offset }

    /// Reads the value. `byteCountMax` bounds every string of it; `emptyList` is what a list is built from.
    package mutating func read(
        byteCountMax: Int, emptyList: consuming Quicklist
    ) throws(PayloadError) -> PayloadValue {
        let type = try byte()
        switch type {
        case PayloadCode.typeString:
            var text = ByteBuffer()
            try readString(byteCountMax: byteCountMax, into: &text)
            guard left == 0 else { throw .contents }
            return .text(text)
        case PayloadCode.typeList, PayloadCode.typeQuicklist:
            var list = emptyList
            if type == PayloadCode.typeList {
                try readElements(byteCountMax: byteCountMax, into: &list)
            } else {
                try readNodes(byteCountMax: byteCountMax, into: &list)
            }
            guard left == 0, !list.isEmpty else { throw .contents }
            return .list(list)
        default: throw .contents
        }
    }

    private mutating func readElements(
        byteCountMax: Int, into list: inout Quicklist
    ) throws(PayloadError) {
        for _ in 0..<(try length(after: byte())) {
            var element = ByteBuffer()
            try readString(byteCountMax: byteCountMax, into: &element)
            list.append(element.span)
        }
    }

    /// Every listpack is checked entry by entry; empty ones are left out, as Redis does.
    private mutating func readNodes(
        byteCountMax: Int, into list: inout Quicklist
    ) throws(PayloadError) {
        for _ in 0..<(try length(after: byte())) {
            let container = try length(after: byte())
            var node = ByteBuffer()
            try readString(byteCountMax: byteCountMax, into: &node)
            switch container {
            case PayloadCode.plainNode:
                guard node.count > 0 else { throw .contents }
                list.appendPlainNode(node.span)
            case PayloadCode.packedNode:
                guard Listpack.validate(node.span) else { throw .contents }
                let listpack = ListpackView(node.span)
                if !listpack.isEmpty { list.appendNode(listpack: listpack) }
            default: throw .contents
            }
        }
    }

    private mutating func byte() throws(PayloadError) -> UInt8 {
        guard left > 0 else { throw .contents }
        offset += 1
        return bytes[offset - 1]
    }

    private mutating func bigEndian(_ byteCount: Int) throws(PayloadError) -> UInt64 {
        var value: UInt64 = 0
        for _ in 0..<byteCount { value = value << 8 | UInt64(try byte()) }
        return value
    }

    private mutating func littleEndian(_ byteCount: Int) throws(PayloadError) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<byteCount { value |= UInt64(try byte()) << UInt64(index * 8) }
        return value
    }

    /// A length; `first` was read already.
    private mutating func length(after first: UInt8) throws(PayloadError) -> Int {
        switch first >> 6 {
        case 0: return Int(first)
        case 1: return Int(first & 0x3F) << 8 | Int(try byte())
        default:
            if first == 0x80 { return Int(try bigEndian(4)) }
            guard first == 0x81, let length = Int(exactly: try bigEndian(8)) else { throw .contents }
            return length
        }
    }

    /// Appends a string of any form to `output`.
    mutating func readString(byteCountMax: Int, into output: inout ByteBuffer) throws(PayloadError) {
        let first = try byte()
        switch first {
        case PayloadCode.integer8:
            output.append(decimal: Int(Int8(truncatingIfNeeded: try littleEndian(1))))
        case PayloadCode.integer16:
            output.append(decimal: Int(Int16(truncatingIfNeeded: try littleEndian(2))))
        case PayloadCode.integer32:
            output.append(decimal: Int(Int32(truncatingIfNeeded: try littleEndian(4))))
        case PayloadCode.compressed:
            try readCompressed(byteCountMax: byteCountMax, into: &output)
        default:
            let count = try length(after: first)
            guard count <= left, count <= byteCountMax else { throw .contents }
            output.append(bytes.extracting(offset..<(offset + count)))
            offset += count
        }
    }

    private mutating func readCompressed(byteCountMax: Int, into output: inout ByteBuffer) throws(PayloadError) {
        let blockCount = try length(after: byte())
        let count = try length(after: byte())
        // A block byte stands for at most 264 / 3 bytes, so a promise beyond that is a lie not worth memory.
        guard blockCount > 0, blockCount <= left, count <= byteCountMax, count / 88 <= blockCount else {
            throw .contents
        }
        let block = bytes.extracting(offset..<(offset + blockCount))
        guard LZFBlock.decompress(block, byteCount: count, to: &output) else { throw .contents }
        offset += blockCount
    }
}
