// LatencyCommand.swift - LATENCY: the worst moments that the latency monitor kept, and histograms of every command.
internal import Base
internal import Engine
internal import RESP

enum LatencyCommand {
    static let commands: [Command] = [
        Command(
            "LATENCY", arity: -2, in: .server, since: "2.8.13", complexity: "Depends on subcommand.",
            summary: "A container for latency diagnostics commands.",
            subcommands: [
                Command(
                    "DOCTOR", arity: 2, [.admin, .noScript, .loading, .stale], in: .server, since: "2.8.13",
                    complexity: "O(1)", summary: "Returns a human-readable latency analysis report.",
                    hints: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
                    help: [
                        "DOCTOR",
                        "    Return a human readable latency analysis report.",
                    ],
                    run: doctor),
                Command(
                    "GRAPH", "event", arity: 3, [.admin, .noScript, .loading, .stale], in: .server, since: "2.8.13",
                    complexity: "O(1)", summary: "Returns a latency graph for an event.",
                    hints: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
                    help: [
                        "GRAPH <event>",
                        "    Return an ASCII latency graph for the <event> class.",
                    ],
                    run: graph),
                Command(
                    "HISTORY", "event", arity: 3, [.admin, .noScript, .loading, .stale], in: .server, since: "2.8.13",
                    complexity: "O(1)", summary: "Returns timestamp-latency samples for an event.",
                    hints: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
                    help: [
                        "HISTORY <event>",
                        "    Return time-latency samples for the <event> class.",
                    ],
                    run: history),
                Command(
                    "LATEST", arity: 2, [.admin, .noScript, .loading, .stale], in: .server, since: "2.8.13",
                    complexity: "O(1)", summary: "Returns the latest latency samples for all events.",
                    hints: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
                    help: [
                        "LATEST",
                        "    Return the latest latency samples for all events.",
                    ],
                    run: latest),
                Command(
                    "RESET", "[event...]", arity: -2, [.admin, .noScript, .loading, .stale], in: .server,
                    since: "2.8.13", complexity: "O(1)", summary: "Resets the latency data for one or more events.",
                    hints: ["request_policy:all_nodes", "response_policy:agg_sum"],
                    help: [
                        "RESET [<event> ...]",
                        "    Reset latency data of one or more <event> classes.",
                        "    (default: reset all data for all event classes)",
                    ],
                    run: reset),
                Command(
                    "HISTOGRAM", "[command...]", arity: -2, [.admin, .noScript, .loading, .stale], in: .server,
                    since: "7.0.0",
                    complexity: "O(N) where N is the number of commands with latency information being retrieved.",
                    summary: "Returns the cumulative distribution of latencies of a subset or all commands.",
                    hints: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
                    help: [
                        "HISTOGRAM [COMMAND ...]",
                        """
                            Return a cumulative distribution of latencies in the format of a histogram for \
                        the specified command names.
                        """,
                        "    If no commands are specified then all histograms are replied.",
                    ],
                    run: histogram),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .server, since: "2.8.13", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static func latest(_ call: inout Call) throws(CommandError) {
        let series = call.administration.latency.series
        let events = series.keys.sorted()
        call.reply.array(events.count)
        for event in events {
            guard let entry = series[event], let last = entry.samples.last else { continue }
            call.reply.array(4)
            call.reply.bulk(event)
            call.reply.integer(Int(last.seconds))
            call.reply.integer(last.milliseconds)
            call.reply.integer(entry.maximum)
        }
    }

    private static func history(_ call: inout Call) throws(CommandError) {
        let samples = call.administration.latency.series[call.arguments[2].text]?.samples ?? []
        call.reply.array(samples.count)
        for sample in samples {
            call.reply.array(2)
            call.reply.integer(Int(sample.seconds))
            call.reply.integer(sample.milliseconds)
        }
    }

    private static func reset(_ call: inout Call) throws(CommandError) {
        var events: [String] = []
        for index in 2..<max(2, call.arguments.count) { events.append(call.arguments[index].text) }
        call.reply.integer(call.administration.latency.reset(events))
    }

    private static func graph(_ call: inout Call) throws(CommandError) {
        let event = call.arguments[2].text
        guard let series = call.administration.latency.series[event], !series.samples.isEmpty else {
            call.reply.error("ERR No samples available for event '\(event)'")
            throw .written
        }
        let now = call.administration.clock.nowMilliseconds / 1000
        call.reply.verbatim(LatencyReport.graph(event, series, now: now))
    }

    private static func doctor(_ call: inout Call) throws(CommandError) {
        let latency = call.administration.latency
        let threshold = call.settings.latencyMonitorThresholdMilliseconds
        call.reply.verbatim(LatencyReport.advice(latency, thresholdMilliseconds: threshold))
    }

    private static func histogram(_ call: inout Call) throws(CommandError) {
        var slots: [Int] = []
        if call.arguments.count == 2 {
            slots = Array(0..<call.administration.commands.count)
        } else {
            for index in 2..<call.arguments.count { slots += named(call.arguments[index].text.lowercased(), call) }
        }
        call.reply.deferredMap { count in
            for slot in slots {
                guard let histogram = call.administration.statistics(of: slot).histogram, histogram.count > 0 else {
                    continue
                }
                count += 1
                write(call.administration.commands.fullNames[slot], histogram, call.reply)
            }
        }
    }

    /// The slots a name means: a command with its subcommands, or one subcommand ("config|get").
    private static func named(_ name: String, _ call: borrowing Call) -> [Int] {
        guard let slot = call.administration.commands.fullNames.firstIndex(of: name) else { return [] }
        return [slot] + call.administration.commands.slot(slot).subcommands
    }

    private static func write(_ name: String, _ histogram: LatencyHistogram, _ reply: borrowing Reply) {
        reply.bulk(name)
        reply.map(2)
        reply.bulk("calls")
        reply.integer(histogram.count)
        reply.bulk("histogram_usec")
        let steps = histogram.cumulative()
        reply.map(steps.count)
        for step in steps {
            reply.integer(step.microseconds)
            reply.integer(step.calls)
        }
    }
}

/// What LATENCY GRAPH and DOCTOR say.
enum LatencyReport {
    /// Columns of a graph: the newest samples.
    private static let columnsMax = 80
    private static let rows = 4

    /// One column a sample, as tall as its latency is on the scale from the least to the largest.
    static func graph(_ event: String, _ series: LatencyMonitor.Series, now: Int64) -> String {
        let samples = series.samples.suffix(columnsMax)
        let low = samples.map(\.milliseconds).min() ?? 0
        let high = samples.map(\.milliseconds).max() ?? 0
        var text = "\(event) - high \(high) ms, low \(low) ms (all time high \(series.maximum) ms)\n"
        text += String(repeating: "-", count: 80) + "\n"
        for row in stride(from: rows, to: 0, by: -1) {
            for sample in samples {
                let height = high == low ? rows : 1 + (sample.milliseconds - low) * (rows - 1) / (high - low)
                text += height > row ? "|" : (height == row ? "#" : " ")
            }
            text += "\n"
        }
        let ages = samples.map { Array(age(max(0, now - $0.seconds))) }
        text += "\n"
        for line in 0..<(ages.map(\.count).max() ?? 0) {
            for label in ages { text.append(line < label.count ? label[line] : " ") }
            text += "\n"
        }
        return text
    }

    /// Seconds in the largest unit that leaves at least one.
    private static func age(_ seconds: Int64) -> String {
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3600 { return "\(seconds / 60)m" }
        return seconds < 86400 ? "\(seconds / 3600)h" : "\(seconds / 86400)d"
    }

    static func advice(_ latency: LatencyMonitor, thresholdMilliseconds: Int) -> String {
        guard thresholdMilliseconds > 0 else {
            return """
                Latency monitoring is disabled in this server. Switch it on with "CONFIG SET \
                latency-monitor-threshold <milliseconds>" and ask again when something was slow.\n
                """
        }
        let events = latency.series.keys.sorted()
        guard !events.isEmpty else {
            return "Nothing took \(thresholdMilliseconds) milliseconds or longer since the last LATENCY RESET.\n"
        }
        var text = "Events that took \(thresholdMilliseconds) milliseconds or longer:\n\n"
        for (number, event) in events.enumerated() {
            guard let series = latency.series[event], !series.samples.isEmpty else { continue }
            let values = series.samples.map(\.milliseconds)
            let mean = values.reduce(0, +) / values.count
            text += "\(number + 1). \(event): \(values.count) samples, mean \(mean) ms, worst \(series.maximum) ms.\n"
        }
        text += "\nWhat may help:\n\n"
        if events.contains("command") {
            text += "- SLOWLOG GET names the commands that took long; those that visit many elements come first.\n"
        }
        if events.contains("fast-command") {
            text += "- Commands that never take long did: look for a busy machine, swapping, or stolen time.\n"
        }
        text += "- INFO latencystats and LATENCY HISTOGRAM show every command's usual times.\n"
        return text
    }
}
