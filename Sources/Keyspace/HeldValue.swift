// HeldValue.swift - values that live outside their entry: the one place where a type says how such a value is counted,
// copied and freed. An entry of a held value carries only words that lead to it, so renaming or moving a key copies
// the entry's bytes and never the value. A type plugs in by a case in each of the functions below.
// Engine's turn only, except `freeNow`, which the background thread calls for flushed databases it owns.
internal import Base
internal import CLinux
package import Structures

extension Entry {
    /// Whether freeing the entry is more than freeing its memory: a value behind it, or one that is asleep and counted
    /// (`Tiering/`). One test for all types.
    @inline(__always)
    package var hasHeldValue: Bool { encoding & HeldValue.encodingBit != 0 }
}

enum HeldValue {
    /// The bit of an entry's encoding that says, for every type, that the value lives outside the entry.
    static let encodingBit = 8

    /// Bytes that the allocator gave for the value behind `entry`.
    static func byteCount(_ entry: Entry) -> Int {
        if entry.isAsleep { return 0 }
        switch entry.objectType {
        case .string:
            let byteCount = unsafe Allocated.byteCount(ExternalValue.address(entry))
            return byteCount + EntryArena.padByteCount(allocated: byteCount)
        case .list: return ListValue.allocatedByteCount(entry)
        case .set, .hash: return MemberValue.allocatedByteCount(entry)
        case .sortedSet: return SortedSetValue.allocatedByteCount(entry)
        case .stream: return StreamValue.allocatedByteCount(entry)
        }
    }

    /// Of these, what the process allocator does not know about.
    static func slabByteCount(_ entry: Entry) -> Int {
        if entry.isAsleep { return 0 }
        switch entry.objectType {
        case .string, .list, .stream: return 0
        case .set, .hash: return unsafe MemberValue.pointer(entry).pointee.slabByteCount
        case .sortedSet: return unsafe SortedSetValue.pointer(entry).pointee.slabByteCount
        }
    }

    /// And what it takes beside them and does not tell.
    static func padByteCount(_ entry: Entry) -> Int {
        guard entry.isString, !entry.isAsleep else { return 0 }
        return unsafe EntryArena.padByteCount(allocated: Allocated.byteCount(ExternalValue.address(entry)))
    }

    /// Makes `copy`, whose value bytes equal those of `entry`, lead to a value of its own.
    /// Returns the bytes that the allocator gave for it.
    static func duplicate(_ entry: Entry, into copy: Entry) -> Int {
        switch entry.objectType {
        case .string: return duplicateString(entry, into: copy)
        case .list: return ListValue.duplicate(entry, into: copy)
        case .set, .hash: return MemberValue.duplicate(entry, into: copy)
        case .sortedSet: return SortedSetValue.duplicate(entry, into: copy)
        case .stream: return StreamValue.duplicate(entry, into: copy)
        }
    }

    /// Hands the value behind `entry` to `garbage`, which frees it at once or in the background.
    static func free(_ entry: Entry, byteCount: Int, garbage: inout Garbage) {
        switch entry.objectType {
        case .string: unsafe garbage.free(ExternalValue.address(entry), byteCount: byteCount)
        case .list: ListValue.free(entry, byteCount: byteCount, garbage: &garbage)
        case .set, .hash: MemberValue.free(entry, garbage: &garbage)
        case .sortedSet: SortedSetValue.free(entry, garbage: &garbage)
        case .stream: StreamValue.free(entry, byteCount: byteCount, garbage: &garbage)
        }
    }

    /// Frees the value behind `entry` on the calling thread.
    static func freeNow(_ entry: Entry) {
        if entry.isAsleep { return }
        freeNow(entry.objectType, UInt(truncatingIfNeeded: entry.valueWord()))
    }

    /// Frees the value that an entry of `type` led to by its first word, on the calling thread.
    static func freeNow(_ type: ObjectType, _ word: UInt) {
        switch type {
        case .string: unsafe CLinux.free(UnsafeMutableRawPointer(bitPattern: word))
        case .list: ListValue.freeNow(word)
        case .set, .hash: MemberValue.freeNow(word)
        case .sortedSet: SortedSetValue.freeNow(word)
        case .stream: StreamValue.freeNow(word)
        }
    }

    private static func duplicateString(_ entry: Entry, into copy: Entry) -> Int {
        let count = ExternalValue.count(entry)
        let memory = unsafe EntryArena.room(count).assumingMemoryBound(to: UInt8.self)
        unsafe memcpy(memory, ExternalValue.address(entry), count)
        unsafe ExternalValue.set(copy, address: memory, count: count)
        return byteCount(copy)
    }
}
