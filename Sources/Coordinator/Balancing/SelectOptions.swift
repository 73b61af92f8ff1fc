// SelectOptions.swift - what FOG.LB SELECT and FOG.ROUTE were asked for.
internal import Base
internal import Commands
internal import Engine
internal import RESP

struct SelectOptions {
    /// The part of a usage line that both commands share.
    static let usage = """
        [ALGO algorithm] [POOL pool] [STATUS status] [REGION region] [TYPE type] [SESSION session] \
        [EXCLUDE excluded-id...]
        """
    static let help = "[ALGO <algorithm>] [POOL <pool>] [STATUS <status>] [REGION <region>] [TYPE <type>]"
        + " [SESSION <id>] [EXCLUDE <id> ...]"

    var algorithm: BalancingAlgorithm
    var filter = NodeFilter(status: .active)
    /// Argument index of the session, 0 for none.
    var session = 0
    var excluded: Set<Int> = []
    var begins = false
    /// Argument index of a task's priority, 0 for none.
    var priority = 0

    /// `isRoute`: FOG.ROUTE, which begins by itself and has a priority.
    init(_ call: borrowing Call, from start: Int, _ nodes: NodeIndex, isRoute: Bool) throws(CommandError) {
        algorithm = nodes.settings.algorithm
        begins = isRoute
        var words = call.options(from: start)
        while !words.isAtEnd {
            if try filter.take(&words, nodes) { continue }
            if words.take("ALGO", values: 1) {
                algorithm = try SelectOptions.algorithm(words.next())
            } else if words.take("SESSION", values: 1) {
                session = try words.nextIndex()
            } else if words.take("EXCLUDE", values: 1) {
                // Ids up to the next option's word.
                repeat {
                    if let number = nodes.number(try words.next()) { excluded.insert(number) }
                } while !words.isAtEnd && !SelectOptions.isOption(words)
            } else if !isRoute, words.take("BEGIN") {
                begins = true
            } else if isRoute, words.take("PRIORITY", values: 1) {
                priority = try words.nextIndex()
            } else {
                throw .syntax
            }
        }
        if algorithm == .consistentHash && session == 0 {
            throw .message("ERR consistent_hash needs SESSION <id>: the same session goes to the same node")
        }
    }

    private static func isOption(_ words: borrowing Options) -> Bool {
        words.isNext("ALGO") || words.isNext("POOL") || words.isNext("STATUS") || words.isNext("REGION")
            || words.isNext("TYPE") || words.isNext("SESSION") || words.isNext("EXCLUDE") || words.isNext("BEGIN")
            || words.isNext("PRIORITY")
    }

    static func algorithm(_ text: Span<UInt8>) throws(CommandError) -> BalancingAlgorithm {
        for algorithm in BalancingAlgorithm.allCases
        where text.equalsIgnoringCase(algorithm.rawValue.utf8.span) { return algorithm }
        if text.equalsIgnoringCase("weighted") { return .weightedRoundRobin }
        throw .message(
            """
            ERR ALGO must be round_robin, weighted_round_robin, least_connections, response_time or consistent_hash
            """)
    }

    /// The choice; nil when no node may get the call.
    func select(_ call: borrowing Call, _ nodes: NodeIndex) -> Int? {
        guard session > 0 else {
            return nodes.select(
                algorithm, filter, session: Span(), excluded: excluded, begins: begins, now: call.now)
        }
        return nodes.select(
            algorithm, filter, session: call.arguments[session], excluded: excluded, begins: begins, now: call.now)
    }
}
