// StreamReadGroup.swift - XREADGROUP: entries that nobody in the group has got yet (`>`), which become pending, or a
// consumer's own pending ones again (any other identifier).
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StreamReadGroup {
    static let commands: [Command] = [
        Command(
            "XREADGROUP",
            """
            group-block=GROUP (group consumer) [COUNT count:integer] [BLOCK milliseconds:integer] [NOACK] \
            STREAMS (key... id...)
            """,
            arity: -7, [.write, .blocking, .movableKeys],
            keys: [
                KeySpec(
                    [.readOnly, .access], begin: .keyword("STREAMS", startFrom: 4),
                    find: .range(last: -1, step: 1, limit: 2))
            ],
            in: .stream, since: "5.0.0",
            complexity: """
                For each stream mentioned: O(M) with M being the number of elements returned. If M is constant (e.g. \
                always asking for the first 10 elements with COUNT), you can consider it O(1). On the other side when \
                XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N clients blocked on the stream \
                getting new data.
                """,
            summary: """
                Returns new or historical messages from a stream for a consumer in a group. Blocks until a message \
                is available otherwise.
                """,
            run: read)
    ]

    private static let read: Command.Handler = { (call: inout Call) throws(CommandError) in
        let reading = try StreamReading(call, isGroup: true)
        if try call.hasWaitedInVain() { return call.reply.nullArray() }
        let keys = reading.keys
        // All of it is looked at before anything is delivered.
        var places: [StreamID?] = []
        places.reserveCapacity(keys.count)
        for key in keys { places.append(try place(call, reading, key: key)) }
        let reply = call.reply
        let mark = reply.buffer.count
        var served = 0
        for (key, place) in zip(keys, places) where serve(call, reading, key: key, above: place) { served += 1 }
        if served > 0 { return reading.reply(reply, count: served, since: mark) }
        guard let milliseconds = reading.timeoutMilliseconds else { return reply.nullArray() }
        // A key or a group that goes meanwhile is the end of the wait: the command then finds that out by itself.
        call.waitForKeys(keys, .stream, milliseconds: milliseconds, evenWithoutKey: true)
    }

    /// Where reading a stream starts; nil for `>`. The key and its group exist.
    private static func place(
        _ call: borrowing Call, _ reading: StreamReading, key: Int
    ) throws(CommandError) -> StreamID? {
        guard let slot = try call.find(key, .stream),
            slot.entry.stream.group(named: call.arguments[reading.groupIndex]) != nil
        else {
            var text = ByteBuffer()
            text.append("NOGROUP No such key '")
            text.append(call.arguments[key])
            text.append("' or consumer group '")
            text.append(call.arguments[reading.groupIndex])
            text.append("' in XREADGROUP with GROUP option")
            call.reply.error(text.span)
            throw .written
        }
        let id = call.arguments[key + reading.streamCount]
        guard id.count == 1 else { return try StreamID(argument: id) }
        switch id[0] {
        case UInt8(ascii: ">"): return nil
        case UInt8(ascii: "$"):
            throw .message(
                """
                ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this \
                consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return \
                an empty result set.
                """)
        case UInt8(ascii: "+"):
            throw .message(
                """
                ERR The + ID is meaningless in the context of XREADGROUP: you want to read the history of this \
                consumer by specifying a proper ID, or use the > ID to get new messages. The + ID would just return \
                an empty result set.
                """)
        default: return try StreamID(argument: id)
        }
    }

    /// Answers one stream's part; false, and nothing written, when there is nothing new.
    private static func serve(
        _ call: borrowing Call, _ reading: StreamReading, key: Int, above place: StreamID?
    ) -> Bool {
        guard let slot = call.readSlot(key, hash: call.hash(key)),
            let group = slot.entry.stream.group(named: call.arguments[reading.groupIndex])
        else { preconditionFailure("a key does not go while a command reads it") }
        call.propagateNothing()
        let consumer = call.consumer(named: reading.groupIndex + 1, in: group, of: slot, key: key)
        if let place {
            reading.beginStream(call.reply, key: call.arguments[key])
            replyHistory(call, reading, slot, group, consumer, above: place)
            return true
        }
        // Any identifier that was given out and lies ahead may be one of an entry.
        guard slot.entry.stream.length > 0, slot.entry.stream.lastID > group.lastID else { return false }
        return deliver(call, reading, key: key, slot, group, consumer)
    }

    /// New entries: they move the group's place and, without NOACK, become pending.
    private static func deliver(
        _ call: borrowing Call, _ reading: StreamReading, key: Int, _ slot: EntryTable.Slot, _ group: StreamGroup,
        _ consumer: StreamConsumer
    ) -> Bool {
        let reply = call.reply
        let now = call.now
        let name = call.arguments[key]
        let isJournaled = call.isJournaled && !reading.isNoAcknowledgement
        var delivered = 0
        var recorded: [StreamID] = []
        call.updateStream(slot, .group(group)) { stream in
            var walk = stream.walk(above: group.lastID, group.bookmark)
            guard var entry = walk.next() else { return }
            reading.beginStream(reply, key: name)
            reply.deferredArray { written in
                while true {
                    reply.streamEntry(entry)
                    written &+= 1
                    stream.advance(group, to: entry.id)
                    if !reading.isNoAcknowledgement { group.deliver(entry.id, to: consumer, nowMilliseconds: now) }
                    if isJournaled { recorded.append(entry.id) }
                    guard written < reading.limit, let next = walk.next() else { break }
                    entry = next
                }
                delivered = written
            }
            group.bookmark = walk.bookmark(behind: group.lastID)
        }
        guard delivered > 0 else { return false }
        if !reading.isNoAcknowledgement { consumer.activeMilliseconds = now }
        for id in recorded {
            if let pending = group.pending(id) { call.propagateClaim(pending, of: group, key: name) }
        }
        call.propagatePlace(of: group, key: name)
        call.changedUnseen()
        return true
    }

    /// Pending entries of the consumer once more: an entry that was deleted since is an identifier without content.
    private static func replyHistory(
        _ call: borrowing Call, _ reading: StreamReading, _ slot: EntryTable.Slot, _ group: StreamGroup,
        _ consumer: StreamConsumer, above place: StreamID
    ) {
        let reply = call.reply
        guard let start = place.next else { return reply.array(0) }
        let now = call.now
        call.updateStream(slot, .group(group)) { stream in
            var cursor = group.pendingCursor(of: consumer, from: start)
            reply.deferredArray { written in
                while written < reading.limit, let pending = cursor.next() {
                    written &+= 1
                    if let entry = stream.entry(pending.id) {
                        reply.streamEntry(entry)
                        group.redeliver(
                            pending.id, timeMilliseconds: now, count: pending.deliveryCount &+ 1)
                    } else {
                        reply.array(2)
                        reply.streamID(pending.id)
                        reply.nullArray()
                    }
                }
            }
        }
        // Nobody is told how often an entry was read again, as with the stock servers.
        call.changedUnseen()
    }
}
