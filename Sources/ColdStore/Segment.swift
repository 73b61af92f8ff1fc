// Segment.swift - a segment as the owner knows it: its file, what of it lives, and the chunks that are not on disk yet.
// Owner only.
internal import Base

final class Segment {
    enum State {
        case open
        /// Takes no more records.
        case sealed
        /// Being emptied.
        case draining
        /// Its file is gone; addresses that still name it are misses.
        case lost
    }

    let file: SegmentFile
    let slot: Int
    var state = State.open
    /// Where the next record goes; the end of data once sealed.
    var end = SegmentFormat.headerByteCount
    /// What living records take, padding included.
    private(set) var liveByteCount = 0
    private(set) var liveCount = 0
    /// Records that were put here, dead ones included; means nothing for a segment of an earlier process.
    private(set) var recordCount = 0
    /// Not completely written, oldest first.
    var chunks: [Chunk] = []
    /// Dictionaries that records here need.
    var dictionaries: Set<UInt16> = []
    /// Tombstones about records here.
    var graveCount = 0
    /// A record was not as it was written: emptied before all others.
    var isQuarantined = false
    /// Orders that must be carried out before the file may go: the records moved out of it.
    var removalOrder = 0

    init(_ file: SegmentFile, slot: Int) {
        self.file = file
        self.slot = slot
    }

    /// Disk bytes: an open segment's room is reserved as it fills, a sealed one has its index as well.
    var byteCount: Int { state == .lost ? 0 : max(end, file.byteCount) }

    /// Where what is in the file ends.
    var writtenEnd: Int {
        chunks.first { $0.writtenCount < $0.count }.map { $0.offset + $0.writtenCount } ?? end
    }

    var deadShare: Double {
        let data = end - SegmentFormat.headerByteCount
        return data > 0 ? 1 - Double(liveByteCount) / Double(data) : 1
    }

    func addLive(_ address: ColdAddress) {
        liveByteCount += address.paddedByteCount
        liveCount += 1
        recordCount += 1
    }

    func removeLive(_ address: ColdAddress) {
        liveByteCount -= address.paddedByteCount
        liveCount -= 1
        precondition(liveCount >= 0 && liveByteCount >= 0, "a record is removed once")
    }

    /// The chunk that holds the record at `address`.
    func chunk(of address: ColdAddress) -> Chunk? {
        chunks.last { address.offset >= $0.offset && address.offset + address.byteCount <= $0.offset + $0.count }
    }
}
