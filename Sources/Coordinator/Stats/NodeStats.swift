// NodeStats.swift - FOG.STATS NODES: how many nodes there are, and what their index takes.
internal import Engine
internal import RESP

enum NodeStats {
    static let subcommand = Command(
        "NODES", arity: 2, [.readonly], in: .fog, since: "8.2.0", complexity: "O(1)",
        summary: "Returns counts of the nodes of this database and the memory of their index.",
        help: ["NODES", "    Return counts of nodes and the memory of their index."], run: nodes)

    private static let nodes: Command.Handler = { (call: inout Call) throws(CommandError) in
        let nodes = call.nodes
        call.reply.map(1)
        call.reply.bulk("nodes")
        call.reply.integer(nodes.count)
    }
}
