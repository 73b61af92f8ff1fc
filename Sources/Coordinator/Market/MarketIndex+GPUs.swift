// MarketIndex+GPUs.swift - GPUs and their providers in the market's index: following their records, listing by price,
// speed or value. Pure; under the turn. A change costs O(log n), a listing of k GPUs O(k log n), whatever there are.
internal import Base
internal import Engine

/// What a listing of GPUs is ordered by.
package enum GPUSort: Sendable {
    case price, performance, value, latency
}

/// Which GPUs a listing wants.
package struct GPUFilter: Sendable {
    package var type: Int32?
    package var region: Int32?
    package var priceMax: Money?
    /// A name was given that no record has: nothing fits.
    package var fitsNothing = false
    package init() {}
}

extension MarketIndex {
    package var gpuCount: Int { gpuNames.count }

    package func findGPU(_ identifier: Span<UInt8>) -> Int32? {
        gpuNames.find(identifier, hash: NameTable.hash(identifier)).map { Int32($0) }
    }

    package func gpuName(_ number: Int32) -> [UInt8] { gpuNames.name(Int(number)) }
    package func gpu(_ number: Int32) -> GPUItem { gpus[Int(number)] }
    package func market(ofGPU number: Int32) -> Int32? {
        marketOfGPU[Int(number)] < 0 ? nil : marketOfGPU[Int(number)]
    }

    /// What the GPU costs now.
    package func quote(gpu number: Int32, _ rule: PriceRule) -> Money? {
        let gpu = gpus[Int(number)]
        guard let market = market(ofGPU: number) else { return gpu.price }
        return markets[Int(market)].quote(gpu, rule)
    }

    /// The record of `identifier` says `item` now, whose names the caller held.
    package mutating func setGPU(_ identifier: Span<UInt8>, _ item: GPUItem, now: Int64) {
        let (number, isNew) = gpuNames.insert(identifier, hash: NameTable.hash(identifier))
        if isNew {
            while gpus.count <= number {
                gpus.append(GPUItem())
                marketOfGPU.append(-1)
            }
        } else {
            // The new market is held before the old one is left, which may be the same.
            unlinkGPU(Int32(number))
        }
        let old = isNew ? nil : gpus[number]
        let oldMarket = isNew ? -1 : marketOfGPU[number]
        gpus[number] = item
        marketOfGPU[number] = holdMarket(item.type, item.region, now: now)
        linkGPU(Int32(number))
        if let old {
            releaseMarket(oldMarket, now: now)
            releaseNames(old)
        }
    }

    /// The record of a known GPU changed in other things than its names.
    package mutating func changeGPU(_ number: Int32, now: Int64, _ body: (inout GPUItem) -> Void) {
        unlinkGPU(number)
        body(&gpus[Int(number)])
        linkGPU(number)
        let market = Int(marketOfGPU[Int(number)])
        if market >= 0 { markets[market].updated = now }
    }

    package mutating func removeGPU(_ identifier: Span<UInt8>, now: Int64) {
        guard let number = findGPU(identifier) else { return }
        unlinkGPU(number)
        let old = gpus[Int(number)]
        gpus[Int(number)] = GPUItem()
        releaseMarket(marketOfGPU[Int(number)], now: now)
        marketOfGPU[Int(number)] = -1
        releaseNames(old)
        gpuNames.remove(Int(number))
    }

    private mutating func releaseNames(_ item: GPUItem) {
        names.release(item.type)
        names.release(item.region)
        names.release(item.provider)
    }

    private static func providerKey(_ provider: Int32, _ status: GPUStatus) -> Int {
        Int(provider) * 4 + Int(status.rawValue)
    }

    private mutating func linkGPU(_ number: Int32) {
        let item = gpus[Int(number)]
        if item.provider >= 0 {
            byProvider.append(number, to: MarketIndex.providerKey(item.provider, item.status))
        }
        let market = Int(marketOfGPU[Int(number)])
        guard market >= 0 else { return }
        markets[market].counts[Int(item.status.rawValue)] += 1
        if let price = item.price {
            markets[market].ownPriceCount += 1
            markets[market].ownPriceSum += Int128(price.millionths)
        }
        for order in GPUOrder.allCases where MarketIndex.isIn(order, item) {
            let entry = ItemHeap.Entry(key: order.key(item), order: Int64(number), item: number)
            markets[market].orders[order.rawValue].insert(entry, &gpuPlaces[order.rawValue])
        }
    }

