// CacheDirectives.swift - what events, leases and the cache commands go by. Defaults are the mission's. Pure data,
// joined by DirectiveTable.swift; fields in FogSettings.swift.

extension DirectiveTable {
    static let cache: [Directive] = [
        .text("fog-region", ""),
        .integer("fog-event-log", 10_000, 0...10_000_000) { $0.fog.eventLogCount = $1 },
        .memory("fog-event-log-max-bytes", 16 << 20, 0...(1 << 40)) { $0.fog.eventLogBytes = $1 },
        .integer("fog-event-dedup-window", 5000, 0...3_600_000) { $0.fog.eventDedupMilliseconds = $1 },
        .boolean("fog-event-invalidation", true) { $0.fog.eventsInvalidate = $1 },
        .integer("fog-lease-time", 5000, 1...3_600_000) { $0.fog.leaseMilliseconds = $1 },
        .text("fog-warm-file", "", .immutable),
        .boolean("fog-warmup", true) { $0.fog.warmsUp = $1 },
        .integer("fog-warmup-interval", 300, 1...2_147_483_647) { $0.fog.warmupIntervalSeconds = $1 },
    ]
}
