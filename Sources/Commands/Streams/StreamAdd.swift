// StreamAdd.swift - XADD: an entry at the end of a stream, which may be trimmed at its other end on the way. The
// identifier is settled before anything changes, so a refused entry leaves no empty stream behind.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StreamAdd {
    static let commands: [Command] = [
        Command(
            "XADD",
            """
            key [NOMKSTREAM@6.2.0] [condition=(KEEPREF | DELREF | ACKED)@8.2.0] \
            [trim=(strategy=(MAXLEN | MINID@6.2.0) [operator=(equal="=" | approximately="~")] threshold \
            [LIMIT count:integer@6.2.0])] id-selector=(auto-id="*" | id) data=(field value)...
            """,
            arity: -5, [.write, .denyOOM, .fast],
            keys: [
                .key([.readWrite, .update], notes: "UPDATE instead of INSERT because of the optional trimming feature")
            ],
            in: .stream, since: "5.0.0",
            complexity: """
                O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.
                """,
            summary: "Appends a new message to a stream. Creates the key if it doesn't exist.",
            history: [
                ("6.2.0", "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option."),
                ("7.0.0", "Added support for the `<ms>-*` explicit ID form."),
                ("8.2.0", "Added the `KEEPREF`, `DELREF` and `ACKED` options."),
            ],
            hints: ["nondeterministic_output"], run: add)
    ]

    /// Which identifier the entry shall have.
    private enum Selector {
        case generated
        case asked(StreamID.Request)
    }

    private struct Request {
        var trim = StreamTrim()
        var makesStream = true
        var selector = Selector.generated
        var idIndex = 0
    }

    private static let add: Command.Handler = { (call: inout Call) throws(CommandError) in
        let request = try parse(call)
        let first = request.idIndex + 1
        let count = call.arguments.count
        guard count - first >= 2, (count - first) % 2 == 0 else {
            throw .message("ERR wrong number of arguments for 'xadd' command")
        }
        if case .asked(.exact(.zero)) = request.selector {
            throw .message("ERR The ID specified in XADD must be greater than 0-0")
        }
        let slot = try call.find(1, .stream)
        if slot == nil && !request.makesStream { return call.reply.null() }
        let id = try identifier(request.selector, after: slot?.entry.stream.lastID ?? .zero, now: call.now)
        try append(&call, id, request, to: slot)
    }

    private static func parse(_ call: borrowing Call) throws(CommandError) -> Request {
        var request = Request()
        var options = call.options(from: 2)
        while !options.isAtEnd {
            request.idIndex = options.index
            if options.isNext("*") { break }
            if try request.trim.take(&options) { continue }
            if options.take("NOMKSTREAM") {
                request.makesStream = false
                continue
            }
            guard let asked = StreamID.request(parsing: call.arguments[options.index]) else { throw .invalidStreamID }
            request.selector = .asked(asked)
            break
        }
        // Options without an identifier behind them: what is left cannot be pairs either.
        if options.isAtEnd { request.idIndex = options.end }
        try request.trim.finish(call)
        return request
    }

    private static func identifier(
        _ selector: Selector, after last: StreamID, now: Int64
    ) throws(CommandError) -> StreamID {
        let exhausted = CommandError.message(
            "ERR The stream has exhausted the last possible ID, unable to add more items")
        if last == .max { throw exhausted }
        let tooSmall = CommandError.message(
            "ERR The ID specified in XADD is equal or smaller than the target stream top item")
        switch selector {
        case .generated:
            guard let id = StreamID.generated(after: last, nowMilliseconds: UInt64(max(now, 0))) else {
                throw exhausted
            }
            return id
        case .asked(.exact(let id)):
            guard id > last else { throw tooSmall }
            return id
        case .asked(.anySequence(let milliseconds)):
            if milliseconds > last.milliseconds { return StreamID(milliseconds, 0) }
            guard milliseconds == last.milliseconds, last.sequence < .max else { throw tooSmall }
            return StreamID(milliseconds, last.sequence + 1)
        }
    }

    private static func append(
        _ call: inout Call, _ id: StreamID, _ request: Request, to found: EntryTable.Slot?
    ) throws(CommandError) {
        let arguments = call.arguments
        let first = request.idIndex + 1
        var byteCount = 0
        for index in first..<arguments.count { byteCount &+= arguments[index].count }
        guard byteCount <= StreamLog.entryBytesMax else { throw .message("ERR Elements are too large to be stored") }
        let slot = found ?? call.makeStream(1)
        let limits = call.streamLimits
        var trimmed = 0
        call.updateStream(slot, request.trim.changesGroups ? .all : .entries) { stream in
            var draft = stream.beginEntry(
                id, pairCount: (arguments.count &- first) / 2, byteCount: byteCount, limits: limits)
            var index = first
            while index < arguments.count {
                stream.offerField(arguments[index], &draft)
                index &+= 2
            }
            index = first
            while index < arguments.count {
                stream.addPair(arguments[index], arguments[index &+ 1], &draft)
                index &+= 2
            }
            stream.endEntry(draft)
            trimmed = request.trim.apply(to: &stream)
        }
        call.reply.streamID(id)
        call.changed("xadd", .stream, key: arguments[1])
        if trimmed > 0 { call.alsoHappened("xtrim", .stream, key: arguments[1]) }
        if call.isJournaled { record(call, id, request, slot.entry) }
    }

    /// An entry is recorded with the identifier it got and the trimming that was done.
    private static func record(_ call: borrowing Call, _ id: StreamID, _ request: Request, _ entry: Entry) {
        if case .asked(.exact) = request.selector, !request.trim.isRewritten { return }
        let arguments = call.arguments
        call.propagate("XADD") { words in
            words.add(arguments[1])
            request.trim.add(to: &words, after: entry.stream)
            id.add(to: &words)
            for index in (request.idIndex + 1)..<arguments.count { words.add(arguments[index]) }
        }
    }
}
