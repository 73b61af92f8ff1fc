// DataClass.swift - one class of data: keys that match a pattern, how long they live, how much memory they may take
// together and how their values are kept. A plain value; where it comes from (the coordinator's records) is not known
// here. Pure.
package import Keyspace

/// What a class allows its keys. All in machine words, so that looking at it costs nothing.
package struct ClassLimits: Sendable, Equatable, BitwiseCopyable {
    /// What a key gets that is written without a time to live; 0 for none.
    package var lifeMilliseconds: Int64 = 0
    /// The longest time to live; 0 for no bound.
    package var lifeMillisecondsMax: Int64 = 0
    /// By so many per cent the given life varies to either side, so that what was written together dies apart.
    package var jitterPercent = 0
    /// What the class's keys may take together; 0 for no bound.
    package var byteCountMax = 0
    /// Which of them go when they take more; nil leaves it to this server, which has the unused go first.
    package var policy: MaxmemoryPolicy?

    package init() {}

    package static let jitterPercentMax = 90
    /// Some three hundred years.
    package static let lifeSecondsMax = 10_000_000_000

    var limitsLife: Bool { lifeMilliseconds > 0 || lifeMillisecondsMax > 0 }

    /// What goes when the class is over its limit; nil when nothing may.
    var eviction: EvictionPolicy? {
        guard let policy else { return EvictionPolicy(order: .unused, onlyVolatile: false) }
        return policy.eviction
    }

    /// Whether it may come to it that no key may go though the class is over its limit.
    var mayRefuse: Bool { byteCountMax > 0 && eviction?.onlyVolatile ?? true }

    /// When a key that was just written dies, given when it would (nil: never); nil when that is as it should be.
    /// `isPersistent`: whoever wrote it wants it to stay, so only the bound counts.
    func expiry(of current: Int64?, now: Int64, isPersistent: Bool, random: UInt64) -> Int64? {
        let latest = lifeMillisecondsMax > 0 ? now + lifeMillisecondsMax : Int64.max
        if let current { return current > latest ? latest : nil }
        if lifeMilliseconds > 0 && !isPersistent {
            let spread = lifeMilliseconds * Int64(jitterPercent) / 100
            let shift = spread > 0 ? Int64(random % UInt64(2 * spread + 1)) - spread : 0
            return min(latest, now + max(1, lifeMilliseconds + shift))
        }
        return lifeMillisecondsMax > 0 ? latest : nil
    }
}

package struct DataClass: Sendable, Equatable {
    package let name: [UInt8]
    package let pattern: [UInt8]
    /// Of two classes that a key matches, the one with the greater priority has it, then the longer literal prefix.
    package var priority = 0
    package var limits = ClassLimits()
    /// How its values are kept.
    package var wish = TierWish()

    package init(name: [UInt8], pattern: [UInt8]) {
        self.name = name
        self.pattern = pattern
    }

    /// Classes of one database; more are not looked at.
    package static let countMax = 256

    /// Whether both have the same keys, so that what was counted for one is true for the other.
    func hasKeys(of other: DataClass) -> Bool {
        name == other.name && pattern == other.pattern && priority == other.priority
    }
}
