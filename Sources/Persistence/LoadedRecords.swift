// LoadedRecords.swift - what a loader has read and no keyspace has yet: a few hundred kilobytes of records at a time.
// Reading them (checksums, decompression, checks) needs no keyspace, so it may run ahead on a thread of its own;
// placing them needs the engine's turn and little time. One owner, who moves with it.
internal import Base
package import Keyspace
internal import Structures

package struct LoadedRecords: ~Copyable {
    struct Record {
        /// Place in the file behind the record.
        var end = 0
        var hash: UInt64 = 0
        var database = 0
        var expiry: Int64?
        var idleSeconds: Int?
        var frequency: Int?
        /// The key's bytes; a string's value and then a label stand right behind it.
        var keyStart = 0
        var keyCount = 0
        /// Bytes of a string; nil for a value that waits on the shelf.
        var textCount: Int?
        var labelCount = 0
    }

    /// So many records ahead of the one that is placed, its place in the table is on its way to the cache.
    private static let prefetchDistance = 16
    /// More room in a table is not made at once, whatever a file promises.
    private static let reservedCountMax = 4 << 20

    var bytes = ByteBuffer()
    private(set) var records: [Record] = []
    private var shelf = ValueShelf()
    /// What files say about how many keys a database has.
    private var sizes: [(database: Int, count: Int)] = []
    private var placedCount = 0
    /// What the file says about its server's memory.
    package internal(set) var usedMemory = 0
    /// How the placing went.
    package private(set) var keysLoaded = 0
    package private(set) var keysExpired = 0
    /// Place in the file behind what was placed.
    package private(set) var end = 0

    package init() {}

    /// Nothing is left to place.
    package var isPlaced: Bool { placedCount == records.count }

    mutating func add(_ record: Record) { records.append(record) }

    mutating func add(_ record: Record, _ value: consuming DetachedValue) {
        records.append(record)
        shelf.add(value)
    }

    mutating func add(size count: Int, of database: Int) {
        sizes.append((database, min(count, LoadedRecords.reservedCountMax)))
    }

    /// Ready for other records; memory is kept.
    mutating func removeAll() {
        keysLoaded = 0
        keysExpired = 0
        placedCount = 0
        bytes.removeAll(keepingCapacity: 4 << 20)
        records.removeAll(keepingCapacity: true)
        shelf.removeAll()
        sizes.removeAll()
    }

    // MARK: placing

    /// Puts at most `countMax` records into the keyspace.
    package mutating func place(
        into keyspace: inout Keyspace, countMax: Int = .max, options: RDBLoader.Options
    ) throws(RDBError) {
        for size in sizes { keyspace[size.database].reserve(size.count) }
        sizes.removeAll()
        let stop = placedCount + min(countMax, records.count - placedCount)
        for index in placedCount..<min(stop, placedCount + LoadedRecords.prefetchDistance) {
            prefetch(records[index], keyspace)
        }
        while placedCount < stop {
            let ahead = placedCount + LoadedRecords.prefetchDistance
            if ahead < stop { prefetch(records[ahead], keyspace) }
            let record = records[placedCount]
            placedCount += 1
            end = record.end
            if options.dropsExpired, let expiry = record.expiry, expiry < keyspace.now {
                keysExpired += 1
                if record.textCount == nil { _ = shelf.take() }
                continue
            }
            guard place(record, &keyspace, replaces: options.replacesKeys) else {
                var error = RDBError(.expected("a key that was not there before"), at: record.end)
                error.key = bytes.span.extracting(keyRange(record)).array
                error.database = record.database
                throw error
            }
            keysLoaded += 1
        }
    }

    private func prefetch(_ record: Record, _ keyspace: borrowing Keyspace) {
        keyspace[record.database].table.prefetchBucket(record.hash)
    }

    private func keyRange(_ record: Record) -> Range<Int> { record.keyStart..<record.keyStart + record.keyCount }

    /// False when the key is there already and is not to be replaced.
    private mutating func place(_ record: Record, _ keyspace: inout Keyspace, replaces: Bool) -> Bool {
        guard let textCount = record.textCount else {
            return place(shelf.take(), record, &keyspace, replaces: replaces)
        }
        let database = record.database
        let key = bytes.span.extracting(keyRange(record))
        let slot = keyspace[database].table.find(key, hash: record.hash)
        if let slot {
            guard replaces else { return false }
            keyspace.willReplace(slot, in: database)
        }
        let textStart = record.keyStart + record.keyCount
        let text = bytes.span.extracting(textStart..<textStart + textCount)
        let entry = keyspace[database].makeString(key, value: text, expiry: record.expiry)
        keyspace[database].install(entry, hash: record.hash, slot: slot, garbage: &keyspace.garbage)
        note(record, key, &keyspace)
        return true
    }

    private func place(
        _ value: consuming DetachedValue, _ record: Record, _ keyspace: inout Keyspace, replaces: Bool
    ) -> Bool {
        let key = bytes.span.extracting(keyRange(record))
        let slot = keyspace[record.database].table.find(key, hash: record.hash)
        guard slot == nil || replaces else { return false }
        _ = keyspace.place(value, at: key, hash: record.hash, in: record.database, slot: slot, expiry: record.expiry)
        note(record, key, &keyspace)
        return true
    }

    @inline(__always)
    private func note(_ record: Record, _ key: Span<UInt8>, _ keyspace: inout Keyspace) {
        if _slowPath(record.idleSeconds != nil || record.frequency != nil || record.labelCount > 0) {
            noteFacts(record, key, &keyspace)
        }
    }

    private func noteFacts(_ record: Record, _ key: Span<UInt8>, _ keyspace: inout Keyspace) {
        if let idleSeconds = record.idleSeconds {
            let milliseconds = min(Int64(clamping: idleSeconds), keyspace.now / 1000) * 1000
            keyspace.clocks.note(record.hash, in: record.database, at: keyspace.now - milliseconds)
        }
        if let frequency = record.frequency, let slot = keyspace[record.database].table.find(key, hash: record.hash) {
            slot.entry.frequency = min(AccessLevel.level(ofCounter: frequency), keyspace.frequencyMax)
        }
        guard record.labelCount > 0 else { return }
        let labelStart = record.keyStart + record.keyCount + (record.textCount ?? 0)
        let text = bytes.span.extracting(labelStart..<labelStart + record.labelCount)
        guard let slot = keyspace[record.database].table.find(key, hash: record.hash),
            let label = LabelCode.read(text, keyspace.tags)
        else { return }
        keyspace.setLabel(slot, in: record.database, label)
    }
}

