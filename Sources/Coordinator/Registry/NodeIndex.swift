// NodeIndex.swift - the nodes of one database: by id, by attributes, by heartbeat, and what happens to them at run
// time. Derived from the records fog:node:<id>; the run-time part lives here only and goes with its node. Reading a
// record costs a look at its fields and touches only the sets of attributes that changed. Under the turn.
internal import Base
internal import Engine
internal import Keyspace
internal import Structures

final class NodeIndex: RecordIndex {
    private(set) var ids = NameTable()
    /// By number; what has no id is left over.
    var nodes: [Node] = []
    private(set) var types = AttributeTable()
    private(set) var regions = AttributeTable()
    private(set) var pools = AttributeTable()
    /// Nodes by attribute values: `NodeIndexKind.key`.
    private(set) var sets: [UInt64: NodeSet] = [:]
    var order = HeartbeatOrder()
    private var expiries = LazyDeadlines()
    /// Active nodes' heartbeat timeouts.
    var timeouts = LazyDeadlines()
    /// Circuits that time alone changes.
    var retries = LazyDeadlines()
    private var epoch: UInt32 = 0

    // Balancing.
    var groups: [NodeFilter: BalancingGroup] = [:]
    var ring: HashRing?
    /// Nodes that came and are not on the ring yet, among others that are or went.
    var ringQueue: [Int32] = []
    var serial: UInt64 = 0
    /// Requests that have begun under an id of their own, with their node.
    var requests: [UInt64: Int32] = [:]
    /// Sessions that were sent to a node by hashing.
    var sessions: Set<UInt64> = []
    var totalActive = 0
    var openCount = 0
    var totalFailures = 0

    // Scaling.
    private(set) var loads: [Int32: NodeLoad] = [:]
    private(set) var load = NodeLoad()
    var scaler = AutoScaler()

    var probes = ProbeRound()

    private(set) var settings = FogSettings()
    private(set) var rules = BreakerRules()

    var count: Int { ids.count }

    func number(_ id: Span<UInt8>) -> Int? { ids.find(id, hash: NameTable.hash(id)) }
    func id(_ number: Int) -> [UInt8] { ids.name(number) }

    // MARK: records

    func read(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        let (number, isNew) = ids.insert(id, hash: NameTable.hash(id))
        var node = Node()
        node.expiry = entry.expiry ?? .max
        node.epoch = epoch
        entry.forEachField(now: now) { field, value, _ in
            if let known = field.withText({ NodeField($0) }) {
                value.withText { text in take(known, text, into: &node) }
            }
        }
        if isNew {
            while nodes.count <= number { nodes.append(Node()) }
        } else {
            node.keepRunTime(of: nodes[number])
        }
        replace(number, by: node, isNew: isNew)
    }

    private func take(_ field: NodeField, _ text: Span<UInt8>, into node: inout Node) {
        switch field {
        case .type: node.type = types.retain(text)
        case .region: node.region = regions.retain(text)
        case .pool: node.pool = pools.retain(text)
        case .status: node.status = NodeStatus(text) ?? .inactive
        case .cpu: node.cpu = min(100, max(0, DoubleText.parse(text) ?? 0))
        case .memory: node.memory = DoubleText.parse(text) ?? 0
        case .capacity: node.capacity = Int32(clamping: max(0, IntegerText.parse(text) ?? 0))
        case .weight: node.weight = min(1e6, max(0, DoubleText.parse(text) ?? 1))
        case .address: break
        case .heartbeat: node.heartbeat = IntegerText.parse(text) ?? 0
        case .sequence: node.sequence = IntegerText.parse(text) ?? 0
        case .timeToLive: node.timeToLiveSeconds = Int32(clamping: max(0, IntegerText.parse(text) ?? 0))
        case .timedOut: node.hasTimedOut = IntegerText.parse(text) ?? 0 > 0
        }
    }

    private func replace(_ number: Int, by node: Node, isNew: Bool) {
        let old = nodes[number]
        nodes[number] = node
        let moves =
            isNew || old.status != node.status || old.region != node.region || old.type != node.type
            || old.pool != node.pool
        if !isNew {
            if moves { removeFromSets(number, old) }
            release(old)
            if old.status == .active { addLoad(old, -1) }
        }
        if moves { addToSets(number, node) }
        if node.status == .active { addLoad(node, 1) }
        order.set(number, node.heartbeat)
        if node.expiry != .max { expiries.note(number, node.expiry) }
        noteTimeout(number)
        if isNew { joinRing(number) }
        refresh(number)
    }

    func forget(_ id: Span<UInt8>) {
        if let number = number(id) { remove(number) }
    }

    private func remove(_ number: Int) {
        let node = nodes[number]
        removeFromSets(number, node)
        release(node)
        if node.status == .active { addLoad(node, -1) }
        order.remove(number)
        expiries.forget(number)
        timeouts.forget(number)
        retries.forget(number)
        for group in groups.values { group.remove(number) }
        ring?.remove(number)
        totalActive -= Int(node.active)
        if node.breaker.isOpen { openCount -= 1 }
        if node.active > 0, !requests.isEmpty { requests = requests.filter { Int($0.value) != number } }
        ids.remove(number)
        nodes[number] = Node()
    }

    func beginRebuild() { epoch &+= 1 }

