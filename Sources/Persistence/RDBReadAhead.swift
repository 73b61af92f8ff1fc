// RDBReadAhead.swift - reads an RDB file on a thread of its own and hands its records over in batches: reading,
// checksums, decompression and the checks of values take half of the time of loading and need no engine. Whoever places
// the batches has the turn for that alone. What is read and not placed is bounded.
internal import Base
internal import CLinux
package import Keyspace
internal import Reactor
internal import Synchronization

package final class RDBReadAhead: Sendable {
    /// Records on their way from the reading thread to the placing one. Sendable because it has one owner at a time:
    /// who has taken it from the queue.
    package final class Batch: @unchecked Sendable {
        package var records = LoadedRecords()
        /// What it holds in memory, about.
        fileprivate var weight = 0
    }

    package enum Delivery {
        case batch(Batch)
        /// The file is complete; everything before was delivered.
        case end(RDBLoader.Summary)
        case failure(RDBError)
    }

    private struct State {
        var ready: [Batch] = []
        /// Batches to fill again.
        var empty: [Batch] = []
        var queuedWeight = 0
        var ending: Delivery?
        var isStopping = false
    }

    /// So much of a file goes into one batch: it is placed in well under a millisecond.
    private static let batchByteCount = 128 << 10
    /// The reader waits while more is queued.
    private static let queuedWeightMax = 4 << 20

    private let state = Mutex(State())
    private let readySignal: Wakeup
    private let roomSignal: Wakeup
    private let thread = Mutex<Thread.Handle?>(nil)

    /// Starts reading.
    package init(_ file: RDBFile, limits: ValueLimits, options: RDBLoader.Options) throws(RDBError) {
        do throws(SystemError) {
            readySignal = try Wakeup()
            roomSignal = try Wakeup()
            let handle = try Thread.start("fog-load") { [self] in run(file, limits, options) }
            thread.withLock { $0 = handle }
        } catch {
            throw RDBError(error.description, at: 0)
        }
    }

    // MARK: the placing side

    /// The next batch, when there is one; waits for it. After `end` and `failure` nothing comes.
    package func next() -> Delivery {
        while true {
            let found = state.withLock { state -> Delivery? in
                if state.ready.isEmpty { return state.ending }
                return .batch(state.ready.removeFirst())
            }
            if let found {
                if case .batch = found {} else { join() }
                return found
            }
            readySignal.wait(milliseconds: 1000)
        }
    }

    /// Everything in `batch` was placed.
    package func recycle(_ batch: Batch) {
        batch.records.removeAll()
        state.withLock { state in
            state.queuedWeight -= batch.weight
            state.empty.append(batch)
        }
        roomSignal.signal()
    }

    /// Nobody wants the rest.
    package func stop() {
        state.withLock { $0.isStopping = true }
        roomSignal.signal()
        join()
    }

    private func join() {
        let handle = thread.withLock { $0.take() }
        handle?.join()
    }

    // MARK: the reading thread

    private func run(_ file: RDBFile, _ limits: ValueLimits, _ options: RDBLoader.Options) {
        var loader = file.loader(limits: limits, options: options)
        var ending: Delivery?
        while ending == nil {
            guard let batch = emptyBatch() else { return }
            let before = loader.progress.byteCount
            do throws(RDBError) {
                if try loader.read(into: &batch.records, byteCount: RDBReadAhead.batchByteCount) {
                    ending = .end(loader.summary)
                }
            } catch {
                ending = .failure(error)
            }
            batch.weight = max(loader.progress.byteCount - before, batch.records.bytes.count)
            state.withLock { state in
                state.ready.append(batch)
                state.queuedWeight += batch.weight
                state.ending = ending
            }
            readySignal.signal()
        }
    }

    /// Waits for room; nil when nobody wants more.
    private func emptyBatch() -> Batch? {
        while true {
            var isStopping = false
            let batch = state.withLock { state -> Batch? in
                isStopping = state.isStopping
                guard !isStopping, state.queuedWeight < RDBReadAhead.queuedWeightMax else { return nil }
                return state.empty.popLast() ?? Batch()
            }
            if isStopping { return nil }
            if let batch { return batch }
            roomSignal.wait(milliseconds: 1000)
        }
    }
}
