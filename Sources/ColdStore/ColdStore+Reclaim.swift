// ColdStore+Reclaim.swift - what time does: buffers that have waited long enough are written, tombstones are synced,
// and a segment is emptied when the files take more than their share, or when too much in them is dead: a window of it
// is read, and whoever keeps the keys says of every record whether it lives, and whether it deserves to be written
// again. Where room is wanted that is the second chance of what was used, and the segment with the most dead bytes and
// the greatest age goes first; where only dead bytes are to go it is all that lives, and the segment with the greatest
// share of them goes first. A step looks at one window, so it is short.
internal import Base

/// What is to become of a record that reclaiming met.
package enum ColdVerdict: Sendable {
    /// The key has another value, or is gone: the address is nobody's.
    case dead
    /// It lived until now; the key has been taken away.
    case drop
    /// It gets another place.
    case keep
}

/// A segment that is being emptied.
struct Draining {
    static let windowByteCountMax = 256 << 10

    let segment: Segment
    /// Nothing that lives is dropped.
    let sparesLiving: Bool
    /// The next record.
    var position = SegmentFormat.headerByteCount
    var window: ReadBlock?
    var windowStart = 0
    var isReading = false
}

extension ColdStore {
    /// Whether a segment is being emptied, and the next step can follow at once.
    package var isReclaiming: Bool { draining.map { !$0.isReading } ?? false }

    /// Whether all that lives in the segment that is being emptied is worth keeping, used or not: there is room enough,
    /// or the segment lied once, and this is what can still be read of it.
    package var sparesLiving: Bool { draining.map { $0.sparesLiving || $0.segment.isQuarantined } ?? false }

    /// To be called every 50 ms or so, and after `poll`. Nothing is emptied unless `reclaims`. `judge` decides about a
    /// record at an address; for `keep`, `moved` then tells its new address, from before the old one stops being valid.
    package func tidy(
        now: Int64, reclaims: Bool = true, judge: (ColdHead, Span<UInt8>, ColdAddress) -> ColdVerdict,
        moved: (ColdHead, Span<UInt8>, _ from: ColdAddress, _ to: ColdAddress) -> Void
    ) {
        noteWritten()
        for kind in [LaneKind.general, .brief, .survivors] {
            let lane = lanes[kind.rawValue]
            guard let chunk = lane.chunk, chunk.count > chunk.submittedCount else { continue }
            if now - lane.oldest >= options.chunkAgeMilliseconds || now < lane.oldest { submitChunk(kind) }
        }
        removeEmptied()
        tendGraves(now)
        if reclaims {
            if draining == nil { chooseVictim() }
            drain(now, judge, moved)
        }
        flush()
    }

    /// Writes all buffers, whatever their age.
    package func submitAll() {
        for kind in [LaneKind.general, .brief, .survivors] { submitChunk(kind) }
    }

    /// When `tidy` has to be called next because of a buffer's age; milliseconds, nil when no buffer waits.
    package var nextTidyMilliseconds: Int64? {
        var next: Int64?
        for lane in lanes {
            guard let chunk = lane.chunk, chunk.count > chunk.submittedCount else { continue }
            let due = lane.oldest + options.chunkAgeMilliseconds
            next = min(next ?? due, due)
        }
        return next
    }

    private func tendGraves(_ now: Int64) {
        guard options.persists else { return }
        if now - gravesSynced >= 1000 || now < gravesSynced {
            gravesSynced = now
            submit(.syncGraves)
        }
        // 1.3 MB of tombstones for nothing.
        if uselessGraveCount > 65536 && uselessGraveCount * 2 > graveCount {
            graveCount -= uselessGraveCount
            uselessGraveCount = 0
            submit(.renewGraves)
        }
    }

    private func chooseVictim() {
        let used = diskByteCount
        let isFull = used / 100 * 100 > options.byteCountMax / 100 * options.reclaimPercent
        let isWasteful = hasWaste
        var best: Segment?
        var bestScore = 0.0
        let newest = segments.reduce(UInt32(0)) { max($0, $1?.file.number ?? 0) }
        for segment in segments {
            guard let segment, segment.state == .sealed, segment.chunks.isEmpty else { continue }
            var score = 0.0
            if segment.isQuarantined {
                score = .infinity
            } else if isFull {
                // Even where nothing is dead the oldest has to go.
                let age = Double(newest - segment.file.number) + 1
                score = (segment.deadShare + 0.02) * age
            } else if isWasteful {
                score = segment.deadShare
            }
            if score > bestScore { (best, bestScore) = (segment, score) }
        }
        guard let best else { return }
        best.state = .draining
        draining = Draining(segment: best, sparesLiving: !isFull)
        statistics.segmentsReclaimed += 1
    }

    /// Whether the dead bytes of sealed segments are more than `options.wastePercent` of the living ones.
    private var hasWaste: Bool {
        var (live, whole) = (0, 0)
        for segment in segments {
            guard let segment, segment.state == .sealed else { continue }
            live += segment.liveByteCount
            whole += segment.end - SegmentFormat.headerByteCount
        }
        return (whole - live) * 100 > live * options.wastePercent
    }

