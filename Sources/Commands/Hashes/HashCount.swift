// HashCount.swift - HINCRBY, HINCRBYFLOAT: fields as numbers. A field keeps its time to live. Overflow is refused.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum HashCount {
    static let commands: [Command] = [
        Command(
            "HINCRBY", "key field increment:integer", arity: 4, [.write, .denyOOM, .fast],
            keys: [.key([.readWrite, .access, .update])], in: .hash, since: "2.0.0", complexity: "O(1)",
            summary: """
                Increments the integer value of a field in a hash by a number. Uses 0 as initial value if the \
                field doesn't exist.
                """,
            run: increment),
        Command(
            "HINCRBYFLOAT", "key field increment:double", arity: 4, [.write, .denyOOM, .fast],
            keys: [.key([.readWrite, .access, .update])], in: .hash, since: "2.6.0", complexity: "O(1)",
            summary: """
                Increments the floating point value of a field by a number. Uses 0 as initial value if the field \
                doesn't exist.
                """,
            run: incrementByFloat),
    ]

    private static let increment: Command.Handler = { (call: inout Call) throws(CommandError) in
        let amount = Int64(try call.integer(3))
        var old: Int64 = 0
        if let slot = try call.findHash(1), let value = slot.entry.fieldValue(call.arguments[2], now: call.now) {
            guard let number = value.integerValue else { throw .message("ERR hash value is not an integer") }
            old = number
        }
        let (sum, overflow) = old.addingReportingOverflow(amount)
        if overflow { throw .message("ERR increment or decrement would overflow") }
        var text = ByteBuffer(capacity: 24)
        text.append(decimal: Int(sum))
        try call.setField(call.arguments[2], to: text.span, .kept)
        call.changed("hincrby", .hash, key: call.arguments[1])
        call.reply.integer(Int(sum))
    }

    private static let incrementByFloat: Command.Handler = { (call: inout Call) throws(CommandError) in
        let amount = try ArgumentNumber.longDouble(call.arguments[3])
        guard amount.isFinite else { throw .message("ERR value is NaN or Infinity") }
        var old: LongDouble = 0
        if let slot = try call.findHash(1), let value = slot.entry.fieldValue(call.arguments[2], now: call.now) {
            guard let number = value.withText({ LongDoubleText.parse($0) }) else {
                throw .message("ERR hash value is not a float")
            }
            old = number
        }
        let sum = old + amount
        guard sum.isFinite else { throw .message("ERR increment would produce NaN or Infinity") }
        var text = ByteBuffer(capacity: 64)
        LongDoubleText.append(sum, to: &text)
        try call.setField(call.arguments[2], to: text.span, .kept)
        call.changed("hincrbyfloat", .hash, key: call.arguments[1])
        propagate(call, text.span)
        call.reply.bulk(text.span)
    }

    /// Floats are recorded as what came out of them; a field that has a time to live keeps it there as well.
    private static func propagate(_ call: borrowing Call, _ sum: Span<UInt8>) {
        guard call.isJournaled else { return }
        let arguments = call.arguments
        let expires = call.fieldExpiry(arguments[2]) != nil
        call.propagate(expires ? "HSETEX" : "HSET") { words in
            words.add(arguments[1])
            if expires {
                words.add("KEEPTTL")
                words.add("FIELDS")
                words.add("1")
            }
            words.add(arguments[2])
            words.add(sum)
        }
    }
}
