// AOFWriter.swift - the thread that writes the append only file. Loops hand it what the journal recorded in a turn and
// never touch the file; it writes all that has come since it last looked as one piece and, under `always`, syncs it as
// one piece: that is the group commit. Under `everysec` another thread syncs, so that writing goes on meanwhile. A
// write that finds this thread at rest is answered when the system has it, so that the end of the process alone does
// not lose it; where writes follow each other closely that would cost each of them the wakeups of two threads, and the
// file lacks at most what was answered while this thread lingers.
// Offsets count the journal's bytes; `durableOffset` only grows. When the disk refuses, what was not written (under
// `always`: not synced) is kept, the file is cut back to its last good byte, and it tries again until there is room:
// nothing that was acknowledged can be lost, and nothing half written stays.
package import Base
internal import CLinux
internal import Reactor
package import Synchronization

/// `appendfsync`.
package enum AOFSyncPolicy: Sendable {
    case always
    case everySecond
    case never
}

/// What the writer tells the server, from threads of its own.
package struct AOFWriterEvents: Sendable {
    /// `durableOffset` has grown: whoever waits looks again.
    package var progressed: @Sendable (_ durableOffset: Int64) -> Void = { _ in }
    /// Under other policies than `always`: the system has the journal up to here, or nobody is to wait for that.
    package var wrote: @Sendable (_ offset: Int64) -> Void = { _ in }
    /// The disk refuses (`reason` is the system's text), or works again (nil). Called once per change.
    package var troubled: @Sendable (_ reason: String?) -> Void = { _ in }

    package init() {}
}

