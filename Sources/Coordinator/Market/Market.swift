// Market.swift - one market, GPUs of one type in one region: its price, its supply in the orders that clients ask for,
// its order book and what its statistics need. Everything follows from records by increments. Pure; under the turn.

/// The orders in which GPUs are asked for; each is a heap whose first is the best.
enum GPUOrder: Int, CaseIterable {
    /// Available ones, the cheapest, the fastest, the best value first.
    case offeredPrice, offeredPerformance, offeredValue
    /// All of them, whatever their status.
    case performance, value, latency, price, priceDescending

    var isOfOffers: Bool { self == .offeredPrice || self == .offeredPerformance || self == .offeredValue }

    /// Only GPUs with a price of their own have a place in it.
    var needsPrice: Bool { self == .price || self == .priceDescending }

    static let count = 8

    /// What `gpu` is ordered by; smaller is better.
    func key(_ gpu: GPUItem) -> Int64 {
        switch self {
        case .offeredPrice, .price: gpu.price?.millionths ?? .max
        case .priceDescending: -(gpu.price?.millionths ?? 0)
        case .offeredPerformance, .performance: -gpu.performance
        case .offeredValue, .value: -GPUOrder.value(gpu.performance, gpu.price)
        case .latency: gpu.latency ?? .max
        }
    }

    /// Performance for the money, in millionths; what has no price is worth nothing, what is free everything.
    static func value(_ performance: Int64, _ price: Money?) -> Int64 {
        guard let price else { return 0 }
        if price.millionths <= 0 { return performance > 0 ? Int64.max : 0 }
        return Int64(clamping: Int128(performance) * Int128(Money.one) / Int128(price.millionths))
    }
}

/// What MARKET STATS says, and what events carry.
package struct MarketStatistics: Equatable, Sendable {
    package var counts: [4 of Int] = [0, 0, 0, 0]
    package var pricedCount = 0
    package var priceSum: Int128 = 0
    package var priceMin: Money?
    package var priceMax: Money?
    package var bookings24h = 0
    package var updated: Int64 = 0

    package init() {}

    package static func == (left: MarketStatistics, right: MarketStatistics) -> Bool {
        for index in 0..<4 where left.counts[index] != right.counts[index] { return false }
        return left.pricedCount == right.pricedCount && left.priceSum == right.priceSum
            && left.priceMin == right.priceMin && left.priceMax == right.priceMax
            && left.bookings24h == right.bookings24h
    }

    package func count(_ status: GPUStatus) -> Int { counts[Int(status.rawValue)] }
    package var available: Int { count(.available) }
    package var busy: Int { count(.busy) }
    /// Those in maintenance included: what cannot be booked and is not.
    package var offline: Int { count(.offline) + count(.maintenance) }
    package var total: Int { available + busy + offline }
    package var utilization: Money { Money(millionths: Money.one).times(Int128(busy), over: Int128(max(1, total))) }
    package var averagePrice: Money? { pricedCount == 0 ? nil : Money.mean(priceSum, count: pricedCount) }

    package mutating func add(_ other: MarketStatistics) {
        for index in 0..<4 { counts[index] += other.counts[index] }
        pricedCount += other.pricedCount
        priceSum += other.priceSum
        if let price = other.priceMin { priceMin = min(price, priceMin ?? price) }
        if let price = other.priceMax { priceMax = max(price, priceMax ?? price) }
        bookings24h += other.bookings24h
        updated = max(updated, other.updated)
    }
}

struct Market {
    let type: Int32
    let region: Int32
    /// Records that belong to it; it goes with the last.
    var holders = 0
    /// What its price record says; rules over those of the GPUs.
    var price: Money?
    var counts: [4 of Int] = [0, 0, 0, 0]
    /// GPUs with a price in their record, and its sum in millionths.
    var ownPriceCount = 0
    var ownPriceSum: Int128 = 0
    /// By `GPUOrder`.
    var orders = [ItemHeap](repeating: ItemHeap(), count: GPUOrder.count)
    var book = OrderBook()
    /// Bookings of the last 24 hours.
    var recentBookings = 0
    var updated: Int64 = 0

    init(type: Int32, region: Int32) {
        self.type = type
        self.region = region
    }

    var total: Int { counts[0] + counts[1] + counts[2] + counts[3] }
    var busy: Int { counts[Int(GPUStatus.busy.rawValue)] }

    /// What a GPU costs now: the market's price, or else its own, after demand. Nil when nobody named one.
    func quote(_ gpu: GPUItem, _ rule: PriceRule) -> Money? {
        guard let base = price ?? gpu.price else { return nil }
        return rule.price(base, used: busy, total: total)
    }

    func statistics(_ rule: PriceRule) -> MarketStatistics {
        var statistics = MarketStatistics()
        statistics.counts = counts
        statistics.bookings24h = recentBookings
        statistics.updated = updated
        if let price {
            guard total > 0 else { return statistics }
            let quote = rule.price(price, used: busy, total: total)
            statistics.pricedCount = total
            statistics.priceSum = Int128(quote.millionths) * Int128(total)
            statistics.priceMin = quote
            statistics.priceMax = quote
            return statistics
        }
        statistics.pricedCount = ownPriceCount
        guard ownPriceCount > 0 else { return statistics }
        // The mean of the quotes is the quote of the mean, to the millionth's rounding: one rule, one factor.
        let mean = rule.price(Money.mean(ownPriceSum, count: ownPriceCount), used: busy, total: total)
        statistics.priceSum = Int128(mean.millionths) * Int128(ownPriceCount)
        statistics.priceMin = extreme(.price).map { rule.price($0, used: busy, total: total) }
        statistics.priceMax = extreme(.priceDescending).map { rule.price($0, used: busy, total: total) }
        return statistics
    }

    private func extreme(_ order: GPUOrder) -> Money? {
        orders[order.rawValue].first.map { Money(millionths: abs($0.key)) }
    }
}
