// ClassIndex.swift - the classes that one database's records define, and handing them to the engine, which applies them
// to every key that is written: at once behind FOG.CLASS, by the clock when somebody changed a record by hand. Derived
// state. Under the turn.
internal import Base
internal import Engine
internal import Keyspace
internal import Structures

final class ClassIndex: RecordIndex {
    private var classes: [[UInt8]: DataClass] = [:]
    private var lifetimes: [[UInt8]: Int64] = [:]
    private var isChanged = false
    /// The database whose engine knows these classes; -1 for none yet.
    private var knownTo = -1

    var count: Int { classes.count }

    func read(_ id: Span<UInt8>, _ entry: Entry, now: Int64) {
        let name = id.array
        let item = ClassRecord.read(id, entry, now: now)
        if item != classes[name] {
            classes[name] = item
            isChanged = true
        }
        lifetimes[name] = item == nil ? nil : entry.expiry
    }

    func forget(_ id: Span<UInt8>) {
        let name = id.array
        lifetimes[name] = nil
        if classes.removeValue(forKey: name) != nil { isChanged = true }
    }

    func beginRebuild() { removeAll() }
    func endRebuild() {}

    func removeAll() {
        if !classes.isEmpty { isChanged = true }
        classes = [:]
        lifetimes = [:]
    }

    /// A record may have been given a time to live by hand.
    func advance(to now: Int64, countMax: Int) -> Bool {
        for (name, expiry) in lifetimes where expiry < now { forget(name.span) }
        return true
    }

    func settingsChanged(_ settings: FogSettings) {}
    func resetStatistics() {}

    func tick(_ engine: inout Engine, _ database: Int, _ state: CoordinatorState) -> Bool {
        tell(&engine, database)
        return false
    }

    /// The engine learns what changed since it was told last.
    func tell(_ engine: inout Engine, _ database: Int) {
        guard isChanged || (knownTo != database && !(knownTo < 0 && classes.isEmpty)) else { return }
        isChanged = false
        knownTo = database
        engine.setClasses(Array(classes.values), database: database)
    }

    /// The database has another number now (SWAPDB); the engine may know others' classes under it.
    func moved() { isChanged = true }

    func find(_ name: Span<UInt8>) -> DataClass? { classes[name.array] }
}
