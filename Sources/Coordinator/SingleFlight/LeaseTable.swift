// LeaseTable.swift - who fetches what a cache misses: of all clients that miss a key, one gets the lease and loads the
// value from wherever it comes; the others wait or take what is there. A lease ends when its value was filled in, when
// its time is over, or when the key was invalidated meanwhile, so that a slow client cannot put an old value over a
// newer truth. Tags that were invalidated while leases are out are remembered for the same reason. Pure: time and
// tokens are passed in.
internal import Base

/// A key in a database.
package struct LeaseKey: Hashable, Sendable {
    package let database: Int
    package let bytes: [UInt8]

    package init(database: Int, _ key: Span<UInt8>) {
        self.database = database
        bytes = key.array
    }
}

package struct Lease: Equatable, Sendable {
    package let token: UInt64
    /// Milliseconds since the epoch.
    package let grantedAt: Int64
    package let expiresAt: Int64
    /// Whether the key had a value when the lease was granted (a refresh of a stale one).
    package let isRefresh: Bool
    /// How many invalidations of tags there had been.
    package let stamp: UInt64
}

package struct LeaseTable {
    /// More leases than this are not given out: whoever misses then is told to fetch without one.
    package static let countMax = 1_000_000
    /// Tags remembered; when there were more, every lease of before is worth nothing for values with tags.
    private static let tagsMax = 4096

    private var leases: [LeaseKey: Lease] = [:]
    /// Leases in the order in which they were granted, for forgetting those that are over.
    private var order: [(key: LeaseKey, token: UInt64, expiresAt: Int64)] = []
    private var head = 0
    private var tags: [[UInt8]: UInt64] = [:]
    private var stamp: UInt64 = 1
    /// Leases with an older stamp may not fill values with tags: too much was forgotten.
    private var forgottenAt: UInt64 = 0

    /// Leases granted, and those whose time ended without a value.
    package private(set) var granted = 0
    package private(set) var filled = 0
    package private(set) var refused = 0

    package init() {}

    /// Leases that are out, including some whose time is over.
    package var count: Int { leases.count }

    /// The lease that is out for a key; nil when there is none or its time is over.
    package func lease(_ key: LeaseKey, now: Int64) -> Lease? {
        guard let lease = leases[key], lease.expiresAt > now else { return nil }
        return lease
    }

    /// Grants the lease of a key for which none is out; nil when too many are.
    package mutating func grant(
        _ key: LeaseKey, token: UInt64, now: Int64, milliseconds: Int64, isRefresh: Bool
    ) -> Lease? {
        precondition(lease(key, now: now) == nil, "one lease of a key is out at a time")
        forget(now)
        if leases.count >= LeaseTable.countMax { leases = leases.filter { $0.value.expiresAt > now } }
        guard leases.count < LeaseTable.countMax else { return nil }
        let lease = Lease(
            token: token, grantedAt: now, expiresAt: now + milliseconds, isRefresh: isRefresh, stamp: stamp)
        leases[key] = lease
        order.append((key, token, lease.expiresAt))
        granted += 1
        return lease
    }

    /// Why a value cannot be filled in.
    package enum Refusal: Equatable, Sendable {
        /// No lease is out: its time was over, it was used, or the key was invalidated.
        case noLease
        /// Another one's lease is out.
        case other
        /// A tag of the value was invalidated after the lease was granted.
        case staleTag
    }

    /// Ends the lease of a key by filling it in. Nil when that is right.
    package mutating func fill(_ key: LeaseKey, token: UInt64, tags names: [[UInt8]], now: Int64) -> Refusal? {
        guard let lease = lease(key, now: now) else {
            refused += 1
            return .noLease
        }
        guard lease.token == token else {
            refused += 1
            return .other
        }
        if !names.isEmpty {
            let isStale = lease.stamp < forgottenAt || names.contains { (tags[$0] ?? 0) > lease.stamp }
            if isStale {
                refused += 1
                leases[key] = nil
                return .staleTag
            }
        }
        leases[key] = nil
        filled += 1
        if leases.isEmpty { tags = [:] }
        return nil
    }

    /// The key was invalidated: what its lease brings is old.
    package mutating func revoke(_ key: LeaseKey) {
        guard !leases.isEmpty else { return }
        leases[key] = nil
    }

    /// All keys of a database that `matches` were invalidated. Cost: the leases that are out.
    package mutating func revoke(database: Int?, where matches: ([UInt8]) -> Bool) {
        for key in leases.keys where (database == nil || key.database == database) && matches(key.bytes) {
            leases[key] = nil
        }
    }

    /// A tag was invalidated.
    package mutating func noteInvalidation(of tag: Span<UInt8>) {
        stamp += 1
        guard !leases.isEmpty else { return }
        if tags.count >= LeaseTable.tagsMax {
            tags = [:]
            forgottenAt = stamp
        }
        tags[tag.array] = stamp
    }

    /// Forgets leases whose time is over.
    package mutating func forget(_ now: Int64) {
        while head < order.count {
            let (key, token, expiresAt) = order[head]
            if let lease = leases[key], lease.token == token {
                // One that lasts longer than those behind it holds them up; they are looked at by time anyway.
                if expiresAt > now { break }
                leases[key] = nil
            }
            head += 1
        }
        if head > 64 && head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
        if leases.isEmpty { tags = [:] }
    }

    package mutating func resetStatistics() {
        granted = 0
        filled = 0
        refused = 0
    }
}
