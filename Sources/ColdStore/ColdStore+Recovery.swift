// ColdStore+Recovery.swift - the start and the end of a store, which may wait for the disk. At the start there is
// either a clean end's list of living records, or, after a crash of a store that persists, tombstones; without one of
// them everything is removed, because nobody knows which values are old. Records come back in the order in which they
// were written, so of two for one key the later is the newer.
package import Base
internal import Reactor

extension ColdStore {
    package enum Recovery: Sendable {
        /// Nothing that could be believed.
        case none
        case afterCleanEnd
        case afterCrash
    }

    /// Reads what an earlier process left. `dictionary` gets every dictionary, `found` every record that is alive; it
    /// answers false when it does not want it, and calls `remove` for an older record that it had taken for the key.
    package func recover(
        now: Int64, dictionary: (UInt16, [UInt8]) -> Void, found: (ColdHead, Span<UInt8>, ColdAddress) -> Bool
    ) throws(SystemError) -> Recovery {
        precondition(segments.isEmpty && submittedCount == 0, "a store is recovered before it is used")
        let earlier = catalogue.earlierManifest()
        var living: LiveList?
        if earlier?.isClean == true { living = LiveList(in: options.directory) }
        let isUsable = earlier.map { !$0.isClean || living != nil } ?? false
        catalogue.clean(keeping: isUsable ? earlier : nil)
        guard isUsable, let earlier else {
            try catalogue.begin(nil)
            return .none
        }
        let amendments = readGraves()
        try catalogue.begin(earlier)
        Disk.remove("\(options.directory)/\(LiveList.fileName)")
        for (number, entry) in earlier.dictionaries {
            guard let bytes = catalogue.readDictionary(number, entry) else { continue }
            dictionaries[number] = Dictionary(bytes: bytes)
            dictionary(number, bytes)
        }
        for number in earlier.segments.sorted() {
            let records = living?.segments[number]
            if earlier.isClean && records == nil {
                writer.remove(SegmentFile(number: number, in: options.directory))
                continue
            }
            recover(number, Wanted(list: records, amendments: amendments[number] ?? [:], now: now), found)
        }
        // The graves of dead records are needed as long as their segments are there.
        graveCount = amendments.values.reduce(0) { $0 + $1.count }
        for number in dictionaries.keys.filter({ dictionaries[$0]?.useCount == 0 }) {
            dictionaries[number] = nil
            dictionaryEdition += 1
            submit(.removeDictionary(number))
        }
        commit()
        return earlier.isClean ? .afterCleanEnd : .afterCrash
    }

    /// By segment and offset: the record's expiry, or that it is dead.
    private func readGraves() -> [UInt32: [Int: Int64]] {
        var result: [UInt32: [Int: Int64]] = [:]
        Graves.readAll(in: options.directory) { segment, offset, expiry in
            // Nothing follows death, whatever a file says that was written again.
            if result[segment]?[offset] != Graves.dead { result[segment, default: [:]][offset] = expiry }
        }
        return result
    }

    /// Which records of a segment are alive, and what became of them since they were written.
    private struct Wanted {
        let list: [LiveList.Record]?
        let amendments: [Int: Int64]
        let now: Int64
        var next = 0

        init(list: [LiveList.Record]?, amendments: [Int: Int64], now: Int64) {
            self.list = list
            self.amendments = amendments
            self.now = now
        }

        /// Called with ascending offsets. False for a record that is dead.
        mutating func admit(_ head: inout ColdHead, at offset: Int) -> Bool {
            if let list {
                while next < list.count && list[next].offset < offset { next += 1 }
                guard next < list.count, list[next].offset == offset else { return false }
                head.database = list[next].database
                head.expiryMilliseconds = list[next].expiryMilliseconds
            } else if let amendment = amendments[offset] {
                guard amendment != Graves.dead else { return false }
                head.expiryMilliseconds = amendment
            }
            return head.expiryMilliseconds == 0 || head.expiryMilliseconds > now
        }
    }

    private func recover(
        _ number: UInt32, _ wanted: Wanted, _ found: (ColdHead, Span<UInt8>, ColdAddress) -> Bool
    ) {
        let file = SegmentFile(number: number, in: options.directory)
        guard let slot = takeSlot() else { return }
        let segment = Segment(file, slot: slot)
        segment.graveCount = wanted.amendments.count
        guard (try? file.open()) != nil, isSegment(file) else {
            freeSlots.append(slot)
            writer.remove(file)
            return
        }
        segments[slot] = segment
        var wanted = wanted
        let take = { (head: ColdHead, key: Span<UInt8>, offset: Int, byteCount: Int) in
            let address = ColdAddress(slot: slot, offset: offset, byteCount: byteCount)
            let written = head
            var head = head
            guard wanted.admit(&head, at: offset), self.record(head, differsFrom: written, at: address, wanted) else {
                if wanted.amendments[offset] != Graves.dead { self.bury(address) }
                return
            }
            guard head.dictionary == 0 || self.dictionaries[head.dictionary] != nil else { return }
            segment.addLive(address)
            guard found(head, key, address) else {
                self.bury(address)
                return segment.removeLive(address)
            }
            self.statistics.recordsRecovered += 1
            if head.dictionary != 0 && segment.dictionaries.insert(head.dictionary).inserted {
                self.dictionaries[head.dictionary]?.useCount += 1
            }
        }
        segment.state = .sealed
        if !readSealed(segment, take) { readUnsealed(segment, take) }
        file.leaveCache()
        discardIfDead(segment)
    }

