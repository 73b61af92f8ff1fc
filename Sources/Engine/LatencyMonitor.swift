// LatencyMonitor.swift - LATENCY's events: for each kind of work that can delay clients, a ring of the worst moments,
// one a second at most. Off (threshold 0) it costs dispatch nothing beyond the slow-log comparison.
internal import Base

package struct LatencyMonitor {
    package struct Sample: Sendable {
        package let seconds: Int64
        package let milliseconds: Int
    }
    package struct Series: Sendable {
        package internal(set) var samples: [Sample] = []
        package internal(set) var maximum = 0
    }

    /// Samples kept per event.
    private static let samplesMax = 160

    package private(set) var series: [String: Series] = [:]
    var thresholdTicks = UInt64.max

    package init() {}

    mutating func setThreshold(milliseconds: Int) {
        thresholdTicks =
            milliseconds <= 0 ? UInt64.max : UInt64(min(Double(milliseconds) * 1000 * Ticks.perMicrosecond, 0x1p62))
    }

    package mutating func add(_ event: String, ticks: UInt64, seconds: Int64) {
        add(event, milliseconds: Int(Double(ticks) / Ticks.perMicrosecond / 1000), seconds: seconds)
    }

    mutating func add(_ event: String, milliseconds: Int, seconds: Int64) {
        var entry = series[event] ?? Series()
        entry.maximum = max(entry.maximum, milliseconds)
        if let last = entry.samples.last, last.seconds == seconds {
            if milliseconds > last.milliseconds {
                entry.samples[entry.samples.count - 1] = Sample(seconds: seconds, milliseconds: milliseconds)
            }
        } else {
            entry.samples.append(Sample(seconds: seconds, milliseconds: milliseconds))
            if entry.samples.count > LatencyMonitor.samplesMax { entry.samples.removeFirst() }
        }
        series[event] = entry
    }

    /// LATENCY RESET: forgets the named events, all when none is named; returns how many there were.
    package mutating func reset(_ events: [String]) -> Int {
        let doomed = events.isEmpty ? Array(series.keys) : events.filter { series[$0] != nil }
        for event in doomed { series[event] = nil }
        return doomed.count
    }
}
