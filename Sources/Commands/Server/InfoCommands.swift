// InfoCommands.swift - INFO commandstats, errorstats and latencystats: one line per command or error code that
// occurred.
internal import Base
internal import Engine

enum InfoCommands {
    static func calls(_ call: borrowing Call, to text: inout InfoText) {
        text.section("Commandstats")
        for slot in 0..<call.administration.commands.count {
            let counters = call.administration.statistics(of: slot)
            guard counters.calls > 0 || counters.rejected > 0 || counters.failed > 0 else { continue }
            let each = InfoText.fixed(InfoText.ratio(counters.microseconds, counters.calls), 2)
            text.line(
                "cmdstat_\(call.administration.commands.fullNames[slot]):calls=\(counters.calls),"
                    + "usec=\(counters.microseconds),usec_per_call=\(each),"
                    + "rejected_calls=\(counters.rejected),failed_calls=\(counters.failed)")
        }
    }

    static func errors(_ call: borrowing Call, to text: inout InfoText) {
        text.section("Errorstats")
        let errors = call.administration.statistics.errors
        for code in errors.keys.sorted() { text.line("errorstat_\(code):count=\(errors[code] ?? 0)") }
    }

    static func latencies(_ call: borrowing Call, to text: inout InfoText) {
        text.section("Latencystats")
        guard call.settings.latencyTracking else { return }
        let percentiles = call.administration.config.latencyTrackingPercentiles
        for slot in 0..<call.administration.commands.count {
            let statistics = call.administration.statistics(of: slot)
            guard let histogram = statistics.histogram, histogram.count > 0 else { continue }
            let parts = percentiles.map { percent in
                var name = ByteBuffer()
                DoubleText.append(percent, to: &name)
                let value = InfoText.fixed(histogram.microseconds(atFraction: percent / 100), 3)
                return "p\(name.span.text)=\(value)"
            }
            text.line(
                "latency_percentiles_usec_\(call.administration.commands.fullNames[slot]):"
                    + parts.joined(separator: ","))
        }
    }
}
