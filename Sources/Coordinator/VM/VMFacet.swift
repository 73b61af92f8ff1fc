// VMFacet.swift - what is known of a virtual machine, in parts that age at different speeds: each facet is a key of its
// own, `vm:<facet>:<id>`, with a lifetime of its own, as the mission's table of data classes has it. Pure.
internal import Base

enum VMFacet: Int, CaseIterable {
    case state, resources, migration, metrics, config

    var name: StaticString {
        switch self {
        case .state: "STATE"
        case .resources: "RESOURCES"
        case .migration: "MIGRATION"
        case .metrics: "METRICS"
        case .config: "CONFIG"
        }
    }

    private var prefix: StaticString {
        switch self {
        case .state: "vm:state:"
        case .resources: "vm:resources:"
        case .migration: "vm:migration:"
        case .metrics: "vm:metrics:"
        case .config: "vm:config:"
        }
    }

    /// How long it is true.
    var seconds: Int64 {
        switch self {
        case .state: 30
        case .resources: 120
        case .migration: 60
        case .metrics: 15
        case .config: 900
        }
    }

    init?(_ text: Span<UInt8>) {
        guard let found = VMFacet.allCases.first(where: { text.equalsIgnoringCase($0.name) }) else { return nil }
        self = found
    }

    func key(_ id: Span<UInt8>) -> ByteBuffer {
        var key = ByteBuffer()
        key.append(prefix)
        key.append(id)
        return key
    }

    /// What a node has to give: `node:resources:<node>`.
    static func nodeKey(_ node: Span<UInt8>) -> ByteBuffer {
        var key = ByteBuffer()
        key.append("node:resources:")
        key.append(node)
        return key
    }

    static let nodeSeconds: Int64 = 30
}
