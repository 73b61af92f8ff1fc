// AOFSyncer.swift - a thread that syncs the append only file under `everysec`, one sync at a time, so that the writer
// goes on writing. It works on a descriptor of its own, which stays good when the writer moves on to another file.
package import Base
internal import CLinux
internal import Reactor
internal import Synchronization

package final class AOFSyncer: Sendable {
    private let pool: IOPool
    private let busy = Atomic<Bool>(false)

    package init() throws(SystemError) { pool = try IOPool(threadCount: 1) }

    package var isBusy: Bool { busy.load(ordering: .acquiring) }

    /// Syncs what was written through `descriptor` and calls `done` with what went wrong. Only while not busy.
    package func start(_ descriptor: Int32, _ done: @escaping @Sendable (SystemError?) -> Void) {
        let copy = fog_fcntl_int(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return done(SystemError(operation: "dup")) }
        busy.store(true, ordering: .releasing)
        pool.submit { [self] in
            let failure = fdatasync(copy) == 0 ? nil : SystemError(operation: "fdatasync")
            CLinux.close(copy)
            busy.store(false, ordering: .releasing)
            done(failure)
        }
    }

    /// Finishes the sync that runs and ends the thread.
    package func close() { pool.close() }
}
