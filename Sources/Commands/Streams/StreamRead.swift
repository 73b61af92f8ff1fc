// StreamRead.swift - XREAD: entries above a given identifier, of several streams at once.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

/// What XREAD and XREADGROUP are asked for.
struct StreamReading {
    /// Entries per stream at most.
    private(set) var limit = Int.max
    /// Milliseconds to wait, 0 without end; nil does not wait.
    private(set) var timeoutMilliseconds: Int64?
    /// Argument indices of the group and, behind it, the consumer; 0 for none.
    private(set) var groupIndex = 0
    /// Delivered entries need no acknowledgement.
    private(set) var isNoAcknowledgement = false
    /// Argument index of the first key; identifiers follow `streamCount` words later.
    private(set) var firstKey = 0
    private(set) var streamCount = 0

    init(_ call: borrowing Call, isGroup: Bool) throws(CommandError) {
        var options = call.options(from: 1)
        while !options.isAtEnd, firstKey == 0 {
            if options.take("BLOCK", values: 1) {
                if call.context == .script {
                    var text = ByteBuffer()
                    text.append("ERR ")
                    text.append(call.arguments[0])
                    text.append(" command is not allowed with BLOCK option from scripts")
                    call.reply.error(text.span)
                    throw .written
                }
                timeoutMilliseconds = try ArgumentNumber.timeoutMilliseconds(options.next(), now: call.now)
            } else if options.take("COUNT", values: 1) {
                let count = try options.integer()
                limit = count <= 0 ? .max : count
            } else if options.take("STREAMS", values: 1) {
                firstKey = options.index
                streamCount = options.remaining / 2
                if options.remaining % 2 != 0 { throw .message(StreamReading.unbalanced(isGroup)) }
            } else if options.take("GROUP", values: 2) {
                if !isGroup {
                    throw .message(
                        "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.")
                }
                groupIndex = options.index
                try options.skip(2)
            } else if options.take("NOACK") {
                if !isGroup {
                    throw .message(
                        "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.")
                }
                isNoAcknowledgement = true
            } else {
                throw .syntax
            }
        }
        if firstKey == 0 { throw .syntax }
        if isGroup && groupIndex == 0 { throw .message("ERR Missing GROUP option for XREADGROUP") }
    }

    /// Argument indices of the keys.
    var keys: Range<Int> { firstKey..<(firstKey + streamCount) }

    private static func unbalanced(_ isGroup: Bool) -> StaticString {
        if isGroup {
            return """
                ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.
                """
        }
        return "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified."
    }

    /// Writes the outer array, or the map of RESP3, around what `write` writes for `count` streams.
    func reply(_ reply: Reply, count: Int, since mark: Int) {
        reply.insertHeader(UInt8(ascii: reply.protocolVersion >= 3 ? "%" : "*"), count, at: mark)
    }

    /// Starts one stream's part of the answer.
    func beginStream(_ reply: Reply, key: Span<UInt8>) {
        if reply.protocolVersion < 3 { reply.array(2) }
        reply.bulk(key)
    }
}

enum StreamRead {
    static let commands: [Command] = [
        Command(
            "XREAD", "[COUNT count:integer] [BLOCK milliseconds:integer] STREAMS (key... id...)", arity: -4,
            [.readonly, .blocking, .movableKeys],
            keys: [
                KeySpec(
                    [.readOnly, .access], begin: .keyword("STREAMS", startFrom: 1),
                    find: .range(last: -1, step: 1, limit: 2))
            ],
            in: .stream, since: "5.0.0",
            summary: """
                Returns messages from multiple streams with IDs greater than the ones requested. Blocks until a \
                message is available otherwise.
                """,
            run: read)
    ]

    private static let read: Command.Handler = { (call: inout Call) throws(CommandError) in
        let reading = try StreamReading(call, isGroup: false)
        if try call.hasWaitedInVain() { return call.reply.nullArray() }
        let keys = reading.keys
        var places: [StreamID] = []
        places.reserveCapacity(keys.count)
        for index in keys { places.append(try place(call, key: index, id: index + reading.streamCount)) }
        let reply = call.reply
        let mark = reply.buffer.count
        var served = 0
        for (index, place) in zip(keys, places) {
            guard let entry = try call.read(index, .stream), entry.stream.length > 0, let start = place.next else {
                continue
            }
            var walk = entry.stream.walk(from: start, to: .max)
            guard let first = walk.next() else { continue }
            served += 1
            reading.beginStream(reply, key: call.arguments[index])
            reply.deferredArray { written in
                reply.streamEntry(first)
                written = 1
                while written < reading.limit, let entry = walk.next() {
                    reply.streamEntry(entry)
                    written += 1
                }
            }
        }
        if served > 0 { return reading.reply(reply, count: served, since: mark) }
        guard let milliseconds = reading.timeoutMilliseconds else { return reply.nullArray() }
        // `$` and `+` keep the meaning that they had when the wait began.
        var words: [(index: Int, word: [UInt8])] = []
        for (index, place) in zip(keys, places) {
            let id = index + reading.streamCount
            guard call.arguments[id].equals("$") || call.arguments[id].equals("+") else { continue }
            var text = ByteBuffer()
            place.append(to: &text)
            words.append((id, text.span.array))
        }
        call.waitForKeys(keys, .stream, milliseconds: milliseconds, words: words)
    }

    /// The identifier above which a stream is read: `$` stands for its last one, `+` for the one before its last entry.
    private static func place(_ call: borrowing Call, key: Int, id: Int) throws(CommandError) -> StreamID {
        let text = call.arguments[id]
        let slot = call.find(key)
        if let slot, slot.entry.type != ObjectType.stream.rawValue { throw .wrongType }
        guard text.count == 1 else { return try StreamID(argument: text) }
        switch text[0] {
        case UInt8(ascii: "$"):
            return slot?.entry.stream.lastID ?? .zero
        case UInt8(ascii: "+"):
            guard let slot else { return .zero }
            return slot.entry.stream.lastEntry?.id.previous ?? slot.entry.stream.lastID
        case UInt8(ascii: ">"):
            throw .message(
                """
                ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.
                """)
        default:
            return try StreamID(argument: text)
        }
    }
}
