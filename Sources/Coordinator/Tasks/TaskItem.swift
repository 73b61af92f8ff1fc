// TaskItem.swift - what the index remembers of a task's record: enough to find, order and count it; payload and result
// stay in the record. Names are numbers of the index' tables, -1 for none. Pure.
internal import Base

/// Where a task stands in its life; names are part of the wire format.
package enum TaskStatus: UInt8, CaseIterable, Sendable {
    /// Waits in its queue, or for the end of its delay.
    case queued
    /// Given to a node by name, not begun.
    case assigned
    /// A worker holds its lease, or its node has begun it.
    case running
    case done
    /// The last attempt failed; it waits for the end of its back-off and is claimed again.
    case failed
    /// No attempt is left: a dead letter.
    case dead

    package init?(_ word: Span<UInt8>) {
        for status in TaskStatus.allCases where word.equalsIgnoringCase(status.name) {
            self = status
            return
        }
        return nil
    }

    package var name: StaticString {
        switch self {
        case .queued: "queued"
        case .assigned: "assigned"
        case .running: "running"
        case .done: "done"
        case .failed: "failed"
        case .dead: "dead"
        }
    }

    /// Waits to be claimed, now or later.
    package var isWaiting: Bool { self == .queued || self == .failed }
    package var isFinished: Bool { self == .done || self == .dead }
}

package struct TaskItem: Equatable, Sendable {
    package var status = TaskStatus.queued
    package var priority = Priority.normal
    package var queue: Int32 = -1
    package var node: Int32 = -1
    package var job: Int32 = -1
    package var worker: Int32 = -1
    /// From when on it may be claimed, and since when it waits. Milliseconds since the epoch, as all times here.
    package var readyAt: Int64 = 0
    /// When its lease ends; 0 when it has none.
    package var leaseUntil: Int64 = 0
    /// Its place in line among those that became ready at the same instant.
    package var order: Int64 = 0
    /// What no second unfinished task of its queue may have; 0 for none.
    package var uniqueHash: UInt64 = 0

    package init() {}

    package var holdsLease: Bool { status == .running && leaseUntil > 0 && queue >= 0 }
}
