// CoordinatorState.swift - the coordinator's state: the indexes of every database that has records, and what all areas
// share. It sits in the engine's one slot for an extension, hears of every change of a record by any command and has
// the clock's tick. Derived state only: whatever must survive is a record in the keyspace. Under the turn.
internal import Base
package import Engine
internal import Keyspace

package final class CoordinatorState: EngineExtension {
    /// By database number; nil where nobody used a FOG command.
    private var databases: [DatabaseRecords?] = []
    private(set) var prefix: [UInt8] = []
    private(set) var settings = FogSettings()
    /// Fields of the record that is being written; kept, so that writing takes no memory.
    var fields = RecordFields()
    /// Events; leases, and invalidations in slices.
    let events = EventState()
    let cache = CacheState()
    /// Sessions that wait for an index or the ring, with the millisecond since when; see `Call+Slices`.
    var waitingSessions: [UInt64: Int64] = [:]

    /// Begins to load a file, on another thread (FOG.WARM FILE); the server's.
    package var loadFile: (@Sendable (WarmRequest) -> Void)?

    /// Asks nodes whether they are there, on another thread (`fog-probe`); the server's.
    package var probe: (@Sendable (ProbeRequest) -> Void)?

    package init() {}

    /// The indexes of `database`; from now on its changes are heard of.
    func records(_ database: Int, _ engine: inout Engine) -> DatabaseRecords {
        if database < databases.count, let records = databases[database] {
            records.isUsed = true
            return records
        }
        let records = make(database, engine.keyspace.databaseCount)
        records.isUsed = true
        engine.setExtensionListens(true)
        return records
    }

    /// The nodes of a database that has records, up to date; nil for others.
    func knownNodes(_ database: Int, _ engine: inout Engine) -> NodeIndex? {
        guard database < databases.count, let records = databases[database], records.isBuilt else { return nil }
        let prefix = prefix
        records.settle(.node, &engine, database: database, prefix: prefix.span)
        return records.indexes[RecordKind.node.rawValue] as? NodeIndex
    }

    private func make(_ database: Int, _ count: Int) -> DatabaseRecords {
        while databases.count < count { databases.append(nil) }
        let records = DatabaseRecords(settings)
        databases[database] = records
        return records
    }

    // MARK: what the engine tells

    package func keyChanged(_ name: Span<UInt8>, database: Int) {
        guard database < databases.count, let records = databases[database] else { return }
        records.mark(name)
    }

    package func databaseReplaced(_ database: Int) {
        guard database < databases.count else { return }
        databases[database]?.removeAll()
    }

    package func databasesSwapped(_ first: Int, _ second: Int) {
        while databases.count <= max(first, second) { databases.append(nil) }
        databases.swapAt(first, second)
        // Somebody works with each of the numbers, not with what lay behind it.
        for database in [first, second] where databases[database] == nil {
            databases[database] = DatabaseRecords(settings)
        }
        for database in [first, second] {
            for index in databases[database]?.indexes ?? [] { (index as? ClassIndex)?.moved() }
        }
    }

    package func datasetReplaced(_ engine: inout Engine) {
        for database in 0..<engine.keyspace.databaseCount {
            let records = database < databases.count ? databases[database] : nil
            if let records {
                records.rebuild()
            } else if engine.keyspace[database].count > 0 {
                // Whether there are records in it is found out by the clock.
                _ = make(database, engine.keyspace.databaseCount)
            }
        }
        engine.setExtensionListens(databases.contains { $0 != nil })
        readAtOnce(&engine)
    }

    /// Reads the records of small datasets before the first client is served: classes hold from the first write on.
    /// What cannot be read in that time is read by the clock.
    private func readAtOnce(_ engine: inout Engine) {
        let deadline = engine.clock.monotonicNanoseconds + CoordinatorState.loadingNanoseconds
        let prefix = prefix
        for database in databases.indices {
            guard let records = databases[database], !records.isBuilt,
                records.walk(&engine, database: database, prefix: prefix.span, deadlineNanoseconds: deadline)
            else { continue }
            if letGo(records, database, &engine) { continue }
            for index in records.indexes { (index as? ClassIndex)?.tell(&engine, database) }
        }
    }

    /// Stops listening to a database that was read, holds no records and was asked for none. True when it did.
    private func letGo(_ records: DatabaseRecords, _ database: Int, _ engine: inout Engine) -> Bool {
        guard records.isEmpty && !records.isUsed else { return false }
        engine.setClasses([], database: database)
        databases[database] = nil
        engine.setExtensionListens(databases.contains { $0 != nil })
        return true
    }

    package func prefixChanged(_ prefix: [UInt8]) {
        self.prefix = prefix
        for records in databases { records?.rebuild() }
    }

    package func settingsChanged(_ settings: Settings) {
        self.settings = settings.fog
        for records in databases {
            guard let records else { continue }
            for index in records.indexes { index.settingsChanged(settings.fog) }
        }
    }

    package func statisticsReset() {
        events.resetStatistics()
        cache.resetStatistics()
        for records in databases {
            guard let records else { continue }
            for index in records.indexes { index.resetStatistics() }
        }
    }

    // MARK: the clock

    /// How long one walk over a keyspace may hold the turn.
    private static let sliceNanoseconds: Int64 = 1_000_000
    /// How long reading records may take right after a dataset was loaded.
    private static let loadingNanoseconds: Int64 = 20_000_000
    package func tick(_ engine: inout Engine) -> Bool {
        var hasMore = tickCache(&engine)
        forgetWaiting(now: engine.keyspace.now)
        let prefix = prefix
        for database in databases.indices {
            guard let records = databases[database] else { continue }
            let wasBuilt = records.isBuilt
            let deadline = engine.clock.monotonicNanoseconds + CoordinatorState.sliceNanoseconds
            let isDone = records.catchUp(
                &engine, database: database, prefix: prefix.span, deadlineNanoseconds: deadline)
            guard records.isBuilt else { return true }
            if !wasBuilt && letGo(records, database, &engine) { continue }
            hasMore = hasMore || !isDone
            for index in records.indexes where index.tick(&engine, database, self) { hasMore = true }
        }
        return hasMore
    }

    /// Forgets sessions that ended while they waited.
    private func forgetWaiting(now: Int64) {
        guard !waitingSessions.isEmpty else { return }
        waitingSessions = waitingSessions.filter { now - $0.value < CoordinatorState.graceMilliseconds }
    }

    /// A session that waits looks again every fraction of a millisecond.
    private static let graceMilliseconds: Int64 = 10_000
}
