// OrderedSet+Range.swift - score and lex ranges of an ordered set, as ranks and cursors: two descents, whatever the
// range holds, so ZCOUNT and ZLEXCOUNT cost what a lookup costs, and a walk needs no comparison per element. Part of
// `OrderedSet`, same owner and thread. Lex ranges mean something only where all scores are equal, as in Redis.
internal import Base

/// A stretch of an ordered set; dead as soon as the set is changed.
package struct OrderedSlice {
    /// Ranks of the elements in the stretch.
    package let ranks: Range<Int>
    /// In front of the stretch's first element, for walking up.
    package let start: OrderedCursor
    /// Behind its last element, for walking down.
    package let end: OrderedCursor

    /// Elements in the stretch.
    package var count: Int { ranks.count }
}

extension OrderedSet {
    /// The elements between two scores.
    package func slice(from minimum: ScoreBound, to maximum: ScoreBound) -> OrderedSlice {
        slice(locate(minimum.cutAsMinimum), locate(maximum.cutAsMaximum))
    }

    /// The elements between two members, in a set whose scores are all equal.
    package func slice(from minimum: borrowing LexBound, to maximum: borrowing LexBound) -> OrderedSlice {
        slice(locate(minimum, isMinimum: true), locate(maximum, isMinimum: false))
    }

    private func slice(
        _ low: (rank: Int, cursor: OrderedCursor), _ high: (rank: Int, cursor: OrderedCursor)
    ) -> OrderedSlice {
        // Bounds the wrong way round are an empty range, not an error.
        OrderedSlice(ranks: low.rank..<max(low.rank, high.rank), start: low.cursor, end: high.cursor)
    }

    private func locate(_ bound: borrowing LexBound, isMinimum: Bool) -> (rank: Int, cursor: OrderedCursor) {
        switch bound.kind {
        case .minimum: return (0, startCursor())
        case .maximum: return (count, endCursor())
        case .inclusive, .exclusive:
            let isAfter = (bound.kind == .exclusive) == isMinimum
            return unsafe bound.member.withUnsafeBufferPointer { bytes in
                // An empty member's address is never read.
                let start = unsafe bytes.baseAddress ?? UnsafePointer(bitPattern: 16).unsafelyUnwrapped
                return locate(unsafe OrderedCut(member: start, count: bytes.count, after: isAfter))
            }
        }
    }

    /// A cursor in front of the first element that satisfies a range's minimum.
    package func cursor(from minimum: ScoreBound) -> OrderedCursor { locate(minimum.cutAsMinimum).cursor }

    /// The first element that satisfies a range's minimum, or nil.
    package func first(from minimum: ScoreBound) -> Entry? {
        var cursor = locate(minimum.cutAsMinimum).cursor
        return cursor.next()
    }

    /// The last element that satisfies a range's maximum, or nil.
    package func last(to maximum: ScoreBound) -> Entry? {
        var cursor = locate(maximum.cutAsMaximum).cursor
        return cursor.previous()
    }

    /// The first element that satisfies a lex range's minimum, or nil.
    package func first(from minimum: borrowing LexBound) -> Entry? {
        var cursor = locate(minimum, isMinimum: true).cursor
        return cursor.next()
    }

    /// The last element that satisfies a lex range's maximum, or nil.
    package func last(to maximum: borrowing LexBound) -> Entry? {
        var cursor = locate(maximum, isMinimum: false).cursor
        return cursor.previous()
    }
}
