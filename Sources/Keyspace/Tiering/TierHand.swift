// TierHand.swift - moves values down without memory being full: when their time in a tier is over, when there are more
// raw values than wanted, when the raw tier is switched off; and under `noeviction`, where compressing is all that can
// be done. Like the eviction hand it walks the hash space bucket by bucket, in steps of bounded work. Engine's turn
// only, never while somebody holds a slot.
internal import Base
internal import Structures

package struct TierHand {
    /// Buckets of one step: some tens of microseconds when nothing is to be done.
    private static let bucketsPerStep = 128

    private var database = 0
    private var cursor: UInt64 = 0
    private var found: [Entry] = []

    package init() {}

    /// Begins another round from the start.
    package mutating func restart() {
        database = 0
        cursor = 0
    }

    /// What a walk does.
    package enum Order {
        /// What the options say about times and numbers.
        case standing
        /// Everything that may be compressed, as long as `excess` bytes are missing.
        case makeRoom(excess: Int)
    }

    package struct Result {
        /// The hand has been everywhere.
        package var isRoundOver = false
        package var freed = 0
    }

    /// One step.
    package mutating func step(_ keyspace: inout Keyspace, _ order: Order) -> Result {
        var result = Result()
        for _ in 0..<TierHand.bucketsPerStep {
            guard database < keyspace.databaseCount else {
                restart()
                result.isRoundOver = true
                return result
            }
            guard keyspace[database].count > 0 else {
                database += 1
                cursor = 0
                continue
            }
            result.freed += visitBucket(&keyspace, order)
            if cursor == 0 { database += 1 }
            if case .makeRoom(let excess) = order, result.freed >= excess { return result }
        }
        return result
    }

    private mutating func visitBucket(_ keyspace: inout Keyspace, _ order: Order) -> Int {
        var entries = found
        found = []
        entries.removeAll(keepingCapacity: true)
        cursor = keyspace[database].table.scan(cursor: cursor) { entries.append($0) }
        var freed = 0
        for entry in entries {
            switch order {
            case .makeRoom: freed += demote(entry, &keyspace, memoryIsShort: true)
            case .standing: if !keyspace.isExpired(entry) { follow(entry, &keyspace) }
            }
        }
        found = entries
        return freed
    }

    private func demote(_ entry: Entry, _ keyspace: inout Keyspace, memoryIsShort: Bool) -> Int {
        let hash = keyspace[database].table.hash(entry.key)
        guard let slot = keyspace[database].table.find(entry.key, hash: hash) else { return 0 }
        return keyspace.demote(slot, in: database, memoryIsShort: memoryIsShort) ?? 0
    }

    /// A value that was made quick to read, and that nobody has read for long, had better be small.
    private func settle(
        _ entry: Entry, _ hash: UInt64, _ idle: Int, _ options: TierOptions, _ keyspace: inout Keyspace
    ) {
        guard entry.tier == .warm, options.choice == .auto, !entry.resistsCompression,
            idle >= 2 * max(options.roundSeconds, options.rawSeconds),
            let slot = keyspace[database].table.find(entry.key, hash: hash)
        else { return }
        _ = keyspace.squeeze(slot, in: database)
    }

    private func follow(_ entry: Entry, _ keyspace: inout Keyspace) {
        let options = keyspace.tiers.options(of: entry.key, in: database)
        let hash = keyspace[database].table.hash(entry.key)
        let idle = keyspace.clocks.idleSeconds(hash, in: database, at: keyspace.now)
        if entry.isAsleep {
            let isCold = entry.tier == .cold
            let seconds = isCold ? options.coldSeconds : options.compressedSeconds
            guard seconds > 0, idle >= seconds, let slot = keyspace[database].table.find(entry.key, hash: hash) else {
                return settle(entry, hash, idle, options, &keyspace)
            }
            if !isCold && keyspace.sink(slot, in: database) != nil { return }
            keyspace.tiers.statistics.outlived += 1
            keyspace.evict(slot, hash: hash, in: database)
            return
        }
        guard options.compresses else { return }
        let isOver = options.rawSeconds > 0 && idle >= options.rawSeconds
        let rawCount = keyspace[database].count - keyspace[database].sleepers.keys
        let isTooMany = options.rawCountMax > 0 && rawCount > options.rawCountMax && entry.frequency == 0
        if isOver || isTooMany || !options.keepsRaw {
            _ = demote(entry, &keyspace, memoryIsShort: false)
        } else if options.rawCountMax > 0 && rawCount > options.rawCountMax && entry.frequency > 0 {
            entry.frequency -= 1
        }
    }
}