    /// A clean end knew what a crash from now on would not: a new expiry becomes an amendment. False when it cannot be
    /// said, as that a record belongs to another database.
    private func record(
        _ head: ColdHead, differsFrom written: ColdHead, at address: ColdAddress, _ wanted: Wanted
    ) -> Bool {
        guard options.persists, wanted.list != nil else { return true }
        guard head.database == written.database else { return false }
        let known = wanted.amendments[address.offset] ?? written.expiryMilliseconds
        if head.expiryMilliseconds != known { amend(address, expiryMilliseconds: head.expiryMilliseconds) }
        return true
    }

    private func isSegment(_ file: SegmentFile) -> Bool {
        var header = ByteBuffer()
        do throws(SystemError) {
            try file.read(at: 0, count: SegmentFormat.headerByteCount, into: &header)
        } catch {
            return false
        }
        return SegmentFormat.checkHeader(header.span, number: file.number) != nil
    }

    /// False when the segment has no index that can be believed.
    private func readSealed(
        _ segment: Segment, _ take: (ColdHead, Span<UInt8>, Int, Int) -> Void
    ) -> Bool {
        let file = segment.file
        let size = file.byteCount
        guard size >= SegmentFormat.headerByteCount + SegmentFormat.trailerByteCount else { return false }
        var end = ByteBuffer()
        var index = ByteBuffer()
        do throws(SystemError) {
            try file.read(
                at: size - SegmentFormat.trailerByteCount, count: SegmentFormat.trailerByteCount, into: &end)
            guard let trailer = SegmentFormat.parseTrailer(end.span, fileByteCount: size) else { return false }
            try file.read(at: trailer.dataEnd, count: size - trailer.dataEnd, into: &index)
            guard index.count == size - trailer.dataEnd, SegmentFormat.check(indexAndTrailer: index.span) else {
                return false
            }
            segment.end = trailer.dataEnd
            walk(segment, trailer, index, take)
        } catch {
            return false
        }
        return true
    }

    private func walk(
        _ segment: Segment, _ trailer: SegmentFormat.Trailer, _ index: borrowing ByteBuffer,
        _ take: (ColdHead, Span<UInt8>, Int, Int) -> Void
    ) {
        let entries = index.span.extracting(0..<trailer.indexByteCount)
        var cursor = SegmentIndexCursor(trailer)
        var scan = SegmentScan(segment.file, from: SegmentFormat.headerByteCount, to: trailer.dataEnd)
        while let item = cursor.next(entries) {
            if let record = item.record {
                take(record.head, entries.extracting(record.key), item.offset, record.byteCount)
            } else {
                scan.read(at: item.offset) { head, key, _, offset, byteCount in
                    take(head, key, offset, byteCount)
                    return true
                }
            }
        }
        statistics.checksumErrors += scan.badCount
    }

    /// The process died while it filled this segment: what is whole counts, up to the first record that is not.
    private func readUnsealed(_ segment: Segment, _ take: (ColdHead, Span<UInt8>, Int, Int) -> Void) {
        let limit = min(segment.file.byteCount, ColdAddress.segmentByteCountMax)
        var scan = SegmentScan(
            segment.file, from: SegmentFormat.headerByteCount, to: limit, stopsAtBad: true)
        var recordCount = 0
        scan.walk { head, key, _, offset, byteCount in
            take(head, key, offset, byteCount)
            recordCount += 1
            return true
        }
        // Padding of the last record may not have been written.
        segment.end = min(scan.position, limit)
        segment.end = max(segment.end, SegmentFormat.headerByteCount)
        submit(.seal(segment.file, dataEnd: segment.end, recordCount: recordCount))
    }

    // MARK: the end

    /// Ends the store so that the next one finds everything. `living` calls its argument for every value that is alive,
    /// with the database and the expiry (0: never) that its key has now. False when the disk would not take it: then
    /// the next start finds nothing, or, where the store persists, what a crash leaves.
    package func close(living: ((ColdAddress, _ database: Int, _ expiryMilliseconds: Int64) -> Void) -> Void) -> Bool {
        end()
        defer { catalogue.unlock() }
        guard writer.close() else { return false }
        var list = LiveList()
        living { address, database, expiry in
            guard let segment = self.segment(at: address), segment.state != .lost,
                database >= 0, database <= ColdRecord.databaseMax, expiry >= 0, expiry <= ColdRecord.expiryMax
            else { return }
            list.add(
                LiveList.Record(offset: address.offset, database: database, expiryMilliseconds: expiry),
                of: segment.file.number)
        }
        list.sort()
        do throws(SystemError) {
            try list.write(in: options.directory)
            try catalogue.finish()
        } catch {
            options.report(.stopped(error))
            return false
        }
        return true
    }

    /// Ends the threads and nothing else: what a crash leaves, as far as the buffers were written.
    package func abandon() {
        reader.close()
        _ = writer.close()
        catalogue.unlock()
    }

    private func end() {
        commit()
        reader.close()
        for kind in [LaneKind.general, .brief, .survivors] { seal(kind) }
    }
}
