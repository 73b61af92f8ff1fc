// Priority.swift - the one scale of urgency that tasks, events and messages between nodes share. Pure; any thread.
// The order is the order of service; names are part of the wire format.
internal import Base

package enum Priority: UInt8, CaseIterable, Sendable {
    case critical, high, normal, low

    package init?(_ word: Span<UInt8>) {
        for priority in Priority.allCases where word.equalsIgnoringCase(priority.name) {
            self = priority
            return
        }
        return nil
    }

    package var name: StaticString {
        switch self {
        case .critical: "critical"
        case .high: "high"
        case .normal: "normal"
        case .low: "low"
        }
    }
}
