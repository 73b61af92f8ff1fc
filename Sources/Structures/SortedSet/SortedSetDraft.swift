// SortedSetDraft.swift - a sorted set while it is built or changed, in whichever form it has: it starts as pairs in a
// listpack and becomes table and tree when a member no longer fits into the small form, at the point where Redis does
// it. `Keyspace.updateSortedSet` lends one for a key's set; commands that store a result fill one of their own.
// Engine's turn; one owner. A set that became large stays large.
internal import Base

/// How much of a sorted set may be kept as pairs: `zset-max-listpack-entries` and `zset-max-listpack-value`.
package struct SortedSetLimits: Equatable, Sendable {
    /// Members at most.
    package let countMax: Int
    /// Bytes of a member at most.
    package let memberByteCountMax: Int

    /// Limits as the directives give them.
    package init(countMax: Int, memberByteCountMax: Int) {
        self.countMax = countMax
        self.memberByteCountMax = memberByteCountMax
    }
}

/// What is known about one member's place in a draft; dead as soon as the draft is changed.
package struct SortedPlace {
    /// The member's score; nil when it is not in the set.
    package let score: Double?
    fileprivate let hash: UInt64
    fileprivate let slot: EntryTable.Slot?
    fileprivate let offset: Int
}

package struct SortedSetDraft: ~Copyable {
    /// The pairs of a small set; nil once the set is large.
    private var pairs: Listpack?
    private var large = SortedSet()
    private let limits: SortedSetLimits

    /// An empty set. It is large from the beginning when it is known that it will be.
    package init(_ limits: SortedSetLimits, expectedCount: Int = 0, expectedMemberByteCount: Int = 0) {
        self.limits = limits
        let isSmall = expectedCount <= limits.countMax && expectedMemberByteCount <= limits.memberByteCountMax
        pairs = isSmall ? Listpack() : nil
    }

    /// Goes on with a small set, whose pairs are trusted.
    package init(pairs: consuming Listpack, _ limits: SortedSetLimits) {
        self.pairs = consume pairs
        self.limits = limits
    }

    /// Whether bytes from outside, a well-formed listpack in which no member stands twice, are pairs in order.
    package static func validatePairs(_ list: ListpackView) -> Bool { ScoredPairs.validate(list) }

    /// Goes on with a large set.
    package init(large: consuming SortedSet, _ limits: SortedSetLimits) {
        pairs = nil
        self.large = large
        self.limits = limits
    }

    /// Whether table and tree hold the set.
    package var isLarge: Bool { @inline(__always) get { pairs == nil } }

    /// The set's pairs, handed on; only of a small one.
    package consuming func takePairs() -> Listpack {
        guard let pairs else { preconditionFailure("a large set has no pairs") }
        return pairs
    }

    /// Table and tree, handed on; only of a large set.
    package consuming func takeLarge() -> SortedSet { large }

    /// Members held.
    package var count: Int {
        switch pairs {
        case .some(let pairs): ScoredPairs(pairs.view).count
        case .none: large.count
        }
    }

    // MARK: one member

    /// Where `member` is or is not.
    @inline(__always)
    package func place(of member: Span<UInt8>) -> SortedPlace {
        switch pairs {
        case .some(let list):
            let found = ScoredPairs(list.view)
            guard let offset = found.find(member) else {
                return SortedPlace(score: nil, hash: 0, slot: nil, offset: 0)
            }
            return SortedPlace(score: found.score(at: offset), hash: 0, slot: nil, offset: offset)
        case .none:
            let hash = large.hash(member)
            let slot = large.find(member, hash: hash)
            return SortedPlace(score: slot?.entry.score, hash: hash, slot: slot, offset: 0)
        }
    }

    /// Adds `member`, which `place` says is not there; `score` is a number.
    @inline(__always)
    package mutating func insert(_ member: Span<UInt8>, score: Double, at place: SortedPlace) {
        precondition(place.score == nil, "an inserted member is new")
        guard !isLarge else { return large.insert(member, hash: place.hash, score: score) }
        if fits(member, score: score) {
            pairs!.insertPair(member, score: score)
        } else {
            becomeLarge()
            large.insert(member, hash: large.hash(member), score: score)
        }
    }

    /// Gives `member` at `place` another score, which is a number.
    @inline(__always)
    package mutating func setScore(_ score: Double, of member: Span<UInt8>, at place: SortedPlace) {
        precondition(place.score != nil, "only a member has a score")
        if let slot = place.slot { return large.setScore(slot, score) }
        pairs!.setScore(at: place.offset, member: member, score: score)
    }

    /// Adds `member` behind all others, where the caller knows that it belongs.
    package mutating func append(_ member: Span<UInt8>, score: Double) {
        if !isLarge {
            if fits(member, score: score) { return pairs!.appendPair(member, score: score) }
            becomeLarge()
        }
        large.insert(member, hash: large.hash(member), score: score)
    }

    /// Adds `member` or gives it another score.
    package mutating func set(_ member: Span<UInt8>, score: Double) {
        let place = place(of: member)
        if place.score == nil {
            insert(member, score: score, at: place)
        } else if place.score != score {
            setScore(score, of: member, at: place)
        }
    }

    /// Takes the member at `place` out.
    package mutating func remove(at place: SortedPlace) {
        precondition(place.score != nil, "only a member can be removed")
        if let slot = place.slot { return large.remove(slot, hash: place.hash) }
        pairs!.removeRange(at: place.offset, count: 2)
    }

    /// Takes out the members whose rank lies in `ranks`.
    package mutating func removeRanks(_ ranks: Range<Int>) {
        if ranks.isEmpty { return }
        guard !isLarge else { return large.removeRange(ranks) { _ in } }
        pairs!.removeRange(index: ranks.lowerBound * 2, count: ranks.count * 2)
    }

    // MARK: forms

    private func fits(_ member: Span<UInt8>, score: Double) -> Bool {
        count < limits.countMax && member.count <= limits.memberByteCountMax
            && (pairs?.hasRoom(for: ScoredPairs.byteCount(member, score: score)) ?? false)
    }

    /// Makes the set large when it is to get `added` members and that alone exceeds the limit: Redis decides so before
    /// it looks which of them are there already.
    package mutating func expect(_ added: Int) {
        if !isLarge && added > limits.countMax { becomeLarge() }
    }

    private mutating func becomeLarge() {
        guard let list = pairs.take() else { return }
        let old = ScoredPairs(list.view)
        var offset = list.view.startOffset
        var score = 0.0
        while let member = old.nextMember(&offset, &score) {
            member.withText { text in large.insert(text, hash: large.hash(text), score: score) }
        }
    }
}
