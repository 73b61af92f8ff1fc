// Ping.swift - PING.
internal import Engine
internal import RESP

enum Ping {
    static let commands: [Command] = [
        Command(
            "PING", "[message]", arity: -1, [.fast, .whileSubscribed], in: .connection, since: "1.0.0", complexity: "O(1)",
            summary: "Returns the server's liveliness response.",
            hints: ["request_policy:all_shards", "response_policy:all_succeeded"], run: ping)
    ]

    private static let ping: Command.Handler = { (call: inout Call) throws(CommandError) in
        if call.arguments.count < 3 && call.session.isSubscriber && call.session.protocolVersion < 3 {
            // A RESP2 client that listens to channels reads nothing but messages.
            call.reply.array(2)
            call.reply.bulk("pong")
            return call.arguments.count == 2 ? call.reply.bulk(call.arguments[1]) : call.reply.bulk("")
        }
        switch call.arguments.count {
        case 1: call.reply.simple("PONG")
        case 2: call.reply.bulk(call.arguments[1])
        default: throw .message("ERR wrong number of arguments for 'ping' command")
        }
    }
}
