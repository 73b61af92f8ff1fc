// ValueCodec.swift - the one place that turns values of keys to RDB bytes and back: DUMP and RESTORE, RDB files, the
// base of an AOF and full transfers to replicas all come here. Engine's turn only while an entry is read; reading
// builds detached values, which touch no keyspace until `Keyspace.place` puts them there.
//
// To add a type:
//  1. `Codec/<Type>Codec.swift` with `enum <Type>Codec`: `typeCode(of:)`, `append(_:from:to:)` and `read(_:from:)` as
//     `ListCodec` has them.
//     - `append` writes from `position` (yours to interpret; a fresh one is the start) until the value is complete
//       (returns true) or `sink.isFull` (returns false, position advanced). Between two calls the value does not
//       change. Look at `isFull` after every element or node, so that a huge value never holds the turn for long; it
//       is never true before something was appended.
//     - `read` takes elements from the reader, whose every method checks; a compact form goes through `validate` of
//       its structure (`Listpack.validate(_:uniqueEach:)`, `Intset.validate`, `Ziplist.validate`, `Zipmap.validate`)
//       before it is believed. Never reserve memory by a count that was read. Duplicates of members are an error.
//       A value without elements is `.nothing`.
//  2. A case in `DetachedValue`, in the three switches below and in `Keyspace.place`.
//  3. Write the form that Redis 7.0 reads wherever it has the type; `ValueCode` has all type numbers. A value that
//     needs a newer file version says so in `versionNeeded`.
package import Base
package import Structures

/// A value that was read and is in no keyspace yet.
package enum DetachedValue: ~Copyable {
    /// Well-formed, but there is nothing in it: Redis drops such keys when it loads a file.
    case nothing
    case text(ByteBuffer)
    case list(Quicklist)
    case sortedSet(SortedSetDraft)
    case set(SetBuilder)
    case hash(HashBuilder)
    case stream(StreamLog)

    package var isNothing: Bool {
        switch self {
        case .nothing: true
        default: false
        }
    }
}

/// How far a value has been written. Each codec has its own meaning for the words; both 0 at the start.
package struct ValuePosition: Sendable {
    package var step = 0
    package var word: UInt64 = 0
    package var lowWord: UInt64 = 0
    package var part = 0
    package var index = 0
    package init() {}
}

package enum ValueCodec {
    /// The number of the form in which `append` writes the value.
    package static func typeCode(of entry: Entry) -> UInt8 {
        switch entry.objectType {
        case .string: StringCodec.typeCode(of: entry)
        case .list: ListCodec.typeCode(of: entry)
        case .set: SetCodec.typeCode(of: entry)
        case .hash: HashCodec.typeCode(of: entry)
        case .stream: StreamCodec.typeCode(of: entry)
        case .sortedSet: SortedSetCodec.typeCode(of: entry)
        }
    }

    /// The oldest file version that has the form in which the value is written.
    package static func versionNeeded(_ type: UInt8) -> Int {
        type >= ValueCode.hashMetadataPreview ? ValueCode.versionOfExpiringFields : ValueCode.versionWritten
    }

    /// Appends the value of `entry` from `position` on; true when it is complete, false when the sink is full.
    package static func append(_ entry: Entry, from position: inout ValuePosition, to sink: inout ValueSink) -> Bool {
        switch entry.objectType {
        case .string: return StringCodec.append(entry, from: &position, to: &sink)
        case .list: return ListCodec.append(entry, from: &position, to: &sink)
        case .set: return SetCodec.append(entry, from: &position, to: &sink)
        case .hash: return HashCodec.append(entry, from: &position, to: &sink)
        case .stream: return StreamCodec.append(entry, from: &position, to: &sink)
        case .sortedSet: return SortedSetCodec.append(entry, from: &position, to: &sink)
        }
    }

    /// Reads a value that stands under `type`.
    package static func read(_ type: UInt8, from reader: inout ValueReader) throws(ValueError) -> DetachedValue {
        switch type {
        case ValueCode.string: return try StringCodec.read(from: &reader)
        case ValueCode.list, ValueCode.listZiplist, ValueCode.listQuicklist, ValueCode.listQuicklist2:
            return try ListCodec.read(type, from: &reader)
        case ValueCode.sortedSet, ValueCode.sortedSet2, ValueCode.sortedSetZiplist, ValueCode.sortedSetListpack:
            return try SortedSetCodec.read(type, from: &reader)
        case ValueCode.set, ValueCode.setIntset, ValueCode.setListpack:
            return try SetCodec.read(type, from: &reader)
        case ValueCode.hash, ValueCode.hashZipmap, ValueCode.hashZiplist, ValueCode.hashListpack,
            ValueCode.hashMetadataPreview, ValueCode.hashListpackExpiringPreview, ValueCode.hashMetadata,
            ValueCode.hashListpackExpiring:
            return try HashCodec.read(type, from: &reader)
        case ValueCode.streamListpacks, ValueCode.streamListpacks2, ValueCode.streamListpacks3:
            return try StreamCodec.read(type, from: &reader)
        default: throw .expected("a type of value that this server knows")
        }
    }
}

extension Keyspace {
    /// Makes a value that was read the value of `key`, in the place of whatever the slot has. False for `.nothing`,
    /// which changes nothing.
    package mutating func place(
        _ value: consuming DetachedValue, at key: Span<UInt8>, hash: UInt64, in database: Int,
        slot: EntryTable.Slot?, expiry: Int64?
    ) -> Bool {
        if let slot { willReplace(slot, in: database) }
        switch consume value {
        case .nothing: return false
        case .text(let text):
            setString(key, hash: hash, in: database, slot: slot, value: text.span, expiry: expiry)
        case .list(let list):
            setList(key, hash: hash, in: database, slot: slot, list: list, expiry: expiry)
        case .sortedSet(let draft):
            setSortedSet(key, hash: hash, in: database, slot: slot, draft: draft, expiry: expiry)
        case .set(let set):
            setSet(key, hash: hash, in: database, slot: slot, set: set, expiry: expiry)
        case .hash(let fields):
            setHash(key, hash: hash, in: database, slot: slot, fields: fields, expiry: expiry)
        case .stream(let stream):
            setStream(key, hash: hash, in: database, slot: slot, stream: stream, expiry: expiry)
        }
        return true
    }
}
