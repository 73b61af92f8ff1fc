// NodeIndex+Query.swift - finding nodes: the smallest of the sets that a filter's attributes have is walked, the others
// are looked up in each node; times of heartbeats are walked in their order. Under the turn.
internal import Base
internal import Engine

/// What FOG.NODE LIST, COUNT and EXPLAIN look for.
struct NodeQuery {
    var filter = NodeFilter()
    /// Heartbeats from this moment on, and up to that one.
    var since: Int64?
    var until: Int64?
    var offset = 0
    /// Nil: all.
    var limit: Int?
}

/// How a query was answered.
struct NodePlan {
    var index: StaticString = "all"
    /// Nodes that were looked at.
    var rows = 0
    /// Nodes that the query wants, behind its offset and within its limit.
    var matches = 0
}

extension NodeIndex {
    /// The smallest set that holds all nodes of the filter; nil when there is none, so that no node matches.
    func driver(_ filter: NodeFilter) -> (kind: NodeIndexKind, set: NodeSet)? {
        if filter.isImpossible { return nil }
        var best: (kind: NodeIndexKind, key: UInt64, count: Int)?
        var isEmpty = false
        func consider(_ kind: NodeIndexKind, _ key: UInt64) {
            guard let count = sets[key]?.count else {
                isEmpty = true
                return
            }
            // Of equal ones the more particular, which come later.
            if best.map({ count <= $0.count }) ?? true { best = (kind, key, count) }
        }
        consider(.all, NodeIndexKind.all.key())
        let status = filter.status.map { Int32($0.rawValue) }
        if let status { consider(.status, NodeIndexKind.status.key(status)) }
        if let region = filter.region { consider(.region, NodeIndexKind.region.key(region)) }
        if let type = filter.type { consider(.type, NodeIndexKind.type.key(type)) }
        if let pool = filter.pool { consider(.pool, NodeIndexKind.pool.key(pool)) }
        if let status, let region = filter.region {
            consider(.statusRegion, NodeIndexKind.statusRegion.key(status, region))
        }
        if let status, let type = filter.type { consider(.typeStatus, NodeIndexKind.typeStatus.key(type, status)) }
        guard !isEmpty, let best, let set = sets[best.key] else { return nil }
        return (best.kind, set)
    }

    /// Visits what the query wants.
    @discardableResult
    func find(_ query: NodeQuery, _ visit: (Int) -> Void) -> NodePlan {
        var plan = NodePlan()
        var skipped = 0
        // False: enough.
        func offer(_ number: Int) -> Bool {
            if let limit = query.limit, plan.matches >= limit { return false }
            plan.rows += 1
            guard query.filter.matches(nodes[number]) else { return true }
            if skipped < query.offset {
                skipped += 1
                return true
            }
            plan.matches += 1
            visit(number)
            return true
        }
        if query.since != nil || query.until != nil {
            plan.index = "heartbeat"
            if query.filter.isImpossible { return plan }
            findByTime(query, offer)
            return plan
        }
        guard let (kind, set) = driver(query.filter) else { return plan }
        plan.index = kind.name
        var at = set.first(from: 0)
        while let number = at, offer(number) { at = set.first(from: number + 1) }
        return plan
    }

    private func findByTime(_ query: NodeQuery, _ offer: (Int) -> Bool) {
        let (since, until) = (query.since ?? .min, query.until ?? .max)
        if query.until != nil {
            order.forEachOldest { number, time in
                if time > until { return false }
                return time < since || offer(number)
            }
        } else {
            order.forEachNewest { number, time in time >= since && offer(number) }
        }
    }

    /// How many nodes the query wants, without walking where a set's size says it.
    func count(_ query: NodeQuery) -> Int {
        if query.since == nil, query.until == nil {
            guard let (kind, set) = driver(query.filter) else { return 0 }
            let filter = query.filter
            let given = [filter.status != nil, filter.region != nil, filter.type != nil, filter.pool != nil]
            let covered =
                switch kind {
                case .all: 0
                case .status, .region, .type, .pool: 1
                case .statusRegion, .typeStatus: 2
                }
            if given.count(where: { $0 }) == covered { return set.count }
        }
        return find(query) { _ in }.matches
    }
}
