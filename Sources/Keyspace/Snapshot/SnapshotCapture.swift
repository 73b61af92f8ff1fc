// SnapshotCapture.swift - a point-in-time copy of the keyspace, taken while writes go on and without fork. Engine's
// turn only; what it produces (pieces of an RDB body) goes to another thread.
//
// How it is exact: every entry carries one epoch bit. Beginning a snapshot flips the epoch of each database, so the
// entries of that moment are those with the old bit and everything written later has the new one. The walk goes
// through the table in hash order in bounded slices, writes old entries out and gives them the new bit. A write that
// is about to change or remove an old entry hands it over first (`Database.willChange`, `dispose`). Table segments may
// split and merge meanwhile: the marks are on entries, so nothing is lost or taken twice. After the walk all bits are
// equal again. Values on disk come first, in the order of the files (`Snapshot+Cold.swift`).
//
// A value larger than a piece is written over several slices ("open record"). A write to it meanwhile finishes it at
// once; a write that removes it gives it to the snapshot, which frees it when it is done. Records of other keys that
// are handed over meanwhile wait in a buffer of their own, since records cannot interleave.
package import Base
internal import ColdStore
internal import Structures

/// A part of an RDB body on its way to the thread that writes it. A class because it is one box per quarter megabyte
/// that changes threads once.
package final class SnapshotPiece: Sendable {
    package let bytes: ByteBuffer
    /// Where strings begin that may be compressed; see `ValueSink.marks`.
    package let marks: [UInt32]

    /// Calls `body` with the bytes.
    package func withBytes(_ body: (Span<UInt8>) -> Void) { bytes.withBytes(body) }

    init(_ piece: consuming ValueSink.Piece) {
        marks = piece.marks
        bytes = piece.takeBytes()
    }
}

