// FieldExpiry.swift - hash fields whose time has passed: found by a command that looks at a small hash, or by the
// clock. Either way they leave the keyspace, HDEL enters the journal, "hexpired" is told, and the key goes with its
// last field ("del"). A large hash is worked off in slices; until then its dead fields are hidden from readers. Under
// the turn.
internal import Base
internal import Keyspace
package import Structures

/// Where the sweep of hash fields goes on.
struct FieldSweep {
    var database = 0
    var position: UInt64 = 0
}

extension Engine {
    /// Fields taken out of one hash before the clock is looked at: about a hundred microseconds.
    private static var fieldSliceCount: Int { 1000 }
    /// A command looks for dead fields in tables up to this size: a handful of reads. Larger ones wait for the sweep.
    fileprivate static var fieldScanCountMax: Int { 1000 }

    /// Takes due fields out of the hash of `slot` in `database`; whether it is done and whether the key went too.
    mutating func expireFields(
        _ slot: EntryTable.Slot, in database: Int, limit: Int
    ) -> (isDone: Bool, isGone: Bool) {
        let key = slot.entry.key.array
        var count = 0
        let isDone = keyspace.expireFields(slot, in: database, limit: limit) { dead in
            count += dead.count
            guard journal.isOn else { return }
            journal.add(database: database, beforeCommand: true) { words in
                words.add("HDEL")
                words.add(key.span)
                for member in dead { words.add(member.key) }
            }
        }
        guard count > 0 else { return (isDone, false) }
        if effects.isObserved { record(.change, "hexpired", .hash, key: key.span, database: database) }
        guard slot.entry.members.isEmpty else { return (isDone, false) }
        keyspace.remove(slot, hash: KeyHash.hash(key.span, seed: KeyHash.seed), in: database)
        if effects.isObserved { record(.event, "del", .generic, key: key.span, database: database) }
        return (isDone, true)
    }

    /// The sweep by the clock: true when nothing due is left, false when the time ran out.
    mutating func sweepFields(deadlineNanoseconds: Int64) -> Bool {
        for _ in 0...keyspace.databaseCount {
            if cron.fieldSweep.database >= keyspace.databaseCount { cron.fieldSweep.database = 0 }
            while keyspace[cron.fieldSweep.database].expiringHashCount > 0 {
                let database = cron.fieldSweep.database
                var due: [[UInt8]] = []
                let next = keyspace.dueHashes(in: database, at: cron.fieldSweep.position) { due.append($0.array) }
                guard sweepFields(of: due, in: database, deadlineNanoseconds: deadlineNanoseconds) else { return false }
                cron.fieldSweep.position = next ?? 0
                if next == nil { break }
            }
            cron.fieldSweep.database += 1
            cron.fieldSweep.position = 0
        }
        return true
    }

    private mutating func sweepFields(of due: [[UInt8]], in database: Int, deadlineNanoseconds: Int64) -> Bool {
        var isInTime = true
        for key in due {
            let hash = KeyHash.hash(key.span, seed: KeyHash.seed)
            guard isInTime, let slot = keyspace[database].table.find(key.span, hash: hash),
                slot.entry.objectType == .hash, slot.entry.hasExpiringFields
            else {
                keyspace.postponeFields(key.span, in: database, isGone: isInTime)
                continue
            }
            // A large hash that a snapshot has not taken yet: copying it now would hold everybody up.
            if isAwaitingSnapshot(slot.entry, in: database) {
                keyspace.postponeFields(key.span, in: database, isGone: false)
                continue
            }
            let result = expireFields(slot, in: database, limit: Engine.fieldSliceCount)
            if journal.isOn { journal.endUnit(second: keyspace.now / 1000) }
            if !result.isGone && !result.isDone { keyspace.postponeFields(key.span, in: database, isGone: false) }
            isInTime = result.isDone && clock.monotonicNanoseconds < deadlineNanoseconds
        }
        return isInTime
    }
}

extension Call {
    /// Whether the hash of `entry` should be looked at by `expireFields` first.
    @inline(__always)
    package func mayHaveDeadFields(_ entry: Entry) -> Bool { entry.isMemberTable && entry.members.expiryCount > 0 }

    /// Takes fields whose time has passed out of the hash of `slot`, unless it is large, or a snapshot must take it
    /// first, or nothing dies here (a replica). True when the key went with the last one.
    package func expireFields(_ slot: EntryTable.Slot) -> Bool {
        guard keyspace.removesAtOnce, slot.entry.members.count <= Engine.fieldScanCountMax,
            !administration.isAwaitingSnapshot(slot.entry, in: session.database)
        else { return false }
        return administration.expireFields(slot, in: session.database, limit: .max).isGone
    }
}
