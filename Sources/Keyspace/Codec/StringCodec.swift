// StringCodec.swift - strings as RDB values. One form for all encodings; a long one is written in pieces. Engine's turn
// only.
internal import Base
internal import Structures

enum StringCodec {
    /// Longer strings are taken over in pieces of this size, so that none holds the turn for long.
    private static let pieceByteCount = 256 << 10

    static func typeCode(of entry: Entry) -> UInt8 { ValueCode.string }

    /// `position.step` is the number of bytes written, once the head is.
    static func append(_ entry: Entry, from position: inout ValuePosition, to sink: inout ValueSink) -> Bool {
        if let value = entry.integerValue {
            sink.append(integerString: value)
            return true
        }
        let text = entry.stringBytes()
        if _fastPath(text.count <= pieceByteCount) || sink.compression == .now {
            sink.append(string: text)
            return true
        }
        if position.step == 0 { sink.beginString(byteCount: text.count) }
        repeat {
            let end = min(position.step + pieceByteCount, text.count)
            sink.append(raw: text.extracting(position.step..<end))
            position.step = end
        } while position.step < text.count && !sink.isFull
        return position.step == text.count
    }

    static func read(from reader: inout ValueReader) throws(ValueError) -> DetachedValue {
        var text = ByteBuffer()
        try reader.string(into: &text)
        return .text(text)
    }
}
