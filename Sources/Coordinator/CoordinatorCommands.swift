// CoordinatorCommands.swift - every command that the coordinator brings, one line per file that declares some: first
// those that work without records, then those that ask the indexes and wait until these are up to date. A tidy test
// fails when a file with `static let commands` is missing here.
package import Engine

package enum CoordinatorCommands {
    package static let list: [Command] = plain.flatMap { $0 } + onRecords.flatMap { $0 }.map { $0.onRecords }

    private static let plain: [[Command]] = [
        AdviseCommand.commands,
        CacheCommand.commands,
        CacheStats.commands,
        EventCommand.commands,
        InvalidateCommand.commands,
        SchemaCommand.commands,
        TierCommand.commands,
        VMCommand.commands,
    ]

    private static let onRecords: [[Command]] = [
        BalancerCommand.commands,
        BreakerCommand.commands,
        ClassCommand.commands,
        EdgeCommand.commands,
        MarketCommand.commands,
        NodeCommand.commands,
        RouteCommand.commands,
        ScaleCommand.commands,
        StatsCommand.commands,
        TaskCommand.commands,
        WarmCommand.commands,
    ]
}
