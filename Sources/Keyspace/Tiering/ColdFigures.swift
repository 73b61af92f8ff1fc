// ColdFigures.swift - what INFO and FOG.TIER show of the tier on disk. Engine's turn only.
internal import Base
internal import ColdStore

extension ColdTier {
    /// "on", "read-only" or "failing".
    package var stateName: StaticString {
        if store.failure != nil { return "failing" }
        return takesValues ? "on" : "read-only"
    }

    /// Why nothing is taken; nil when all is well.
    package var failureReason: String? { store.failure?.reason }
    /// "io_uring" or "threads".
    package var readerName: StaticString { store.readerName }
    /// What the files take, and what living records take in them.
    package var diskByteCount: Int { store.diskByteCount }
    package var liveByteCount: Int { store.liveByteCount }
    package var segmentCount: Int { store.segmentCount }
    /// Memory of buffers, of reads, and of what is held for commands.
    package var bufferByteCount: Int { store.memoryByteCount + heldByteCount }
    package var pendingReadCount: Int { store.readsPending }

    /// Counters with the names that INFO gives them, without their beginning.
    package var counters: [(name: StaticString, value: Int)] {
        let counts = store.statistics
        return [
            ("reads_from_buffer", counts.readsFromBuffer), ("reads_from_cache", counts.readsAtOnce),
            ("reads", counts.readsFromDisk), ("reads_joined", counts.readsJoined),
            ("windows_read", counts.windowsRead),
            ("reads_waited", statistics.waited), ("read_errors", counts.readErrors),
            ("checksum_errors", counts.checksumErrors), ("unreadable", statistics.unreadable),
            ("refused_for_rate", counts.refusedForRate), ("refused_for_queue", counts.refusedForQueue),
            ("refused_for_room", counts.refusedForRoom), ("refused_for_failure", counts.refusedForFailure),
            ("segments_reclaimed", counts.segmentsReclaimed), ("segments_quarantined", counts.segmentsQuarantined),
            ("records_moved", counts.recordsMoved), ("records_dropped", counts.recordsDropped),
            ("records_recovered", counts.recordsRecovered), ("keys_reclaimed", statistics.reclaimed),
            ("commands_held_up", statistics.commandsHeldUp), ("commands_overdue", statistics.commandsOverdue),
        ]
    }
}
