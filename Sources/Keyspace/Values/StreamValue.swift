// StreamValue.swift - streams as values of keys: a stream log in memory of its own, whose address is the entry's one
// word. One door reads (`Entry.stream`), one changes (`Keyspace.updateStream`): the latter keeps the database's byte
// account. A stream may be empty, so its key stays until somebody deletes it. Engine's turn only, except freeing,
// which is for whoever owns the stream.
internal import Base
internal import CLinux
package import Structures

/// What a command is about to change of a stream. The byte account looks at nothing else, so adding an entry costs the
/// same with one group and with a thousand.
package enum StreamChange {
    /// Entries and counters.
    case entries
    /// One group: its place, its pending list, its consumers.
    case group(StreamGroup)
    /// Everything, several groups among it.
    case all
}

enum StreamValue {
    /// Bit 3: the value lies outside its entry.
    static let encoding = HeldValue.encodingBit
    /// The entry's value: the address of the stream log.
    static let byteCount = 8
    /// Streams beyond either are freed in the background.
    private static let nodeCountMax = 64
    private static let byteCountMax = 1 << 20

    @unsafe static func pointer(_ entry: Entry) -> UnsafeMutablePointer<StreamLog> {
        precondition(entry.type == ObjectType.stream.rawValue, "only a stream's entry leads to a stream log")
        return unsafe pointer(UInt(truncatingIfNeeded: entry.valueWord()))
    }

    @unsafe private static func pointer(_ word: UInt) -> UnsafeMutablePointer<StreamLog> {
        unsafe UnsafeMutablePointer(bitPattern: word).unsafelyUnwrapped
    }

    /// Moves `stream` to memory of its own; the word that leads there.
    static func allocate(_ stream: consuming StreamLog) -> UInt {
        let byteCount = MemoryLayout<StreamLog>.stride
        guard let room = unsafe malloc(byteCount) else { outOfMemory(byteCount: byteCount) }
        unsafe room.bindMemory(to: StreamLog.self, capacity: 1).initialize(to: stream)
        return UInt(bitPattern: room)
    }

    /// Bytes that the allocator gave for the stream of `entry`.
    static func allocatedByteCount(_ entry: Entry) -> Int {
        let stream = unsafe pointer(entry)
        return unsafe Allocated.byteCount(stream) + stream.pointee.allocatedBytes
    }

    /// Gives `copy` a stream of its own, equal to that of `entry`, groups included; returns its bytes.
    static func duplicate(_ entry: Entry, into copy: Entry) -> Int {
        copy.setValueWord(UInt64(allocate(unsafe pointer(entry).pointee.duplicate())))
        return allocatedByteCount(copy)
    }

    /// Frees the stream of `entry` at once, or hands a large one to `garbage`.
    static func free(_ entry: Entry, byteCount: Int, garbage: inout Garbage) {
        if unsafe pointer(entry).pointee.nodeCount > nodeCountMax || byteCount > byteCountMax {
            garbage.add(valueOf: entry)
        } else {
            freeNow(entry)
        }
    }

    static func freeNow(_ entry: Entry) {
        freeNow(UInt(truncatingIfNeeded: entry.valueWord()))
    }

    /// Frees the stream that a word of `allocate` leads to, on the calling thread.
    static func freeNow(_ word: UInt) {
        let stream = unsafe pointer(word)
        unsafe stream.deinitialize(count: 1)
        unsafe CLinux.free(stream)
    }

    /// Frees a detached group at once, or hands a large one to `garbage`.
    static func free(_ group: StreamGroup, garbage: inout Garbage) {
        let byteCount = group.allocatedBytes
        if byteCount > byteCountMax {
            garbage.add(.stream, allocate(StreamLog(holding: group)), byteCount: byteCount)
        } else {
            group.free()
        }
    }
}

extension Entry {
    /// The stream behind a stream's entry, for reading. Valid until the stream is changed or its key goes.
    package var stream: StreamLog {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(StreamValue.pointer(self)) }
    }
}

extension Database {
    /// Makes `stream` the value of `key`, in the place of whatever the slot has.
    mutating func setStream(
        _ key: Span<UInt8>, hash: UInt64, slot: EntryTable.Slot?, stream: consuming StreamLog, expiry: Int64?,
        garbage: inout Garbage
    ) {
        let entry = makeEntry(
            key, valueByteCount: StreamValue.byteCount, type: .stream, encoding: StreamValue.encoding, expiry: expiry)
        entry.setValueWord(UInt64(StreamValue.allocate(stream)))
        externalByteCount += StreamValue.allocatedByteCount(entry)
        install(entry, hash: hash, slot: slot, garbage: &garbage)
    }

    mutating func updateStream(_ entry: Entry, _ change: StreamChange, _ body: (inout StreamLog) -> Void) {
        willChange(entry)
        let stream = unsafe StreamValue.pointer(entry)
        let before = unsafe Database.byteCount(of: stream.pointee, change)
        unsafe body(&stream.pointee)
        externalByteCount += unsafe Database.byteCount(of: stream.pointee, change) - before
        entry.version &+= 1
    }

    private static func byteCount(of stream: borrowing StreamLog, _ change: StreamChange) -> Int {
        switch change {
        case .entries: stream.entryBytes
        case .group(let group): group.allocatedBytes
        case .all: stream.allocatedBytes
        }
    }
}

extension Keyspace {
    /// Makes `stream` the value of `key`, in the place of whatever the slot has.
    package mutating func setStream(
        _ key: Span<UInt8>, hash: UInt64, in database: Int, slot: EntryTable.Slot?, stream: consuming StreamLog,
        expiry: Int64?
    ) {
        self[database].setStream(key, hash: hash, slot: slot, stream: stream, expiry: expiry, garbage: &garbage)
    }

    /// The one door through which a stream is changed.
    @inline(__always)
    package mutating func updateStream(
        _ slot: EntryTable.Slot, in database: Int, _ change: StreamChange, _ body: (inout StreamLog) -> Void
    ) {
        self[database].updateStream(slot.entry, change, body)
    }

    /// Takes the group `name` out of a stream and frees it, a large one in the background. False when there is none.
    package mutating func removeStreamGroup(_ name: Span<UInt8>, of slot: EntryTable.Slot, in database: Int) -> Bool {
        var detached: StreamGroup?
        self[database].updateStream(slot.entry, .all) { detached = $0.detachGroup(named: name) }
        guard let detached else { return false }
        StreamValue.free(detached, garbage: &garbage)
        return true
    }
}
