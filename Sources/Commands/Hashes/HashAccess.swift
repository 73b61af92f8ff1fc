// HashAccess.swift - what the hash commands share: finding a hash, its limits, and writing one field. Engine's turn
// only.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

extension Call {
    /// When a hash outgrows its listpack.
    @inline(__always)
    var hashLimits: CompactLimits {
        CompactLimits(countMax: settings.hashMaxListpackEntries, byteCountMax: settings.hashMaxListpackValue)
    }

    /// The hash at argument `index`, for commands that only read. Fields whose time has passed are gone, or hidden.
    @inline(__always)
    func readHash(_ index: Int) throws(CommandError) -> Entry? {
        guard let entry = try read(index, .hash) else { return nil }
        guard _slowPath(mayHaveDeadFields(entry)), let slot = find(index) else { return entry }
        return expireFields(slot) ? nil : slot.entry
    }

    /// As `readHash`, for commands that read and may change the hash.
    @inline(__always)
    func readHashSlot(_ index: Int) throws(CommandError) -> EntryTable.Slot? {
        guard let slot = try readSlot(index, .hash) else { return nil }
        return _slowPath(mayHaveDeadFields(slot.entry)) && expireFields(slot) ? nil : slot
    }

    /// The slot of the hash at argument `index`, for commands that change it.
    @inline(__always)
    func findHash(_ index: Int) throws(CommandError) -> EntryTable.Slot? {
        guard let slot = try find(index, .hash) else { return nil }
        return _slowPath(mayHaveDeadFields(slot.entry)) && expireFields(slot) ? nil : slot
    }

    /// The slot of the hash at argument 1, which is made, without fields, when the key does not exist. The caller adds
    /// to it.
    func hashSlot(room: Int) throws(CommandError) -> EntryTable.Slot {
        if let slot = try findHash(1) { return slot }
        let hash = hash(1)
        keyspace.makeListpack(arguments[1], hash: hash, in: session.database, type: .hash, room: room) { _ in }
        guard let slot = keyspace.find(arguments[1], hash: hash, in: session.database) else {
            preconditionFailure("a key that was just made is there")
        }
        return slot
    }

    /// Sets one field of the hash at argument 1, which is made when it does not exist. True when the field is new.
    @discardableResult
    func setField(
        _ field: Span<UInt8>, to value: Span<UInt8>, _ expiry: FieldExpiry = .cleared
    ) throws(CommandError) -> Bool {
        let room = Listpack.entryByteCount(of: field) + Listpack.entryByteCount(of: value)
        let slot = try hashSlot(room: room)
        return keyspace.setField(slot, in: session.database, field, to: value, expiry, limits: hashLimits)
    }

    /// When `field` of the hash at argument 1 dies; nil when it is not there or does not.
    func fieldExpiry(_ field: Span<UInt8>) -> Int64? {
        guard let entry = keyspace.find(arguments[1], hash: hash(1), in: session.database)?.entry,
            entry.hasExpiringFields
        else { return nil }
        return entry.liveMember(field, now: now)?.expiry
    }
}
