// ClassLedger.swift - the keys of one class by hash, what each costs and whether it has an expiry: so that the class's
// bytes are exact, a change of a key corrects what was counted for it, and a hand finds the class's keys, or those that
// expire, without walking everybody's. Hash tables in shards that grow one at a time, so that no write pays for more
// than a fraction of the keys (a million keys: a sixty-fourth of a million moves). Cost: some 20 bytes per key of a
// class. Pure; under the turn.

struct ClassLedger {
    private static let shardBits: UInt64 = 6
    private static let capacityMin = 8
    /// Charges are kept in units of eight bytes, the finest that allocators give: 31 bits count to 16 GiB.
    private static let unitShift = 3
    /// The highest bit of a charge: the key has an expiry.
    private static let volatileBit: UInt32 = 1 << 31

    private struct Shard {
        /// 0 is an empty place; hashes are made odd ones out by `key(_:)`.
        var hashes: [UInt64] = []
        var charges: [UInt32] = []
        var count = 0

        /// The place of `hash`, or the empty one where it belongs. Only with capacity.
        func place(_ hash: UInt64) -> Int {
            let mask = hashes.count - 1
            var place = Int(truncatingIfNeeded: hash >> 20) & mask
            while hashes[place] != 0 && hashes[place] != hash { place = (place + 1) & mask }
            return place
        }

        mutating func grow() {
            let capacity = max(ClassLedger.capacityMin, hashes.count * 2)
            var larger = Shard()
            larger.hashes = [UInt64](repeating: 0, count: capacity)
            larger.charges = [UInt32](repeating: 0, count: capacity)
            larger.count = count
            for index in hashes.indices where hashes[index] != 0 {
                let place = larger.place(hashes[index])
                larger.hashes[place] = hashes[index]
                larger.charges[place] = charges[index]
            }
            self = larger
        }

        /// Empties a place and closes the gap, so that no search ends too early.
        mutating func remove(at start: Int) {
            let mask = hashes.count - 1
            var hole = start
            var next = (hole + 1) & mask
            while hashes[next] != 0 {
                let home = Int(truncatingIfNeeded: hashes[next] >> 20) & mask
                if (next - home) & mask >= (next - hole) & mask {
                    hashes[hole] = hashes[next]
                    charges[hole] = charges[next]
                    hole = next
                }
                next = (next + 1) & mask
            }
            hashes[hole] = 0
            count -= 1
        }
    }

    private var shards = [Shard](repeating: Shard(), count: 1 << Int(shardBits))
    private(set) var count = 0
    /// Of them those with an expiry.
    private(set) var volatileCount = 0
    private var units = 0
    /// Where the hand stands.
    private var handShard = 0
    private var handPlace = 0

    /// What all keys cost, their share of the table aside.
    var chargedByteCount: Int { units << ClassLedger.unitShift }

    /// What the ledger itself takes.
    var allocatedByteCount: Int { shards.reduce(0) { $0 + $1.hashes.capacity * 12 } }

    private static func key(_ hash: UInt64) -> UInt64 { hash == 0 ? 1 : hash }
    private static func shard(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> (64 - shardBits)) }

    /// The key with `hash` costs `byteCount` from now on, whether it was known or not.
    mutating func charge(_ hash: UInt64, _ byteCount: Int, isVolatile: Bool = false) {
        let key = ClassLedger.key(hash)
        let index = ClassLedger.shard(hash)
        if (shards[index].count + 1) * 4 > shards[index].hashes.count * 3 { shards[index].grow() }
        let place = shards[index].place(key)
        let charge = min(ClassLedger.volatileBit - 1, UInt32(clamping: byteCount >> ClassLedger.unitShift))
        if shards[index].hashes[place] == 0 {
            shards[index].hashes[place] = key
            shards[index].charges[place] = 0
            shards[index].count += 1
            count += 1
        }
        forget(shards[index].charges[place])
        units += Int(charge)
        volatileCount += isVolatile ? 1 : 0
        shards[index].charges[place] = isVolatile ? charge | ClassLedger.volatileBit : charge
    }

    /// Takes what was counted for one key out of the sums.
    private mutating func forget(_ charge: UInt32) {
        units -= Int(charge & ~ClassLedger.volatileBit)
        volatileCount -= charge & ClassLedger.volatileBit != 0 ? 1 : 0
    }

    /// The key with `hash` is there no more; false when it was not known.
    @discardableResult
    mutating func remove(_ hash: UInt64) -> Bool {
        let index = ClassLedger.shard(hash)
        guard shards[index].count > 0 else { return false }
        let place = shards[index].place(ClassLedger.key(hash))
        guard shards[index].hashes[place] != 0 else { return false }
        forget(shards[index].charges[place])
        shards[index].remove(at: place)
        count -= 1
        return true
    }

    /// The keys that the hand may bring: all, or those with an expiry.
    func candidateCount(onlyVolatile: Bool) -> Int { onlyVolatile ? volatileCount : count }

    /// The next key under the hand, round and round; nil when there is none, or none was met in `placesMax` places.
    mutating func next(onlyVolatile: Bool = false, placesMax: Int = .max) -> UInt64? {
        guard candidateCount(onlyVolatile: onlyVolatile) > 0 else { return nil }
        var places = 0
        while places < placesMax {
            places += 1
            if handPlace >= shards[handShard].hashes.count || shards[handShard].count == 0 {
                handShard = (handShard + 1) % shards.count
                handPlace = 0
                continue
            }
            let hash = shards[handShard].hashes[handPlace]
            let isVolatile = shards[handShard].charges[handPlace] & ClassLedger.volatileBit != 0
            handPlace += 1
            if hash != 0 && (isVolatile || !onlyVolatile) { return hash }
        }
        return nil
    }

    /// Puts the hand anywhere.
    mutating func moveHand(_ random: UInt64) {
        handShard = Int(truncatingIfNeeded: random) & (shards.count - 1)
        handPlace = Int(truncatingIfNeeded: random >> 8) % max(1, shards[handShard].hashes.count)
    }

    mutating func removeAll() { self = ClassLedger() }
}
