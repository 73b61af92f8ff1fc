// ColdTier.swift - the tier on disk as the keyspace sees it. An entry whose value is cold keeps its key and the value's
// address; the bytes come from `ColdStore`. Whoever can wait asks first (`ask`), goes on when everything is here, and
// then reads as it would read any value; what is held for it is let go by `end`. Whoever cannot wait (a script's key
// that was not declared, a dump of everything) just reads, and the disk is waited for: right in any case, and counted.
// Engine's turn only, except `ColdReleases`.
internal import Base
package import ColdStore
internal import Synchronization
package import Structures

package final class ColdTier {
    package let store: ColdStore
    /// Values go to disk; false: what is there is served, nothing more is taken.
    package var takesValues = true
    package var statistics = Statistics()
    /// Whoever makes room can wait: a value that the disk will take soon is left where it is, not lost.
    package var spares = false
    /// A value was left for that reason since room began to be made.
    package var isHeldUp = false
    /// Where databases that are freed by another thread leave the addresses they had.
    let releases = ColdReleases()
    /// Values that were asked for, as they lie on disk.
    private var held: [ColdAddress: Held] = [:]
    private(set) package var heldByteCount = 0
    private var waits: [Int: Wait] = [:]
    private var nextWait = 0
    private var tokens: [UInt64: Token] = [:]
    private var nextToken: UInt64 = 0
    private var pending: [ColdAddress: Pending] = [:]
    private var nextSerial = 0

    /// More than this is not held; it is read again, while somebody waits for it.
    private static let heldByteCountMax = 64 << 20

    package struct Statistics: Sendable {
        /// Values that were read while the engine waited.
        package var waited = 0
        /// Values that could not be read again.
        package var unreadable = 0
        /// Keys that went because their record was reclaimed unread.
        package var reclaimed = 0
        /// Commands that waited until the disk had taken what they need the memory of, and those that waited in vain.
        package var commandsHeldUp = 0
        package var commandsOverdue = 0
        package init() {}
    }

    private struct Held {
        let bytes: [UInt8]
        var users: Int
    }

    /// What one command asked for.
    private struct Wait {
        var addresses: [ColdAddress] = []
        var missing = 0
    }

    private struct Token {
        let wait: Int
        let address: ColdAddress
        let serial: Int
    }

    /// Reads of one address that are under way. A removal ends them for everybody: the address may come to mean
    /// another record before they are done.
    private struct Pending {
        let serial: Int
        var count: Int
    }

    package init(_ store: ColdStore) { self.store = store }

    // MARK: asking

    /// Begins a group of values that one command needs.
    package func begin() -> Int {
        nextWait += 1
        waits[nextWait] = Wait()
        return nextWait
    }

    /// Gets the value of a cold entry for the group: at once where that takes no waiting.
    package func ask(_ entry: Entry, in wait: Int) {
        let address = SleepingValue(entry).coldAddress
        if held[address] != nil {
            held[address]?.users += 1
            waits[wait]?.addresses.append(address)
            return
        }
        nextToken += 1
        let fetched = store.fetch(address, key: entry.key, token: nextToken) { _, payload in
            hold(address, payload, for: wait)
        }
        guard case .pending = fetched else { return }
        var reading = pending[address] ?? Pending(serial: nextSerial, count: 0)
        if reading.count == 0 { nextSerial += 1 }
        reading.count += 1
        pending[address] = reading
        tokens[nextToken] = Token(wait: wait, address: address, serial: reading.serial)
        waits[wait]?.missing += 1
    }

    /// Values of the group that are not here yet.
    package func missingCount(_ wait: Int) -> Int { waits[wait]?.missing ?? 0 }

    /// Nobody needs the group any more.
    package func end(_ wait: Int) {
        guard let group = waits.removeValue(forKey: wait) else { return }
        for address in group.addresses { letGo(address) }
    }

    /// Takes what was read; `ready` is called with every group that is complete now.
    package func poll(_ ready: (Int) -> Void) {
        var complete: [Int] = []
        store.poll { token, head, payload in
            guard let asked = tokens.removeValue(forKey: token) else { return }
            if var reading = pending[asked.address], reading.serial == asked.serial {
                if head != nil { hold(asked.address, payload, for: asked.wait) }
                reading.count -= 1
                pending[asked.address] = reading.count == 0 ? nil : reading
            }
            guard waits[asked.wait] != nil else { return }
            waits[asked.wait]?.missing -= 1
            if waits[asked.wait]?.missing == 0 { complete.append(asked.wait) }
        }
        for wait in complete { ready(wait) }
    }

    private func hold(_ address: ColdAddress, _ payload: Span<UInt8>, for wait: Int) {
        guard waits[wait] != nil else { return }
        if held[address] == nil {
            guard heldByteCount + payload.count <= ColdTier.heldByteCountMax else { return }
            held[address] = Held(bytes: payload.array, users: 0)
            heldByteCount += payload.count
        }
        held[address]?.users += 1
        waits[wait]?.addresses.append(address)
    }

    private func letGo(_ address: ColdAddress) {
        guard var value = held[address] else { return }
        value.users -= 1
        if value.users > 0 {
            held[address] = value
        } else {
            heldByteCount -= value.bytes.count
            held[address] = nil
        }
    }

    // MARK: reading

    /// Calls `body` with the stored form of a cold value; waits for the disk when nobody asked before. False when it
    /// cannot be read, or `body` says so.
    func withPayload(_ value: SleepingValue, _ body: (Span<UInt8>) -> Bool) -> Bool {
        let address = value.coldAddress
        if let here = held[address] {
            let bytes = here.bytes
            return body(bytes.span)
        }
        statistics.waited += 1
        var isWhole = false
        let isFound = store.fetchWaiting(address, key: value.entry.key) { _, payload in isWhole = body(payload) }
        if !isFound { statistics.unreadable += 1 }
        return isFound && isWhole
    }

    // MARK: removing

    /// No entry has this address any more.
    func remove(_ address: ColdAddress) {
        if let value = held.removeValue(forKey: address) { heldByteCount -= value.bytes.count }
        pending[address] = nil
        store.remove(address)
    }

    /// Removes what databases had that another thread has freed.
    func takeReleases() { releases.take { remove($0) } }

    /// No entry has any address.
    func removeAll() {
        releases.forget()
        held = [:]
        heldByteCount = 0
        pending = [:]
        store.removeAll()
    }
}

/// Addresses on their way back from a thread that frees databases.
final class ColdReleases: Sendable {
    private struct State: Sendable {
        var generation = 0
        var addresses: [ColdAddress] = []
    }
    private let state = Mutex(State())

    /// Changes when all addresses become meaningless.
    var generation: Int { state.withLock { $0.generation } }

    /// Addresses of a database that was taken away in `generation`.
    func add(_ addresses: [ColdAddress], of generation: Int) {
        state.withLock { if $0.generation == generation { $0.addresses += addresses } }
    }

    func take(_ body: (ColdAddress) -> Void) {
        let taken = state.withLock { state in
            defer { state.addresses = [] }
            return state.addresses
        }
        for address in taken { body(address) }
    }

    func forget() {
        state.withLock { state in
            state.generation += 1
            state.addresses = []
        }
    }
}
