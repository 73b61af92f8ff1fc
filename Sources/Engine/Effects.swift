// Effects.swift - what follows a command, in one visible order, run by dispatch after every handler: removals that
// happened on the way (expired keys), then what the command itself changed. Consumers (journal, WATCH, tracking,
// notifications, waiters) are called from `Engine.applyEffects` and nowhere else; while none is armed, a change costs
// one counter. Records carry copies of the keys, because arguments die with the command.
internal import Base
internal import Keyspace

package struct Effects: ~Copyable {
    /// What a command said about one key.
    struct Change {
        /// False: every key of `database` went or was replaced; `key` and `event` are empty.
        let isOneKey: Bool
        let event: StaticString
        let eventClass: KeyspaceEventClasses
        let database: Int
        let keyStart: Int
        let keyCount: Int
    }

    /// Whether any consumer is armed. Dispatch and `changed` look at this and nothing else.
    package internal(set) var isObserved = false
    private var changes: [Change] = []
    private var keys = ByteBuffer()

    package init() {}

    @inline(never)
    mutating func record(
        _ event: StaticString, _ eventClass: KeyspaceEventClasses, key: Span<UInt8>, database: Int
    ) {
        changes.append(
            Change(
                isOneKey: true, event: event, eventClass: eventClass, database: database, keyStart: keys.count,
                keyCount: key.count))
        keys.append(key)
    }

    /// Every key of `database` went or was replaced by another database's.
    mutating func recordReplacement(of database: Int) {
        changes.append(
            Change(isOneKey: false, event: "", eventClass: [], database: database, keyStart: keys.count, keyCount: 0))
    }

    var isEmpty: Bool { changes.isEmpty }

    /// Everything recorded so far, taken away.
    mutating func take() -> Effects {
        var taken = Effects()
        Swift.swap(&taken.changes, &changes)
        Swift.swap(&taken.keys, &keys)
        return taken
    }

    /// Calls `body` with every change in order.
    func forEach(_ body: (borrowing Change, Span<UInt8>) -> Void) {
        for change in changes {
            body(change, keys.span.extracting(change.keyStart..<(change.keyStart + change.keyCount)))
        }
    }

    /// Takes the buffers of spent records back, so that recording allocates nothing in steady state.
    mutating func reuse(_ spent: consuming Effects) {
        guard changes.isEmpty else { return }
        Swift.swap(&spent.changes, &changes)
        Swift.swap(&spent.keys, &keys)
        changes.removeAll(keepingCapacity: changes.count <= Effects.keptCount)
        keys.removeAll(keepingCapacity: Effects.keptByteCount)
    }

    private static let keptCount = 256
    private static let keptByteCount = 16 << 10
}
