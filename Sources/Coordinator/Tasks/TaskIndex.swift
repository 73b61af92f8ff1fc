// TaskIndex.swift - all tasks, as their records say: lines of the queues, leases by end, delays by end, and lists by
// status, node and job. Derived state: `set` and `remove` follow every change of a record, whoever made it, so the
// index is exact after DEL, EXPIRE, RENAME, FLUSH and a restart. It decides nothing about records; it says which task
// is next and which lease is over, and the commands write that down. Pure: time is passed in. Every operation is
// O(log n).
internal import Base
internal import Engine

package struct TaskIndex: ~Copyable {
    /// Identifiers of tasks; a task's number here is its item's everywhere.
    private var identifiers = NameTable()
    private(set) var items: [TaskItem] = []
    /// Names of queues.
    private var queueNames = NameTable()
    var queues: [TaskQueue] = []
    /// Nodes, jobs and workers.
    package private(set) var names = SharedNames()

    private var places = ItemPlaces()
    private var leases = ItemHeap()
    private var delays = ItemHeap()
    private var byStatus = ItemChains()
    private var byNode = ItemChains()
    private var byJob = ItemChains()
    private var nextOrder: Int64 = 1
    /// Queues in which something became possible that was not: their waiting workers should look again.
    private var signals: [Int32] = []

    /// Queues that hold nothing are remembered for their totals, up to so many.
    private static let idleQueueCountMax = 1024

    package init() {}

    package var count: Int { identifiers.count }

    /// The place in line of a task that is about to be written; `set` makes sure that later ones are greater.
    package var order: Int64 { nextOrder }

    package func find(_ identifier: Span<UInt8>) -> Int32? {
        identifiers.find(identifier, hash: NameTable.hash(identifier)).map { Int32($0) }
    }

    package func identifier(_ number: Int32) -> [UInt8] { identifiers.name(Int(number)) }

    package subscript(number: Int32) -> TaskItem { items[Int(number)] }

    // MARK: names

    package func findQueue(_ name: Span<UInt8>) -> Int32? {
        queueNames.find(name, hash: NameTable.hash(name)).map { Int32($0) }
    }

    /// The number of a queue, which is made when it is new.
    package mutating func queue(_ name: Span<UInt8>) -> Int32 {
        let (number, isNew) = queueNames.insert(name, hash: NameTable.hash(name))
        if number == queues.count { queues.append(TaskQueue()) } else if isNew { queues[number] = TaskQueue() }
        return Int32(number)
    }

    package func queueName(_ number: Int32) -> [UInt8] { queueNames.name(Int(number)) }

    /// Queues in order of their numbers.
    package func forEachQueue(_ body: (Int32, [UInt8]) -> Void) { queueNames.forEach { body(Int32($0), $1) } }

    /// Holds the name of a node, job or worker for an item that is about to be `set`.
    package mutating func hold(_ name: Span<UInt8>) -> Int32 { names.hold(name) }

    /// As `hold`, for a name that is held already.
    package mutating func holdAgain(_ number: Int32) { names.holdAgain(number) }

    /// Takes back a `hold`.
    package mutating func letGo(_ number: Int32) { names.release(number) }

    /// The number of a node, job or worker that some task names.
    package func findName(_ name: Span<UInt8>) -> Int32? { names.find(name) }

    // MARK: following the records

    /// The record of `identifier` says `item` now, whose names the caller held: they are the index' from here on.
    package mutating func set(_ identifier: Span<UInt8>, _ item: TaskItem, now: Int64) {
        let (number, isNew) = identifiers.insert(identifier, hash: NameTable.hash(identifier))
        precondition(number < Int(Int32.max), "a task's number fits")
        let slot = Int32(number)
        if isNew {
            if number == items.count { items.append(item) } else { items[number] = item }
        } else {
            let old = items[number]
            unlink(slot, old)
            items[number] = item
            release(old)
        }
        if item.order >= nextOrder { nextOrder = TaskQueue.later(item.order, by: 1) }
        link(slot, item, now: now)
    }

    /// The record of a known task changed in other things than its names: `worker` holds it from now on, nobody when
    /// it does not run (any more).
    package mutating func change(
        _ number: Int32, now: Int64, worker: [UInt8]? = nil, _ body: (inout TaskItem) -> Void
    ) {
        let old = items[Int(number)]
        var item = old
        body(&item)
        if let worker {
            item.worker = names.hold(worker.span)
        } else if item.status == .running {
            names.holdAgain(old.worker)
        } else {
            item.worker = -1
        }
        unlink(number, old)
        names.release(old.worker)
        items[Int(number)] = item
        link(number, item, now: now)
    }

    /// The record went.
    package mutating func remove(_ identifier: Span<UInt8>) {
        guard let number = find(identifier) else { return }
        let item = items[Int(number)]
        unlink(number, item)
        release(item)
        identifiers.remove(Int(number))
        if identifiers.isEmpty { items = [] } else { items[Int(number)] = TaskItem() }
        forgetQueue(item.queue)
    }

    /// Every record went.
    package mutating func removeAll() {
        let order = nextOrder
        var kept: [(name: [UInt8], totals: TaskTotals)] = []
        queueNames.forEach { number, name in kept.append((name, queues[number].totals)) }
        self = TaskIndex()
        nextOrder = order
        for (name, totals) in kept.prefix(TaskIndex.idleQueueCountMax) { queues[Int(queue(name.span))].totals = totals }
    }

    /// How many leases the record of a queue allows; nil for any number.
    package mutating func setLimit(_ queue: Int32, _ limit: Int?) {
        queues[Int(queue)].limit = limit
        signal(queue)
        forgetQueue(queue)
    }

    private mutating func forgetQueue(_ queue: Int32) {
        guard queue >= 0, queueNames.count > TaskIndex.idleQueueCountMax, queues[Int(queue)].isIdle,
            !queues[Int(queue)].isSignalled
        else { return }
        queueNames.remove(Int(queue))
        if queueNames.isEmpty { queues = [] } else { queues[Int(queue)] = TaskQueue() }
    }

    private mutating func release(_ item: TaskItem) {
        names.release(item.node)
        names.release(item.job)
        names.release(item.worker)
    }

    private static func nodeKey(_ item: TaskItem) -> Int { nodeKey(item.node, item.status) }
    private static func nodeKey(_ node: Int32, _ status: TaskStatus) -> Int { Int(node) * 8 + Int(status.rawValue) }

    private mutating func link(_ number: Int32, _ item: TaskItem, now: Int64) {
        byStatus.append(number, to: Int(item.status.rawValue))
        if item.node >= 0 { byNode.append(number, to: TaskIndex.nodeKey(item)) }
        if item.job >= 0 { byJob.append(number, to: Int(item.job)) }
        guard item.queue >= 0 else { return }
        let queue = Int(item.queue)
        queues[queue].gauges.note(item, by: 1)
        if item.uniqueHash != 0, !item.status.isFinished { queues[queue].unique[item.uniqueHash] = number }
        if item.holdsLease {
            leases.insert(.init(key: item.leaseUntil, order: item.order, item: number), &places)
            queues[queue].workers[item.worker, default: 0] += 1
            queues[queue].gauges.workers = queues[queue].workers.count
        } else if item.status.isWaiting {
            let entry = ItemHeap.Entry(key: item.readyAt, order: item.order, item: number)
            if item.readyAt > now {
                delays.insert(entry, &places)
            } else {
                queues[queue].lines[Int(item.priority.rawValue)].insert(entry, &places)
                signal(item.queue)
            }
        }
    }

    private mutating func signal(_ queue: Int32) {
        guard !queues[Int(queue)].isSignalled else { return }
        queues[Int(queue)].isSignalled = true
        signals.append(queue)
    }

    package var hasSignals: Bool { !signals.isEmpty }

    /// Queues of which somebody who waits should hear, once each. One that is empty by now has nothing for anybody.
    package mutating func takeSignals() -> [Int32] {
        let taken = signals
        signals = []
        for queue in taken { queues[Int(queue)].isSignalled = false }
        let wanted = taken.filter { !queues[Int($0)].isIdle }
        for queue in taken where queues[Int(queue)].isIdle { forgetQueue(queue) }
        return wanted
    }

    private mutating func unlink(_ number: Int32, _ item: TaskItem) {
        byStatus.remove(number, from: Int(item.status.rawValue))
        if item.node >= 0 { byNode.remove(number, from: TaskIndex.nodeKey(item)) }
        if item.job >= 0 { byJob.remove(number, from: Int(item.job)) }
        guard item.queue >= 0 else { return }
        let queue = Int(item.queue)
        queues[queue].gauges.note(item, by: -1)
        if item.uniqueHash != 0, queues[queue].unique[item.uniqueHash] == number {
            queues[queue].unique[item.uniqueHash] = nil
        }
        if item.holdsLease {
            leases.remove(number, &places)
            let left = (queues[queue].workers[item.worker] ?? 1) - 1
            queues[queue].workers[item.worker] = left == 0 ? nil : left
            queues[queue].gauges.workers = queues[queue].workers.count
            if queues[queue].limit != nil { signal(item.queue) }
        } else if item.status.isWaiting {
            if isDelayed(number) {
                delays.remove(number, &places)
            } else {
                queues[queue].lines[Int(item.priority.rawValue)].remove(number, &places)
            }
        }
    }

    /// Whether a waiting item stands among the delays; the clock may have passed its time since it was put there.
    private func isDelayed(_ number: Int32) -> Bool { delays.holds(number, places) }

    // MARK: what is next

    /// Moves tasks whose delay is over into their lines, at most `countMax`.
    package mutating func promote(now: Int64, countMax: Int = .max) {
        var count = 0
        while count < countMax, let first = delays.first, first.key <= now {
            count += 1
            delays.remove(first.item, &places)
            let item = items[Int(first.item)]
            queues[Int(item.queue)].lines[Int(item.priority.rawValue)].insert(first, &places)
            signal(item.queue)
        }
    }

    /// The task that a worker of `queue` gets next; nil when none may be claimed now.
    package mutating func next(in queue: Int32, now: Int64, agingMilliseconds: Int64) -> Int32? {
        promote(now: now)
        guard hasRoom(queue) else { return nil }
        return queues[Int(queue)].next(agingMilliseconds: agingMilliseconds)
    }

    /// Whether the queue's limit allows one lease more.
    package func hasRoom(_ queue: Int32) -> Bool {
        guard let limit = queues[Int(queue)].limit else { return true }
        return queues[Int(queue)].gauges.leased < limit
    }

    /// A task whose lease is over.
    package func expiredLease(now: Int64) -> Int32? {
        guard let first = leases.first, first.key <= now else { return nil }
        return first.item
    }

    /// When the next lease or delay ends.
    package var nextDeadline: Int64? {
        guard let lease = leases.first else { return delays.first?.key }
        return min(lease.key, delays.first?.key ?? .max)
    }

    /// The unfinished task of `queue` that said UNIQUE with this hash.
    package func unique(_ hash: UInt64, in queue: Int32) -> Int32? { queues[Int(queue)].unique[hash] }

    // MARK: counts

    package func gauges(_ queue: Int32) -> TaskGauges { queues[Int(queue)].gauges }
    package func limit(_ queue: Int32) -> Int? { queues[Int(queue)].limit }
    package func count(_ status: TaskStatus) -> Int { byStatus.count(Int(status.rawValue)) }

    package func totals(_ queue: Int32) -> TaskTotals { queues[Int(queue)].totals }

    package mutating func changeTotals(_ queue: Int32, _ body: (inout TaskTotals) -> Void) {
        guard queue >= 0 else { return }
        body(&queues[Int(queue)].totals)
    }

    package mutating func resetTotals() {
        for index in queues.indices { queues[index].totals = TaskTotals() }
    }

    // MARK: lists

    /// Calls `body` with every task of the given status, node and job, nil for any, until it answers false. Costs the
    /// length of the shortest list that an index has for these conditions; in no order that means anything, but stable
    /// while nothing changes.
    package func forEach(
        status: TaskStatus?, node: Int32?, job: Int32?, _ body: (Int32) -> Bool
    ) {
        if let job {
            byJob.forEach(Int(job)) { number in
                let item = items[Int(number)]
                if let status, item.status != status { return true }
                if let node, item.node != node { return true }
                return body(number)
            }
            return
        }
        var goesOn = true
        for each in TaskStatus.allCases where goesOn && (status == nil || status == each) {
            func visit(_ number: Int32) -> Bool {
                goesOn = body(number)
                return goesOn
            }
            if let node {
                byNode.forEach(TaskIndex.nodeKey(node, each), visit)
            } else {
                byStatus.forEach(Int(each.rawValue), visit)
            }
        }
    }
}
