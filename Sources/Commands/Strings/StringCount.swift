// StringCount.swift - strings as numbers: INCR and its relatives. An integer-encoded string is counted in place: no
// allocation, no text. Overflow is refused, never wrapped.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StringCount {
    private static let keys: [KeySpec] = [.key([.readWrite, .access, .update])]
    private static let flags: CommandFlags = [.write, .denyOOM, .fast]

    static let commands: [Command] = [
        Command(
            "INCR", "key", arity: 2, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .access, .update])],
            in: .string, since: "1.0.0", complexity: "O(1)",
            summary: "Increments the integer value of a key by one. Uses 0 as initial value if the key doesn't exist.",
            run: increment),
        Command(
            "DECR", "key", arity: 2, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .access, .update])],
            in: .string, since: "1.0.0", complexity: "O(1)",
            summary: "Decrements the integer value of a key by one. Uses 0 as initial value if the key doesn't exist.",
            run: decrement),
        Command(
            "INCRBY", "key increment:integer", arity: 3, [.write, .denyOOM, .fast],
            keys: [.key([.readWrite, .access, .update])], in: .string, since: "1.0.0", complexity: "O(1)",
            summary: """
                Increments the integer value of a key by a number. Uses 0 as initial value if the key doesn't \
                exist.
                """,
            run: incrementBy),
        Command(
            "DECRBY", "key decrement:integer", arity: 3, [.write, .denyOOM, .fast],
            keys: [.key([.readWrite, .access, .update])], in: .string, since: "1.0.0", complexity: "O(1)",
            summary: """
                Decrements the integer value of a key by a number. Uses 0 as initial value if the key doesn't \
                exist.
                """,
            run: decrementBy),
        Command(
            "INCRBYFLOAT", "key increment:double", arity: 3, [.write, .denyOOM, .fast],
            keys: [.key([.readWrite, .access, .update])], in: .string, since: "2.6.0", complexity: "O(1)",
            summary: """
                Increments the floating point value of a key by a number. Uses 0 as initial value if the key \
                doesn't exist.
                """,
            run: incrementByFloat),
    ]

    private static let increment: Command.Handler = { (call: inout Call) throws(CommandError) in try add(&call, 1) }

    private static let decrement: Command.Handler = { (call: inout Call) throws(CommandError) in try add(&call, -1) }

    private static let incrementBy: Command.Handler = { (call: inout Call) throws(CommandError) in
        try add(&call, Int64(call.integer(2)))
    }

    private static let decrementBy: Command.Handler = { (call: inout Call) throws(CommandError) in
        let amount = try call.integer(2)
        guard amount != Int.min else { throw .message("ERR decrement would overflow") }
        try add(&call, Int64(-amount))
    }

    @inline(__always)
    private static func add(_ call: inout Call, _ amount: Int64) throws(CommandError) {
        let hash = call.hash(1)
        guard let slot = try call.find(1, .string) else {
            call.keyspace.setInteger(
                call.arguments[1], hash: hash, in: call.session.database, slot: nil, value: amount, expiry: nil)
            call.changed("incrby", .string, key: call.arguments[1])
            return call.reply.integer(Int(amount))
        }
        guard let old = slot.entry.integerValue ?? IntegerText.parse(slot.entry.stringBytes()) else {
            throw .notInteger
        }
        let (sum, overflow) = old.addingReportingOverflow(amount)
        if overflow { throw .message("ERR increment or decrement would overflow") }
        call.keyspace.replaceInteger(slot, hash: hash, in: call.session.database, value: sum)
        call.changed("incrby", .string, key: call.arguments[1])
        call.reply.integer(Int(sum))
    }

    private static let incrementByFloat: Command.Handler = { (call: inout Call) throws(CommandError) in
        let slot = try call.find(1, .string)
        let old = try slot.map { slot throws(CommandError) in try number(slot.entry) } ?? 0
        let sum = try old + ArgumentNumber.longDouble(call.arguments[2])
        guard sum.isFinite else { throw .message("ERR increment would produce NaN or Infinity") }
        var text = ByteBuffer(capacity: 64)
        LongDoubleText.append(sum, to: &text)
        call.keyspace.setText(
            call.arguments[1], hash: call.hash(1), in: call.session.database, slot: slot, value: text.span,
            expiry: slot?.entry.expiry)
        call.changed("incrbyfloat", .string, key: call.arguments[1])
        let key = call.arguments[1]
        let sumText = text.span
        call.propagate("SET") { words in
            words.add(key)
            words.add(sumText)
            words.add("KEEPTTL")
        }
        call.reply.bulk(text.span)
    }

    private static func number(_ entry: Entry) throws(CommandError) -> LongDouble {
        if let integer = entry.integerValue { return LongDouble(integer) }
        return try ArgumentNumber.longDouble(entry.stringBytes())
    }
}
