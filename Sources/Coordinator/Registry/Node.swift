// Node.swift - what the coordinator knows of one node: first what its record says, then what happens at run time, which
// no record holds. Attributes are numbers of their values (`AttributeTable`). Plain data.

struct Node {
    // The record's.
    var type: Int32 = -1
    var region: Int32 = -1
    var pool: Int32 = -1
    var status = NodeStatus.active
    var cpu = 0.0
    var memory = 0.0
    /// Requests at a time; 0: no limit.
    var capacity: Int32 = 0
    var weight = 1.0
    /// Milliseconds since the epoch of the last sign of life.
    var heartbeat: Int64 = 0
    /// Heartbeats so far.
    var sequence: Int64 = 0
    /// What a heartbeat gives the record to live; 0: `fog-default-ttl`.
    var timeToLiveSeconds: Int32 = 0
    /// It is inactive because it was silent.
    var hasTimedOut = false
    /// When the record dies; Int64.max: never.
    var expiry = Int64.max

    // Run time.
    var active: Int32 = 0
    var selected = 0
    /// Average response time in milliseconds; below zero: not measured yet.
    var responseTime = -1.0
    /// An unmeasured node got its probe.
    var isProbed = false
    var breaker = CircuitBreaker()
    /// Of the last selection: of equals, whoever was chosen longest ago is next.
    var serial: UInt64 = 0
    /// Of the last rebuild that met the record.
    var epoch: UInt32 = 0

    /// Takes what another value says at run time.
    mutating func keepRunTime(of other: Node) {
        active = other.active
        selected = other.selected
        responseTime = other.responseTime
        isProbed = other.isProbed
        breaker = other.breaker
        serial = other.serial
    }

    var hasRoom: Bool { capacity == 0 || active < capacity }
}

/// Which nodes are wanted; nil: whatever. A value that no node has is number -2.
struct NodeFilter: Hashable {
    var status: NodeStatus?
    var region: Int32?
    var type: Int32?
    var pool: Int32?

    static let unknownValue: Int32 = -2

    func matches(_ node: Node) -> Bool {
        (status == nil || status == node.status) && (region == nil || region == node.region)
            && (type == nil || type == node.type) && (pool == nil || pool == node.pool)
    }

    var isImpossible: Bool {
        region == NodeFilter.unknownValue || type == NodeFilter.unknownValue || pool == NodeFilter.unknownValue
    }
}

/// The sets of nodes that are kept: each attribute's, and two pairs that are asked for together.
enum NodeIndexKind: UInt64 {
    case all, status, region, type, pool, statusRegion, typeStatus

    var name: StaticString {
        switch self {
        case .all: "all"
        case .status: "status"
        case .region: "region"
        case .type: "type"
        case .pool: "pool"
        case .statusRegion: "status,region"
        case .typeStatus: "type,status"
        }
    }

    /// The key of the set whose attributes have these numbers.
    func key(_ first: Int32 = 0, _ second: Int32 = 0) -> UInt64 {
        rawValue << 60 | UInt64(UInt32(bitPattern: first)) << 28 ^ UInt64(UInt32(bitPattern: second))
    }
}
