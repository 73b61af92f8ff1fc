// MarketSettings.swift - the numbers of task queues and the GPU marketplace, a part of `Settings`: one field per
// directive of Directives/MarketDirectives.swift, whose `store` fills it in. Plain data.

package struct MarketSettings: Sendable, BitwiseCopyable, Equatable {
    /// `fog-task-aging-ms`: having waited so long counts as one priority more; 0: never.
    package var agingMilliseconds: Int64 = 60_000
    /// `fog-task-lease-ms`
    package var leaseMilliseconds: Int64 = 30_000
    /// `fog-task-max-retry`
    package var retryCount = 3
    /// `fog-task-backoff-ms` before the first retry, twice that before the second, and so on...
    package var backOffMilliseconds: Int64 = 1000
    /// ...up to `fog-task-backoff-max-ms`.
    package var backOffLimit: Int64 = 60_000
    /// `fog-price-elasticity`, in millionths; 0: prices do not follow demand.
    package var elasticity: Int64 = 0
    /// `fog-price-ceiling`: at most so many times the base price, in millionths.
    package var ceiling: Int64 = 3_000_000
    /// `fog-price-history`: changes remembered of one market's price.
    package var historyCount = 1000

    package init() {}

    /// A decimal of the configuration in the fixed point of prices.
    static func millionths(_ number: Double) -> Int64 { Int64((number * 1_000_000).rounded()) }

    /// How long a task waits after its attempt number `attempt` (from 1 on) failed.
    package func backOff(attempt: Int64) -> Int64 {
        let doublings = max(0, min(attempt - 1, 40))
        let (product, overflow) = backOffMilliseconds.multipliedReportingOverflow(by: 1 << doublings)
        return min(overflow ? .max : product, max(backOffLimit, 0))
    }
}
