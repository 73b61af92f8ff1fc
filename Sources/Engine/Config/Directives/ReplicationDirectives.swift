// ReplicationDirectives.swift - primaries and replicas.
// One line per directive: name, default, what is allowed, flags, alias, the `Settings` field. Defaults and bounds are
// those of the stock servers and checked against them by Conformance/config_check.py. Pure data, joined by
// DirectiveTable.swift.

extension DirectiveTable {
    static let replication: [Directive] = [
        .special("replicaof", .replicaOf, .texts([]), .immutable, alias: "slaveof"),
        .optionalText("masterauth", .sensitive, alias: "primaryauth", isBinary: true),
        .optionalText("masteruser", .sensitive, alias: "primaryuser"),
        .boolean("replica-serve-stale-data", true, alias: "slave-serve-stale-data") { $0.replicaServeStaleData = $1 },
        .boolean("replica-read-only", true, alias: "slave-read-only") { $0.replicaReadOnly = $1 },
        .boolean("replica-ignore-maxmemory", true, alias: "slave-ignore-maxmemory") { $0.replicaIgnoreMaxmemory = $1 },
        .boolean("replica-lazy-flush", false, alias: "slave-lazy-flush") { $0.replicaLazyFlush = $1 },
        .integer("replica-priority", 100, .int32, alias: "slave-priority") { $0.replicaPriority = $1 },
        .optionalText("replica-announce-ip", alias: "slave-announce-ip"),
        .integer("replica-announce-port", 0, .port, alias: "slave-announce-port") { $0.replicaAnnouncePort = $1 },
        .boolean("replica-announced", true) { $0.replicaAnnounced = $1 },
        .boolean("replica-ignore-disk-write-errors", false) { $0.replicaIgnoreDiskWriteErrors = $1 },
        .memory("replica-full-sync-buffer-limit", 0, .int64) { $0.replicaFullSyncBufferLimit = $1 },
        .integer(
            "repl-ping-replica-period", 10, .positiveInt32, alias: "repl-ping-slave-period"
        ) { $0.replPingReplicaPeriodSeconds = $1 },
        .integer("repl-timeout", 60, .positiveInt32) { $0.replTimeoutSeconds = $1 },
        .boolean("repl-disable-tcp-nodelay", false) { $0.replDisableTCPNoDelay = $1 },
        .memory("repl-backlog-size", 1 << 20, 1...Int.max) { $0.replBacklogSize = $1 },
        .integer("repl-backlog-ttl", 3600, .int64) { $0.replBacklogTTLSeconds = $1 },
        .boolean("repl-diskless-sync", true) { $0.replDisklessSync = $1 },
        .integer("repl-diskless-sync-delay", 5, .int32) { $0.replDisklessSyncDelaySeconds = $1 },
        .integer("repl-diskless-sync-max-replicas", 0, .int32) { $0.replDisklessSyncMaxReplicas = $1 },
        .choice("repl-diskless-load", ReplicaDisklessLoad.disabled, .deniedWhileLoading) { $0.replDisklessLoad = $1 },
        .boolean("repl-rdb-channel", true, .hidden) { $0.replRDBChannel = $1 },
        .boolean("dual-channel-replication-enabled", false) { $0.dualChannelReplication = $1 },
        .integer("min-replicas-to-write", 0, .int32, alias: "min-slaves-to-write") { $0.minReplicasToWrite = $1 },
        .integer("min-replicas-max-lag", 10, .int32, alias: "min-slaves-max-lag") {
            $0.minReplicasMaxLagSeconds = $1
        },
        .choice("propagation-error-behavior", PropagationErrorBehavior.ignore) { $0.propagationErrorBehavior = $1 },
    ]
}
