// RDBEncoder.swift - from a snapshot's pieces to the bytes of an RDB file: head, facts, records with their strings
// compressed, end and checksum. Runs on the thread that writes the file; nothing here touches the keyspace.
// The head names the oldest version that holds the data, which is known at the end only: the checksum is kept for
// both possible heads, and the caller writes the head once more when it must be the newer one.
package import Base
package import Keyspace
internal import Structures

/// What a file says about the server that wrote it, and what stands before its keys.
package struct RDBFacts: Sendable {
    package var serverVersion = ""
    package var second: Int64 = 0
    package var usedMemory = 0
    /// The base of an append only file says so.
    package var isAOFBase = false
    /// The place in the replication stream, for files that a replica or a restarted primary goes on from.
    package var replication: (identifier: String, offset: Int64, database: Int)?
    /// Libraries of functions, as their source.
    package var functions: [[UInt8]] = []
    /// Of each database with keys: its number, keys and keys with an expiry.
    package var databases: [(number: Int, count: Int, expiryCount: Int)] = []
    package init() {}
}

package struct RDBEncoder: ~Copyable {
    /// Bytes that can be written to the file; the caller takes them by `takeOutput`.
    package private(set) var output = ByteBuffer()
    private var checksum = CRC64()
    /// The checksum if the head names the newer version.
    private var newerChecksum = CRC64()
    private let isChecked: Bool
    /// Bytes of `output` that the checksums know.
    private var checkedCount = 0
    /// A string that began in an earlier piece and is not whole yet.
    private var string = ByteBuffer()
    private var stringByteCount = 0
    private var isInString = false
    private var scratch = ByteBuffer()

    package init(facts: RDBFacts, compresses: Bool, checksums: Bool) {
        isChecked = checksums
        output.append(RDBHead.bytes(version: ValueCode.versionWritten))
        var newer = ByteBuffer()
        newer.append(RDBHead.bytes(version: ValueCode.versionOfExpiringFields))
        checksum = CRC64(CRC64.checksum(output.span))
        newerChecksum = CRC64(CRC64.checksum(newer.span))
        checkedCount = output.count
        var sink = ValueSink(compresses ? .now : .never)
        RDBEncoder.append(facts, to: &sink)
        append(raw: sink.span)
    }

    private static func append(_ facts: RDBFacts, to sink: inout ValueSink) {
        func add(_ name: String, _ value: String, _ sink: inout ValueSink) {
            sink.append(RDBCode.auxiliary)
            sink.append(string: Array(name.utf8).span)
            sink.append(string: Array(value.utf8).span)
        }
        add("redis-ver", facts.serverVersion, &sink)
        add("redis-bits", "64", &sink)
        add("ctime", String(facts.second), &sink)
        add("used-mem", String(facts.usedMemory), &sink)
        add("fog-schema", String(RecordSchema.version), &sink)
        if let replication = facts.replication {
            add("repl-stream-db", String(replication.database), &sink)
            add("repl-id", replication.identifier, &sink)
            add("repl-offset", String(replication.offset), &sink)
        }
        add("aof-base", facts.isAOFBase ? "1" : "0", &sink)
        for source in facts.functions {
            sink.append(RDBCode.function)
            sink.append(string: source.span)
        }
        for database in facts.databases {
            sink.append(ValueCode.selectDatabase)
            sink.append(length: database.number)
            sink.append(RDBCode.resize)
            sink.append(length: database.count)
            sink.append(length: database.expiryCount)
        }
    }

    /// Adds a piece. `compresses` may differ from piece to piece: a writer that falls behind leaves it out.
    package mutating func add(_ piece: SnapshotPiece, compresses: Bool) {
        piece.withBytes { bytes in add(bytes, marks: piece.marks, compresses: compresses) }
    }

    private mutating func add(_ bytes: Span<UInt8>, marks: [UInt32], compresses: Bool) {
        var offset = isInString ? takeString(bytes, from: 0) : 0
        if compresses {
            for mark in marks where Int(mark) >= offset {
                append(raw: bytes.extracting(offset..<Int(mark)))
                offset = beginString(bytes, at: Int(mark))
            }
        }
        append(raw: bytes.extracting(offset..<bytes.count))
    }

    /// The string whose length stands at `mark`; returns the offset behind what there is of it.
    private mutating func beginString(_ bytes: Span<UInt8>, at mark: Int) -> Int {
        let (count, headCount) = RDBEncoder.length(bytes, at: mark)
        stringByteCount = count
        let start = mark + headCount
        let available = min(count, bytes.count - start)
        if available == count {
            append(string: bytes.extracting(start..<(start + count)))
            return start + count
        }
        isInString = true
        string.removeAll(keepingCapacity: 1 << 20)
        return takeString(bytes, from: start)
    }

    /// Takes more of the string that is not whole.
    private mutating func takeString(_ bytes: Span<UInt8>, from start: Int) -> Int {
        let end = min(bytes.count, start + stringByteCount - string.count)
        string.append(bytes.extracting(start..<end))
        if string.count == stringByteCount {
            isInString = false
            var whole = ByteBuffer()
            Swift.swap(&whole, &string)
            append(string: whole.span)
        }
        return end
    }

    private mutating func append(string text: Span<UInt8>) {
        var scratch = ByteBuffer()
        Swift.swap(&scratch, &self.scratch)
        defer { Swift.swap(&scratch, &self.scratch) }
        scratch.removeAll(keepingCapacity: 1 << 20)
        if !ValueSink.appendCompressed(text, to: &scratch) {
            var head = ValueSink(.never)
            head.append(length: text.count)
            append(raw: head.span)
            return append(raw: text)
        }
        append(raw: scratch.span)
    }

    private mutating func append(raw bytes: Span<UInt8>) { output.append(bytes) }

    /// The length that our own sink wrote at `offset`, and the bytes it takes.
    private static func length(_ bytes: Span<UInt8>, at offset: Int) -> (count: Int, headCount: Int) {
        let first = bytes[offset]
        switch first >> 6 {
        case 0: return (Int(first), 1)
        case 1: return (Int(first & 0x3F) << 8 | Int(bytes[offset + 1]), 2)
        default:
            var value = 0
            let byteCount = first == 0x80 ? 4 : 8
            for index in 1...byteCount { value = value << 8 | Int(bytes[offset + index]) }
            return (value, byteCount + 1)
        }
    }

    /// The bytes that can be written now; the encoder keeps nothing of them.
    package mutating func takeOutput() -> ByteBuffer {
        settleChecksum()
        checkedCount = 0
        var taken = ByteBuffer()
        Swift.swap(&taken, &output)
        return taken
    }

    private mutating func settleChecksum() {
        guard isChecked else { return }
        checksum = RDBEncoder.updated(checksum, by: output, from: checkedCount)
        newerChecksum = RDBEncoder.updated(newerChecksum, by: output, from: checkedCount)
        checkedCount = output.count
    }

    private static func updated(_ checksum: CRC64, by output: borrowing ByteBuffer, from offset: Int) -> CRC64 {
        var running = checksum
        running.update(output.span.extracting(offset..<output.count))
        return running
    }

    /// Appends the end of a file whose head names `version`. Returns the head when it is not the one written already.
    package mutating func finish(version: Int) -> [UInt8]? {
        precondition(!isInString, "a snapshot's last string is whole")
        output.append(RDBCode.end)
        settleChecksum()
        let isNewer = version > ValueCode.versionWritten
        let value = isChecked ? (isNewer ? newerChecksum.value : checksum.value) : 0
        for shift in stride(from: UInt64(0), to: 64, by: 8) { output.append(UInt8(truncatingIfNeeded: value >> shift)) }
        checkedCount = output.count
        return isNewer ? RDBHead.bytes(version: version) : nil
    }
}
