// DumpPayload.swift - what DUMP answers and RESTORE takes: a type, a value, and a footer of version and CRC-64. The
// bytes equal what Redis 7.0 writes for the same value. A key with a label (tags) has it behind its value, as files
// have it before; stock servers do not look at what follows a value. Engine's turn only.
package import Base
package import Structures

package enum PayloadError: Error {
    /// Too short, of an unknown version, or with another checksum.
    case footer
    /// The footer is right and the contents are not.
    case contents
}

package enum DumpPayload {
    package static let footerByteCount = 10

    /// Appends the payload DUMP answers for `entry`; with its label when `tags` are given, which know the label's.
    package static func append(
        _ entry: Entry, compresses: Bool, tags: TagTable? = nil, to output: inout ByteBuffer
    ) {
        let type = ValueCodec.typeCode(of: entry)
        var sink = ValueSink(compresses ? .now : .never)
        sink.append(type)
        var position = ValuePosition()
        let isComplete = ValueCodec.append(entry, from: &position, to: &sink)
        precondition(isComplete, "a sink without a limit takes a value whole")
        if let tags, entry.hasLabel { LabelCode.append(entry.label, tags, to: &sink) }
        sink.append(littleEndian: UInt64(ValueCodec.versionNeeded(type)), byteCount: 2)
        sink.append(littleEndian: CRC64.checksum(sink.bytes.span))
        output.append(sink.bytes.span)
    }

    /// Reads the payload that RESTORE was given. Nothing of it is believed, and nothing but a label, which goes to
    /// `label` as `LabelCode` reads it, may stand behind the value.
    package static func read(
        _ payload: Span<UInt8>, limits: ValueLimits, label: inout ByteBuffer
    ) throws(PayloadError) -> DetachedValue {
        let dialect = try checkFooter(payload)
        let contents = payload.extracting(0..<(payload.count - footerByteCount))
        return try ValueReader.read(contents, limits: limits) { reader throws(PayloadError) in
            reader.dialect = dialect
            let value: DetachedValue
            do throws(ValueError) {
                value = try ValueCodec.read(reader.byte(), from: &reader)
            } catch {
                throw .contents
            }
            do throws(ValueError) {
                if reader.leftInWindow > 0 { try LabelCode.read(&reader, into: &label) }
            } catch {
                throw .contents
            }
            guard reader.leftInWindow == 0, !value.isNothing else { throw .contents }
            return value
        }
    }

    /// Whose dialect the payload's footer names, when version and checksum are right.
    package static func checkFooter(_ payload: Span<UInt8>) throws(PayloadError) -> ValueDialect {
        let count = payload.count - footerByteCount
        guard count >= 0 else { throw .footer }
        let version = Int(payload[count]) | Int(payload[count + 1]) << 8
        guard ValueCode.canRead(version: version) else { throw .footer }
        var stored: UInt64 = 0
        for index in (0..<8).reversed() { stored = stored << 8 | UInt64(payload[count + 2 + index]) }
        guard CRC64.checksum(payload.extracting(0..<(count + 2))) == stored else { throw .footer }
        return version == ValueCode.valkeyVersion ? .valkey : .redis
    }
}
