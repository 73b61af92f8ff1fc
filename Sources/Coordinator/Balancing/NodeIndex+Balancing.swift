// NodeIndex+Balancing.swift - choosing a node, and what happens to one that was chosen: connections, response times,
// circuits. A choice costs a heap's top and the update of the groups that the node is in. Under the turn.
internal import Base
internal import Engine

extension NodeIndex {
    /// Filters whose orders are kept at a time.
    private static var groupCountMax: Int { 256 }
    /// Sessions that are counted; beyond, the count stands.
    private static var sessionCountMax: Int { 1_000_000 }

    /// Whether the node may get a call now, whatever its attributes.
    func isAvailable(_ node: Node) -> Bool { node.hasRoom && (!rules.isOn || node.breaker.admits) }

    /// base weight x free CPU x health.
    func effectiveWeight(_ node: Node) -> Double {
        let multiplier =
            switch node.breaker.health {
            case .healthy: settings.healthyMultiplier
            case .degraded: settings.degradedMultiplier
            case .unhealthy, .open, .halfOpen: settings.unhealthyMultiplier
            }
        return node.weight * (100 - node.cpu) / 100 * multiplier
    }

    /// Brings every group up to date with the node.
    func refresh(_ number: Int) {
        if groups.isEmpty { return }
        let node = nodes[number]
        let available = isAvailable(node)
        let weight = effectiveWeight(node)
        for group in groups.values { group.update(number, node, isAvailable: available, weight: weight) }
    }

    /// Changes the node's circuit, and everything that follows from it.
    func changeBreaker(_ number: Int, _ change: (inout CircuitBreaker) -> Void) {
        let wasOpen = nodes[number].breaker.isOpen
        change(&nodes[number].breaker)
        let breaker = nodes[number].breaker
        if breaker.isOpen != wasOpen { openCount += breaker.isOpen ? 1 : -1 }
        retries.forget(number)
        if let time = breaker.nextChange { retries.note(number, time) }
        refresh(number)
    }

    // MARK: choosing

    private func group(_ filter: NodeFilter, _ algorithm: BalancingAlgorithm) -> BalancingGroup {
        let group: BalancingGroup
        if let known = groups[filter] {
            group = known
        } else {
            if groups.count >= NodeIndex.groupCountMax,
                let oldest = groups.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                groups[oldest.key] = nil
            }
            group = BalancingGroup(filter)
            groups[filter] = group
        }
        group.lastUse = serial
        if !group.has(algorithm) {
            group.begin(algorithm)
            find(NodeQuery(filter: filter)) { number in
                let node = nodes[number]
                group.update(number, node, isAvailable: isAvailable(node), weight: effectiveWeight(node))
            }
        }
        return group
    }

    /// The node for the next call; nil when none may get it. `begins`: the call begins with it.
    func select(
        _ algorithm: BalancingAlgorithm, _ filter: NodeFilter, session: Span<UInt8>, excluded: Set<Int>,
        begins: Bool, now: Int64
    ) -> Int? {
        if filter.isImpossible { return nil }
        serial += 1
        let isWanted = { (number: Int) in excluded.isEmpty || !excluded.contains(number) }
        let found: Int?
        switch algorithm {
        case .leastConnections, .responseTime, .weightedRoundRobin:
            found = group(filter, algorithm).choice(algorithm, isWanted)
        case .roundRobin: found = nextInTurn(group(filter, algorithm), isWanted)
        case .consistentHash:
            found = owner(of: session, filter, isWanted)
            if found != nil, sessions.count < NodeIndex.sessionCountMax {
                sessions.insert(KeyHash.hash(session, seed: KeyHash.seed))
            }
        }
        guard let number = found else { return nil }
        nodes[number].serial = serial
        nodes[number].selected += 1
        if algorithm == .responseTime && nodes[number].responseTime < 0 { nodes[number].isProbed = true }
        if begins { addActive(number, 1) }
        if nodes[number].breaker.health == .halfOpen {
            let rules = rules
            changeBreaker(number) { $0.choose(begins: begins, now: now, rules) }
        } else {
            refresh(number)
        }
        return number
    }

    private func nextInTurn(_ group: BalancingGroup, _ isWanted: (Int) -> Bool) -> Int? {
        guard let set = driver(group.filter)?.set else { return nil }
        var at = group.cursor
        // Once around: those that may not are stepped over.
        for _ in 0..<set.count {
            guard let number = set.first(from: at + 1) ?? set.first(from: 0) else { return nil }
            at = number
            let node = nodes[number]
            if group.filter.matches(node) && isAvailable(node) && isWanted(number) {
                group.cursor = number
                return number
            }
        }
        return nil
    }

    // MARK: calls

    private func addActive(_ number: Int, _ difference: Int32) {
        nodes[number].active += difference
        totalActive += Int(difference)
    }

    private func requestKey(_ number: Int, _ request: Span<UInt8>) -> UInt64 {
        KeyHash.hash(request, seed: KeyHash.seed ^ UInt64(truncatingIfNeeded: number))
    }

    /// A call to the node begins. False: its circuit is open. The same `request` begins once.
    func begin(_ number: Int, request: Span<UInt8>?, now: Int64) -> Bool {
        if let request, requests[requestKey(number, request)] != nil { return true }
        if rules.isOn {
            var admitted = false
            let rules = rules
            if nodes[number].breaker.health == .halfOpen {
                changeBreaker(number) { admitted = $0.begin(now: now, rules) }
            } else {
                admitted = !nodes[number].breaker.isOpen
            }
            guard admitted else { return false }
        }
        if let request { requests[requestKey(number, request)] = Int32(number) }
        addActive(number, 1)
        refresh(number)
        return true
    }

    /// A call to the node has ended. One with a `request` that never began, or ended before, counts for nothing.
    func end(_ number: Int, success: Bool, milliseconds: Double?, request: Span<UInt8>?, now: Int64) {
        if let request, requests.removeValue(forKey: requestKey(number, request)) == nil { return }
        if nodes[number].active > 0 { addActive(number, -1) }
        if let milliseconds {
            measure(number, milliseconds)
        } else if nodes[number].responseTime < 0 {
            nodes[number].isProbed = false
        }
        if !success { totalFailures += 1 }
        let rules = rules
        if success && milliseconds == nil && nodes[number].breaker.health == .healthy {
            // Nothing to tell the circuit but that all is well.
            nodes[number].breaker.end(success: true, milliseconds: nil, now: now, rules)
            return refresh(number)
        }
        changeBreaker(number) { $0.end(success: success, milliseconds: milliseconds, now: now, rules) }
    }

    /// A response time enters the node's average. The caller refreshes.
    func measure(_ number: Int, _ milliseconds: Double) {
        let old = nodes[number].responseTime
        nodes[number].responseTime =
            old < 0 ? milliseconds : old + settings.responseTimeAlpha * (milliseconds - old)
    }
}
