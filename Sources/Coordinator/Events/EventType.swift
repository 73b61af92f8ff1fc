// EventType.swift - the types of events that the server itself sends. Clients may publish
// types of their own: a name of capital letters, digits and underscores. Pure.
internal import Base

package enum EventType: Int, CaseIterable, Sendable {
    // Of the marketplace.
    case gpuAvailabilityChanged, pricingUpdated, bookingCreated, bookingCancelled, providerStatusChanged,
        marketStatsUpdated, orderBookUpdated, manualInvalidation
    // Of the fleet.
    case bookingCompleted, nodeRegistered, nodeStatusChanged, nodeTimeout, nodeRemoved,
        nodeInvalidated, clusterInvalidated,
        scaleRecommended, taskDead, warmNeeded, replicationLagAlert, failoverStarted, failoverEnded
    // Of virtual machines.
    case vmStateChanged, vmCreated, vmDeleted, vmResourceChanged

    package var name: StaticString {
        switch self {
        case .gpuAvailabilityChanged: "GPU_AVAILABILITY_CHANGED"
        case .pricingUpdated: "PRICING_UPDATED"
        case .bookingCreated: "BOOKING_CREATED"
        case .bookingCancelled: "BOOKING_CANCELLED"
        case .providerStatusChanged: "PROVIDER_STATUS_CHANGED"
        case .marketStatsUpdated: "MARKET_STATS_UPDATED"
        case .orderBookUpdated: "ORDER_BOOK_UPDATED"
        case .manualInvalidation: "MANUAL_INVALIDATION"
        case .bookingCompleted: "BOOKING_COMPLETED"
        case .nodeRegistered: "NODE_REGISTERED"
        case .nodeStatusChanged: "NODE_STATUS_CHANGED"
        case .nodeTimeout: "NODE_TIMEOUT"
        case .nodeRemoved: "NODE_REMOVED"
        case .nodeInvalidated: "NODE_INVALIDATED"
        case .clusterInvalidated: "CLUSTER_INVALIDATED"
        case .scaleRecommended: "SCALE_RECOMMENDED"
        case .taskDead: "TASK_DEAD"
        case .warmNeeded: "WARM_NEEDED"
        case .replicationLagAlert: "REPL_LAG_ALERT"
        case .failoverStarted: "FAILOVER_STARTED"
        case .failoverEnded: "FAILOVER_ENDED"
        case .vmStateChanged: "VM_STATE_CHANGED"
        case .vmCreated: "VM_CREATED"
        case .vmDeleted: "VM_DELETED"
        case .vmResourceChanged: "VM_RESOURCE_CHANGED"
        }
    }

    /// Longest name of a type.
    private static let nameByteCountMax = 64

    /// Whether `text` can name a type; small letters are taken for capital ones.
    package static func isName(_ text: Span<UInt8>) -> Bool {
        guard !text.isEmpty, text.count <= nameByteCountMax else { return false }
        for index in 0..<text.count {
            let byte = text[index]
            guard (byte | 0x20) &- 97 < 26 || byte &- 48 < 10 || byte == UInt8(ascii: "_") else { return false }
        }
        return true
    }

    /// The name in capital letters.
    package static func spelling(_ text: Span<UInt8>) -> [UInt8] {
        text.array.map { $0 &- 97 < 26 ? $0 & ~0x20 : $0 }
    }
}
