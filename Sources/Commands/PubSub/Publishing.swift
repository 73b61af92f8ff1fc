// Publishing.swift - PUBLISH and SPUBLISH. Under the turn; a channel that nobody listens to costs one lookup.
internal import Engine
internal import RESP

enum Publishing {
    static let commands: [Command] = [
        Command(
            "PUBLISH", "channel message", arity: 3, [.pubsub, .loading, .stale, .fast, .mayReplicate], in: .pubsub,
            since: "2.0.0",
            complexity: """
                O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number \
                of subscribed patterns (by any client).
                """,
            summary: "Posts a message to a channel.", run: publish),
        Command(
            "SPUBLISH", "shardchannel message", arity: 3, [.pubsub, .loading, .stale, .fast, .mayReplicate],
            keys: [.key([.notKey])], in: .pubsub, since: "7.0.0",
            complexity: """
                O(N) where N is the number of clients subscribed to the receiving shard channel.
                """,
            summary: "Posts a message to a shard channel.", run: publishToShard),
    ]

    private static let publish: Command.Handler = { (call: inout Call) throws(CommandError) in
        call.reply.integer(call.publish(channel: call.arguments[1], message: call.arguments[2]))
    }

    private static let publishToShard: Command.Handler = { (call: inout Call) throws(CommandError) in
        call.reply.integer(call.publishToShard(channel: call.arguments[1], message: call.arguments[2]))
    }
}
