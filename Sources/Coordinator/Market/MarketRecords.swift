// MarketRecords.swift - the marketplace of one database: records fog:gpu:<id>, fog:provider:<id>,
// fog:price:<type>:<region>, fog:booking:<id> and fog:order:<id>, with the one index that follows them all. Every
// record is an ordinary hash and holds all there is to know. Records of the market do not go by age unless somebody
// gives them a time to live: they are the inventory, not a copy of one. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

final class MarketRecords: RecordIndex {
    var index = MarketIndex()
    private var gpuLifetimes = RecordLifetimes()
    private var bookingLifetimes = RecordLifetimes()
    private var orderLifetimes = RecordLifetimes()
    private(set) var settings = MarketSettings()

    var rule: PriceRule { PriceRule(elasticity: settings.elasticity, ceiling: settings.ceiling) }

    // MARK: GPUs

    var count: Int { index.gpuCount }

    func read(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        let item = readGPU(entry, now)
        index.setGPU(id, item, now: now)
        if let number = index.findGPU(id) { gpuLifetimes.set(number, entry.expiry) }
    }

    func forget(_ id: Span<UInt8>) {
        guard let number = index.findGPU(id) else { return }
        gpuLifetimes.remove(number)
        index.removeGPU(id, now: now)
    }

    private func readGPU(_ entry: Entry, _ now: Int64) -> GPUItem {
        var item = GPUItem()
        item.type = index.hold(entry.text(MarketField.type, now: now).span)
        item.region = index.hold(entry.text(MarketField.region, now: now).span)
        let provider = entry.text(MarketField.provider, now: now)
        if !provider.isEmpty { item.provider = index.hold(provider.span) }
        item.status = GPUStatus(entry.text(MarketField.status, now: now).span) ?? .offline
        item.price = Money(entry.text(MarketField.price, now: now).span)
        item.performance = Money(entry.text(MarketField.performance, now: now).span)?.millionths ?? 0
        item.latency = Money(entry.text(MarketField.latency, now: now).span)?.millionths
        return item
    }

    // MARK: other kinds

    func readProvider(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        index.setProvider(id, ProviderStatus(entry.text(MarketField.status, now: now).span) ?? .online)
    }

    func forgetProvider(_ id: Span<UInt8>) { index.setProvider(id, nil) }

    func readPrice(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        setPrice(id, Money(entry.text(MarketField.price, now: now).span), now: now)
    }

    func forgetPrice(_ id: Span<UInt8>) { setPrice(id, nil, now: now) }

    private func setPrice(_ id: Span<UInt8>, _ price: Money?, now: Int64) {
        guard let colon = (0..<id.count).last(where: { id[$0] == UInt8(ascii: ":") }) else { return }
        let type = index.hold(id.extracting(0..<colon))
        let region = index.hold(id.extracting((colon + 1)..<id.count))
        index.setPrice(type: type, region: region, price, now: now)
        index.letGo(type)
        index.letGo(region)
    }

    func readBooking(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        var item = BookingItem()
        item.status = BookingStatus(entry.text(MarketField.status, now: now).span) ?? .cancelled
        item.gpu = index.hold(entry.text(MarketField.gpu, now: now).span)
        item.user = index.hold(entry.text(MarketField.user, now: now).span)
        item.type = index.hold(entry.text(MarketField.type, now: now).span)
        item.region = index.hold(entry.text(MarketField.region, now: now).span)
        item.start = entry.integer(MarketField.start, now: now)
        let end = entry.integer(MarketField.end, now: now)
        item.end = end > 0 ? end : .max
        item.created = entry.integer(MarketField.created, now: now)
        index.setBooking(id, item, now: now)
        if let number = index.findBooking(id) { bookingLifetimes.set(number, entry.expiry) }
    }

    func forgetBooking(_ id: Span<UInt8>) {
        guard let number = index.findBooking(id) else { return }
        bookingLifetimes.remove(number)
        index.removeBooking(id, now: now)
    }

    func readOrder(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        guard let side = OrderSide(entry.text(MarketField.side, now: now).span),
            let price = Money(entry.text(MarketField.price, now: now).span),
            entry.text(MarketField.status, now: now) == MarketField.open
        else { return forgetOrder(id) }
        var item = OrderItem()
        item.side = side
        item.price = price
        item.quantity = entry.integer(MarketField.quantity, now: now)
        item.order = entry.integer(MarketField.sequence, now: now)
        item.type = index.hold(entry.text(MarketField.type, now: now).span)
        item.region = index.hold(entry.text(MarketField.region, now: now).span)
        item.user = index.hold(entry.text(MarketField.user, now: now).span)
        if let known = index.findOrder(id) { orderLifetimes.remove(known) }
        index.setOrder(id, item, now: now)
        if let number = index.findOrder(id) { orderLifetimes.set(number, entry.expiry) }
    }

