// Ping.swift - PING.
internal import Engine
internal import RESP

enum Ping {
    static let commands: [Command] = [
        Command(
            "PING", "[message]", arity: -1, [.fast, .loading, .stale], in: .connection, since: "1.0.0",
            complexity: "O(1)", summary: "Returns the server's liveliness response.", run: ping)
    ]

    private static let ping: Command.Handler = { (call: inout Call) throws(CommandError) in
        switch call.arguments.count {
        case 1: call.reply.simple("PONG")
        case 2: call.reply.bulk(call.arguments[1])
        default: throw .message("ERR wrong number of arguments for 'ping' command")
        }
    }
}
