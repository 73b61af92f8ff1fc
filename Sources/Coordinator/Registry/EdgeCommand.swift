// EdgeCommand.swift - FOG.EDGE: what this server is in the fleet. Under the turn.
internal import Commands
internal import Engine
internal import RESP

enum EdgeCommand {
    static let commands: [Command] = [
        Command(
            "FOG.EDGE", arity: -2, in: .fog, since: "8.2.0",
            summary: "A container for commands on this server's place.",
            subcommands: [
                Command(
                    "INFO", arity: 2, [.readonly, .fast], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns this server's id and heartbeat rules.",
                    help: ["INFO", "    Return this server's id, its nodes and the rules of their heartbeats."],
                    run: info),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static let info: Command.Handler = { (call: inout Call) throws(CommandError) in
        let nodes = call.nodes
        call.reply.map(4)
        call.reply.bulk("id")
        call.reply.bulk(call.administration.config.string("fog-node-id"))
        call.reply.pair("nodes", nodes.count)
        call.reply.pair("heartbeat_interval", nodes.settings.heartbeatIntervalSeconds)
        call.reply.pair("heartbeat_timeout", nodes.settings.heartbeatTimeoutSeconds)
    }
}
