// GPUCommands.swift - FOG.GPU: the market's GPUs, their status and listings. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum GPUCommands {
    static let subcommands: [Command] = [
        Command(
            "SET",
            """
            gpu [TYPE type] [REGION region] [PROVIDER provider] \
            [status=STATUS (AVAILABLE | BUSY | OFFLINE | MAINTENANCE)] [PRICE price:double] [PERF score:double] \
            [MEM gigabytes:double] [FIELD (field value)]...
            """,
            arity: -3, [.write, .denyOOM, .fast], keys: [.key(at: 2, [.notKey])], in: .fog,
            categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(log N) where N is the number of GPUs.", summary: "Offers a GPU, or changes one.",
            help: [
                "SET <gpu> [TYPE <type>] [REGION <region>] [PROVIDER <provider>] [STATUS <status>] [PRICE <price>]"
                    + " [PERF <score>] [MEM <gigabytes>] [FIELD <field> <value> ...]",
                "    Offer a GPU or change one. FIELD latency is what RANK BY LATENCY goes by.",
            ],
            run: set),
        Command(
            "GET", "gpu", arity: 3, [.readonly, .fast], keys: [.key(at: 2, [.notKey])], in: .fog,
            categories: MarketCommand.category, since: "8.2.0", complexity: "O(1)",
            summary: "Returns everything that is known of a GPU.",
            help: ["GET <gpu>", "    Return a GPU's fields and values."], run: get),
        Command(
            "AVAIL",
            """
            [REGION region] [TYPE type] [MAXPRICE price:double] [LIMIT count:integer] \
            [order=SORT (PRICE | PERF | SCORE)]
            """,
            arity: -2, [.readonly], in: .fog, categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(M+K*log K) where M is the number of markets and K is the number of GPUs returned.",
            summary: "Returns the GPUs that can be booked now.",
            help: [
                "AVAIL [REGION <region>] [TYPE <type>] [MAXPRICE <price>] [LIMIT <count>] [SORT PRICE|PERF|SCORE]",
                "    Return GPUs that can be booked, the cheapest first unless SORT says otherwise. SCORE is"
                    + " performance for the price.",
            ],
            run: available),
        Command(
            "STATUS", "gpu status=(AVAILABLE | BUSY | OFFLINE | MAINTENANCE)", arity: 4, [.write, .denyOOM, .fast],
            keys: [.key(at: 2, [.notKey])], in: .fog, categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(log N) where N is the number of GPUs.",
            summary: "Changes the status of a GPU and returns the old one.",
            help: ["STATUS <gpu> AVAILABLE|BUSY|OFFLINE|MAINTENANCE", "    Change a GPU's status. Return the old."],
            run: changeStatus),
        Command(
            "RANK", "[REGION region] [TYPE type] [order=BY (PERF | PRICE_PERF | LATENCY)] [LIMIT count:integer]",
            arity: -2, [.readonly], in: .fog, categories: MarketCommand.category, since: "8.2.0",
            complexity: "O(M+K*log K) where M is the number of markets and K is the number of GPUs returned.",
            summary: "Returns GPUs, whatever their status, the best first.",
            help: [
                "RANK [REGION <region>] [TYPE <type>] [BY PERF|PRICE_PERF|LATENCY] [LIMIT <count>]",
                "    Return GPUs with the number they are ranked by.",
            ],
            run: rank),
    ]

    private static let statusError = CommandError.message(
        "ERR STATUS must be available, busy, offline or maintenance")
    private static let bookedError = CommandError.message(
        "BUSY the GPU has an active booking: complete or cancel it first")

    // MARK: SET

    private struct Request {
        /// Argument indexes, 0 for what was not given.
        var type = 0, region = 0, provider = 0, memory = 0
        var status: GPUStatus?
        var price: Money?
        var performance: Money?
        var extras: [Int] = []

        init(_ call: borrowing Call, _ words: inout Options) throws(CommandError) {
            while !words.isAtEnd {
                if words.take("TYPE", values: 1) {
                    type = try words.nextIndex()
                } else if words.take("REGION", values: 1) {
                    region = try words.nextIndex()
                    try MarketCommand.checkRegion(call.arguments[region])
                } else if words.take("PROVIDER", values: 1) {
                    provider = try words.nextIndex()
                } else if words.take("STATUS", values: 1) {
                    guard let named = GPUStatus(try words.next()) else { throw GPUCommands.statusError }
                    status = named
                } else if words.take("PRICE", values: 1) {
                    price = try words.money()
                } else if words.take("PERF", values: 1) {
                    performance = try words.money()
                } else if words.take("MEM", values: 1) {
                    memory = words.index
                    _ = try words.money()
                } else if words.take("FIELD", values: 2) {
                    extras.append(try words.nextIndex())
                    try words.skip(1)
                } else {
                    throw .syntax
                }
            }
        }

        func write(_ call: borrowing Call, to fields: inout RecordFields, isNew: Bool) {
            if isNew || type > 0 { fields.add("type", type > 0 ? call.arguments[type] : Span()) }
            if isNew || region > 0 { fields.add("region", region > 0 ? call.arguments[region] : Span()) }
            if provider > 0 { fields.add("provider", call.arguments[provider]) }
            if let text = price?.text { fields.add("price", text.span) }
            if let text = performance?.text { fields.add("perf", text.span) }
            if memory > 0 { fields.add("mem", call.arguments[memory]) }
            if isNew { fields.add("status", text: GPUStatus.available.name) }
            fields.add("updated_ms", decimal: call.now)
            for index in extras { fields.add(named: call.arguments[index], call.arguments[index + 1]) }
        }
    }

    private static let set: Command.Handler = { (call: inout Call) throws(CommandError) in
        let id = call.arguments[call.firstWord].array
        var words = call.options(from: call.firstWord + 1)
        let request = try Request(call, &words)
        try call.checkWrite(.gpu, id.span)
        _ = try call.foundRecord(.gpu, id.span)
        let market = call.market()
        let known = market.index.findGPU(id.span)
        if request.status == .available, market.index.activeBooking(ofGPU: id.span) != nil { throw bookedError }
        let old = known.map { market.index.gpu($0) }
        let desk = call.desk(market)
        let state = call.coordinator
        state.fields.removeAll()
        request.write(call, to: &state.fields, isNew: known == nil)
        desk.write(&call.administration, .gpu, id)
        desk.reread(&call.administration, .gpu, id)
        let wanted = desk.wantedStatus(&call.administration, id)
        if let number = market.index.findGPU(id.span) {
            let provider = market.index.gpu(number).provider
            let isHeld = provider >= 0 && market.index.status(ofProvider: provider) != .online
            if request.status != nil || isHeld || request.provider > 0 {
                desk.setStatus(&call.administration, id, request.status ?? wanted)
            }
            let new = market.index.gpu(number).status
            if let old, old.status != new {
                _ = desk.announceSupply(
                    &call.administration, id, market.index.market(ofGPU: number), from: old.status, to: new, nil)
            } else if let marketNumber = market.index.market(ofGPU: number) {
                if old == nil { desk.announceAvailability(&call.administration, id, from: .offline, to: new) }
                _ = desk.announceStatistics(&call.administration, marketNumber)
            }
        }
        call.reply.ok()
    }

    // MARK: GET, STATUS

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        _ = call.market()
        let id = call.arguments[call.firstWord]
        guard let entry = try call.record(.gpu, id) else { return call.reply.null() }
        call.reply.record("gpu", id, entry, now: call.now)
    }

    private static let changeStatus: Command.Handler = { (call: inout Call) throws(CommandError) in
        let id = call.arguments[call.firstWord].array
        guard let status = GPUStatus(call.arguments[call.firstWord + 1]) else { throw statusError }
        try call.checkWrite(.gpu, id.span)
        let market = call.market()
        guard let number = market.index.findGPU(id.span) else { throw MarketCommand.unknownGPU }
        if status == .available, market.index.activeBooking(ofGPU: id.span) != nil { throw bookedError }
        let desk = call.desk(market)
        let old = market.index.gpu(number).status
        let marketNumber = market.index.market(ofGPU: number)
        let oldPrice = marketNumber.flatMap { market.index.quote($0, market.rule) }
        desk.setStatus(&call.administration, id, status)
        let new = market.index.gpu(number).status
        if old != new {
            _ = desk.announceSupply(&call.administration, id, marketNumber, from: old, to: new, oldPrice)
        }
        call.reply.bulk(old.name)
    }

    // MARK: listings

    private struct Listing {
        var filter = GPUFilter()
        var count = Int.max
        var sort: GPUSort

        init(_ call: borrowing Call, _ market: MarketRecords, isRanking: Bool) throws(CommandError) {
            var words = call.words()
            sort = isRanking ? .performance : .price
            while !words.isAtEnd {
                if words.take("REGION", values: 1) {
                    filter.region = market.index.names.find(try words.next())
                    filter.fitsNothing = filter.fitsNothing || filter.region == nil
                } else if words.take("TYPE", values: 1) {
                    filter.type = market.index.names.find(try words.next())
                    filter.fitsNothing = filter.fitsNothing || filter.type == nil
                } else if !isRanking, words.take("MAXPRICE", values: 1) {
                    filter.priceMax = try words.money()
                } else if words.take("LIMIT", values: 1) {
                    count = try words.nonnegative()
                } else if isRanking ? words.take("BY", values: 1) : words.take("SORT", values: 1) {
                    sort = try Listing.sort(try words.next(), isRanking: isRanking)
                } else {
                    throw .syntax
                }
            }
        }

        private static func sort(_ word: Span<UInt8>, isRanking: Bool) throws(CommandError) -> GPUSort {
            if word.equalsIgnoringCase("PERF") { return .performance }
            if isRanking {
                if word.equalsIgnoringCase("PRICE_PERF") { return .value }
                if word.equalsIgnoringCase("LATENCY") { return .latency }
                throw .message("ERR BY must be perf, price_perf or latency")
            }
            if word.equalsIgnoringCase("PRICE") { return .price }
            if word.equalsIgnoringCase("SCORE") { return .value }
            throw .message("ERR SORT must be price, perf or score")
        }
    }

    private static let available: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.gpu)
        let market = call.market()
        let listing = try Listing(call, market, isRanking: false)
        let mark = call.reply.length
        var count = 0
        if listing.count > 0 {
            let rule = market.rule
            market.index.forEachGPU(listing.filter, by: listing.sort, rule) { number in
                count += 1
                let gpu = market.index.gpu(number)
                call.reply.map(7)
                call.reply.pair("gpu", bytes: market.index.gpuName(number).span)
                call.reply.pair("type", bytes: market.index.names[gpu.type].span)
                call.reply.pair("region", bytes: market.index.names[gpu.region].span)
                call.reply.bulk("provider")
                if gpu.provider < 0 {
                    call.reply.null()
                } else {
                    call.reply.bulk(market.index.names[gpu.provider].span)
                }
                call.reply.pair("status", text: gpu.status.name)
                call.reply.pair("price", money: market.index.quote(gpu: number, rule))
                call.reply.pair("perf", money: Money(millionths: gpu.performance))
                return count < listing.count
            }
        }
        call.reply.insertHeader(UInt8(ascii: "*"), count, at: mark)
    }

    private static let rank: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.gpu)
        let market = call.market()
        let listing = try Listing(call, market, isRanking: true)
        let mark = call.reply.length
        var count = 0
        if listing.count > 0 {
            let rule = market.rule
            market.index.forEachGPU(listing.filter, by: listing.sort, all: true, rule) { number in
                count += 1
                let gpu = market.index.gpu(number)
                call.reply.map(3)
                call.reply.pair("gpu", bytes: market.index.gpuName(number).span)
                call.reply.pair("score", money: market.index.score(number, listing.sort, rule))
                call.reply.pair("status", text: gpu.status.name)
                return count < listing.count
            }
        }
        call.reply.insertHeader(UInt8(ascii: "*"), count, at: mark)
    }
}

extension Reply {
    /// A record's fields behind its id.
    func record(_ name: StaticString, _ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        map(entry.liveFieldCount(now: now) + 1)
        pair(name, bytes: id)
        entry.forEachField(now: now) { field, value, _ in
            field.withText { bulk($0) }
            value.withText { bulk($0) }
        }
    }
}
