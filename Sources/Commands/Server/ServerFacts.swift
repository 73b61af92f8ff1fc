// ServerFacts.swift - TIME and ROLE: small questions about the server.
internal import Base
internal import Engine
internal import RESP

enum ServerFacts {
    static let commands: [Command] = [
        Command(
            "TIME", arity: 1, [.loading, .stale, .fast], in: .server, since: "2.6.0", complexity: "O(1)",
            summary: "Returns the server time.", hints: ["nondeterministic_output"], run: time),
        Command(
            "ROLE", arity: 1, [.noScript, .loading, .stale, .fast], in: .server, categories: ["admin", "dangerous"],
            since: "2.8.12", complexity: "O(1)", summary: "Returns the replication role.", run: role),
    ]

    /// The clock now, not the instant the command runs in: clients measure with it.
    private static func time(_ call: inout Call) throws(CommandError) {
        let now = call.administration.clock.nowMicroseconds
        call.reply.array(2)
        call.reply.bulk(decimal: Int(now / 1_000_000))
        call.reply.bulk(decimal: Int(now % 1_000_000))
    }

    private static func role(_ call: inout Call) throws(CommandError) {
        call.reply.array(3)
        call.reply.bulk("master")
        call.reply.integer(0)
        call.reply.array(0)
    }
}
