// InfoAppendOnly.swift - what INFO persistence tells of the append only file, named as in the stock servers.
internal import Engine

extension InfoServer {
    static func appendOnly(_ call: borrowing Call, to text: inout InfoText) {
        let facts = call.administration.appendOnly
        text.field("aof_enabled", call.settings.appendOnly)
        text.field("aof_rewrite_in_progress", facts.isRewriting)
        text.field("aof_rewrite_scheduled", facts.isRewriteScheduled)
        text.field("aof_last_rewrite_time_sec", facts.lastRewriteSeconds)
        text.field("aof_current_rewrite_time_sec", facts.isRewriting ? Int((call.now - facts.rewriteStart) / 1000) : -1)
        text.field("aof_last_bgrewrite_status", facts.lastRewriteSucceeded ? "ok" : "err")
        text.field("aof_rewrites", facts.rewriteCount)
        text.field("aof_rewrites_consecutive_failures", facts.failedRewriteCount)
        text.field("aof_last_write_status", facts.failure == nil ? "ok" : "err")
        text.field("aof_last_cow_size", 0)
    }

    static func appendOnlySizes(_ call: borrowing Call, to text: inout InfoText) {
        guard call.settings.appendOnly else { return }
        let facts = call.administration.appendOnly
        let gauges = call.administration.hooks.appendOnlyGauges()
        text.field("aof_current_size", facts.olderByteCount + gauges.fileByteCount)
        text.field("aof_base_size", facts.baseByteCount)
        text.field("aof_pending_rewrite", 0)
        text.field("aof_buffer_length", gauges.pendingByteCount)
        text.field("aof_pending_bio_fsync", gauges.isSyncing)
        text.field("aof_delayed_fsync", gauges.delayedSyncCount)
    }
}
