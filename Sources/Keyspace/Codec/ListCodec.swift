// ListCodec.swift - lists as RDB values. Written as their nodes (type 18), as Redis 7.0 does; read in every form since
// Redis 1: elements (1), one ziplist (10), ziplists (14), listpacks and plain nodes (18). Engine's turn only.
internal import Base
internal import Structures

enum ListCodec {
    private static let plainNode = 1
    private static let packedNode = 2

    static func typeCode(of entry: Entry) -> UInt8 { ValueCode.listQuicklist2 }

    /// `position.step` is 1 behind the head; the word then says which node comes next.
    static func append(_ entry: Entry, from position: inout ValuePosition, to sink: inout ValueSink) -> Bool {
        if position.step == 0 {
            sink.append(length: entry.list.nodeCount)
            position.step = 1
            position.word = entry.list.firstNodeWord
        }
        return entry.list.visitNodes(from: &position.word) { isPlain, bytes in
            sink.append(length: isPlain ? plainNode : packedNode)
            sink.append(string: bytes)
            return !sink.isFull
        }
    }

    static func read(_ type: UInt8, from reader: inout ValueReader) throws(ValueError) -> DetachedValue {
        var list = Quicklist(limits: reader.limits.list, compressDepth: reader.limits.listCompressDepth)
        var text = ByteBuffer()
        switch type {
        case ValueCode.list:
            for _ in 0..<(try reader.length()) {
                try reader.string(into: &text)
                list.append(text.span)
            }
        case ValueCode.listZiplist:
            try reader.string(into: &text)
            try append(ziplist: text.span, to: &list)
        case ValueCode.listQuicklist:
            for _ in 0..<(try reader.length()) {
                try reader.string(into: &text)
                try append(ziplist: text.span, to: &list)
            }
        default:
            for _ in 0..<(try reader.length()) { try readNode(&reader, &text, into: &list) }
        }
        if list.isEmpty { return .nothing }
        return .list(list)
    }

    private static func append(ziplist bytes: Span<UInt8>, to list: inout Quicklist) throws(ValueError) {
        guard Ziplist.validate(bytes) else { throw .expected("a well-formed ziplist") }
        var walk = ZiplistWalk(bytes)
        while let element = walk.next() { element.withText { list.append($0) } }
    }

    /// Every listpack is checked entry by entry; empty ones are left out, as Redis does.
    private static func readNode(
        _ reader: inout ValueReader, _ text: inout ByteBuffer, into list: inout Quicklist
    ) throws(ValueError) {
        let container = try reader.length()
        try reader.string(into: &text)
        switch container {
        case plainNode:
            guard !text.isEmpty else { throw .expected("a list node that is not empty") }
            list.appendPlainNode(text.span)
        case packedNode:
            guard Listpack.validate(text.span) else { throw .expected("a well-formed listpack") }
            let listpack = ListpackView(text.span)
            if !listpack.isEmpty { list.appendNode(listpack: listpack) }
        default: throw .expected("a plain or packed list node")
        }
    }
}
