// SnapshotJob.swift - the thread that turns one snapshot into a file: takes pieces, compresses strings, checksums,
// writes, syncs, renames. Pieces are added under the engine's turn, which must not wait: what cannot be written yet
// queues up, and when the queue grows long the thread leaves out compression and early syncs until it has caught up.
// The file appears under its name only when it is whole and on the device; until then it has a temporary name.
package import Base
internal import CLinux
package import Keyspace
internal import Reactor
internal import Synchronization

package final class SnapshotJob: Sendable {
    package struct Plan: Sendable {
        /// The file to make, and the name it has until it is whole; in one directory.
        package var path: String
        package var temporaryPath: String
        package var facts = RDBFacts()
        package var compresses = true
        package var checksums = true
        /// Commands instead of an RDB file (`aof-use-rdb-preamble no`), with the time in front if that is wanted.
        package var asCommands = false
        package var annotatesTime = false
        /// Sync every few megabytes, so that the last sync is short (`rdb-save-incremental-fsync`).
        package var syncsIncrementally = true

        package init(path: String, temporaryPath: String) {
            self.path = path
            self.temporaryPath = temporaryPath
        }
    }

    package enum Outcome: Sendable {
        /// The file is in its place.
        case success(byteCount: Int)
        case failure(SystemError)
        case cancelled
    }

    private struct State {
        var pieces: [SnapshotPiece] = []
        /// Set when the last piece was added.
        var version: Int?
        var isCancelled = false
        var outcome: Outcome?
    }

    fileprivate enum Next {
        case pieces([SnapshotPiece])
        case end(version: Int)
        case cancelled
    }

    /// The walk waits while more is queued; writes that hand entries over never wait.
    private static let queuedByteCountMax = 4 << 20
    /// From here on catching up matters more than the size of the file.
    private static let compressedByteCountMax = 16 << 20
    private static let writeByteCount = 256 << 10
    /// Compressing is not to take the processor from the loops where there are few. A weight of a third: what writes
    /// hand over must not pile up behind a thread that never runs.
    private static let niceness: Int32 = 5
    private static let syncByteCount = 4 << 20

    package let plan: Plan
    private let state = Mutex(State())
    private let queued = Atomic<Int>(0)
    private let written = Atomic<Int>(0)
    private let ready: Wakeup
    /// Signalled when the queue shrank or the job ended.
    private let progress: Wakeup
    private let thread = Mutex<Thread.Handle?>(nil)

    /// Starts the thread.
    package init(_ plan: Plan) throws(SystemError) {
        self.plan = plan
        ready = try Wakeup()
        progress = try Wakeup()
        let handle = try Thread.start("fog-snapshot", niceness: SnapshotJob.niceness) { [self] in run() }
        thread.withLock { $0 = handle }
    }

    // Who polls `outcome` instead of waiting has not joined the thread, whose stack would stay for good.
    deinit { thread.withLock { $0.take() }?.detach() }

    // MARK: the engine's side

    /// Adds a piece behind those before it.
    package func add(_ piece: SnapshotPiece) {
        let isWanted = state.withLock { state in
            guard state.outcome == nil, !state.isCancelled else { return false }
            state.pieces.append(piece)
            return true
        }
        guard isWanted else { return }
        queued.add(piece.bytes.count, ordering: .relaxed)
        ready.signal()
    }

    /// The last piece of `capture` was added.
    package func finish(_ capture: SnapshotCapture) {
        let version = capture.versionNeeded
        state.withLock { $0.version = version }
        ready.signal()
    }

    /// Nobody wants the file any more.
    package func cancel() {
        state.withLock { state in
            state.isCancelled = true
            state.pieces = []
        }
        ready.signal()
    }

    /// Whether the walk may go on adding.
    package var hasRoom: Bool { queued.load(ordering: .relaxed) < SnapshotJob.queuedByteCountMax }

    /// Bytes that wait to be written, and bytes of the file so far.
    package var queuedByteCount: Int { queued.load(ordering: .relaxed) }
    package var writtenByteCount: Int { written.load(ordering: .relaxed) }

    /// How it ended; nil while it runs.
    package var outcome: Outcome? { state.withLock { $0.outcome } }

    /// Blocks until there is room or the job has ended, for a moment: for saves that hold the turn. True when it is so.
    package func waitForRoom() -> Bool {
        if hasRoom || outcome != nil { return true }
        progress.wait(milliseconds: 100)
        return false
    }

    /// Blocks until the job has ended; `meanwhile` is called now and then.
    package func wait(meanwhile: () -> Void = {}) -> Outcome {
        while true {
            meanwhile()
            if let outcome {
                thread.withLock { handle in
                    handle?.join()
                    handle = nil
                }
                return outcome
            }
            progress.wait(milliseconds: 100)
        }
    }

    // MARK: the thread's side

    private func run() {
        let outcome: Outcome
        do throws(SystemError) {
            outcome = try write()
        } catch {
            outcome = .failure(error)
        }
        if case .success = outcome {} else { Disk.remove(plan.temporaryPath) }
        state.withLock { state in
            state.pieces = []
            state.outcome = outcome
        }
        queued.store(0, ordering: .relaxed)
        progress.signal()
    }

    private func write() throws(SystemError) -> Outcome {
        if plan.asCommands { return try writeCommands() }
        let file = try DiskFile(plan.temporaryPath, .replace)
        var encoder = RDBEncoder(facts: plan.facts, compresses: plan.compresses, checksums: plan.checksums)
        var unsynced = 0
        while true {
            switch next() {
            case .cancelled: return .cancelled
            case .pieces(let pieces):
                for piece in pieces {
                    let backlog = queued.subtract(piece.bytes.count, ordering: .relaxed).newValue
                    encoder.add(piece, compresses: plan.compresses && backlog < SnapshotJob.compressedByteCountMax)
                    progress.signal()
                    if encoder.output.count >= SnapshotJob.writeByteCount {
                        unsynced += try flush(&encoder, to: file)
                    }
                    if plan.syncsIncrementally && unsynced >= SnapshotJob.syncByteCount && hasRoom {
                        try file.sync()
                        unsynced = 0
                    }
                }
            case .end(let version):
                let head = encoder.finish(version: version)
                _ = try flush(&encoder, to: file)
                if let head { try file.replaceHead(with: head) }
                try file.sync()
                try Disk.rename(plan.temporaryPath, to: plan.path)
                return .success(byteCount: writtenByteCount)
            }
        }
    }

    private func flush(_ encoder: inout RDBEncoder, to file: borrowing DiskFile) throws(SystemError) -> Int {
        let output = encoder.takeOutput()
        try file.writeAll(output.span)
        written.add(output.count, ordering: .relaxed)
        return output.count
    }

    /// The same as commands: see `CommandWriter`.
    private func writeCommands() throws(SystemError) -> Outcome {
        let file = try DiskFile(plan.temporaryPath, .replace)
        var writer = CommandWriter(facts: plan.facts, second: plan.annotatesTime ? plan.facts.second : nil)
        let feed = PieceFeed(self)
        var limits = ValueLimits()
        limits.stringByteCountMax = Int(UInt32.max)
        var reader = unsafe ValueReader(limits: limits) { target, count in unsafe feed.read(target, count) }
        var unsynced = 0
        while reader.leftInWindow > 0 || feed.hasMore() {
            do throws(ValueError) {
                try writer.take(from: &reader)
            } catch {
                if feed.isCancelled { return .cancelled }
                throw SystemError(code: EIO, operation: "read back a snapshot's record")
            }
            guard writer.output.count >= SnapshotJob.writeByteCount else { continue }
            unsynced += try put(writer.takeOutput(), into: file)
            if plan.syncsIncrementally && unsynced >= SnapshotJob.syncByteCount {
                try file.sync()
                unsynced = 0
            }
        }
        if feed.isCancelled { return .cancelled }
        _ = try put(writer.takeOutput(), into: file)
        try file.sync()
        try Disk.rename(plan.temporaryPath, to: plan.path)
        return .success(byteCount: writtenByteCount)
    }

    private func put(_ output: consuming ByteBuffer, into file: borrowing DiskFile) throws(SystemError) -> Int {
        let count = output.count
        try file.writeAll(output.span)
        written.add(count, ordering: .relaxed)
        return count
    }

    /// A piece has been taken over.
    fileprivate func noteTaken(_ piece: SnapshotPiece) {
        queued.subtract(piece.bytes.count, ordering: .relaxed)
        progress.signal()
    }

    fileprivate func next() -> Next {
        while true {
            let next = state.withLock { state -> Next? in
                if state.isCancelled { return .cancelled }
                if !state.pieces.isEmpty {
                    let pieces = state.pieces
                    state.pieces = []
                    return .pieces(pieces)
                }
                return state.version.map { .end(version: $0) }
            }
            if let next { return next }
            ready.wait(milliseconds: 1000)
        }
    }
}

