// RecordKind.swift - the kinds of records: what stands between `fog-key-prefix` and the id in their keys, and the index
// that is derived from them. A new kind is a case here and a line in each of the two switches.
internal import Engine

enum RecordKind: Int, CaseIterable {
    /// fog:node:<id>
    case node
    /// fog:task:<id>
    case task
    /// fog:queue:<name>
    case queue
    /// fog:gpu:<id>
    case gpu
    /// fog:provider:<id>
    case provider
    /// fog:price:<type>:<region>
    case price
    /// fog:booking:<id>
    case booking
    /// fog:order:<id>
    case order
    /// fog:class:<name>
    case dataClass
    /// fog:warm:<set>
    case warm

    /// Ends with a colon; none is the beginning of another.
    var prefix: StaticString {
        switch self {
        case .node: "node:"
        case .task: "task:"
        case .queue: "queue:"
        case .gpu: "gpu:"
        case .provider: "provider:"
        case .price: "price:"
        case .booking: "booking:"
        case .order: "order:"
        case .dataClass: "class:"
        case .warm: "warm:"
        }
    }

    /// `earlier` are the indexes of the kinds before this one, for kinds that share one.
    func makeIndex(_ earlier: [any RecordIndex]) -> any RecordIndex {
        switch self {
        case .node: NodeIndex()
        case .task: TaskRecords()
        case .queue: QueueRecords(earlier[RecordKind.task.rawValue])
        case .gpu: MarketRecords()
        case .dataClass: ClassIndex()
        case .warm: WarmIndex()
        case .provider, .price, .booking, .order: MarketFacet(self, of: earlier[RecordKind.gpu.rawValue])
        }
    }
}