    private mutating func unlinkGPU(_ number: Int32) {
        let item = gpus[Int(number)]
        if item.provider >= 0 {
            byProvider.remove(number, from: MarketIndex.providerKey(item.provider, item.status))
        }
        let market = Int(marketOfGPU[Int(number)])
        guard market >= 0 else { return }
        markets[market].counts[Int(item.status.rawValue)] -= 1
        if let price = item.price {
            markets[market].ownPriceCount -= 1
            markets[market].ownPriceSum -= Int128(price.millionths)
        }
        for order in GPUOrder.allCases where MarketIndex.isIn(order, item) {
            markets[market].orders[order.rawValue].remove(number, &gpuPlaces[order.rawValue])
        }
    }

    private static func isIn(_ order: GPUOrder, _ item: GPUItem) -> Bool {
        (!order.isOfOffers || item.status == .available) && (!order.needsPrice || item.price != nil)
    }

    // MARK: listings

    /// Visits available GPUs in order, or all of them with `all`, until `body` answers false.
    package func forEachGPU(
        _ filter: GPUFilter, by sort: GPUSort, all: Bool = false, _ rule: PriceRule, _ body: (Int32) -> Bool
    ) {
        guard !filter.fitsNothing else { return }
        var selection = ItemSelection()
        forEachMarket(type: filter.type, region: filter.region) { number in
            let market = markets[Int(number)]
            selection.add(market.orders[MarketIndex.order(market, sort, all).rawValue]) { rank($0, sort, rule) }
        }
        while let number = selection.next(rank: { rank($0, sort, rule) }) {
            if let limit = filter.priceMax {
                guard let price = quote(gpu: number, rule), price <= limit else {
                    // By price nothing better follows; what has no price stands last.
                    if sort == .price { return }
                    continue
                }
            }
            guard body(number) else { return }
        }
    }

    /// Where the market has one price for all, the best value is the fastest.
    private static func order(_ market: Market, _ sort: GPUSort, _ all: Bool) -> GPUOrder {
        switch sort {
        case .price: all ? .performance : .offeredPrice
        case .performance: all ? .performance : .offeredPerformance
        case .value:
            market.price == nil ? (all ? .value : .offeredValue) : (all ? .performance : .offeredPerformance)
        case .latency: .latency
        }
    }

    private func rank(_ number: Int32, _ sort: GPUSort, _ rule: PriceRule) -> Int64 {
        let gpu = gpus[Int(number)]
        return switch sort {
        case .price: quote(gpu: number, rule)?.millionths ?? .max
        case .performance: -gpu.performance
        case .value: -GPUOrder.value(gpu.performance, quote(gpu: number, rule))
        case .latency: gpu.latency ?? .max
        }
    }

    /// What the listing's order is by, as replies show it.
    package func score(_ number: Int32, _ sort: GPUSort, _ rule: PriceRule) -> Money? {
        let gpu = gpus[Int(number)]
        return switch sort {
        case .price: quote(gpu: number, rule)
        case .performance: Money(millionths: gpu.performance)
        case .value: Money(millionths: GPUOrder.value(gpu.performance, quote(gpu: number, rule)))
        case .latency: gpu.latency.map { Money(millionths: $0) }
        }
    }

    // MARK: providers

    /// What the record of a provider says; one without a record is online.
    package func status(ofProvider provider: Int32) -> ProviderStatus { providers[provider] ?? .online }

    /// The record of a provider says `status` now; nil when it went.
    package mutating func setProvider(_ name: Span<UInt8>, _ status: ProviderStatus?) {
        if let known = names.find(name), providers[known] != nil {
            providers[known] = status
            if status == nil { names.release(known) }
            return
        }
        guard let status else { return }
        providers[names.hold(name)] = status
    }

    package func hasProvider(_ provider: Int32) -> Bool { providers[provider] != nil }

    package func count(ofProvider provider: Int32, _ status: GPUStatus) -> Int {
        byProvider.count(MarketIndex.providerKey(provider, status))
    }

    package func forEachGPU(ofProvider provider: Int32, _ status: GPUStatus, _ body: (Int32) -> Bool) {
        byProvider.forEach(MarketIndex.providerKey(provider, status), body)
    }
}
