// ColdStore.swift - values on disk, by address: put, remove, fetch. Whoever keeps the keys keeps the addresses; the
// store knows nothing about keys but what a restart needs. One owner calls it (the engine's turn); nothing here waits
// for the disk: writes go through buffers to one thread (`SegmentWriter`), reads through `BlockReader`, and both make
// `descriptor` readable when there is something to `poll`. It is a cache's store: when it cannot take a value it says
// so, and what it cannot read again exactly as it was is missing. Only the start and the end may take long.
package import Base
internal import CLinux
internal import Reactor
internal import Synchronization

package final class ColdStore {
    package private(set) var options: ColdOptions
    package internal(set) var statistics = ColdStatistics()
    let catalogue: Catalogue
    let writer: SegmentWriter
    let reader: any BlockReader
    let wakeup: Wakeup
    /// By slot.
    var segments: [Segment?] = []
    var freeSlots: [Int] = []
    var lanes: [Lane] = [Lane(), Lane(), Lane()]
    /// Orders given to the writer.
    var submittedCount = 0
    var writes = Fifo<PendingWrite>()
    /// Bytes in chunks that are not on disk.
    var inFlightByteCount = 0
    /// Memory of all chunks.
    let chunkMemory = ChunkMemory()
    var credit: WriteCredit
    /// For tests: what has been written is read from its file, neither from a buffer nor at once.
    package var readsFilesOnly = false
    var dictionaries: [UInt16: Dictionary] = [:]
    /// Changes when a dictionary goes: a number may come to mean another one.
    package internal(set) var dictionaryEdition = 1
    var reads: [Int: PendingRead] = [:]
    var readsQueued = Fifo<Int>()
    var readsInFlight = 0
    var joinable: [RecordPlace: Int] = [:]
    var nextRead = 0
    var draining: Draining?
    var passage: Passage?
    /// Emptied segments whose moved records are not on disk yet.
    var emptied: [Segment] = []
    /// Where records were before they were moved, as long as a start after a crash could find them there: what becomes
    /// of a record is said of all its places.
    var movedFrom: [ColdAddress: [FormerPlace]] = [:]
    /// Files that were emptied and given up, until they are gone.
    var vanishing: [SegmentFile] = []
    var graves = ByteBuffer()
    var graveCount = 0
    var uselessGraveCount = 0
    var gravesSynced: Int64 = 0
    private var record = ByteBuffer()
    /// How far the writer was, and when it got there.
    private var lastCompleted = 0
    private var lastProgress: Int64 = 0

    /// Where a record was that lies elsewhere now.
    struct FormerPlace {
        let segment: Segment
        let offset: Int
    }

    /// A segment that takes records, and its write buffer.
    struct Lane {
        var segment: Segment?
        var chunk: Chunk?
        /// When the oldest byte that was not submitted came; milliseconds.
        var oldest: Int64 = 0
    }

    enum LaneKind: Int {
        case general, brief, survivors
    }

    struct PendingWrite {
        let order: Int
        let segment: Segment
        let chunk: Chunk
        let byteCount: Int
    }

    struct Dictionary {
        let bytes: [UInt8]
        /// Segments that need it.
        var useCount = 0
    }

    struct RecordPlace: Hashable {
        let segment: UInt32
        let address: ColdAddress
    }

    /// Opens the directory; `recover` must be called before anything else is.
    package init(_ options: ColdOptions) throws(SystemError) {
        precondition(
            options.segmentByteCount <= ColdAddress.segmentByteCountMax
                && options.segmentByteCount >= 2 * SegmentFormat.headerByteCount && options.chunkByteCount > 0,
            "segments that addresses reach")
        self.options = options
        credit = WriteCredit(bytesPerSecond: options.bytesPerSecond)
        if let given = options.wakeup { wakeup = given } else { wakeup = try Wakeup() }
        catalogue = try Catalogue(directory: options.directory, persists: options.persists)
        reader = try ColdStore.makeReader(options, wakeup)
        writer = try SegmentWriter(
            catalogue: catalogue, done: wakeup, faults: options.faults, report: options.report)
    }

    private static func makeReader(_ options: ColdOptions, _ event: Wakeup) throws(SystemError) -> any BlockReader {
        let threadCount = 3
        var entryCount = 1
        while entryCount < options.readsInFlightMax { entryCount *= 2 }
        switch options.reading {
        case .ring: return try RingReader(entryCount: entryCount, event: event)
        case .threads: return try ThreadReader(threadCount: threadCount, event: event)
        case .automatic:
            do throws(SystemError) {
                return try RingReader(entryCount: entryCount, event: event)
            } catch {
                return try ThreadReader(threadCount: threadCount, event: event)
            }
        }
    }

    // MARK: figures

    /// Readable when `poll` has something to do.
    package var descriptor: Int32 { wakeup.descriptor }
    /// "io_uring" or "threads".
    package var readerName: StaticString { reader.name }
    /// What the files take.
    package var diskByteCount: Int { segments.reduce(0) { $0 + ($1?.byteCount ?? 0) } }
    /// What living records take in them.
    package var liveByteCount: Int { segments.reduce(0) { $0 + ($1?.liveByteCount ?? 0) } }
    package var liveCount: Int { segments.reduce(0) { $0 + ($1?.liveCount ?? 0) } }
    package var segmentCount: Int { segments.reduce(0) { $0 + ($1 == nil ? 0 : 1) } }
    /// Memory of write buffers and of reads.
    package var memoryByteCount: Int {
        writeBufferByteCount + reads.values.reduce(0) { $0 + ($1.block?.byteCount ?? 0) } + (passage?.byteCount ?? 0)
    }
    /// Memory of write buffers, those included that the writer still has.
    package var writeBufferByteCount: Int { chunkMemory.byteCount.load(ordering: .relaxed) }
    /// What they take at most while the disk keeps up: what may be in flight, and the chunks that are being filled.
    package var writeBufferByteCountMax: Int { options.inFlightByteCountMax + 2 * options.chunkByteCount }
    package var readsPending: Int { reads.count }
    /// Why nothing is taken; nil when all is well.
    package var failure: SystemError? { writer.failureDetail }
    /// Everything that was put is on disk, and nothing is under way.
    package var isIdle: Bool { inFlightByteCount == 0 && writer.completedCount == submittedCount && reads.isEmpty }

    /// Follows the configuration: what all segments may take, bytes a second that may be put, and the sizes of buffers
    /// to come. Where the store lies, how it reads and what it promises stay as they were when it was opened.
    package func follow(_ wanted: ColdOptions) {
        options.byteCountMax = wanted.byteCountMax
        options.chunkByteCount = wanted.chunkByteCount
        options.inFlightByteCountMax = wanted.inFlightByteCountMax
        guard wanted.bytesPerSecond != options.bytesPerSecond else { return }
        options.bytesPerSecond = wanted.bytesPerSecond
        credit = WriteCredit(bytesPerSecond: wanted.bytesPerSecond)
    }

    /// What is on disk must not be believed after a crash from now on: something changed that tombstones cannot say.
    package func forfeit() {
        if options.persists { catalogue.forfeit() }
    }

    // MARK: put

    /// A disk that has done nothing for so long is not waited for.
    private static let patienceMilliseconds: Int64 = 1000

    /// Whether a value would be refused now and taken soon: the queue is full or the rate is used up, and the writer
    /// gets on.
    package func isBusy(at now: Int64) -> Bool {
        guard writer.failure == 0 else { return false }
        guard inFlightByteCount > options.inFlightByteCountMax else { return !credit.isLeft(at: now) }
        let completed = writer.completedCount
        if completed != lastCompleted || lastProgress > now {
            lastCompleted = completed
            lastProgress = now
        }
        return now - lastProgress < ColdStore.patienceMilliseconds
    }

    /// Takes a value, if the rate, the queue, the disk and the limit allow it. Its bytes can be fetched at once.
    package func put(_ head: ColdHead, key: Span<UInt8>, payload: Span<UInt8>, now: Int64) -> ColdAddress? {
        let byteCount = ColdRecord.byteCount(key: key.count, payload: payload.count)
        let padded = ColdAddress.padded(byteCount)
        guard ColdRecord.fits(head, keyByteCount: key.count), byteCount <= ColdAddress.recordByteCountMax,
            padded <= options.segmentByteCount - SegmentFormat.headerByteCount,
            head.dictionary == 0 || dictionaries[head.dictionary] != nil
        else { return nil }
        guard writer.failure == 0 else {
            statistics.refusedForFailure += 1
            return nil
        }
        guard inFlightByteCount <= options.inFlightByteCountMax else {
            statistics.refusedForQueue += 1
            return nil
        }
        guard credit.isLeft(at: now) else {
            statistics.refusedForRate += 1
            return nil
        }
        let isBrief = head.expiryMilliseconds > 0 && head.expiryMilliseconds - now <= options.briefMilliseconds
        guard let address = append(head, key, payload, to: isBrief ? .brief : .general, now: now) else {
            statistics.refusedForRoom += 1
            return nil
        }
        statistics.puts += 1
        return address
    }

    /// Writes the record into a lane's chunk. Nil when there is no room for another segment.
    func append(
        _ head: ColdHead, _ key: Span<UInt8>, _ payload: Span<UInt8>, to kind: LaneKind, now: Int64
    ) -> ColdAddress? {
        let byteCount = ColdRecord.byteCount(key: key.count, payload: payload.count)
        let padded = ColdAddress.padded(byteCount)
        guard let segment = segment(of: kind, room: padded) else { return nil }
        let chunk = chunk(of: kind, segment, room: padded)
        record.truncate(to: 0)
        ColdRecord.append(head, key: key, payload: payload, to: &record)
        let checksum = ColdRecord.checksum(
            record.span.extracting(4..<byteCount), segment: segment.file.number, offset: segment.end)
        record.replace(littleEndian: checksum, at: 0)
        if chunk.count == chunk.submittedCount { lanes[kind.rawValue].oldest = now }
        record.withBytes { chunk.append($0, paddedByteCount: padded) }
        let address = ColdAddress(slot: segment.slot, offset: segment.end, byteCount: byteCount)
        segment.end += padded
        segment.addLive(address)
        if head.dictionary != 0 && segment.dictionaries.insert(head.dictionary).inserted {
            dictionaries[head.dictionary]?.useCount += 1
        }
        if inFlightByteCount == 0 { lastProgress = now }
        inFlightByteCount += padded
        credit.spend(padded)
        return address
    }

    // MARK: remove

    /// The value at `address` is not wanted any more; nobody may use the address again.
    package func remove(_ address: ColdAddress) {
        guard let segment = segment(at: address) else { return }
        statistics.removals += 1
        bury(address)
        movedFrom[address] = nil
        segment.removeLive(address)
        discardIfDead(segment)
    }

    /// The key of the value at `address` expires at another time. Kept only by a store that survives crashes; a clean
    /// end asks for the expiry that counts.
    package func amend(_ address: ColdAddress, expiryMilliseconds: Int64) {
        guard options.persists, let segment = segment(at: address) else { return }
        amend(address, segment, expiryMilliseconds)
    }

    /// The value at `address` lives, and a start after a crash must not find it.
    package func disown(_ address: ColdAddress) { bury(address) }

    func bury(_ address: ColdAddress) {
        guard options.persists, let segment = segments[address.slot] else { return }
        amend(address, segment, Graves.dead)
    }

    /// Writes down what became of a record, for every place where it lies.
    private func amend(_ address: ColdAddress, _ segment: Segment, _ expiry: Int64) {
        Graves.append(segment: segment.file.number, offset: address.offset, expiry: expiry, to: &graves)
        noteGrave(segment)
        for place in movedFrom[address] ?? [] where !place.segment.file.isGone {
            Graves.append(segment: place.segment.file.number, offset: place.offset, expiry: expiry, to: &graves)
            noteGrave(place.segment)
            if place.segment.state == .lost { uselessGraveCount += 1 }
        }
    }

    private func noteGrave(_ segment: Segment) {
        segment.graveCount += 1
        graveCount += 1
        statistics.tombstones += 1
    }

    /// Must be called before a reply goes out that depends on removals: writes their tombstones.
    package func commit() {
        guard !graves.isEmpty else { return }
        do throws(SystemError) {
            try catalogue.graves?.write(graves.span)
        } catch {
            // Without them a crash would bring old values back.
            catalogue.forfeit()
            options.report(.unlisted(error))
        }
        graves.truncate(to: 0)
    }

    /// Drops everything at once.
    package func removeAll() {
        if options.persists { catalogue.forgetSegments() }
        graves.truncate(to: 0)
        for segment in segments {
            guard let segment else { continue }
            if segment.state != .lost { writer.remove(segment.file) }
            segment.state = .lost
            statistics.segmentsRemoved += 1
        }
        for number in dictionaries.keys { dictionaries[number]?.useCount = 0 }
        for lane in lanes {
            if let chunk = lane.chunk { inFlightByteCount -= chunk.count - chunk.submittedCount }
        }
        segments = []
        freeSlots = []
        lanes = [Lane(), Lane(), Lane()]
        draining = nil
        passage = nil
        emptied = []
        movedFrom = [:]
        vanishing = []
        graveCount = 0
        uselessGraveCount = 0
    }

    // MARK: dictionaries

    /// The number by which heads name this dictionary; nil when there are too many.
    package func register(dictionary bytes: [UInt8]) -> UInt16? {
        if let known = dictionaries.first(where: { $0.value.bytes == bytes }) { return known.key }
        guard let number = (1...UInt16.max).first(where: { dictionaries[$0] == nil }) else { return nil }
        dictionaries[number] = Dictionary(bytes: bytes)
        submit(.addDictionary(number, bytes))
        return number
    }

    func submit(_ order: SegmentWriter.Order) {
        submittedCount += 1
        writer.submit(order)
    }

    func segment(at address: ColdAddress) -> Segment? {
        address.slot < segments.count ? segments[address.slot] : nil
    }
}

/// How much may be written now: refilled with time, at most a second's worth.
struct WriteCredit {
    private let bytesPerSecond: Int
    private var left: Int
    private var filled: Int64 = 0

    init(bytesPerSecond: Int) {
        self.bytesPerSecond = bytesPerSecond
        left = bytesPerSecond
    }

    mutating func isLeft(at now: Int64) -> Bool {
        guard bytesPerSecond > 0 else { return true }
        let elapsed = min(max(now - filled, 0), 1000)
        if elapsed > 0 {
            filled = now
            left = min(bytesPerSecond, left + bytesPerSecond / 1000 * Int(elapsed))
        }
        return left > 0
    }

    mutating func spend(_ byteCount: Int) { if bytesPerSecond > 0 { left -= byteCount } }
}

/// First in, first out, without moving what is left at every removal.
struct Fifo<Element> {
    /// What was removed is nil until its place goes, so that nothing is kept alive by it.
    private var items: [Element?] = []
    private var start = 0

    var first: Element? { start < items.count ? items[start] : nil }

    mutating func append(_ item: Element) { items.append(item) }

    mutating func removeFirst() {
        items[start] = nil
        start += 1
        if start > 32 && start * 2 > items.count {
            items.removeFirst(start)
            start = 0
        }
    }
}
