// SortedSetBounds.swift - a range of a sorted set as clients write it: by rank, by score or by member bytes. Read and
// refused before the key is looked at, then laid on a set as a stretch of ranks. Engine's turn only.
internal import Base
internal import Engine
internal import RESP
internal import Structures

/// What the two ends of a range mean.
enum SortedSetOrder {
    case rank
    case score
    case member
}

/// A range whose two ends were read.
struct SortedSetBounds {
    private enum Ends {
        case ranks(first: Int, last: Int)
        case scores(ScoreBound, ScoreBound)
        /// Argument indices of two bounds that are known to be right.
        case members(minimum: Int, maximum: Int)
    }

    private let ends: Ends
    private let isReversed: Bool

    /// Reads arguments `index` and `index + 1`. In reverse, ranks count from the top, and of scores and members the
    /// maximum stands first.
    init(
        _ call: borrowing Call, at index: Int, _ order: SortedSetOrder, isReversed: Bool = false
    ) throws(CommandError) {
        self.isReversed = isReversed
        let minimum = isReversed ? index + 1 : index
        let maximum = isReversed ? index : index + 1
        switch order {
        case .rank:
            ends = .ranks(first: try call.integer(index), last: try call.integer(index + 1))
        case .score:
            guard let low = ScoreBound(parsing: call.arguments[minimum]),
                let high = ScoreBound(parsing: call.arguments[maximum])
            else { throw .badScoreRange }
            ends = .scores(low, high)
        case .member:
            guard LexBound(parsing: call.arguments[minimum]) != nil, LexBound(parsing: call.arguments[maximum]) != nil
            else { throw .badMemberRange }
            ends = .members(minimum: minimum, maximum: maximum)
        }
    }

    /// The part of `set` that lies within the range.
    func stretch(of set: borrowing SortedSetView, _ arguments: Arguments) -> SortedStretch {
        switch ends {
        case .ranks(let first, let last):
            let range = ListRange(first, last, of: set.count)
            let start = isReversed ? set.count - range.start - range.count : range.start
            return set.stretch(range.count == 0 ? 0..<0 : start..<(start + range.count))
        case .scores(let low, let high):
            return set.stretch(from: low, to: high)
        case .members(let minimum, let maximum):
            guard let low = LexBound(parsing: arguments[minimum]), let high = LexBound(parsing: arguments[maximum])
            else { preconditionFailure("the bounds were read before") }
            return set.stretch(from: low, to: high)
        }
    }
}
