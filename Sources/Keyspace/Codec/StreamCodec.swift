// StreamCodec.swift - streams as RDB values. Written as type 19, which Redis 7.0 reads and writes; read as 15 (without
// counters), 19 and 21 (consumers also say when they last got something, which is left out when written: there is no
// room for it in a form that Redis 7.0 knows). Engine's turn only. Nothing that is read is believed: nodes are checked
// byte by byte and in order, and every pending entry must have exactly one owner among the group's consumers.
internal import Base
internal import Structures

enum StreamCodec {
    static func typeCode(of entry: Entry) -> UInt8 { ValueCode.streamListpacks2 }

    // MARK: writing

    /// Where writing goes on. `position.step` is the group's index while groups are written.
    private enum Part {
        static let head = 0
        static let nodes = 1
        static let group = 2
        static let pending = 3
        static let consumer = 4
        static let owned = 5
    }

    static func append(_ entry: Entry, from position: inout ValuePosition, to sink: inout ValueSink) -> Bool {
        if position.part == Part.head {
            sink.append(length: entry.stream.nodeCount)
            position.move(to: Part.nodes)
        }
        if position.part == Part.nodes {
            var next = position.streamID
            let isComplete = entry.stream.visitNodes(from: &next) { key, bytes in
                sink.beginString(byteCount: 16)
                sink.append(rawStreamID: key)
                sink.append(string: bytes)
                return !sink.isFull
            }
            position.streamID = next
            if !isComplete { return false }
            appendCounters(entry.stream, to: &sink)
            position.move(to: Part.group)
        }
        let groups = entry.stream.groups
        while position.step < groups.count {
            guard append(groups[position.step], from: &position, to: &sink) else { return false }
            position.step += 1
            position.move(to: Part.group)
            if sink.isFull && position.step < groups.count { return false }
        }
        return true
    }

    private static func appendCounters(_ stream: borrowing StreamLog, to sink: inout ValueSink) {
        sink.append(length: stream.length)
        for id in [stream.lastID, stream.firstID, stream.maxDeletedID] { sink.append(streamID: id) }
        sink.append(length: stream.entriesAdded)
        sink.append(length: stream.groups.count)
    }

    /// A group: its place, its pending list with times and counts, and its consumers with what is theirs of that list.
    private static func append(
        _ group: StreamGroup, from position: inout ValuePosition, to sink: inout ValueSink
    ) -> Bool {
        if position.part == Part.group {
            sink.append(string: group.name)
            sink.append(streamID: group.lastID)
            sink.append(length: UInt64(bitPattern: group.entriesRead))
            sink.append(length: group.pendingCount)
            position.move(to: Part.pending)
        }
        if position.part == Part.pending {
            var cursor = group.pendingCursor(from: position.streamID)
            while let pending = cursor.next() {
                if sink.isFull {
                    position.streamID = pending.id
                    return false
                }
                sink.append(rawStreamID: pending.id)
                sink.append(littleEndian: UInt64(bitPattern: pending.deliveryTimeMilliseconds))
                sink.append(length: pending.deliveryCount)
            }
            sink.append(length: group.consumers.count)
            position.move(to: Part.consumer)
        }
        while position.index < group.consumers.count {
            guard append(group.consumers[position.index], from: &position, to: &sink) else { return false }
            position.index += 1
            position.part = Part.consumer
            if sink.isFull && position.index < group.consumers.count { return false }
        }
        return true
    }

    private static func append(
        _ consumer: StreamConsumer, from position: inout ValuePosition, to sink: inout ValueSink
    ) -> Bool {
        if position.part == Part.consumer {
            sink.append(string: consumer.name)
            sink.append(littleEndian: UInt64(bitPattern: consumer.seenMilliseconds))
            sink.append(length: consumer.pendingCount)
            position.part = Part.owned
            position.streamID = .zero
        }
        var next = position.streamID
        let isComplete = consumer.visitIDs(from: &next) { id in
            sink.append(rawStreamID: id)
            return !sink.isFull
        }
        position.streamID = next
        return isComplete
    }

    // MARK: reading

    static func read(_ type: UInt8, from reader: inout ValueReader) throws(ValueError) -> DetachedValue {
        var stream = StreamLog()
        var text = ByteBuffer()
        for _ in 0..<(try reader.length()) { try readNode(&reader, &text, into: &stream) }
        try readCounters(type, &reader, into: &stream)
        for _ in 0..<(try reader.length()) { try readGroup(type, &reader, &text, into: &stream) }
        return .stream(stream)
    }

