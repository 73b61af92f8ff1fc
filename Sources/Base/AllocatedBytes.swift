// AllocatedBytes.swift - what the process has allocated. The exact sum comes from counts of the threads themselves and
// costs two loads a thread, and a lock that is otherwise only taken when threads start and end. Pages come from the
// allocator's own statistics, which take every lock it has: a background thread reads them, loops see its last reading.
internal import CAllocator
internal import Synchronization

package enum AllocatedBytes {
    /// Called first and last by every thread that the server starts.
    package static func joinThread() { fog_allocator_join() }
    package static func leaveThread() { fog_allocator_leave() }

    /// Bytes in use by all those threads, size classes included; 0 under an allocator that does not tell.
    package static var used: Int { Int(fog_allocator_used()) }

    /// Bytes that those threads have ever given back.
    package static var freed: Int { Int(fog_allocator_freed()) }
}

/// The allocator's pages as it told last.
package final class AllocatorPages: Sendable {
    private let lastActive = Atomic<Int>(0)
    private let lastResident = Atomic<Int>(0)
    private let isReading = Atomic<Bool>(false)

    package init() {}

    /// Bytes in pages with allocations, and in all pages that take memory.
    package var active: Int { lastActive.load(ordering: .relaxed) }
    package var resident: Int { lastResident.load(ordering: .relaxed) }

    /// Asks the allocator. When more than `dirtyByteCountMax` bytes were freed and are still resident, they go back to
    /// the system first. Cost: microseconds, and milliseconds while another thread frees much.
    package func read(dirtyByteCountMax: Int = .max) {
        guard !isReading.exchange(true, ordering: .acquiring) else { return }
        fog_allocator_refresh()
        if fog_allocator_dirty() > dirtyByteCountMax {
            _ = fog_allocator_purge()
            fog_allocator_refresh()
        }
        lastActive.store(unsafe fog_allocator_statistic("stats.active"), ordering: .relaxed)
        lastResident.store(unsafe fog_allocator_statistic("stats.resident"), ordering: .relaxed)
        isReading.store(false, ordering: .releasing)
    }
}
