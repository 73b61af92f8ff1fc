// NodeStats.swift - FOG.STATS NODES: how many nodes there are, and what their index takes. Under the turn.
internal import Engine
internal import RESP

enum NodeStats {
    static let subcommand = Command(
        "NODES", arity: 2, [.readonly], in: .fog, since: "8.2.0", complexity: "O(N) where N is the number of nodes.",
        summary: "Returns counts of the nodes of this database and the memory of their index.",
        help: ["NODES", "    Return counts of nodes and the memory of their index."], run: nodes)

    private static let nodes: Command.Handler = { (call: inout Call) throws(CommandError) in
        let nodes = call.nodes
        let byteCount = nodes.byteCount
        call.reply.map(4 + NodeStatus.allCases.count)
        call.reply.pair("nodes", nodes.count)
        for status in NodeStatus.allCases {
            call.reply.pair(status.name, nodes.count(NodeQuery(filter: NodeFilter(status: status))))
        }
        call.reply.pair("avg_cpu", double: nodes.load.average)
        call.reply.pair("index_bytes", byteCount)
        call.reply.pair("index_bytes_per_node", nodes.count == 0 ? 0 : byteCount / nodes.count)
    }
}
