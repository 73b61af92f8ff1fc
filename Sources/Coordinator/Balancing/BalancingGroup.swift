// BalancingGroup.swift - the nodes that one filter lets through, in the order of each algorithm that was asked for with
// it. Made when the filter is first used and kept exact by every change of a node, so that a choice looks at the top of
// a heap and not at all nodes. Pure.
//
// Smooth weighted round robin as a heap: every node is due again each 1/weight of virtual time, first after half of
// that; the earliest is chosen. Over a cycle a node is chosen exactly by its weight, and never in bursts.
internal import Engine

final class BalancingGroup {
    let filter: NodeFilter
    /// Of the last use; groups that nobody uses are dropped first.
    var lastUse: UInt64 = 0
    /// Round robin's last choice.
    var cursor = -1
    private var connections: NodeHeap?
    private var responses: NodeHeap?
    private var weighted: NodeHeap?
    /// Weights as of each node's place in `weighted`.
    private var weights: [Double] = []
    /// Virtual time of weighted round robin.
    private var time = 0.0

    /// Weights below this are as good as nothing, and get a turn only where nobody else is left.
    static let weightMin = 1e-9
    /// Virtual time is set back before its fractions get coarse.
    private static let timeMax = 1e6

    init(_ filter: NodeFilter) { self.filter = filter }

    var byteCount: Int {
        (connections?.byteCount ?? 0) + (responses?.byteCount ?? 0) + (weighted?.byteCount ?? 0)
            + weights.capacity * 8
    }

    /// Whether the algorithm's order is kept already; round robin and hashing need none.
    func has(_ algorithm: BalancingAlgorithm) -> Bool {
        switch algorithm {
        case .leastConnections: connections != nil
        case .responseTime: responses != nil
        case .weightedRoundRobin: weighted != nil
        case .roundRobin, .consistentHash: true
        }
    }

    /// Begins to keep the algorithm's order; the caller brings all nodes by `update`.
    func begin(_ algorithm: BalancingAlgorithm) {
        switch algorithm {
        case .leastConnections: connections = NodeHeap()
        case .responseTime: responses = NodeHeap()
        case .weightedRoundRobin: weighted = NodeHeap()
        case .roundRobin, .consistentHash: break
        }
    }

    /// The node is as `node` says: `weight` is its weight with load and health in it.
    func update(_ number: Int, _ node: Node, isAvailable: Bool, weight: Double) {
        guard isAvailable && filter.matches(node) else { return remove(number) }
        connections?.set(number, key: Double(node.active), serial: node.serial)
        responses?.set(number, key: BalancingGroup.responseKey(node), serial: node.serial)
        if weighted != nil { updateWeighted(number, max(weight, BalancingGroup.weightMin), node.serial) }
    }

    func remove(_ number: Int) {
        connections?.remove(number)
        responses?.remove(number)
        weighted?.remove(number)
    }

    /// Unmeasured nodes come first, once; until their answer is there they come last.
    private static func responseKey(_ node: Node) -> Double {
        if node.responseTime >= 0 { return node.responseTime }
        return node.isProbed ? .greatestFiniteMagnitude : -1
    }

    private func updateWeighted(_ number: Int, _ weight: Double, _ serial: UInt64) {
        while weights.count <= number { weights.append(0) }
        guard let item = weighted?.item(number) else {
            weights[number] = weight
            weighted?.set(number, key: time + 0.5 / weight, serial: serial)
            return
        }
        guard weights[number] != weight else { return }
        // What is left of its wait is stretched.
        let left = (item.key - time) * weights[number] / weight
        weights[number] = weight
        weighted?.set(number, key: time + left, serial: serial)
    }

    /// The algorithm's choice among those that `isWanted`.
    func choice(_ algorithm: BalancingAlgorithm, _ isWanted: (Int) -> Bool) -> Int? {
        switch algorithm {
        case .leastConnections: return connections?.first(where: isWanted).map { Int($0.number) }
        case .responseTime: return responses?.first(where: isWanted).map { Int($0.number) }
        case .weightedRoundRobin:
            guard let item = weighted?.first(where: isWanted) else { return nil }
            let number = Int(item.number)
            time = max(time, item.key)
            weighted?.set(number, key: item.key + 1 / weights[number], serial: item.serial)
            if time > BalancingGroup.timeMax { setBack() }
            return number
        case .roundRobin, .consistentHash: return nil
        }
    }

    private func setBack() {
        weighted?.shift(by: time)
        time = 0
    }
}