package final class SnapshotCapture {
    /// So much is collected before it goes to the writing thread.
    static let pieceByteCount = 256 << 10
    /// Removed values from this size on are given to the snapshot instead of being copied at once.
    private static let donatedByteCountMin = 64 << 10
    /// A write to a value of this size that is not taken yet had better wait until it is, slice by slice.
    static let largeByteCountMin = 64 << 10

    private struct OpenRecord {
        var entry: Entry
        var position: ValuePosition
        var number: Int
        /// Its key is gone, the entry is freed when its record is complete.
        var isDonated: Bool
    }

    private var sink: ValueSink
    /// Records handed over while a record is open in `sink`.
    private var waiting: ValueSink
    private var waitingPieces: [SnapshotPiece] = []
    private var open: OpenRecord?
    /// Removed entries whose values are written when their turn comes; they are this snapshot's to free.
    private var donated: [(entry: Entry, number: Int)] = []
    /// Records on disk are being gone through.
    private(set) var isPassingRecords = false
    /// Removed entries whose values are on disk, by their addresses: they wait for their records to be met.
    private var removed: [ColdAddress: (entry: Entry, number: Int)] = [:]
    /// Databases that were flushed or replaced while the snapshot needs them.
    var flushed: [FlushedDatabase] = []
    /// The database that the last record belongs to.
    private var lastNumber = -1
    private let deliver: (SnapshotPiece) -> Void
    private let tags: TagTable
    /// Makes values that are asleep readable.
    private let tiers: TierStore

    /// Where the walk is: the database's number and the place in its hash space.
    var number = 0
    var position: UInt64 = 0
    let databaseCount: Int
    /// Set when nobody wants the rest: entries get the new bit and nothing is written.
    private(set) var isAbandoned = false
    /// Every entry has been taken.
    var isComplete = false
    /// Keys there were at the beginning, and keys written since.
    package let keysTotal: Int
    package private(set) var keysWritten = 0
    /// Entries that writes handed over before the walk came to them.
    package private(set) var keysHandedOver = 0
    /// The newest file version that a record needed.
    package private(set) var versionNeeded = ValueCode.versionWritten

    init(
        databaseCount: Int, keysTotal: Int, tags: TagTable, tiers: TierStore, compresses: Bool,
        deliver: @escaping (SnapshotPiece) -> Void
    ) {
        self.tags = tags
        self.tiers = tiers
        self.databaseCount = databaseCount
        self.keysTotal = keysTotal
        self.deliver = deliver
        let compression = compresses ? ValueSink.Compression.later : .never
        sink = ValueSink(compression, pieceByteCount: SnapshotCapture.pieceByteCount)
        waiting = ValueSink(compression, pieceByteCount: SnapshotCapture.pieceByteCount)
    }

    // MARK: taking entries

    /// Values that writers wait for; looked up again when their turn comes, since they may be gone by then.
    private var wanted: [WantedValue] = []

    struct WantedValue {
        let key: [UInt8]
        let hash: UInt64
        let number: Int
    }

    /// Work that comes before the walk goes on: an open record first, then what writers wait for, then removed values.
    var hasOpenRecord: Bool { open != nil }
    /// Whether the record of `entry` is open, so that it must stay where it is.
    func isWriting(_ entry: Entry) -> Bool { open?.entry == entry }
    var hasRemovedValues: Bool { !donated.isEmpty }

    /// A writer waits for this value.
    func want(_ value: WantedValue) {
        if !wanted.contains(where: { $0.number == value.number && $0.hash == value.hash }) { wanted.append(value) }
    }

    func takeWanted() -> WantedValue? { wanted.isEmpty ? nil : wanted.removeFirst() }

    /// An entry is about to change. It has the new bit already, unless its record is open.
    func handOver(_ entry: Entry, number: Int) {
        if isAbandoned || isInvalidated(entry) { return }
        keysHandedOver += 1
        guard let value = tiers.awake(entry) else { return }
        if var record = open {
            if record.entry == entry {
                while !appendSlice(entry, from: &record.position) {}
                closeRecord()
                return
            }
            SnapshotCapture.appendWhole(value, tags, number, &lastNumber, &waiting)
            if waiting.hasPiece { waitingPieces.append(SnapshotPiece(waiting.take())) }
        } else {
            SnapshotCapture.appendWhole(value, tags, number, &lastNumber, &sink)
            if sink.hasPiece { flushSink() }
        }
        noteRecord(value)
    }

    /// An entry left the table and will be freed. True when the snapshot keeps it until its value is written.
    func keep(_ entry: Entry, number: Int) -> Bool {
        if isAbandoned { return false }
        if open?.entry == entry {
            open?.isDonated = true
            return true
        }
        if isInvalidated(entry) { return false }
        // A value on disk is read when its turn comes, not by whoever removes its key.
        if isPassingRecords && entry.tier == .cold {
            removed[SleepingValue(entry).coldAddress] = (entry, number)
            return true
        }
        let isLarge = entry.hasHeldValue && HeldValue.byteCount(entry) >= SnapshotCapture.donatedByteCountMin
        if isLarge || entry.tier == .cold {
            donated.append((entry, number))
            return true
        }
        handOver(entry, number: number)
        return false
    }

    /// The walk met an entry. True when its record is complete, false when it was left open.
    func take(_ entry: Entry, number: Int) -> Bool {
        if isAbandoned || isInvalidated(entry) { return true }
        if _slowPath(entry.isAsleep) {
            takeSleeping(entry, number: number)
            return true
        }
        SnapshotCapture.appendHead(entry, tags, number, &lastNumber, &sink)
        var position = ValuePosition()
        let isWhole = appendSlice(entry, from: &position)
        if isWhole {
            noteRecord(entry)
        } else {
            open = OpenRecord(entry: entry, position: position, number: number, isDonated: false)
        }
        return isWhole
    }

    /// True when the value is complete.
    private func appendSlice(_ entry: Entry, from position: inout ValuePosition) -> Bool {
        sink.beginSlice()
        let isWhole = ValueCodec.append(entry, from: &position, to: &sink)
        if sink.hasPiece { flushSink() }
        return isWhole
    }

    /// Small enough to be taken whole. One that cannot be read any more is gone for its readers too.
    private func takeSleeping(_ entry: Entry, number: Int) {
        if let value = tiers.awake(entry) { appendWoken(value, number: number) }
    }

    private func appendWoken(_ value: Entry, number: Int) {
        SnapshotCapture.appendWhole(value, tags, number, &lastNumber, &sink)
        noteRecord(value)
        if sink.hasPiece { flushSink() }
    }

    // MARK: values on disk

    func beginRecords() { isPassingRecords = true }

    /// The record of an entry was met, no record being open in the file. False when it is not readable as it is here.
    func take(_ entry: Entry, number: Int, stored: Span<UInt8>) -> Bool {
        if isInvalidated(entry) { return true }
        guard let value = tiers.awake(entry, stored: stored) else { return false }
        appendWoken(value, number: number)
        return true
    }

    /// The removed entry that has this address, and the number of its database.
    func takeRemoved(at address: ColdAddress) -> (entry: Entry, number: Int)? {
        removed.isEmpty ? nil : removed.removeValue(forKey: address)
    }

    /// It is read by itself, later.
    func putBack(_ entry: Entry, number: Int) { donated.append((entry, number)) }

    /// What was not met is read by itself.
    func endRecords() {
        isPassingRecords = false
        donated += removed.values
        removed = [:]
    }

    // MARK: values in slices

    /// Goes on with the open record or opens that of a removed value, one piece. What is freed goes to `release`.
    func advanceValue(_ release: (Entry, _ number: Int) -> Void, stamp: (Entry) -> Void) {
        guard var record = open else {
            guard let (entry, number) = donated.popLast() else { return }
            if take(entry, number: number) {
                release(entry, number)
            } else {
                open?.isDonated = true
            }
            return
        }
        let isWhole = appendSlice(record.entry, from: &record.position)
        open?.position = record.position
        guard isWhole else { return }
        let wasDonated = open?.isDonated == true
        closeRecord()
        if wasDonated { release(record.entry, record.number) } else { stamp(record.entry) }
    }

    /// The open record is complete: what waited for that follows it.
    private func closeRecord() {
        if let record = open { noteRecord(record.entry) }
        open = nil
        if waiting.isEmpty && waitingPieces.isEmpty { return }
        flushSink()
        for piece in waitingPieces { deliver(piece) }
        waitingPieces = []
        if !waiting.isEmpty { deliver(SnapshotPiece(waiting.take())) }
    }

    private func noteRecord(_ entry: Entry) {
        keysWritten += 1
        let version = ValueCodec.versionNeeded(ValueCodec.typeCode(of: entry))
        if _slowPath(version > versionNeeded) { versionNeeded = version }
    }

    /// Delivers what has been collected.
    func flushSink() {
        if !sink.isEmpty { deliver(SnapshotPiece(sink.take())) }
    }

    // MARK: records

    /// Keys that are dead already are not worth a record. One whose record is open is finished all the same.
    private func isInvalidated(_ entry: Entry) -> Bool {
        entry.hasLabel && open?.entry != entry && tags.isDead(entry.labelCohort)
    }

    private static func appendWhole(
        _ entry: Entry, _ tags: TagTable, _ number: Int, _ lastNumber: inout Int, _ sink: inout ValueSink
    ) {
        appendHead(entry, tags, number, &lastNumber, &sink)
        var position = ValuePosition()
        sink.endSlices()
        let isWhole = ValueCodec.append(entry, from: &position, to: &sink)
        precondition(isWhole, "nothing but the end of a slice stops a value")
    }

    @inline(__always)
    private static func appendHead(
        _ entry: Entry, _ tags: TagTable, _ number: Int, _ lastNumber: inout Int, _ sink: inout ValueSink
    ) {
        if _slowPath(number != lastNumber) {
            sink.append(ValueCode.selectDatabase)
            sink.append(length: number)
            lastNumber = number
        }
        if entry.hasExpiry {
            sink.append(ValueCode.expiryMilliseconds)
            sink.append(littleEndian: UInt64(bitPattern: entry.expiryMilliseconds))
        }
        if _slowPath(entry.hasLabel) { LabelCode.append(entry.label, tags, to: &sink) }
        sink.append(ValueCodec.typeCode(of: entry))
        sink.append(string: entry.key)
    }

    // MARK: the end

    /// Nobody wants the rest. What it kept goes to `release`.
    func abandon(_ release: (Entry, _ number: Int) -> Void) {
        isAbandoned = true
        endRecords()
        if let record = open, record.isDonated { release(record.entry, record.number) }
        open = nil
        for (entry, number) in donated { release(entry, number) }
        donated = []
        wanted = []
        _ = sink.take()
        _ = waiting.take()
        waitingPieces = []
    }
}
