// CompactValue+Making.swift - a new small collection written straight into its key's entry: no buffer in between and no
// entry that is outgrown at once, because whoever adds the first elements knows how many bytes they take.
// Engine's turn only.
internal import Base
package import Structures

extension Database {
    mutating func makeListpack(
        _ key: Span<UInt8>, hash: UInt64, type: ObjectType, room: Int, garbage: inout Garbage,
        _ fill: (inout Listpack) -> Void
    ) {
        let overhead = Entry.byteCount(keyByteCount: key.count, valueByteCount: 0, hasExpiry: false)
        let entry = makeEntry(
            key, valueByteCount: CompactValue.capacity(needed: Listpack.emptyByteCount + room, overhead: overhead),
            type: type, encoding: CollectionEncoding.listpack.rawValue, expiry: nil)
        var lent = unsafe ByteBuffer(borrowing: entry.valueAddress, count: 0, capacity: entry.valueByteCount)
        Listpack.appendEmpty(to: &lent)
        var listpack = Listpack(adopting: lent)
        fill(&listpack)
        let written = listpack.take()
        precondition(!written.ownsMemory, "a new listpack fits into the room that was asked for")
        install(entry, hash: hash, slot: nil, garbage: &garbage)
    }

    mutating func makeIntset(
        _ key: Span<UInt8>, hash: UInt64, room: Int, garbage: inout Garbage, _ fill: (inout Intset) -> Void
    ) {
        let overhead = Entry.byteCount(keyByteCount: key.count, valueByteCount: 0, hasExpiry: false)
        let entry = makeEntry(
            key, valueByteCount: CompactValue.capacity(needed: Intset.emptyByteCount + room, overhead: overhead),
            type: .set, encoding: CollectionEncoding.intset.rawValue, expiry: nil)
        var lent = unsafe ByteBuffer(borrowing: entry.valueAddress, count: 0, capacity: entry.valueByteCount)
        Intset.appendEmpty(to: &lent)
        var intset = Intset(adopting: lent)
        fill(&intset)
        let written = intset.take()
        precondition(!written.ownsMemory, "a new intset fits into the room that was asked for")
        install(entry, hash: hash, slot: nil, garbage: &garbage)
    }
}

extension Keyspace {
    /// Makes `key`, which does not exist, a collection in a listpack that `fill` writes, with at most `room` bytes of
    /// entries (`Listpack.entryByteCount`).
    @inline(__always)
    package mutating func makeListpack(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, type: ObjectType, room: Int,
        _ fill: (inout Listpack) -> Void
    ) {
        self[database].makeListpack(key, hash: hash, type: type, room: room, garbage: &garbage, fill)
    }

    /// As `makeListpack`, for a set of integers; `room` is eight bytes for each.
    @inline(__always)
    package mutating func makeIntset(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, room: Int, _ fill: (inout Intset) -> Void
    ) {
        self[database].makeIntset(key, hash: hash, room: room, garbage: &garbage, fill)
    }
}
