// SavingState.swift - what the engine knows of saves and loads: when the last one was, how it went, the one that runs.
// Plain data under the turn; INFO persistence shows most of it.
internal import Keyspace
internal import Persistence

/// What a snapshot is taken for.
package enum SnapshotPurpose: Sendable {
    /// BGSAVE: `dbfilename`.
    case save
    /// The base of a rewritten append only file.
    case rewrite
    /// A replica's full transfer.
    case replication
}

package struct SavingState {
    /// When the last save succeeded, seconds since the epoch; the start of the server before the first.
    package internal(set) var lastSaveSecond: Int64 = 0
    /// How the last background save went.
    package internal(set) var hasFailed = false
    /// Seconds it took; -1 before the first.
    package internal(set) var lastSeconds = -1
    /// When the last background save was tried, milliseconds since the epoch.
    var lastTry: Int64 = 0
    /// A signal asked for the end of the server, which has not begun.
    var requestedShutdown: ShutdownFlags?
    /// BGSAVE SCHEDULE waits for another snapshot to end.
    package internal(set) var isScheduled = false
    /// Saves that succeeded since the start.
    package internal(set) var count = 0
    package internal(set) var loadedKeys = 0
    package internal(set) var expiredKeys = 0

    /// `changes` when the last background save began: so many are safe when it ends.
    var changesAtStart = 0
    var running: RunningSnapshot?
    /// The longest that a slice of the running or last snapshot held the turn.
    package internal(set) var longestSliceNanoseconds: Int64 = 0
    /// The longest that anybody held the turn while the running or last snapshot was taken: slices, and commands that
    /// had to hand a value over first.
    package internal(set) var longestTurnNanoseconds: Int64 = 0
    /// The longest turn by its thread's time on a core: what the turn did, without what the machine did meanwhile.
    package internal(set) var longestTurnWorkNanoseconds: Int64 = 0
    /// Some command waits for a value of the running snapshot.
    var hasWaiters = false
    package internal(set) var loading = LoadingState()
}

/// When a turn began, by the clock and by its thread's time on a core.
package struct TurnStart {
    let nanoseconds: Int64
    let threadNanoseconds: Int64
}

/// The snapshot that is being taken or written.
struct RunningSnapshot {
    let purpose: SnapshotPurpose
    let job: SnapshotJob
    let capture: SnapshotCapture
    let startMilliseconds: Int64
    /// All pieces were given to the job.
    var isCaptured = false
    let completed: @Sendable (inout Engine, SnapshotJob.Outcome) -> Void
}

/// The load that runs, or the last one.
package struct LoadingState: Sendable {
    package internal(set) var startSecond: Int64 = 0
    package internal(set) var totalByteCount = 0
    package internal(set) var loadedByteCount = 0
    /// What the file says its server used.
    package internal(set) var usedMemory = 0

    /// Seconds until it is done at the speed so far.
    package func secondsLeft(now: Int64) -> Int {
        let elapsed = Int(now - startSecond)
        guard elapsed > 0, loadedByteCount > 0 else { return 1 }
        return max(0, elapsed * max(0, totalByteCount - loadedByteCount) / loadedByteCount)
    }
}
