// NodeIndex+Ring.swift - keeping the hash ring up to date without ever holding the turn for long: nodes that came wait
// in a queue and are added in slices, by the clock and by whoever asks for a session's node. Who asks while many wait
// is suspended until the ring is whole (`Call.waitsForRing`), so that the answer is always that of all nodes. Nobody
// pays for a ring before one is asked for. Under the turn.
internal import Base
internal import Engine

extension NodeIndex {
    /// Points that are looked at before it is found out whether any node may be chosen at all.
    private static var pointCountMax: Int { 10_000 }

    /// Works on the ring until every node is on it (true) or the deadline has passed.
    func settleRing(_ clock: Clock, deadlineNanoseconds: Int64) -> Bool {
        if ring == nil { beginRing() }
        while let number = ringQueue.popLast() {
            guard isKnown(Int(number)) else { continue }
            ring?.add(Int(number), name: id(Int(number)), points: settings.virtualNodes)
            if clock.monotonicNanoseconds >= deadlineNanoseconds { return ringQueue.isEmpty }
        }
        if ring?.isCrowded == true {
            beginRing()
            return settleRing(clock, deadlineNanoseconds: deadlineNanoseconds)
        }
        return true
    }

    /// The clock's share of the work; true when there is more.
    func tickRing(_ clock: Clock, deadlineNanoseconds: Int64) -> Bool {
        guard ring != nil else { return false }
        if !ringQueue.isEmpty { return !settleRing(clock, deadlineNanoseconds: deadlineNanoseconds) }
        let isSwept = ring?.sweep { clock.monotonicNanoseconds >= deadlineNanoseconds }
        return isSwept == false
    }

    /// A ring for all the nodes there are, all of them still to be added.
    private func beginRing() {
        ring = HashRing(nodeCount: ids.count, points: settings.virtualNodes)
        ringQueue = []
        ids.forEach { number, _ in ringQueue.append(Int32(number)) }
    }

    /// A node came: it is added when its turn comes.
    func joinRing(_ number: Int) {
        if ring != nil { ringQueue.append(Int32(number)) }
    }

    private func isKnown(_ number: Int) -> Bool { sets[NodeIndexKind.all.key()]?.contains(number) == true }

    /// The node that a session belongs to among those of the filter. The ring is whole: `settleRing` said so.
    func owner(of session: Span<UInt8>, _ filter: NodeFilter, _ isWanted: (Int) -> Bool) -> Int? {
        guard let ring, !filter.isImpossible else { return nil }
        func isChosen(_ number: Int) -> Bool {
            filter.matches(nodes[number]) && isAvailable(nodes[number]) && isWanted(number)
        }
        let hash = HashRing.hash(session)
        switch ring.first(from: hash, pointCountMax: NodeIndex.pointCountMax, isChosen) {
        case .node(let number): return number
        case .nobody: return nil
        case .tooFar: break
        }
        // Few of many, or none: a walk around the whole ring for nothing would take long.
        var isAny = false
        find(NodeQuery(filter: filter)) { number in isAny = isAny || isChosen(number) }
        guard isAny, case .node(let number) = ring.first(from: hash, isChosen) else { return nil }
        return number
    }
}

extension Call {
    /// How long an asker works on the ring: small fleets never wait.
    private static var ringNanoseconds: Int64 { 1_000_000 }

    /// Whether the client waits for the ring to be whole; return then. In a transaction or a script nobody can wait,
    /// and the ring is made at once.
    mutating func waitsForRing(_ nodes: NodeIndex) -> Bool {
        let canWait = context == .client && !isReplayed
        let clock = administration.clock
        let deadline = canWait ? clock.monotonicNanoseconds + Call.ringNanoseconds : .max
        if nodes.settleRing(clock, deadlineNanoseconds: deadline) { return false }
        waitForSlice()
        return true
    }
}
