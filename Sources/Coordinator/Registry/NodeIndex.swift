// NodeIndex.swift - the nodes of one database by id. Derived from the records fog:node:<id>. Under the turn.
internal import Base
internal import Engine
internal import Keyspace
internal import Structures

final class NodeIndex: RecordIndex {
    private var ids = NameTable()
    private var epochs: [UInt32] = []
    private var epoch: UInt32 = 0

    var count: Int { ids.count }

    func read(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        let (number, _) = ids.insert(id, hash: NameTable.hash(id))
        while epochs.count <= number { epochs.append(0) }
        epochs[number] = epoch
    }

    func forget(_ id: Span<UInt8>) {
        guard let number = ids.find(id, hash: NameTable.hash(id)) else { return }
        ids.remove(number)
    }

    func beginRebuild() { epoch &+= 1 }

    func endRebuild() {
        var gone: [Int] = []
        ids.forEach { number, _ in if epochs[number] != epoch { gone.append(number) } }
        for number in gone { ids.remove(number) }
    }

    func removeAll() { ids = NameTable() }

    func advance(to now: Int64) {}
    func settingsChanged(_ settings: FogSettings) {}
    func resetStatistics() {}
    func tick(_ engine: inout Engine, _ database: Int, _ state: CoordinatorState) {}
}
