// ClusterDirectives.swift - the cluster bus and what a node announces of itself.
// One line per directive: name, default, what is allowed, flags, alias, the `Settings` field. Defaults and bounds are
// those of the stock servers and checked against them by Conformance/config_check.py. Pure data, joined by
// DirectiveTable.swift.

extension DirectiveTable {
    static let cluster: [Directive] = [
        .boolean("cluster-enabled", false, .immutable) { $0.clusterEnabled = $1 },
        .text("cluster-config-file", "nodes.conf", .immutable),
        .name("cluster-config-save-behavior", of: ["sync": 0, "best-effort": 1]),
        .integer("cluster-node-timeout", 15_000, .int64) { $0.clusterNodeTimeoutMilliseconds = $1 },
        .integer("cluster-ping-interval", 0, .int64, .hidden) { $0.clusterPingIntervalMilliseconds = $1 },
        .integer("cluster-message-gossip-perc", 10, 1...100, .hidden),
        .integer("cluster-port", 0, .port, .immutable) { $0.clusterPort = $1 },
        .integer("cluster-databases", 1, .positiveInt32, .immutable) { $0.clusterDatabases = $1 },
        .integer(
            "cluster-replica-validity-factor", 10, .int32, alias: "cluster-slave-validity-factor"
        ) { $0.clusterReplicaValidityFactor = $1 },
        .boolean(
            "cluster-replica-no-failover", false, alias: "cluster-slave-no-failover"
        ) { $0.clusterReplicaNoFailover = $1 },
        .integer("cluster-migration-barrier", 1, .int32) { $0.clusterMigrationBarrier = $1 },
        .boolean("cluster-allow-replica-migration", true) { $0.clusterAllowReplicaMigration = $1 },
        .boolean("cluster-require-full-coverage", true) { $0.clusterRequireFullCoverage = $1 },
        .boolean("cluster-allow-reads-when-down", false) { $0.clusterAllowReadsWhenDown = $1 },
        .boolean("cluster-allow-pubsubshard-when-down", true) { $0.clusterAllowPubsubshardWhenDown = $1 },
        .unbounded("cluster-link-sendbuf-limit", 0, .memory) { $0.clusterLinkSendbufLimit = $1 },
        .integer(
            "cluster-manual-failover-timeout", 5000, .positiveInt32
        ) { $0.clusterManualFailoverTimeoutMilliseconds = $1 },
        .unbounded("cluster-blacklist-ttl", 60, .plain) { $0.clusterBlacklistTTLSeconds = $1 },
        .boolean("cluster-slot-stats-enabled", false) { $0.clusterSlotStatsEnabled = $1 },
        .integer("cluster-slot-migration-log-max-len", 1000, .int64),
        .number("slot-migration-max-failover-repl-bytes", 0, .signedMemory, false, -1, Int.max, [], nil),
        .integer("cluster-compatibility-sample-ratio", 0, 0...100),
        .choice("cluster-preferred-endpoint-type", ClusterEndpointType.address) {
            $0.clusterPreferredEndpointType = $1
        },
        .optionalText("cluster-announce-ip"),
        .integer("cluster-announce-port", 0, .port) { $0.clusterAnnouncePort = $1 },
        .integer("cluster-announce-tls-port", 0, .port) { $0.clusterAnnounceTLSPort = $1 },
        .integer("cluster-announce-bus-port", 0, .port) { $0.clusterAnnounceBusPort = $1 },
        .optionalText("cluster-announce-hostname", check: DirectiveCheck.announcedHostname),
        .optionalText("cluster-announce-human-nodename", check: DirectiveCheck.announcedNodename),
        .optionalText("cluster-announce-client-ipv4", check: DirectiveCheck.addressIPv4),
        .optionalText("cluster-announce-client-ipv6", check: DirectiveCheck.addressIPv6),
        .integer("cluster-announce-client-port", 0, .port),
        .integer("cluster-announce-client-tls-port", 0, .port),
    ]
}
