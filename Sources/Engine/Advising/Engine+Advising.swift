// Engine+Advising.swift - FOG.ADVISE at work: the keys of commands, as observing tells them, go to the simulated caches
// (`EvictionShadow`) when they are in its sample. For all others a command pays for a hash and a compare; while nobody
// asked for advice, for nothing. A read is told before it runs, when what it will find is known; a write when the next
// command comes, because only then what it left is known. Under the turn.
internal import Base
internal import Keyspace
internal import Structures

extension MaxmemoryPolicy {
    /// How the server's own order looks in a simulated cache.
    fileprivate var shadowOrder: ShadowOrder {
        switch self {
        case .allKeysLRU, .volatileLRU, .allKeysS3FIFO: .unused
        case .allKeysLFU, .volatileLFU, .allKeysTinyLFU: .counted
        case .allKeysLRM, .volatileLRM: .modified
        case .allKeysRandom, .volatileRandom: .random
        case .volatileTTL: .soonestExpiry
        case .noEviction: .never
        }
    }

    fileprivate var shadowName: StaticString {
        switch self {
        case .allKeysLRU: "allkeys-lru"
        case .volatileLRU: "volatile-lru"
        case .allKeysLFU: "allkeys-lfu"
        case .volatileLFU: "volatile-lfu"
        case .allKeysLRM: "allkeys-lrm"
        case .volatileLRM: "volatile-lrm"
        case .allKeysRandom: "allkeys-random"
        case .volatileRandom: "volatile-random"
        case .volatileTTL: "volatile-ttl"
        case .noEviction: "noeviction"
        case .allKeysS3FIFO: "allkeys-s3fifo"
        case .allKeysTinyLFU: "allkeys-tinylfu"
        }
    }

    fileprivate var shadowRule: ShadowRule {
        ShadowRule(shadowName, shadowOrder, onlyVolatile: !coversAllKeys && self != .noEviction)
    }

    /// What is simulated while this policy is set: those for all keys, the soonest expiry, the policy itself, and what
    /// LRU and LFU by the book would hold. Of two names for one order the one that is set is simulated.
    fileprivate var shadowRules: [ShadowRule] {
        var policies: [MaxmemoryPolicy] = [
            self == .allKeysS3FIFO ? self : .allKeysLRU, self == .allKeysTinyLFU ? self : .allKeysLFU, .allKeysLRM,
            .allKeysRandom, .volatileTTL,
        ]
        if !policies.contains(self) { policies.append(self) }
        return policies.map(\.shadowRule) + [ShadowRule("lru", .leastRecent), ShadowRule("lfu", .leastFrequent)]
    }
}

extension Engine {
    /// How long one look at the keys that were there may hold the turn.
    private static let findingNanoseconds: Int64 = 1_000_000
    /// The simulation takes at most one part in so many of the memory that there is.
    private static let memoryShare = 32
    private static let keyCountMin = 1024
    /// Writes of one command that are remembered; of a larger one the rest is left out.
    private static let pendingMax = 1024
    /// Room that the memory gate keeps free (`Engine+Eviction.swift`).
    private static let reserveByteCount = 16 << 10

    package var isAdvising: Bool { observer.advises }

    /// Begins anew; `keyCount` nil takes `fog-advise-keys`.
    package mutating func startAdvising(keyCount: Int? = nil) {
        let rules = settings.maxmemoryPolicy.shadowRules
        let wanted = keyCount ?? settings.fog.adviseKeyCount
        let memory = settings.maxmemory > 0 ? settings.maxmemory : Int.max
        let affordable = memory / Engine.memoryShare / EvictionShadow.byteCountPerKey(ruleCount: rules.count)
        let bound = keyCount ?? max(Engine.keyCountMin, min(wanted, affordable))
        var shift = 0
        while keyspace.count >> shift > bound / 2 { shift += 1 }
        let shadow = EvictionShadow(rules: rules, keyCountMax: bound, shift: shift, seed: random.next())
        shadow.lfuLogFactor = settings.lfuLogFactor
        shadow.lfuDecayMinutes = settings.lfuDecayTimeMinutes
        observer.advisor = EvictionAdvisor(
            shadow, now: keyspace.now, statistics: keyspace.statistics, replacements: keyspace.replacementCount)
        observer.sampling = shadow.sampling
        observer.reads = 0
        observer.writes.removeAll(keepingCapacity: true)
        observer.writes.reserveCapacity(Engine.pendingMax)
        observer.advises = true
        setAdviceCapacities()
        armObservation()
    }

