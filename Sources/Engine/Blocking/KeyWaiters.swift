// KeyWaiters.swift - who waits for which key, oldest first, and which of those keys have become ready. A key is ready
// when it changed in any way since its waiters last looked; whether that is what they wait for is checked when they are
// served (Engine+Waiting.swift). While the table is empty a change costs nothing; while it is not, one look into a
// dictionary of hashes. Joining, leaving and finding the next in line cost O(1), amortised. Under the turn.
internal import Base
internal import Keyspace

/// A session in the line for one key.
struct KeyWaiter {
    let session: SessionReference
    /// Its suspension's place in the order of arrival.
    let order: UInt64
    /// What the key must hold to be of use.
    let type: ObjectType
    /// Looks again also when the key went or holds something else (XREADGROUP).
    let wakesWithoutKey: Bool
    /// When it gets nothing, those behind it get nothing either.
    var isCompeting = false
}

/// The line for one key, in order of arrival. Who leaves makes a gap, and gaps are closed when they are half of it.
struct WaitingLine {
    private struct Place {
        let order: UInt64
        var waiter: KeyWaiter?
    }

    let key: KeyIdentity
    /// In the table's list of ready keys.
    var isReady = false
    private(set) var count = 0
    /// Of these, who looks again also when there is no key.
    private(set) var withoutKeyCount = 0
    private var places: [Place] = []
    /// Everything in front of it is a gap.
    private var head = 0

    init(_ key: KeyIdentity) { self.key = key }

    /// Takes a place by order of arrival. False when it stands there already: the command names the key twice.
    mutating func add(_ waiter: KeyWaiter) -> Bool {
        let index = place(waiter.order)
        if index == places.count {
            places.append(Place(order: waiter.order, waiter: waiter))
        } else if places[index].order == waiter.order {
            if places[index].waiter != nil { return false }
            places[index].waiter = waiter
        } else {
            places.insert(Place(order: waiter.order, waiter: waiter), at: index)
        }
        head = min(head, index)
        count += 1
        if waiter.wakesWithoutKey { withoutKeyCount += 1 }
        return true
    }

    mutating func remove(_ order: UInt64) {
        let index = place(order)
        guard index < places.count, let waiter = places[index].waiter, waiter.order == order else { return }
        places[index].waiter = nil
        count -= 1
        if waiter.wakesWithoutKey { withoutKeyCount -= 1 }
        while head < places.count, places[head].waiter == nil { head += 1 }
        if places.count > WaitingLine.gapCountMin && places.count > count * 2 {
            places.removeAll { $0.waiter == nil }
            head = 0
        }
    }

    /// The first in line who came after `order`.
    func next(after order: UInt64) -> KeyWaiter? {
        var index = max(head, place(order &+ 1))
        while index < places.count {
            if let waiter = places[index].waiter { return waiter }
            index += 1
        }
        return nil
    }

    var lastOrder: UInt64 { places.last?.order ?? 0 }

    /// Index of the first place whose order is not below `order`.
    private func place(_ order: UInt64) -> Int {
        if let last = places.last, last.order < order { return places.count }
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            if places[middle].order < order { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Shorter lines are not worth closing up.
    private static let gapCountMin = 16
}

struct KeyWaiters: ~Copyable {
    /// Lines by the hash of their key, whatever its database.
    private var byHash: [UInt64: [WaitingLine]] = [:]
    private var ready: [KeyIdentity] = []
    /// Ready keys in front of it were served.
    private var nextReady = 0
    /// Different keys that are waited for (INFO total_blocking_keys).
    private(set) var keyCount = 0
    /// Waiters are being served: whatever they change joins the list of ready keys.
    var isServing = false

    var isEmpty: Bool { keyCount == 0 }
    var hasReady: Bool { nextReady < ready.count }

    mutating func add(_ waiter: KeyWaiter, _ key: KeyIdentity) -> Bool {
        if let index = index(of: key) {
            return byHash[key.hash]?[index].add(waiter) ?? false
        }
        var line = WaitingLine(key)
        _ = line.add(waiter)
        byHash[key.hash, default: []].append(line)
        keyCount += 1
        return true
    }

    mutating func remove(_ order: UInt64, _ key: KeyIdentity) {
        guard let index = index(of: key) else { return }
        byHash[key.hash]?[index].remove(order)
        guard byHash[key.hash]?[index].count == 0 else { return }
        byHash[key.hash]?.remove(at: index)
        if byHash[key.hash]?.isEmpty == true { byHash[key.hash] = nil }
        keyCount -= 1
    }

    private func index(of key: KeyIdentity) -> Int? {
        byHash[key.hash]?.firstIndex { $0.key.database == key.database && $0.key.bytes == key.bytes }
    }

    /// The first in line for a key who came after `order`.
    func next(for key: KeyIdentity, after order: UInt64) -> KeyWaiter? {
        index(of: key).flatMap { byHash[key.hash]?[$0].next(after: order) }
    }

    /// The order of whoever came last to the line for a key; 0 when there is no line.
    func lastOrder(for key: KeyIdentity) -> UInt64 {
        index(of: key).flatMap { byHash[key.hash]?[$0].lastOrder } ?? 0
    }

    /// Whether somebody in the line for a key looks again also when there is no key.
    func wakesWithoutKey(_ key: KeyIdentity) -> Bool {
        index(of: key).flatMap { byHash[key.hash]?[$0].withoutKeyCount }.map { $0 > 0 } ?? false
    }

    // MARK: becoming ready

    /// The key changed. Costs a look into the dictionary when nobody waits for it.
    mutating func noteChange(of key: Span<UInt8>, hash: UInt64, database: Int) {
        guard let index = byHash[hash]?.firstIndex(where: { $0.key.database == database && $0.key.spells(key) })
        else { return }
        markReady(hash, index)
    }

    /// All keys of the database went or are others now. Those waited for longest become ready first.
    mutating func noteReplacement(of database: Int) {
        var found: [(order: UInt64, key: KeyIdentity)] = []
        for lines in byHash.values {
            for line in lines where line.key.database == database {
                if let first = line.next(after: 0) { found.append((first.order, line.key)) }
            }
        }
        found.sort { $0.order < $1.order }
        for (_, key) in found {
            if let index = index(of: key) { markReady(key.hash, index) }
        }
    }

    private mutating func markReady(_ hash: UInt64, _ index: Int) {
        guard let line = byHash[hash]?[index], !line.isReady else { return }
        byHash[hash]?[index].isReady = true
        ready.append(line.key)
    }

    /// The key that has been ready for longest, taken off the list: changes from now on make it ready again.
    mutating func takeReady() -> KeyIdentity? {
        guard nextReady < ready.count else { return nil }
        let key = ready[nextReady]
        nextReady += 1
        if nextReady == ready.count {
            ready.removeAll(keepingCapacity: ready.count <= KeyWaiters.keptReadyCount)
            nextReady = 0
        }
        if let index = index(of: key) { byHash[key.hash]?[index].isReady = false }
        return key
    }

    private static let keptReadyCount = 256

    /// Keys with somebody in line who looks again also when there is no key (INFO total_blocking_keys_on_nokey).
    var keyCountWithoutKey: Int {
        byHash.values.reduce(0) { $0 + $1.count { $0.withoutKeyCount > 0 } }
    }
}
