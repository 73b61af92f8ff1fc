// StatsCommand.swift - FOG.STATS: a container whose subcommands stand in the files of their areas, each joined by a
// line below.
internal import Engine

enum StatsCommand {
    static let commands: [Command] = [
        Command(
            "FOG.STATS", arity: -2, in: .fog, since: "8.2.0", summary: "A container for the coordinator's statistics.",
            subcommands: CacheStats.subcommands + [
                BalancerStats.summary,
                NodeStats.subcommand,
                TaskStats.subcommand,
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]
}
