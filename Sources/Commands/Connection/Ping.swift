// Ping.swift - PING.
internal import Engine
internal import RESP

enum Ping {
    static let commands: [Command] = [
        Command(
            "PING", "[message]", arity: -1, [.fast], in: .connection, since: "1.0.0", complexity: "O(1)",
            summary: "Returns the server's liveliness response.",
            hints: ["request_policy:all_shards", "response_policy:all_succeeded"], run: ping)
    ]

    private static let ping: Command.Handler = { (call: inout Call) throws(CommandError) in
        switch call.arguments.count {
        case 1: call.reply.simple("PONG")
        case 2: call.reply.bulk(call.arguments[1])
        default: throw .message("ERR wrong number of arguments for 'ping' command")
        }
    }
}
