// Engine+RecordStreams.swift - the door to histories that belong to records: ordinary streams under `fog-key-prefix`,
// bounded in length. What is appended is recorded as XADD, notified and tracked like it. Under the turn.
internal import Base
internal import Keyspace
package import Structures

extension Engine {
    /// The live stream at `key`; nil when there is none. A key of another type is refused.
    package mutating func recordStream(_ key: Span<UInt8>, in database: Int) throws(CommandError) -> EntryTable.Slot? {
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        guard let slot = keyspace.find(key, hash: hash, in: database) else { return nil }
        if slot.entry.type != ObjectType.stream.rawValue { throw .wrongType }
        return slot
    }

    /// Appends `fields` to the stream at `key`, which is made when it is not there and keeps its newest `countMax`
    /// entries. A stream whose identifiers are used up stays as it is.
    package mutating func appendToRecordStream(
        _ key: Span<UInt8>, in database: Int, _ fields: borrowing RecordFields, countMax: Int
    ) throws(CommandError) {
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        var found = try recordStream(key, in: database)
        let last = found?.entry.stream.lastID ?? .zero
        guard let id = StreamID.generated(after: last, nowMilliseconds: UInt64(max(keyspace.now, 0))) else { return }
        if found == nil {
            keyspace.setStream(key, hash: hash, in: database, slot: nil, stream: StreamLog(), expiry: nil)
            found = keyspace.find(key, hash: hash, in: database)
        }
        guard let slot = found else { preconditionFailure("a key that was just made is there") }
        let limits = StreamLog.Limits(
            nodeBytesMax: settings.streamNodeMaxBytes, nodeEntriesMax: settings.streamNodeMaxEntries)
        keyspace.updateStream(slot, in: database, .entries) { stream in
            var draft = stream.beginEntry(
                id, pairCount: fields.count, byteCount: fields.byteCount, limits: limits)
            fields.forEach { field, _ in stream.offerField(field, &draft) }
            fields.forEach { field, value in stream.addPair(field, value, &draft) }
            stream.endEntry(draft)
            _ = stream.trim(.length(countMax), isApproximate: false, limit: 0, policy: .keep)
        }
        changeCount &+= 1
        if effects.isObserved { recordQuietly(.change, "xadd", .stream, key: key, database: database) }
        guard journal.isOn else { return }
        var text = ByteBuffer()
        id.append(to: &text)
        journal.form = .replaced
        journal.add(database: database) { words in
            words.add("XADD")
            words.add(key)
            words.add("MAXLEN")
            words.add("=")
            words.add(decimal: Int64(countMax))
            words.add(text.span)
            fields.forEach { field, value in
                words.add(field)
                words.add(value)
            }
        }
    }
}