    private static func readNode(
        _ reader: inout ValueReader, _ text: inout ByteBuffer, into stream: inout StreamLog
    ) throws(ValueError) {
        try reader.string(into: &text)
        guard text.count == 16 else { throw .expected("a stream node's key of 16 bytes") }
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            words.0 = words.0 << 8 | UInt64(text.span[index])
            words.1 = words.1 << 8 | UInt64(text.span[index + 8])
        }
        try reader.string(into: &text)
        guard stream.loadNode(key: StreamID(words.0, words.1), text.span) else {
            throw .expected("a well-formed stream node behind the one before")
        }
    }

    private static func readCounters(
        _ type: UInt8, _ reader: inout ValueReader, into stream: inout StreamLog
    ) throws(ValueError) {
        let length = try reader.wideLength()
        let lastID = try reader.streamID()
        var maxDeletedID = StreamID.zero
        var entriesAdded: UInt64?
        if type != ValueCode.streamListpacks {
            // The first identifier is found in the nodes, whatever was written.
            _ = try reader.streamID()
            maxDeletedID = try reader.streamID()
            entriesAdded = try reader.wideLength()
        }
        let isSound = stream.finishLoading(
            length: length, lastID: lastID, maxDeletedID: maxDeletedID, entriesAdded: entriesAdded)
        if !isSound { throw .expected("counters that agree with the stream's nodes") }
    }

    private static func readGroup(
        _ type: UInt8, _ reader: inout ValueReader, _ text: inout ByteBuffer, into stream: inout StreamLog
    ) throws(ValueError) {
        try reader.string(into: &text)
        let lastID = try reader.streamID()
        let entriesRead = type == ValueCode.streamListpacks
            ? stream.entriesRead(upTo: lastID) : Int64(bitPattern: try reader.wideLength())
        guard let group = stream.createGroup(named: text.span, lastID: lastID, entriesRead: entriesRead) else {
            throw .expected("a group whose name is not taken")
        }
        for _ in 0..<(try reader.length()) {
            let id = try reader.rawStreamID()
            let time = Int64(bitPattern: try reader.littleEndian())
            let count = try reader.wideLength()
            guard group.loadPending(id, timeMilliseconds: time, count: count) else {
                throw .expected("a pending entry that stands once in its list")
            }
        }
        for _ in 0..<(try reader.length()) { try readConsumer(type, &reader, &text, of: group) }
        guard group.finishLoading() else { throw .expected("an owner of every pending entry") }
    }

    private static func readConsumer(
        _ type: UInt8, _ reader: inout ValueReader, _ text: inout ByteBuffer, of group: StreamGroup
    ) throws(ValueError) {
        try reader.string(into: &text)
        let seen = Int64(bitPattern: try reader.littleEndian())
        guard let consumer = group.createConsumer(named: text.span, nowMilliseconds: seen) else {
            throw .expected("a consumer whose name is not taken")
        }
        consumer.activeMilliseconds =
            type == ValueCode.streamListpacks3 ? Int64(bitPattern: try reader.littleEndian()) : seen
        for _ in 0..<(try reader.length()) {
            guard group.loadOwner(of: try reader.rawStreamID(), consumer) else {
                throw .expected("a pending entry of the group that nobody owns yet")
            }
        }
    }
}

extension ValuePosition {
    /// The identifier at which a list goes on.
    fileprivate var streamID: StreamID {
        get { StreamID(word, lowWord) }
        set {
            word = newValue.milliseconds
            lowWord = newValue.sequence
        }
    }

    /// Begins another part, at its first identifier.
    fileprivate mutating func move(to part: Int) {
        self.part = part
        index = 0
        streamID = .zero
    }
}

extension ValueSink {
    /// Two counters.
    fileprivate mutating func append(streamID id: StreamID) {
        append(length: id.milliseconds)
        append(length: id.sequence)
    }

    /// Sixteen bytes, big endian, without a length.
    fileprivate mutating func append(rawStreamID id: StreamID) {
        append(littleEndian: id.milliseconds.byteSwapped)
        append(littleEndian: id.sequence.byteSwapped)
    }
}

extension ValueReader {
    fileprivate mutating func streamID() throws(ValueError) -> StreamID {
        let milliseconds = try wideLength()
        return StreamID(milliseconds, try wideLength())
    }

    fileprivate mutating func rawStreamID() throws(ValueError) -> StreamID {
        let milliseconds = try bigEndian(8)
        return StreamID(milliseconds, try bigEndian(8))
    }
}
