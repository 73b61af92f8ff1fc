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
    private var markedCount = 0
    /// Ids whose record has tags, by kind, and the tags' clock when they were last looked at: a record dies with a tag
    /// although nothing is written to it.
    private var tagged: [Set<[UInt8]>]
    private var tagClock: UInt64 = 0
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
        tagged = marked
        for index in indexes { index.settingsChanged(settings) }
    }

    var isBuilt: Bool { position == nil }
    var isEmpty: Bool { indexes.allSatisfy { $0.count == 0 } }

    // MARK: changes

    func mark(_ name: Span<UInt8>) {
        for kind in RecordKind.allCases where name.starts(with: kind.prefix) {
            let id = name.extracting(kind.prefix.utf8CodeUnitCount..<name.count)
            if marked[kind.rawValue].insert(id.array).inserted { markedCount += 1 }
            return
        }
    }

    /// Every key went.
    func removeAll() {
        for index in indexes { index.removeAll() }
        forgetMarks()
        hasBegun = false
        position = nil
    }

    /// The keyspace has to be walked: what is known may be wrong.
    func rebuild() {
        forgetMarks()
        hasBegun = false
        position = 0
    }

    private func forgetMarks() {
        for kind in marked.indices {
            marked[kind] = []
            tagged[kind] = []
        }
        markedCount = 0
    }

    // MARK: catching up

    /// More marked records than this are worked off in slices where somebody can wait for it.
    private static let markedCountMax = 256
    /// Records between two looks at the clock.
    private static let stepCount = 64

    /// Whether an index has so much to read that nobody should wait for it under one turn.
    var isBehind: Bool { !isBuilt || markedCount > DatabaseRecords.markedCountMax }

    /// Brings all indexes nearer to what the keyspace holds: true when they are there, false when the time was over
    /// before.
    func catchUp(
        _ engine: inout Engine, database: Int, prefix: Span<UInt8>, deadlineNanoseconds: Int64
    ) -> Bool {
        if !isBuilt {
            let isWalked = walk(
                &engine, database: database, prefix: prefix, deadlineNanoseconds: deadlineNanoseconds)
            if !isWalked { return false }
        }
        markTagged(engine.keyspace.tags.clock)
        let now = engine.keyspace.now
        let count = DatabaseRecords.stepCount
        for kind in RecordKind.allCases {
            while !readMarked(kind, &engine, database: database, prefix: prefix, limit: count) {
                if engine.clock.monotonicNanoseconds >= deadlineNanoseconds { return false }
            }
            while !indexes[kind.rawValue].advance(to: now, countMax: count) {
                if engine.clock.monotonicNanoseconds >= deadlineNanoseconds { return false }
            }
        }
        return true
    }

    /// Has records with tags read again when some tag was invalidated since.
    private func markTagged(_ clock: UInt64) {
        guard clock != tagClock else { return }
        tagClock = clock
        for kind in tagged.indices {
            for id in tagged[kind] where marked[kind].insert(id).inserted { markedCount += 1 }
        }
    }

    private func note(_ entry: Entry, _ id: Span<UInt8>, _ kind: RecordKind) {
        if entry.hasLabel {
            tagged[kind.rawValue].insert(id.array)
        } else if !tagged[kind.rawValue].isEmpty {
            tagged[kind.rawValue].remove(id.array)
        }
    }

    /// Brings the index of `kind` up to date.
    func settle(_ kind: RecordKind, _ engine: inout Engine, database: Int, prefix: Span<UInt8>) {
        if !isBuilt { _ = walk(&engine, database: database, prefix: prefix, deadlineNanoseconds: .max) }
        markTagged(engine.keyspace.tags.clock)
        if !marked[kind.rawValue].isEmpty {
            _ = readMarked(kind, &engine, database: database, prefix: prefix, limit: .max)
        }
        _ = indexes[kind.rawValue].advance(to: engine.keyspace.now, countMax: .max)
    }

    /// Reads up to `limit` marked records; true when none is left.
    func readMarked(
        _ kind: RecordKind, _ engine: inout Engine, database: Int, prefix: Span<UInt8>, limit: Int
    ) -> Bool {
        let index = indexes[kind.rawValue]
        var left = limit
        while left > 0, let id = marked[kind.rawValue].popFirst() {
            left -= 1
            markedCount -= 1
            var key = ByteBuffer(capacity: prefix.count + id.count + 16)
            key.append(prefix)
            key.append(kind.prefix)
            key.append(id)
            let hash = KeyHash.hash(key.span, seed: KeyHash.seed)
            if let slot = engine.keyspace.find(key.span, hash: hash, in: database), slot.entry.objectType == .hash {
                index.read(id.span, slot.entry, now: engine.keyspace.now)
                note(slot.entry, id.span, kind)
            } else {
                index.forget(id.span)
                tagged[kind.rawValue].remove(id)
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
            note(entry, id, kind)
            return indexes[kind.rawValue].read(id, entry, now: now)
        }
    }
}
