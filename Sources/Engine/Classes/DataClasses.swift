// DataClasses.swift - the classes of every database and what is known of their keys: bytes, reads that found a key and
// that did not, keys that went. Definitions are given from outside (`Engine.setClasses`); everything here is derived
// and can be counted anew from the keyspace. Owned by the engine, under the turn.
internal import Base

/// What happened to the keys of a class; CONFIG RESETSTAT begins anew.
package struct ClassCounters: Sendable {
    package var hits = 0
    package var misses = 0
    /// Keys that went because memory, or the class's share of it, was full.
    package var evicted = 0
    package var expired = 0
    /// Commands that were not run because the class was full and no key of it may go.
    package var refused = 0
}

/// One database's classes.
struct ClassSpace {
    /// In order of precedence.
    private(set) var classes: [DataClass] = []
    private(set) var limits: [ClassLimits] = []
    private(set) var matcher = ClassMatcher()
    /// Classes whose limit may refuse a write; numbers.
    private(set) var refusing: [Int] = []
    var ledgers: [ClassLedger] = []
    /// Of a class whose keys go by their expiry: those of the last samples that have not gone.
    var soonest: [SoonestKeys] = []
    var counters: [ClassCounters] = []
    /// Where counting the keys that are there goes on; nil when all are counted.
    var countingPosition: UInt64?
    /// Where the endless walk that corrects charges goes on.
    var auditPosition: UInt64 = 0

    init() {}

    static func ordered(_ classes: [DataClass]) -> [DataClass] {
        classes.sorted { left, right in
            if left.priority != right.priority { return left.priority > right.priority }
            let lengths = [left, right].map { Glob.literalPrefixCount($0.pattern.span) }
            if lengths[0] != lengths[1] { return lengths[0] > lengths[1] }
            return left.name.lexicographicallyPrecedes(right.name)
        }
    }

    /// Takes new definitions. What was counted stays where no key can have changed its class.
    mutating func set(_ fresh: [DataClass]) {
        let sorted = ClassSpace.ordered(fresh)
        let isSame = sorted.count == classes.count && zip(sorted, classes).allSatisfy { $0.hasKeys(of: $1) }
        if !isSame {
            let old = counters
            let names = classes.map(\.name)
            counters = sorted.map { item in names.firstIndex(of: item.name).map { old[$0] } ?? ClassCounters() }
            matcher = ClassMatcher(sorted)
            recount(sorted.count)
        }
        classes = sorted
        limits = sorted.map(\.limits)
        refusing = limits.indices.filter { limits[$0].mayRefuse }
    }

    /// What the keys of a class cost together, as MEMORY USAGE tells it; each has a share of the table.
    func byteCount(_ number: Int, tableShare: Int) -> Int {
        ledgers[number].chargedByteCount + ledgers[number].count * tableShare
    }

    func isOverLimit(_ number: Int, tableShare: Int) -> Bool {
        let limit = limits[number].byteCountMax
        return limit > 0 && byteCount(number, tableShare: tableShare) > limit
    }

    /// Whether the class is over its limit and no key of it may go.
    func isFull(_ number: Int, tableShare: Int) -> Bool {
        guard limits[number].mayRefuse, isOverLimit(number, tableShare: tableShare) else { return false }
        return limits[number].eviction == nil || ledgers[number].volatileCount == 0
    }

    /// Forgets what was counted: the keys are others.
    mutating func recount(_ count: Int? = nil) {
        let count = count ?? classes.count
        ledgers = [ClassLedger](repeating: ClassLedger(), count: count)
        soonest = [SoonestKeys](repeating: SoonestKeys(), count: count)
        countingPosition = 0
    }
}

package struct DataClasses {
    /// By database number.
    var spaces: [ClassSpace?] = []
    /// Whether there is any class.
    private(set) var isOn = false
    /// Whether there is one whose limit may refuse a write.
    private(set) var mayRefuse = false
    /// A class may be over its limit.
    var hasExcess = false
    /// The key that was written last is the last to go for its class's limit.
    var sparedHash: UInt64 = 0

    init() {}

    mutating func set(_ classes: [DataClass], database: Int) {
        while spaces.count <= database { spaces.append(nil) }
        if classes.isEmpty {
            spaces[database] = nil
        } else {
            var space = ClassSpace()
            swap(&space, at: database)
            space.set(Array(classes.prefix(DataClass.countMax)))
            swap(&space, at: database)
        }
        isOn = spaces.contains { $0 != nil }
        mayRefuse = spaces.contains { $0?.refusing.isEmpty == false }
        hasExcess = isOn
    }

    private mutating func swap(_ space: inout ClassSpace, at database: Int) {
        let held = spaces[database] ?? ClassSpace()
        spaces[database] = space
        space = held
    }

    /// Keys that were there before their class are not all counted yet.
    var isCounting: Bool { spaces.contains { $0?.countingPosition != nil } }

    /// The class of `key`; -1 for none.
    func find(_ key: Span<UInt8>, _ database: Int) -> Int {
        guard database < spaces.count else { return -1 }
        return spaces[database]?.matcher.find(key) ?? -1
    }

    mutating func resetCounters() {
        for database in spaces.indices {
            guard let count = spaces[database]?.counters.count else { continue }
            spaces[database]?.counters = [ClassCounters](repeating: ClassCounters(), count: count)
        }
    }
}
