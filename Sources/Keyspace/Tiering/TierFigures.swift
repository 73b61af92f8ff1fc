// TierFigures.swift - what is kept in which tier, over all databases, for INFO and FOG.TIER. Engine's turn only.
internal import Codec
internal import Structures

package struct TierFigures {
    package let warm: SleeperAccount.Figures
    package let dense: SleeperAccount.Figures
    package let cold: SleeperAccount.Figures
    package let rawKeys: Int
    /// Entries and values, without those that are asleep.
    package let rawByteCount: Int
    package let rawHits: Int

    package init(_ keyspace: borrowing Keyspace) {
        warm = keyspace.sleepers(in: .warm)
        dense = keyspace.sleepers(in: .dense)
        cold = keyspace.sleepers(in: .cold)
        let statistics = keyspace.tiers.statistics
        rawKeys = keyspace.count - warm.keys - dense.keys - cold.keys
        var byteCount = 0
        for index in 0..<keyspace.databaseCount {
            byteCount += keyspace[index].byteCount - keyspace[index].table.allocatedByteCount
        }
        rawByteCount = max(0, byteCount - warm.entryByteCount - dense.entryByteCount - cold.entryByteCount)
        // Hits are counted once for all tiers, and a second time where a value was asleep.
        let asleep = statistics.warmHits + statistics.denseHits + statistics.coldHits
        rawHits = max(0, keyspace.statistics.hits - asleep)
    }
}

extension SleeperAccount.Figures {
    /// How many times smaller the values are than when they are awake, with two decimals; 0 when there are none.
    package var ratio: Double {
        byteCount == 0 ? 0 : (Double(wholeByteCount) * 100 / Double(byteCount)).rounded() / 100
    }
}

extension DictionaryGeneration {
    /// Bytes of the dictionary itself.
    package var byteCount: Int { dictionary.byteCount }

    /// How many times smaller the values were that were compressed with it, with two decimals.
    package var ratio: Double {
        packedByteCount == 0 ? 0 : (Double(plainByteCount) * 100 / Double(packedByteCount)).rounded() / 100
    }
}
