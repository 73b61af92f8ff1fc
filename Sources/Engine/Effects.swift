// Effects.swift - what follows a command, in one visible order, run by dispatch after every handler: removals that
// happened on the way (expired keys), then what the command itself changed. Consumers (journal, WATCH, tracking,
// notifications, waiters) are called from `Engine.applyEffects` and nowhere else; while none is armed, a change costs
// one counter. Records carry copies of the keys, because arguments die with the command.
internal import Base
internal import Keyspace

package struct Effects: ~Copyable {
    enum Kind {
        /// A key changed.
        case change
        /// Something happened that is worth a notification and nothing else.
        case event
        /// Every key of `database` went or was replaced by another's; `key` and `event` are empty.
        case replacement
        /// A database was emptied by FLUSHDB, or all by FLUSHALL; said once, behind the replacements.
        case flush
    }

    /// What a command said about one key.
    struct Change {
        let kind: Kind
        let event: StaticString
        let eventClass: KeyspaceEventClasses
        let database: Int
        let keyStart: Int
        let keyCount: Int
        /// Removals before this one came before it; see `Removals.byteCount`.
        let removalMark: Int
    }

    /// Whether any consumer is armed: `Engine.armEffects`. `changed` looks at this and nothing else.
    package internal(set) var isObserved = false
    /// Some consumer wants every change; otherwise those of the keys in `wanted` are enough.
    var hearsAll = false
    /// Some consumer wants those in `wanted`.
    var hearsSome = false
    /// The keys that are watched or waited for.
    var wanted = KeyFilter()
    /// Something was recorded, or waits for the end of the outermost command. Dispatch looks at this and nothing else.
    package internal(set) var isPending = false
    private var changes: [Change] = []
    private var keys = ByteBuffer()

    package init() {}

    @inline(never)
    mutating func record(
        _ kind: Kind, _ event: StaticString, _ eventClass: KeyspaceEventClasses, key: Span<UInt8>, database: Int,
        removalMark: Int
    ) {
        isPending = true
        changes.append(
            Change(
                kind: kind, event: event, eventClass: eventClass, database: database, keyStart: keys.count,
                keyCount: key.count, removalMark: removalMark))
        keys.append(key)
    }

    /// `.replacement` or `.flush`.
    mutating func record(_ kind: Kind, database: Int, removalMark: Int) {
        isPending = true
        changes.append(
            Change(
                kind: kind, event: "", eventClass: [], database: database, keyStart: keys.count, keyCount: 0,
                removalMark: removalMark))
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

extension Engine {
    /// Changes are recorded while anybody listens, and not a command longer. Called whenever a consumer comes or goes.
    mutating func armEffects() {
        effects.hearsAll = notifies || trackers.isOn || classes.isOn
        effects.hearsSome = !watches.isEmpty || !waiters.isEmpty
        effects.isObserved = effects.hearsSome || effects.hearsAll || extensionListens
        keyspace.removals.isRecorded = effects.isObserved || journal.isOn
        let recordsArrivals = notifies && settings.notifyKeyspaceEvents.contains(.new)
        if recordsArrivals != keyspace.recordsArrivals { keyspace.recordArrivals(recordsArrivals) }
    }

    /// Records what a command says about a key, behind the keys that it added before.
    @inline(never)
    mutating func record(
        _ kind: Effects.Kind, _ event: StaticString, _ eventClass: KeyspaceEventClasses, key: Span<UInt8>,
        database: Int
    ) {
        if extensionListens && kind == .change { tellExtension(changed: key, database: database) }
        recordQuietly(kind, event, eventClass, key: key, database: database)
    }

    /// As `record`, without telling the extension.
    mutating func recordQuietly(
        _ kind: Effects.Kind, _ event: StaticString, _ eventClass: KeyspaceEventClasses, key: Span<UInt8>,
        database: Int
    ) {
        // Events that are no changes are for notifications alone.
        if kind == .event && !notifies { return }
        if !effects.hearsAll {
            guard kind == .change, effects.hearsSome, effects.wanted.mayHave(KeyHash.hash(key, seed: KeyHash.seed))
            else { return }
        }
        let removalMark = keyspace.removals.byteCount
        if keyspace.recordsArrivals { recordArrivals() }
        effects.record(kind, event, eventClass, key: key, database: database, removalMark: removalMark)
    }

    /// `.replacement` or `.flush`.
    @inline(never)
    mutating func record(_ kind: Effects.Kind, database: Int) {
        effects.record(kind, database: database, removalMark: keyspace.removals.byteCount)
    }

    private mutating func recordArrivals() {
        let removalMark = keyspace.removals.byteCount
        for database in 0..<keyspace.databaseCount where !keyspace[database].arrivals.isEmpty {
            var arrivals = Arrivals()
            swap(&arrivals, &keyspace[database].arrivals)
            arrivals.drain { key in
                effects.record(.event, "new", .new, key: key, database: database, removalMark: removalMark)
            }
            swap(&arrivals, &keyspace[database].arrivals)
        }
    }

    /// The consumers of changes, in their order; the journal has heard of a command's changes already. Keys that
    /// expired on the way stand where they went.
    @inline(never)
    mutating func applyEffects() {
        if !keyspace.removals.isEmpty { journalRemovals() }
        let removals = keyspace.removals.take()
        let taken = effects.take()
        var removed = 0
        taken.forEach { change, key in
            applyRemovals(removals, from: removed, to: change.removalMark)
            removed = max(removed, change.removalMark)
            apply(change, key)
        }
        applyRemovals(removals, from: removed, to: removals.byteCount)
        effects.reuse(taken)
        if _slowPath(classes.hasExcess) && context == .client {
            trimClasses()
            if !keyspace.removals.isEmpty { applyEvictions() }
        }
        serveWaiters()
        effects.isPending = waiters.hasReady || waiting.hasDeferred || classes.hasExcess
    }

    /// Keys that went for their classes' limits, behind all that the command did.
    private mutating func applyEvictions() {
        journalRemovals()
        let removals = keyspace.removals.take()
        applyRemovals(removals, from: 0, to: removals.byteCount)
    }

    /// WATCH, tracking, notification, waiters.
    private mutating func apply(_ change: borrowing Effects.Change, _ key: Span<UInt8>) {
        switch change.kind {
        case .change:
            noteChange(of: key, database: change.database)
            trackChange(of: key)
            if notifies { notify(change.event, change.eventClass, key, database: change.database) }
            if classes.isOn { noteClassChange(of: key, database: change.database, event: change.event) }
        case .event: if notifies { notify(change.event, change.eventClass, key, database: change.database) }
        case .replacement:
            noteReplacement(of: change.database)
            noteClassReplacement(of: change.database)
        case .flush: trackFlush()
        }
    }

    private mutating func applyRemovals(_ removals: borrowing Removals, from start: Int, to end: Int) {
        guard start < end else { return }
        removals.forEach(from: start, to: end) { reason, database, key in
            noteRemoval(of: key, database: database)
            trackRemoval(of: key)
            if extensionListens { tellExtension(changed: key, database: database) }
            if classes.isOn { noteClassRemoval(of: key, database: database, reason: reason) }
            guard notifies else { return }
            switch reason {
            case .expired: notify("expired", .expired, key, database: database)
            case .evicted: notify("evicted", .evicted, key, database: database)
            case .invalidated: notify("del", .generic, key, database: database)
            }
        }
    }
}
