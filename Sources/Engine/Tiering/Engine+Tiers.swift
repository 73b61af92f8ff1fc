// Engine+Tiers.swift - what tiers need by the clock: values are sampled before memory is full, dictionaries are trained
// in the background, times and numbers of the configuration are followed, scratch memory is given back. And what can be
// done where no key may go: compressing. Under the turn.
internal import Base
package import Codec
package import Keyspace
internal import Structures

/// Where the tiers' duties are.
struct TierDuties {
    var hand = TierHand()
    /// When the round over all keys began that follows times and numbers; nil between two rounds.
    var isInRound = false
    var nextRound: Int64 = 0
    /// The same hand's kind, for making room where no key may go.
    var presser = TierHand()
    /// Bytes that the presser's round has freed, and when it may try again after one that freed nothing.
    var pressed = 0
    var pressesAgainAt: Int64 = 0
    var nextRetirement: Int64 = 0
    init() {}
}

extension Engine {
    /// Share of `maxmemory` from which on values are sampled for dictionaries.
    private static let samplingShare = 0.4
    /// Of a small `maxmemory`, a family's samples take one part in so many.
    private static let samplesShare = 64
    /// Random keys looked at in one tick.
    private static let samplesPerTick = 128
    /// How long following times and numbers may hold the turn in one tick.
    private static let roundSliceNanoseconds: Int64 = 500_000
    /// How long one command compresses where no key may go.
    private static let pressSliceNanoseconds: Int64 = 500_000
    /// Between two rounds of compressing that found nothing.
    private static let pressPauseMilliseconds: Int64 = 1000

    mutating func tierSettingsChanged() {
        keyspace.tiers.limitSamples(byteCount: memoryShare(Engine.samplesShare))
        guard keyspace.tiers.options != settings.fog.tiers else { return coldStoreFollows() }
        keyspace.tiers.options = settings.fog.tiers
        coldSettingsChanged()
        tierDuties.pressesAgainAt = 0
        tierDuties.nextRound = 0
    }

    /// The timer's share; true when it wants to go on soon.
    mutating func tendTiers() -> Bool {
        guard !isPaused, gates.isDisjoint(with: [.loading, .busy]) else { return false }
        sampleForDictionaries()
        for job in keyspace.tiers.takeJobs() { hooks.train(job) }
        keyspace.tiers.forgetImages()
        let isReclaiming = tidyCold()
        if keyspace.now >= tierDuties.nextRetirement {
            tierDuties.nextRetirement = keyspace.now + 10_000
            let tiers = keyspace.tiers
            tiers.retire { keyspace.dictionaryUses($0) }
        }
        return followTierTimes() || isReclaiming
    }

    /// A training that `hooks.train` was given is over.
    package mutating func finishTraining(_ job: TrainingJob, _ dictionary: CodecDictionary?) {
        let tiers = keyspace.tiers
        tiers.finish(job, dictionary) { keyspace.dictionaryUses($0) }
    }

    private mutating func sampleForDictionaries() {
        guard keyspace.tiers.mayCompress, keyspace.tiers.wantsSamples else { return }
        let isNearlyFull =
            settings.maxmemory > 0 && Double(usedMemory) > Double(settings.maxmemory) * Engine.samplingShare
        guard isNearlyFull || keyspace.tiers.hasStandingOrders else { return }
        var fullest = 0
        for index in 0..<keyspace.databaseCount where keyspace[index].count > keyspace[fullest].count {
            fullest = index
        }
        var generator = random
        for _ in 0..<Engine.samplesPerTick {
            guard let entry = keyspace[fullest].table.randomEntry({ generator.next() }) else { break }
            keyspace.sample(entry)
        }
        random = generator
    }

    /// A slice of a round over all keys, when one is due.
    private mutating func followTierTimes() -> Bool {
        guard keyspace.tiers.hasStandingOrders else { return false }
        if !tierDuties.isInRound {
            guard keyspace.now >= tierDuties.nextRound else { return false }
            tierDuties.isInRound = true
            tierDuties.nextRound = keyspace.now + Int64(keyspace.tiers.options.roundSeconds) * 1000
            tierDuties.hand.restart()
        }
        let deadline = clock.monotonicNanoseconds + Engine.roundSliceNanoseconds
        repeat {
            if tierDuties.hand.step(&keyspace, .standing).isRoundOver { tierDuties.isInRound = false }
        } while tierDuties.isInRound && clock.monotonicNanoseconds < deadline
        if !keyspace.removals.isEmpty { applyEffects() }
        return tierDuties.isInRound
    }

    /// Memory is over its limit and no key may go: compresses until `excess` bytes are free, a slice of time is over,
    /// or there is nothing left to compress.
    mutating func press(excess: Int) {
        guard keyspace.tiers.mayCompress || keyspace.tiers.cold != nil,
            keyspace.now >= tierDuties.pressesAgainAt
        else { return }
        let deadline = clock.monotonicNanoseconds + Engine.pressSliceNanoseconds
        var missing = excess
        repeat {
            let result = tierDuties.presser.step(&keyspace, .makeRoom(excess: missing))
            missing -= result.freed
            tierDuties.pressed += result.freed
            guard result.isRoundOver else { continue }
            if tierDuties.pressed == 0 {
                tierDuties.pressesAgainAt = keyspace.now + Engine.pressPauseMilliseconds
                return
            }
            tierDuties.pressed = 0
        } while missing > 0 && clock.monotonicNanoseconds < deadline
    }
}
