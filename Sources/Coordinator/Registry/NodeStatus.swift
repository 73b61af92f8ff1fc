// NodeStatus.swift - what a node can be. Nodes that are not active get no traffic. Pure.
internal import Base

enum NodeStatus: UInt8, CaseIterable {
    case active, inactive, draining, maintenance, failed

    var name: StaticString {
        switch self {
        case .active: "active"
        case .inactive: "inactive"
        case .draining: "draining"
        case .maintenance: "maintenance"
        case .failed: "failed"
        }
    }

    init?(_ text: Span<UInt8>) {
        for status in NodeStatus.allCases where text.equalsIgnoringCase(status.name) {
            self = status
            return
        }
        return nil
    }
}
