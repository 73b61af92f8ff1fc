// NodeList.swift - FOG.NODE LIST, COUNT and EXPLAIN: nodes by attributes and heartbeats, out of the indexes. Under the
// turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum NodeList {
    private static let usage = """
        [STATUS status] [REGION region] [TYPE type] [POOL pool] [SINCE unix-time-milliseconds:unix-time] \
        [ALIVE seconds:integer] [STALE seconds:integer]
        """
    private static let words = "[STATUS <status>] [REGION <region>] [TYPE <type>] [POOL <pool>] [SINCE <ms>]"
        + " [ALIVE <seconds>] [STALE <seconds>]"

    static let subcommands: [Command] = [
        Command(
            "LIST", usage + " [LIMIT (offset:integer count:integer)] [WITHFIELDS]", arity: -2, [.readonly], in: .fog,
            since: "8.2.0", complexity: "O(N) where N is the number of nodes that the best index has.",
            summary: "Returns the nodes that all given filters let through.",
            help: [
                "LIST \(words) [LIMIT <offset> <count>] [WITHFIELDS]",
                "    Return ids of nodes, or maps of their fields. ALIVE: heard of within so many seconds; STALE: not.",
            ],
            run: list),
        Command(
            "COUNT", usage, arity: -2, [.readonly, .fast], in: .fog, since: "8.2.0",
            complexity: "O(1) for filters that an index answers, otherwise as FOG.NODE LIST.",
            summary: "Returns the number of nodes.",
            help: ["COUNT \(words)", "    Return the number of nodes that all given filters let through."], run: count),
        Command(
            "EXPLAIN", usage + " [LIMIT (offset:integer count:integer)]", arity: -2, [.readonly], in: .fog,
            since: "8.2.0", complexity: "As FOG.NODE LIST.",
            summary: "Returns which index a list of nodes uses, and how many nodes it looks at.",
            help: ["EXPLAIN \(words) [LIMIT <offset> <count>]", "    Return how such a list would be found."],
            run: explain),
    ]

    /// Reads the filters; `withFields` is set by WITHFIELDS.
    private static func query(
        _ call: borrowing Call, _ nodes: NodeIndex, withFields: inout Bool
    ) throws(CommandError) -> NodeQuery {
        var query = NodeQuery()
        var words = call.words()
        while !words.isAtEnd {
            if try query.filter.take(&words, nodes) { continue }
            if words.take("SINCE", values: 1) {
                query.since = max(query.since ?? .min, Int64(try words.nonnegative()))
            } else if words.take("ALIVE", values: 1) {
                query.since = max(query.since ?? .min, try moment(&words, call.now))
            } else if words.take("STALE", values: 1) {
                query.until = min(query.until ?? .max, try moment(&words, call.now))
            } else if words.take("LIMIT", values: 2) {
                query.offset = try words.nonnegative()
                let limit = try words.integer()
                query.limit = limit < 0 ? nil : limit
            } else if words.take("WITHFIELDS") {
                withFields = true
            } else {
                throw .syntax
            }
        }
        return query
    }

    private static func moment(_ words: inout Options, _ now: Int64) throws(CommandError) -> Int64 {
        let seconds = try words.nonnegative()
        let (span, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1000)
        return overflow ? .min : now - min(span, now)
    }

    private static let list: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.node)
        let nodes = call.nodes
        var withFields = false
        let query = try query(call, nodes, withFields: &withFields)
        let reply = call.reply
        let mark = reply.buffer.count
        guard withFields else {
            var count = 0
            nodes.find(query) { number in
                let id = nodes.id(number)
                reply.bulk(id.span)
                count += 1
            }
            return reply.insertHeader(UInt8(ascii: "*"), count, at: mark)
        }
        var found: [Int] = []
        nodes.find(query) { found.append($0) }
        var count = 0
        for number in found where writeFields(call, nodes.id(number)) { count += 1 }
        reply.insertHeader(UInt8(ascii: "*"), count, at: mark)
    }

    private static func writeFields(_ call: borrowing Call, _ id: [UInt8]) -> Bool {
        guard let entry = call.peekRecord(.node, id.span) else { return false }
        let reply = call.reply
        reply.map(entry.liveFieldCount(now: call.now) + 1)
        reply.pair("id", bytes: id.span)
        entry.forEachField(now: call.now) { field, value, _ in
            field.withText { reply.bulk($0) }
            value.withText { reply.bulk($0) }
        }
        return true
    }

    private static let count: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.node)
        let nodes = call.nodes
        var withFields = false
        call.reply.integer(nodes.count(try query(call, nodes, withFields: &withFields)))
    }

    private static let explain: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.node)
        let nodes = call.nodes
        var withFields = false
        let plan = nodes.find(try query(call, nodes, withFields: &withFields)) { _ in }
        call.reply.map(4)
        call.reply.pair("index", text: plan.index)
        call.reply.pair("rows", plan.rows)
        call.reply.pair("matches", plan.matches)
        call.reply.pair("nodes", nodes.count)
    }
}

extension NodeFilter {
    /// Takes one of the filters from the words; false when none is next.
    mutating func take(_ words: inout Options, _ nodes: NodeIndex) throws(CommandError) -> Bool {
        if words.take("STATUS", values: 1) {
            guard let wanted = NodeStatus(try words.next()) else { throw NodeField.invalidStatus }
            status = wanted
        } else if words.take("REGION", values: 1) {
            region = nodes.regions.find(try words.next()) ?? NodeFilter.unknownValue
        } else if words.take("TYPE", values: 1) {
            type = nodes.types.find(try words.next()) ?? NodeFilter.unknownValue
        } else if words.take("POOL", values: 1) {
            pool = nodes.pools.find(try words.next()) ?? NodeFilter.unknownValue
        } else {
            return false
        }
        return true
    }
}
