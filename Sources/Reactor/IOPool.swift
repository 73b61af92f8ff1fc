// IOPool.swift - threads for work that must not hold a loop: freeing large values, later disk reads and writes. Jobs
// run in order of submission per thread; results travel back by whatever the job's closure posts to.
package import Base
internal import CLinux
internal import Synchronization

package final class IOPool: Sendable {
    private struct State: Sendable {
        var jobs: [@Sendable () -> Void] = []
        var isClosed = false
        /// Jobs taken but not finished.
        var running = 0
    }

    private let state = Mutex(State())
    private let ready: Wakeup
    private let threads = Mutex<[Thread.Handle]>([])

    /// Starts `threadCount` threads.
    package init(threadCount: Int) throws(SystemError) {
        ready = try Wakeup()
        for index in 0..<threadCount {
            let handle = try Thread.start("fog-pool-\(index)") { [self] in work() }
            threads.withLock { $0.append(handle) }
        }
    }

    /// Adds a job; it runs on some thread of the pool.
    package func submit(_ job: @escaping @Sendable () -> Void) {
        state.withLock { $0.jobs.append(job) }
        ready.signal()
    }

    /// Jobs waiting or running.
    package var pendingCount: Int { state.withLock { $0.jobs.count + $0.running } }

    /// Finishes what was submitted and ends the threads; nothing when they have ended.
    package func close() {
        state.withLock { $0.isClosed = true }
        let ending = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for _ in ending { ready.signal() }
        for thread in ending { thread.join() }
    }

    private func work() {
        while true {
            let (job, isClosed) = state.withLock { state -> ((@Sendable () -> Void)?, Bool) in
                guard !state.jobs.isEmpty else { return (nil, state.isClosed) }
                state.running += 1
                return (state.jobs.removeFirst(), false)
            }
            if let job {
                job()
                state.withLock { $0.running -= 1 }
                continue
            }
            if isClosed {
                ready.signal()
                return
            }
            ready.wait(milliseconds: 1000)
        }
    }
}
