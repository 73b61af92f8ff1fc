// PriceCommands.swift - FOG.PRICE: one base price for each market, GPUs of one type in one region. Once it is set it
// rules over the prices in the GPUs' records, until its record goes. What buyers pay follows demand by
// `fog-price-elasticity`. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum PriceCommands {
    static let subcommands: [Command] = [
        Command(
            "SET", "type region price:double [REASON reason]", arity: -5, [.write, .denyOOM, .fast], in: .fog,
            categories: MarketCommand.category, since: "8.2.0", complexity: "O(1)",
            summary: "Sets the base price of a market and returns the old one.",
            help: [
                "SET <type> <region> <price> [REASON <reason>]",
                "    Set the base price of GPUs of a type in a region. Return the old one.",
            ],
            run: set),
        Command(
            "GET", "type [region]", arity: -3, [.readonly, .fast], in: .fog, categories: MarketCommand.category,
            since: "8.2.0", complexity: "O(1), or O(N) without region where N is the number of markets.",
            summary: "Returns what GPUs of a type cost now.",
            help: ["GET <type> [<region>]", "    Return the price in a region, or in each as a map."], run: get),
        Command(
            "EXPLAIN", "type region", arity: 4, [.readonly, .fast], in: .fog, categories: MarketCommand.category,
            since: "8.2.0", complexity: "O(1)", summary: "Returns how a market's price comes about.",
            help: ["EXPLAIN <type> <region>", "    Return base, demand and factor of a price."], run: explain),
        Command(
            "HISTORY", "type region [FROM milliseconds:unix-time] [TO milliseconds:unix-time]", arity: -4,
            [.readonly], in: .fog, categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(N) where N is the number of changes returned.",
            summary: "Returns the changes of a market's price.",
            help: [
                "HISTORY <type> <region> [FROM <unix ms>] [TO <unix ms>]",
                "    Return the last changes of a price, the oldest first.",
            ],
            run: history),
    ]

    private static func id(_ call: borrowing Call) throws(CommandError) -> [UInt8] {
        let type = call.arguments[call.firstWord]
        let region = call.arguments[call.firstWord + 1]
        try MarketCommand.checkRegion(region)
        return type.array + [UInt8(ascii: ":")] + region.array
    }

    private static let set: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let id = try id(call)
        guard let price = Money(call.arguments[first + 2]) else { throw MarketCommand.amountError }
        var words = call.options(from: first + 3)
        var reason = 0
        while !words.isAtEnd {
            guard words.take("REASON", values: 1) else { throw .syntax }
            reason = try words.nextIndex()
        }
        try call.checkWrite(.price, id.span)
        _ = try call.foundRecord(.price, id.span)
        let market = call.market()
        let known = market.index.market(type: call.arguments[first], region: call.arguments[first + 1])
        let oldQuote = known.flatMap { market.index.quote($0, market.rule) }
        let old = known.flatMap { market.index.basePrice($0) }
        let desk = call.desk(market)
        let state = call.coordinator
        state.fields.removeAll()
        state.fields.add("type", call.arguments[first])
        state.fields.add("region", call.arguments[first + 1])
        let text = price.text
        state.fields.add("price", text.span)
        if reason > 0 { state.fields.add("reason", call.arguments[reason]) }
        state.fields.add("updated_ms", decimal: call.now)
        desk.write(&call.administration, .price, id)
        desk.reread(&call.administration, .price, id)
        if let number = market.index.market(type: call.arguments[first], region: call.arguments[first + 1]) {
            let quote = market.index.quote(number, market.rule)
            let text = reason > 0 ? call.arguments[reason].array : []
            desk.recordPrice(&call.administration, number, quote ?? price, reason: text.span)
            desk.announcePrice(&call.administration, number, from: oldQuote, to: quote)
            _ = desk.announceStatistics(&call.administration, number)
        }
        call.reply.money(old)
    }

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        guard call.arguments.count <= first + 2 else { throw .syntax }
        try call.checkReadAll(.price)
        let market = call.market()
        if call.arguments.count > first + 1 {
            let number = market.index.market(type: call.arguments[first], region: call.arguments[first + 1])
            return call.reply.money(number.flatMap { market.index.quote($0, market.rule) })
        }
        var found: [(region: [UInt8], price: Money)] = []
        if let type = market.index.names.find(call.arguments[first]) {
            market.index.forEachMarket(type: type, region: nil) { number in
                guard let price = market.index.quote(number, market.rule) else { return }
                found.append((market.index.regionName(number), price))
            }
        }
        call.reply.map(found.count)
        for (region, price) in found {
            call.reply.bulk(region.span)
            call.reply.money(price)
        }
    }

    private static let explain: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        try call.checkReadAll(.price)
        let market = call.market()
        guard let number = market.index.market(type: call.arguments[first], region: call.arguments[first + 1]) else {
            return call.reply.null()
        }
        let rule = market.rule
        let statistics = market.index.statistics(number, rule)
        let base = market.index.basePrice(number) ?? market.index.statistics(number, .off).averagePrice
        call.reply.map(8)
        call.reply.pair("base", money: base)
        call.reply.pair("source", text: market.index.basePrice(number) == nil ? "gpus" : "market")
        call.reply.pair("elasticity", money: Money(millionths: rule.elasticity))
        call.reply.pair("used", statistics.busy)
        call.reply.pair("total", statistics.total)
        call.reply.pair(
            "factor", money: Money(millionths: rule.factor(used: statistics.busy, total: statistics.total)))
        call.reply.pair("ceiling", money: Money(millionths: rule.ceiling))
        call.reply.pair("price", money: market.index.quote(number, rule))
    }

    private static let history: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        var words = call.options(from: first + 2)
        var from = 0
        var to = Int.max
        while !words.isAtEnd {
            if words.take("FROM", values: 1) {
                from = try words.nonnegative()
            } else if words.take("TO", values: 1) {
                to = try words.nonnegative()
            } else {
                throw .syntax
            }
        }
        try call.checkReadAll(.price)
        let desk = call.desk(call.market())
        let key = desk.historyKey(call.arguments[first].array, call.arguments[first + 1].array)
        try call.checkRecordAccess(key.span, [.readOnly, .access])
        call.noteRecordRead(key.span)
        guard let slot = try call.administration.recordStream(key.span, in: call.session.database) else {
            return call.reply.array(0)
        }
        var walk = slot.entry.stream.walk(
            from: StreamID(UInt64(from), 0), to: StreamID(UInt64(to), .max))
        let mark = call.reply.length
        var count = 0
        while let change = walk.next() {
            count += 1
            var pairs = 1
            change.forEachPair { _, _ in pairs += 1 }
            call.reply.map(pairs)
            call.reply.pair("ms", Int(clamping: change.id.milliseconds))
            change.forEachPair { field, value in
                field.withText { call.reply.bulk($0) }
                value.withText { call.reply.bulk($0) }
            }
        }
        call.reply.insertHeader(UInt8(ascii: "*"), count, at: mark)
    }
}
