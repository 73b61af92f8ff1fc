// FogSettings.swift - the coordinator's numbers and switches, a part of `Settings`: one field per directive of
// Directives/CoordinatorDirectives.swift, whose `store` fills it in. Plain data.
package import Keyspace

/// How FOG.LB and FOG.ROUTE pick a node unless a call says otherwise (`fog-lb-algorithm`).
package enum BalancingAlgorithm: String, ConfigChoice {
    case roundRobin = "round_robin"
    case weightedRoundRobin = "weighted_round_robin"
    case leastConnections = "least_connections"
    case responseTime = "response_time"
    case consistentHash = "consistent_hash"
}

/// How many failures open a circuit (`fog-breaker-mode`).
package enum BreakerMode: String, ConfigChoice {
    /// Always `fog-breaker-failures`.
    case fixed = "static"
    /// Fewer, the more calls failed lately.
    case adaptive
}

/// How nodes are asked whether they are there (`fog-probe`).
package enum ProbeKind: String, ConfigChoice {
    case off
    /// By a connection.
    case tcp
    /// By a request for `fog-probe-path`.
    case http
}

/// Everything `fog-` that the coordinator reads.
package struct FogSettings: Sendable, Equatable, BitwiseCopyable {
    /// `fog-default-ttl`; 0 for none.
    package var defaultTTLSeconds = 300
    /// `fog-heartbeat-interval`.
    package var heartbeatIntervalSeconds = 30
    /// `fog-heartbeat-timeout`; 0 for none.
    package var heartbeatTimeoutSeconds = 90
    /// `fog-lb-algorithm`.
    package var algorithm = BalancingAlgorithm.leastConnections
    /// `fog-lb-health-multiplier-healthy` and its kin.
    package var healthyMultiplier = 1.0
    package var degradedMultiplier = 0.5
    package var unhealthyMultiplier = 0.1
    /// `fog-lb-rt-alpha`: the weight of the newest response time in the average.
    package var responseTimeAlpha = 0.2
    /// `fog-lb-vnodes`: points of each node on the hash ring.
    package var virtualNodes = 256
    /// `fog-circuit-breaker`.
    package var usesBreaker = true
    /// `fog-breaker-failures`.
    package var breakerFailures = 5
    /// `fog-breaker-timeout`.
    package var breakerTimeoutSeconds = 60
    /// `fog-breaker-successes`.
    package var breakerSuccesses = 2
    /// `fog-breaker-slow-ms`; 0: no call is slow.
    package var breakerSlowMilliseconds = 0
    /// `fog-breaker-slow-ratio`.
    package var breakerSlowRatio = 0.5
    /// `fog-breaker-mode`.
    package var breakerMode = BreakerMode.fixed
    /// `fog-auto-scaling`.
    package var usesAutoScaling = true
    /// `fog-scale-up-cpu` and `fog-scale-down-cpu`, in per cent.
    package var scaleUpCPU = 80.0
    package var scaleDownCPU = 30.0
    /// `fog-scale-min` and `fog-scale-max`; a maximum of 0 is none.
    package var scaleMinimum = 1
    package var scaleMaximum = 0
    /// `fog-scale-cooldown`.
    package var scaleCooldownSeconds = 60
    /// Task queues and the GPU marketplace.
    package var market = MarketSettings()
    /// `fog-event-log` and `fog-event-log-max-bytes`.
    package var eventLogCount = 10_000
    package var eventLogBytes = 16 << 20
    /// `fog-event-dedup-window`; 0: no event is a second one.
    package var eventDedupMilliseconds = 5000
    /// `fog-event-invalidation`: events remove the keys that they make invalid.
    package var eventsInvalidate = true
    /// `fog-lease-time`.
    package var leaseMilliseconds = 5000
    /// Where values are kept: `fog-l1-*`, `fog-l2-*`, `fog-compress*`, `fog-promote-*`.
    package var tiers = TierOptions()
    /// `fog-probe`, `fog-probe-interval` and `fog-probe-timeout-ms`.
    package var probe = ProbeKind.off
    package var probeIntervalSeconds = 5
    package var probeTimeoutMilliseconds = 1000
    /// `fog-warmup` and `fog-warmup-interval`.
    package var warmsUp = true
    package var warmupIntervalSeconds = 300
    /// `fog-advise-eviction`: other policies and memories are simulated from the start.
    package var advisesEviction = false
    /// `fog-advise-keys`.
    package var adviseKeyCount = 8192
    package init() {}
}
