// Engine+Eviction.swift - keeping used memory under `maxmemory`: keys go before a command runs, in bounded slices, and
// from the timer. Commands that may grow the dataset are refused only when no key may go. Under the turn.
internal import Base
internal import Keyspace

extension MaxmemoryPolicy {
    /// What the policy means for the hand; nil for noeviction. LRU and LFU are one order here: the hand's credits count
    /// uses and fade with its passes, so recency and frequency both tell.
    var eviction: EvictionPolicy? {
        switch self {
        case .allKeysLRU, .allKeysLFU, .allKeysS3FIFO, .allKeysTinyLFU:
            EvictionPolicy(order: .unused, onlyVolatile: false, countsUses: isLFU)
        case .volatileLRU, .volatileLFU: EvictionPolicy(order: .unused, onlyVolatile: true, countsUses: isLFU)
        // Only writes count as uses then.
        case .allKeysLRM: EvictionPolicy(order: .unused, onlyVolatile: false)
        case .volatileLRM: EvictionPolicy(order: .unused, onlyVolatile: true)
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
    /// The same for a command that shows figures, which are to be below the limit: of its thread's time on a core, so
    /// that the machine's pauses do not count.
    private static let exactNanoseconds: Int64 = 5_000_000
    /// Evictions between two looks at the clock.
    private static let evictionsPerCheck = 16

    /// Share of the limit from which on newcomers are on probation.
    private static let probationShare = 0.9
    /// A command may ask for at most this share of the limit in advance: one enormous value must not cost all others.
    private static let advanceShare = 8
    /// How old the allocator's own count may be while memory is limited.
    private static let readingAgeMilliseconds: Int64 = 5

    /// Follows the configuration.
    mutating func evictionSettingsChanged() {
        let policy = settings.maxmemoryPolicy.eviction
        let chosen = settings.maxmemoryPolicy
        keyspace.setUseCounting(chosen.isLFU ? .frequent : chosen.isLRM ? .modified : .recent)
        let isWanted = settings.maxmemory > 0 && policy?.order == .unused
        if evictor.isOn && !isWanted { evictor.end(&keyspace) }
    }

    /// What making room came to.
    enum Room {
        /// There is room, or will be: what a slice of time did not do the next command does.
        case made
        /// No key may go.
        case none
        /// The disk will have taken some values in a moment.
        case later
    }

    /// The memory gate: room for a command of `byteCount` bytes; 0 for one that does not grow the dataset. Commands
    /// that show figures look at exact ones (`isExact`).
    mutating func admit(byteCount: Int, isExact: Bool) -> Room {
        if isExact || keyspace.now - memory.readingMilliseconds >= Engine.readingAgeMilliseconds {
            readAllocator()
            watchResidentMemory()
        }
        let used = countedMemory
        guard let policy = settings.maxmemoryPolicy.eviction else {
            if used > settings.maxmemory { press(excess: used - settings.maxmemory) }
            return countedMemory <= settings.maxmemory ? .made : .none
        }
        let limit = memoryLimit
        if !evictor.isOn && policy.order == .unused && Double(used) > Double(limit) * Engine.probationShare {
            evictor.begin(&keyspace)
        }
        // What is shown is this reading (`readMemory`), so that nothing may be above the limit by the time of it.
        if isExact { return used <= limit ? .made : makeRoom(isExact: true) }
        compactBeforeCommand()
        let advance = min(byteCount, limit / Engine.advanceShare)
        return used + advance <= limit ? .made : makeRoom(advance: advance, waitsForDisk: !heldUp.isOverdue)
    }

    /// Evicts until `advance` bytes are free under the limit or a slice of time is over. With `waitsForDisk` a value
    /// that the disk does not take just now is no reason to evict its key.
    mutating func makeRoom(advance: Int = 0, isExact: Bool = false, waitsForDisk: Bool = false) -> Room {
        let limit = memoryLimit
        var excess = countedMemory + advance - limit
        guard settings.maxmemory > 0, excess > 0 else { return .made }
        guard let policy = settings.maxmemoryPolicy.eviction else { return .none }
        let cold = keyspace.tiers.cold
        cold?.spares = waitsForDisk
        // What was left for the disk's sake is this call's matter alone.
        defer {
            cold?.spares = false
            cold?.isHeldUp = false
        }
        let deadline =
            isExact
            ? Clock.threadNanoseconds + Engine.exactNanoseconds : clock.monotonicNanoseconds + Engine.sliceNanoseconds
        var sinceCheck = 0
        while excess > 0, EvictionHand.mayEvict(keyspace, policy) {
            // A step may find nothing because keys still have credits; the next one goes on behind them.
            let evicted = evictor.step(&keyspace, policy, excess: excess) { random.next() }
            excess = countedMemory + advance - limit
            sinceCheck += evicted == 0 ? Engine.evictionsPerCheck : evicted
            if sinceCheck >= Engine.evictionsPerCheck {
                sinceCheck = 0
                if (isExact ? Clock.threadNanoseconds : clock.monotonicNanoseconds) >= deadline { break }
            }
            if cold?.isHeldUp == true { break }
        }
        if !keyspace.removals.isEmpty { applyEffects() }
        if cold?.isHeldUp == true && excess > 0 { return .later }
        // Restraint alone is no reason to refuse.
        return excess <= advance + memory.restraint || EvictionHand.mayEvict(keyspace, policy) ? .made : .none
    }

    /// The timer's share: memory may be over its limit without a command (it was lowered, or buffers grew).
    mutating func evictInBackground() {
        if gates.contains(.memory) && !gates.contains(.importing) && isOverMemoryLimit() {
            _ = makeRoom(waitsForDisk: true)
        }
        if Double(countedMemory) < Double(settings.maxmemory) * Engine.probationShare || settings.maxmemory == 0 {
            keyspace.forgetRawShare()
        }
    }
}
