// Database+Transfer.swift - entries on their way: copied under another key, renamed, moved to another database's arena.
// Values of any type pass through here; what lies outside an entry is handed over or copied by `HeldValue`, with its
// bytes counted in the database that ends up owning it. Engine's turn only.
internal import Base
internal import CLinux
package import Structures

extension Database {
    /// A copy of `source` (an entry of this or another database) under `key`, with a value of its own, in this
    /// database's arena and in no table yet. Cost: the value's size.
    package mutating func duplicate(_ source: Entry, as key: Span<UInt8>, expiry: Int64?) -> Entry {
        let copy = makeShell(of: source, as: key, expiry: expiry)
        if copy.isAsleep {
            sleepers.add(SleepingValue(copy))
        } else if source.hasHeldValue {
            externalByteCount += HeldValue.duplicate(source, into: copy)
            memberSlabByteCount += HeldValue.slabByteCount(copy)
            padByteCount += HeldValue.padByteCount(copy)
        }
        return copyLabel(of: source, to: copy)
    }

    /// Takes the slot's entry out of the table; the caller must give it to `adopt` (of any database) or `dispose`.
    package mutating func detach(_ slot: EntryTable.Slot, hash: UInt64) -> Entry {
        let entry = slot.entry
        willChange(entry)
        table.remove(slot, hash: hash)
        return entry
    }

    /// The value of a detached entry of this database under another key; the value itself does not move.
    package mutating func adopt(_ source: Entry, as key: Span<UInt8>) -> Entry {
        precondition(source.tier != .cold, "a record on disk names its key: `awaken` comes before")
        let shell = makeShell(of: source, as: key, expiry: source.hasExpiry ? source.expiryMilliseconds : nil)
        shell.frequency = source.frequency
        if _slowPath(source.isAsleep) { sleepers.remove(SleepingValue(source)) }
        let entry = carryLabel(of: source, to: shell)
        if _slowPath(source.isAsleep) { sleepers.add(SleepingValue(entry)) }
        arena.free(source)
        return entry
    }

    /// The value of a detached entry of `other` in this database, under the same key; the value itself does not move,
    /// its bytes are counted here from now on.
    package mutating func adopt(_ source: Entry, from other: inout Database) -> Entry {
        let shell = makeShell(of: source, as: source.key, expiry: source.hasExpiry ? source.expiryMilliseconds : nil)
        shell.frequency = source.frequency
        let entry = copyLabel(of: source, to: shell)
        if source.hasLabel { other.release(source.labelCohort) }
        if source.isAsleep {
            other.sleepers.remove(SleepingValue(source))
            sleepers.add(SleepingValue(entry))
        } else if source.hasHeldValue {
            let byteCount = HeldValue.byteCount(source)
            other.externalByteCount -= byteCount
            externalByteCount += byteCount
            let slabByteCount = HeldValue.slabByteCount(source)
            other.memberSlabByteCount -= slabByteCount
            memberSlabByteCount += slabByteCount
            other.padByteCount -= HeldValue.padByteCount(source)
            padByteCount += HeldValue.padByteCount(source)
        }
        other.arena.free(source)
        return entry
    }

    /// A new entry with the value bytes of `source`.
    private mutating func makeShell(of source: Entry, as key: Span<UInt8>, expiry: Int64?) -> Entry {
        let entry = makeEntry(
            key, valueByteCount: source.valueByteCount, type: source.objectType, encoding: source.encoding,
            expiry: expiry)
        unsafe memcpy(entry.valueAddress, source.valueAddress, source.valueByteCount)
        entry.tierNumber = source.tierNumber
        return entry
    }

    /// What a key costs: its entry as the arena rounds it, its share of the table, and the value behind it.
    package func memoryUsage(of entry: Entry) -> Int {
        allocatedByteCount(of: entry) + tableShare
    }

    /// A key's share of the table. A nearly empty one is one small segment; its first key does not pay for all of it.
    package var tableShare: Int { table.count > 0 ? min(64, table.allocatedByteCount / table.count) : 0 }
}

extension Keyspace {
    /// Gives the key of `slot` another name in its database, in the place of whatever has that name. Expiry stays.
    package mutating func rename(
        _ slot: EntryTable.Slot, hash: UInt64, to key: Span<UInt8>, newHash: UInt64, in database: Int
    ) {
        self[database].forgetExpiringFields(of: slot.entry)
        let source = self[database].detach(slot, hash: hash)
        let entry = self[database].adopt(source, as: key)
        let place = self[database].table.find(key, hash: newHash)
        if let place { willReplace(place, in: database) }
        self[database].install(entry, hash: newHash, slot: place, garbage: &garbage)
        self[database].noteExpiringFields(of: entry)
    }

    /// Moves the key of `slot` from one database to another that does not have it.
    package mutating func move(_ slot: EntryTable.Slot, hash: UInt64, from source: Int, to target: Int) {
        precondition(source != target, "a key moves between two databases")
        self[source].forgetExpiringFields(of: slot.entry)
        let detached = self[source].detach(slot, hash: hash)
        let entry = self[target].adopt(detached, from: &self[source])
        self[target].install(entry, hash: hash, slot: nil, garbage: &garbage)
        self[target].noteExpiringFields(of: entry)
    }

    /// Makes the value of a key that gets another name or database raw when it is on disk, where its record names the
    /// key. False when it cannot be read any more: then the key is gone.
    package mutating func awaken(_ slot: EntryTable.Slot, hash: UInt64, in database: Int) -> Bool {
        slot.entry.tier != .cold || wake(slot, hash: hash, in: database)
    }

    /// Copies `source` to `key` in `database`, in the place of whatever is there. Expiry is copied too. Not for a
    /// cold value: two keys cannot have one record.
    package mutating func copy(_ source: Entry, to key: Span<UInt8>, hash: UInt64, in database: Int) {
        precondition(source.tier != .cold, "a record on disk has one key: `awaken` comes before")
        let expiry: Int64? = source.hasExpiry ? source.expiryMilliseconds : nil
        let entry = self[database].duplicate(source, as: key, expiry: expiry)
        let place = self[database].table.find(key, hash: hash)
        if let place { willReplace(place, in: database) }
        self[database].install(entry, hash: hash, slot: place, garbage: &garbage)
        self[database].noteExpiringFields(of: entry)
    }

    /// What a key costs in memory; see `Database.memoryUsage`.
    package func memoryUsage(of entry: Entry, in database: Int) -> Int { self[database].memoryUsage(of: entry) }
}
