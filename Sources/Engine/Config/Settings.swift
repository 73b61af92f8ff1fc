// Settings.swift - the configuration as the running server reads it: one trivially copyable struct of integers, flags
// and one-byte enums, so a hot path pays a load and a loop can keep a copy without reference counting.
// Owned by `Config`, which fills every field from the directive table (`Settings()` alone is all zeros, not defaults)
// and is the only writer. Text-valued directives are read through `Config` itself.

/// When a client that does not read its replies is closed.
package struct OutputBufferLimit: Sendable, BitwiseCopyable, Equatable {
    /// Closed at once above this; 0 means no limit.
    package var hardBytes = 0
    /// Closed when above this for `softSeconds`; 0 means no limit.
    package var softBytes = 0
    /// How long the soft limit may be passed.
    package var softSeconds = 0
}

/// The three client classes of `client-output-buffer-limit`.
package struct OutputBufferLimits: Sendable, BitwiseCopyable, Equatable {
    /// Ordinary clients, MONITOR included.
    package var normal = OutputBufferLimit()
    /// Replicas' links.
    package var replica = OutputBufferLimit()
    /// Clients with a subscription.
    package var pubsub = OutputBufferLimit()
}

/// Every directive that steers the running server; each field names its directive.
package struct Settings: Sendable, BitwiseCopyable, Equatable {
    init() {}

    // Network
    /// `port`.
    package var port = 0
    /// `tls-port`.
    package var tlsPort = 0
    /// `tcp-backlog`.
    package var tcpBacklog = 0
    /// `tcp-keepalive`.
    package var tcpKeepaliveSeconds = 0
    /// `timeout`: idle clients are closed after this; 0 means never.
    package var timeoutSeconds = 0
    /// `maxclients`.
    package var maxClients = 0
    /// `max-new-connections-per-cycle`.
    package var maxNewConnectionsPerCycle = 0
    /// `max-new-tls-connections-per-cycle`.
    package var maxNewTLSConnectionsPerCycle = 0
    /// `protected-mode`.
    package var protectedMode = false
    /// `unixsocketperm`.
    package var unixSocketPermissions = 0
    /// `socket-mark-id`.
    package var socketMarkId = 0
    /// `mptcp`.
    package var multipathTCP = false
    /// `io-threads`.
    package var ioThreads = 0
    /// `proto-max-bulk-len`.
    package var protoMaxBulkLength = 0
    /// `client-query-buffer-limit`.
    package var clientQueryBufferLimit = 0
    /// `client-output-buffer-limit`.
    package var outputBufferLimits = OutputBufferLimits()
    /// `maxmemory-clients`: bytes of all clients' buffers together; below zero a percentage of `maxmemory`, 0 no limit.
    package var maxmemoryClients = 0

    // General
    /// `databases`.
    package var databases = 0
    /// `daemonize`.
    package var daemonize = false
    /// `supervised`.
    package var supervised = SupervisedMode.no
    /// `always-show-logo`.
    package var alwaysShowLogo = false
    /// `set-proc-title`.
    package var setProcessTitle = false
    /// `hz`.
    package var hz = 0
    /// `dynamic-hz`.
    package var dynamicHz = false
    /// `activerehashing`.
    package var activeRehashing = false
    /// `shutdown-timeout`.
    package var shutdownTimeoutSeconds = 0
    /// `shutdown-on-sigterm`.
    package var shutdownOnSigterm = ShutdownFlags()
    /// `shutdown-on-sigint`.
    package var shutdownOnSigint = ShutdownFlags()
    /// `disable-thp`.
    package var disableTransparentHugePages = false
    /// `import-mode`.
    package var importMode = false
    /// `extended-redis-compatibility`.
    package var extendedRedisCompatibility = false

    // Log
    /// `loglevel`.
    package var logLevel = LogLevelSetting.notice
    /// `log-format`.
    package var logFormat = LogFormat.legacy
    /// `log-timestamp-format`.
    package var logTimestampFormat = LogTimestampFormat.legacy
    /// `syslog-enabled`.
    package var syslogEnabled = false
    /// `syslog-facility`.
    package var syslogFacility = SyslogFacility.local0
    /// `hide-user-data-from-log`.
    package var hideUserDataFromLog = false
    /// `crash-log-enabled`.
    package var crashLogEnabled = false
    /// `crash-memcheck-enabled`.
    package var crashMemcheckEnabled = false
    /// `use-exit-on-panic`.
    package var useExitOnPanic = false

    // Observability
    /// `slowlog-log-slower-than`: below zero: nothing is logged; 0: everything.
    package var slowlogLogSlowerThanMicroseconds = 0
    /// `slowlog-max-len`.
    package var slowlogMaxLength = 0
    /// `commandlog-request-larger-than`.
    package var commandlogRequestLargerThanBytes = 0
    /// `commandlog-reply-larger-than`.
    package var commandlogReplyLargerThanBytes = 0
    /// `commandlog-large-request-max-len`.
    package var commandlogLargeRequestMaxLength = 0
    /// `commandlog-large-reply-max-len`.
    package var commandlogLargeReplyMaxLength = 0
    /// `latency-monitor-threshold`.
    package var latencyMonitorThresholdMilliseconds = 0
    /// `latency-tracking`.
    package var latencyTracking = false
    /// `notify-keyspace-events`.
    package var notifyKeyspaceEvents = KeyspaceEventClasses()
    /// `tracking-table-max-keys`.
    package var trackingTableMaxKeys = 0
    /// `busy-reply-threshold`.
    package var busyReplyThresholdMilliseconds = 0
    /// `watchdog-period`.
    package var watchdogPeriodMilliseconds = 0

    // Security
    /// `enable-protected-configs`.
    package var enableProtectedConfigs = ProtectedAction.no
    /// `enable-debug-command`.
    package var enableDebugCommand = ProtectedAction.no
    /// `enable-module-command`.
    package var enableModuleCommand = ProtectedAction.no
    /// `acllog-max-len`.
    package var aclLogMaxLength = 0
    /// `acl-pubsub-default`.
    package var aclPubSubDefault = ACLPubSubDefault.resetChannels
    /// `sanitize-dump-payload`.
    package var sanitizeDumpPayload = SanitizeDumpPayload.no
    /// `lua-enable-deprecated-api`.
    package var luaEnableDeprecatedAPI = false

    // Memory
    /// `maxmemory`: 0 means no limit. The engine's own copy holds what `auto` means now.
    package var maxmemory = 0
    /// `maxmemory auto`: the limit follows that of the container.
    package var maxmemoryIsAuto = false
    /// `maxmemory-policy`.
    package var maxmemoryPolicy = MaxmemoryPolicy.noEviction
    /// `maxmemory-samples`.
    package var maxmemorySamples = 0
    /// `maxmemory-eviction-tenacity`.
    package var maxmemoryEvictionTenacity = 0
    /// `lfu-log-factor`.
    package var lfuLogFactor = 0
    /// `lfu-decay-time`.
    package var lfuDecayTimeMinutes = 0
    /// `activedefrag`.
    package var activeDefragmentation = false
    /// `active-defrag-ignore-bytes`.
    package var activeDefragIgnoreBytes = 0
    /// `active-defrag-threshold-lower`.
    package var activeDefragThresholdLower = 0
    /// `active-defrag-threshold-upper`.
    package var activeDefragThresholdUpper = 0
    /// `active-defrag-cycle-min`, `active-defrag-cycle-max`: percent of the time.
    package var activeDefragCycleMin = 0
    package var activeDefragCycleMax = 0
    /// `active-defrag-cycle-us`.
    package var activeDefragCycleMicroseconds = 0
    /// `active-expire-effort`.
    package var activeExpireEffort = 0
    /// `lazyfree-lazy-eviction`.
    package var lazyfreeLazyEviction = false
    /// `lazyfree-lazy-expire`.
    package var lazyfreeLazyExpire = false
    /// `lazyfree-lazy-server-del`.
    package var lazyfreeLazyServerDel = false
    /// `lazyfree-lazy-user-del`.
    package var lazyfreeLazyUserDel = false
    /// `lazyfree-lazy-user-flush`.
    package var lazyfreeLazyUserFlush = false
    /// `jemalloc-bg-thread`.
    package var jemallocBackgroundThread = false

    // Data types
    /// `hash-max-listpack-entries`.
    package var hashMaxListpackEntries = 0
    /// `hash-max-listpack-value`.
    package var hashMaxListpackValue = 0
    /// `list-max-listpack-size`.
    package var listMaxListpackSize = 0
    /// `list-compress-depth`.
    package var listCompressDepth = 0
    /// `set-max-intset-entries`.
    package var setMaxIntsetEntries = 0
    /// `set-max-listpack-entries`.
    package var setMaxListpackEntries = 0
    /// `set-max-listpack-value`.
    package var setMaxListpackValue = 0
    /// `zset-max-listpack-entries`.
    package var zsetMaxListpackEntries = 0
    /// `zset-max-listpack-value`.
    package var zsetMaxListpackValue = 0
    /// `hll-sparse-max-bytes`.
    package var hllSparseMaxBytes = 0
    /// `stream-node-max-bytes`.
    package var streamNodeMaxBytes = 0
    /// `stream-node-max-entries`.
    package var streamNodeMaxEntries = 0

    // Persistence
    /// `rdbcompression`.
    package var rdbCompression = false
    /// `rdbchecksum`.
    package var rdbChecksum = false
    /// `rdb-del-sync-files`.
    package var rdbDeleteSyncFiles = false
    /// `rdb-save-incremental-fsync`.
    package var rdbSaveIncrementalFsync = false
    /// `rdb-version-check`.
    package var rdbVersionCheck = RDBVersionCheck.strict
    /// `stop-writes-on-bgsave-error`.
    package var stopWritesOnBgsaveError = false
    /// `appendonly`.
    package var appendOnly = false
    /// `appendfsync`.
    package var appendFsync = AppendFsync.everySecond
    /// `no-appendfsync-on-rewrite`.
    package var noAppendFsyncOnRewrite = false
    /// `auto-aof-rewrite-percentage`.
    package var autoAOFRewritePercentage = 0
    /// `auto-aof-rewrite-min-size`.
    package var autoAOFRewriteMinSize = 0
    /// `aof-load-truncated`.
    package var aofLoadTruncated = false
    /// `aof-load-corrupt-tail-max-size`.
    package var aofLoadCorruptTailMaxBytes = 0
    /// `aof-use-rdb-preamble`.
    package var aofUseRDBPreamble = false
    /// `fog-aof-checksums`.
    package var aofChecksums = false
    /// `aof-timestamp-enabled`.
    package var aofTimestampEnabled = false
    /// `aof-rewrite-incremental-fsync`.
    package var aofRewriteIncrementalFsync = false
    /// `aof-disable-auto-gc`.
    package var aofDisableAutoGC = false
    /// `rdb-key-save-delay`.
    package var rdbKeySaveDelayMicroseconds = 0
    /// `key-load-delay`.
    package var keyLoadDelayMicroseconds = 0
    /// `loading-process-events-interval-bytes`.
    package var loadingProcessEventsIntervalBytes = 0

    // Replication
    /// `replica-serve-stale-data`.
    package var replicaServeStaleData = false
    /// `replica-read-only`.
    package var replicaReadOnly = false
    /// `replica-ignore-maxmemory`.
    package var replicaIgnoreMaxmemory = false
    /// `replica-lazy-flush`.
    package var replicaLazyFlush = false
    /// `replica-priority`.
    package var replicaPriority = 0
    /// `replica-announce-port`.
    package var replicaAnnouncePort = 0
    /// `replica-announced`.
    package var replicaAnnounced = false
    /// `replica-ignore-disk-write-errors`.
    package var replicaIgnoreDiskWriteErrors = false
    /// `replica-full-sync-buffer-limit`.
    package var replicaFullSyncBufferLimit = 0
    /// `repl-ping-replica-period`.
    package var replPingReplicaPeriodSeconds = 0
    /// `repl-timeout`.
    package var replTimeoutSeconds = 0
    /// `repl-disable-tcp-nodelay`.
    package var replDisableTCPNoDelay = false
    /// `repl-backlog-size`.
    package var replBacklogSize = 0
    /// `repl-backlog-ttl`.
    package var replBacklogTTLSeconds = 0
    /// `repl-diskless-sync`.
    package var replDisklessSync = false
    /// `repl-diskless-sync-delay`.
    package var replDisklessSyncDelaySeconds = 0
    /// `repl-diskless-sync-max-replicas`.
    package var replDisklessSyncMaxReplicas = 0
    /// `repl-diskless-load`.
    package var replDisklessLoad = ReplicaDisklessLoad.disabled
    /// `repl-rdb-channel`.
    package var replRDBChannel = false
    /// `dual-channel-replication-enabled`.
    package var dualChannelReplication = false
    /// `min-replicas-to-write`.
    package var minReplicasToWrite = 0
    /// `min-replicas-max-lag`.
    package var minReplicasMaxLagSeconds = 0
    /// `propagation-error-behavior`.
    package var propagationErrorBehavior = PropagationErrorBehavior.ignore

    // Cluster
    /// `cluster-enabled`.
    package var clusterEnabled = false
    /// `cluster-port`.
    package var clusterPort = 0
    /// `cluster-node-timeout`.
    package var clusterNodeTimeoutMilliseconds = 0
    /// `cluster-ping-interval`.
    package var clusterPingIntervalMilliseconds = 0
    /// `cluster-migration-barrier`.
    package var clusterMigrationBarrier = 0
    /// `cluster-allow-replica-migration`.
    package var clusterAllowReplicaMigration = false
    /// `cluster-replica-validity-factor`.
    package var clusterReplicaValidityFactor = 0
    /// `cluster-replica-no-failover`.
    package var clusterReplicaNoFailover = false
    /// `cluster-require-full-coverage`.
    package var clusterRequireFullCoverage = false
    /// `cluster-allow-reads-when-down`.
    package var clusterAllowReadsWhenDown = false
    /// `cluster-allow-pubsubshard-when-down`.
    package var clusterAllowPubsubshardWhenDown = false
    /// `cluster-announce-port`.
    package var clusterAnnouncePort = 0
    /// `cluster-announce-tls-port`.
    package var clusterAnnounceTLSPort = 0
    /// `cluster-announce-bus-port`.
    package var clusterAnnounceBusPort = 0
    /// `cluster-link-sendbuf-limit`.
    package var clusterLinkSendbufLimit = 0
    /// `cluster-preferred-endpoint-type`.
    package var clusterPreferredEndpointType = ClusterEndpointType.address
    /// `cluster-slot-stats-enabled`.
    package var clusterSlotStatsEnabled = false
    /// `cluster-databases`.
    package var clusterDatabases = 0
    /// `cluster-manual-failover-timeout`.
    package var clusterManualFailoverTimeoutMilliseconds = 0
    /// `cluster-blacklist-ttl`.
    package var clusterBlacklistTTLSeconds = 0

    // TLS
    /// `tls-cluster`.
    package var tlsCluster = false
    /// `tls-replication`.
    package var tlsReplication = false
    /// `tls-auth-clients`.
    package var tlsAuthClients = TLSClientAuthentication.yes
    /// `tls-prefer-server-ciphers`.
    package var tlsPreferServerCiphers = false
    /// `tls-session-caching`.
    package var tlsSessionCaching = false
    /// `tls-session-cache-size`.
    package var tlsSessionCacheSize = 0
    /// `tls-session-cache-timeout`.
    package var tlsSessionCacheTimeoutSeconds = 0
    /// `tls-auto-reload-interval`.
    package var tlsAutoReloadIntervalSeconds = 0

    /// The coordinator's.
    package var fog = FogSettings()
}
