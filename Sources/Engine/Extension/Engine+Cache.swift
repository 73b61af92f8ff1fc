// Engine+Cache.swift - the doors of the cache commands: removing any key as DEL would, telling clients that hold
// copies, and saying to replicas what was published. They serve commands (through `Call.administration`) and the clock,
// which calls `finishOutsideOfCommand` behind them. Under the turn.
internal import Base
internal import Keyspace
internal import Structures

extension Engine {
    /// Removes the key, whatever it holds; false when it is not there.
    package mutating func removeKey(_ key: Span<UInt8>, in database: Int) -> Bool {
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        guard keyspace.remove(key, hash: hash, in: database) else { return false }
        changeCount &+= 1
        if extensionListens { tellExtension(changed: key, database: database) }
        if effects.isObserved { recordQuietly(.change, "del", .generic, key: key, database: database) }
        if journal.isOn {
            journal.form = .replaced
            journal.add(database: database) { words in
                words.add("DEL")
                words.add(key)
            }
        }
        return true
    }

    /// Makes `value` the string at `key`, which is no argument of the command, until `expiry`.
    package mutating func setText(_ key: Span<UInt8>, _ value: Span<UInt8>, in database: Int, expiry: Int64?) {
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        let slot = keyspace.look(key, hash: hash, in: database)
        keyspace.setString(key, hash: hash, in: database, slot: slot, value: value, expiry: expiry)
        changeCount &+= 1
        if extensionListens { tellExtension(changed: key, database: database) }
        if effects.isObserved {
            recordQuietly(.change, "set", .string, key: key, database: database)
            if expiry != nil { recordQuietly(.event, "expire", .generic, key: key, database: database) }
        }
        guard journal.isOn else { return }
        journal.form = .replaced
        journal.add(database: database) { words in
            words.add("SET")
            words.add(key)
            words.add(value)
            guard let expiry else { return }
            words.add("PXAT")
            words.add(decimal: expiry)
        }
    }

    /// Removes a field of the hash at `key`, and the key with its last one. False when it is not there.
    package mutating func removeRecordField(
        _ key: Span<UInt8>, _ field: Span<UInt8>, in database: Int
    ) throws(CommandError) -> Bool {
        guard let slot = try recordSlot(key, in: database), keyspace.removeField(slot, in: database, field) else {
            return false
        }
        changeCount &+= 1
        if extensionListens { tellExtension(changed: key, database: database) }
        if effects.isObserved { recordQuietly(.change, "hdel", .hash, key: key, database: database) }
        if journal.isOn {
            journal.form = .replaced
            journal.add(database: database) { words in
                words.add("HDEL")
                words.add(key)
                words.add(field)
            }
        }
        if slot.entry.fieldCount == 0 { _ = try removeRecord(key, in: database) }
        return true
    }

    /// The key, which may be a record's, has other tags than before; its value is the same.
    package func noteRelabelled(_ key: Span<UInt8>, in database: Int) {
        if extensionListens { tellExtension(changed: key, database: database) }
    }

    /// Whether there is room for more keys under `maxmemory`; makes some where the policy evicts.
    package mutating func hasRoom() -> Bool { makeRoom() != .none }

    /// Copies of `key` that clients hold are worth nothing any more, although the key itself did not change here.
    package mutating func tellTrackers(_ key: Span<UInt8>) { trackChange(of: key) }

    /// Whether anybody would be told by `tellTrackers`.
    package var hasTrackers: Bool { trackers.isOn }

    /// Replicas publish it to their clients too. Nothing else of the running command is affected.
    package mutating func forwardMessage(_ channel: Span<UInt8>, _ payload: Span<UInt8>) {
        guard journal.replicas.isOn else { return }
        journal.add(database: 0, readers: .replicas) { words in
            words.add("PUBLISH")
            words.add(channel)
            words.add(payload)
        }
    }
}
