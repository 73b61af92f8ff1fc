// LabelCode.swift - a key's label (`Database+Labels.swift`) as files keep it: a fact named `fog-label` right before the
// key, which stock servers pass over, so the key is a plain one to them. Its value: what the content is, when it was
// written, then the names of the tags, each with its length in front. Engine's turn only.
internal import Base
package import Structures

package enum LabelCode {
    package static let name: StaticString = "fog-label"
    private static let auxiliary: UInt8 = 0xFA

    static func append(_ label: EntryLabel, _ tags: TagTable, to sink: inout ValueSink) {
        if label.isEmpty { return }
        var value = ByteBuffer()
        append(label, tags, to: &value)
        var spelling = ByteBuffer()
        spelling.append(name)
        sink.append(auxiliary)
        sink.append(string: spelling.span)
        sink.append(string: value.span)
    }

    private static func append(_ label: EntryLabel, _ tags: TagTable, to buffer: inout ByteBuffer) {
        buffer.append(label.content)
        append(UInt64(bitPattern: label.writtenMilliseconds), byteCount: 8, to: &buffer)
        for name in tags.names(of: label.cohort) {
            append(UInt64(name.count), byteCount: 4, to: &buffer)
            buffer.append(name)
        }
    }

    private static func append(_ value: UInt64, byteCount: Int, to buffer: inout ByteBuffer) {
        for index in 0..<byteCount { buffer.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }

    /// The label that `bytes` spell, its tags known to `tags`; nil when they spell none.
    package static func read(_ bytes: Span<UInt8>, _ tags: TagTable) -> EntryLabel? {
        guard bytes.count >= 9 else { return nil }
        var ranges: [Range<Int>] = []
        var offset = 9
        while offset < bytes.count {
            guard bytes.count - offset >= 4 else { return nil }
            let count = Int(word(bytes, offset, byteCount: 4))
            guard count <= bytes.count - offset - 4 else { return nil }
            ranges.append((offset + 4)..<(offset + 4 + count))
            offset += 4 + count
        }
        var label = EntryLabel()
        label.content = bytes[0]
        label.writtenMilliseconds = Int64(bitPattern: word(bytes, 1, byteCount: 8))
        label.cohort = tags.cohort(of: ranges.map { tags.tag(bytes.extracting($0)) })
        return label
    }

    /// Reads what `append` wrote: the value of the fact, for the other `read`.
    static func read(_ reader: inout ValueReader, into label: inout ByteBuffer) throws(ValueError) {
        guard try reader.byte() == auxiliary, try reader.withString({ $0.equals(name) }) else {
            throw .expected("nothing but a label behind a value")
        }
        try reader.string(into: &label)
    }

    private static func word(_ bytes: Span<UInt8>, _ offset: Int, byteCount: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in (0..<byteCount).reversed() { value = value << 8 | UInt64(bytes[offset + index]) }
        return value
    }
}