/// A snapshot's pieces as one stream of bytes, which waits for the next piece where there is none yet. The writing
/// thread's.
private final class PieceFeed {
    private let job: SnapshotJob
    private var pieces: [SnapshotPiece] = []
    private var index = 0
    private var offset = 0
    private var hasEnded = false
    private(set) var isCancelled = false

    init(_ job: SnapshotJob) { self.job = job }

    /// Whether a byte comes; waits until that is known.
    func hasMore() -> Bool {
        while true {
            if index < pieces.count {
                if offset < pieces[index].bytes.count { return true }
                job.noteTaken(pieces[index])
                index += 1
                offset = 0
                continue
            }
            if hasEnded || isCancelled { return false }
            (pieces, index) = ([], 0)
            switch job.next() {
            case .pieces(let more): pieces = more
            case .end: hasEnded = true
            case .cancelled: isCancelled = true
            }
        }
    }

    /// As `ValueReader.Refill` wants it.
    @unsafe func read(_ target: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
        guard hasMore() else { return 0 }
        let taken = min(count, pieces[index].bytes.count - offset)
        pieces[index].withBytes { bytes in
            for place in 0..<taken { unsafe target[place] = bytes[offset + place] }
        }
        offset += taken
        return taken
    }
}

extension DiskFile {
    /// Overwrites the first bytes of the file.
    func replaceHead(with bytes: [UInt8]) throws(SystemError) {
        let count = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard count == bytes.count else { throw SystemError(operation: "write \(path)") }
    }
}
