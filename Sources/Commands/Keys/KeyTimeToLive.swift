// KeyTimeToLive.swift - asking when keys die: TTL, PTTL, EXPIRETIME, PEXPIRETIME. -2 without the key, -1 without an
// end; seconds are rounded to the nearest, as Redis does.
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum KeyTimeToLive {
    static let commands: [Command] = [
        command("EXPIRETIME", "7.0.0", "Returns the expiration time of a key as a Unix timestamp.") {
            (call: inout Call) throws(CommandError) in
            answer(&call, isAbsolute: true, inSeconds: true)
        },
        command("PEXPIRETIME", "7.0.0", "Returns the expiration time of a key as a Unix milliseconds timestamp.") {
            (call: inout Call) throws(CommandError) in
            answer(&call, isAbsolute: true, inSeconds: false)
        },
        command("PTTL", "2.6.0", "Returns the expiration time in milliseconds of a key.", isRelative: true) {
            (call: inout Call) throws(CommandError) in
            answer(&call, isAbsolute: false, inSeconds: false)
        },
        command("TTL", "1.0.0", "Returns the expiration time in seconds of a key.", isRelative: true) {
            (call: inout Call) throws(CommandError) in
            answer(&call, isAbsolute: false, inSeconds: true)
        },
    ]

    private static func command(
        _ name: String, _ since: String, _ summary: String, isRelative: Bool = false, run: @escaping Command.Handler
    ) -> Command {
        Command(
            name, arity: 2, [.readonly, .fast], keys: [.key([.readOnly, .access])], in: .generic, since: since,
            complexity: "O(1)", summary: summary, history: isRelative ? [("2.8.0", "Added the -2 reply.")] : [],
            hints: isRelative ? ["nondeterministic_output"] : [], run: run)
    }

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
