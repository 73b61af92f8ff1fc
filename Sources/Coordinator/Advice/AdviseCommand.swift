// AdviseCommand.swift - FOG.ADVISE: what the hit rate would be under other eviction policies and with more or less
// memory, from a sample of the keys that the engine simulates (`Engine/Advising`) from when somebody asks for it. Runs
// under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP

enum AdviseCommand {
    static let commands: [Command] = [
        Command(
            "FOG.ADVISE", arity: -2, in: .fog, since: "8.2.0", summary: "A container for commands on advice.",
            subcommands: [
                Command(
                    "EVICTION", arity: 2, [.readonly], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns the hit rate with other policies and other memory, and advice.",
                    help: [
                        "EVICTION",
                        "    Return what the hit rate would have been since START, per policy and memory: half of",
                        "    it, the same, twice and four times as much; and what it was. \"lru\" and \"lfu\" are no",
                        "    settings of this server: what stock servers' LRU and LFU would have found.",
                    ],
                    run: eviction),
                Command(
                    "START", "[KEYS keys:integer]", arity: -2, [.admin], in: .fog, since: "8.2.0",
                    complexity: "O(1), and O(N) in slices where N is the number of keys.",
                    summary: "Begins to simulate other policies and other memory on a sample of the keys.",
                    help: [
                        "START [KEYS <count>]",
                        "    Begin (anew) to simulate, on a sample of at most so many keys (fog-advise-keys).",
                    ],
                    run: start),
                Command(
                    "STOP", arity: 2, [.admin], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Ends the simulation and frees its memory.",
                    help: ["STOP", "    End the simulation and free its memory."], run: stop),
                Command(
                    "RESET", arity: 2, [.admin], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Begins counting anew; the simulated caches keep what they hold.",
                    help: ["RESET", "    Count anew. The simulated caches keep what they hold."], run: reset),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static let keyCounts = 1024...1_048_576
    private static let isOff: CommandError = .message("NOADVICE nothing is simulated; FOG.ADVISE START begins")

    private static let start: Command.Handler = { (call: inout Call) throws(CommandError) in
        var words = call.words()
        var keyCount: Int?
        if words.take("KEYS", values: 1) {
            let number = try words.integer()
            guard keyCounts.contains(number) else { throw .message("ERR KEYS is 1024 to 1048576") }
            keyCount = number
        }
        try words.finish()
        call.administration.startAdvising(keyCount: keyCount)
        call.reply.ok()
    }

    private static let stop: Command.Handler = { (call: inout Call) throws(CommandError) in
        call.administration.stopAdvising()
        call.reply.ok()
    }

    private static let reset: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard call.administration.isAdvising else { throw isOff }
        call.administration.resetAdvice()
        call.reply.ok()
    }

    private static let eviction: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let figures = call.administration.adviceFigures() else { throw isOff }
        let reply = call.reply
        reply.map(12)
        reply.pair("seconds", Int(figures.milliseconds / 1000))
        reply.pair("reads", figures.reads)
        reply.pair("sampled_reads", figures.sampledReads / figures.weight)
        reply.pair("sampled_keys", figures.sampledKeyCount)
        reply.pair("one_key_in", figures.weight)
        reply.pair("bytes", figures.byteCount)
        reply.pair("starting", figures.isStarting ? 1 : 0)
        reply.pair("memory", figures.memoryByteCount)
        reply.bulk("policy")
        reply.bulk(figures.policy.rawValue)
        reply.pair("hit_rate", double: percent(figures.hitRatio ?? 0))
        reply.bulk("predicted")
        reply.map(figures.outcomes.count)
        for outcome in figures.outcomes {
            reply.bulk(outcome.rule.name)
            reply.map(EvictionShadow.factors.count)
            for (index, factor) in EvictionShadow.factors.enumerated() {
                reply.bulk(factor < 1 ? "0.5x" : "\(Int(factor))x")
                reply.double(percent(outcome.hitRatios[index]))
            }
        }
        reply.bulk("advice")
        reply.bulk(figures.advice)
    }

    /// With one decimal.
    private static func percent(_ ratio: Double) -> Double { (ratio * 1000).rounded() / 10 }
}
