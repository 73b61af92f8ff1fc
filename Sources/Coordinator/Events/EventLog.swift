// EventLog.swift - the last events, so that a subscriber that was away can have what it missed: a ring bounded in count
// and in bytes, oldest out first. Sequence numbers have no gaps, so a number leads to its event without a search. Pure.
internal import Base

struct EventLog {
    struct Entry {
        let type: [UInt8]
        let microseconds: Int64
        let payload: [UInt8]

        var byteCount: Int { payload.count + EventLog.overhead }
    }

    /// What an entry takes besides its payload.
    static let overhead = 96

    private var ring: [Entry?] = []
    private var head = 0
    private(set) var count = 0
    private(set) var byteCount = 0
    /// Number of the next event.
    private(set) var nextSequence: Int64 = 1
    var countMax = 10_000
    var byteCountMax = 16 << 20

    /// Number of the oldest event that is kept.
    var firstSequence: Int64 { nextSequence - Int64(count) }

    mutating func append(_ entry: Entry) {
        nextSequence += 1
        guard countMax > 0, entry.byteCount <= byteCountMax else { return removeAll() }
        while count >= countMax || byteCount + entry.byteCount > byteCountMax { removeFirst() }
        if count == ring.count { grow() }
        ring[(head + count) % ring.count] = entry
        count += 1
        byteCount += entry.byteCount
    }

    /// The bounds were changed.
    mutating func trim() {
        while count > 0, count > countMax || byteCount > byteCountMax { removeFirst() }
        if count == 0 { removeAll() }
    }

    private mutating func removeFirst() {
        byteCount -= ring[head]?.byteCount ?? 0
        ring[head] = nil
        head = (head + 1) % ring.count
        count -= 1
    }

    private mutating func removeAll() {
        ring = []
        head = 0
        count = 0
        byteCount = 0
    }

    private mutating func grow() {
        var larger: [Entry?] = []
        larger.reserveCapacity(max(64, ring.count * 2))
        for index in 0..<count { larger.append(ring[(head + index) % ring.count]) }
        while larger.count < max(64, ring.count * 2) { larger.append(nil) }
        ring = larger
        head = 0
    }

    private func entry(_ index: Int) -> Entry? { ring[(head + index) % ring.count] }

    /// Number of the first kept event that is not older than `microseconds`.
    func sequence(from microseconds: Int64) -> Int64 {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if let entry = entry(middle), entry.microseconds < microseconds { low = middle + 1 } else { high = middle }
        }
        return firstSequence + Int64(low)
    }

    /// Calls `body` with the kept events from number `sequence` on, of one type when `type` is given, while it answers
    /// true. Returns the number behind the last one that was looked at.
    func replay(from sequence: Int64, type: [UInt8]?, _ body: (Entry) -> Bool) -> Int64 {
        var next = max(sequence, firstSequence)
        while next < nextSequence {
            if let entry = entry(Int(next - firstSequence)), type == nil || type == entry.type, !body(entry) {
                return next
            }
            next += 1
        }
        return next
    }
}

/// Names of events of the last few seconds: a second event of one name is none.
struct EventNames {
    /// More names than this are not remembered: the oldest go first.
    private static let countMax = 100_000

    private var until: [[UInt8]: Int64] = [:]
    private var order: [(name: [UInt8], until: Int64)] = []
    private var head = 0

    var count: Int { until.count }

    /// Whether the name is remembered.
    func isKnown(_ name: [UInt8], now: Int64) -> Bool { until[name].map { $0 > now } ?? false }

    /// Whether the name is new; it is remembered for `window` milliseconds from `now` then.
    mutating func insert(_ name: [UInt8], now: Int64, window: Int64) -> Bool {
        forget(now)
        if let known = until[name], known > now { return false }
        guard window > 0 else { return true }
        if until.count >= EventNames.countMax { forgetFirst() }
        until[name] = now + window
        order.append((name, now + window))
        return true
    }

    private mutating func forget(_ now: Int64) {
        while head < order.count, order[head].until <= now { forgetFirst() }
    }

    private mutating func forgetFirst() {
        let (name, time) = order[head]
        if until[name] == time { until[name] = nil }
        head += 1
        if head > 64 && head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
    }
}