    func endRebuild() {
        var gone: [Int] = []
        ids.forEach { number, _ in if nodes[number].epoch != epoch { gone.append(number) } }
        for number in gone { remove(number) }
    }

    /// Without a look at each of them: there may be hundreds of thousands. Statistics stay.
    func removeAll() {
        ids = NameTable()
        nodes = []
        (types, regions, pools) = (AttributeTable(), AttributeTable(), AttributeTable())
        sets = [:]
        order = HeartbeatOrder()
        (expiries, timeouts, retries) = (LazyDeadlines(), LazyDeadlines(), LazyDeadlines())
        groups = [:]
        ring = nil
        ringQueue = []
        requests = [:]
        (totalActive, openCount) = (0, 0)
        loads = [:]
        load = NodeLoad()
    }

    // MARK: attributes

    private func release(_ node: Node) {
        types.release(node.type)
        regions.release(node.region)
        pools.release(node.pool)
    }

    private func forEachSet(_ node: Node, _ body: (UInt64) -> Void) {
        let status = Int32(node.status.rawValue)
        body(NodeIndexKind.all.key())
        body(NodeIndexKind.status.key(status))
        if node.region >= 0 {
            body(NodeIndexKind.region.key(node.region))
            body(NodeIndexKind.statusRegion.key(status, node.region))
        }
        if node.type >= 0 {
            body(NodeIndexKind.type.key(node.type))
            body(NodeIndexKind.typeStatus.key(node.type, status))
        }
        if node.pool >= 0 { body(NodeIndexKind.pool.key(node.pool)) }
    }

    private func addToSets(_ number: Int, _ node: Node) {
        forEachSet(node) { key in sets[key, default: NodeSet()].insert(number) }
    }

    private func removeFromSets(_ number: Int, _ node: Node) {
        forEachSet(node) { key in
            sets[key]?.remove(number)
            if sets[key]?.count == 0 { sets[key] = nil }
        }
    }

    private func addLoad(_ node: Node, _ sign: Int) {
        load.add(node.cpu, sign)
        loads[node.pool, default: NodeLoad()].add(node.cpu, sign)
        if loads[node.pool]?.count == 0 { loads[node.pool] = nil }
    }

    // MARK: time and settings

    /// When the node's silence becomes a timeout.
    func noteTimeout(_ number: Int) {
        guard settings.heartbeatTimeoutSeconds > 0, nodes[number].status == .active else { return }
        timeouts.note(number, timeoutTime(number))
    }

    func timeoutTime(_ number: Int) -> Int64 {
        let (time, overflow) = nodes[number].heartbeat.addingReportingOverflow(
            Int64(settings.heartbeatTimeoutSeconds) * 1000)
        return overflow ? .max - 1 : time
    }

    func advance(to now: Int64, countMax: Int) -> Bool {
        var left = countMax
        // A record lives through the millisecond that it ends at.
        while left > 0, let number = expiries.popDue(now - 1) {
            left -= 1
            let expiry = nodes[number].expiry
            if expiry < now { remove(number) } else if expiry != .max { expiries.note(number, expiry) }
        }
        while left > 0, let number = retries.popDue(now) {
            left -= 1
            changeBreaker(number) { $0.advance(to: now) }
        }
        return left > 0
    }

    func settingsChanged(_ settings: FogSettings) {
        let old = self.settings
        self.settings = settings
        rules = BreakerRules(settings)
        if old.virtualNodes != settings.virtualNodes { ring = nil }
        let isSame =
            old.heartbeatTimeoutSeconds == settings.heartbeatTimeoutSeconds && old.usesBreaker == settings.usesBreaker
            && old.healthyMultiplier == settings.healthyMultiplier
            && old.degradedMultiplier == settings.degradedMultiplier
            && old.unhealthyMultiplier == settings.unhealthyMultiplier
        if isSame { return }
        ids.forEach { number, _ in
            noteTimeout(number)
            refresh(number)
        }
    }

    func resetStatistics() {
        ids.forEach { number, _ in
            nodes[number].selected = 0
            nodes[number].breaker.resetStatistics()
        }
        totalFailures = 0
        sessions = []
    }

    /// Bytes that the index takes, by its parts' capacities.
    var byteCount: Int {
        var total = nodes.capacity * MemoryLayout<Node>.stride + order.byteCount + expiries.byteCount
        total += timeouts.byteCount + retries.byteCount + (ring?.byteCount ?? 0) + requests.capacity * 24
        total += ringQueue.capacity * 4
        for set in sets.values { total += set.byteCount + 56 }
        for group in groups.values { total += group.byteCount }
        // A name: its array's head and bytes, its hash and its places.
        ids.forEach { _, name in total += name.count + 32 + 8 + 8 + 32 }
        return total
    }
}

/// How many nodes there are and how busy they are together; exact, however often nodes change.
struct NodeLoad {
    private static let unit = 1_000_000.0
    private(set) var count = 0
    private var sum: Int64 = 0

    mutating func add(_ cpu: Double, _ sign: Int) {
        count += sign
        sum += Int64((cpu * NodeLoad.unit).rounded()) * Int64(sign)
    }

    var average: Double { count == 0 ? 0 : Double(sum) / NodeLoad.unit / Double(count) }
}