    private func drain(
        _ now: Int64, _ judge: (ColdHead, Span<UInt8>, ColdAddress) -> ColdVerdict,
        _ moved: (ColdHead, Span<UInt8>, ColdAddress, ColdAddress) -> Void
    ) {
        guard let current = draining, !current.isReading else { return }
        if let window = current.window { empty(window, now, judge, moved) }
        guard var next = draining, !next.isReading, next.window == nil else { return }
        guard next.position + ColdRecord.headByteCount <= next.segment.end, next.segment.liveCount > 0 else {
            return finishDraining(next.segment)
        }
        next.isReading = true
        draining = next
        readWindow(drainingWindowByteCount)
    }

    /// Where write buffers are small, memory is.
    private var drainingWindowByteCount: Int { min(Draining.windowByteCountMax, options.chunkByteCount) }

    private func readWindow(_ byteCount: Int) {
        guard let current = draining else { return }
        draining?.windowStart = current.position
        draining?.isReading = true
        draining?.window = nil
        _ = ask(
            PendingRead(
                segment: current.segment, offset: current.position,
                byteCount: min(byteCount, current.segment.end - current.position), address: nil, keyHash: 0,
                tokens: []))
    }

    /// A window was read; the next `tidy` looks at it.
    func takeWindow(_ read: PendingRead, _ code: Int32) {
        guard let current = draining, current.segment === read.segment, current.isReading else { return }
        draining?.isReading = false
        if code == 0 {
            draining?.window = read.block
        } else {
            statistics.readErrors += 1
            finishDraining(current.segment)
        }
    }

    private func empty(
        _ window: ReadBlock, _ now: Int64, _ judge: (ColdHead, Span<UInt8>, ColdAddress) -> ColdVerdict,
        _ moved: (ColdHead, Span<UInt8>, ColdAddress, ColdAddress) -> Void
    ) {
        guard let current = draining else { return }
        let segment = current.segment
        var position = current.position
        // A callback may drop everything, this segment with it.
        while draining?.segment === segment {
            draining?.position = position
            let start = position - current.windowStart
            guard start + ColdRecord.headByteCount <= window.byteCount else { break }
            // Another try later, before anybody was asked about the record.
            guard writer.failure == 0, inFlightByteCount <= options.inFlightByteCountMax else { return }
            let bytes = window.span.extracting(start..<window.byteCount)
            guard let claimed = ColdRecord.claimedByteCount(bytes), claimed <= segment.end - position else {
                statistics.checksumErrors += 1
                return finishDraining(segment)
            }
            guard claimed <= bytes.count else { return readWindow(max(claimed, drainingWindowByteCount)) }
            if let found = ColdRecord.check(bytes, segment: segment.file.number, offset: position) {
                let address = ColdAddress(slot: segment.slot, offset: position, byteCount: claimed)
                settle(found, bytes, address, segment, now, judge, moved)
            } else {
                statistics.checksumErrors += 1
            }
            position += ColdAddress.padded(claimed)
        }
        if draining?.segment === segment { draining?.window = nil }
    }

    private func settle(
        _ found: ColdRecord.Found, _ bytes: Span<UInt8>, _ address: ColdAddress, _ segment: Segment, _ now: Int64,
        _ judge: (ColdHead, Span<UInt8>, ColdAddress) -> ColdVerdict,
        _ moved: (ColdHead, Span<UInt8>, ColdAddress, ColdAddress) -> Void
    ) {
        let key = bytes.extracting(found.key)
        switch judge(found.head, key, address) {
        case .dead: break
        case .drop:
            statistics.recordsDropped += 1
            bury(address)
            movedFrom[address] = nil
            segment.removeLive(address)
        case .keep:
            let payload = bytes.extracting(found.payload)
            guard let target = append(found.head, key, payload, to: .survivors, now: now) else { return }
            statistics.recordsMoved += 1
            if options.persists {
                let earlier = movedFrom.removeValue(forKey: address) ?? []
                movedFrom[target] = earlier + [FormerPlace(segment: segment, offset: address.offset)]
            }
            moved(found.head, key, address, target)
            segment.removeLive(address)
        }
    }

    /// All that could be read of the segment has been moved or dropped. Its file stays until the moved is on disk.
    private func finishDraining(_ segment: Segment) {
        draining = nil
        submitChunk(.survivors)
        segment.removalOrder = submittedCount
        emptied.append(segment)
        removeEmptied()
    }

    private func removeEmptied() {
        forgetFormerPlaces()
        guard !emptied.isEmpty else { return }
        let completed = writer.completedCount
        for segment in emptied where segment.removalOrder <= completed {
            if options.persists { vanishing.append(segment.file) }
            removeFile(segment)
            // Addresses of records that could not be read are misses until they are removed.
            discardIfDead(segment)
        }
        emptied.removeAll { $0.state == .lost }
    }

    /// A file that was given up may be found until the writer has taken it away.
    private func forgetFormerPlaces() {
        guard vanishing.contains(where: { $0.isGone }) else { return }
        vanishing.removeAll { $0.isGone }
        movedFrom = movedFrom.compactMapValues { places in
            let rest = places.filter { !$0.segment.file.isGone }
            return rest.isEmpty ? nil : rest
        }
    }
}
