// SortedSetView.swift - reading a sorted set in either form: pairs in a listpack, or table and tree. Ranges are
// stretches of ranks, whatever the client named them by, and one walk serves all commands. Borrowed from the key's
// entry, valid until the set is changed; engine's turn. Cost: O(log n) to find a stretch of a large set, O(1) per
// member walked.
internal import Base

/// A stretch of neighbours in a sorted set; dead as soon as the set is changed.
package struct SortedStretch {
    /// Ranks of the members in the stretch.
    package let ranks: Range<Int>
    /// In front of the first and behind the last member, where a search found these places already.
    let start: OrderedCursor?
    let end: OrderedCursor?

    init(_ ranks: Range<Int>, start: OrderedCursor? = nil, end: OrderedCursor? = nil) {
        self.ranks = ranks
        self.start = start
        self.end = end
    }

    /// Members in the stretch.
    package var count: Int { ranks.count }

    /// What is left of the stretch after `offset` members, at most `limit` of them (a negative limit is none), counted
    /// from its end when `isReversed`. A negative offset leaves nothing, as in Redis.
    package func limited(offset: Int, limit: Int, isReversed: Bool) -> SortedStretch {
        guard offset >= 0, offset < count else { return SortedStretch(ranks.lowerBound..<ranks.lowerBound) }
        let kept = limit < 0 ? count - offset : min(limit, count - offset)
        let low = isReversed ? ranks.upperBound - offset - kept : ranks.lowerBound + offset
        let left = low..<(low + kept)
        return SortedStretch(
            left, start: low == ranks.lowerBound ? start : nil, end: left.upperBound == ranks.upperBound ? end : nil)
    }
}

/// A member of a set, to come back to; dead as soon as the set is changed.
package struct SortedMember {
    fileprivate let entry: Entry?
    fileprivate let offset: Int
}

