// CoordinatorCommands.swift - every command that the coordinator brings, one line per file that declares some. A tidy
// test fails when a file with `static let commands` is missing here.
package import Engine

package enum CoordinatorCommands {
    package static let list: [Command] = [
        AdviseCommand.commands,
        BalancerCommand.commands,
        BreakerCommand.commands,
        CacheCommand.commands,
        CacheStats.commands,
        ClassCommand.commands,
        EdgeCommand.commands,
        EventCommand.commands,
        InvalidateCommand.commands,
        MarketCommand.commands,
        NodeCommand.commands,
        RouteCommand.commands,
        ScaleCommand.commands,
        StatsCommand.commands,
        TaskCommand.commands,
        TierCommand.commands,
        VMCommand.commands,
        WarmCommand.commands,
    ].flatMap { $0 }
}
