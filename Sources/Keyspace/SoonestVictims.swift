// SoonestVictims.swift - volatile-ttl: which keys expire soonest, without an order kept for it. A segment of the table
// holds a random share of all keys, so the expiries in one segment tell where the soonest 1.6 % of all end; a walk over
// the segments then takes what lies before that, soonest first within a segment, and the next walk asks anew. So every
// victim is among the soonest few per cent of the keys that may go; where a database is one segment, it is the soonest
// there is. A segment's own bound lets the walk pass by those that hold nothing so soon. Cost: a read of some 60
// entries per victim, which are fetched ahead. Engine's turn only.
internal import Base
internal import Structures

struct SoonestVictims {
    /// The share of a sample that goes in one walk: one in so many.
    private static let share = 64
    /// Expiries that make a sample.
    private static let sampleCountMin = 512
    /// Segments looked at for a sample, and walked in one step.
    private static let segmentsPerStep = 16

    private struct Found {
        let hash: UInt64
        let expiry: Int64
    }

    /// What was found and has not gone yet, the soonest last; all of `database`.
    private var found: [Found] = []
    private var database = 0
    /// Where the walk goes on; nil between two walks.
    private var position: UInt64?
    /// What expires by then goes in this walk.
    private var latest: Int64 = 0
    private var expiries: [Int64] = []

    init() {}

    /// Removes keys until `excess` bytes are free or a step's work is done. Returns how many went.
    mutating func step(_ keyspace: inout Keyspace, excess: Int, _ random: () -> UInt64) -> Int {
        var (evicted, freed, walked) = (0, 0, 0)
        while freed < excess && walked < SoonestVictims.segmentsPerStep && !keyspace.isHeldUp {
            if let next = found.popLast() {
                let bytes = take(next, &keyspace)
                freed += bytes
                evicted += bytes > 0 ? 1 : 0
                continue
            }
            walked += 1
            if position == nil && !begin(keyspace, random) { break }
            walk(keyspace)
        }
        return evicted
    }

    /// Removes a key that is still what it was when it was found; the bytes that its database holds less.
    private func take(_ victim: Found, _ keyspace: inout Keyspace) -> Int {
        guard let slot = keyspace[database].table.find(hash: victim.hash), slot.entry.hasExpiry,
            slot.entry.expiryMilliseconds <= latest
        else { return 0 }
        let before = keyspace[database].byteCount
        if keyspace.isExpired(slot.entry) {
            keyspace.expire(slot, hash: victim.hash, in: database)
        } else if keyspace.demote(slot, in: database) == nil && !keyspace.isHeldUp {
            keyspace.evict(slot, hash: victim.hash, in: database)
        }
        return before - keyspace[database].byteCount
    }

    /// Takes a sample and starts a walk over all databases. False when no key may go.
    private mutating func begin(_ keyspace: borrowing Keyspace, _ random: () -> UInt64) -> Bool {
        expiries.removeAll(keepingCapacity: true)
        var total = 0
        for index in 0..<keyspace.databaseCount { total += keyspace[index].table.expiryCount }
        guard total > 0 else { return false }
        var tries = 0
        while expiries.count < min(total, SoonestVictims.sampleCountMin), tries < SoonestVictims.segmentsPerStep {
            tries += 1
            // Databases are asked in proportion to what they hold.
            var rest = Int(truncatingIfNeeded: random() >> 1) % total
            var chosen = 0
            while rest >= keyspace[chosen].table.expiryCount {
                rest -= keyspace[chosen].table.expiryCount
                chosen += 1
            }
            var sample = expiries
            expiries = []
            _ = keyspace[chosen].table.visitExpiring(at: random(), by: .max) { sample.append($0.expiryMilliseconds) }
            expiries = sample
        }
        // A sample without an expiry says nothing of them: what is met goes.
        latest = .max
        if !expiries.isEmpty {
            expiries.sort()
            latest = expiries[max(0, expiries.count / SoonestVictims.share - 1)]
        }
        position = 0
        database = 0
        skipEmpty(keyspace)
        return true
    }

    private mutating func skipEmpty(_ keyspace: borrowing Keyspace) {
        while database < keyspace.databaseCount && keyspace[database].table.expiryCount == 0 { database += 1 }
        if database >= keyspace.databaseCount {
            database = 0
            position = nil
        }
    }

    /// Looks through one segment. The walk moves to the next database only when what was found has gone.
    private mutating func walk(_ keyspace: borrowing Keyspace) {
        guard let place = position else { return }
        if place == 0 && keyspace[database].table.expiryCount == 0 { return skipEmpty(keyspace) }
        var list = found
        found = []
        let bound = latest
        let table = database
        let next = keyspace[table].table.visitExpiring(at: place, by: bound) { entry in
            guard entry.expiryMilliseconds <= bound else { return }
            list.append(Found(hash: keyspace[table].table.hash(entry.key), expiry: entry.expiryMilliseconds))
        }
        list.sort { $0.expiry > $1.expiry }
        found = list
        if let next { return position = next }
        guard found.isEmpty else {
            // This database's last segment: once more, which finds nothing, before the next one's turn.
            return position = place
        }
        database += 1
        position = 0
        skipEmpty(keyspace)
    }
}
