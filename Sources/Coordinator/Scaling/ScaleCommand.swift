// ScaleCommand.swift - FOG.SCALE: whether the fleet should grow or shrink. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import RESP
internal import Structures

enum ScaleCommand {
    static let commands: [Command] = [
        Command(
            "FOG.SCALE", arity: -2, in: .fog, since: "8.2.0", summary: "A container for auto-scaling commands.",
            subcommands: [
                Command(
                    "CHECK", "[POOL pool] [REGION region]", arity: -2, [.readonly, .fast], in: .fog, since: "8.2.0",
                    complexity: "O(1) for all nodes or a pool, O(N) for the N nodes of a region.",
                    summary: "Returns whether there should be more or fewer nodes, by their load.",
                    help: [
                        "CHECK [POOL <pool>] [REGION <region>]",
                        "    Return what the load of the active nodes advises: scale_up, scale_down or none.",
                    ],
                    run: check),
                Command(
                    "HISTORY", "[count:integer]", arity: -2, [.readonly, .fast], in: .fog, since: "8.2.0",
                    complexity: "O(N) where N is the number of recommendations.",
                    summary: "Returns the last recommendations, the newest first.",
                    help: ["HISTORY [<count>]", "    Return the last recommendations, the newest first."],
                    run: history),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static let check: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.node)
        let nodes = call.nodes
        var filter = NodeFilter(status: .active)
        var pool: [UInt8] = []
        var words = call.words()
        while !words.isAtEnd {
            guard words.isNext("POOL") || words.isNext("REGION") else { throw .syntax }
            if words.isNext("POOL"), words.remaining > 1 { pool = call.arguments[words.index + 1].array }
            guard try filter.take(&words, nodes) else { throw .syntax }
        }
        let advice: ScaleAdvice
        if filter.region != nil {
            // No recommendation is kept for a region: pools are what is scaled.
            var load = NodeLoad()
            nodes.find(NodeQuery(filter: filter)) { load.add(nodes.nodes[$0].cpu, 1) }
            advice = AutoScaler.advice(load, nodes.settings)
        } else {
            let load = filter.pool.map { nodes.loads[$0] ?? NodeLoad() } ?? nodes.load
            advice = nodes.note(load, pool: pool, &call.administration, call.now)
        }
        write(call.reply, advice, time: call.now, pool: nil)
    }

    private static func write(_ reply: Reply, _ advice: ScaleAdvice, time: Int64, pool: [UInt8]?) {
        reply.map(pool == nil ? 5 : 6)
        reply.pair("action", text: advice.action.name)
        reply.bulk("reason")
        reply.bulk(advice.reason)
        reply.pair("current_nodes", advice.nodeCount)
        reply.pair("avg_cpu", double: advice.averageCPU)
        reply.bulk("timestamp")
        reply.bulk(CalendarTime.text(milliseconds: time))
        if let pool { reply.pair("pool", bytes: pool.span) }
    }

    private static let history: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.node)
        var words = call.words()
        let count = words.isAtEnd ? Int.max : try words.nonnegative()
        try words.finish()
        let recommendations = call.nodes.scaler.history.suffix(count).reversed()
        call.reply.array(recommendations.count)
        for recommendation in recommendations {
            write(call.reply, recommendation.advice, time: recommendation.time, pool: recommendation.pool)
        }
    }
}
