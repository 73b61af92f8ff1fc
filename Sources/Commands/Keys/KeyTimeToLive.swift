// KeyTimeToLive.swift - asking when keys die: TTL, PTTL, EXPIRETIME, PEXPIRETIME. -2 without the key, -1 without an
// end; seconds are rounded to the nearest, as Redis does.
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum KeyTimeToLive {
    static let commands: [Command] = [
        Command(
            "EXPIRETIME", "key", arity: 2, [.readonly, .fast, .leavesAsleep], keys: [.key([.readOnly, .access])],
            in: .generic,
            since: "7.0.0", complexity: "O(1)", summary: "Returns the expiration time of a key as a Unix timestamp.",
            run: {
                (call: inout Call) throws(CommandError) in
                answer(&call, isAbsolute: true, inSeconds: true)
            }),
        Command(
            "PEXPIRETIME", "key", arity: 2, [.readonly, .fast, .leavesAsleep], keys: [.key([.readOnly, .access])],
            in: .generic,
            since: "7.0.0", complexity: "O(1)",
            summary: "Returns the expiration time of a key as a Unix milliseconds timestamp.",
            run: {
                (call: inout Call) throws(CommandError) in
                answer(&call, isAbsolute: true, inSeconds: false)
            }),
        Command(
            "PTTL", "key", arity: 2, [.readonly, .fast, .leavesAsleep], keys: [.key([.readOnly, .access])],
            in: .generic,
            since: "2.6.0", complexity: "O(1)", summary: "Returns the expiration time in milliseconds of a key.",
            history: [("2.8.0", "Added the -2 reply.")], hints: ["nondeterministic_output"],
            run: {
                (call: inout Call) throws(CommandError) in
                answer(&call, isAbsolute: false, inSeconds: false)
            }),
        Command(
            "TTL", "key", arity: 2, [.readonly, .fast, .leavesAsleep], keys: [.key([.readOnly, .access])], in: .generic,
            since: "1.0.0", complexity: "O(1)", summary: "Returns the expiration time in seconds of a key.",
            history: [("2.8.0", "Added the -2 reply.")], hints: ["nondeterministic_output"],
            run: {
                (call: inout Call) throws(CommandError) in
                answer(&call, isAbsolute: false, inSeconds: true)
            }),
    ]

    private static func answer(_ call: inout Call, isAbsolute: Bool, inSeconds: Bool) {
        guard let entry = call.peek(1) else { return call.reply.integer(-2) }
        guard entry.hasExpiry else { return call.reply.integer(-1) }
        let time = entry.expiryMilliseconds
        let (left, overflow) = time.subtractingReportingOverflow(isAbsolute ? 0 : call.now)
        let milliseconds = overflow ? 0 : max(0, left)
        // Rounded without adding, because the largest times leave no room for that.
        call.reply.integer(Int(inSeconds ? milliseconds / 1000 + (milliseconds % 1000 + 500) / 1000 : milliseconds))
    }
}
