// MarketDirectives.swift - what task queues and the GPU marketplace go by. Pure data, joined by DirectiveTable.swift;
// fields in MarketSettings.swift.

extension DirectiveTable {
    static let market: [Directive] = [
        .integer("fog-task-aging-ms", 60_000, 0...2_147_483_647) { $0.fog.market.agingMilliseconds = Int64($1) },
        .integer("fog-task-lease-ms", 30_000, 1...2_147_483_647) { $0.fog.market.leaseMilliseconds = Int64($1) },
        .integer("fog-task-max-retry", 3, 0...1_000_000) { $0.fog.market.retryCount = $1 },
        .integer("fog-task-backoff-ms", 1000, 0...2_147_483_647) { $0.fog.market.backOffMilliseconds = Int64($1) },
        .integer("fog-task-backoff-max-ms", 60_000, 0...2_147_483_647) { $0.fog.market.backOffLimit = Int64($1) },
        .real("fog-price-elasticity", 0, 0...1000) { $0.fog.market.elasticity = MarketSettings.millionths($1) },
        .real("fog-price-ceiling", 3, 1...1_000_000) { $0.fog.market.ceiling = MarketSettings.millionths($1) },
        .integer("fog-price-history", 1000, 1...1_000_000) { $0.fog.market.historyCount = $1 },
    ]
}
