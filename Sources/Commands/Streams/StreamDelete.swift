// StreamDelete.swift - XDEL, XDELEX, XTRIM, XSETID: entries go, or the counters of a stream are set. A stream that has
// become empty keeps its key, its counters and its groups.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StreamDelete {
    static let commands: [Command] = [
        Command(
            "XDEL", "key id...", arity: -3, [.write, .fast], keys: [.key([.readWrite, .delete])], in: .stream,
            since: "5.0.0",
            complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
            summary: "Returns the number of messages after removing them from a stream.", run: delete),
        Command(
            "XDELEX", "key [condition=(KEEPREF | DELREF | ACKED)] IDS (numids:integer id...)", arity: -5,
            [.write, .fast], keys: [.key([.readWrite, .delete])], in: .stream, since: "8.2.0",
            complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
            summary: "Deletes one or multiple entries from the stream.", run: deleteExtended),
        Command(
            "XTRIM",
            """
            key trim=(strategy=(MAXLEN | MINID@6.2.0) [operator=(equal="=" | approximately="~")] threshold \
            [LIMIT count:integer@6.2.0] [condition=(KEEPREF | DELREF | ACKED)@8.2.0])
            """,
            arity: -4, [.write], keys: [.key([.readWrite, .delete])], in: .stream, since: "5.0.0",
            complexity: """
                O(N), with N being the number of evicted entries. Constant times are very small however, since \
                entries are organized in macro nodes containing multiple entries that can be released with a single \
                deallocation.
                """,
            summary: "Deletes messages from the beginning of a stream.",
            history: [
                ("6.2.0", "Added the `MINID` trimming strategy and the `LIMIT` option."),
                ("8.2.0", "Added the `KEEPREF`, `DELREF` and `ACKED` options."),
            ],
            hints: ["nondeterministic_output"], run: trim),
        Command(
            "XSETID",
            """
            key last-id [ENTRIESADDED entries-added:integer@7.0.0] [MAXDELETEDID max-deleted-id@7.0.0]
            """,
            arity: -3, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .update])], in: .stream, since: "5.0.0",
            complexity: "O(1)", summary: "An internal command for replicating stream values.",
            history: [("7.0.0", "Added the `entries_added` and `max_deleted_entry_id` arguments.")], run: setID),
    ]

    private static let delete: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let slot = try call.find(1, .stream) else { return call.reply.integer(0) }
        let ids = try call.streamIDs(from: 2, to: call.arguments.count)
        var deleted = 0
        call.updateStream(slot, .entries) { stream in
            for id in ids where stream.delete(id) { deleted += 1 }
        }
        if deleted > 0 { call.changed("xdel", .stream, key: call.arguments[1]) }
        call.reply.integer(deleted)
    }

    private static let deleteExtended: Command.Handler = { (call: inout Call) throws(CommandError) in
        let slot = try call.find(1, .stream)
        let request = try StreamDeletion(call, from: 2)
        let reply = call.reply
        guard let slot else { return request.replyNothingFound(reply) }
        let ids = try call.streamIDs(from: request.firstID, to: request.endID)
        var deleted: [StreamID] = []
        var hasChanged = false
        reply.array(ids.count)
        call.propagateNothing()
        call.updateStream(slot, request.policy == .remove ? .all : .entries) { stream in
            for id in ids {
                if request.policy == .requireAcknowledged && stream.isReferenced(id) {
                    reply.integer(StreamDeletion.kept)
                    continue
                }
                if request.policy == .remove && call.removeReferences(to: id, in: &stream, key: 1) {
                    hasChanged = true
                }
                let isGone = stream.delete(id)
                if isGone { deleted.append(id) }
                reply.integer(isGone ? StreamDeletion.deleted : StreamDeletion.notFound)
            }
        }
        call.changed(key: 1, deleted: deleted, orUnseen: hasChanged)
    }

    private static let trim: Command.Handler = { (call: inout Call) throws(CommandError) in
        var trim = StreamTrim()
        var options = call.options(from: 2)
        while !options.isAtEnd {
            guard try trim.take(&options) else { throw .syntax }
        }
        try trim.finish(call)
        guard trim.strategy != nil else { throw .syntax }
        guard let slot = try call.find(1, .stream) else { return call.reply.integer(0) }
        var trimmed = 0
        call.updateStream(slot, trim.changesGroups ? .all : .entries) { trimmed = trim.apply(to: &$0) }
        if trimmed > 0 { call.changed("xtrim", .stream, key: call.arguments[1]) }
        if trimmed > 0 && trim.isRewritten {
            let key = call.arguments[1]
            call.propagate("XTRIM") { words in
                words.add(key)
                trim.add(to: &words, after: slot.entry.stream)
            }
        }
        call.reply.integer(trimmed)
    }

    private static let setID: Command.Handler = { (call: inout Call) throws(CommandError) in
        let id = try StreamID(argument: call.arguments[2])
        var entriesAdded: Int?
        var maxDeletedID = StreamID.zero
        var options = call.options(from: 3)
        while !options.isAtEnd {
            if options.take("ENTRIESADDED", values: 1) {
                let count = try options.integer()
                if count < 0 { throw .message("ERR entries_added must be positive") }
                entriesAdded = count
            } else if options.take("MAXDELETEDID", values: 1) {
                maxDeletedID = try StreamID(argument: options.next())
                if id < maxDeletedID {
                    throw .message(
                        "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id")
                }
            } else {
                throw .syntax
            }
        }
        guard let slot = try call.find(1, .stream) else { throw .noSuchKey }
        try check(slot.entry.stream, id, entriesAdded: entriesAdded)
        call.updateStream(slot, .entries) { stream in
            stream.lastID = id
            if let entriesAdded { stream.entriesAdded = UInt64(entriesAdded) }
            if maxDeletedID != .zero { stream.maxDeletedID = maxDeletedID }
        }
        call.changed("xsetid", .stream, key: call.arguments[1])
        call.reply.ok()
    }

    private static func check(
        _ stream: borrowing StreamLog, _ id: StreamID, entriesAdded: Int?
    ) throws(CommandError) {
        if id < stream.maxDeletedID {
            throw .message("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")
        }
        guard stream.length > 0 else { return }
        if let last = stream.lastEntry, id < last.id {
            throw .message("ERR The ID specified in XSETID is smaller than the target stream top item")
        }
        if let entriesAdded, stream.length > entriesAdded {
            throw .message("ERR The entries_added specified in XSETID is smaller than the target stream length")
        }
    }
}

