// HashTimeToLive.swift - HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME: when fields die.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum HashTimeToLive {
    private static let complexity = "O(N) where N is the number of specified fields."

    static let commands: [Command] = [
        Command(
            "HTTL", "key FIELDS (numfields:integer#0 field...)", arity: -5, [.readonly, .fast],
            keys: [.key([.readOnly, .access])], in: .hash, since: "9.0.0", complexity: complexity,
            summary: """
                Returns the remaining time to live (in seconds) of a hash key's field(s) that have an associated \
                expiration.
                """
        ) { (call: inout Call) throws(CommandError) in try reply(&call, isSeconds: true, from: call.now) },
        Command(
            "HPTTL", "key FIELDS (numfields:integer#0 field...)", arity: -5, [.readonly, .fast],
            keys: [.key([.readOnly, .access])], in: .hash, since: "9.0.0", complexity: complexity,
            summary: """
                Returns the remaining time to live in milliseconds of a hash key's field(s) that have an \
                associated expiration.
                """
        ) { (call: inout Call) throws(CommandError) in try reply(&call, isSeconds: false, from: call.now) },
        Command(
            "HEXPIRETIME", "key FIELDS (numfields:integer#0 field...)", arity: -5, [.readonly, .fast],
            keys: [.key([.readOnly, .access])], in: .hash, since: "9.0.0", complexity: complexity,
            summary: """
                Returns Unix timestamps in seconds since the epoch at which the given key's field(s) will expire.
                """
        ) { (call: inout Call) throws(CommandError) in try reply(&call, isSeconds: true, from: 0) },
        Command(
            "HPEXPIRETIME", "key FIELDS (numfields:integer#0 field...)", arity: -5, [.readonly, .fast],
            keys: [.key([.readOnly, .access])], in: .hash, since: "9.0.0", complexity: complexity,
            summary: """
                Returns the Unix timestamp in milliseconds since Unix epoch at which the given key's field(s) \
                will expire.
                """
        ) { (call: inout Call) throws(CommandError) in try reply(&call, isSeconds: false, from: 0) },
    ]

    /// What is left from `base` on, rounded to the nearest second where seconds are asked for.
    private static func reply(_ call: inout Call, isSeconds: Bool, from base: Int64) throws(CommandError) {
        let fields = try FieldWords(fixedIn: call, otherwise: .syntax)
        let entry = try call.readHash(1)
        call.reply.array(fields.count)
        for index in fields.first..<call.arguments.count {
            guard let entry, entry.hasField(call.arguments[index], now: call.now) else {
                call.reply.integer(HashExpire.Result.missing.rawValue)
                continue
            }
            let member = entry.isMemberTable ? entry.liveMember(call.arguments[index], now: call.now) : nil
            guard let time = member?.expiry else {
                call.reply.integer(HashExpire.Result.timeless.rawValue)
                continue
            }
            let left = UInt64(max(0, time - base))
            call.reply.integer(Int(isSeconds ? (left + 500) / 1000 : left))
        }
    }
}