    func forgetOrder(_ id: Span<UInt8>) {
        guard let number = index.findOrder(id) else { return }
        orderLifetimes.remove(number)
        index.removeOrder(id, now: now)
    }

    // MARK: all kinds together

    /// The instant the index was last brought up to.
    private var now: Int64 = 0

    func beginRebuild() { removeAll() }
    func endRebuild() {}

    func removeAll() {
        index.removeAll()
        gpuLifetimes.removeAll()
        bookingLifetimes.removeAll()
        orderLifetimes.removeAll()
    }

    func advance(to now: Int64, countMax: Int) -> Bool {
        self.now = now
        var left = countMax
        while left > 0, let number = gpuLifetimes.dead(at: now) {
            left -= 1
            forget(index.gpuName(number).span)
        }
        while left > 0, let number = bookingLifetimes.dead(at: now) {
            left -= 1
            forgetBooking(index.bookingName(number).span)
        }
        while left > 0, let number = orderLifetimes.dead(at: now) {
            left -= 1
            forgetOrder(index.orderName(number).span)
        }
        return left > 0
    }

    func settingsChanged(_ settings: FogSettings) { self.settings = settings.market }
    func resetStatistics() {}

    /// Bookings that one tick begins or ends.
    private static let bookingCountMax = 50

    func tick(_ engine: inout Engine, _ database: Int, _ state: CoordinatorState) -> Bool {
        var desk = MarketDesk(self, database, state, now: engine.keyspace.now)
        guard desk.advanceBookings(&engine, countMax: MarketRecords.bookingCountMax) else { return false }
        engine.finishOutsideOfCommand()
        return true
    }
}

/// The records of one kind that `MarketRecords` follows besides GPUs.
final class MarketFacet: RecordIndex {
    private let market: MarketRecords
    private let kind: RecordKind

    init(_ kind: RecordKind, of market: any RecordIndex) {
        guard let market = market as? MarketRecords else { preconditionFailure("the market's kinds share an index") }
        self.market = market
        self.kind = kind
    }

    private(set) var count = 0

    func read(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        // The database counts as used: only the market's owner knows how many there are.
        count = 1
        switch kind {
        case .provider: market.readProvider(id, entry, now: now)
        case .price: market.readPrice(id, entry, now: now)
        case .booking: market.readBooking(id, entry, now: now)
        case .order: market.readOrder(id, entry, now: now)
        default: preconditionFailure("no kind of the market")
        }
    }

    func forget(_ id: Span<UInt8>) {
        switch kind {
        case .provider: market.forgetProvider(id)
        case .price: market.forgetPrice(id)
        case .booking: market.forgetBooking(id)
        case .order: market.forgetOrder(id)
        default: preconditionFailure("no kind of the market")
        }
    }

    func beginRebuild() { count = 0 }
    func endRebuild() {}
    func removeAll() { count = 0 }
    func advance(to now: Int64, countMax: Int) -> Bool { true }
    func settingsChanged(_ settings: FogSettings) {}
    func resetStatistics() {}
    func tick(_ engine: inout Engine, _ database: Int, _ state: CoordinatorState) -> Bool { false }
}

/// Fields of the market's records that are looked up by name.
enum MarketField {
    static let type = Array("type".utf8)
    static let region = Array("region".utf8)
    static let provider = Array("provider".utf8)
    static let status = Array("status".utf8)
    static let held = Array("held".utf8)
    static let price = Array("price".utf8)
    static let performance = Array("perf".utf8)
    static let latency = Array("latency".utf8)
    static let gpu = Array("gpu".utf8)
    static let user = Array("user".utf8)
    static let start = Array("start_ms".utf8)
    static let end = Array("end_ms".utf8)
    static let created = Array("created_ms".utf8)
    static let side = Array("side".utf8)
    static let quantity = Array("qty".utf8)
    static let sequence = Array("seq".utf8)
    static let open = Array("open".utf8)
}

extension Entry {
    /// The text in a field; empty when there is none.
    func text(_ field: [UInt8], now: Int64) -> [UInt8] {
        fieldValue(field.span, now: now)?.withText { $0.array } ?? []
    }
}

extension Call {
    /// The market of the session's database, up to date: all records read, bookings begun and ended that are due.
    func market() -> MarketRecords {
        for kind in [RecordKind.provider, .price, .booking, .order] { _ = index(kind) }
        guard let market = index(.gpu) as? MarketRecords else {
            preconditionFailure("GPUs have an index of their own")
        }
        if let due = market.index.nextBookingDeadline, due <= now {
            var desk = MarketDesk(market, session.database, coordinator, now: now)
            _ = desk.advanceBookings(&administration, countMax: .max)
        }
        return market
    }

    /// The desk at which this command's changes of the market are made.
    func desk(_ market: MarketRecords) -> MarketDesk { MarketDesk(market, session.database, coordinator, now: now) }
}
