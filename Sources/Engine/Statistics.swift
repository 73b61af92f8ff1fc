// Statistics.swift - counters. Per command: plain words in one array indexed by slot id, plus a latency histogram that
// is allocated when a command first runs. Times are kept in ticks and converted when shown. Engine's turn only.
internal import Base

/// Latencies of one command: four buckets per power of two of ticks, so 64 x 4 counters.
@safe package struct LatencyHistogram {
    private let counts: UnsafeMutablePointer<UInt32>
    private static let bucketCount = 256

    init() {
        unsafe counts = .allocate(capacity: LatencyHistogram.bucketCount)
        unsafe counts.initialize(repeating: 0, count: LatencyHistogram.bucketCount)
    }

    func deallocate() { unsafe counts.deallocate() }

    @inline(__always)
    func record(_ ticks: UInt64) {
        let value = ticks | 4
        let octave = 63 &- value.leadingZeroBitCount
        let sub = Int(truncatingIfNeeded: (value >> UInt64(truncatingIfNeeded: octave &- 2)) & 3)
        unsafe counts[octave &* 4 &+ sub] &+= 1
    }

    /// Largest number of ticks that falls into `bucket`.
    private static func upperBound(_ bucket: Int) -> Double {
        let octave = bucket / 4
        return Double(5 + bucket % 4) * Double(sign: .plus, exponent: octave - 2, significand: 1)
    }

    /// Calls in all.
    package var count: Int {
        var total = 0
        for bucket in 0..<LatencyHistogram.bucketCount { total += unsafe Int(counts[bucket]) }
        return total
    }

    /// Microseconds that `fraction` (0...1) of all calls did not exceed; within 12 % of the truth.
    package func microseconds(atFraction fraction: Double) -> Double {
        let wanted = Double(count) * fraction
        var seen = 0.0
        for bucket in 0..<LatencyHistogram.bucketCount {
            seen += unsafe Double(counts[bucket])
            if seen >= wanted && seen > 0 {
                return LatencyHistogram.upperBound(bucket) / Ticks.perMicrosecond
            }
        }
        return 0
    }

    /// Cumulative calls by powers of two, as LATENCY HISTOGRAM shows them: (bound, calls so far). The bounds are those
    /// of Redis' histogram, whose ranges reach 1/128 beyond each power of two of nanoseconds: 1, 2, 4, 8, 16, 33, 66...
    package func cumulative() -> [(microseconds: Int, calls: Int)] {
        var result: [(microseconds: Int, calls: Int)] = []
        var seen = 0
        var nanosecondsMax = 1024
        for bucket in 0..<LatencyHistogram.bucketCount {
            let calls = unsafe Int(counts[bucket])
            guard calls > 0 else { continue }
            let nanoseconds = LatencyHistogram.upperBound(bucket) / Ticks.perMicrosecond * 1000
            while nanosecondsMax < 1 << 40, Double(nanosecondsMax) * 129 / 128 < nanoseconds { nanosecondsMax *= 2 }
            let label = (nanosecondsMax + nanosecondsMax / 128 - 1) / 1000
            seen += calls
            if let last = result.last, last.microseconds == label {
                result[result.count - 1] = (label, seen)
            } else {
                result.append((label, seen))
            }
        }
        return result
    }
}

@safe package struct CommandStatistics {
    package var calls = 0
    package var ticks: UInt64 = 0
    package var rejected = 0
    package var failed = 0
    package var histogram: LatencyHistogram?

    /// Time spent in all calls.
    package var microseconds: Int { Int(Double(ticks) / Ticks.perMicrosecond) }
}

/// Server-wide counters of INFO stats; all reset by CONFIG RESETSTAT.
package struct ServerStatistics {
    /// Objects freed in the background before CONFIG RESETSTAT.
    package var freedObjectsBefore = 0
    package var connectionsReceived = 0
    package var connectionsRejected = 0
    package var commandsProcessed = 0
    package var networkInput = 0
    package var networkOutput = 0
    package var evictedClients = 0
    package var queryBufferLimitDisconnections = 0
    package var outputBufferLimitDisconnections = 0
    package var errorReplies = 0
    package var unexpectedErrorReplies = 0
    package var accessDeniedAuth = 0
    package var accessDeniedCommand = 0
    package var accessDeniedKey = 0
    package var accessDeniedChannel = 0
    package var accessDeniedDatabase = 0
    /// What the loops had done before CONFIG RESETSTAT.
    package var loopsBefore = LoopCounters()
    package var activeExpireTicks: UInt64 = 0
    /// Entries that compaction moved, and those that it could not; how long it ran, pauses between slices included.
    package var compactionMoved = 0
    package var compactionHeld = 0
    var compactionTicks: UInt64 = 0
    package var instantaneousOperations = InstantaneousRate()
    package var instantaneousInput = InstantaneousRate()
    package var instantaneousOutput = InstantaneousRate()
    package var instantaneousCycles = InstantaneousRate()
    package var instantaneousCycleNanoseconds = InstantaneousRate()
    /// Replies that were errors, by their first word.
    package var errors: [String: Int] = [:]
    package init() {}
}

/// What event loops did since the server's start: rounds, the time they took without the waits between them, and the
/// system calls that read and wrote. The longest round is that since `ServerHooks.forgetLongestRound`; a core that
/// somebody else had meanwhile is in it.
package struct LoopCounters: Sendable {
    package var cycles = 0
    package var nanoseconds = 0
    package var longestNanoseconds = 0
    package var reads = 0
    package var writes = 0

    package init() {}

    package static func + (left: LoopCounters, right: LoopCounters) -> LoopCounters {
        var sum = left.combined(with: right, &+)
        sum.longestNanoseconds = max(left.longestNanoseconds, right.longestNanoseconds)
        return sum
    }

    package static func - (left: LoopCounters, right: LoopCounters) -> LoopCounters {
        var rest = left.combined(with: right, &-)
        rest.longestNanoseconds = left.longestNanoseconds
        return rest
    }

    private func combined(with other: LoopCounters, _ combine: (Int, Int) -> Int) -> LoopCounters {
        var result = LoopCounters()
        result.cycles = combine(cycles, other.cycles)
        result.nanoseconds = combine(nanoseconds, other.nanoseconds)
        result.reads = combine(reads, other.reads)
        result.writes = combine(writes, other.writes)
        return result
    }
}

/// A rate averaged over the last 16 samples, as INFO's instantaneous_* fields.
package struct InstantaneousRate {
    private var samples = [Double](repeating: 0, count: 16)
    private var position = 0
    private var lastCount = 0
    private var lastMilliseconds: Int64 = 0

    package mutating func sample(_ count: Int, at milliseconds: Int64) {
        let elapsed = milliseconds - lastMilliseconds
        if lastMilliseconds > 0, elapsed > 0 {
            samples[position] = Double(count - lastCount) * 1000 / Double(elapsed)
            position = (position + 1) % samples.count
        }
        lastCount = count
        lastMilliseconds = milliseconds
    }

    package var perSecond: Double { samples.reduce(0, +) / Double(samples.count) }
}