    package mutating func stopAdvising() {
        observer.advises = false
        observer.advisor = nil
        observer.writes = []
        armObservation()
    }

    /// Counts begin anew; the simulated caches keep what they hold.
    package mutating func resetAdvice() {
        guard let advisor = observer.advisor else { return }
        settleAdvice()
        advisor.shadow.resetCounts()
        advisor.countingMilliseconds = keyspace.now
        advisor.hitsBefore = keyspace.statistics.hits
        advisor.missesBefore = keyspace.statistics.misses
        observer.reads = 0
    }

    /// Follows the configuration: the directive starts and stops, and a policy that is not simulated begins anew.
    mutating func advisorSettingsChanged() {
        if settings.fog.advisesEviction != observer.isAdviceConfigured {
            observer.isAdviceConfigured = settings.fog.advisesEviction
            if settings.fog.advisesEviction { startAdvising() } else { stopAdvising() }
            return
        }
        guard let advisor = observer.advisor else { return }
        if !advisor.shadow.simulates(settings.maxmemoryPolicy.shadowName) { startAdvising() }
        advisor.shadow.lfuLogFactor = settings.lfuLogFactor
        advisor.shadow.lfuDecayMinutes = settings.lfuDecayTimeMinutes
    }

    /// The dataset is another one: what the caches held is forgotten, and what is there is looked at.
    mutating func restartAdvice() {
        guard let advisor = observer.advisor else { return }
        advisor.shadow.removeAll()
        observer.writes.removeAll(keepingCapacity: true)
        advisor.replacements = keyspace.replacementCount
        advisor.position = (0, 0)
    }

    // MARK: what happens to keys

    @inline(__always)
    mutating func advise(_ key: Span<UInt8>, isRead: Bool, _ database: Int) {
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        let identity = ShadowSampling.identity(hash, database: database)
        if isRead { observer.reads &+= 1 }
        guard _slowPath(observer.sampling.contains(identity)) else { return }
        adviseSampled(hash, identity, isRead: isRead, database)
    }

    @inline(never)
    private mutating func adviseSampled(_ hash: UInt64, _ identity: UInt64, isRead: Bool, _ database: Int) {
        guard let advisor = observer.advisor else { return }
        if advisor.replacements != keyspace.replacementCount { restartAdvice() }
        guard isRead else {
            if observer.writes.count < Engine.pendingMax {
                observer.writes.append(Observer.Write(hash: hash, identity: identity, database: database))
            }
            return
        }
        let now = advisor.time(keyspace.now)
        let real = shadowKey(hash, database, advisor)
        if let real, advisor.position != nil {
            advisor.shadow.found(identity, database: database, real: real, now: now)
        }
        advisor.shadow.read(identity, database: database, real: real, now: now)
        observer.sampling = advisor.shadow.sampling
    }

    /// What the server has of a key.
    private func shadowKey(_ hash: UInt64, _ database: Int, _ advisor: EvictionAdvisor) -> ShadowKey? {
        guard let slot = keyspace[database].table.find(hash: hash), !keyspace.isExpired(slot.entry) else { return nil }
        return shadowKey(slot.entry, database, advisor)
    }

    private func shadowKey(_ entry: Entry, _ database: Int, _ advisor: EvictionAdvisor) -> ShadowKey {
        ShadowKey(
            byteCount: keyspace[database].memoryUsage(of: entry),
            deadline: entry.hasExpiry ? advisor.time(entry.expiryMilliseconds) : 0)
    }

