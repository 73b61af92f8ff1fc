// SegmentWriter.swift - the thread that does everything slow on the way to the disk: makes, fills, seals and removes
// segment files, writes dictionaries, tombstone files and the manifest. Orders are carried out one after another, so
// what was ordered before is on its way before. One that fails (disk full) is tried again every second, and whoever
// orders sees `failure` meanwhile; removals do not queue behind it, since they are what makes room. The owner never
// waits for this thread except at the end of the store. The queue is bounded by the owner, who counts bytes in flight.
internal import Base
internal import CLinux
internal import Reactor
internal import Synchronization

final class SegmentWriter: Sendable {
    enum Order: Sendable {
        case create(SegmentFile, reserving: Int)
        case write(SegmentFile, Chunk, Range<Int>)
        /// The segment takes no more records.
        case seal(SegmentFile, dataEnd: Int, recordCount: Int)
        case addDictionary(UInt16, [UInt8])
        case removeDictionary(UInt16)
        /// Tombstones go to a new file, with what of the old ones is still needed.
        case renewGraves
        case syncGraves
        /// A snapshot has read the file.
        case leaveCache(SegmentFile)
    }

    private struct State: Sendable {
        var orders: [Order] = []
        var removals: [SegmentFile] = []
        var isClosing = false
    }

    private static let retryMilliseconds = 1000

    private let state = Mutex(State())
    private let ready: Wakeup
    /// Tells the owner that something was done.
    private let done: Wakeup
    private let completed = Atomic<Int>(0)
    private let failureCode = Atomic<Int32>(0)
    private let thread = Mutex<Thread.Handle?>(nil)
    private let failureText = Mutex<SystemError?>(nil)
    private let report: @Sendable (ColdReport) -> Void
    private let faults: ColdFaults?
    let catalogue: Catalogue

    init(
        catalogue: Catalogue, done: Wakeup, faults: ColdFaults?, report: @escaping @Sendable (ColdReport) -> Void
    ) throws(SystemError) {
        ready = try Wakeup()
        self.done = done
        self.catalogue = catalogue
        self.report = report
        self.faults = faults
        let handle = try Thread.start("fog-cold-write") { [self] in work() }
        thread.withLock { $0 = handle }
    }

    // MARK: the owner's side

    /// Orders carried out since the start; orders are counted from 1 in the order of `submit`.
    var completedCount: Int { completed.load(ordering: .acquiring) }
    /// errno of the order that fails now; 0 when all is well.
    var failure: Int32 { failureCode.load(ordering: .relaxed) }
    /// The same with its operation.
    var failureDetail: SystemError? { failureText.withLock { $0 } }

    func submit(_ order: Order) {
        state.withLock { $0.orders.append(order) }
        ready.signal()
    }

    /// Takes the file away, ahead of all orders.
    func remove(_ file: SegmentFile) {
        file.drop()
        state.withLock { $0.removals.append(file) }
        ready.signal()
    }

    /// Waits until all orders are carried out or one failed, and ends the thread. False when something was left.
    func close() -> Bool {
        state.withLock { $0.isClosing = true }
        ready.signal()
        let handle = thread.withLock { handle in
            defer { handle = nil }
            return handle
        }
        handle?.join()
        return state.withLock { $0.orders.isEmpty }
    }

    // MARK: the thread

    private func work() {
        while true {
            removeFiles()
            let (order, isClosing) = state.withLock { ($0.orders.first, $0.isClosing) }
            guard let order else {
                if isClosing { return }
                ready.wait(nanoseconds: nil)
                continue
            }
            do throws(SystemError) {
                try perform(order)
                state.withLock { _ = $0.orders.removeFirst() }
                noteSuccess()
                completed.add(1, ordering: .releasing)
                done.signal()
            } catch {
                noteFailure(error)
                // No second try at the end: the owner waits for this thread.
                if isClosing { return }
                ready.wait(milliseconds: SegmentWriter.retryMilliseconds)
            }
        }
    }

