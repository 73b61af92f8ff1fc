// BreakerCommand.swift - FOG.BREAKER: nodes' circuits, to be read and to be moved by hand. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import RESP
internal import Structures

enum BreakerCommand {
    static let commands: [Command] = [
        Command(
            "FOG.BREAKER", arity: -2, in: .fog, since: "8.2.0", summary: "A container for circuit breaker commands.",
            subcommands: [
                Command(
                    "GET", "node", arity: 3, [.readonly, .fast], keys: [.key(at: 2, [.notKey])], in: .fog,
                    since: "8.2.0", complexity: "O(1)", summary: "Returns the state of a node's circuit.",
                    help: ["GET <node>", "    Return the state of a node's circuit."], run: get),
                Command(
                    "LIST", "[STATE state]", arity: -2, [.readonly], in: .fog, since: "8.2.0",
                    complexity: "O(N) where N is the number of nodes.",
                    summary: "Returns the circuits of all nodes, or those in a state.",
                    help: [
                        "LIST [STATE HEALTHY|DEGRADED|UNHEALTHY|CIRCUIT_OPEN|HALF_OPEN]",
                        "    Return the circuits of all nodes, or those in a state.",
                    ],
                    run: list),
                Command(
                    "TRIP", "node [SECONDS seconds:integer]", arity: -3, [.fast], keys: [.key(at: 2, [.notKey])],
                    in: .fog, since: "8.2.0", complexity: "O(log(N)) where N is the number of nodes.",
                    summary: "Opens a node's circuit by hand.",
                    help: [
                        "TRIP <node> [SECONDS <seconds>]",
                        "    Open a node's circuit, for fog-breaker-timeout seconds or so many.",
                    ],
                    run: trip),
                Command(
                    "RESET", "node", arity: 3, [.fast], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
                    complexity: "O(log(N)) where N is the number of nodes.",
                    summary: "Closes a node's circuit by hand.",
                    help: ["RESET <node>", "    Close a node's circuit and forget its failures."], run: reset),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static func write(_ reply: Reply, _ breaker: CircuitBreaker) {
        reply.pair("state", text: breaker.health.name)
        reply.pair("failures", Int(breaker.failures))
        reply.pair("successes", Int(breaker.successes))
        reply.pair("opened_at_ms", Int(breaker.openedAt))
        reply.pair("retry_at_ms", Int(breaker.retryAt))
    }

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        let nodes = call.nodes
        let number = try call.firstNode(nodes)
        call.reply.map(5)
        write(call.reply, nodes.nodes[number].breaker)
    }

    private static let list: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.node)
        var words = call.words()
        var wanted: Health?
        if words.take("STATE", values: 1) {
            let name = try words.next()
            wanted = Health.allCases.first { name.equalsIgnoringCase($0.name) }
            if wanted == nil {
                throw .message("ERR STATE must be HEALTHY, DEGRADED, UNHEALTHY, CIRCUIT_OPEN or HALF_OPEN")
            }
        }
        try words.finish()
        let nodes = call.nodes
        let reply = call.reply
        let mark = reply.buffer.count
        var count = 0
        nodes.find(NodeQuery()) { number in
            let breaker = nodes.nodes[number].breaker
            if let wanted, breaker.health != wanted { return }
            let id = nodes.id(number)
            reply.map(6)
            reply.pair("node", bytes: id.span)
            write(reply, breaker)
            count += 1
        }
        reply.insertHeader(UInt8(ascii: "*"), count, at: mark)
    }

    private static let trip: Command.Handler = { (call: inout Call) throws(CommandError) in
        let nodes = call.nodes
        let number = try call.firstNode(nodes)
        var seconds = nodes.settings.breakerTimeoutSeconds
        var words = call.options(from: call.firstWord + 1)
        if words.take("SECONDS", values: 1) { seconds = try words.integer() }
        try words.finish()
        guard seconds > 0, seconds <= Int(Int32.max) else { throw .outOfRange }
        guard nodes.rules.isOn else {
            throw .message("ERR the circuit breaker is off; CONFIG SET fog-circuit-breaker yes first")
        }
        nodes.changeBreaker(number) { $0.trip(now: call.now, milliseconds: Int64(seconds) * 1000) }
        call.reply.ok()
    }

    private static let reset: Command.Handler = { (call: inout Call) throws(CommandError) in
        let nodes = call.nodes
        let number = try call.firstNode(nodes)
        nodes.changeBreaker(number) { $0.reset() }
        call.reply.ok()
    }
}
