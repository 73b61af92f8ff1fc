// GeneralDirectives.swift - the process itself: how it starts, logs, shows itself, stops.
// One line per directive: name, default, what is allowed, flags, alias, the `Settings` field. Defaults and bounds are
// those of the stock servers and checked against them by Conformance/config_check.py. Pure data, joined by
// DirectiveTable.swift.

extension DirectiveTable {
    static let general: [Directive] = [
        .boolean("daemonize", false, .immutable) { $0.daemonize = $1 },
        .choice("supervised", SupervisedMode.no, .immutable) { $0.supervised = $1 },
        .optionalText("pidfile", .immutable),
        .integer("databases", 16, .positiveInt32, .immutable) { $0.databases = $1 },
        .special("dir", .directory, .text([]), [.protected, .deniedWhileLoading]),
        .boolean("always-show-logo", false, .immutable) { $0.alwaysShowLogo = $1 },
        .boolean("set-proc-title", true, .immutable) { $0.setProcessTitle = $1 },
        .text(
            "proc-title-template", "{title} {listen-addr} {server-mode}", check: DirectiveCheck.processTitleTemplate),
        .text("locale-collate", ""),
        .integer("hz", 10, .int32) { $0.hz = $1 },
        .boolean("dynamic-hz", true) { $0.dynamicHz = $1 },
        .boolean("activerehashing", true) { $0.activeRehashing = $1 },
        .integer("shutdown-timeout", 10, .int32) { $0.shutdownTimeoutSeconds = $1 },
        .shutdownFlags("shutdown-on-sigint") { $0.shutdownOnSigint = $1 },
        .shutdownFlags("shutdown-on-sigterm") { $0.shutdownOnSigterm = $1 },
        .text("ignore-warnings", ""),
        .boolean("disable-thp", true, .immutable) { $0.disableTransparentHugePages = $1 },
        .name("oom-score-adj", of: ["no": 0, "yes": 1, "relative": 1, "absolute": 2]),
        .special("oom-score-adj-values", .oomScores, .numbers([0, 200, 800])),
        .optionalText("server_cpulist", .immutable, alias: "server-cpulist"),
        .optionalText("bio_cpulist", .immutable, alias: "bio-cpulist"),
        .optionalText("aof_rewrite_cpulist", .immutable, alias: "aof-rewrite-cpulist"),
        .optionalText("bgsave_cpulist", .immutable, alias: "bgsave-cpulist"),
        .boolean("import-mode", false) { $0.importMode = $1 },
        .boolean("extended-redis-compatibility", false) { $0.extendedRedisCompatibility = $1 },
        .optionalText("availability-zone"),
        .optionalText("hash-seed", .immutable),

        .text("logfile", "", .immutable),
        .choice("loglevel", LogLevelSetting.notice) { $0.logLevel = $1 },
        .choice("log-format", LogFormat.legacy) { $0.logFormat = $1 },
        .choice("log-timestamp-format", LogTimestampFormat.legacy) { $0.logTimestampFormat = $1 },
        .boolean("syslog-enabled", false, .immutable) { $0.syslogEnabled = $1 },
        .text("syslog-ident", "redis", .immutable),
        .choice("syslog-facility", SyslogFacility.local0, .immutable) { $0.syslogFacility = $1 },
        .boolean("hide-user-data-from-log", false) { $0.hideUserDataFromLog = $1 },
        .boolean("crash-log-enabled", true) { $0.crashLogEnabled = $1 },
        .boolean("crash-memcheck-enabled", true) { $0.crashMemcheckEnabled = $1 },
        .boolean("use-exit-on-panic", false, .hidden) { $0.useExitOnPanic = $1 },
        .integer("watchdog-period", 0, .int32, .hidden) { $0.watchdogPeriodMilliseconds = $1 },
        .text("debug-context", "", .hidden),
    ]

    /// Slow log, latency, notifications, scripts.
    static let observability: [Directive] = [
        .integer(
            "slowlog-log-slower-than", 10_000, -1...Int.max, alias: "commandlog-execution-slower-than"
        ) { $0.slowlogLogSlowerThanMicroseconds = $1 },
        .integer(
            "slowlog-max-len", 128, .int64, alias: "commandlog-slow-execution-max-len"
        ) { $0.slowlogMaxLength = $1 },
        .integer("commandlog-request-larger-than", 1 << 20, -1...Int.max) { $0.commandlogRequestLargerThanBytes = $1 },
        .integer("commandlog-large-request-max-len", 128, .int64) { $0.commandlogLargeRequestMaxLength = $1 },
        .integer("commandlog-reply-larger-than", 1 << 20, -1...Int.max) { $0.commandlogReplyLargerThanBytes = $1 },
        .integer("commandlog-large-reply-max-len", 128, .int64) { $0.commandlogLargeReplyMaxLength = $1 },
        .integer("latency-monitor-threshold", 0, .int64) { $0.latencyMonitorThresholdMilliseconds = $1 },
        .boolean("latency-tracking", true) { $0.latencyTracking = $1 },
        .special("latency-tracking-info-percentiles", .percentiles, .reals([50, 99, 99.9])),
        .special(
            "notify-keyspace-events", .keyspaceEvents, .number(0),
            store: { $0.notifyKeyspaceEvents = KeyspaceEventClasses(rawValue: Int($1.number)) }),
        .unsigned("tracking-table-max-keys", 1_000_000, .int64) { $0.trackingTableMaxKeys = $1 },
        .integer("busy-reply-threshold", 5000, .int64, alias: "lua-time-limit") {
            $0.busyReplyThresholdMilliseconds = $1
        },
        .boolean("lua-enable-deprecated-api", false, [.hidden, .immutable]) { $0.luaEnableDeprecatedAPI = $1 },
        .boolean("lua-enable-insecure-api", false, .hidden),
    ]

    static let security: [Directive] = [
        .optionalText("requirepass", .sensitive, isBinary: true),
        .text("aclfile", "", .immutable),
        .integer("acllog-max-len", 128, .int64) { $0.aclLogMaxLength = $1 },
        .choice("acl-pubsub-default", ACLPubSubDefault.resetChannels) { $0.aclPubSubDefault = $1 },
        .choice("enable-protected-configs", ProtectedAction.no, .immutable) { $0.enableProtectedConfigs = $1 },
        .choice("enable-debug-command", ProtectedAction.no, .immutable) { $0.enableDebugCommand = $1 },
        .choice("enable-module-command", ProtectedAction.no, .immutable) { $0.enableModuleCommand = $1 },
        .boolean("enable-debug-assert", false, [.immutable, .hidden]),
    ]
}