/// Values in the order in which they were read; taken once, in the same order.
@safe private struct ValueShelf: ~Copyable {
    private var base: UnsafeMutablePointer<DetachedValue>?
    private var capacity = 0
    private var count = 0
    private var takenCount = 0

    init() { unsafe base = nil }

    deinit {
        for index in takenCount..<count { unsafe (base.unsafelyUnwrapped + index).deinitialize(count: 1) }
        unsafe base?.deallocate()
    }

    mutating func add(_ value: consuming DetachedValue) {
        if count == capacity {
            let grown = max(64, capacity * 2)
            let fresh = UnsafeMutablePointer<DetachedValue>.allocate(capacity: grown)
            if let old = unsafe base {
                unsafe (fresh + takenCount).moveInitialize(from: old + takenCount, count: count - takenCount)
                unsafe old.deallocate()
            }
            unsafe base = fresh
            capacity = grown
        }
        unsafe (base.unsafelyUnwrapped + count).initialize(to: value)
        count += 1
    }

    mutating func take() -> DetachedValue {
        precondition(takenCount < count, "every record without a text has a value on the shelf")
        takenCount += 1
        return unsafe (base.unsafelyUnwrapped + takenCount - 1).move()
    }

    mutating func removeAll() {
        while takenCount < count { _ = take() }
        count = 0
        takenCount = 0
    }
}
