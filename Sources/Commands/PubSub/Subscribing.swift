// Subscribing.swift - SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites. They answer with one message per name, in
// RESP3 as pushes, which clients get even when they switched replies off. Under the turn.
internal import Base
internal import Engine
internal import RESP

enum Subscribing {
    private static let flags: CommandFlags = [.pubsub, .noScript, .loading, .stale, .whileSubscribed, .pushesReply]

    static let commands: [Command] = [
        Command(
            "SUBSCRIBE", "channel...", arity: -2, flags, in: .pubsub, since: "2.0.0",
            complexity: "O(N) where N is the number of channels to subscribe to.",
            summary: "Listens for messages published to channels."
        ) { (call: inout Call) throws(CommandError) in subscribe(call, .channel, "subscribe") },
        Command(
            "UNSUBSCRIBE", "[channel...]", arity: -1, flags, in: .pubsub, since: "2.0.0",
            complexity: "O(N) where N is the number of channels to unsubscribe.",
            summary: "Stops listening to messages posted to channels."
        ) { (call: inout Call) throws(CommandError) in unsubscribe(call, .channel, "unsubscribe") },
        Command(
            "PSUBSCRIBE", "pattern:pattern...", arity: -2, flags, in: .pubsub, since: "2.0.0",
            complexity: "O(N) where N is the number of patterns to subscribe to.",
            summary: "Listens for messages published to channels that match one or more patterns."
        ) { (call: inout Call) throws(CommandError) in subscribe(call, .pattern, "psubscribe") },
        Command(
            "PUNSUBSCRIBE", "[pattern:pattern...]", arity: -1, flags, in: .pubsub, since: "2.0.0",
            complexity: "O(N) where N is the number of patterns to unsubscribe.",
            summary: "Stops listening to messages published to channels that match one or more patterns."
        ) { (call: inout Call) throws(CommandError) in unsubscribe(call, .pattern, "punsubscribe") },
        Command(
            "SSUBSCRIBE", "shardchannel...", arity: -2, flags, keys: [.keys([.notKey])], in: .pubsub, since: "7.0.0",
            complexity: "O(N) where N is the number of shard channels to subscribe to.",
            summary: "Listens for messages published to shard channels."
        ) { (call: inout Call) throws(CommandError) in subscribe(call, .shardChannel, "ssubscribe") },
        Command(
            "SUNSUBSCRIBE", "[shardchannel...]", arity: -1, flags, keys: [.keys([.notKey])], in: .pubsub,
            since: "7.0.0", complexity: "O(N) where N is the number of shard channels to unsubscribe.",
            summary: "Stops listening to messages posted to shard channels."
        ) { (call: inout Call) throws(CommandError) in unsubscribe(call, .shardChannel, "sunsubscribe") },
    ]

    /// Whether a user may listen to a channel is asked here, before anything changes; today every user may.
    private static func subscribe(_ call: borrowing Call, _ kind: SubscriptionKind, _ event: StaticString) {
        for index in 1..<call.arguments.count {
            call.subscribe(kind, index)
            answer(call, kind, event, call.arguments[index])
        }
    }

    private static func unsubscribe(_ call: borrowing Call, _ kind: SubscriptionKind, _ event: StaticString) {
        if call.arguments.count > 1 {
            for index in 1..<call.arguments.count {
                call.unsubscribe(kind, call.arguments[index])
                answer(call, kind, event, call.arguments[index])
            }
            return
        }
        let names = call.subscribedNames(kind)
        for name in names {
            call.unsubscribe(kind, name.span)
            answer(call, kind, event, name.span)
        }
        guard names.isEmpty else { return }
        call.reply.push(3)
        call.reply.bulk(event)
        call.reply.null()
        call.reply.integer(count(call, kind))
    }

    private static func answer(
        _ call: borrowing Call, _ kind: SubscriptionKind, _ event: StaticString, _ name: Span<UInt8>
    ) {
        call.reply.push(3)
        call.reply.bulk(event)
        call.reply.bulk(name)
        call.reply.integer(count(call, kind))
    }

    /// Channels and patterns are counted together, shard channels apart.
    private static func count(_ call: borrowing Call, _ kind: SubscriptionKind) -> Int {
        kind == .shardChannel
            ? call.subscriptionCount(.shardChannel)
            : call.subscriptionCount(.channel) + call.subscriptionCount(.pattern)
    }
}
