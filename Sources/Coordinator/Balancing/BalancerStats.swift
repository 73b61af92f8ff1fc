// BalancerStats.swift - FOG.LB STATS and RESETSTAT, FOG.STATS LB. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import RESP
internal import Structures

enum BalancerStats {
    static let subcommands: [Command] = [
        Command(
            "STATS", "[node]...", arity: -2, [.readonly], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of nodes.", summary: "Returns what balancing knows of nodes.",
            help: [
                "STATS [<node> ...]",
                "    Return of each node how often it was chosen, its calls, response time, weight and health.",
            ],
            run: stats),
        Command(
            "RESETSTAT", arity: 2, [.fast], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of nodes.",
            summary: "Sets the counters of balancing to zero.",
            help: ["RESETSTAT", "    Set the counters of this database to zero. Calls in progress stay."],
            run: reset),
    ]

    static let summary = Command(
        "LB", arity: 2, [.readonly, .fast], in: .fog, since: "8.2.0", complexity: "O(1)",
        summary: "Returns the load balancer's algorithm, connections, sessions and circuits.",
        help: ["LB", "    Return the load balancer's algorithm, connections, sessions and circuits."],
        run: balancer)

    private static let stats: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.node)
        let nodes = call.nodes
        var numbers: [Int] = []
        if call.arguments.count > call.firstWord {
            for index in call.firstWord..<call.arguments.count {
                guard let number = nodes.number(call.arguments[index]) else { throw NodeLife.unknownNode }
                numbers.append(number)
            }
        } else {
            nodes.find(NodeQuery()) { numbers.append($0) }
        }
        call.reply.array(numbers.count)
        for number in numbers { write(call.reply, nodes, number) }
    }

    private static func write(_ reply: Reply, _ nodes: NodeIndex, _ number: Int) {
        let node = nodes.nodes[number]
        let id = nodes.id(number)
        reply.map(7)
        reply.pair("node", bytes: id.span)
        reply.pair("selected", node.selected)
        reply.pair("active", Int(node.active))
        reply.pair("rt_ms", double: max(0, node.responseTime))
        reply.pair("weight", double: nodes.effectiveWeight(node))
        reply.pair("health", text: node.breaker.health.name)
        reply.pair("total_failures", node.breaker.totalFailures)
    }

    private static let reset: Command.Handler = { (call: inout Call) throws(CommandError) in
        call.nodes.resetStatistics()
        call.reply.ok()
    }

    private static let balancer: Command.Handler = { (call: inout Call) throws(CommandError) in
        let nodes = call.nodes
        call.reply.map(4)
        call.reply.bulk("algorithm")
        call.reply.bulk(nodes.settings.algorithm.rawValue)
        call.reply.pair("total_connections", nodes.totalActive)
        call.reply.pair("sticky_sessions", nodes.sessions.count)
        call.reply.bulk("circuit_breaker")
        call.reply.map(3)
        call.reply.bulk("enabled")
        call.reply.integer(nodes.settings.usesBreaker ? 1 : 0)
        call.reply.pair("open_circuits", nodes.openCount)
        call.reply.pair("total_failures", nodes.totalFailures)
    }
}
