// ScaleCommand.swift - FOG.SCALE: whether the fleet should grow or shrink. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
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
                    "PLAN", "[POOL pool] [PAIRS count:integer]", arity: -2, [.readonly], in: .fog, since: "8.2.0",
                    complexity: "O(N) where N is the number of primaries.",
                    summary: "Returns the steps by which the cluster grows by pairs of a primary and a replica.",
                    help: [
                        "PLAN [POOL <pool>] [PAIRS <count>]",
                        "    Return the steps that add pairs and the slots to move. Primaries are the active nodes of",
                        "    type primary with their field slots, or this server. Without PAIRS: one pair when CHECK",
                        "    advises scale_up, else no step.",
                    ],
                    run: plan),
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

    private static let plan: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.node)
        let nodes = call.nodes
        var filter = NodeFilter(status: .active)
        var pairCount: Int?
        var words = call.words()
        while !words.isAtEnd {
            if words.take("PAIRS", values: 1) {
                pairCount = try words.integer(
                    in: 1...ScalePlan.pairCountMax, otherwise: .message("ERR PAIRS is 1 to 64"))
            } else {
                guard words.isNext("POOL"), try filter.take(&words, nodes) else { throw .syntax }
            }
        }
        let load = filter.pool.map { nodes.loads[$0] ?? NodeLoad() } ?? nodes.load
        let isUrgent = AutoScaler.advice(load, nodes.settings).action == .up
        let holders = holders(call, nodes, filter)
        let steps = ScalePlan(holders, pairCount: pairCount ?? (isUrgent ? 1 : 0)).steps
        call.reply.array(steps.count)
        for step in steps { write(call.reply, step) }
    }

    private static let primaryType = Array("primary".utf8)
    private static let slotsField = Array("slots".utf8)

    /// The primaries with their slots: what their records say; the others share what is left.
    private static func holders(
        _ call: borrowing Call, _ nodes: NodeIndex, _ filter: NodeFilter
    ) -> [ScalePlan.Holder] {
        var filter = filter
        let (type, field) = (primaryType, slotsField)
        filter.type = nodes.types.find(type.span) ?? NodeFilter.unknownValue
        var numbers: [Int] = []
        nodes.find(NodeQuery(filter: filter)) { numbers.append($0) }
        guard !numbers.isEmpty else {
            let own = Array(call.administration.config.string("fog-node-id").utf8)
            return [ScalePlan.Holder(name: own, slots: ScalePlan.slotCount)]
        }
        var left = ScalePlan.slotCount
        let said: [Int?] = numbers.map { number in
            let id = nodes.id(number)
            var slots: Int?
            if let value = call.peekRecord(.node, id.span)?.fieldValue(field.span, now: call.now) {
                value.withText { slots = IntegerText.parse($0).map { Int(min(max(0, $0), Int64(left))) } }
            }
            left -= slots ?? 0
            return slots
        }
        var silent = said.count { $0 == nil }
        return zip(numbers, said).map { number, slots in
            if let slots { return ScalePlan.Holder(name: nodes.id(number), slots: slots) }
            let share = left / silent
            left -= share
            silent -= 1
            return ScalePlan.Holder(name: nodes.id(number), slots: share)
        }
    }

    private static func write(_ reply: Reply, _ step: ScalePlan.Step) {
        reply.map(4)
        reply.pair("action", text: step.action.name)
        reply.pair("node", bytes: step.node.span)
        reply.bulk("peer")
        switch step.action {
        case .addPrimary(let slots):
            reply.null()
            reply.pair("slots", slots)
        case .addReplica(let primary):
            reply.bulk(primary.span)
            reply.pair("slots", 0)
        case .moveSlots(let holder, let slots):
            reply.bulk(holder.span)
            reply.pair("slots", slots)
        }
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
