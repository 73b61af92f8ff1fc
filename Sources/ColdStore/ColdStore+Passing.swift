// ColdStore+Passing.swift - all that is on disk in the order in which it lies there, for a snapshot: every segment that
// there was when the passage began, a window after the other, the next one being read while one is looked at. Whoever
// keeps the keys sees every record, living or not, and knows by its address whether it is one that it wants. A passage
// may miss records: what is in buffers only, or cannot be read here, is fetched by its address as ever. Segments must
// not be emptied meanwhile. Owner only.
internal import Base

/// What became of a step of a passage.
package enum ColdPass: Sendable {
    /// The body said so.
    case stopped
    /// The next window is still being read; `poll` takes it.
    case waiting
    /// There is nothing more.
    case over
}

/// A passage over all segments; there is one at a time.
struct Passage {
    static let windowByteCount = 256 << 10

    struct Window {
        let segment: Segment
        let start: Int
        let block: ReadBlock
        /// Where its whole records end, in the segment.
        let end: Int
    }

    /// Segments that were not read to their end, and where the records of each ended when the passage began.
    var segments: ArraySlice<(segment: Segment, end: Int)>
    /// Where the next window of the first of `segments` begins, and what it must hold at least.
    var offset = SegmentFormat.headerByteCount
    var byteCountMin = windowByteCount
    /// The read under way.
    var reading: Int?
    /// The window that is looked at, the next record in it, and the window that follows it.
    var window: Window?
    var position = 0
    var next: Window?

    var byteCount: Int { (window?.block.byteCount ?? 0) + (next?.block.byteCount ?? 0) }

    mutating func skipSegment() {
        segments = segments.dropFirst()
        offset = SegmentFormat.headerByteCount
        byteCountMin = Passage.windowByteCount
    }
}

extension ColdStore {
    /// Begins a passage over what there is now, in place of another one.
    package func beginPass() {
        let present = segments.compactMap { $0 }.filter { $0.state != .lost && $0.liveCount > 0 }
        let ordered = present.sorted { $0.file.number < $1.file.number }.map { (segment: $0, end: $0.end) }
        passage = Passage(segments: ordered[...])
    }

    package func endPass() { passage = nil }

    /// Calls `body` with the head, key, payload and address of record after record until it answers false. Waits for
    /// the disk only when `waits` says so. Cost without it: nothing but the records.
    package func pass(
        waits: Bool, _ body: (ColdHead, Span<UInt8>, Span<UInt8>, ColdAddress) -> Bool
    ) -> ColdPass {
        while let current = passage {
            if let window = current.window {
                guard look(at: window, from: current.position, body) else { return .stopped }
                passage?.window = nil
            } else if let next = current.next {
                passage?.window = next
                passage?.position = next.start
                passage?.next = nil
                if !waits { askForWindow() }
            } else if current.reading != nil && !waits {
                return .waiting
            } else if waits {
                guard readWindowNow() else { break }
            } else {
                guard askForWindow() else { break }
            }
        }
        passage = nil
        return .over
    }

    /// Walks the records of `window`. False when `body` stopped it; the rest of the window is left for later then.
    private func look(
        at window: Passage.Window, from start: Int,
        _ body: (ColdHead, Span<UInt8>, Span<UInt8>, ColdAddress) -> Bool
    ) -> Bool {
        let segment = window.segment
        var position = start
        while position < window.end && segment.liveCount > 0 {
            let all = window.block.span
            let bytes = all.extracting((position - window.start)..<(window.end - window.start))
            guard let claimed = ColdRecord.claimedByteCount(bytes) else { break }
            let offset = position
            position += ColdAddress.padded(claimed)
            passage?.position = position
            // One that is not as it was written is found out by whoever fetches it.
            guard let found = ColdRecord.check(bytes, segment: segment.file.number, offset: offset) else { continue }
            let address = ColdAddress(slot: segment.slot, offset: offset, byteCount: claimed)
            guard body(found.head, bytes.extracting(found.key), bytes.extracting(found.payload), address) else {
                return false
            }
        }
        return true
    }

    /// What is to be read next; nil when everything has been.
    private func nextWindow() -> PendingRead? {
        while let (segment, end) = passage?.segments.first, let offset = passage?.offset {
            let limit = min(end, segment.writtenEnd)
            let isThere = segment.state != .lost && segment.liveCount > 0 && segment.file.descriptor >= 0
            guard isThere, offset + ColdRecord.headByteCount <= limit else {
                // The kernel may take milliseconds for it, so it is not for the turn.
                if offset > SegmentFormat.headerByteCount { submit(.leaveCache(segment.file)) }
                passage?.skipSegment()
                continue
            }
            return PendingRead(
                segment: segment, offset: offset,
                byteCount: min(passage?.byteCountMin ?? 0, limit - offset), address: nil, keyHash: 0, tokens: [],
                isPassage: true)
        }
        return nil
    }

    /// Starts the read of the window that follows, if there is one and none is read.
    @discardableResult
    private func askForWindow() -> Bool {
        guard passage?.reading == nil, let read = nextWindow() else { return passage?.reading != nil }
        passage?.reading = ask(read)
        flush()
        return true
    }

    /// As `askForWindow`, but waits for it; one that is under way is not waited for, and its result ignored.
    private func readWindowNow() -> Bool {
        passage?.reading = nil
        guard var read = nextWindow() else { return false }
        let block = ReadBlock(byteCount: read.byteCount)
        read.block = block
        noteWindow(read, block.readWaiting(read.segment.file, at: read.offset))
        return true
    }

    /// A window was read, as number `number`.
    func takePassed(_ number: Int, _ read: PendingRead, _ code: Int32) {
        guard passage?.reading == number else { return }
        passage?.reading = nil
        noteWindow(read, code)
    }

    private func noteWindow(_ read: PendingRead, _ code: Int32) {
        statistics.windowsRead += 1
        guard code == 0, let block = read.block else {
            statistics.readErrors += 1
            passage?.skipSegment()
            return
        }
        // The next window begins behind the last record that is whole in this one.
        var end = 0
        var claimed: Int?
        while end < block.byteCount {
            claimed = ColdRecord.claimedByteCount(block.span.extracting(end..<block.byteCount))
            guard let claimed, claimed <= block.byteCount - end else { break }
            end += ColdAddress.padded(claimed)
        }
        if end > 0 {
            // What pads the last record may not have been read.
            passage?.next = Passage.Window(
                segment: read.segment, start: read.offset, block: block, end: read.offset + min(end, block.byteCount))
            passage?.offset = read.offset + end
            passage?.byteCountMin = Passage.windowByteCount
        } else if let claimed, claimed > read.byteCount {
            let limit = min(passage?.segments.first?.end ?? 0, read.segment.writtenEnd)
            // A length that cannot be is no length: what lies behind it is fetched one by one.
            if read.offset + claimed <= limit { passage?.byteCountMin = claimed } else { passage?.skipSegment() }
        } else {
            passage?.skipSegment()
        }
    }
}
