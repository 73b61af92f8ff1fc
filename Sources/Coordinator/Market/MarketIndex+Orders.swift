// MarketIndex+Orders.swift - orders in the market's index, and what an order that comes in trades with. A crossing
// order is matched at once, at the prices of those who waited, best price first and the oldest first within a price;
// what is left of it rests. So the book is never crossed. Pure; under the turn.
internal import Base
internal import Engine

/// One execution: the resting order, the units, and its price.
package struct Trade: Equatable, Sendable {
    package let resting: Int32
    package let quantity: Int64
    package let price: Money
}

extension MarketIndex {
    /// Units of one order at most: sums over millions of orders stay within 64 bits.
    package static let quantityMax: Int64 = 1_000_000_000

    package var orderCount: Int { orderNames.count }

    package func findOrder(_ identifier: Span<UInt8>) -> Int32? {
        orderNames.find(identifier, hash: NameTable.hash(identifier)).map { Int32($0) }
    }

    package func orderName(_ number: Int32) -> [UInt8] { orderNames.name(Int(number)) }
    package func order(_ number: Int32) -> OrderItem { orders[Int(number)] }
    package func market(ofOrder number: Int32) -> Int32? {
        marketOfOrder[Int(number)] < 0 ? nil : marketOfOrder[Int(number)]
    }

    package func book(_ market: Int32) -> OrderBook { markets[Int(market)].book }

    /// The record of `identifier` is that of a resting order, `item`, whose names the caller held. False when it has
    /// no market or quantity, or would cross the book: then it is not in the index, and neither is what was there.
    @discardableResult
    package mutating func setOrder(_ identifier: Span<UInt8>, _ item: OrderItem, now: Int64) -> Bool {
        removeOrder(identifier, now: now)
        let market = holdMarket(item.type, item.region, now: now)
        guard market >= 0, item.quantity > 0, item.quantity <= MarketIndex.quantityMax,
            !markets[Int(market)].book.crosses(item.side, item.price)
        else {
            releaseMarket(market, now: now)
            releaseNames(item)
            return false
        }
        let (number, _) = orderNames.insert(identifier, hash: NameTable.hash(identifier))
        while orders.count <= number {
            orders.append(OrderItem())
            marketOfOrder.append(-1)
        }
        orders[number] = item
        marketOfOrder[number] = market
        noteOrder(item.order)
        markets[Int(market)].book.insert(item, Int32(number), &orderPlaces)
        if item.user >= 0 { ordersByUser.append(Int32(number), to: MarketIndex.userKey(item.user, item.side)) }
        return true
    }

    package mutating func removeOrder(_ identifier: Span<UInt8>, now: Int64) {
        guard let number = findOrder(identifier) else { return }
        let item = orders[Int(number)]
        let market = marketOfOrder[Int(number)]
        markets[Int(market)].book.remove(item, number, &orderPlaces)
        if item.user >= 0 { ordersByUser.remove(number, from: MarketIndex.userKey(item.user, item.side)) }
        orders[Int(number)] = OrderItem()
        marketOfOrder[Int(number)] = -1
        orderNames.remove(Int(number))
        releaseMarket(market, now: now)
        releaseNames(item)
    }

    private mutating func releaseNames(_ item: OrderItem) {
        names.release(item.type)
        names.release(item.region)
        names.release(item.user)
    }

    private static func userKey(_ user: Int32, _ side: OrderSide) -> Int { Int(user) * 2 + Int(side.rawValue) }

    /// What an order that comes in would trade, best price first; nothing is changed.
    package func match(_ market: Int32, _ side: OrderSide, _ price: Money, quantity: Int64) -> [Trade] {
        var trades: [Trade] = []
        var left = quantity
        for level in markets[Int(market)].book.levels(side.opposite).reversed() {
            guard left > 0, side == .bid ? level.price <= price : level.price >= price else { break }
            var selection = ItemSelection()
            selection.add(level.orders) { orders[Int($0)].order }
            while left > 0, let resting = selection.next(rank: { orders[Int($0)].order }) {
                let units = min(left, orders[Int(resting)].quantity)
                trades.append(Trade(resting: resting, quantity: units, price: level.price))
                left -= units
            }
        }
        return trades
    }

    /// The resting orders of one side that `user` has.
    package func orders(ofUser user: Int32, _ side: OrderSide) -> [Int32] {
        var found: [Int32] = []
        ordersByUser.forEach(MarketIndex.userKey(user, side)) { number in
            found.append(number)
            return true
        }
        return found
    }

    /// The best of `user`'s resting orders in one market, the oldest among equals.
    package func bestOrder(ofUser user: Int32, _ side: OrderSide, in market: Int32) -> Int32? {
        var best: Int32?
        for number in orders(ofUser: user, side) where marketOfOrder[Int(number)] == market {
            guard let found = best else {
                best = number
                continue
            }
            let item = orders[Int(number)]
            let other = orders[Int(found)]
            let isBetter = side == .bid ? item.price > other.price : item.price < other.price
            if isBetter || item.price == other.price && item.order < other.order { best = number }
        }
        return best
    }
}
