// RawShare.swift - how much of a full memory raw values may take. Every value that is used would become raw and stay
// so: more than half of the memory for a third of the keys, and hit ratio is a matter of how many keys there are. So
// while memory is full and raw values have more than their share, the hand puts those to sleep that were used once or
// twice since its last round, and reads wake nothing. Reading a sleeping value costs a microsecond, missing it a
// database. With a data set of four times the memory (zipf 0.9, values of 550 bytes, simulated) no limit, a quarter
// and a seventh give a hit ratio of 79.1, 83.7 and 84.4 percent, with 0.1, 0.4 and 0.8 values unpacked a read. Where
// values go to disk the same read would wait for it, some fifty times as long as for unpacking: shares of a sixth, a
// tenth and a sixteenth serve 89.9, 91.1 and 91.5 percent of the reads from memory (measured), 61, 56 and 52 percent
// of all from raw values.
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

    /// Looks at the share; the hand does so at the beginning of each step.
    func measureRawShare() {
        guard tiers.options.compresses else { return tiers.isRawCrowded = false }
        var (all, asleep) = (0, 0)
        for index in 0..<databaseCount where self[index].count > 0 {
            all += self[index].byteCount - self[index].table.allocatedByteCount
            asleep += self[index].sleepers.warm.byteCount + self[index].sleepers.dense.byteCount
                + self[index].sleepers.keys * Keyspace.byteCountOfSleeper
        }
        tiers.isRawCrowded = all - asleep > all / (sinks ? Keyspace.rawShareBesideDisk : Keyspace.rawShare)
    }

    /// Memory is not full any more.
    package func forgetRawShare() { tiers.isRawCrowded = false }

    /// Whether a value that stays had better stay asleep.
    func isToSleep(_ entry: Entry) -> Bool {
        tiers.isRawCrowded && entry.tier == .raw && entry.frequency < Keyspace.usesOfHot && !entry.resistsCompression
            && mayBeCompressed(entry) && !tiers.budget.isSpent(at: now)
    }
}
