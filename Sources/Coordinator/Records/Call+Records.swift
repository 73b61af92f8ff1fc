// Call+Records.swift - the doors that every FOG command uses: its record by kind and id, its index, its words. A record
// is an ordinary hash; what is written here is recorded as HSET, PEXPIREAT and DEL, notified and tracked like them.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

extension Call {
    var coordinator: CoordinatorState {
        guard let state = coordination as? CoordinatorState else {
            preconditionFailure("the server installs the coordinator before commands run")
        }
        return state
    }

    /// The words behind the command's name, whichever of its names it was called by.
    @_lifetime(copy self)
    func words() -> Options { options(from: firstWord) }

    /// The record's key.
    func recordKey(_ kind: RecordKind, _ id: Span<UInt8>) -> ByteBuffer {
        let prefix = coordinator.prefix
        var key = ByteBuffer(capacity: prefix.count + id.count + 16)
        key.append(prefix)
        key.append(kind.prefix)
        key.append(id)
        return key
    }

    /// The record of `id`, for commands that only read: counts a hit or miss like HGETALL, is remembered for clients
    /// that track, and refused to users who may not read it.
    func record(_ kind: RecordKind, _ id: Span<UInt8>) throws(CommandError) -> Entry? {
        let key = recordKey(kind, id)
        try checkRecordAccess(key.span, [.readOnly, .access])
        noteRecordRead(key.span)
        guard let slot = try recordSlot(key.span) else {
            keyspace.statistics.misses &+= 1
            return nil
        }
        keyspace.statistics.hits &+= 1
        keyspace.noteAccess(slot.entry, silently: session.isNoTouch)
        return slot.entry
    }

    /// The record of `id` as it is, for commands that have checked the user's rights and look at many.
    func peekRecord(_ kind: RecordKind, _ id: Span<UInt8>) -> Entry? {
        let key = recordKey(kind, id)
        let hash = KeyHash.hash(key.span, seed: KeyHash.seed)
        guard let slot = keyspace.find(key.span, hash: hash, in: session.database), slot.entry.objectType == .hash
        else { return nil }
        return slot.entry
    }

    /// Refuses users who may not write the record, and ids that make no key. Before anything changes.
    func checkWrite(_ kind: RecordKind, _ id: Span<UInt8>) throws(CommandError) {
        if id.isEmpty { throw .message("ERR an id cannot be empty") }
        guard session.gates.contains(.limited) else { return }
        let key = recordKey(kind, id)
        try checkRecordAccess(key.span, [.readWrite, .access, .update])
    }

    /// Refuses users who may not read the record.
    func checkRead(_ kind: RecordKind, _ id: Span<UInt8>) throws(CommandError) {
        guard session.gates.contains(.limited) else { return }
        let key = recordKey(kind, id)
        try checkRecordAccess(key.span, [.readOnly, .access])
    }

    /// Refuses users who may not read whatever record of the kind.
    func checkReadAll(_ kind: RecordKind) throws(CommandError) {
        guard session.gates.contains(.limited) else { return }
        let key = recordKey(kind, Span())
        try checkRecordAccess(key.span, [.readOnly, .access])
    }

    /// Writes fields of a record. `tells` false when the caller changes the kind's index itself.
    func writeRecord(
        _ kind: RecordKind, _ id: Span<UInt8>, _ fields: borrowing RecordFields, expiry: RecordExpiry,
        tells: Bool = true
    ) throws(CommandError) {
        let key = recordKey(kind, id)
        try administration.setRecord(key.span, in: session.database, fields, expiry: expiry, tells: tells)
    }

    /// Removes a record; false when there was none.
    func removeRecord(_ kind: RecordKind, _ id: Span<UInt8>, tells: Bool = true) throws(CommandError) -> Bool {
        let key = recordKey(kind, id)
        return try administration.removeRecord(key.span, in: session.database, tells: tells)
    }

    /// When a record that says nothing else dies: `fog-default-ttl` from now.
    var defaultExpiry: RecordExpiry {
        let seconds = coordinator.settings.defaultTTLSeconds
        return seconds == 0 ? .kept : .at(now + Int64(seconds) * 1000)
    }

    /// The index of `kind` in the session's database, up to date.
    func index(_ kind: RecordKind) -> any RecordIndex {
        let state = coordinator
        let records = state.records(session.database, &administration)
        let prefix = state.prefix
        records.settle(kind, &administration, database: session.database, prefix: prefix.span)
        return records.indexes[kind.rawValue]
    }

    /// The number of the node that the first word names.
    func firstNode(_ nodes: NodeIndex) throws(CommandError) -> Int {
        let id = arguments[firstWord]
        try checkRead(.node, id)
        guard let number = nodes.number(id) else { throw NodeLife.unknownNode }
        return number
    }

    /// The nodes of the session's database.
    var nodes: NodeIndex {
        guard let index = index(.node) as? NodeIndex else { preconditionFailure("nodes have an index of their own") }
        return index
    }
}
