// Histogram.swift - how long something took, over and over: counts per range of nanoseconds, eight ranges per power of
// two (12 % resolution) from 64 ns to 1 s, 1.6 KB, allocated at the first record. Feeds LATENCY HISTOGRAM and INFO
// latencystats. One owner; recording costs a few nanoseconds and never fails.

package struct Histogram: Sendable {
    /// Ranges per power of two, as a power of two.
    private static let subRangeBits = 3
    private static let subRangeCount = 1 << subRangeBits
    /// Below 2^6 ns all ranges are 8 ns wide.
    private static let linearBits = 6
    /// Values from 2^30 ns on share the last range; Redis' histogram ends there as well.
    private static let valueBitsMax = 30
    private static let rangeCount = (valueBitsMax - linearBits + 1) * subRangeCount

    /// Empty until something is recorded.
    private var counts: [UInt64] = []
    /// How many values were recorded.
    package private(set) var totalCount: UInt64 = 0
    /// Their sum in nanoseconds; wraps after 584 years.
    package private(set) var sumNanoseconds: UInt64 = 0
    /// The largest value.
    package private(set) var maximumNanoseconds: Int64 = 0

    package init() {}

    /// Counts one duration; a negative one (a clock was set back) counts as 0.
    @inline(__always)
    package mutating func record(nanoseconds: Int64) {
        let value = max(nanoseconds, 0)
        if _slowPath(counts.isEmpty) { counts = [UInt64](repeating: 0, count: Histogram.rangeCount) }
        counts[Histogram.rangeIndex(UInt64(value))] &+= 1
        totalCount &+= 1
        sumNanoseconds &+= UInt64(value)
        if value > maximumNanoseconds { maximumNanoseconds = value }
    }

    /// Forgets everything and gives the memory back.
    package mutating func reset() { self = Histogram() }

    /// Counts everything that `other` counted as well.
    package mutating func add(_ other: Histogram) {
        guard !other.counts.isEmpty else { return }
        if counts.isEmpty { counts = [UInt64](repeating: 0, count: Histogram.rangeCount) }
        for index in counts.indices { counts[index] &+= other.counts[index] }
        totalCount &+= other.totalCount
        sumNanoseconds &+= other.sumNanoseconds
        maximumNanoseconds = max(maximumNanoseconds, other.maximumNanoseconds)
    }

    /// The value that `percent` (0...100) of the recorded ones do not exceed, in nanoseconds: the upper end of its
    /// range, never above the largest value; 0 when nothing was recorded.
    package func percentile(_ percent: Double) -> Int64 {
        guard totalCount > 0 else { return 0 }
        let share = min(max(percent.isNaN ? 0 : percent, 0), 100) / 100
        let wanted = max(UInt64((share * Double(totalCount)).rounded(.up)), 1)
        var cumulative: UInt64 = 0
        for index in counts.indices {
            cumulative &+= counts[index]
            if cumulative >= wanted { return min(Histogram.upperBound(index), maximumNanoseconds) }
        }
        return maximumNanoseconds
    }

    /// LATENCY HISTOGRAM's pairs: for every power of two of about a microsecond that adds to the count, its label in
    /// microseconds and how many values do not exceed it. The labels are those of Redis' histogram, whose ranges reach
    /// a little beyond the power of two: 1, 2, 4, 8, 16, 33, 66, 132, ...
    package func cumulativeCounts() -> [(microseconds: Int64, count: UInt64)] {
        var pairs: [(microseconds: Int64, count: UInt64)] = []
        var cumulative: UInt64 = 0
        var previous: UInt64 = 0
        var level: Int64 = 1024
        for index in counts.indices {
            cumulative &+= counts[index]
            guard index == counts.count - 1 || Histogram.upperBound(index) + 1 == level else { continue }
            let reach = index == counts.count - 1 ? level : level + level / 128
            if cumulative > previous { pairs.append(((reach - 1) / 1000, cumulative)) }
            previous = cumulative
            level *= 2
        }
        return pairs
    }

    /// The range of `value`: its exponent and the three bits behind its leading one.
    @inline(__always)
    private static func rangeIndex(_ value: UInt64) -> Int {
        if value < 1 << UInt64(linearBits) { return Int(value >> UInt64(linearBits &- subRangeBits)) }
        let exponent = 63 &- value.leadingZeroBitCount
        if exponent >= valueBitsMax { return rangeCount &- 1 }
        let subRange = Int(value >> UInt64(exponent &- subRangeBits)) & (subRangeCount &- 1)
        return (exponent &- linearBits &+ 1) &* subRangeCount &+ subRange
    }

    /// The largest value of a range; the last one has no end.
    private static func upperBound(_ index: Int) -> Int64 {
        if index == rangeCount - 1 { return .max }
        if index < subRangeCount { return Int64(index + 1) << Int64(linearBits - subRangeBits) - 1 }
        let exponent = Int64(index / subRangeCount + linearBits - 1)
        let subRange = Int64(index % subRangeCount + subRangeCount + 1)
        return subRange << (exponent - Int64(subRangeBits)) - 1
    }
}
