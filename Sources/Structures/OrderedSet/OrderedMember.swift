// OrderedMember.swift - an `Entry` as a member of a large sorted set: the key bytes are the member, the first eight
// value bytes its score. The member table and the ordered tree point to the same entry; neither copies it, and whoever
// takes it out of both frees it through its arena. Touched under the engine's turn. A 16-byte member takes 32 bytes.
internal import Base
internal import CLinux

extension EntryArena {
    /// A new entry for `member`, which must not be longer than `Entry.bytesMax`; the caller owns it.
    package mutating func makeMember(_ member: Span<UInt8>, score: Double) -> Entry {
        let byteCount = Entry.byteCount(keyByteCount: member.count, valueByteCount: 8, hasExpiry: false)
        let entry = allocate(byteCount)
        entry.initialize(type: 0, encoding: 0, hasExpiry: false, keyByteCount: member.count, valueByteCount: 8)
        unsafe member.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress, source.count > 0 else { return }
            unsafe memcpy(entry.keyAddress, start, source.count)
        }
        entry.score = score
        return entry
    }
}

extension Entry {
    /// The score. Setting it directly is only right while the entry is in no tree; see `OrderedSet.update`.
    package var score: Double {
        @inline(__always) get { Double(bitPattern: valueWord()) }
        @inline(__always) nonmutating set { setValueWord(newValue.bitPattern) }
    }

    /// memcmp, then length: negative when this member sorts before `bytes`.
    @unsafe @inline(__always)
    func compareMember(_ bytes: UnsafePointer<UInt8>, count: Int) -> Int {
        let length = keyByteCount
        let order = unsafe memcmp(keyAddress, bytes, min(length, count))
        return order != 0 ? Int(order) : length &- count
    }

    /// memcmp, then length, against another entry's member.
    @inline(__always)
    func compareMember(_ other: Entry) -> Int {
        unsafe compareMember(other.keyAddress, count: other.keyByteCount)
    }

    /// Starts loading the entry's first cache line.
    @inline(__always)
    func prefetchHeader() { unsafe fog_prefetch(address) }
}
