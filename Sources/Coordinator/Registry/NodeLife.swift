// NodeLife.swift - FOG.NODE HEARTBEAT and STATUS: signs of life, and what somebody declares a node to be. A node that
// timed out is active again with its next heartbeat; one that was declared inactive is not. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import RESP
internal import Structures

enum NodeLife {
    static let subcommands: [Command] = [
        Command(
            "HEARTBEAT", "id [CPU percent:double] [MEM percent:double] [CONN count:integer] [RT milliseconds:double]",
            arity: -3, [.write, .fast], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0", complexity: "O(1)",
            summary: "Says that a node is alive, and how it is.",
            help: [
                "HEARTBEAT <id> [CPU <percent>] [MEM <percent>] [CONN <count>] [RT <ms>]",
                "    Say that a node is alive. Returns how many heartbeats it has sent.",
            ],
            run: heartbeat),
        Command(
            "STATUS",
            """
            id status=(active=ACTIVE | inactive=INACTIVE | draining=DRAINING | maintenance=MAINTENANCE | failed=FAILED)
            """,
            arity: 4, [.write, .fast],
            keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0", complexity: "O(1)",
            summary: "Sets a node's status and returns the one it had.",
            help: [
                "STATUS <id> active|inactive|draining|maintenance|failed",
                "    Set a node's status. Returns the one it had; only active nodes are chosen by default.",
            ],
            run: status),
    ]

    static let unknownNode = CommandError.message(
        "NONODE there is no such node; register it with FOG.NODE REGISTER")

    private static let heartbeat: Command.Handler = { (call: inout Call) throws(CommandError) in
        let id = call.arguments[call.firstWord]
        try call.checkWrite(.node, id)
        let nodes = call.nodes
        let state = call.coordinator
        state.fields.removeAll()
        let milliseconds = try readVitals(call, &state.fields)
        guard let number = nodes.number(id) else { throw unknownNode }
        let node = nodes.nodes[number]
        let sequence = node.sequence &+ 1
        state.fields.add(NodeField.heartbeat.name, decimal: call.now)
        state.fields.add(NodeField.sequence.name, decimal: sequence)
        let revives = node.hasTimedOut && node.status == .inactive
        if revives {
            state.fields.add(NodeField.status.name, text: NodeStatus.active.name)
            state.fields.add(NodeField.timedOut.name, decimal: 0)
        }
        let expiry: RecordExpiry =
            node.timeToLiveSeconds > 0 ? .at(call.now + Int64(node.timeToLiveSeconds) * 1000) : call.defaultExpiry
        if let milliseconds { nodes.measure(number, milliseconds) }
        try nodes.write(call, id, state.fields, expiry: expiry)
        if revives {
            FleetEvents.statusChanged(id, from: .inactive, to: .active, &call.administration)
        }
        call.reply.integer(Int(sequence))
    }

    /// The options as fields; answers the response time.
    private static func readVitals(
        _ call: borrowing Call, _ fields: inout RecordFields
    ) throws(CommandError) -> Double? {
        var milliseconds: Double?
        var words = call.options(from: call.firstWord + 1)
        while !words.isAtEnd {
            if words.take("CPU", values: 1) {
                let index = try words.nextIndex()
                try NodeField.cpu.check(call.arguments[index])
                fields.add(NodeField.cpu.name, call.arguments[index])
            } else if words.take("MEM", values: 1) {
                let index = try words.nextIndex()
                try NodeField.memory.check(call.arguments[index])
                fields.add(NodeField.memory.name, call.arguments[index])
            } else if words.take("CONN", values: 1) {
                fields.add("conn", decimal: Int64(try words.nonnegative()))
            } else if words.take("RT", values: 1) {
                let time = try words.milliseconds()
                fields.add("rt", double: time)
                milliseconds = time
            } else {
                throw .syntax
            }
        }
        return milliseconds
    }

    private static let status: Command.Handler = { (call: inout Call) throws(CommandError) in
        let id = call.arguments[call.firstWord]
        guard let status = NodeStatus(call.arguments[call.firstWord + 1]) else { throw NodeField.invalidStatus }
        try call.checkWrite(.node, id)
        let nodes = call.nodes
        guard let number = nodes.number(id) else { throw unknownNode }
        let before = nodes.nodes[number].status
        let state = call.coordinator
        state.fields.removeAll()
        state.fields.add(NodeField.status.name, text: status.name)
        if nodes.nodes[number].hasTimedOut { state.fields.add(NodeField.timedOut.name, decimal: 0) }
        // The record keeps its time: a status is no sign of life.
        try nodes.write(call, id, state.fields, expiry: .kept)
        if status != before { FleetEvents.statusChanged(id, from: before, to: status, &call.administration) }
        call.reply.bulk(before.name)
    }
}

extension Options {
    /// A response time.
    mutating func milliseconds() throws(CommandError) -> Double {
        let time = try double()
        guard time >= 0, time.isFinite else { throw .message("ERR RT is a time in milliseconds, from 0") }
        return time
    }
}
