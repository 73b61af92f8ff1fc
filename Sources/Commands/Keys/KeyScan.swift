// KeyScan.swift - looking for keys: KEYS, SCAN, RANDOMKEY, DBSIZE. SCAN visits buckets of the table in hash order until
// it has seen COUNT keys, so that its guarantees come from the table's cursor and the filters cost no further rounds.
// It removes expired keys that it meets, after the bucket was read: the table must not change while it is visited.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum KeyScan {
    static let commands: [Command] = [
        Command(
            "DBSIZE", arity: 1, [.readonly, .fast], in: .server, categories: ["keyspace"], since: "1.0.0",
            complexity: "O(1)", summary: "Returns the number of keys in the database.",
            hints: ["request_policy:all_shards", "response_policy:agg_sum"], run: databaseSize),
        Command(
            "KEYS", "pattern:pattern", arity: 2, [.readonly], in: .generic, categories: ["dangerous"], since: "1.0.0",
            complexity: """
                O(N) with N being the number of keys in the database, under the assumption that the key names in \
                the database and the given pattern have limited length.
                """,
            summary: "Returns all key names that match a pattern.",
            hints: ["request_policy:all_shards", "nondeterministic_output_order"], run: keys),
        Command(
            "RANDOMKEY", arity: 1, [.readonly], in: .generic, since: "1.0.0", complexity: "O(1)",
            summary: "Returns a random key name from the database.",
            hints: ["request_policy:all_shards", "response_policy:special", "nondeterministic_output"], run: randomKey),
        Command(
            "SCAN", "cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [TYPE type@6.0.0]", arity: -2,
            [.readonly], in: .generic, since: "2.8.0",
            complexity: """
                O(1) for every call. O(N) for a complete iteration, including enough command calls for the \
                cursor to return back to 0. N is the number of elements inside the collection.
                """,
            summary: "Iterates over the key names in the database.",
            history: [("6.0.0", "Added the `TYPE` subcommand.")],
            hints: ["nondeterministic_output", "request_policy:special", "response_policy:special"], run: scan),
    ]

    private static let databaseSize: Command.Handler = { (call: inout Call) throws(CommandError) in
        call.reply.integer(call.keyspace[call.session.database].count)
    }

    // MARK: KEYS

    private static let keys: Command.Handler = { (call: inout Call) throws(CommandError) in
        if Glob.isPlain(call.arguments[1]) { return oneKey(&call) }
        let reply = call.reply
        let pattern = call.arguments[1].array
        let matchesAll = pattern == [UInt8(ascii: "*")]
        let (now, tags) = (call.keyspace.now, call.keyspace.tags)
        let mark = reply.buffer.count
        var count = 0
        call.keyspace[call.session.database].table.forEach { entry in
            if entry.hasExpiry && entry.expiryMilliseconds < now { return }
            if _slowPath(entry.hasLabel) && tags.isDead(entry.labelCohort) { return }
            guard matchesAll || Glob.matches(pattern: pattern.span, text: entry.key) else { return }
            reply.bulk(entry.key)
            count += 1
        }
        reply.insertHeader(UInt8(ascii: "*"), count, at: mark)
    }

    /// KEYS with a pattern that can match one key only: a lookup, whatever the database's size.
    private static func oneKey(_ call: inout Call) {
        let hash = call.hash(1)
        let database = call.session.database
        guard call.keyspace.look(call.arguments[1], hash: hash, in: database) != nil else {
            return call.reply.array(0)
        }
        call.reply.array(1)
        call.reply.bulk(call.arguments[1])
    }

    // MARK: SCAN

    private struct ScanOptions {
        var count = 10
        /// Nil when everything matches.
        var pattern: [UInt8]?
        var type: TypeFilter = .any
    }

    private enum TypeFilter {
        case any
        case one(Int)
        /// A name that no type has: nothing matches.
        case none
    }

    private static let scan: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let cursor = IntegerText.parseUnsignedLenient(call.arguments[1]) else { throw .invalidCursor }
        let options = try parseOptions(call)
        let mark = call.reply.buffer.count
        // An empty stretch of the table ends the call as well: ten buckets for each key asked for.
        var bucketsLeft = options.count.multipliedReportingOverflow(by: 10)
        if bucketsLeft.overflow { bucketsLeft.partialValue = .max }
        var position = cursor
        var seen = 0
        var written = 0
        repeat {
            let step = visit(call, at: position, options, written: &written)
            position = step.next
            seen += step.seen
            bucketsLeft.partialValue -= 1
        } while position != 0 && bucketsLeft.partialValue > 0 && seen < options.count
        let reply = call.reply
        reply.insertHeader(UInt8(ascii: "*"), written, at: mark)
        writeCursor(reply, position, at: mark)
    }

    /// Puts the outer array's header and the cursor before what was written since `mark`.
    static func writeCursor(_ reply: Reply, _ cursor: UInt64, at mark: Int) {
        var digits = ByteBuffer(capacity: 24)
        digits.append(decimal: Int(truncatingIfNeeded: cursor))
        var head = ByteBuffer(capacity: 48)
        head.append("*2\r\n$")
        head.append(decimal: digits.count)
        head.append("\r\n")
        head.append(digits.span)
        head.append("\r\n")
        reply.buffer.replaceSubrange(mark..<mark, with: head.span)
    }

    private static func parseOptions(_ call: borrowing Call) throws(CommandError) -> ScanOptions {
        var options = ScanOptions()
        var index = 2
        while index < call.arguments.count {
            let name = call.arguments[index]
            let hasValue = index + 1 < call.arguments.count
            if hasValue && name.equalsIgnoringCase("count") {
                guard let count = IntegerText.parse(call.arguments[index + 1]) else { throw .notInteger }
                if count < 1 { throw .syntax }
                options.count = Int(count)
            } else if hasValue && name.equalsIgnoringCase("match") {
                let pattern = call.arguments[index + 1]
                options.pattern = pattern.equals("*") ? nil : pattern.array
            } else if hasValue && name.equalsIgnoringCase("type") {
                let name = call.arguments[index + 1]
                let type = ObjectType.allCases.first { name.equalsIgnoringCase($0.name) }
                options.type = type.map { .one($0.rawValue) } ?? .none
            } else {
                throw .syntax
            }
            index += 2
        }
        return options
    }

    /// One bucket: writes the keys that pass, removes the expired ones.
    private static func visit(
        _ call: borrowing Call, at cursor: UInt64, _ options: borrowing ScanOptions, written: inout Int
    ) -> (next: UInt64, seen: Int) {
        var found: [Entry] = []
        let database = call.session.database
        let next = call.keyspace[database].table.scan(cursor: cursor) { found.append($0) }
        for entry in found {
            if call.keyspace.isExpired(entry) {
                let hash = call.keyspace[database].table.hash(entry.key)
                _ = call.keyspace.look(entry.key, hash: hash, in: database)
                continue
            }
            switch options.type {
            case .any: break
            case .one(let type): if entry.type != type { continue }
            case .none: continue
            }
            if let pattern = options.pattern, !Glob.matches(pattern: pattern.span, text: entry.key) { continue }
            call.reply.bulk(entry.key)
            written += 1
        }
        return (next, found.count)
    }

    // MARK: RANDOMKEY

    /// Random picks before RANDOMKEY walks, and buckets it then walks at most.
    private static let randomTries = 100
    private static let walkedBucketsMax = 1000

    private static let randomKey: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = randomLiveEntry(call) else { return call.reply.null() }
        call.reply.bulk(entry.key)
    }

    /// A live entry: a random one, or, where nearly everything has expired, the first one behind a random place.
    private static func randomLiveEntry(_ call: borrowing Call) -> Entry? {
        let database = call.session.database
        for _ in 0..<randomTries {
            guard let entry = call.keyspace[database].table.randomEntry({ call.random() }) else { return nil }
            if !call.keyspace.isExpired(entry) { return entry }
            let hash = call.keyspace[database].table.hash(entry.key)
            _ = call.keyspace.look(entry.key, hash: hash, in: database)
        }
        var cursor = call.random() >> 16
        for _ in 0..<walkedBucketsMax {
            var live: Entry?
            let (now, tags) = (call.keyspace.now, call.keyspace.tags)
            cursor = call.keyspace[database].table.scan(cursor: cursor) { entry in
                if entry.hasLabel && tags.isDead(entry.labelCohort) { return }
                if !entry.hasExpiry || entry.expiryMilliseconds > now { live = entry }
            }
            if let live { return live }
        }
        return nil
    }
}
