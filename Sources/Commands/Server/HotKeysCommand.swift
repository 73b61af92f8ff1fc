// HotKeysCommand.swift - HOTKEYS, as Redis 8.6 has it: which keys take the most processor time and network bytes while
// a session runs. The session is the engine's (Engine/HotKeys). Engine's turn.
internal import Base
internal import Engine
internal import RESP
internal import Structures

enum HotKeysCommand {
    static let commands: [Command] = [
        Command(
            "HOTKEYS", arity: -2, in: .server, since: "8.6.0", complexity: "Depends on subcommand.",
            summary: "A container for hotkeys tracking commands.",
            subcommands: [
                Command(
                    "GET", arity: 2, [.admin, .noScript], in: .server, since: "8.6.0",
                    complexity: "O(K) where K is the number of hotkeys returned.",
                    summary: "Returns lists of top K hotkeys depending on metrics chosen in HOTKEYS START command.",
                    help: [
                        "GET",
                        "    Return what the running or the last session has found.",
                    ],
                    run: get),
                Command(
                    "RESET", arity: 2, [.admin, .noScript], in: .server, since: "8.6.0", complexity: "O(1)",
                    summary: "Release the resources used for hotkey tracking.",
                    help: [
                        "RESET",
                        "    Forget what a stopped session has found.",
                    ],
                    run: reset),
                Command(
                    "START",
                    """
                    METRICS (count:integer [CPU] [NET]) [COUNT k:integer] [DURATION seconds:integer] \
                    [SAMPLE ratio:integer] [SLOTS (count:integer slot:integer...)]
                    """,
                    arity: -2, [.admin, .noScript], in: .server, since: "8.6.0", complexity: "O(1)",
                    summary: "Starts hotkeys tracking.",
                    help: [
                        """
                        START METRICS <count> [CPU] [NET] [COUNT <k>] [DURATION <seconds>] [SAMPLE <ratio>] \
                        [SLOTS <count> <slot> [<slot> ...]]
                        """,
                        "    Begin to follow which keys take most. Options are:",
                        "    * METRICS <count> [CPU] [NET]",
                        "      What is measured: processor time, bytes received and sent, or both.",
                        "    * COUNT <k>",
                        "      How many keys are shown for each metric (default: 10).",
                        "    * DURATION <seconds>",
                        "      Stop by itself after so long (default: only STOP ends it).",
                        "    * SAMPLE <ratio>",
                        "      Look at one command out of <ratio> (default: 1, at every command).",
                        "    * SLOTS <count> <slot> [<slot> ...]",
                        "      Only keys of these slots; in a cluster alone.",
                    ],
                    run: start),
                Command(
                    "STOP", arity: 2, [.admin, .noScript], in: .server, since: "8.6.0", complexity: "O(1)",
                    summary: "Stops hotkeys tracking.",
                    help: [
                        "STOP",
                        "    End the session; GET still shows what it has found.",
                    ],
                    run: stop),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .server, since: "8.6.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    // MARK: sessions

    private static func start(_ call: inout Call) throws(CommandError) {
        call.administration.endHotKeysIfDue()
        if call.administration.hotKeys?.isActive == true { throw .message(inProgress) }
        let request = try readRequest(call)
        guard call.administration.startHotKeys(request) else { throw .message(inProgress) }
        call.reply.ok()
    }

    private static let inProgress: StaticString = "ERR hotkey tracking session already in progress"

    private static func stop(_ call: inout Call) throws(CommandError) {
        guard call.administration.stopHotKeys() else { return call.reply.null() }
        call.reply.ok()
    }

    private static func reset(_ call: inout Call) throws(CommandError) {
        guard call.administration.forgetHotKeys() else {
            throw .message("ERR hotkey tracking session in progress, stop tracking first")
        }
        call.reply.ok()
    }

    // MARK: what START asks for

    private static func readRequest(_ call: borrowing Call) throws(CommandError) -> HotKeys.Request {
        var options = call.options(from: 2)
        guard options.take("METRICS", values: 1) else { throw .message("ERR METRICS parameter is required") }
        var request = HotKeys.Request()
        try readMetrics(&options, &request)
        while !options.isAtEnd {
            if options.take("COUNT", values: 1) {
                request.count = try number(
                    &options, 1...64, "ERR COUNT must be between 1 and 64")
            } else if options.take("DURATION", values: 1) {
                let seconds = try number(
                    &options, 1...1_000_000, "ERR DURATION must be between 1 and 1000000")
                request.durationMilliseconds = Int64(seconds) * 1000
            } else if options.take("SAMPLE", values: 1) {
                request.sampleRatio = try number(
                    &options, 1...Int(Int32.max), "ERR SAMPLE ratio must be positive")
            } else if options.take("SLOTS", values: 1) {
                throw .message("ERR SLOTS parameter cannot be used in non-cluster mode")
            } else {
                throw .syntax
            }
        }
        return request
    }

    /// As many metrics as the count says. Names that are not known may be those of a newer server.
    private static func readMetrics(_ options: inout Options, _ request: inout HotKeys.Request) throws(CommandError) {
        let count = try number(&options, 1...2, "ERR METRICS count must be > 0 and <= 2")
        guard options.remaining >= count else {
            throw .message("ERR METRICS count does not match number of metric types provided")
        }
        for _ in 0..<count {
            if options.take("CPU") {
                if request.countsTime { throw .message("ERR METRICS CPU defined more than once!") }
                request.countsTime = true
            } else if options.take("NET") {
                if request.countsBytes { throw .message("ERR METRICS NET defined more than once!") }
                request.countsBytes = true
            } else {
                try options.skip(1)
            }
        }
        guard request.countsTime || request.countsBytes else {
            throw .message("ERR METRICS no valid metrics passed. Supported: CPU|NET")
        }
    }

    private static func number(
        _ options: inout Options, _ range: ClosedRange<Int>, _ refusal: StaticString
    ) throws(CommandError) -> Int {
        guard let value = IntegerText.parse(try options.next()), range.contains(Int(value)) else {
            throw .message(refusal)
        }
        return Int(value)
    }

    // MARK: what a session has found

    /// An array of one map, so that the answers of several servers are joined by joining arrays.
    private static func get(_ call: inout Call) throws(CommandError) {
        call.administration.endHotKeysIfDue()
        guard let session = call.administration.hotKeys else { return call.reply.null() }
        let request = session.request
        call.reply.array(1)
        call.reply.map(7 + (request.countsTime ? 3 : 0) + (request.countsBytes ? 2 : 0))
        field("tracking-active", session.isActive ? 1 : 0, call)
        field("sample-ratio", request.sampleRatio, call)
        // All slots that this server has: without a cluster these are all there are.
        call.reply.bulk("selected-slots")
        call.reply.array(1)
        call.reply.array(2)
        call.reply.integer(0)
        call.reply.integer(16383)
        field("all-commands-all-slots-us", microseconds(session.ticks), call)
        field("net-bytes-all-commands-all-slots", Int(clamping: session.byteCount), call)
        field("collection-start-time-unix-ms", Int(session.startMilliseconds), call)
        let end = session.endMilliseconds ?? call.now
        field("collection-duration-ms", Int(max(0, end - session.startMilliseconds)), call)
        if request.countsTime {
            let (user, system) = ProcessFacts.processorSeconds()
            field("total-cpu-time-user-ms", Int((user - session.processorAtStart.user) * 1000), call)
            field("total-cpu-time-sys-ms", Int((system - session.processorAtStart.system) * 1000), call)
        }
        if request.countsBytes { field("total-net-bytes", Int(clamping: session.byBytes.total), call) }
        if request.countsTime {
            list("by-cpu-time-us", session.byTicks.heaviest(request.count), call) { microseconds($0) }
        }
        if request.countsBytes {
            list("by-net-bytes", session.byBytes.heaviest(request.count), call) { Int(clamping: $0) }
        }
    }

    private static func microseconds(_ ticks: UInt64) -> Int { Int(Double(ticks) / Ticks.perMicrosecond) }

    private static func field(_ name: StaticString, _ value: Int, _ call: borrowing Call) {
        call.reply.bulk(name)
        call.reply.integer(value)
    }

    private static func list(
        _ name: StaticString, _ items: [HeavyHitters.Item], _ call: borrowing Call, _ value: (UInt64) -> Int
    ) {
        call.reply.bulk(name)
        call.reply.array(items.count * 2)
        for item in items {
            call.reply.bulk(item.key.span)
            call.reply.integer(value(item.weight))
        }
    }
}
