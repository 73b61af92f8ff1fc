// HashGet.swift - HGET, HMGET, HEXISTS, HSTRLEN, HLEN, HGETALL, HKEYS, HVALS: looking at hashes.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum HashGet {
    static let commands: [Command] = [
        Command(
            "HGET", "key field", arity: 3, [.readonly, .fast], keys: [.key([.readOnly, .access])], in: .hash,
            since: "2.0.0", complexity: "O(1)", summary: "Returns the value of a field in a hash.", run: get),
        Command(
            "HMGET", "key field...", arity: -3, [.readonly, .fast], keys: [.key([.readOnly, .access])], in: .hash,
            since: "2.0.0", complexity: "O(N) where N is the number of fields being requested.",
            summary: "Returns the values of all fields in a hash.", run: getMany),
        Command(
            "HEXISTS", "key field", arity: 3, [.readonly, .fast], keys: [.key([.readOnly])], in: .hash, since: "2.0.0",
            complexity: "O(1)", summary: "Determines whether a field exists in a hash.", run: exists),
        Command(
            "HSTRLEN", "key field", arity: 3, [.readonly, .fast], keys: [.key([.readOnly])], in: .hash, since: "3.2.0",
            complexity: "O(1)", summary: "Returns the length of the value of a field.", run: valueLength),
        Command(
            "HLEN", "key", arity: 2, [.readonly, .fast], keys: [.key([.readOnly])], in: .hash, since: "2.0.0",
            complexity: "O(1)", summary: "Returns the number of fields in a hash.", run: length),
        Command(
            "HGETALL", "key", arity: 2, [.readonly], keys: [.key([.readOnly, .access])], in: .hash, since: "2.0.0",
            complexity: "O(N) where N is the size of the hash.", summary: "Returns all fields and values in a hash.",
            hints: ["nondeterministic_output_order"]
        ) { (call: inout Call) throws(CommandError) in try all(&call, .both) },
        Command(
            "HKEYS", "key", arity: 2, [.readonly], keys: [.key([.readOnly, .access])], in: .hash, since: "2.0.0",
            complexity: "O(N) where N is the size of the hash.", summary: "Returns all fields in a hash.",
            hints: ["nondeterministic_output_order"]
        ) { (call: inout Call) throws(CommandError) in try all(&call, .fields) },
        Command(
            "HVALS", "key", arity: 2, [.readonly], keys: [.key([.readOnly, .access])], in: .hash, since: "2.0.0",
            complexity: "O(N) where N is the size of the hash.", summary: "Returns all values in a hash.",
            hints: ["nondeterministic_output_order"]
        ) { (call: inout Call) throws(CommandError) in try all(&call, .values) },
    ]

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.readHash(1),
            let value = entry.fieldValue(call.arguments[2], now: call.now)
        else { return call.reply.null() }
        call.reply.bulk(value)
    }

    private static let getMany: Command.Handler = { (call: inout Call) throws(CommandError) in
        let entry = try call.readHash(1)
        call.reply.array(call.arguments.count - 2)
        for index in 2..<call.arguments.count {
            if let entry, let value = entry.fieldValue(call.arguments[index], now: call.now) {
                call.reply.bulk(value)
            } else {
                call.reply.null()
            }
        }
    }

    private static let exists: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.readHash(1) else { return call.reply.integer(0) }
        call.reply.integer(entry.hasField(call.arguments[2], now: call.now) ? 1 : 0)
    }

    private static let valueLength: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.readHash(1),
            let value = entry.fieldValue(call.arguments[2], now: call.now)
        else { return call.reply.integer(0) }
        call.reply.integer(value.textByteCount)
    }

    private static let length: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.readHash(1) else { return call.reply.integer(0) }
        call.reply.integer(entry.fieldCount)
    }

    // MARK: whole hashes

    private enum Parts {
        case fields
        case values
        case both
    }

    private static func all(_ call: inout Call, _ parts: Parts) throws(CommandError) {
        let reply = call.reply
        guard let entry = try call.readHash(1) else {
            return parts == .both ? reply.map(0) : reply.array(0)
        }
        let now = call.now
        let count = entry.liveFieldCount(now: now)
        if parts == .both { reply.map(count) } else { reply.array(count) }
        guard entry.isMemberTable else {
            let view = entry.listpack
            var offset = view.startOffset
            if parts == .values { offset = view.offset(after: offset) }
            view.appendBulkStrings(
                from: &offset, limit: .max, stride: parts == .both ? 1 : 2, to: &reply.buffer)
            return
        }
        entry.members.forEach { member in
            if member.isGone(at: now) { return }
            if parts != .values { reply.bulk(member.key) }
            if parts != .fields { reply.bulk(member.value) }
        }
    }
}
