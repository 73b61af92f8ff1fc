// PatternJob.swift - removing every key of a database that matches one of some patterns, in slices that hold the turn
// for a fraction of a millisecond. It walks the table in hash order, so it meets every key that was there when it began
// and stays, whatever is added and removed between two slices. Leases of such keys end too. Under the turn.
internal import Base
internal import Engine
internal import Keyspace
internal import Structures

struct PatternJob {
    let database: Int
    let patterns: [[UInt8]]
    /// What MANUAL_INVALIDATION says when it is over: the selector and what it selected by.
    let selector: StaticString
    let subject: [UInt8]
    /// Whether MANUAL_INVALIDATION is said at all: not, when another event led to it.
    let tells: Bool
    let startNanoseconds: Int64
    private var position: UInt64? = 0
    private(set) var removed = 0
    /// Milliseconds since the epoch.
    private(set) var lastRun: Int64 = 0

    init(
        _ patterns: [[UInt8]], database: Int, selector: StaticString, subject: [UInt8], startNanoseconds: Int64,
        removed: Int = 0, tells: Bool = true
    ) {
        self.tells = tells
        self.patterns = patterns
        self.database = database
        self.selector = selector
        self.subject = subject
        self.startNanoseconds = startNanoseconds
        self.removed = removed
    }

    /// Works until the end (true) or until `deadlineNanoseconds` (monotonic) has passed.
    mutating func run(_ engine: inout Engine, _ cache: CacheState, deadlineNanoseconds: Int64) -> Bool {
        lastRun = engine.keyspace.now
        if position == 0, cache.leases.count > 0 {
            let patterns = patterns
            cache.leases.revoke(database: database) { key in
                patterns.contains { Glob.matches(pattern: $0.span, text: key.span) }
            }
        }
        while let place = position {
            var found: [[UInt8]] = []
            position = engine.keyspace[database].table.walkSegment(at: place) { entry in
                if matches(entry.key) { found.append(entry.key.array) }
                return true
            }
            for key in found where engine.removeKey(key.span, in: database) { removed += 1 }
            if engine.clock.monotonicNanoseconds >= deadlineNanoseconds { break }
        }
        return position == nil
    }

    private func matches(_ key: Span<UInt8>) -> Bool {
        for pattern in patterns where Glob.matches(pattern: pattern.span, text: key) { return true }
        return false
    }
}
