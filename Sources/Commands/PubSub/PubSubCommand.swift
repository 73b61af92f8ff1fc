// PubSubCommand.swift - PUBSUB: which channels and patterns have subscribers, and how many. Under the turn.
internal import Base
internal import Engine
internal import RESP

enum PubSubCommand {
    static let commands: [Command] = [
        Command(
            "PUBSUB", arity: -2, in: .pubsub, since: "2.8.0", complexity: "Depends on subcommand.",
            summary: "A container for Pub/Sub commands.",
            subcommands: [
                Command(
                    "CHANNELS", "[pattern:pattern]", arity: -2, [.pubsub, .loading, .stale], in: .pubsub,
                    since: "2.8.0",
                    complexity: """
                        O(N) where N is the number of active channels, and assuming constant time pattern matching \
                        (relatively short channels and patterns)
                        """,
                    summary: "Returns the active channels.",
                    help: [
                        "CHANNELS [<pattern>]",
                        "    Return the currently active channels matching a <pattern> (default: '*').",
                    ]
                ) { (call: inout Call) throws(CommandError) in try list(call, .channel) },
                Command(
                    "NUMPAT", arity: 2, [.pubsub, .loading, .stale], in: .pubsub, since: "2.8.0", complexity: "O(1)",
                    summary: "Returns a count of unique pattern subscriptions.",
                    help: [
                        "NUMPAT",
                        "    Return number of subscriptions to patterns.",
                    ]
                ) { (call: inout Call) throws(CommandError) in call.reply.integer(call.subscribedNameCount(.pattern)) },
                Command(
                    "NUMSUB", "[channel...]", arity: -2, [.pubsub, .loading, .stale], in: .pubsub, since: "2.8.0",
                    complexity: "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
                    summary: "Returns a count of subscribers to channels.",
                    help: [
                        "NUMSUB [<channel> ...]",
                        "    Return the number of subscribers for the specified channels, excluding",
                        "    pattern subscriptions(default: no channels).",
                    ]
                ) { (call: inout Call) throws(CommandError) in count(call, .channel) },
                Command(
                    "SHARDCHANNELS", "[pattern:pattern]", arity: -2, [.pubsub, .loading, .stale], in: .pubsub,
                    since: "7.0.0",
                    complexity: """
                        O(N) where N is the number of active shard channels, and assuming constant time pattern \
                        matching (relatively short shard channels).
                        """,
                    summary: "Returns the active shard channels.",
                    help: [
                        "SHARDCHANNELS [<pattern>]",
                        """
                            Return the currently active shard level channels matching a <pattern> (default: '*').
                        """,
                    ]
                ) { (call: inout Call) throws(CommandError) in try list(call, .shardChannel) },
                Command(
                    "SHARDNUMSUB", "[shardchannel...]", arity: -2, [.pubsub, .loading, .stale], in: .pubsub,
                    since: "7.0.0",
                    complexity: """
                        O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels
                        """,
                    summary: "Returns the count of subscribers of shard channels.",
                    help: [
                        "SHARDNUMSUB [<shardchannel> ...]",
                        "    Return the number of subscribers for the specified shard level channel(s)",
                    ]
                ) { (call: inout Call) throws(CommandError) in count(call, .shardChannel) },
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .pubsub, since: "6.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static func list(_ call: borrowing Call, _ kind: SubscriptionKind) throws(CommandError) {
        if call.arguments.count > 3 {
            call.reply.error(
                "ERR unknown subcommand or wrong number of arguments for '\(call.arguments[1].text)'. Try PUBSUB HELP.")
            throw .written
        }
        let everything: [UInt8] = [UInt8(ascii: "*")]
        let names =
            call.arguments.count == 3
            ? call.subscribedNames(kind, matching: call.arguments[2])
            : call.subscribedNames(kind, matching: everything.span)
        call.reply.array(names.count)
        for name in names { call.reply.bulk(name.span) }
    }

    private static func count(_ call: borrowing Call, _ kind: SubscriptionKind) {
        call.reply.array((call.arguments.count - 2) * 2)
        for index in 2..<max(2, call.arguments.count) {
            call.reply.bulk(call.arguments[index])
            call.reply.integer(call.subscriberCount(kind, index))
        }
    }
}
