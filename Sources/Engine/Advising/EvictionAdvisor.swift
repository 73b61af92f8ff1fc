// EvictionAdvisor.swift - what the engine keeps beside the simulated caches while it advises on eviction: when it
// began, how far it has looked at the keys that were there before, and what the server's own counts said then. The
// sentence of advice is made here, from figures alone. Owned by the engine, under the turn.
internal import Base
package import Keyspace

/// One object as long as the advisor runs.
final class EvictionAdvisor {
    let shadow: EvictionShadow
    /// Deadlines of simulated keys count from here.
    let startMilliseconds: Int64
    /// When counting began.
    var countingMilliseconds: Int64
    /// The server's own counts then.
    var hitsBefore: Int
    var missesBefore: Int
    /// Where the look at the keys that were there goes on; nil when it is over.
    var position: (database: Int, place: UInt64)? = (0, 0)
    /// `Keyspace.replacementCount` as the caches know it.
    var replacements: Int

    init(_ shadow: EvictionShadow, now: Int64, statistics: Keyspace.Statistics, replacements: Int) {
        self.shadow = shadow
        startMilliseconds = now
        countingMilliseconds = now
        hitsBefore = statistics.hits
        missesBefore = statistics.misses
        self.replacements = replacements
    }

    /// An instant in the simulation's unit; never its 0.
    func time(_ milliseconds: Int64) -> UInt32 { UInt32(clamping: max(0, milliseconds - startMilliseconds) / 10 + 1) }
}

/// What is known now.
package struct AdviceFigures: Sendable {
    package let milliseconds: Int64
    package let reads: Int
    package let sampledReads: Int
    package let sampledKeyCount: Int
    /// One key in so many is looked at.
    package let weight: Int
    package let byteCount: Int
    /// The memory that factor 1 stands for: `maxmemory`, or what is used when there is none.
    package let memoryByteCount: Int
    package let hasLimit: Bool
    package let policy: MaxmemoryPolicy
    /// Of the server itself, 0...1; nil before the first read.
    package let hitRatio: Double?
    /// Keys that were there before are still being looked at.
    package let isStarting: Bool
    package let outcomes: [ShadowOutcome]

    /// Reads that have been looked at before anything is said.
    private static let readsMin = 1000
    /// Points of hit ratio that are worth a change.
    private static let worthwhile = 1.0

    private var own: ShadowOutcome? { outcomes.first { "\($0.rule.name)" == policy.rawValue } }

    /// Points, with one decimal.
    private static func points(_ difference: Double) -> String {
        let tenths = Int((abs(difference) * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// What to do, in a sentence or two.
    package var advice: String {
        guard sampledReads / weight >= AdviceFigures.readsMin, let own else {
            return "Too few reads yet: some \(AdviceFigures.readsMin) of the sample are needed to tell."
        }
        if !hasLimit && policy != .noEviction {
            return "maxmemory is not set, so nothing is evicted. \(adviceOnMemory(own))"
        }
        return "\(adviceOnPolicy(own)) \(adviceOnMemory(own))"
    }

    /// Another policy that spares what the present one spares.
    private func adviceOnPolicy(_ own: ShadowOutcome) -> String {
        if policy == .noEviction { return "Nothing is evicted under noeviction; what does not fit is refused." }
        let others = outcomes.filter { outcome in
            guard let other = MaxmemoryPolicy(rawValue: "\(outcome.rule.name)") else { return false }
            return other != .noEviction && other.coversAllKeys == policy.coversAllKeys
        }
        let best = others.max { $0.hitRatios[1] < $1.hitRatios[1] }
        guard let best, (best.hitRatios[1] - own.hitRatios[1]) * 100 >= AdviceFigures.worthwhile else {
            return "No other policy would find as much as a point more."
        }
        let gain = AdviceFigures.points(best.hitRatios[1] - own.hitRatios[1])
        return "maxmemory-policy \(best.rule.name) would find \(gain) points more."
    }

    private func adviceOnMemory(_ own: ShadowOutcome) -> String {
        let (half, same, twice) = (own.hitRatios[0], own.hitRatios[1], own.hitRatios[2])
        let gain = (twice - same) * 100
        let loss = (same - half) * 100
        if gain >= AdviceFigures.worthwhile {
            let atLeast = own.wasFull[2] ? "" : "at least "
            return "Twice the memory would find \(atLeast)\(AdviceFigures.points(twice - same)) points more, "
                + "half of it \(AdviceFigures.points(loss / 100)) less."
        }
        if loss < AdviceFigures.worthwhile && own.wasFull[0] {
            return "Half the memory would do: \(AdviceFigures.points(loss / 100)) points less."
        }
        return "More memory would find little more, half of it \(AdviceFigures.points(loss / 100)) points less."
    }
}