extension Call {
    /// Takes `id` out of every group's pending list and records it; false when no group held it.
    func removeReferences(to id: StreamID, in stream: inout StreamLog, key: Int) -> Bool {
        if isJournaled {
            let name = arguments[key]
            for group in stream.groups where group.isPending(id) {
                propagate("XACK") { words in
                    words.add(name)
                    words.add(group.name)
                    id.add(to: &words)
                }
            }
        }
        return stream.removeReferences(to: id) > 0
    }

    /// Says what a command of Redis 8.2 did, and records the deletions with words that older servers know.
    func changed(key: Int, deleted: [StreamID], orUnseen: Bool) {
        guard !deleted.isEmpty else {
            if orUnseen { changedUnseen() }
            return
        }
        let name = arguments[key]
        changed("xdel", .stream, key: name)
        propagate("XDEL") { words in
            words.add(name)
            for id in deleted { id.add(to: &words) }
        }
    }
}

/// The arguments that XDELEX and XACKDEL share: a policy, and IDS with their number.
struct StreamDeletion {
    static let notFound = -1
    static let deleted = 1
    /// Still referenced by some group.
    static let kept = 2

    private(set) var policy = StreamLog.ReferencePolicy.keep
    private(set) var firstID = 0
    private(set) var endID = 0

    init(_ call: borrowing Call, from start: Int) throws(CommandError) {
        var named: StreamLog.ReferencePolicy?
        var options = call.options(from: start)
        while !options.isAtEnd {
            if named == nil, let policy = StreamLog.ReferencePolicy(&options) {
                named = policy
            } else if options.take("IDS", values: 1) {
                guard let count = IntegerText.parse(try options.next()), count > 0 else {
                    throw .message("ERR Number of IDs must be a positive integer")
                }
                guard count <= options.remaining else {
                    throw .message("ERR The `numids` parameter must match the number of arguments")
                }
                firstID = options.index
                endID = firstID + Int(count)
                try options.skip(Int(count))
            } else {
                throw .syntax
            }
        }
        if endID == 0 { throw .message("ERR IDS option is required") }
        policy = named ?? .keep
    }

    /// The answer without a stream, or without a group.
    func replyNothingFound(_ reply: Reply) {
        reply.array(endID - firstID)
        for _ in firstID..<endID { reply.integer(StreamDeletion.notFound) }
    }
}