    /// Tells what the commands before this one have written.
    mutating func settleAdvice() {
        guard !observer.writes.isEmpty, let advisor = observer.advisor else { return }
        var writes: [Observer.Write] = []
        swap(&writes, &observer.writes)
        let now = advisor.time(keyspace.now)
        for write in writes {
            if let real = shadowKey(write.hash, write.database, advisor) {
                advisor.shadow.wrote(write.identity, database: write.database, real: real, now: now)
            } else {
                advisor.shadow.removed(write.identity)
            }
        }
        writes.removeAll(keepingCapacity: true)
        swap(&writes, &observer.writes)
        observer.sampling = advisor.shadow.sampling
    }

    // MARK: the clock

    /// The timer's share; true when there is more to look at.
    mutating func tickAdvice() -> Bool {
        guard let advisor = observer.advisor, gates.isDisjoint(with: [.loading, .busy]) else { return false }
        if advisor.replacements != keyspace.replacementCount { restartAdvice() }
        settleAdvice()
        findKeys(advisor)
        advisor.shadow.expireSlice(now: advisor.time(keyspace.now))
        setAdviceCapacities()
        return advisor.position != nil
    }

    /// Looks at keys that were there before, as long as a slice lasts.
    private mutating func findKeys(_ advisor: EvictionAdvisor) {
        let deadline = clock.monotonicNanoseconds + Engine.findingNanoseconds
        let now = advisor.time(keyspace.now)
        while let (database, place) = advisor.position, clock.monotonicNanoseconds < deadline {
            let next = keyspace[database].table.walkSegment(at: place) { entry in
                let hash = keyspace[database].table.hash(entry.key)
                let identity = ShadowSampling.identity(hash, database: database)
                if advisor.shadow.sampling.contains(identity), !keyspace.isExpired(entry) {
                    let real = shadowKey(entry, database, advisor)
                    advisor.shadow.found(identity, database: database, real: real, now: now)
                }
                return true
            }
            if let next {
                advisor.position = (database, next)
            } else {
                advisor.position = database + 1 < keyspace.databaseCount ? (database + 1, 0) : nil
            }
        }
        observer.sampling = advisor.shadow.sampling
    }

    /// What keys may take with each memory: that part of the limit less what the server needs for everything else.
    private func setAdviceCapacities() {
        guard let advisor = observer.advisor else { return }
        let keys = keyspaceByteCount
        let rest = max(0, countedMemory - keys)
        let capacities = EvictionShadow.factors.map { factor in
            // Without a limit all that is there fits, and what comes.
            settings.maxmemory == 0 && factor >= 1
                ? Int.max : max(0, Int(Double(adviceMemory) * factor) - rest - Engine.reserveByteCount)
        }
        advisor.shadow.setCapacities(capacities, now: advisor.time(keyspace.now))
    }

    /// The memory that factor 1 stands for.
    private var adviceMemory: Int { settings.maxmemory > 0 ? settings.maxmemory : countedMemory }

    // MARK: for those who ask

    /// nil while nobody asked for advice.
    package mutating func adviceFigures() -> AdviceFigures? {
        guard let advisor = observer.advisor else { return nil }
        settleAdvice()
        let hits = keyspace.statistics.hits - advisor.hitsBefore
        let total = hits + keyspace.statistics.misses - advisor.missesBefore
        let shadow = advisor.shadow
        return AdviceFigures(
            milliseconds: keyspace.now - advisor.countingMilliseconds, reads: observer.reads,
            sampledReads: shadow.sampledReads, sampledKeyCount: shadow.keyCount, weight: shadow.sampling.weight,
            byteCount: shadow.allocatedByteCount, memoryByteCount: adviceMemory, hasLimit: settings.maxmemory > 0,
            policy: settings.maxmemoryPolicy, hitRatio: total > 0 ? Double(hits) / Double(total) : nil,
            isStarting: advisor.position != nil, outcomes: shadow.outcomes(reads: observer.reads))
    }
}
