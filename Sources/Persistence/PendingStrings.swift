// PendingStrings.swift - strings that were read and have no place in their table yet: a handful, so that the memory
// where each will go is on its way to the cache while the next ones are read. Part of loading; the entries belong to
// the database's arena already. Must be flushed before anything else of the keyspace is looked at.
internal import Keyspace
internal import Structures

struct PendingStrings {
    private static let countMax = 24
    private var entries: [(entry: Entry, hash: UInt64)] = []

    var isFull: Bool { entries.count >= PendingStrings.countMax }

    /// Takes an entry that `Database.makeString` made.
    mutating func add(_ entry: Entry, in database: Int, _ keyspace: inout Keyspace) {
        let hash = keyspace[database].table.hash(entry.key)
        keyspace[database].table.prefetchBucket(hash)
        entries.append((entry, hash))
    }

    /// Puts them into the table. False when a key is there already and is not to be replaced.
    mutating func flush(into keyspace: inout Keyspace, in database: Int, replaces: Bool) -> Bool {
        guard !entries.isEmpty else { return true }
        defer { entries.removeAll(keepingCapacity: true) }
        for (index, item) in entries.enumerated() {
            let slot = keyspace[database].table.find(item.entry.key, hash: item.hash)
            if slot != nil && !replaces {
                // The rest is in no table: nobody would free it.
                for left in entries[index...] { keyspace[database].dispose(left.entry, garbage: &keyspace.garbage) }
                return false
            }
            keyspace[database].install(item.entry, hash: item.hash, slot: slot, garbage: &keyspace.garbage)
        }
        return true
    }
}
