// ExpiringHashes.swift - which hashes of a database have fields that expire, so that a sweep need not walk all keys: a
// member table of their names, each with a bound before which none of its fields dies. A hash without such fields is
// not in it and pays nothing. Kept true by everything that changes a field's time, and by keys that go, are renamed,
// moved or copied. Also here: giving fields a time, and taking out those whose time has passed. Engine's turn only.
internal import Base
package import Structures

extension Database {
    /// Hashes that have fields which expire.
    package var expiringHashCount: Int { expiringHashes.count }

    /// A field of the hash at `key` got a time.
    mutating func noteExpiringFields(_ key: Span<UInt8>, earliest: Int64) {
        let hash = expiringHashes.hash(key)
        guard let place = expiringHashes.find(key, hash: hash) else {
            expiringHashes.insert(key, hash: hash, expiry: earliest)
            return
        }
        if earliest < place.entry.expiryMilliseconds { expiringHashes.setExpiry(place, to: earliest) }
    }

    /// The value of `entry` came to its key as a whole.
    mutating func noteExpiringFields(of entry: Entry) {
        guard entry.objectType == .hash, entry.hasExpiringFields, let earliest = entry.members.earliestExpiryBound
        else { return }
        noteExpiringFields(entry.key, earliest: earliest)
    }

    /// The value of `entry` leaves its key.
    mutating func forgetExpiringFields(of entry: Entry) {
        if expiringHashes.count > 0, entry.objectType == .hash { _ = expiringHashes.remove(entry.key) }
    }

    /// A field of the hash of `entry` lost its time, or went.
    mutating func fieldExpiryTaken(from entry: Entry) {
        if !entry.hasExpiringFields { forgetExpiringFields(of: entry) }
    }

    /// The fields of a hash that were due are gone: from when on it is to be looked at again.
    mutating func settleExpiringFields(of entry: Entry) {
        let hash = expiringHashes.hash(entry.key)
        guard let place = expiringHashes.find(entry.key, hash: hash) else { return }
        if entry.hasExpiringFields, let earliest = entry.members.earliestExpiryBound {
            expiringHashes.setExpiry(place, to: earliest)
        } else {
            expiringHashes.remove(place, hash: hash)
        }
    }
}

extension Keyspace {
    /// Gives a field that exists a time (milliseconds since the epoch), or takes it away (nil).
    package mutating func setFieldExpiry(
        _ slot: EntryTable.Slot, in database: Int, _ field: Span<UInt8>, to expiry: Int64?
    ) {
        if expiry != nil { makeMemberTable(slot, in: database) }
        guard slot.entry.isMemberTable else { return }
        updateMembers(slot, in: database) { members in
            if let place = members.find(field) { members.setExpiry(place, to: expiry) }
        }
        if let expiry {
            self[database].noteExpiringFields(slot.entry.key, earliest: expiry)
        } else {
            self[database].fieldExpiryTaken(from: slot.entry)
        }
    }

    /// Takes fields whose time has passed out of the hash of `slot`, a thousand or so at a time until `limit` is
    /// reached; `visit` sees each of these groups before it goes. Returns whether all that were due are gone. The
    /// caller removes the key of a hash that became empty.
    package mutating func expireFields(
        _ slot: EntryTable.Slot, in database: Int, limit: Int, _ visit: ([Entry]) -> Void
    ) -> Bool {
        var position: UInt64? = 0
        var removed = 0
        while let here = position, slot.entry.hasExpiringFields {
            if removed >= limit { return false }
            var dead: [Entry] = []
            // A field lives through the millisecond it expires at, as keys do.
            position = slot.entry.members.sweepExpired(at: here, now: now - 1) { dead.append($0) }
            if dead.isEmpty { continue }
            visit(dead)
            updateMembers(slot, in: database) { members in
                for member in dead { _ = members.remove(member.key) }
            }
            statistics.expiredFields += dead.count
            removed += dead.count
        }
        self[database].settleExpiringFields(of: slot.entry)
        return true
    }

    /// One step of the sweep: the keys of hashes in the registry's segment at `position` that may have fields whose
    /// time has passed. Returns where the next segment begins, nil behind the last one. The caller looks at each of
    /// them with `expireFields`, or calls `postponeFields`.
    package func dueHashes(in database: Int, at position: UInt64, _ visit: (Span<UInt8>) -> Void) -> UInt64? {
        self[database].expiringHashes.sweepExpired(at: position, now: now - 1) { entry in visit(entry.key) }
    }

    /// The hash at `key` was shown by `dueHashes` and is not done, or is gone.
    package mutating func postponeFields(_ key: Span<UInt8>, in database: Int, isGone: Bool) {
        let hash = self[database].expiringHashes.hash(key)
        guard let place = self[database].expiringHashes.find(key, hash: hash) else { return }
        if isGone {
            self[database].expiringHashes.remove(place, hash: hash)
        } else {
            // Said again, because the sweep took the segment for clean.
            let expiry = place.entry.expiryMilliseconds
            self[database].expiringHashes.setExpiry(place, to: expiry)
        }
    }
}
