// MarketIndex.swift - all GPUs, providers, prices, bookings and orders, as their records say. Derived state: the `set`
// and `remove` of each kind follow every change of a record, whoever made it, so that listings and statistics are exact
// after DEL, EXPIRE, RENAME, FLUSH and a restart. It decides nothing about records; the commands read here and write
// there. Pure: time and prices' rule are passed in. Changes cost O(log n). Files: +GPUs, +Bookings, +Orders.
internal import Base
internal import Engine

package struct MarketIndex: ~Copyable {
    /// Types, regions, providers, users and the names that bookings have for GPUs.
    package internal(set) var names = SharedNames()
    var markets: [Market] = []
    private var freeMarkets: [Int32] = []
    private var marketNumbers: [UInt64: Int32] = [:]

    var gpuNames = NameTable()
    var gpus: [GPUItem] = []
    /// Market of each GPU, -1 when its record names no type or region.
    var marketOfGPU: [Int32] = []
    /// Places by `GPUOrder`.
    var gpuPlaces = [ItemPlaces](repeating: ItemPlaces(), count: GPUOrder.count)
    /// GPUs by provider and status.
    var byProvider = ItemChains()

    /// Providers by the number of their name, which is held while they have a record.
    var providers: [Int32: ProviderStatus] = [:]

    var bookingNames = NameTable()
    var bookings: [BookingItem] = []
    var marketOfBooking: [Int32] = []
    var bookingsByStatus = ItemChains()
    var bookingsByGPU = ItemChains()
    var bookingsByUser = ItemChains()
    var bookingTimers = ItemHeap()
    var timerPlaces = ItemPlaces()
    /// Those of the last 24 hours, the oldest first.
    var recent = ItemHeap()
    var recentPlaces = ItemPlaces()

    var orderNames = NameTable()
    var orders: [OrderItem] = []
    var marketOfOrder: [Int32] = []
    var orderPlaces = ItemPlaces()
    var ordersByUser = ItemChains()
    private(set) var nextOrder: Int64 = 1

    package init() {}

    package mutating func removeAll() {
        let order = nextOrder
        self = MarketIndex()
        nextOrder = order
    }

    /// The place in time of an order that is about to be written.
    package var order: Int64 { nextOrder }

    mutating func noteOrder(_ order: Int64) {
        if order >= nextOrder, order < .max { nextOrder = order + 1 }
    }

    /// Holds a name for an item that is about to be set.
    package mutating func hold(_ name: Span<UInt8>) -> Int32 { names.hold(name) }

    /// Takes back a `hold`.
    package mutating func letGo(_ number: Int32) { names.release(number) }

    // MARK: markets

    private static func marketKey(_ type: Int32, _ region: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: type)) << 32 | UInt64(UInt32(bitPattern: region))
    }

    package func market(_ type: Int32, _ region: Int32) -> Int32? {
        marketNumbers[MarketIndex.marketKey(type, region)]
    }

    package func market(type: Span<UInt8>, region: Span<UInt8>) -> Int32? {
        guard let type = names.find(type), let region = names.find(region) else { return nil }
        return market(type, region)
    }

    /// The market of a record that says this type and region, held; -1 when it does not say both.
    mutating func holdMarket(_ type: Int32, _ region: Int32, now: Int64) -> Int32 {
        guard type >= 0, region >= 0 else { return -1 }
        let key = MarketIndex.marketKey(type, region)
        let number: Int32
        if let known = marketNumbers[key] {
            number = known
        } else {
            names.holdAgain(type)
            names.holdAgain(region)
            if let free = freeMarkets.popLast() {
                number = free
                markets[Int(free)] = Market(type: type, region: region)
            } else {
                number = Int32(markets.count)
                markets.append(Market(type: type, region: region))
            }
            marketNumbers[key] = number
        }
        markets[Int(number)].holders += 1
        markets[Int(number)].updated = now
        return number
    }

    mutating func releaseMarket(_ number: Int32, now: Int64) {
        guard number >= 0 else { return }
        let market = markets[Int(number)]
        markets[Int(number)].holders -= 1
        markets[Int(number)].updated = now
        guard market.holders == 1 else { return }
        marketNumbers[MarketIndex.marketKey(market.type, market.region)] = nil
        markets[Int(number)] = Market(type: -1, region: -1)
        freeMarkets.append(number)
        names.release(market.type)
        names.release(market.region)
    }

    /// Markets of the given type and region, nil for any. There are few: types times regions.
    package func forEachMarket(type: Int32?, region: Int32?, _ body: (Int32) -> Void) {
        if let type, let region {
            if let number = market(type, region) { body(number) }
            return
        }
        for (number, market) in markets.enumerated() where market.holders > 0 {
            if let type, market.type != type { continue }
            if let region, market.region != region { continue }
            body(Int32(number))
        }
    }

    /// Whether the number is (still) that of a market.
    package func isMarket(_ number: Int32) -> Bool {
        Int(number) < markets.count && markets[Int(number)].holders > 0
    }

    package func typeName(_ market: Int32) -> [UInt8] { names[markets[Int(market)].type] }
    package func regionName(_ market: Int32) -> [UInt8] { names[markets[Int(market)].region] }
    package func basePrice(_ market: Int32) -> Money? { markets[Int(market)].price }

    /// The market's price now, after demand: of the base its record names, or else of the mean its GPUs ask for.
    package func quote(_ market: Int32, _ rule: PriceRule) -> Money? {
        statistics(market, rule).averagePrice ?? markets[Int(market)].price
    }

    package func statistics(_ market: Int32, _ rule: PriceRule) -> MarketStatistics {
        markets[Int(market)].statistics(rule)
    }

    /// Over all markets of a type and region, nil for any. Bookings that left the last 24 hours are dropped first.
    package mutating func statistics(
        type: Int32?, region: Int32?, _ rule: PriceRule, now: Int64
    ) -> MarketStatistics {
        forgetOldBookings(now: now)
        var sum = MarketStatistics()
        forEachMarket(type: type, region: region) { sum.add(statistics($0, rule)) }
        return sum
    }

    // MARK: prices

    /// The price record of a market says `price` now; nil when it went or says nothing that can be read. The names are
    /// the caller's.
    package mutating func setPrice(type: Int32, region: Int32, _ price: Money?, now: Int64) {
        let known = market(type, region)
        if let known, markets[Int(known)].price != nil {
            markets[Int(known)].price = price
            markets[Int(known)].updated = now
            if price == nil { releaseMarket(known, now: now) }
            return
        }
        guard let price else { return }
        let number = holdMarket(type, region, now: now)
        guard number >= 0 else { return }
        markets[Int(number)].price = price
    }
}
