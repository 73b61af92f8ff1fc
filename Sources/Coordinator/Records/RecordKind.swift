// RecordKind.swift - the kinds of records: what stands between `fog-key-prefix` and the id in their keys, and the index
// that is derived from them. A new kind is a case here and a line in each of the two switches.
internal import Engine

enum RecordKind: Int, CaseIterable {
    /// fog:node:<id>
    case node

    /// Ends with a colon; none is the beginning of another.
    var prefix: StaticString {
        switch self {
        case .node: "node:"
        }
    }

    func makeIndex() -> any RecordIndex {
        switch self {
        case .node: NodeIndex()
        }
    }
}
