// StreamAccess.swift - what the stream commands share: making a stream's key, changing a stream, reading identifiers
// and intervals as the stock servers do, writing entries, and the errors that several commands have. Engine's turn
// only; an entry or walk is never kept across a change.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

extension CommandError {
    static let invalidStreamID = CommandError.message("ERR Invalid stream ID specified as stream command argument")
}

extension StreamID {
    /// One argument as an identifier; `-` and `+` are none.
    init(argument text: Span<UInt8>, missingSequence: UInt64 = 0) throws(CommandError) {
        guard let id = StreamID(parsing: text, missingSequence: missingSequence) else { throw .invalidStreamID }
        self = id
    }
}

/// Two identifiers as XRANGE and XPENDING take them: `-`, `+`, incomplete ones, and `(` for what is left out.
struct StreamInterval {
    let start: StreamID
    let end: StreamID

    init(start: Span<UInt8>, end: Span<UInt8>) throws(CommandError) {
        self.start = try StreamInterval.start(start)
        let (id, isExcluded) = try StreamInterval.bound(end, missingSequence: .max)
        guard let last = isExcluded ? id.previous : id else {
            throw .message("ERR invalid end ID for the interval")
        }
        self.end = last
    }

    /// The lower bound alone, as XAUTOCLAIM takes it.
    static func start(_ text: Span<UInt8>) throws(CommandError) -> StreamID {
        let (id, isExcluded) = try bound(text, missingSequence: 0)
        guard let first = isExcluded ? id.next : id else {
            throw .message("ERR invalid start ID for the interval")
        }
        return first
    }

    private static func bound(
        _ text: Span<UInt8>, missingSequence: UInt64
    ) throws(CommandError) -> (StreamID, Bool) {
        if text.count > 1, text[0] == UInt8(ascii: "(") {
            let rest = text.extracting(1..<text.count)
            return (try StreamID(argument: rest, missingSequence: missingSequence), true)
        }
        guard let id = StreamID(parsingBound: text, missingSequence: missingSequence) else { throw .invalidStreamID }
        return (id, false)
    }
}

extension Reply {
    func streamID(_ id: StreamID) { id.appendBulk(to: &buffer) }

    func streamEntry(_ entry: StreamEntry) { entry.appendReply(to: &buffer) }

    /// An array of up to `limit` entries of a walk.
    func streamEntries(_ walk: StreamWalk, limit: Int) {
        var walk = walk
        deferredArray { written in
            while written < limit, let entry = walk.next() {
                streamEntry(entry)
                written += 1
            }
        }
    }
}

extension Call {
    /// The limits of a stream's nodes that are configured now.
    var streamLimits: StreamLog.Limits {
        let settings = settings
        return StreamLog.Limits(
            nodeBytesMax: settings.streamNodeMaxBytes, nodeEntriesMax: settings.streamNodeMaxEntries)
    }

    /// Makes an empty stream at the key of argument `index`, which does not exist.
    func makeStream(_ index: Int) -> EntryTable.Slot {
        keyspace.setStream(
            arguments[index], hash: hash(index), in: session.database, slot: nil, stream: StreamLog(), expiry: nil)
        guard let slot = find(index) else { preconditionFailure("a key that was just made is there") }
        return slot
    }

    /// Changes the stream of `slot`.
    @inline(__always)
    func updateStream(_ slot: EntryTable.Slot, _ change: StreamChange, _ body: (inout StreamLog) -> Void) {
        keyspace.updateStream(slot, in: session.database, change, body)
    }

    /// All arguments from `index` to `end` as identifiers, so that a command with a wrong one changes nothing.
    func streamIDs(from index: Int, to end: Int) throws(CommandError) -> [StreamID] {
        var ids: [StreamID] = []
        ids.reserveCapacity(end - index)
        for index in index..<end { ids.append(try StreamID(argument: arguments[index])) }
        return ids
    }

    /// The error of commands that need a group: `throw call.noGroup(...)`.
    func noGroup(key: Int, group: Int) -> CommandError {
        refuse("NOGROUP No such key '", arguments[key], "' or consumer group '", arguments[group], "'")
    }

    /// The error of subcommands whose key exists.
    func noGroupOfKey(key: Int, group: Int) -> CommandError {
        refuse(
            "NOGROUP No such consumer group '", arguments[group], "' for key name '", arguments[key], "'")
    }

    /// Writes an error that quotes two arguments, byte for byte.
    func refuse(
        _ start: StaticString, _ first: Span<UInt8>, _ middle: StaticString, _ second: Span<UInt8>,
        _ end: StaticString
    ) -> CommandError {
        var text = ByteBuffer()
        text.append(start)
        text.append(first)
        text.append(middle)
        text.append(second)
        text.append(end)
        reply.error(text.span)
        return .written
    }

    /// The error of a subcommand with options that it does not know.
    func wrongSubcommand(_ container: StaticString) -> CommandError {
        reply.error(
            """
            ERR unknown subcommand or wrong number of arguments for '\(arguments[1].text)'. Try \(container) HELP.
            """)
        return .written
    }
}
