// CoordinatorDirectives.swift - what the coordinator of an edge fleet goes by: records, nodes, balancing, breakers,
// scaling. Defaults are the mission's. Pure data, joined by DirectiveTable.swift; fields in FogSettings.swift.

extension DirectiveTable {
    static let coordinator: [Directive] = [
        .text("fog-key-prefix", "fog:"),
        .text("fog-node-id", "coordinator-1", check: nodeIdentifierProblem),
        .integer("fog-default-ttl", 300, 0...2_147_483_647) { $0.fog.defaultTTLSeconds = $1 },
        .integer("fog-heartbeat-interval", 30, 1...2_147_483_647) { $0.fog.heartbeatIntervalSeconds = $1 },
        .integer("fog-heartbeat-timeout", 90, 0...2_147_483_647) { $0.fog.heartbeatTimeoutSeconds = $1 },
        .choice("fog-probe", ProbeKind.off) { $0.fog.probe = $1 },
        .integer("fog-probe-interval", 5, 1...2_147_483_647) { $0.fog.probeIntervalSeconds = $1 },
        .text("fog-probe-path", "/health", check: probePathProblem),
        .integer("fog-probe-timeout-ms", 1000, 1...60_000) { $0.fog.probeTimeoutMilliseconds = $1 },
        .choice("fog-lb-algorithm", BalancingAlgorithm.leastConnections) { $0.fog.algorithm = $1 },
        .real("fog-lb-health-multiplier-healthy", 1.0, 0...1000) { $0.fog.healthyMultiplier = $1 },
        .real("fog-lb-health-multiplier-degraded", 0.5, 0...1000) { $0.fog.degradedMultiplier = $1 },
        .real("fog-lb-health-multiplier-unhealthy", 0.1, 0...1000) { $0.fog.unhealthyMultiplier = $1 },
        .real("fog-lb-rt-alpha", 0.2, 0.001...1) { $0.fog.responseTimeAlpha = $1 },
        .integer("fog-lb-vnodes", 256, 1...4096) { $0.fog.virtualNodes = $1 },
        .boolean("fog-circuit-breaker", true) { $0.fog.usesBreaker = $1 },
        .integer("fog-breaker-failures", 5, 1...1_000_000) { $0.fog.breakerFailures = $1 },
        .integer("fog-breaker-timeout", 60, 1...2_147_483_647) { $0.fog.breakerTimeoutSeconds = $1 },
        .integer("fog-breaker-successes", 2, 1...1_000_000) { $0.fog.breakerSuccesses = $1 },
        .integer("fog-breaker-slow-ms", 0, 0...2_147_483_647) { $0.fog.breakerSlowMilliseconds = $1 },
        .real("fog-breaker-slow-ratio", 0.5, 0.01...1) { $0.fog.breakerSlowRatio = $1 },
        .choice("fog-breaker-mode", BreakerMode.fixed) { $0.fog.breakerMode = $1 },
        .boolean("fog-auto-scaling", true) { $0.fog.usesAutoScaling = $1 },
        .real("fog-scale-up-cpu", 80, 0...100) { $0.fog.scaleUpCPU = $1 },
        .real("fog-scale-down-cpu", 30, 0...100) { $0.fog.scaleDownCPU = $1 },
        .integer("fog-scale-min", 1, 0...2_147_483_647) { $0.fog.scaleMinimum = $1 },
        .integer("fog-scale-max", 0, 0...2_147_483_647) { $0.fog.scaleMaximum = $1 },
        .integer("fog-scale-cooldown", 60, 0...2_147_483_647) { $0.fog.scaleCooldownSeconds = $1 },
    ]

    private static let nodeIdentifierProblem: @Sendable ([UInt8]) -> String? = { text in
        text.isEmpty ? "fog-node-id names this server among the others and cannot be empty" : nil
    }

    private static let probePathProblem: @Sendable ([UInt8]) -> String? = { text in
        text.first == UInt8(ascii: "/") && text.allSatisfy { $0 > 32 && $0 < 127 }
            ? nil : "fog-probe-path is a path of a page: it begins with / and has no blanks"
    }
}
