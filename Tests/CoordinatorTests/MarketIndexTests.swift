// MarketIndexTests.swift - the market's index after random changes: statistics equal a recount from the items, listings
// the sorted list, no GPU is booked twice, no book is crossed, nothing stays when everything went.
import Base
import Testing

@testable import Coordinator

struct MarketIndexTests {
    private static let rule = PriceRule(elasticity: 700_000, ceiling: 3_000_000)

    private struct GPU {
        var status = GPUStatus.available
        var type = ""
        var region = ""
        var price: Money?
        var performance: Int64 = 0
    }

    private static func item(_ gpu: GPU, _ index: inout MarketIndex) -> GPUItem {
        var item = GPUItem()
        item.status = gpu.status
        item.type = index.hold(Array(gpu.type.utf8).span)
        item.region = index.hold(Array(gpu.region.utf8).span)
        item.provider = index.hold(Array("p".utf8).span)
        item.price = gpu.price
        item.performance = gpu.performance
        return item
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func statisticsEqualARecount(seed: UInt64) {
        var random = TestRandom(seed)
        var index = MarketIndex()
        var gpus: [String: GPU] = [:]
        var prices: [String: Money] = [:]
        for step in 0..<3000 {
            let id = "g\(random.below(80))"
            switch random.below(8) {
            case 0:
                index.removeGPU(Array(id.utf8).span, now: 0)
                gpus[id] = nil
            case 1:
                let (type, region) = ("t\(random.below(2))", "r\(random.below(2))")
                let price = random.below(3) == 0 ? nil : Money(millionths: Int64(random.below(9_000_000)))
                let names = (index.hold(Array(type.utf8).span), index.hold(Array(region.utf8).span))
                index.setPrice(type: names.0, region: names.1, price, now: 0)
                index.letGo(names.0)
                index.letGo(names.1)
                prices[type + region] = price
            default:
                var gpu = GPU(type: "t\(random.below(2))", region: "r\(random.below(2))")
                gpu.status = GPUStatus.allCases[random.below(4)]
                if random.below(4) > 0 { gpu.price = Money(millionths: Int64(random.below(5_000_000))) }
                gpu.performance = Int64(random.below(1000)) * 1_000_000
                index.setGPU(Array(id.utf8).span, MarketIndexTests.item(gpu, &index), now: 0)
                gpus[id] = gpu
            }
            check(&index, gpus, prices, "seed \(seed), step \(step)")
            if step % 100 == 0 { checkListings(index, gpus, prices, "seed \(seed), step \(step)") }
        }
        for id in Array(gpus.keys) { index.removeGPU(Array(id.utf8).span, now: 0) }
        for type in ["t0", "t1"] {
            for region in ["r0", "r1"] {
                let names = (index.hold(Array(type.utf8).span), index.hold(Array(region.utf8).span))
                index.setPrice(type: names.0, region: names.1, nil, now: 0)
                index.letGo(names.0)
                index.letGo(names.1)
            }
        }
        #expect(index.names.count == 0, "no name is held when nothing is left")
    }

    /// What one GPU costs, from nothing but the model.
    private func quote(_ gpu: GPU, _ gpus: [String: GPU], _ prices: [String: Money]) -> Money? {
        let peers = gpus.values.filter { $0.type == gpu.type && $0.region == gpu.region }
        guard let base = prices[gpu.type + gpu.region] ?? gpu.price else { return nil }
        return MarketIndexTests.rule.price(base, used: peers.count { $0.status == .busy }, total: peers.count)
    }

    private func check(
        _ index: inout MarketIndex, _ gpus: [String: GPU], _ prices: [String: Money], _ place: String
    ) {
        let type = index.names.find(Array("t0".utf8).span)
        for (filter, isWanted) in [(nil, { (_: GPU) in true }), (type, { (gpu: GPU) in gpu.type == "t0" })] {
            if filter == nil && type == nil { continue }
            let found = index.statistics(type: filter, region: nil, MarketIndexTests.rule, now: 0)
            let wanted = gpus.values.filter(isWanted)
            for status in GPUStatus.allCases {
                #expect(found.count(status) == wanted.count { $0.status == status }, "\(place)")
            }
            let quotes = wanted.compactMap { quote($0, gpus, prices) }
            #expect(found.priceMin == quotes.min() && found.priceMax == quotes.max(), "\(place)")
            #expect(found.pricedCount == quotes.count, "\(place)")
            guard let average = found.averagePrice else { continue }
            let sum = quotes.reduce(0) { $0 + $1.millionths }
            // One rounding for each market, not for each GPU.
            #expect(abs(average.millionths * Int64(quotes.count) - sum) <= Int64(quotes.count) * 4, "\(place)")
        }
    }

    private func checkListings(
        _ index: borrowing MarketIndex, _ gpus: [String: GPU], _ prices: [String: Money], _ place: String
    ) {
        var listed: [Int64] = []
        index.forEachGPU(GPUFilter(), by: .price, MarketIndexTests.rule) { number in
            listed.append(index.quote(gpu: number, MarketIndexTests.rule)?.millionths ?? .max)
            return true
        }
        let wanted = gpus.values.filter { $0.status == .available }
            .map { quote($0, gpus, prices)?.millionths ?? .max }
        #expect(listed == wanted.sorted(), "\(place)")
        var ranked: [Int64] = []
        index.forEachGPU(GPUFilter(), by: .performance, all: true, MarketIndexTests.rule) { number in
            ranked.append(index.gpu(number).performance)
            return true
        }
        #expect(ranked == gpus.values.map(\.performance).sorted(by: >), "\(place)")
        var limited: [Int64] = []
        var filter = GPUFilter()
        filter.priceMax = Money(millionths: 2_000_000)
        index.forEachGPU(filter, by: .value, MarketIndexTests.rule) { number in
            limited.append(index.score(number, .value, MarketIndexTests.rule)?.millionths ?? 0)
            return true
        }
        #expect(limited == limited.sorted(by: >), "\(place)")
        #expect(limited.count == wanted.count { $0 <= 2_000_000 }, "\(place)")
    }

    @Test(arguments: [1, 2] as [UInt64])
    func booksAreNeverCrossed(seed: UInt64) {
        var random = TestRandom(seed)
        var index = MarketIndex()
        var resting: [String: OrderItem] = [:]
        for step in 0..<3000 {
            let place = "seed \(seed), step \(step)"
            let id = "o\(step)"
            var item = OrderItem()
            item.side = random.below(2) == 0 ? .bid : .ask
            item.price = Money(millionths: Int64(random.below(40)) * 10_000)
            item.quantity = Int64(random.below(20) + 1)
            item.order = index.order
            item.type = index.hold(Array("t".utf8).span)
            item.region = index.hold(Array("r".utf8).span)
            item.user = index.hold(Array("u".utf8).span)
            if let market = index.market(item.type, item.region) {
                trade(&index, market, &item, &resting, place)
            }
            if item.quantity > 0 {
                let isResting = index.setOrder(Array(id.utf8).span, item, now: 0)
                #expect(isResting, "\(place)")
                resting[id] = item
            } else {
                index.letGo(item.type)
                index.letGo(item.region)
                index.letGo(item.user)
            }
            if random.below(10) == 0, let gone = resting.keys.randomElement() {
                index.removeOrder(Array(gone.utf8).span, now: 0)
                resting[gone] = nil
            }
            guard let market = index.market(type: Array("t".utf8).span, region: Array("r".utf8).span) else { continue }
            let book = index.book(market)
            if let bid = book.best(.bid), let ask = book.best(.ask) { #expect(bid.price < ask.price, "\(place)") }
            for side in OrderSide.allCases {
                let units = book.levels(side).reduce(0) { $0 + $1.quantity }
                #expect(units == resting.values.filter { $0.side == side }.reduce(0) { $0 + $1.quantity }, "\(place)")
            }
        }
        for id in Array(resting.keys) { index.removeOrder(Array(id.utf8).span, now: 0) }
        #expect(index.names.count == 0)
    }

    /// Executes what `match` says, and checks that it took the best prices and the oldest orders.
    private func trade(
        _ index: inout MarketIndex, _ market: Int32, _ item: inout OrderItem, _ resting: inout [String: OrderItem],
        _ place: String
    ) {
        let trades = index.match(market, item.side, item.price, quantity: item.quantity)
        let side = item.side
        let limit = item.price
        let others = resting.filter {
            $0.value.side != side && (side == .bid ? $0.value.price <= limit : $0.value.price >= limit)
        }
        let line = others.sorted { left, right in
            if left.value.price == right.value.price { return left.value.order < right.value.order }
            return side == .bid ? left.value.price < right.value.price : left.value.price > right.value.price
        }
        let names = trades.map { String(decoding: index.orderName($0.resting), as: UTF8.self) }
        #expect(names == line.prefix(trades.count).map(\.key), "\(place)")
        for (name, trade) in zip(names, trades) {
            guard var other = resting[name] else { continue }
            other.quantity -= trade.quantity
            item.quantity -= trade.quantity
            index.removeOrder(Array(name.utf8).span, now: 0)
            resting[name] = nil
            guard other.quantity > 0 else { continue }
            other.type = index.hold(Array("t".utf8).span)
            other.region = index.hold(Array("r".utf8).span)
            other.user = index.hold(Array("u".utf8).span)
            index.setOrder(Array(name.utf8).span, other, now: 0)
            resting[name] = other
        }
        #expect(item.quantity >= 0, "\(place)")
    }

    @Test func bookingWindowsAndTheLastDay() {
        var index = MarketIndex()
        func book(_ id: String, from start: Int64, to end: Int64, _ status: BookingStatus = .scheduled) {
            var item = BookingItem()
            item.status = status
            item.gpu = index.hold(Array("g".utf8).span)
            item.user = index.hold(Array("u".utf8).span)
            item.type = index.hold(Array("t".utf8).span)
            item.region = index.hold(Array("r".utf8).span)
            item.start = start
            item.end = end
            item.created = 1000
            index.setBooking(Array(id.utf8).span, item, now: 1000)
        }
        book("a", from: 1000, to: 2000, .active)
        book("b", from: 3000, to: .max)
        let gpu = Array("g".utf8)
        #expect(index.conflict(ofGPU: gpu.span, from: 1999, to: 2500) != nil)
        #expect(index.conflict(ofGPU: gpu.span, from: 2000, to: 3000) == nil)
        #expect(index.conflict(ofGPU: gpu.span, from: 2000, to: .max) != nil)
        #expect(index.nextBookingDeadline == 2000)
        let today = index.statistics(type: nil, region: nil, .off, now: 1000).bookings24h
        #expect(today == 2)
        let tomorrow = index.statistics(type: nil, region: nil, .off, now: 1000 + 86_400_000).bookings24h
        #expect(tomorrow == 0)
        index.removeBooking(Array("a".utf8).span, now: 0)
        index.removeBooking(Array("b".utf8).span, now: 0)
        #expect(index.names.count == 0 && index.nextBookingDeadline == nil)
    }
}
