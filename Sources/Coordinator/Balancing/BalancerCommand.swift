// BalancerCommand.swift - FOG.LB: which node gets the next call, and how calls went. Connections, averages and circuits
// are run-time state of this server: they are in no record, so nothing here writes. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import RESP
internal import Structures

enum BalancerCommand {
    static let commands: [Command] = [
        Command(
            "FOG.LB", arity: -2, in: .fog, since: "8.2.0", summary: "A container for load balancing commands.",
            subcommands: [selectCommand, beginCommand, endCommand, weightCommand, ringCommand]
                + BalancerStats.subcommands + [
                    Command(
                        "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                        summary: "Returns helpful text about the different subcommands.", run: Command.help)
                ])
    ]

    private static let selectCommand = Command(
        "SELECT", SelectOptions.usage + " [BEGIN]", arity: -2, [.fast], in: .fog, since: "8.2.0",
        complexity: "O(log(N)) where N is the number of nodes that the filters let through.",
        summary: "Chooses the node for the next call.",
        help: [
            "SELECT \(SelectOptions.help) [BEGIN]",
            "    Choose a node among those that are active, unless STATUS says otherwise. BEGIN: the call begins.",
        ],
        run: select)

    private static let beginCommand = Command(
        "BEGIN", "node [REQ request]", arity: -3, [.fast], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
        complexity: "O(log(N)) where N is the number of nodes.",
        summary: "Says that a call to a node begins, and returns the node's calls in progress.",
        help: ["BEGIN <node> [REQ <id>]", "    A call to the node begins. The same request begins once."], run: begin)

    private static let endCommand = Command(
        "END", "node result=(OK | FAIL) [RT milliseconds:double] [REQ request]", arity: -4, [.fast],
        keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
        complexity: "O(log(N)) where N is the number of nodes.",
        summary: "Says that a call to a node has ended, and how.",
        help: [
            "END <node> OK|FAIL [RT <ms>] [REQ <id>]",
            "    A call to the node has ended. Returns the node's health, failures, calls and circuit.",
        ],
        run: end)

    private static let weightCommand = Command(
        "WEIGHT", "node", arity: 3, [.readonly, .fast], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
        complexity: "O(1)", summary: "Returns the weight that a node has with its load and health.",
        help: ["WEIGHT <node>", "    Return base weight x free CPU x health."], run: weight)

    private static let ringCommand = Command(
        "RING", "session", arity: 3, [.readonly, .fast], in: .fog, since: "8.2.0",
        complexity: "O(log(N)) where N is the number of nodes.",
        summary: "Returns the active node that a session belongs to.",
        help: ["RING <session>", "    Return the active node that a session belongs to by consistent hashing."],
        run: ring)

    // MARK: handlers

    private static let select: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.node)
        let nodes = call.nodes
        let options = try SelectOptions(call, from: call.firstWord, nodes, isRoute: false)
        if options.algorithm == .consistentHash, call.waitsForRing(nodes) { return }
        guard let number = options.select(call, nodes) else { return call.reply.null() }
        let id = nodes.id(number)
        call.reply.bulk(id.span)
    }

    private static let begin: Command.Handler = { (call: inout Call) throws(CommandError) in
        let nodes = call.nodes
        let number = try call.firstNode(nodes)
        var words = call.options(from: call.firstWord + 1)
        let request = words.take("REQ", values: 1) ? try words.nextIndex() : 0
        try words.finish()
        let began =
            request > 0
            ? nodes.begin(number, request: call.arguments[request], now: call.now)
            : nodes.begin(number, request: nil, now: call.now)
        guard began else {
            throw .message(
                "CIRCUITOPEN the node's circuit is open; choose another one, or see FOG.BREAKER GET for when to retry")
        }
        call.reply.integer(Int(nodes.nodes[number].active))
    }

    private static let end: Command.Handler = { (call: inout Call) throws(CommandError) in
        let nodes = call.nodes
        let number = try call.firstNode(nodes)
        let result = call.arguments[call.firstWord + 1]
        let success = result.equalsIgnoringCase("OK")
        guard success || result.equalsIgnoringCase("FAIL") else { throw .syntax }
        var milliseconds: Double?
        var request = 0
        var words = call.options(from: call.firstWord + 2)
        while !words.isAtEnd {
            if words.take("RT", values: 1) {
                milliseconds = try words.milliseconds()
            } else if words.take("REQ", values: 1) {
                request = try words.nextIndex()
            } else {
                throw .syntax
            }
        }
        if request > 0 {
            nodes.end(
                number, success: success, milliseconds: milliseconds, request: call.arguments[request], now: call.now)
        } else {
            nodes.end(number, success: success, milliseconds: milliseconds, request: nil, now: call.now)
        }
        let node = nodes.nodes[number]
        call.reply.map(4)
        call.reply.pair("health", text: node.breaker.health.name)
        call.reply.pair("failures", Int(node.breaker.failures))
        call.reply.pair("active", Int(node.active))
        call.reply.pair("circuit", text: circuit(node.breaker))
    }

    static func circuit(_ breaker: CircuitBreaker) -> StaticString {
        switch breaker.health {
        case .open: "open"
        case .halfOpen: "half_open"
        case .healthy, .degraded, .unhealthy: "closed"
        }
    }

    private static let weight: Command.Handler = { (call: inout Call) throws(CommandError) in
        let nodes = call.nodes
        let number = try call.firstNode(nodes)
        call.reply.double(nodes.effectiveWeight(nodes.nodes[number]))
    }

    private static let ring: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.node)
        let nodes = call.nodes
        if call.waitsForRing(nodes) { return }
        let session = call.arguments[call.firstWord]
        guard let number = nodes.owner(of: session, NodeFilter(status: .active), { _ in true }) else {
            return call.reply.null()
        }
        let id = nodes.id(number)
        call.reply.bulk(id.span)
    }
}
