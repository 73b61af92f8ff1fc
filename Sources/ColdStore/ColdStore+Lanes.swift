// ColdStore+Lanes.swift - segments from their making to their removal, and the chunks through which they are filled.
// There are three lanes, each with a segment of its own: values, values that die soon, and values that reclaiming has
// moved.
internal import Base

extension ColdStore {
    /// The lane's segment, with room for so many bytes.
    func segment(of kind: LaneKind, room: Int) -> Segment? {
        if let segment = lanes[kind.rawValue].segment {
            if segment.end + room <= options.segmentByteCount { return segment }
            seal(kind)
        }
        // What reclaiming moves makes room in the end; it must not wait for it.
        let isAllowed = kind == .survivors || diskByteCount + options.segmentByteCount <= options.byteCountMax
        guard isAllowed, let slot = takeSlot() else { return nil }
        let file = SegmentFile(number: catalogue.takeNumber(), in: options.directory)
        let segment = Segment(file, slot: slot)
        segments[slot] = segment
        lanes[kind.rawValue].segment = segment
        statistics.segmentsMade += 1
        submit(.create(file, reserving: options.segmentByteCount))
        return segment
    }

    func takeSlot() -> Int? {
        if let slot = freeSlots.popLast() { return slot }
        guard segments.count < ColdAddress.slotCountMax else { return nil }
        segments.append(nil)
        return segments.count - 1
    }

    /// The lane's chunk, with room for so many bytes.
    func chunk(of kind: LaneKind, _ segment: Segment, room: Int) -> Chunk {
        if let chunk = lanes[kind.rawValue].chunk {
            if chunk.room >= room { return chunk }
            retireChunk(kind)
        }
        let left = options.segmentByteCount - segment.end
        let chunk = Chunk(
            capacity: max(room, min(options.chunkByteCount, left)), offset: segment.end, counted: chunkMemory)
        segment.chunks.append(chunk)
        lanes[kind.rawValue].chunk = chunk
        return chunk
    }

    /// Gives what the lane's chunk has to the writer.
    func submitChunk(_ kind: LaneKind) {
        guard let segment = lanes[kind.rawValue].segment, let chunk = lanes[kind.rawValue].chunk else { return }
        let range = chunk.submittedCount..<chunk.count
        guard !range.isEmpty else { return }
        chunk.submittedCount = chunk.count
        submit(.write(segment.file, chunk, range))
        writes.append(
            PendingWrite(order: submittedCount, segment: segment, chunk: chunk, byteCount: range.count))
    }

    /// The lane's chunk takes no more.
    private func retireChunk(_ kind: LaneKind) {
        submitChunk(kind)
        guard let segment = lanes[kind.rawValue].segment, let chunk = lanes[kind.rawValue].chunk else { return }
        lanes[kind.rawValue].chunk = nil
        if chunk.writtenCount == chunk.count { segment.chunks.removeAll { $0 === chunk } }
    }

    /// The lane's segment takes no more.
    func seal(_ kind: LaneKind) {
        guard let segment = lanes[kind.rawValue].segment else { return }
        retireChunk(kind)
        lanes[kind.rawValue].segment = nil
        segment.state = .sealed
        submit(.seal(segment.file, dataEnd: segment.end, recordCount: segment.recordCount))
        discardIfDead(segment)
    }

    /// What the writer has done since.
    func noteWritten() {
        let completed = writer.completedCount
        while let write = writes.first, write.order <= completed {
            writes.removeFirst()
            write.chunk.writtenCount += write.byteCount
            inFlightByteCount -= write.byteCount
            let isInUse = lanes.contains { $0.chunk === write.chunk }
            if !isInUse && write.chunk.writtenCount == write.chunk.count {
                write.segment.chunks.removeAll { $0 === write.chunk }
            }
        }
    }

    /// Takes a segment's file away when nothing in it lives. One that is being emptied goes when that is over.
    func discardIfDead(_ segment: Segment) {
        guard segment.liveCount == 0, segment.state == .sealed || segment.state == .lost else { return }
        if segment.state == .sealed { removeFile(segment) }
        freeSlot(segment)
    }

    func removeFile(_ segment: Segment) {
        // What is still in its buffers will not be written, and is not waited for.
        writer.remove(segment.file)
        segment.state = .lost
        statistics.segmentsRemoved += 1
        uselessGraveCount += segment.graveCount
        for number in segment.dictionaries { release(dictionary: number) }
        segment.dictionaries = []
    }

    private func freeSlot(_ segment: Segment) {
        segments[segment.slot] = nil
        freeSlots.append(segment.slot)
    }

    private func release(dictionary number: UInt16) {
        dictionaries[number]?.useCount -= 1
        guard dictionaries[number]?.useCount == 0 else { return }
        dictionaries[number] = nil
        dictionaryEdition += 1
        submit(.removeDictionary(number))
    }

    /// A record was not what was written: no more goes into this segment, and it is emptied first.
    func quarantine(_ segment: Segment) {
        statistics.checksumErrors += 1
        guard !segment.isQuarantined else { return }
        segment.isQuarantined = true
        statistics.segmentsQuarantined += 1
        for kind in [LaneKind.general, .brief, .survivors] where lanes[kind.rawValue].segment === segment {
            seal(kind)
        }
    }
}
