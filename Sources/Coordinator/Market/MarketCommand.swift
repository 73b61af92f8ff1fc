// MarketCommand.swift - the containers of the GPU marketplace; their subcommands stand in the files of their verbs. All
// of them are in the category @fogmarket besides @fog. What the verbs share is here. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import RESP

enum MarketCommand {
    static let commands: [Command] = [
        container("FOG.BOOK", "A container for commands on bookings of GPUs.", BookingCommands.subcommands),
        container("FOG.GPU", "A container for commands on the market's GPUs.", GPUCommands.subcommands),
        container("FOG.MARKET", "A container for commands on the market's statistics.", [MarketReports.statistics]),
        container("FOG.ORDERBOOK", "A container for commands on the market's order books.", OrderCommands.subcommands),
        container("FOG.PRICE", "A container for commands on the market's prices.", PriceCommands.subcommands),
        container("FOG.PROVIDER", "A container for commands on providers of GPUs.", ProviderCommands.subcommands),
    ]

    static let category = ["fogmarket"]

    private static func container(_ name: String, _ summary: String, _ subcommands: [Command]) -> Command {
        Command(
            name, arity: -2, in: .fog, categories: category, since: "8.2.0", summary: summary,
            subcommands: subcommands + [
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, categories: category, since: "8.2.0",
                    complexity: "O(1)", summary: "Returns helpful text about the different subcommands.",
                    run: Command.help)
            ])
    }

    static let unknownGPU = CommandError.message("NOGPU there is no GPU with this id")
    static let unknownBooking = CommandError.message("NOBOOKING there is no booking with this id")
    static let amountError = CommandError.message(
        "ERR prices are decimal numbers from 0 to 1000000000000 with up to six decimals")
    static let regionError = CommandError.message("ERR a region's name cannot contain a colon")

    /// A region's name, which the colon parts from the type in keys.
    static func checkRegion(_ name: Span<UInt8>) throws(CommandError) {
        for index in 0..<name.count where name[index] == UInt8(ascii: ":") { throw regionError }
    }
}

extension Options {
    mutating func money() throws(CommandError) -> Money {
        guard let amount = Money(try next()) else { throw MarketCommand.amountError }
        return amount
    }
}

extension Reply {
    /// An amount: a double in RESP3, its text in RESP2; null for none.
    func money(_ amount: Money?) {
        guard let text = amount?.text else { return null() }
        double(text: text.span)
    }

    func pair(_ name: StaticString, money amount: Money?) {
        bulk(name)
        money(amount)
    }
}
