// PersistenceDirectives.swift - RDB, AOF and what slows them down for tests.
// One line per directive: name, default, what is allowed, flags, alias, the `Settings` field. Defaults and bounds are
// those of the stock servers and checked against them by Conformance/config_check.py. Pure data, joined by
// DirectiveTable.swift.

extension DirectiveTable {
    static let persistence: [Directive] = [
        .special("save", .savePoints, .numbers([3600, 1, 300, 100, 60, 10_000])),
        .text("dbfilename", "dump.rdb", .protected, check: DirectiveCheck.databaseFileName),
        .boolean("rdbcompression", true) { $0.rdbCompression = $1 },
        .boolean("rdbchecksum", true, .immutable) { $0.rdbChecksum = $1 },
        .boolean("rdb-del-sync-files", false) { $0.rdbDeleteSyncFiles = $1 },
        .boolean("rdb-save-incremental-fsync", true) { $0.rdbSaveIncrementalFsync = $1 },
        .choice("rdb-version-check", RDBVersionCheck.strict) { $0.rdbVersionCheck = $1 },
        .boolean("stop-writes-on-bgsave-error", true) { $0.stopWritesOnBgsaveError = $1 },
        .boolean("appendonly", false, .deniedWhileLoading) { $0.appendOnly = $1 },
        .text("appendfilename", "appendonly.aof", .immutable, check: DirectiveCheck.appendFileName),
        .text("appenddirname", "appendonlydir", .immutable, check: DirectiveCheck.appendDirectoryName),
        .choice("appendfsync", AppendFsync.everySecond) { $0.appendFsync = $1 },
        .boolean("no-appendfsync-on-rewrite", false) { $0.noAppendFsyncOnRewrite = $1 },
        .integer("auto-aof-rewrite-percentage", 100, .int32) { $0.autoAOFRewritePercentage = $1 },
        .memory("auto-aof-rewrite-min-size", 64 << 20, .int64) { $0.autoAOFRewriteMinSize = $1 },
        .boolean("aof-load-truncated", true) { $0.aofLoadTruncated = $1 },
        .memory("aof-load-corrupt-tail-max-size", 0, .int64) { $0.aofLoadCorruptTailMaxBytes = $1 },
        .boolean("aof-use-rdb-preamble", true) { $0.aofUseRDBPreamble = $1 },
        .boolean("aof-timestamp-enabled", false) { $0.aofTimestampEnabled = $1 },
        .boolean("aof-rewrite-incremental-fsync", true) { $0.aofRewriteIncrementalFsync = $1 },
        .boolean("aof-disable-auto-gc", false) { $0.aofDisableAutoGC = $1 },
        .integer("rdb-key-save-delay", 0, .anyInt32, .hidden) { $0.rdbKeySaveDelayMicroseconds = $1 },
        .integer("key-load-delay", 0, .anyInt32, .hidden) { $0.keyLoadDelayMicroseconds = $1 },
        .integer(
            "loading-process-events-interval-bytes", 2 << 20, 1024...2_147_483_647, .hidden
        ) { $0.loadingProcessEventsIntervalBytes = $1 },
    ]
}
