// BlockReader.swift - reads of pieces of segment files that nobody waits for: by io_uring, or by threads that use
// pread. Both take the same requests and give the same results; the owner starts reads, flushes once, and takes what is
// done after the descriptor of its `Wakeup` became readable. A block's memory lives until its result was taken.
internal import Base
internal import CLinux
internal import Reactor
internal import Synchronization

/// Memory that a read fills.
@safe final class ReadBlock: @unchecked Sendable {
    // Sendable because it has one user at a time: the owner, then whoever reads, then the owner again.
    fileprivate let memory: UnsafeMutablePointer<UInt8>
    let byteCount: Int

    init(byteCount: Int) {
        self.byteCount = byteCount
        guard let fresh = unsafe malloc(max(1, byteCount)) else { outOfMemory(byteCount: byteCount) }
        unsafe memory = fresh.assumingMemoryBound(to: UInt8.self)
    }

    deinit { unsafe free(memory) }

    var span: Span<UInt8> {
        @_lifetime(borrow self) get {
            let view = unsafe Span(_unsafeStart: UnsafePointer(memory), count: byteCount)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// Fills the block if that takes no waiting.
    func readAtOnce(_ file: SegmentFile, at offset: Int) -> Bool {
        unsafe fog_pread_at_once(file.descriptor, memory, byteCount, off_t(offset)) == byteCount
    }

    /// Fills the block; 0, or errno.
    func readWaiting(_ file: SegmentFile, at offset: Int) -> Int32 {
        var done = 0
        while done < byteCount {
            let got = unsafe pread(file.descriptor, memory + done, byteCount - done, off_t(offset + done))
            if got < 0 && fog_errno() == EINTR { continue }
            if got <= 0 { return got < 0 ? fog_errno() : EIO }
            done += got
        }
        return 0
    }
}

protocol BlockReader: AnyObject {
    /// INFO's name for it.
    var name: StaticString { get }
    /// False when no more can be started now.
    func start(_ file: SegmentFile, at offset: Int, _ block: ReadBlock, token: Int) -> Bool
    func flush()
    /// A finished read: its token and 0 or errno.
    func next() -> (token: Int, code: Int32)?
    func close()
}

final class RingReader: BlockReader {
    let name: StaticString = "io_uring"
    private var ring: Ring
    private struct Read {
        let file: SegmentFile
        let block: ReadBlock
        let offset: Int
    }
    /// Keeps files and memory while the kernel uses them.
    private var reads: [Int: Read] = [:]

    init(entryCount: Int, event: Wakeup) throws(SystemError) {
        ring = try Ring(entryCount: entryCount, event: event)
    }

    func start(_ file: SegmentFile, at offset: Int, _ block: ReadBlock, token: Int) -> Bool {
        let isPrepared = unsafe ring.prepareRead(
            file.descriptor, block.memory, count: block.byteCount, at: offset, token: UInt64(token))
        if isPrepared { reads[token] = Read(file: file, block: block, offset: offset) }
        return isPrepared
    }

    func flush() {
        do throws(SystemError) {
            try ring.submit()
        } catch {
            // The reads stay prepared: they go with the next flush.
            return
        }
    }

    func next() -> (token: Int, code: Int32)? {
        guard let done = ring.nextCompletion() else { return nil }
        let token = Int(done.token)
        guard let read = reads.removeValue(forKey: token) else { return (token, EIO) }
        if done.result < 0 { return (token, Int32(-done.result)) }
        // A file is read short at its end only, and no record lies there.
        return (token, done.result == read.block.byteCount ? 0 : EIO)
    }

    /// The kernel may write into the blocks until it has said that it is done.
    func close() {
        flush()
        while !reads.isEmpty {
            if next() == nil { Clock.sleep(nanoseconds: 100_000) }
            flush()
        }
    }
}

final class ThreadReader: BlockReader {
    let name: StaticString = "threads"
    private let pool: IOPool
    private let finished = Finished()
    private let event: Wakeup

    private final class Finished: Sendable {
        let reads = Mutex<[(token: Int, code: Int32)]>([])
    }

    init(threadCount: Int, event: Wakeup) throws(SystemError) {
        pool = try IOPool(threadCount: threadCount)
        self.event = event
    }

    func start(_ file: SegmentFile, at offset: Int, _ block: ReadBlock, token: Int) -> Bool {
        let (finished, event) = (finished, event)
        pool.submit {
            let code = block.readWaiting(file, at: offset)
            finished.reads.withLock { $0.append((token, code)) }
            event.signal()
        }
        return true
    }

    func flush() {}

    func next() -> (token: Int, code: Int32)? { finished.reads.withLock { $0.popLast() } }

    func close() { pool.close() }
}
