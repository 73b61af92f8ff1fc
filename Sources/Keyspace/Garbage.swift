// Garbage.swift - what must be freed but not by an event loop: large values and whole flushed databases. The engine
// fills it during its turn; the I/O pool empties it. Small memory is freed at once, which is cheaper than handing on.
internal import Base
internal import CAllocator
internal import CLinux
internal import ColdStore
internal import Structures

enum Allocated {
    /// What the process allocator really reserved for an address.
    @unsafe static func byteCount(_ address: UnsafeMutableRawPointer) -> Int { unsafe Int(fog_allocated_size(address)) }
}

package struct Garbage: ~Copyable {
    /// Values at least this large are freed in the background (returning their pages takes the kernel's time).
    private static let backgroundByteCountMin = 1 << 20

    /// A value that lay outside its entry, by its type and the word that the entry led to it with.
    struct Value: Sendable {
        let type: ObjectType
        let word: UInt
    }

    /// Addresses waiting for the pool.
    private var addresses: [UInt] = []
    private var values: [Value] = []
    private var databases: [FlushedDatabase] = []
    /// Places on disk that no entry has any more; the engine's to give back, not the background's.
    private var coldAddresses: [ColdAddress] = []
    /// Objects handed to the background so far, and freed by it (INFO lazyfreed_objects is the latter).
    package private(set) var handedOver = 0
    /// Bytes of what waits here that the process allocator counts.
    package private(set) var byteCount = 0

    package init() {}

    package var isEmpty: Bool { addresses.isEmpty && values.isEmpty && databases.isEmpty }
    package var hasCold: Bool { !coldAddresses.isEmpty }

    @unsafe mutating func free(_ address: UnsafeMutablePointer<UInt8>, byteCount: Int) {
        if byteCount < Garbage.backgroundByteCountMin {
            unsafe CLinux.free(address)
        } else {
            addresses.append(UInt(bitPattern: address))
            self.byteCount += byteCount
            handedOver += 1
        }
    }

    /// Takes over the value behind `entry`, which no entry leads to any more.
    mutating func add(valueOf entry: Entry) {
        let byteCount = HeldValue.byteCount(entry) - HeldValue.slabByteCount(entry) - HeldValue.padByteCount(entry)
        add(entry.objectType, UInt(truncatingIfNeeded: entry.valueWord()), byteCount: byteCount)
    }

    /// Takes over a value of `type` that no entry leads to: what `HeldValue.freeNow` can free.
    mutating func add(_ type: ObjectType, _ word: UInt, byteCount: Int) {
        values.append(Value(type: type, word: word))
        self.byteCount += byteCount
        handedOver += 1
    }

    /// The record of a cold value that is not wanted any more.
    mutating func add(coldValueOf entry: Entry) {
        let address = SleepingValue(entry).coldAddress
        // 0: the store removes it by itself.
        if address.bits != 0 { coldAddresses.append(address) }
    }

    mutating func takeCold() -> [ColdAddress] {
        defer { coldAddresses.removeAll(keepingCapacity: true) }
        return coldAddresses
    }

    mutating func forgetCold() { coldAddresses = [] }

    mutating func add(_ database: FlushedDatabase) {
        databases.append(database)
        byteCount += database.allocatorByteCount
        handedOver += database.keyCount
    }

    /// Takes everything collected, as work for a background thread. Returns the number of objects it will free.
    package mutating func take() -> Load {
        defer {
            addresses = []
            values = []
            databases = []
            byteCount = 0
        }
        return Load(byteCount: byteCount, addresses: addresses, values: values, databases: databases)
    }

    /// A load of garbage on its way to the background. Sendable because whoever holds it is its only owner.
    package struct Load: Sendable {
        /// Bytes that the process allocator counts until all is freed.
        package let byteCount: Int
        fileprivate let addresses: [UInt]
        fileprivate let values: [Value]
        fileprivate let databases: [FlushedDatabase]

        package var objectCount: Int { addresses.count + values.count + databases.reduce(0) { $0 + $1.keyCount } }

        /// Frees it all; call once. Cost: proportional to the garbage; no locks of the engine are touched.
        package func freeAll() {
            for address in addresses {
                unsafe CLinux.free(UnsafeMutableRawPointer(bitPattern: address))
                Bursts.pauseIfDue()
            }
            for value in values { HeldValue.freeNow(value.type, value.word) }
            for database in databases { database.freeAll() }
        }
    }
}

/// A database that FLUSHALL or FLUSHDB took out of the keyspace: freed as a whole, by whichever thread holds it.
final class FlushedDatabase: @unchecked Sendable {
    // Sendable because exactly one thread holds the only reference that frees it.
    private var database: Database?
    let keyCount: Int
    let coldKeyCount: Int
    /// Where the addresses of its cold values go when it is freed; nil when nobody needs them.
    private var releases: ColdReleases?
    private var generation = 0
    /// Bytes of it that the process allocator counts.
    let allocatorByteCount: Int

    init(_ database: consuming Database) {
        keyCount = database.count
        coldKeyCount = database.sleepers.cold.keys
        allocatorByteCount = database.byteCount - database.slabByteCount
        self.database = consume database
    }

    /// Whether the snapshot may have entries of it left to take, or keeps some.
    func isWanted(by snapshot: SnapshotCapture) -> Bool {
        database?.capture === snapshot && !snapshot.isAbandoned
    }

    /// Its number in the running snapshot.
    var captureNumber: Int? { database?.captureNumber }

    /// As `Database.takeEntries`.
    func takeEntries(from position: UInt64, _ capture: SnapshotCapture, while goesOn: (Bool) -> Bool) -> UInt64? {
        database?.takeEntries(from: position, capture, while: goesOn) ?? nil
    }

    /// As `Database.take`.
    func take(
        _ payload: Span<UInt8>, of key: Span<UInt8>, hash: UInt64, at address: ColdAddress,
        _ capture: SnapshotCapture
    ) -> Bool { database?.take(payload, of: key, hash: hash, at: address, capture) ?? false }

    /// Frees an entry that the snapshot kept.
    func disposeTaken(_ entry: Entry, _ garbage: inout Garbage) {
        database?.disposeTaken(entry, garbage: &garbage)
    }

    /// Cold values give their places back when the database is freed.
    func releaseCold(to releases: ColdReleases) {
        self.releases = releases
        generation = releases.generation
    }

    func freeAll() {
        guard let database = database.take() else { return }
        var addresses: [ColdAddress] = []
        database.table.forEach { entry in
            if releases != nil && entry.tier == .cold { addresses.append(SleepingValue(entry).coldAddress) }
            if entry.hasHeldValue { HeldValue.freeNow(entry) }
        }
        releases?.add(addresses, of: generation)
        Database.releaseEntries(of: database)
    }
}

extension Database {
    /// Frees entries that came from the process allocator, then the arena's pages as a whole.
    static func releaseEntries(of database: consuming Database) {
        database.table.forEach { entry in
            if entry.byteCount > EntryArena.slabByteCountMax { unsafe CLinux.free(entry.address) }
        }
        database.arena.releaseAll()
    }
}