@safe package struct SortedSetView: ~Escapable {
    /// The pairs of a small set; nil for a large one.
    private let pairs: ScoredPairs?
    private let large: UnsafePointer<SortedSet>?

    /// Views a small set: `list` must hold pairs that this module put there or validated.
    @_lifetime(copy list) @inline(__always)
    package init(pairs list: ListpackView) {
        pairs = ScoredPairs(list)
        unsafe large = nil
    }

    /// Views a large set. The caller promises that it outlives the view and is not changed meanwhile.
    @unsafe @_lifetime(immortal) @inline(__always)
    package init(large: UnsafePointer<SortedSet>) {
        pairs = nil
        unsafe self.large = large
    }

    @unsafe private var set: UnsafePointer<SortedSet> {
        @inline(__always) get { unsafe large.unsafelyUnwrapped }
    }

    /// Members held.
    package var count: Int {
        @inline(__always) get {
            if let pairs { return pairs.count }
            return unsafe set.pointee.count
        }
    }

    /// Whether table and tree hold the set.
    package var isLarge: Bool { pairs == nil }

    // MARK: one member

    /// The score of `member`, or nil.
    package func score(of member: Span<UInt8>) -> Double? {
        if let pairs {
            guard let offset = pairs.find(member) else { return nil }
            return pairs.score(at: offset)
        }
        return unsafe set.pointee.find(member, hash: set.pointee.hash(member))?.entry.score
    }

    /// Members in front of `member`, and its score; nil when it is not there.
    package func rank(of member: Span<UInt8>) -> (rank: Int, score: Double)? {
        if let pairs {
            guard let offset = pairs.find(member) else { return nil }
            return (pairs.rank(at: offset), pairs.score(at: offset))
        }
        guard let entry = unsafe set.pointee.find(member, hash: set.pointee.hash(member))?.entry else { return nil }
        return unsafe (set.pointee.order.rank(of: entry), entry.score)
    }

    // MARK: stretches

    /// All members.
    package var whole: SortedStretch { SortedStretch(0..<count) }

    /// The members with these ranks, which lie within the set.
    package func stretch(_ ranks: Range<Int>) -> SortedStretch { SortedStretch(ranks) }

    /// The members between two scores.
    package func stretch(from minimum: ScoreBound, to maximum: ScoreBound) -> SortedStretch {
        if let pairs { return SortedStretch(pairs.ranks(from: minimum, to: maximum)) }
        let slice = unsafe set.pointee.order.slice(from: minimum, to: maximum)
        return SortedStretch(slice.ranks, start: slice.start, end: slice.end)
    }

    /// The members between two members, in a set whose scores are all equal.
    package func stretch(from minimum: borrowing LexBound, to maximum: borrowing LexBound) -> SortedStretch {
        if let pairs { return SortedStretch(pairs.ranks(from: minimum, to: maximum)) }
        let slice = unsafe set.pointee.order.slice(from: minimum, to: maximum)
        return SortedStretch(slice.ranks, start: slice.start, end: slice.end)
    }

    /// Calls `body` with the members of `stretch` and their scores, from its end when `isReversed`.
    @inline(__always)
    package func forEach(
        in stretch: SortedStretch, isReversed: Bool = false, _ body: (ListpackElement, Double) -> Void
    ) {
        if stretch.count == 0 { return }
        if let pairs {
            SortedSetView.walk(pairs, stretch.ranks, isReversed, body)
        } else if isReversed {
            var cursor = unsafe stretch.end ?? set.pointee.order.cursor(atRank: stretch.ranks.upperBound)
            for _ in 0..<stretch.count {
                guard let entry = cursor.previous() else { preconditionFailure("a stretch lies within its set") }
                body(.bytes(entry.key), entry.score)
            }
        } else {
            var cursor = unsafe stretch.start ?? set.pointee.order.cursor(atRank: stretch.ranks.lowerBound)
            for _ in 0..<stretch.count {
                guard let entry = cursor.next() else { preconditionFailure("a stretch lies within its set") }
                body(.bytes(entry.key), entry.score)
            }
        }
    }

    private static func walk(
        _ pairs: borrowing ScoredPairs, _ ranks: Range<Int>, _ isReversed: Bool,
        _ body: (ListpackElement, Double) -> Void
    ) {
        var offset = pairs.offset(ofRank: isReversed ? ranks.upperBound : ranks.lowerBound)
        for _ in ranks {
            if isReversed {
                guard let score = pairs.list.previous(&offset), let member = pairs.list.previous(&offset) else {
                    preconditionFailure("a stretch lies within its set")
                }
                body(member, ScoredPairs.score(score))
            } else {
                var score = 0.0
                guard let member = pairs.nextMember(&offset, &score) else {
                    preconditionFailure("a stretch lies within its set")
                }
                body(member, score)
            }
        }
    }

    /// Calls `body` with references to the members from the first whose score `minimum` admits on, in order, as long as
    /// it says true: for searches over many short score ranges that refuse most members by their score.
    @inline(__always)
    package func forEachReference(from minimum: ScoreBound, _ body: (SortedMember, Double) -> Bool) {
        if let pairs {
            var offset = pairs.list.startOffset
            var score = 0.0
            while offset != pairs.list.endOffset {
                let start = offset
                _ = pairs.nextMember(&offset, &score)
                if minimum.admitsAsMinimum(score), !body(SortedMember(entry: nil, offset: start), score) { return }
            }
            return
        }
        var cursor = unsafe set.pointee.order.cursor(from: minimum)
        while let found = cursor.nextScored() {
            if !body(SortedMember(entry: found.element, offset: 0), found.score) { return }
        }
    }

    /// Runs `body` over the member that `reference` leads to.
    @inline(__always)
    package func withMember(_ reference: SortedMember, _ body: (ListpackElement) -> Void) {
        if let entry = reference.entry { return body(.bytes(entry.key)) }
        guard let pairs else { preconditionFailure("a reference is used with its own set") }
        body(pairs.list.element(at: reference.offset))
    }

    // MARK: scanning and random picks

    /// Runs `body` over the table of a large set, whose entries are members with their scores.
    package func withTable(_ body: (borrowing MemberTable) -> Void) {
        precondition(isLarge, "a small set has no table")
        unsafe body(set.pointee.members)
    }

    /// Bytes that the allocator gave for a large set; 0 for a small one, which lies in its entry.
    package var allocatedBytes: Int { isLarge ? unsafe set.pointee.allocatedBytes : 0 }

    /// Calls `body` with `picks` members, each drawn from all of them; the set is not empty. `below(n)` gives a random
    /// number in 0..<n.
    package func forEachRandom(_ picks: Int, below: (Int) -> Int, _ body: (ListpackElement, Double) -> Void) {
        let count = count
        if let pairs {
            var offsets: [Int32] = []
            if picks > 1 { pairs.list.appendOffsets(stride: 2, to: &offsets) }
            for _ in 0..<picks {
                let rank = below(count)
                var offset = picks > 1 ? Int(offsets[rank]) : pairs.offset(ofRank: rank)
                var score = 0.0
                if let member = pairs.nextMember(&offset, &score) { body(member, score) }
            }
            return
        }
        for _ in 0..<picks {
            guard let entry = unsafe set.pointee.order.element(atRank: below(count)) else { return }
            body(.bytes(entry.key), entry.score)
        }
    }

    /// Calls `body` with `picks` different members, every such choice equally likely; all when there are not more.
    package func forEachDistinctRandom(_ picks: Int, below: (Int) -> Int, _ body: (ListpackElement, Double) -> Void) {
        let count = count
        // A walk costs a few nanoseconds a member, a descent some hundred.
        guard isLarge, picks < count / 16 else {
            var membersLeft = count
            var picksLeft = min(picks, count)
            forEach(in: whole) { member, score in
                // Knuth's algorithm S: take this one with the chance (picks left) / (members left).
                if picksLeft > 0, below(membersLeft) < picksLeft {
                    body(member, score)
                    picksLeft -= 1
                }
                membersLeft -= 1
            }
            return
        }
        // Floyd's: one draw per pick, and never a rank twice.
        var ranks: Set<Int> = []
        for limit in (count - picks)..<count {
            let drawn = below(limit + 1)
            let rank = ranks.contains(drawn) ? limit : drawn
            ranks.insert(rank)
            guard let entry = unsafe set.pointee.order.element(atRank: rank) else { return }
            body(.bytes(entry.key), entry.score)
        }
    }
}
