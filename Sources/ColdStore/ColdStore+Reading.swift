// ColdStore+Reading.swift - fetching values: from a buffer, from the page cache if that takes no waiting, else by a
// read that ends in `poll`. Fetches of one record while it is read share the read. Whatever was read is checked before
// anybody sees it: its checksum, its place, and that it is the key that was asked for.
internal import Base
internal import CLinux
internal import Reactor

package enum ColdFetch: Sendable {
    /// `body` has been called with the value.
    case ready
    /// `poll` will deliver the value, or that it is missing, under the token.
    case pending
    /// It cannot be read any more.
    case missing
}

/// A read that was asked for.
struct PendingRead {
    let segment: Segment
    let offset: Int
    let byteCount: Int
    /// Nil for a window: of a segment that is being emptied, or of a passage.
    let address: ColdAddress?
    let keyHash: UInt64
    var tokens: [UInt64]
    var isPassage = false
    /// There while the read is under way.
    var block: ReadBlock?
}

extension ColdStore {
    /// Gets the value at `address`, which must be that of `key`. Reads start with `flush`.
    package func fetch(
        _ address: ColdAddress, key: Span<UInt8>, token: UInt64, _ body: (ColdHead, Span<UInt8>) -> Void
    ) -> ColdFetch {
        guard let segment = segment(at: address), segment.state != .lost else { return .missing }
        if let chunk = buffer(of: address, segment),
            let bytes = chunk.bytes(at: address.offset, byteCount: address.byteCount)
        {
            statistics.readsFromBuffer += 1
            return check(bytes, segment, address, KeyHash.hash(key, seed: KeyHash.seed), body) ? .ready : .missing
        }
        let place = RecordPlace(segment: segment.file.number, address: address)
        if let read = joinable[place] {
            reads[read]?.tokens.append(token)
            statistics.readsJoined += 1
            return .pending
        }
        guard segment.file.descriptor >= 0 else { return .missing }
        let keyHash = KeyHash.hash(key, seed: KeyHash.seed)
        let block = ReadBlock(byteCount: address.byteCount)
        if !readsFilesOnly && block.readAtOnce(segment.file, at: address.offset) {
            statistics.readsAtOnce += 1
            return check(block.span, segment, address, keyHash, body) ? .ready : .missing
        }
        joinable[place] = ask(
            PendingRead(
                segment: segment, offset: address.offset, byteCount: address.byteCount, address: address,
                keyHash: keyHash, tokens: [token]))
        return .pending
    }

    /// As `fetch`, but waits for the disk: for the start, the end, and where nothing else is possible.
    package func fetchWaiting(
        _ address: ColdAddress, key: Span<UInt8>, _ body: (ColdHead, Span<UInt8>) -> Void
    ) -> Bool {
        guard let segment = segment(at: address), segment.state != .lost else { return false }
        let keyHash = KeyHash.hash(key, seed: KeyHash.seed)
        if let chunk = buffer(of: address, segment),
            let bytes = chunk.bytes(at: address.offset, byteCount: address.byteCount)
        {
            return check(bytes, segment, address, keyHash, body)
        }
        let block = ReadBlock(byteCount: address.byteCount)
        guard segment.file.descriptor >= 0, block.readWaiting(segment.file, at: address.offset) == 0 else {
            statistics.readErrors += 1
            return false
        }
        statistics.readsFromDisk += 1
        return check(block.span, segment, address, keyHash, body)
    }

    /// The write buffer that has the record.
    private func buffer(of address: ColdAddress, _ segment: Segment) -> Chunk? {
        guard let chunk = segment.chunk(of: address) else { return nil }
        return readsFilesOnly && chunk.writtenCount == chunk.count ? nil : chunk
    }

    /// Hands the bytes on if they are the record that was put.
    private func check(
        _ bytes: Span<UInt8>, _ segment: Segment, _ address: ColdAddress, _ keyHash: UInt64,
        _ body: (ColdHead, Span<UInt8>) -> Void
    ) -> Bool {
        guard let found = ColdRecord.check(bytes, segment: segment.file.number, offset: address.offset),
            found.byteCount == address.byteCount,
            KeyHash.hash(bytes.extracting(found.key), seed: KeyHash.seed) == keyHash
        else {
            quarantine(segment)
            return false
        }
        body(found.head, bytes.extracting(found.payload))
        return true
    }

    /// Tells the kernel that the value will be fetched soon: it reads ahead, nobody waits, nothing is delivered.
    package func expect(_ address: ColdAddress) {
        guard let segment = segment(at: address), segment.file.descriptor >= 0, segment.chunk(of: address) == nil
        else { return }
        posix_fadvise(segment.file.descriptor, off_t(address.offset), off_t(address.byteCount), POSIX_FADV_WILLNEED)
    }

    func ask(_ read: PendingRead) -> Int {
        nextRead += 1
        reads[nextRead] = read
        readsQueued.append(nextRead)
        return nextRead
    }

    /// Starts the reads that were asked for, as many at a time as the options say; all go to the kernel with one call.
    package func flush() {
        while readsInFlight < options.readsInFlightMax, let number = readsQueued.first {
            guard let read = reads[number] else {
                readsQueued.removeFirst()
                continue
            }
            let block = ReadBlock(byteCount: read.byteCount)
            guard reader.start(read.segment.file, at: read.offset, block, token: number) else { break }
            readsQueued.removeFirst()
            reads[number]?.block = block
            readsInFlight += 1
        }
        reader.flush()
    }

    /// Takes what the threads and the kernel have finished. `deliver` gets each token that `fetch` called pending, with
    /// the value's head and bytes, or with no head when it is missing. It may call the store.
    package func poll(_ deliver: (UInt64, ColdHead?, Span<UInt8>) -> Void) {
        wakeup.clear()
        noteWritten()
        flush()
        while let done = reader.next() {
            readsInFlight -= 1
            guard let read = reads.removeValue(forKey: done.token) else { continue }
            if let address = read.address {
                joinable[RecordPlace(segment: read.segment.file.number, address: address)] = nil
                finish(read, address, done.code, deliver)
            } else if read.isPassage {
                takePassed(done.token, read, done.code)
            } else {
                takeWindow(read, done.code)
            }
        }
        flush()
    }

    private func finish(
        _ read: PendingRead, _ address: ColdAddress, _ code: Int32,
        _ deliver: (UInt64, ColdHead?, Span<UInt8>) -> Void
    ) {
        var isThere = false
        if code == 0, let block = read.block {
            statistics.readsFromDisk += 1
            isThere = check(block.span, read.segment, address, read.keyHash) { head, payload in
                for token in read.tokens { deliver(token, head, payload) }
            }
        } else {
            statistics.readErrors += 1
        }
        if !isThere { for token in read.tokens { deliver(token, nil, Span<UInt8>()) } }
    }
}
