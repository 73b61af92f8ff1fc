// SegmentScan.swift - walks the records of a segment file from one place to another, a window at a time. It waits for
// the disk, so it is for the writer's thread and for the start of the server. A record that is not as it was written is
// counted and skipped, as far as its length can be believed; what lies behind one whose length cannot is lost.
internal import Base

struct SegmentScan: ~Copyable {
    private static let windowByteCount = 64 << 10

    private let file: SegmentFile
    private var window = ByteBuffer()
    /// Where the window begins in the file.
    private var windowStart: Int
    /// The next record, in the file.
    private(set) var position: Int
    private let end: Int
    /// Records that were skipped.
    private(set) var badCount = 0
    /// Stop at the first record that is bad: what lies behind it was never completely written.
    private let stopsAtBad: Bool

    init(_ file: SegmentFile, from start: Int, to end: Int, stopsAtBad: Bool = false) {
        self.file = file
        windowStart = start
        position = start
        self.end = end
        self.stopsAtBad = stopsAtBad
    }

    /// Calls `body` with head, key, payload, offset and length of each record until it answers false.
    mutating func walk(_ body: (ColdHead, Span<UInt8>, Span<UInt8>, Int, Int) -> Bool) {
        while position + ColdRecord.headByteCount <= end {
            guard load(ColdRecord.headByteCount) else { return }
            let start = position - windowStart
            let claimed = ColdRecord.claimedByteCount(window.span.extracting(start..<window.count))
            guard let claimed, claimed <= end - position, load(claimed) else {
                badCount += 1
                return
            }
            let offset = position
            let range = (position - windowStart)..<(position - windowStart + claimed)
            let found = ColdRecord.check(window.span.extracting(range), segment: file.number, offset: offset)
            guard let found else {
                badCount += 1
                if stopsAtBad { return }
                position += ColdAddress.padded(claimed)
                continue
            }
            position += ColdAddress.padded(claimed)
            let bytes = window.span.extracting(range)
            guard body(found.head, bytes.extracting(found.key), bytes.extracting(found.payload), offset, claimed)
            else { return }
        }
    }

    /// Calls `body` with the record at `offset`, which must not lie before the one read last.
    mutating func read(
        at offset: Int, _ body: (ColdHead, Span<UInt8>, Span<UInt8>, Int, Int) -> Bool
    ) {
        position = offset
        guard load(ColdRecord.headByteCount) else {
            badCount += 1
            return
        }
        let start = position - windowStart
        let claimed = ColdRecord.claimedByteCount(window.span.extracting(start..<window.count))
        guard let claimed, claimed <= end - position, load(claimed) else {
            badCount += 1
            return
        }
        let range = (position - windowStart)..<(position - windowStart + claimed)
        let found = ColdRecord.check(window.span.extracting(range), segment: file.number, offset: offset)
        guard let found else {
            badCount += 1
            return
        }
        let bytes = window.span.extracting(range)
        _ = body(found.head, bytes.extracting(found.key), bytes.extracting(found.payload), offset, claimed)
    }

    /// Makes `count` bytes from `position` on part of the window. False when the file does not have them.
    private mutating func load(_ count: Int) -> Bool {
        if position >= windowStart && position + count <= windowStart + window.count { return true }
        windowStart = position
        window.truncate(to: 0)
        let wanted = min(max(count, SegmentScan.windowByteCount), end - position)
        do throws(SystemError) {
            try file.read(at: position, count: wanted, into: &window)
        } catch {
            return false
        }
        return window.count >= count
    }
}
