// MarketItems.swift - what the market's index remembers of the records of GPUs, bookings and orders. Names are numbers
// of the index' tables, -1 for none. Pure.
internal import Base

/// Words of the wire format that stand for a small number.
package protocol WireName: CaseIterable {
    var name: StaticString { get }
}

extension WireName {
    package init?(_ word: Span<UInt8>) {
        for value in Self.allCases where word.equalsIgnoringCase(value.name) {
            self = value
            return
        }
        return nil
    }
}

package enum GPUStatus: UInt8, WireName, Sendable {
    case available, busy, offline, maintenance

    package var name: StaticString {
        switch self {
        case .available: "available"
        case .busy: "busy"
        case .offline: "offline"
        case .maintenance: "maintenance"
        }
    }
}

package enum ProviderStatus: UInt8, WireName, Sendable {
    case online, offline, maintenance

    package var name: StaticString {
        switch self {
        case .online: "online"
        case .offline: "offline"
        case .maintenance: "maintenance"
        }
    }

    /// What its GPUs are while it is not online.
    package var statusOfGPUs: GPUStatus? {
        switch self {
        case .online: nil
        case .offline: .offline
        case .maintenance: .maintenance
        }
    }
}

package struct GPUItem: Equatable, Sendable {
    package var status = GPUStatus.available
    package var type: Int32 = -1
    package var region: Int32 = -1
    package var provider: Int32 = -1
    /// What its record asks for; counts while its market has no price of its own.
    package var price: Money?
    /// Millionths, like prices.
    package var performance: Int64 = 0
    /// Nil sorts behind everything.
    package var latency: Int64?
    package init() {}
}

package enum BookingStatus: UInt8, WireName, Sendable {
    /// Its time has not come: the GPU is kept for it.
    case scheduled
    case active
    case completed
    case cancelled

    package var name: StaticString {
        switch self {
        case .scheduled: "scheduled"
        case .active: "active"
        case .completed: "completed"
        case .cancelled: "cancelled"
        }
    }

    package var isOpen: Bool { self == .scheduled || self == .active }
}

package struct BookingItem: Equatable, Sendable {
    package var status = BookingStatus.active
    package var gpu: Int32 = -1
    package var user: Int32 = -1
    package var type: Int32 = -1
    package var region: Int32 = -1
    package var start: Int64 = 0
    /// Int64.max for a booking without end.
    package var end: Int64 = .max
    package var created: Int64 = 0
    package init() {}

    package func overlaps(_ start: Int64, _ end: Int64) -> Bool { self.start < end && start < self.end }
}

package enum OrderSide: UInt8, WireName, Sendable {
    case bid, ask

    package var name: StaticString {
        switch self {
        case .bid: "bid"
        case .ask: "ask"
        }
    }

    package var opposite: OrderSide { self == .bid ? .ask : .bid }
}

package struct OrderItem: Equatable, Sendable {
    package var side = OrderSide.bid
    package var type: Int32 = -1
    package var region: Int32 = -1
    package var user: Int32 = -1
    package var price = Money(millionths: 0)
    /// What is left of it.
    package var quantity: Int64 = 0
    /// Its place in time; earlier orders of one price are served first.
    package var order: Int64 = 0
    package init() {}
}
