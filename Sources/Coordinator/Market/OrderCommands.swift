// OrderCommands.swift - FOG.ORDERBOOK: bids and asks for GPU time by market, best price first and oldest first within a
// price. An order that crosses the other side trades at once at the prices that wait there; what is left rests. So no
// book is ever crossed. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum OrderCommands {
    static let subcommands: [Command] = [
        Command(
            "ADD", "side=(BID | ASK) id type region price:double quantity:integer user", arity: 9,
            [.write, .denyOOM], keys: [.key(at: 3, [.notKey])], in: .fog, categories: MarketCommand.category,
            since: "8.2.0", complexity: "O(log N+T) where N is the number of orders and T is the number of trades.",
            summary: "Adds an order to a book, or trades it.",
            help: [
                "ADD BID|ASK <id> <type> <region> <price> <quantity> <user>",
                "    Trade an order with the other side of the book as far as prices meet. What is left rests.",
            ],
            run: add),
        Command(
            "CANCEL", "id", arity: 3, [.write, .fast], keys: [.key(at: 2, [.notKey])], in: .fog,
            categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(log N) where N is the number of orders.",
            summary: "Takes an order out of its book and returns what was left of it.",
            help: ["CANCEL <id>", "    Take an order back. Return the units that were left, nil when there is none."],
            run: cancel),
        Command(
            "GET", "type region [DEPTH count:integer]", arity: -4, [.readonly], in: .fog,
            categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(N) where N is the number of price levels returned.",
            summary: "Returns the price levels of a book and the supply behind it.",
            help: [
                "GET <type> <region> [DEPTH <count>]",
                "    Return the best levels of both sides: price, units, orders; GPUs available and their price.",
            ],
            run: get),
        Command(
            "TOP", "type region", arity: 4, [.readonly, .fast], in: .fog, categories: MarketCommand.category,
            since: "8.2.0", complexity: "O(1)", summary: "Returns the best bid and ask of a book.",
            help: ["TOP <type> <region>", "    Return the best bid, the best ask and the spread."], run: top),
    ]

    private static let add: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        guard let side = OrderSide(call.arguments[first]) else { throw .message("ERR the side must be bid or ask") }
        let id = call.arguments[first + 1].array
        try MarketCommand.checkRegion(call.arguments[first + 3])
        guard let price = Money(call.arguments[first + 4]) else { throw MarketCommand.amountError }
        let quantity = try call.integer(
            first + 5, in: 1...Int(MarketIndex.quantityMax),
            otherwise: .message("ERR the quantity must be from 1 to 1000000000"))
        try call.checkWrite(.order, id.span)
        _ = try call.foundRecord(.order, id.span)
        let market = call.market()
        if market.index.findOrder(id.span) != nil { throw .message("ERR an order with this id is open") }
        let desk = call.desk(market)
        var left = Int64(quantity)
        var trades: [(id: [UInt8], trade: Trade)] = []
        if let number = market.index.market(type: call.arguments[first + 2], region: call.arguments[first + 3]) {
            for trade in market.index.match(number, side, price, quantity: left) {
                trades.append((market.index.orderName(trade.resting), trade))
            }
        }
        for (resting, trade) in trades {
            left -= trade.quantity
            guard let number = market.index.findOrder(resting.span) else { continue }
            let rest = market.index.order(number).quantity - trade.quantity
            desk.setOrder(&call.administration, resting, quantity: rest)
        }
        try write(call, desk, side, price, id, quantity, left)
        if let number = market.index.market(type: call.arguments[first + 2], region: call.arguments[first + 3]) {
            desk.announceBook(&call.administration, number)
        }
        reply(&call, id, quantity, left, trades)
    }

    private static func write(
        _ call: borrowing Call, _ desk: MarketDesk, _ side: OrderSide, _ price: Money, _ id: [UInt8], _ quantity: Int,
        _ left: Int64
    ) throws(CommandError) {
        let first = call.firstWord
        let state = call.coordinator
        _ = try call.removeRecord(.order, id.span, tells: false)
        state.fields.removeAll()
        state.fields.add("side", text: side.name)
        state.fields.add("type", call.arguments[first + 2])
        state.fields.add("region", call.arguments[first + 3])
        let text = price.text
        state.fields.add("price", text.span)
        state.fields.add("total", decimal: Int64(quantity))
        state.fields.add("qty", decimal: left)
        state.fields.add("user", call.arguments[first + 6])
        state.fields.add("seq", decimal: desk.market.index.order)
        state.fields.add("created_ms", decimal: call.now)
        state.fields.add("status", text: left > 0 ? "open" : "filled")
        desk.write(&call.administration, .order, id, expiry: left > 0 ? .kept : call.defaultExpiry)
        desk.reread(&call.administration, .order, id)
    }

    private static func reply(
        _ call: inout Call, _ id: [UInt8], _ quantity: Int, _ left: Int64, _ trades: [(id: [UInt8], trade: Trade)]
    ) {
        call.reply.map(5)
        call.reply.pair("id", bytes: id.span)
        call.reply.pair("status", text: left == 0 ? "filled" : "open")
        call.reply.pair("filled", quantity - Int(left))
        call.reply.pair("remaining", Int(left))
        call.reply.bulk("trades")
        call.reply.array(trades.count)
        for (resting, trade) in trades {
            call.reply.map(3)
            call.reply.pair("id", bytes: resting.span)
            call.reply.pair("price", money: trade.price)
            call.reply.pair("qty", Int(trade.quantity))
        }
    }

    private static let cancel: Command.Handler = { (call: inout Call) throws(CommandError) in
        let id = call.arguments[call.firstWord].array
        try call.checkWrite(.order, id.span)
        let market = call.market()
        guard let number = market.index.findOrder(id.span) else { return call.reply.null() }
        let left = market.index.order(number).quantity
        let desk = call.desk(market)
        let marketNumber = market.index.market(ofOrder: number)
        desk.setOrder(&call.administration, id, quantity: left, isCancelled: true)
        if let marketNumber, market.index.isMarket(marketNumber) {
            desk.announceBook(&call.administration, marketNumber)
        }
        call.reply.integer(Int(left))
    }

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        var words = call.options(from: first + 2)
        var depth = 10
        while !words.isAtEnd {
            guard words.take("DEPTH", values: 1) else { throw .syntax }
            depth = try words.nonnegative()
        }
        try call.checkReadAll(.order)
        let market = call.market()
        let number = market.index.market(type: call.arguments[first], region: call.arguments[first + 1])
        let book = number.map { market.index.book($0) } ?? OrderBook()
        call.reply.map(4)
        for (name, side) in [("bids" as StaticString, OrderSide.bid), ("asks", .ask)] {
            call.reply.bulk(name)
            let levels = book.levels(side).suffix(depth)
            call.reply.array(levels.count)
            for level in levels.reversed() {
                call.reply.map(3)
                call.reply.pair("price", money: level.price)
                call.reply.pair("qty", Int(level.quantity))
                call.reply.pair("orders", level.count)
            }
        }
        call.reply.pair("available", number.map { market.index.statistics($0, market.rule).available } ?? 0)
        call.reply.pair("price", money: number.flatMap { market.index.quote($0, market.rule) })
    }

    private static let top: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        try call.checkReadAll(.order)
        let market = call.market()
        let number = market.index.market(type: call.arguments[first], region: call.arguments[first + 1])
        let book = number.map { market.index.book($0) } ?? OrderBook()
        let bid = book.best(.bid)
        let ask = book.best(.ask)
        call.reply.map(5)
        call.reply.pair("bid", money: bid?.price)
        call.reply.pair("bid_qty", Int(bid?.quantity ?? 0))
        call.reply.pair("ask", money: ask?.price)
        call.reply.pair("ask_qty", Int(ask?.quantity ?? 0))
        var spread: Money?
        if let bid, let ask { spread = Money(millionths: ask.price.millionths - bid.price.millionths) }
        call.reply.pair("spread", money: spread)
    }
}
