// MarketEvents.swift - what the market announces, and in which order: a change of supply is availability, then price,
// then order book, then statistics, then what caused it. All of it leaves within the command (or the clock's tick) that
// made the change, before anybody else's command runs. Under the turn.
internal import Base
internal import Engine

extension JSONObject {
    /// An amount of money, or null.
    fileprivate mutating func add(_ name: StaticString, _ amount: Money?) {
        var text = ByteBuffer()
        if let amount { amount.append(to: &text) } else { text.append("null") }
        add(name, json: text.span)
    }
}

extension MarketDesk {
    /// GPU_AVAILABILITY_CHANGED, PRICING_UPDATED, ORDER_BOOK_UPDATED, MARKET_STATS_UPDATED.
    func announceSupply(
        _ engine: inout Engine, _ gpu: [UInt8], _ marketNumber: Int32?, from old: GPUStatus, to new: GPUStatus,
        _ oldPrice: Money?
    ) -> [EventType] {
        announceAvailability(&engine, gpu, from: old, to: new)
        guard let marketNumber else { return [.gpuAvailabilityChanged] }
        let price = market.index.quote(marketNumber, market.rule)
        if let price, price != oldPrice {
            recordPrice(&engine, marketNumber, price, reason: Array("demand".utf8).span)
        }
        announcePrice(&engine, marketNumber, from: oldPrice, to: price)
        announceBook(&engine, marketNumber)
        return [
            .gpuAvailabilityChanged, .pricingUpdated, .orderBookUpdated,
            announceStatistics(&engine, marketNumber),
        ]
    }

    func announceAvailability(_ engine: inout Engine, _ gpu: [UInt8], from old: GPUStatus, to new: GPUStatus) {
        var data = JSONObject()
        data.add("gpu", gpu.span)
        data.add("old", text: old.name)
        data.add("status", text: new.name)
        publish(&engine, .gpuAvailabilityChanged, gpu, [key(.gpu, gpu)], data.finish())
    }

    func announcePrice(_ engine: inout Engine, _ marketNumber: Int32, from old: Money?, to new: Money?) {
        let id = marketID(marketNumber)
        var data = marketData(marketNumber)
        data.add("old", old)
        data.add("price", new)
        publish(&engine, .pricingUpdated, id, [key(.price, id)], data.finish())
    }

    func announceBook(_ engine: inout Engine, _ marketNumber: Int32) {
        var data = marketData(marketNumber)
        let book = market.index.book(marketNumber)
        data.add("best_bid", book.best(.bid)?.price)
        data.add("best_ask", book.best(.ask)?.price)
        data.add("available", decimal: Int64(market.index.statistics(marketNumber, market.rule).available))
        data.add("price", market.index.quote(marketNumber, market.rule))
        publish(&engine, .orderBookUpdated, marketID(marketNumber), [], data.finish())
    }

    func announceStatistics(_ engine: inout Engine, _ marketNumber: Int32) -> EventType {
        var data = marketData(marketNumber)
        let statistics = market.index.statistics(marketNumber, market.rule)
        data.add("total", decimal: Int64(statistics.total))
        data.add("available", decimal: Int64(statistics.available))
        data.add("busy", decimal: Int64(statistics.busy))
        data.add("offline", decimal: Int64(statistics.offline))
        data.add("utilization", statistics.utilization)
        data.add("avg_price", statistics.averagePrice)
        data.add("bookings_24h", decimal: Int64(statistics.bookings24h))
        publish(&engine, .marketStatsUpdated, marketID(marketNumber), [], data.finish())
        return .marketStatsUpdated
    }

    func announceBooking(_ engine: inout Engine, _ type: EventType, _ id: [UInt8]) -> EventType {
        var data = JSONObject()
        data.add("booking", id.span)
        if let number = market.index.findBooking(id.span) {
            let item = market.index.booking(number)
            data.add("gpu", market.index.names[item.gpu].span)
            data.add("user", market.index.names[item.user].span)
            data.add("status", text: item.status.name)
        }
        publish(&engine, type, id, [key(.booking, id)], data.finish())
        return type
    }

    func announceProvider(
        _ engine: inout Engine, _ id: [UInt8], from old: ProviderStatus, to new: ProviderStatus, gpuCount: Int
    ) {
        var data = JSONObject()
        data.add("provider", id.span)
        data.add("old", text: old.name)
        data.add("status", text: new.name)
        data.add("gpus", decimal: Int64(gpuCount))
        publish(&engine, .providerStatusChanged, id, [key(.provider, id)], data.finish())
    }

    private func marketID(_ number: Int32) -> [UInt8] {
        market.index.typeName(number) + [UInt8(ascii: ":")] + market.index.regionName(number)
    }

    private func marketData(_ number: Int32) -> JSONObject {
        var data = JSONObject()
        data.add("type", market.index.typeName(number).span)
        data.add("region", market.index.regionName(number).span)
        return data
    }

    // MARK: the way out

    /// All events of the market are urgent.
    private func publish(
        _ engine: inout Engine, _ type: EventType, _ resource: [UInt8], _ keys: [[UInt8]],
        _ data: consuming ByteBuffer
    ) {
        var event = EventDraft(type, resource: resource.span)
        for key in keys { event.addKey(key.span) }
        event.data = data
        event.priority = .high
        _ = engine.publishEvent(event, state.events)
    }
}
