// ColdOptions.swift - what whoever opens a store chooses, what it counts, and what its threads report.
package import Base
internal import CLinux
package import Reactor
internal import Synchronization

package struct ColdOptions: Sendable {
    package enum Reading: Sendable {
        /// io_uring where the kernel allows it, else threads.
        case automatic
        case ring
        case threads
    }

    /// The store's own directory; made when there is none. Other files in it are left alone.
    package var directory: String
    /// What all segments may take together.
    package var byteCountMax = 1 << 30
    /// Where a segment is full, `ColdAddress.segmentByteCountMax` at most.
    package var segmentByteCount = ColdAddress.segmentByteCountMax
    /// Write buffer of an open segment.
    package var chunkByteCount = 1 << 20
    /// Age at which a buffer is written although it is not full.
    package var chunkAgeMilliseconds: Int64 = 50
    /// Bytes a second that may be put, on average over a second; 0 for any number.
    package var bytesPerSecond = 50 << 20
    /// Bytes on their way to the disk beyond which nothing is taken.
    package var inFlightByteCountMax = 4 << 20
    /// Records that die sooner go to segments of their own, which die whole.
    package var briefMilliseconds: Int64 = 600_000
    /// Share of `byteCountMax` in hundredths from which segments are emptied.
    package var reclaimPercent = 80
    /// Dead bytes in hundredths of living ones from which segments are rewritten without them. What is open and what is
    /// being rewritten comes on top: the files took 1.16 times what lived in them at 60 MB, 1.26 times at 27 MB.
    package var wastePercent = 18
    /// The set survives a crash, not only a clean end.
    package var persists = false
    package var reading = Reading.automatic
    package var readsInFlightMax = 64
    /// Signalled when there is something to `poll`; nil makes one of the store's own.
    package var wakeup: Wakeup?
    /// For tests; nil where disks fail by themselves.
    package var faults: ColdFaults?
    /// Called by the writer's thread.
    package var report: @Sendable (ColdReport) -> Void = { _ in }

    package init(directory: String) { self.directory = directory }
}

package enum ColdReport: Sendable {
    /// Writes fail: nothing is taken until they succeed; what is there is served.
    case stopped(SystemError)
    case resumed
    /// A segment has no index.
    case unsealed(SystemError)
    /// The manifest names segments that are gone.
    case unlisted(SystemError)
}

/// A disk that fails when a test says so.
package final class ColdFaults: Sendable {
    private let bytesLeft = Atomic<Int>(Int.max)
    package init() {}

    /// From now on this many bytes can be written before the disk is full.
    package func allow(byteCount: Int) { bytesLeft.store(byteCount, ordering: .relaxed) }

    func check(byteCount: Int) throws(SystemError) {
        let left = bytesLeft.load(ordering: .relaxed)
        guard left != Int.max else { return }
        guard byteCount <= left else { throw SystemError(code: ENOSPC, operation: "write (fault of a test)") }
        bytesLeft.subtract(byteCount, ordering: .relaxed)
    }
}

/// Plain counters; INFO shows them.
package struct ColdStatistics: Sendable, Equatable {
    package var puts = 0
    package var removals = 0
    /// Values served from the write buffers, from the page cache at once, and by reads that took time.
    package var readsFromBuffer = 0
    package var readsAtOnce = 0
    package var readsFromDisk = 0
    /// Windows of segments that snapshots read.
    package var windowsRead = 0
    /// Fetches that joined a read under way.
    package var readsJoined = 0
    package var readErrors = 0
    package var checksumErrors = 0
    /// Puts refused, by reason.
    package var refusedForRate = 0
    package var refusedForQueue = 0
    package var refusedForRoom = 0
    package var refusedForFailure = 0
    package var segmentsMade = 0
    package var segmentsRemoved = 0
    package var segmentsReclaimed = 0
    package var segmentsQuarantined = 0
    /// Records that reclaiming kept, and those it dropped.
    package var recordsMoved = 0
    package var recordsDropped = 0
    package var recordsRecovered = 0
    package var tombstones = 0
    package init() {}
}
