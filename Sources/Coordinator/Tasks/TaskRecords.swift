// TaskRecords.swift - the tasks of one database: records fog:task:<id>, and fog:queue:<name> for what a queue is told
// (CONCURRENCY), with the index that follows them. A record is an ordinary hash and holds all there is to know, so a
// queue survives restarts and goes to replicas with nothing but its keys. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import Structures

final class TaskRecords: RecordIndex {
    var index = TaskIndex()
    var lifetimes = RecordLifetimes()
    private(set) var settings = MarketSettings()

    var count: Int { index.count }

    func read(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        let item = readItem(entry, now)
        index.set(id, item, now: now)
        if let number = index.find(id) { lifetimes.set(number, entry.expiry) }
    }

    func forget(_ id: Span<UInt8>) {
        guard let number = index.find(id) else { return }
        lifetimes.remove(number)
        index.remove(id)
    }

    func beginRebuild() { removeAll() }
    func endRebuild() {}

    func removeAll() {
        index.removeAll()
        lifetimes.removeAll()
    }

    func advance(to now: Int64, countMax: Int) -> Bool {
        var left = countMax
        while left > 0, let number = lifetimes.dead(at: now) {
            left -= 1
            forget(index.identifier(number).span)
        }
        return left > 0
    }

    func settingsChanged(_ settings: FogSettings) { self.settings = settings.market }
    func resetStatistics() { index.resetTotals() }

    // MARK: records

    /// What a record says, its names held for the index.
    private func readItem(_ entry: Entry, _ now: Int64) -> TaskItem {
        var item = TaskItem()
        var worker: Int32 = -1
        entry.forEachField(now: now) { field, value, _ in
            field.withText { name in
                if name.equals("status") {
                    item.status = value.withText { TaskStatus($0) } ?? .queued
                } else if name.equals("priority") {
                    item.priority = value.withText { Priority($0) } ?? .normal
                } else if name.equals("queue") {
                    item.queue = value.withText { $0.isEmpty ? -1 : index.queue($0) }
                } else if name.equals("ready_ms") {
                    item.readyAt = value.integerValue ?? 0
                } else if name.equals("lease_until") {
                    item.leaseUntil = value.integerValue ?? 0
                } else if name.equals("seq") {
                    item.order = value.integerValue ?? 0
                } else if name.equals("node") {
                    item.node = value.withText { $0.isEmpty ? -1 : index.hold($0) }
                } else if name.equals("job") {
                    item.job = value.withText { $0.isEmpty ? -1 : index.hold($0) }
                } else if name.equals("worker") {
                    worker = value.withText { $0.isEmpty ? -1 : index.hold($0) }
                } else if name.equals("unique") {
                    item.uniqueHash = value.integerValue == 1 ? 1 : 0
                }
            }
        }
        if item.status == .running {
            item.worker = worker
        } else {
            index.letGo(worker)
        }
        if item.uniqueHash != 0 {
            let payload = entry.fieldValue(TaskField.payload.span, now: now)
            item.uniqueHash = payload?.withText { TaskRecords.uniqueHash($0) } ?? 0
        }
        return item
    }

    /// What tells payloads apart that must be unique; never 0.
    static func uniqueHash(_ payload: Span<UInt8>) -> UInt64 { KeyHash.hash(payload, seed: KeyHash.seed) | 1 }

    /// The key of a record: `prefix` is `fog-key-prefix`.
    static func key(_ kind: RecordKind, _ id: Span<UInt8>, _ prefix: [UInt8]) -> ByteBuffer {
        var key = ByteBuffer(capacity: prefix.count + id.count + 16)
        key.append(prefix)
        key.append(kind.prefix)
        key.append(id)
        return key
    }
}

/// Fields of a record that are looked up by name.
enum TaskField {
    static let payload = Array("payload".utf8)
    static let attempt = Array("attempt".utf8)
    static let retries = Array("max_retry".utf8)
    static let claimed = Array("claimed_ms".utf8)
}

extension Entry {
    /// The integer in a field; 0 when there is none.
    func integer(_ field: [UInt8], now: Int64) -> Int64 { fieldValue(field.span, now: now)?.integerValue ?? 0 }
}

/// Records fog:queue:<name>: how many leases a queue may have at a time.
final class QueueRecords: RecordIndex {
    private let tasks: TaskRecords
    private static let concurrency = Array("concurrency".utf8)

    init(_ tasks: any RecordIndex) {
        guard let tasks = tasks as? TaskRecords else { preconditionFailure("queues belong to tasks") }
        self.tasks = tasks
    }

    private(set) var count = 0
    private var known = Set<[UInt8]>()

    func read(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        let limit = entry.integer(QueueRecords.concurrency, now: now)
        if known.insert(id.array).inserted { count += 1 }
        tasks.index.setLimit(tasks.index.queue(id), limit > 0 ? Int(limit) : nil)
    }

    func forget(_ id: Span<UInt8>) {
        guard known.remove(id.array) != nil else { return }
        count -= 1
        if let queue = tasks.index.findQueue(id) { tasks.index.setLimit(queue, nil) }
    }

    func beginRebuild() { removeAll() }
    func endRebuild() {}

    func removeAll() {
        for name in known { forget(name.span) }
    }

    func advance(to now: Int64, countMax: Int) -> Bool { true }
    func settingsChanged(_ settings: FogSettings) {}
    func resetStatistics() {}
    func tick(_ engine: inout Engine, _ database: Int, _ state: CoordinatorState) -> Bool { false }
}

extension Call {
    /// The live record of `id`; no access is noted and none checked.
    func foundRecord(_ kind: RecordKind, _ id: Span<UInt8>) throws(CommandError) -> EntryTable.Slot? {
        let key = recordKey(kind, id)
        return try recordSlot(key.span)
    }

    /// The tasks of the session's database, up to date: queues' records read, leases that are over taken back.
    func tasks() -> TaskRecords {
        _ = index(.queue)
        guard let tasks = index(.task) as? TaskRecords else {
            preconditionFailure("tasks have an index of their own")
        }
        let state = coordinator
        tasks.takeBackLeases(&administration, session.database, state, countMax: .max)
        return tasks
    }

    /// Behind a command that changed tasks: whoever waits for one looks again.
    func wakeWorkers(_ tasks: TaskRecords) { tasks.wakeWorkers(&administration, session.database, coordinator.prefix) }
}
