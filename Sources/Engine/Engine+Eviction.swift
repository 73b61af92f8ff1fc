// Engine+Eviction.swift - keeping used memory under `maxmemory`: keys go before a command runs, in bounded slices, and
// from the timer. Commands that may grow the dataset are refused only when no key may go. Under the turn.
internal import Base
internal import Keyspace

extension MaxmemoryPolicy {
    /// What the policy means for the hand; nil for noeviction. LRU and LFU are one order here: the hand's credits count
    /// uses and fade with its passes, so recency and frequency both tell.
    var eviction: EvictionPolicy? {
        switch self {
        case .allKeysLRU, .allKeysLFU: EvictionPolicy(order: .unused, onlyVolatile: false)
        case .volatileLRU, .volatileLFU: EvictionPolicy(order: .unused, onlyVolatile: true)
        case .allKeysRandom: EvictionPolicy(order: .random, onlyVolatile: false)
        case .volatileRandom: EvictionPolicy(order: .random, onlyVolatile: true)
        case .volatileTTL: EvictionPolicy(order: .soonestExpiry, onlyVolatile: true)
        case .noEviction: nil
        }
    }
}

extension Engine {
    /// Longest time one command spends on making room for others; what is left is the next one's, or the timer's.
    private static let sliceNanoseconds: Int64 = 500_000
    /// Evictions between two looks at the clock.
    private static let evictionsPerCheck = 16

    /// Evicts until memory is under its limit or a slice of time is over. False when memory is over the limit and no
    /// key may go.
    mutating func makeRoom() -> Bool {
        var excess = usedMemory - settings.maxmemory
        guard settings.maxmemory > 0, excess > 0 else { return true }
        guard let policy = settings.maxmemoryPolicy.eviction else { return false }
        let deadline = clock.monotonicNanoseconds + Engine.sliceNanoseconds
        var sinceCheck = 0
        while excess > 0, EvictionHand.mayEvict(keyspace, policy) {
            // A step may find nothing because keys still have credits; the next one goes on behind them.
            let evicted = evictor.step(&keyspace, policy, excess: excess) { random.next() }
            keyspace.statistics.evicted += evicted
            excess = usedMemory - settings.maxmemory
            sinceCheck += evicted == 0 ? Engine.evictionsPerCheck : evicted
            if sinceCheck >= Engine.evictionsPerCheck {
                sinceCheck = 0
                if clock.monotonicNanoseconds >= deadline { break }
            }
        }
        if !keyspace.removals.isEmpty { applyEffects() }
        return excess <= 0 || EvictionHand.mayEvict(keyspace, policy)
    }

    /// The timer's share: memory may be over its limit without a command (it was lowered, or buffers grew).
    mutating func evictInBackground() {
        if gates.contains(.memory) && isOverMemoryLimit() { _ = makeRoom() }
    }
}
