// ProviderCommands.swift - FOG.PROVIDER: who offers GPUs, and FOG.MARKET STATS. A provider that is not online takes all
// its GPUs with it and its asks out of the books; when it comes back each GPU is what it was. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum ProviderCommands {
    static let subcommands: [Command] = [
        Command(
            "STATUS", "provider status=(ONLINE | OFFLINE | MAINTENANCE)", arity: 4, [.write, .denyOOM],
            keys: [.key(at: 2, [.notKey])], in: .fog, categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(N*log M) where N is the number of its GPUs and M that of all.",
            summary: "Changes the status of a provider and of all its GPUs.",
            help: [
                "STATUS <provider> ONLINE|OFFLINE|MAINTENANCE",
                "    Change a provider's status. Return how many GPUs changed with it.",
            ],
            run: changeStatus),
        Command(
            "GET", "provider", arity: 3, [.readonly], keys: [.key(at: 2, [.notKey])], in: .fog,
            categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(N) where N is the number of its GPUs.",
            summary: "Returns a provider's status and GPUs.",
            help: ["GET <provider>", "    Return a provider's status, counts and GPUs."], run: get),
    ]

    private static let changeStatus: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let id = call.arguments[first].array
        guard let status = ProviderStatus(call.arguments[first + 1]) else {
            throw .message("ERR STATUS must be online, offline or maintenance")
        }
        try call.checkWrite(.provider, id.span)
        _ = try call.foundRecord(.provider, id.span)
        let market = call.market()
        let desk = call.desk(market)
        let known = market.index.names.find(id.span)
        let old = known.map { market.index.status(ofProvider: $0) } ?? .online
        let state = call.coordinator
        state.fields.removeAll()
        state.fields.add("status", text: status.name)
        state.fields.add("updated_ms", decimal: call.now)
        desk.write(&call.administration, .provider, id)
        desk.reread(&call.administration, .provider, id)
        guard let provider = market.index.names.find(id.span) else { return call.reply.integer(0) }
        var touched: Set<Int32> = []
        var count = 0
        for number in gpus(market, provider) {
            let gpu = market.index.gpuName(number)
            let before = market.index.gpu(number).status
            let wanted = desk.wantedStatus(&call.administration, gpu)
            desk.setStatus(&call.administration, gpu, wanted)
            if market.index.gpu(number).status != before { count += 1 }
            if let marketNumber = market.index.market(ofGPU: number) { touched.insert(marketNumber) }
        }
        if status != .online { withdraw(&call, market, desk, provider, &touched) }
        desk.announceProvider(&call.administration, id, from: old, to: status, gpuCount: count)
        for marketNumber in touched.sorted() where market.index.isMarket(marketNumber) {
            desk.announceBook(&call.administration, marketNumber)
            _ = desk.announceStatistics(&call.administration, marketNumber)
        }
        call.reply.integer(count)
    }

    /// Takes a provider's asks out of the books.
    private static func withdraw(
        _ call: inout Call, _ market: MarketRecords, _ desk: MarketDesk, _ provider: Int32, _ touched: inout Set<Int32>
    ) {
        for number in market.index.orders(ofUser: provider, .ask) {
            if let marketNumber = market.index.market(ofOrder: number) { touched.insert(marketNumber) }
            let quantity = market.index.order(number).quantity
            desk.setOrder(
                &call.administration, market.index.orderName(number), quantity: quantity, isCancelled: true)
        }
    }

    private static func gpus(_ market: MarketRecords, _ provider: Int32) -> [Int32] {
        var found: [Int32] = []
        for status in GPUStatus.allCases {
            market.index.forEachGPU(ofProvider: provider, status) { number in
                found.append(number)
                return true
            }
        }
        return found
    }

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        let id = call.arguments[call.firstWord]
        let key = call.recordKey(.provider, id)
        try call.checkRecordAccess(key.span, [.readOnly, .access])
        call.noteRecordRead(key.span)
        let market = call.market()
        guard let provider = market.index.names.find(id) else { return call.reply.null() }
        let gpus = gpus(market, provider)
        guard !gpus.isEmpty || market.index.hasProvider(provider) else { return call.reply.null() }
        call.reply.map(7)
        call.reply.pair("provider", bytes: id)
        call.reply.pair("status", text: market.index.status(ofProvider: provider).name)
        call.reply.pair("total", gpus.count)
        call.reply.pair("available", market.index.count(ofProvider: provider, .available))
        call.reply.pair("busy", market.index.count(ofProvider: provider, .busy))
        call.reply.pair(
            "offline",
            market.index.count(ofProvider: provider, .offline) + market.index.count(ofProvider: provider, .maintenance))
        call.reply.bulk("gpus")
        call.reply.array(gpus.count)
        for number in gpus { call.reply.bulk(market.index.gpuName(number).span) }
    }
}

enum MarketReports {
    static let statistics = Command(
        "STATS", "[REGION region] [TYPE type]", arity: -2, [.readonly], in: .fog, categories: MarketCommand.category,
        since: "8.2.0", complexity: "O(M) where M is the number of markets, types times regions.",
        summary: "Returns supply, prices and bookings of the market.",
        help: ["STATS [REGION <region>] [TYPE <type>]", "    Return supply, prices and bookings."]
    ) { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.gpu)
        let market = call.market()
        var words = call.words()
        var type: Int32?
        var region: Int32?
        var fitsNothing = false
        while !words.isAtEnd {
            if words.take("REGION", values: 1) {
                region = market.index.names.find(try words.next())
                fitsNothing = fitsNothing || region == nil
            } else if words.take("TYPE", values: 1) {
                type = market.index.names.find(try words.next())
                fitsNothing = fitsNothing || type == nil
            } else {
                throw .syntax
            }
        }
        let found = fitsNothing
            ? MarketStatistics() : market.index.statistics(type: type, region: region, market.rule, now: call.now)
        call.reply.map(10)
        call.reply.pair("total", found.total)
        call.reply.pair("available", found.available)
        call.reply.pair("busy", found.busy)
        call.reply.pair("offline", found.offline)
        call.reply.pair("utilization", money: found.utilization)
        call.reply.pair("avg_price", money: found.averagePrice)
        call.reply.pair("min_price", money: found.priceMin)
        call.reply.pair("max_price", money: found.priceMax)
        call.reply.pair("bookings_24h", found.bookings24h)
        call.reply.pair("updated_ms", Int(found.updated))
    }
}
