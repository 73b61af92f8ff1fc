// RawShare.swift - how much of a full memory raw values may take. Every value that is used would become raw and stay
// so: more than half of the memory for a third of the keys, and hit ratio is a matter of how many keys there are. So
// while memory is full and raw values have more than their share, the hand puts those to sleep that were used once or
// twice since its last round, and reads wake nothing. Reading a sleeping value costs a microsecond, missing it a
// database. With a data set of four times the memory (zipf 0.9, values of 550 bytes, simulated) no limit, a quarter
// and a seventh give a hit ratio of 79.1, 83.7 and 84.4 percent, with 0.1, 0.4 and 0.8 values unpacked a read. Where
// values go to disk the same read would wait for it, some fifty times as long as for unpacking: shares of a sixth, a
// tenth and a sixteenth serve 89.9, 91.1 and 91.5 percent of the reads from memory, 61, 56 and 52 percent of all from
// raw values (measured when LZ4 came before Zstd).
// Engine's turn only.
internal import Structures

extension Keyspace {
    /// Raw values' share of what keys and values take.
    private static let rawShare = 6
    private static let rawShareBesideDisk = 10
    /// What is used so often since the hand's last round stays raw.
    private static let usesOfHot = 3
    /// Bytes of a sleeping key beside its value, about.
    private static let byteCountOfSleeper = 32

    /// Looks at the share; the hand does so at the beginning of each step. Returns how many values are compressed in
    /// memory.
    func measureRawShare() -> Int {
        guard tiers.options.compresses else {
            tiers.isRawCrowded = false
            return 0
        }
        var (all, asleep, packed) = (0, 0, 0)
        for index in 0..<databaseCount where self[index].count > 0 {
            let sleepers = self[index].sleepers
            all += self[index].byteCount - self[index].table.allocatedByteCount
            asleep += sleepers.warm.byteCount + sleepers.dense.byteCount + sleepers.keys * Keyspace.byteCountOfSleeper
            packed += sleepers.warm.keys + sleepers.dense.keys
        }
        tiers.isRawCrowded = all - asleep > all / (sinks ? Keyspace.rawShareBesideDisk : Keyspace.rawShare)
        return packed
    }

    /// Memory is not full any more.
    package func forgetRawShare() { tiers.isRawCrowded = false }

    /// Whether there are too many raw values, and time to do something about it.
    var mayPutToSleep: Bool { tiers.isRawCrowded && !tiers.budget.isSpent(at: now) }

    /// Whether a value that stays had better stay asleep.
    func isToSleep(_ entry: Entry) -> Bool {
        mayPutToSleep && entry.tier == .raw && entry.frequency < Keyspace.usesOfHot && !entry.resistsCompression
            && mayBeCompressed(entry)
    }
}

/// Where a hand over the buckets of all databases stands.
struct HandPosition {
    var database = 0
    var place = EntryTable.Place()

    /// On to the beginning of the next database that has keys, round and round.
    mutating func enterNextDatabase(_ keyspace: borrowing Keyspace) {
        self = HandPosition(database: (database + 1) % keyspace.databaseCount)
        for _ in 0..<keyspace.databaseCount where keyspace[database].count == 0 {
            database = (database + 1) % keyspace.databaseCount
        }
    }
}

/// Walks over what has passed and compresses what is raw and not hot, before any key goes: a key costs a third of the
/// memory then, so three stay for one. Without it raw values keep what they have until the clock comes by, which it
/// does only when newcomers do not pay (zipf 0.8: 66.5 percent of reads without, 67.9 with it; a loop 12 and 15).
struct RawPress {
    /// Buckets at most that it may look at in one step of the hand: where all that is raw is hot, or small, it finds
    /// nothing for a whole round, and keys have to go meanwhile.
    static let bucketsPerStep = 16
    /// After a round that found nothing it rests until so many keys have come, in percent of those there are, twice as
    /// many after each further one.
    private static let restPercent = 25
    private static let doublingsMax = 4

    private var position = HandPosition()
    /// Buckets since it found something.
    private var fruitless = 0
    private var rest = 0
    /// Rounds in succession that found nothing.
    private var barrenRounds = 0
    private var found: [Entry] = []

    init() {}

    mutating func note(insertions: Int) { rest = max(0, rest - insertions) }

    func isDue(_ keyspace: borrowing Keyspace) -> Bool { rest == 0 && keyspace.mayPutToSleep }

    /// Compresses what the next bucket has. Returns how many values that were, and the bytes that became free.
    mutating func visitBucket(_ keyspace: inout Keyspace, bucketCount: Int) -> (count: Int, bytes: Int) {
        let database = position.database
        let before = keyspace[database].byteCount
        var place = position.place
        var entries = found
        found = []
        entries.removeAll(keepingCapacity: true)
        let isInside = keyspace[database].table.visitBucket(at: &place) { slot in
            if slot.age == 0 && keyspace.isToSleep(slot.entry) { entries.append(slot.entry) }
        }
        position.place = place
        if !isInside { position.enterNextDatabase(keyspace) }
        var count = 0
        for entry in entries {
            let hash = keyspace[database].table.hash(entry.key)
            guard let slot = keyspace[database].table.find(entry.key, hash: hash) else { continue }
            if keyspace.squeeze(slot, in: database) != nil { count += 1 }
        }
        found = entries
        fruitless += 1
        if count > 0 { (fruitless, barrenRounds) = (0, 0) }
        if fruitless > bucketCount {
            fruitless = 0
            rest = max(1, keyspace.count * RawPress.restPercent / 100) << barrenRounds
            barrenRounds = min(barrenRounds + 1, RawPress.doublingsMax)
        }
        return (count, before - keyspace[database].byteCount)
    }
}