package final class AOFWriter: Sendable {
    private let inbox = AOFInbox()
    private let wakeup: Wakeup
    private let thread = Mutex<Thread.Handle?>(nil)
    private let syncer: AOFSyncer
    private let events: AOFWriterEvents
    private let policy = Mutex(AOFSyncPolicy.everySecond)
    /// Syncing pauses while a rewrite or save runs (`no-appendfsync-on-rewrite`).
    package let isSyncPaused = Atomic<Bool>(false)
    /// Whether units get checksum annotations (`aof-checksum-enabled`).
    package let addsChecksums = Atomic<Bool>(false)
    /// Journal bytes that are on the device.
    package let durableOffset: Atomic<Int64>
    /// Journal bytes that were handed over.
    package let receivedOffset: Atomic<Int64>
    /// Journal bytes that the system has taken.
    package let writtenOffset: Atomic<Int64>
    /// Bytes in the present file.
    package let fileByteCount = Atomic<Int>(0)
    /// Syncs that a paused or slow disk put off (INFO aof_delayed_fsync).
    package let delayedSyncs = Atomic<Int>(0)
    package let isFailing = Atomic<Bool>(false)
    /// The thread waits for something to write.
    private let isWaiting = Atomic<Bool>(false)
    /// DEBUG AOF-FLUSH-SLEEP: makes every write late, which acknowledgements must show under `always`.
    package let writeDelayMicroseconds = Atomic<Int>(0)

    /// Starts writing at the end of the file at `path`; `offset` is the journal's position there.
    package init(
        _ path: String, offset: Int64, policy: AOFSyncPolicy, events: AOFWriterEvents
    ) throws(SystemError) {
        wakeup = try Wakeup()
        self.events = events
        syncer = try AOFSyncer()
        durableOffset = Atomic(offset)
        receivedOffset = Atomic(offset)
        writtenOffset = Atomic(offset)
        self.policy.withLock { $0 = policy }
        let file = try DiskFile(path, .append)
        fileByteCount.store(try file.byteCount, ordering: .relaxed)
        let handle = try Thread.start("fog-aof") { [self] in
            var state = AOFWriterState(path: path, offset: offset)
            work(&state)
        }
        thread.withLock { $0 = handle }
    }

    // MARK: from the turn

    /// Takes all of `bytes`, in exchange for an empty buffer when it has none of its own.
    package func write(_ bytes: inout ByteBuffer) {
        receivedOffset.add(Int64(bytes.count), ordering: .sequentiallyConsistent)
        if inbox.add(&bytes) { wakeup.signal() }
    }

    /// Everything handed over from now on goes to the file at `path`, which exists.
    package func switchFile(to path: String) {
        inbox.switchFile(to: path)
        wakeup.signal()
    }

    package func setPolicy(_ policy: AOFSyncPolicy) {
        self.policy.withLock { $0 = policy }
        wakeup.signal()
    }

    /// Memory of bytes that wait to be written.
    package var pendingByteCount: Int {
        max(0, Int(receivedOffset.load(ordering: .relaxed) - writtenOffset.load(ordering: .relaxed)))
    }

    package var isSyncing: Bool { syncer.isBusy }

    /// Whether what is handed over next is written at once. A sync that runs may hold a write up for long.
    package var isResting: Bool { isWaiting.load(ordering: .relaxed) && !syncer.isBusy }

    /// Writes and syncs what was handed over and ends the thread. Gives up on a disk that refuses.
    package func close() {
        inbox.close()
        wakeup.signal()
        thread.withLock { $0.take() }?.join()
        syncer.close()
    }

    // MARK: the thread

    /// Between two writes of a busy server under `everysec`: what is written together costs one system call.
    private static let lingerMicroseconds: UInt32 = 1500
    private static let retryMilliseconds = 100
    private static let syncNanoseconds: Int64 = 1_000_000_000
    /// Waiting bytes that are worth no more waiting.
    private static let eagerByteCount = 1 << 20

    private func work(_ state: inout AOFWriterState) {
        while true {
            if state.pace.patience > 0 { gather(&state) }
            let isClosed = inbox.take(into: &state)
            if !state.isEmpty {
                advance(&state, isClosing: isClosed)
                if isClosed && isFailing.load(ordering: .relaxed) { return }
                continue
            }
            syncIfDue(&state, isClosing: isClosed)
            if isClosed { return }
            sleep(milliseconds: idleMilliseconds(state))
        }
    }

    /// Lets the clients that the last sync answered join those that wait for the next.
    private func gather(_ state: inout AOFWriterState) {
        guard inbox.awaits({ state.pace.wanted(besides: $0) }) else { return }
        state.pace.hasWaited(isWhole: wakeup.wait(nanoseconds: state.pace.patience))
    }

    /// One step: write, sync when every write must be, tell.
    private func advance(_ state: inout AOFWriterState, isClosing: Bool) {
        let policy = policy.withLock { $0 }
        let syncs = policy == .always || isClosing
        let start = Clock().monotonicNanoseconds
        let delay = writeDelayMicroseconds.load(ordering: .relaxed)
        if _slowPath(delay > 0) { Clock.sleep(nanoseconds: Int64(delay) * 1000) }
        // A write may have to wait for the device now, which is what `everysec` is not to be held up by.
        if !syncs && syncer.isBusy { events.wrote(state.takenOffset) }
        do throws(SystemError) {
            try state.writeAll(syncs: syncs, checksums: addsChecksums.load(ordering: .relaxed))
        } catch {
            return fail(error, isClosing: isClosing)
        }
        fileByteCount.store(state.fileByteCount, ordering: .relaxed)
        writtenOffset.store(state.writtenOffset, ordering: .sequentiallyConsistent)
        if isFailing.load(ordering: .relaxed) {
            Log.shared.warning("AOF write error looks solved. The server can write again.")
            isFailing.store(false, ordering: .sequentiallyConsistent)
            events.troubled(nil)
        }
        if syncs {
            durableOffset.store(state.writtenOffset, ordering: .sequentiallyConsistent)
            events.progressed(state.writtenOffset)
            state.pace.hasSynced(state.lastWriteByteCount, nanoseconds: Clock().monotonicNanoseconds - start)
        } else {
            state.pace = GroupPace()
            events.wrote(state.writtenOffset)
            syncIfDue(&state, isClosing: false)
            if state.lastWriteByteCount < AOFWriter.eagerByteCount { usleep(AOFWriter.lingerMicroseconds) }
        }
    }

    private func fail(_ error: SystemError, isClosing: Bool) {
        if !isFailing.exchange(true, ordering: .sequentiallyConsistent) {
            Log.shared.warning("Error writing to the AOF file: \(error.reason)")
            events.troubled(error.reason)
        }
        if !isClosing { sleep(milliseconds: AOFWriter.retryMilliseconds) }
    }

    private func sleep(milliseconds: Int?) {
        isWaiting.store(true, ordering: .relaxed)
        wakeup.wait(nanoseconds: milliseconds.map { Int64($0) * 1_000_000 })
        isWaiting.store(false, ordering: .relaxed)
    }

    /// Until the next sync is due; nil when nothing waits for one.
    private func idleMilliseconds(_ state: borrowing AOFWriterState) -> Int? {
        guard durableOffset.load(ordering: .relaxed) < state.writtenOffset else { return nil }
        if policy.withLock({ $0 }) == .never { return nil }
        let left = state.lastSync + AOFWriter.syncNanoseconds - Clock().monotonicNanoseconds
        return max(20, Int(left / 1_000_000 + 1))
    }

    /// Starts the sync that is due, once a second; at once after a change to `always`, and at the end.
    private func syncIfDue(_ state: inout AOFWriterState, isClosing: Bool) {
        let written = state.writtenOffset
        guard durableOffset.load(ordering: .relaxed) < written else { return }
        let policy = policy.withLock { $0 }
        if policy == .always || isClosing { return syncNow(&state, written, isClosing: isClosing) }
        guard policy == .everySecond, !isSyncPaused.load(ordering: .relaxed) else { return }
        let now = Clock().monotonicNanoseconds
        guard now - state.lastSync >= AOFWriter.syncNanoseconds else { return }
        if syncer.isBusy {
            // The last one still runs: this second's comes when it is over.
            if !state.hasCountedDelay { delayedSyncs.add(1, ordering: .relaxed) }
            return state.hasCountedDelay = true
        }
        state.lastSync = now
        state.hasCountedDelay = false
        syncer.start(state.descriptor) { [self] failure in finishSync(failure, written) }
    }

    private func syncNow(_ state: inout AOFWriterState, _ written: Int64, isClosing: Bool) {
        do throws(SystemError) {
            try state.sync()
            durableOffset.store(written, ordering: .sequentiallyConsistent)
            events.progressed(written)
        } catch {
            fail(error, isClosing: isClosing)
        }
    }

    /// The other thread's sync is over.
    private func finishSync(_ failure: SystemError?, _ written: Int64) {
        if let failure {
            Log.shared.warning("Asynchronous AOF fsync error: \(failure.reason)")
            if !isFailing.exchange(true, ordering: .sequentiallyConsistent) { events.troubled(failure.reason) }
        } else {
            durableOffset.max(written, ordering: .sequentiallyConsistent)
            events.progressed(written)
            if isFailing.exchange(false, ordering: .sequentiallyConsistent) { events.troubled(nil) }
        }
    }
}
