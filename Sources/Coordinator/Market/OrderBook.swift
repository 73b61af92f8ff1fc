// OrderBook.swift - the resting orders of one market, by price and then by time. Best prices stand at the end of
// their arrays, so that the top costs O(1); a new level in the middle moves those behind it. The book is never
// crossed: a bid that reaches an ask trades before it rests (`MarketIndex.match`), and a record written by hand that
// would cross is not taken in. Pure; under the turn.

package struct PriceLevel {
    package let price: Money
    /// Units of all its orders.
    package var quantity: Int64 = 0
    /// The oldest first.
    var orders = ItemHeap()

    init(price: Money) { self.price = price }

    package var count: Int { orders.count }
}

package struct OrderBook {
    /// Bids rise and asks fall towards the end: the last is the best.
    private(set) var bids: [PriceLevel] = []
    private(set) var asks: [PriceLevel] = []

    package init() {}

    package func levels(_ side: OrderSide) -> [PriceLevel] { side == .bid ? bids : asks }

    package func best(_ side: OrderSide) -> PriceLevel? { side == .bid ? bids.last : asks.last }

    package var isEmpty: Bool { bids.isEmpty && asks.isEmpty }

    /// Whether an order of this side and price would trade with the other side's best.
    package func crosses(_ side: OrderSide, _ price: Money) -> Bool {
        guard let other = best(side.opposite) else { return false }
        return side == .bid ? price >= other.price : price <= other.price
    }

    mutating func insert(_ item: OrderItem, _ number: Int32, _ places: inout ItemPlaces) {
        let entry = ItemHeap.Entry(key: item.order, order: Int64(number), item: number)
        let index = place(item.side, item.price)
        if item.side == .bid {
            OrderBook.insert(&bids, index, item, entry, &places)
        } else {
            OrderBook.insert(&asks, index, item, entry, &places)
        }
    }

    private static func insert(
        _ levels: inout [PriceLevel], _ index: Int, _ item: OrderItem, _ entry: ItemHeap.Entry,
        _ places: inout ItemPlaces
    ) {
        if index == levels.count || levels[index].price != item.price {
            levels.insert(PriceLevel(price: item.price), at: index)
        }
        levels[index].quantity += item.quantity
        levels[index].orders.insert(entry, &places)
    }

    mutating func remove(_ item: OrderItem, _ number: Int32, _ places: inout ItemPlaces) {
        let index = place(item.side, item.price)
        if item.side == .bid {
            OrderBook.remove(&bids, index, item, number, &places)
        } else {
            OrderBook.remove(&asks, index, item, number, &places)
        }
    }

    private static func remove(
        _ levels: inout [PriceLevel], _ index: Int, _ item: OrderItem, _ number: Int32, _ places: inout ItemPlaces
    ) {
        precondition(index < levels.count && levels[index].price == item.price, "a resting order has a level")
        levels[index].quantity -= item.quantity
        levels[index].orders.remove(number, &places)
        if levels[index].count == 0 { levels.remove(at: index) }
    }

    /// The first level that does not come before `price` in its array.
    private func place(_ side: OrderSide, _ price: Money) -> Int {
        var low = 0
        var high = side == .bid ? bids.count : asks.count
        while low < high {
            let middle = (low + high) / 2
            let isBefore = side == .bid ? bids[middle].price < price : asks[middle].price > price
            if isBefore { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
