// InfoSnapshots.swift - INFO persistence's fields about snapshots and loading. Nothing forks here, so there is no
// copy on write: the `cow` fields tell what a running snapshot costs in memory, the bytes waiting to be written.
internal import Base
internal import Engine

enum InfoSnapshots {
    static func write(_ call: borrowing Call, to text: inout InfoText) {
        let progress = call.administration.snapshotProgress
        let waiting = call.administration.snapshotByteCount
        text.field("loading", call.administration.isLoading)
        text.field("async_loading", 0)
        text.field("current_cow_peak", waiting)
        text.field("current_cow_size", waiting)
        text.field("current_cow_size_age", 0)
        let share = progress.keysTotal > 0 ? 100 * Double(progress.keysWritten) / Double(progress.keysTotal) : 0
        text.field("current_fork_perc", share)
        text.field("current_save_keys_processed", progress.keysWritten)
        text.field("current_save_keys_total", progress.keysTotal)
        text.field("rdb_changes_since_last_save", call.administration.changes)
        let isSaving = call.administration.snapshotPurpose == .save
        text.field("rdb_bgsave_in_progress", isSaving)
        text.field("rdb_last_save_time", call.administration.saving.lastSaveSecond)
        text.field("rdb_last_bgsave_status", call.administration.saving.hasFailed ? "err" : "ok")
        text.field("rdb_last_bgsave_time_sec", call.administration.saving.lastSeconds)
        let start = isSaving ? call.administration.snapshotStart : nil
        text.field("rdb_current_bgsave_time_sec", start.map { Int(call.now - $0) / 1000 } ?? -1)
        text.field("rdb_saves", call.administration.saving.count)
        text.field("rdb_last_cow_size", 0)
        // How long a slice of taking the snapshot, and any turn meanwhile, held everybody else up, at most; and the
        // most that a turn worked: where that is much less, the machine had too few cores for all who wanted one.
        text.field("fog_snapshot_longest_slice_usec", Int(call.administration.saving.longestSliceNanoseconds / 1000))
        text.field("fog_snapshot_longest_turn_usec", Int(call.administration.saving.longestTurnNanoseconds / 1000))
        text.field(
            "fog_snapshot_longest_turn_cpu_usec", Int(call.administration.saving.longestTurnWorkNanoseconds / 1000))
        text.field("rdb_last_load_keys_expired", call.administration.saving.expiredKeys)
        text.field("rdb_last_load_keys_loaded", call.administration.saving.loadedKeys)
    }

    /// At the end of the section, while a dataset is being loaded.
    static func loading(_ call: borrowing Call, to text: inout InfoText) {
        guard call.administration.isLoading else { return }
        let state = call.administration.saving.loading
        let (loaded, total) = (state.loadedByteCount, state.totalByteCount)
        text.field("loading_start_time", state.startSecond)
        text.field("loading_total_bytes", total)
        text.field("loading_rdb_used_mem", state.usedMemory)
        text.field("loading_loaded_bytes", loaded)
        text.field("loading_loaded_perc", total > 0 ? 100 * Double(loaded) / Double(total) : 0)
        text.field("loading_eta_seconds", state.secondsLeft(now: call.now / 1000))
    }
}
