// DatabaseRecords.swift - one database's indexes of records, and how they stay exact: a change of a record by any
// command only marks its id, and whoever asks an index has the marked ones read again first. After events on whole
// databases the keyspace is walked once, in slices by the clock or in one go when somebody asks before. Exists only
// for databases in which a FOG command ran or a file brought records. Under the turn.
internal import Base
internal import Engine
internal import Keyspace
internal import Structures

final class DatabaseRecords {
    let indexes: [any RecordIndex]
    /// Ids whose record changed, by kind.
    private var marked: [Set<[UInt8]>]
    /// Where the walk over the keyspace goes on; nil when it is over.
    private var position: UInt64? = 0
    private var hasBegun = false
    /// Whether a FOG command ran here; until then nothing is kept of a database without records.
    var isUsed = false

    init(_ settings: FogSettings) {
        var made: [any RecordIndex] = []
        for kind in RecordKind.allCases { made.append(kind.makeIndex(made)) }
        indexes = made
        marked = [Set<[UInt8]>](repeating: [], count: RecordKind.allCases.count)
        for index in indexes { index.settingsChanged(settings) }
    }

    var isBuilt: Bool { position == nil }
    var isEmpty: Bool { indexes.allSatisfy { $0.count == 0 } }

    // MARK: changes

    func mark(_ name: Span<UInt8>) {
        for kind in RecordKind.allCases where name.starts(with: kind.prefix) {
            let id = name.extracting(kind.prefix.utf8CodeUnitCount..<name.count)
            marked[kind.rawValue].insert(id.array)
            return
        }
    }

    /// Every key went.
    func removeAll() {
        for index in indexes { index.removeAll() }
        for kind in marked.indices { marked[kind] = [] }
        hasBegun = false
        position = nil
    }

    /// The keyspace has to be walked: what is known may be wrong.
    func rebuild() {
        for kind in marked.indices { marked[kind] = [] }
        hasBegun = false
        position = 0
    }

    // MARK: catching up

    /// Brings the index of `kind` up to date.
    func settle(_ kind: RecordKind, _ engine: inout Engine, database: Int, prefix: Span<UInt8>) {
        if !isBuilt { _ = walk(&engine, database: database, prefix: prefix, deadlineNanoseconds: .max) }
        if !marked[kind.rawValue].isEmpty {
            _ = readMarked(kind, &engine, database: database, prefix: prefix, limit: .max)
        }
        indexes[kind.rawValue].advance(to: engine.keyspace.now)
    }

    /// Reads up to `limit` marked records; true when none is left.
    func readMarked(
        _ kind: RecordKind, _ engine: inout Engine, database: Int, prefix: Span<UInt8>, limit: Int
    ) -> Bool {
        let index = indexes[kind.rawValue]
        var left = limit
        while left > 0, let id = marked[kind.rawValue].popFirst() {
            left -= 1
            var key = ByteBuffer(capacity: prefix.count + id.count + 16)
            key.append(prefix)
            key.append(kind.prefix)
            key.append(id)
            let hash = KeyHash.hash(key.span, seed: KeyHash.seed)
            if let slot = engine.keyspace.find(key.span, hash: hash, in: database), slot.entry.objectType == .hash {
                index.read(id.span, slot.entry, now: engine.keyspace.now)
            } else {
                index.forget(id.span)
            }
        }
        return marked[kind.rawValue].isEmpty
    }

    /// Goes on walking the keyspace until it is over (true) or the time is.
    func walk(
        _ engine: inout Engine, database: Int, prefix: Span<UInt8>, deadlineNanoseconds: Int64
    ) -> Bool {
        if !hasBegun {
            hasBegun = true
            for index in indexes { index.beginRebuild() }
        }
        let now = engine.keyspace.now
        let keepsExpired = engine.keyspace.keepsExpired
        while let place = position {
            position = engine.keyspace[database].table.walkSegment(at: place) { entry in
                if entry.objectType == .hash, entry.key.starts(with: prefix),
                    keepsExpired || !entry.isGone(at: now)
                {
                    read(entry, prefix.count, now)
                }
                return true
            }
            if deadlineNanoseconds != .max, engine.clock.monotonicNanoseconds >= deadlineNanoseconds { break }
        }
        guard position == nil else { return false }
        for index in indexes { index.endRebuild() }
        return true
    }

    private func read(_ entry: Entry, _ prefixByteCount: Int, _ now: Int64) {
        let name = entry.key.extracting(prefixByteCount..<entry.key.count)
        for kind in RecordKind.allCases where name.starts(with: kind.prefix) {
            let id = name.extracting(kind.prefix.utf8CodeUnitCount..<name.count)
            return indexes[kind.rawValue].read(id, entry, now: now)
        }
    }
}
