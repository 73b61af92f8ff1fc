// WarmJob.swift - one run over a warm set, in slices: finds its keys, for `WarmIndex` to keep in use; a key that is not
// there, or that dies before the next run, is asked for by the event WARM_NEEDED, whose listeners know where values
// come from. Under the turn.
internal import Base
internal import Engine
internal import Keyspace
internal import Structures

/// What a run found.
struct WarmResult {
    /// Keys that are there.
    var present = 0
    /// Of them, those that die before the next run.
    var expiring = 0
    /// Keys of the set that are not there; patterns name none.
    var missing = 0

    var needed: Int { expiring + missing }
}

struct WarmJob {
    let set: [UInt8]
    private let patterns: [[UInt8]]
    private let database: Int
    /// Keys to keep in use: the set's own record, what it names, and the first of those that its patterns match.
    private(set) var hot: [[UInt8]]
    private(set) var result = WarmResult()
    /// Milliseconds since the epoch.
    private(set) var lastStep: Int64 = 0
    /// The pattern that is worked on, and where the walk over the keyspace is.
    private var next = 0
    private var position: UInt64?

    init(_ set: [UInt8], _ patterns: [[UInt8]], _ database: Int, record: [UInt8]) {
        self.set = set
        hot = [record]
        self.patterns = patterns
        self.database = database
    }

    /// More keys than this are not kept in use for one set.
    private static let hotCountMax = 4096

    static func isPattern(_ text: Span<UInt8>) -> Bool { Glob.literalPrefixCount(text) < text.count }

    /// Works until the end (true) or until the deadline has passed.
    mutating func run(
        _ engine: inout Engine, _ events: EventState, intervalSeconds: Int, deadlineNanoseconds: Int64
    ) -> Bool {
        lastStep = engine.keyspace.now
        let horizon = engine.keyspace.now + Int64(intervalSeconds) * 1000
        while next < patterns.count {
            let pattern = patterns[next]
            if WarmJob.isPattern(pattern.span) {
                walk(pattern, &engine, events, horizon)
            } else {
                look(pattern, &engine, events, horizon, isNamed: true)
                next += 1
            }
            if next < patterns.count, engine.clock.monotonicNanoseconds >= deadlineNanoseconds { return false }
        }
        return true
    }

    /// A segment of the keyspace.
    private mutating func walk(
        _ pattern: [UInt8], _ engine: inout Engine, _ events: EventState, _ horizon: Int64
    ) {
        var found: [[UInt8]] = []
        position = engine.keyspace[database].table.walkSegment(at: position ?? 0) { entry in
            if Glob.matches(pattern: pattern.span, text: entry.key) { found.append(entry.key.array) }
            return true
        }
        for key in found { look(key, &engine, events, horizon, isNamed: false) }
        if position == nil { next += 1 }
    }

    private mutating func look(
        _ key: [UInt8], _ engine: inout Engine, _ events: EventState, _ horizon: Int64, isNamed: Bool
    ) {
        if hot.count < WarmJob.hotCountMax { hot.append(key) }
        guard let entry = WarmJob.use(key, database, &engine) else {
            guard isNamed else { return }
            result.missing += 1
            return tell(key, "missing", left: -2, &engine, events)
        }
        result.present += 1
        guard let expiry = entry.expiry, expiry <= horizon else { return }
        result.expiring += 1
        tell(key, "expiring", left: max(0, expiry - engine.keyspace.now), &engine, events)
    }

    /// Uses a key as often as counts for eviction; nil when it is not there.
    @discardableResult
    static func use(_ key: [UInt8], _ database: Int, _ engine: inout Engine) -> Entry? {
        let hash = KeyHash.hash(key.span, seed: KeyHash.seed)
        guard let slot = engine.keyspace.find(key.span, hash: hash, in: database) else { return nil }
        engine.keyspace.clocks.note(hash, in: database, at: engine.keyspace.now)
        for _ in 0..<WarmJob.useCount { engine.keyspace.noteAccess(slot.entry, silently: false) }
        return slot.entry
    }

    /// Uses that make a key one that eviction lets live.
    private static let useCount = 3

    private func tell(
        _ key: [UInt8], _ reason: StaticString, left: Int64, _ engine: inout Engine, _ events: EventState
    ) {
        var data = JSONObject()
        data.add("set", set.span)
        data.add("reason", text: reason)
        data.add("ttl_ms", decimal: left)
        var event = EventDraft(.warmNeeded, resource: key.span)
        event.data = data.finish()
        _ = engine.publishEvent(event, events)
    }
}
