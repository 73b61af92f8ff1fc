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
    package var softSeconds = 0
}

/// The three client classes of `client-output-buffer-limit`.
package struct OutputBufferLimits: Sendable, BitwiseCopyable, Equatable {
    package var normal = OutputBufferLimit()
    package var replica = OutputBufferLimit()
    package var pubsub = OutputBufferLimit()
}

package struct Settings: Sendable, BitwiseCopyable {
    init() {}

    // Network
    package var port = 0
    package var tlsPort = 0
    package var tcpBacklog = 0
    package var tcpKeepaliveSeconds = 0
    /// Idle clients are closed after this; 0 means never.
    package var timeoutSeconds = 0
    package var maxClients = 0
    package var maxNewConnectionsPerCycle = 0
    package var maxNewTLSConnectionsPerCycle = 0
    package var protectedMode = false
    package var unixSocketPermissions = 0
    package var socketMarkId = 0
    package var multipathTCP = false
    package var ioThreads = 0
    package var protoMaxBulkLength = 0
    package var clientQueryBufferLimit = 0
    package var outputBufferLimits = OutputBufferLimits()
    /// Bytes of all clients' buffers together; below zero a percentage of `maxmemory`, 0 no limit.
    package var maxmemoryClients = 0

    // General
    package var databases = 0
    package var daemonize = false
    package var supervised = SupervisedMode.no
    package var alwaysShowLogo = false
    package var setProcessTitle = false
    package var hz = 0
    package var dynamicHz = false
    package var activeRehashing = false
    package var shutdownTimeoutSeconds = 0
    package var shutdownOnSigterm = ShutdownFlags()
    package var shutdownOnSigint = ShutdownFlags()
    package var disableTransparentHugePages = false
    package var importMode = false
    package var extendedRedisCompatibility = false

    // Log
    package var logLevel = LogLevelSetting.notice
    package var logFormat = LogFormat.legacy
    package var logTimestampFormat = LogTimestampFormat.legacy
    package var syslogEnabled = false
    package var syslogFacility = SyslogFacility.local0
    package var hideUserDataFromLog = false
    package var crashLogEnabled = false
    package var crashMemcheckEnabled = false
    package var useExitOnPanic = false

    // Observability
    /// Below zero: nothing is logged; 0: everything.
    package var slowlogLogSlowerThanMicroseconds = 0
    package var slowlogMaxLength = 0
    package var commandlogRequestLargerThanBytes = 0
    package var commandlogReplyLargerThanBytes = 0
    package var commandlogLargeRequestMaxLength = 0
    package var commandlogLargeReplyMaxLength = 0
    package var latencyMonitorThresholdMilliseconds = 0
    package var latencyTracking = false
    package var notifyKeyspaceEvents = KeyspaceEventClasses()
    package var trackingTableMaxKeys = 0
    package var busyReplyThresholdMilliseconds = 0
    package var watchdogPeriodMilliseconds = 0

    // Security
    package var enableProtectedConfigs = ProtectedAction.no
    package var enableDebugCommand = ProtectedAction.no
    package var enableModuleCommand = ProtectedAction.no
    package var aclLogMaxLength = 0
    package var aclPubSubDefault = ACLPubSubDefault.resetChannels
    package var sanitizeDumpPayload = SanitizeDumpPayload.no
    package var luaEnableDeprecatedAPI = false

    // Memory
    /// 0 means no limit.
    package var maxmemory = 0
    package var maxmemoryPolicy = MaxmemoryPolicy.noEviction
    package var maxmemorySamples = 0
    package var maxmemoryEvictionTenacity = 0
    package var lfuLogFactor = 0
    package var lfuDecayTimeMinutes = 0
    package var activeExpireEffort = 0
    package var lazyfreeLazyEviction = false
    package var lazyfreeLazyExpire = false
    package var lazyfreeLazyServerDel = false
    package var lazyfreeLazyUserDel = false
    package var lazyfreeLazyUserFlush = false
    package var jemallocBackgroundThread = false

    // Data types
    package var hashMaxListpackEntries = 0
    package var hashMaxListpackValue = 0
    package var listMaxListpackSize = 0
    package var listCompressDepth = 0
    package var setMaxIntsetEntries = 0
    package var setMaxListpackEntries = 0
    package var setMaxListpackValue = 0
    package var zsetMaxListpackEntries = 0
    package var zsetMaxListpackValue = 0
    package var hllSparseMaxBytes = 0
    package var streamNodeMaxBytes = 0
    package var streamNodeMaxEntries = 0

    // Persistence
    package var rdbCompression = false
    package var rdbChecksum = false
    package var rdbDeleteSyncFiles = false
    package var rdbSaveIncrementalFsync = false
    package var rdbVersionCheck = RDBVersionCheck.strict
    package var stopWritesOnBgsaveError = false
    package var appendOnly = false
    package var appendFsync = AppendFsync.everySecond
    package var noAppendFsyncOnRewrite = false
    package var autoAOFRewritePercentage = 0
    package var autoAOFRewriteMinSize = 0
    package var aofLoadTruncated = false
    package var aofUseRDBPreamble = false
    package var aofTimestampEnabled = false
    package var aofRewriteIncrementalFsync = false
    package var aofDisableAutoGC = false
    package var rdbKeySaveDelayMicroseconds = 0
    package var keyLoadDelayMicroseconds = 0
    package var loadingProcessEventsIntervalBytes = 0

    // Replication
    package var replicaServeStaleData = false
    package var replicaReadOnly = false
    package var replicaIgnoreMaxmemory = false
    package var replicaLazyFlush = false
    package var replicaPriority = 0
    package var replicaAnnouncePort = 0
    package var replicaAnnounced = false
    package var replicaIgnoreDiskWriteErrors = false
    package var replicaFullSyncBufferLimit = 0
    package var replPingReplicaPeriodSeconds = 0
    package var replTimeoutSeconds = 0
    package var replDisableTCPNoDelay = false
    package var replBacklogSize = 0
    package var replBacklogTTLSeconds = 0
    package var replDisklessSync = false
    package var replDisklessSyncDelaySeconds = 0
    package var replDisklessSyncMaxReplicas = 0
    package var replDisklessLoad = ReplicaDisklessLoad.disabled
    package var replRDBChannel = false
    package var dualChannelReplication = false
    package var minReplicasToWrite = 0
    package var minReplicasMaxLagSeconds = 0
    package var propagationErrorBehavior = PropagationErrorBehavior.ignore

    // Cluster
    package var clusterEnabled = false
    package var clusterPort = 0
    package var clusterNodeTimeoutMilliseconds = 0
    package var clusterPingIntervalMilliseconds = 0
    package var clusterMigrationBarrier = 0
    package var clusterAllowReplicaMigration = false
    package var clusterReplicaValidityFactor = 0
    package var clusterReplicaNoFailover = false
    package var clusterRequireFullCoverage = false
    package var clusterAllowReadsWhenDown = false
    package var clusterAllowPubsubshardWhenDown = false
    package var clusterAnnouncePort = 0
    package var clusterAnnounceTLSPort = 0
    package var clusterAnnounceBusPort = 0
    package var clusterLinkSendbufLimit = 0
    package var clusterPreferredEndpointType = ClusterEndpointType.address
    package var clusterSlotStatsEnabled = false
    package var clusterDatabases = 0
    package var clusterManualFailoverTimeoutMilliseconds = 0
    package var clusterBlacklistTTLSeconds = 0

    // TLS
    package var tlsCluster = false
    package var tlsReplication = false
    package var tlsAuthClients = TLSClientAuthentication.yes
    package var tlsPreferServerCiphers = false
    package var tlsSessionCaching = false
    package var tlsSessionCacheSize = 0
    package var tlsSessionCacheTimeoutSeconds = 0
    package var tlsAutoReloadIntervalSeconds = 0
}
