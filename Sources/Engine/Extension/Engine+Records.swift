// Engine+Records.swift - the doors to records: ordinary hashes under `fog-key-prefix` whose keys are no arguments of
// the command that writes them. Everything else of a change is as with HSET, PEXPIREAT and DEL, which is also what the
// journal records: whoever reads it need not know the command. They serve commands (through `Call`) and the clock,
// which calls `finishOutsideOfCommand` behind them. Under the turn.
internal import Base
internal import Keyspace
package import Structures

/// What writing a record does to its time to live.
package enum RecordExpiry: Sendable {
    case kept
    /// Milliseconds since the epoch.
    case at(Int64)
}

extension Engine {
    /// The live hash at `key`; nil when there is none. A key of another type is refused.
    package mutating func recordSlot(_ key: Span<UInt8>, in database: Int) throws(CommandError) -> EntryTable.Slot? {
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        guard let slot = keyspace.find(key, hash: hash, in: database) else { return nil }
        if slot.entry.type != ObjectType.hash.rawValue { throw .wrongType }
        return slot
    }

    /// Sets fields of the hash at `key`, which is made when it is not there. `tells` says whether the extension hears
    /// of it like of anybody's change; not, when the caller brings its indexes up to date by itself.
    package mutating func setRecord(
        _ key: Span<UInt8>, in database: Int, _ fields: borrowing RecordFields, expiry: RecordExpiry,
        tells: Bool = true
    ) throws(CommandError) {
        guard !fields.isEmpty else { return }
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        if let slot = try recordSlot(key, in: database) {
            setFields(slot, in: database, fields)
        } else {
            make(key, hash: hash, in: database, fields)
        }
        noteRecordChange("hset", .hash, key, database, tells: tells)
        if journal.isOn { journalFields(key, database, fields) }
        guard case .at(let time) = expiry else { return }
        setRecordExpiry(key, in: database, to: time, tells: false)
    }

    private mutating func setFields(_ slot: EntryTable.Slot, in database: Int, _ fields: borrowing RecordFields) {
        let limits = recordLimits
        fields.forEach { field, value in
            keyspace.setField(slot, in: database, field, to: value, limits: limits)
        }
    }

    private var recordLimits: CompactLimits {
        CompactLimits(countMax: settings.hashMaxListpackEntries, byteCountMax: settings.hashMaxListpackValue)
    }

    /// A new hash, in one piece where it fits a listpack.
    private mutating func make(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, _ fields: borrowing RecordFields
    ) {
        let limits = recordLimits
        var room = 0
        var isSmall = !fields.mayRepeat && fields.count <= limits.countMax
        fields.forEach { field, value in
            room += Listpack.entryByteCount(of: field) + Listpack.entryByteCount(of: value)
            if max(field.count, value.count) > limits.byteCountMax { isSmall = false }
        }
        if !isSmall || room > Engine.recordByteCountMax {
            keyspace.makeListpack(key, hash: hash, in: database, type: .hash, room: 0) { _ in }
            guard let slot = keyspace.find(key, hash: hash, in: database) else {
                preconditionFailure("a key that was just made is there")
            }
            return setFields(slot, in: database, fields)
        }
        keyspace.makeListpack(key, hash: hash, in: database, type: .hash, room: room) { listpack in
            fields.forEach { field, value in
                listpack.append(field)
                listpack.append(value)
            }
        }
    }

    /// Records up to this size are made in one piece.
    private static var recordByteCountMax: Int { 4096 }

    /// Gives a record a time to die. False when it is not there.
    @discardableResult
    package mutating func setRecordExpiry(
        _ key: Span<UInt8>, in database: Int, to time: Int64, tells: Bool = true
    ) -> Bool {
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        guard let slot = keyspace.find(key, hash: hash, in: database) else { return false }
        keyspace.setExpiry(slot, hash: hash, in: database, to: time)
        changeCount &+= 1
        if extensionListens && tells { tellExtension(changed: key, database: database) }
        if effects.isObserved { recordQuietly(.event, "expire", .generic, key: key, database: database) }
        if journal.isOn {
            journal.form = .replaced
            journal.add(database: database) { words in
                words.add("PEXPIREAT")
                words.add(key)
                words.add(decimal: time)
            }
        }
        return true
    }

    /// Removes the key of a record; false when it is not there.
    package mutating func removeRecord(
        _ key: Span<UInt8>, in database: Int, tells: Bool = true
    ) throws(CommandError) -> Bool {
        guard let slot = try recordSlot(key, in: database) else { return false }
        keyspace.remove(slot, hash: KeyHash.hash(key, seed: KeyHash.seed), in: database)
        noteRecordChange("del", .generic, key, database, tells: tells)
        if journal.isOn {
            journal.form = .replaced
            journal.add(database: database) { words in
                words.add("DEL")
                words.add(key)
            }
        }
        return true
    }

    private mutating func noteRecordChange(
        _ event: StaticString, _ eventClass: KeyspaceEventClasses, _ key: Span<UInt8>, _ database: Int, tells: Bool
    ) {
        changeCount &+= 1
        if extensionListens && tells { tellExtension(changed: key, database: database) }
        if effects.isObserved { recordQuietly(.change, event, eventClass, key: key, database: database) }
    }

    private mutating func journalFields(_ key: Span<UInt8>, _ database: Int, _ fields: borrowing RecordFields) {
        journal.form = .replaced
        journal.add(database: database) { words in
            words.add("HSET")
            words.add(key)
            fields.forEach { field, value in
                words.add(field)
                words.add(value)
            }
        }
    }
}

extension Call {
    /// As `Engine.recordSlot`, in the session's database.
    package func recordSlot(_ key: Span<UInt8>) throws(CommandError) -> EntryTable.Slot? {
        try administration.recordSlot(key, in: session.database)
    }

    /// Refuses the command when the session's user may not use `key`, which is none of the command's arguments: the
    /// gate before the command could not see it. Call it before anything changes.
    package func checkRecordAccess(_ key: Span<UInt8>, _ flags: KeySpec.Flags) throws(CommandError) {
        guard session.gates.contains(.limited) else { return }
        guard administration.mayUse(key, flags, session.account.user, slot, arguments) else {
            throw .message("NOPERM No permissions to access a key")
        }
    }

    /// A tracking client read `key`, which is none of the command's arguments.
    package func noteRecordRead(_ key: Span<UInt8>) {
        guard session.gates.contains(.tracking) else { return }
        administration.rememberRead(key, by: sessionReference)
    }
}