    private func noteFailure(_ error: SystemError) {
        failureText.withLock { $0 = error }
        if failureCode.exchange(error.code, ordering: .relaxed) == 0 { report(.stopped(error)) }
        done.signal()
    }

    private func noteSuccess() {
        guard failureCode.exchange(0, ordering: .relaxed) != 0 else { return }
        failureText.withLock { $0 = nil }
        report(.resumed)
    }

    private func removeFiles() {
        let files = state.withLock { state in
            defer { state.removals = [] }
            return state.removals
        }
        guard !files.isEmpty else { return }
        do throws(SystemError) {
            try catalogue.removeSegments(files.map(\.number))
        } catch {
            // The manifest still names them: a start finds no file and no record.
            report(.unlisted(error))
        }
        for file in files {
            Disk.remove(file.path)
            file.noteGone()
        }
        done.signal()
    }

    private func perform(_ order: Order) throws(SystemError) {
        switch order {
        case .create(let file, let reserved):
            guard !file.isDropped else { return }
            try faults?.check(byteCount: SegmentFormat.headerByteCount)
            try file.create(reserving: reserved)
            var header = ByteBuffer()
            SegmentFormat.appendHeader(
                number: file.number, createdMilliseconds: Clock().nowMilliseconds, to: &header)
            try file.write(header.span, at: 0)
            try catalogue.addSegment(file.number)
        case .write(let file, let chunk, let range):
            guard !file.isDropped else { return }
            try faults?.check(byteCount: range.count)
            try chunk.write(range, to: file)
        case .seal(let file, let dataEnd, let recordCount):
            guard !file.isDropped else { return }
            seal(file, dataEnd, recordCount)
        case .addDictionary(let number, let bytes): try catalogue.addDictionary(number, bytes)
        case .removeDictionary(let number): try catalogue.removeDictionary(number)
        case .renewGraves: try catalogue.renewGraves()
        case .syncGraves: catalogue.graves?.sync()
        case .leaveCache(let file): file.leaveCache()
        }
    }

    /// Bytes of an index that are written at once.
    private static let indexPieceByteCount = 32 << 10

    /// Reads the segment back, record by record, and writes index and trailer. Without them it is only read more slowly
    /// after a crash, so nothing waits for a seal that fails.
    private func seal(_ file: SegmentFile, _ dataEnd: Int, _ recordCount: Int) {
        do throws(SystemError) {
            let end = try writeIndex(of: file, dataEnd, recordCount)
            try file.truncate(to: end)
            try file.sync()
        } catch {
            report(.unsealed(error))
        }
        file.leaveCache()
    }

    /// Writes index and trailer behind the records, as they come. Returns where the file ends then: where its records
    /// do, when one of them could not be read.
    private func writeIndex(
        of file: SegmentFile, _ dataEnd: Int, _ recordCount: Int
    ) throws(SystemError) -> Int {
        var builder = SegmentIndexBuilder(dataEnd: dataEnd, recordCount: recordCount)
        var scan = SegmentScan(file, from: SegmentFormat.headerByteCount, to: dataEnd)
        var piece = ByteBuffer()
        var end = dataEnd
        while true {
            scan.walk { head, key, _, offset, byteCount in
                builder.add(head, key: key, offset: offset, byteCount: byteCount)
                return builder.byteCount < SegmentWriter.indexPieceByteCount
            }
            guard scan.badCount == 0 else { return dataEnd }
            let isOver = builder.byteCount < SegmentWriter.indexPieceByteCount
            piece.truncate(to: 0)
            if isOver { builder.finish(into: &piece) } else { builder.take(into: &piece) }
            try faults?.check(byteCount: piece.count)
            try file.write(piece.span, at: end)
            end += piece.count
            if isOver { return builder.recordCount == recordCount ? end : dataEnd }
        }
    }
}
