// StringGet.swift - GET, STRLEN and reading parts of strings. Readers never change the keyspace.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StringGet {
    static let commands: [Command] = [
        Command(
            "GET", "key", arity: 2, [.readonly, .fast], keys: [.key([.readOnly, .access])], in: .string, since: "1.0.0",
            complexity: "O(1)", summary: "Returns the string value of a key.", run: get),
        Command(
            "STRLEN", "key", arity: 2, [.readonly, .fast, .leavesAsleep], keys: [.key([.readOnly])], in: .string,
            since: "2.2.0",
            complexity: "O(1)", summary: "Returns the length of a string value.", run: length),
        Command(
            "GETRANGE", "key start:integer end:integer", arity: 4, [.readonly], keys: [.key([.readOnly, .access])],
            in: .string, since: "2.4.0",
            complexity: """
                O(N) where N is the length of the returned string. The complexity is ultimately determined by \
                the returned length, but because creating a substring from an existing string is very cheap, it \
                can be considered O(1) for small strings.
                """,
            summary: "Returns a substring of the string stored at a key.", run: part),
        Command(
            "SUBSTR", "key start:integer end:integer", arity: 4, [.readonly], keys: [.key([.readOnly, .access])],
            in: .string, since: "1.0.0",
            complexity: """
                O(N) where N is the length of the returned string. The complexity is ultimately determined by \
                the returned length, but because creating a substring from an existing string is very cheap, it \
                can be considered O(1) for small strings.
                """,
            summary: "Returns a substring from a string value.", run: part),
        Command(
            "MGET", "key...", arity: -2, [.readonly, .fast], keys: [.keys([.readOnly, .access])], in: .string,
            since: "1.0.0", complexity: "O(N) where N is the number of keys to retrieve.",
            summary: "Atomically returns the string values of one or more keys.", hints: ["request_policy:multi_shard"],
            run: getMany),
    ]

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(1, .string) else { return call.reply.null() }
        call.reply.string(entry)
    }

    private static let length: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.lookToRead(1, .string) else { return call.reply.integer(0) }
        call.reply.integer(entry.stringByteCount)
    }

    private static let part: Command.Handler = { (call: inout Call) throws(CommandError) in
        let start = try call.integer(2)
        let end = try call.integer(3)
        guard let entry = try call.read(1, .string) else { return call.reply.bulk("") }
        let reply = call.reply
        entry.withStringBytes { bytes in
            guard let range = range(from: start, through: end, count: bytes.count) else { return reply.bulk("") }
            reply.bulk(bytes.extracting(range))
        }
    }

    /// The bytes between two inclusive positions, counted from the end when negative; nil when there are none.
    private static func range(from start: Int, through end: Int, count: Int) -> Range<Int>? {
        if count == 0 || (start < 0 && end < 0 && start > end) { return nil }
        let first = start < 0 ? max(0, count &+ start) : start
        let last = min(count - 1, end < 0 ? max(0, count &+ end) : end)
        return first > last ? nil : first..<(last + 1)
    }

    /// Keys of other types read as absent.
    private static let getMany: Command.Handler = { (call: inout Call) throws(CommandError) in
        let end = call.arguments.count
        call.reply.array(end - 1)
        var next = 1
        while next < end {
            let group = call.prefetch(from: next, to: end)
            for position in 0..<group.count {
                let entry = call.read(group.index(position), hash: group.hash(position))
                if let entry, entry.isString {
                    call.reply.string(entry)
                } else {
                    call.reply.null()
                }
            }
            next = group.end
        }
    }
}

extension Reply {
    /// A bulk with a string entry's text.
    @inline(__always)
    func string(_ entry: Entry) {
        if let value = entry.integerValue {
            bulk(decimal: Int(value))
        } else {
            bulk(entry.stringBytes())
        }
    }
}
