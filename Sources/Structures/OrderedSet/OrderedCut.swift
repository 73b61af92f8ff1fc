// OrderedCut.swift - a place between two neighbours of the ordered set, said by value: "before everything that scores
// 5 or more", "after member b". Every search in the tree is the search for one cut; ranges are two of them. Internal
// to the ordered set, made and used within one call, under the engine's turn: it borrows the member's bytes.
internal import CLinux

@safe struct OrderedCut {
    private enum Kind { case score, member, entry }

    private let kind: Kind
    /// True when what equals the cut lies in front of it.
    private let isAfter: Bool
    private let score: Double
    private let bytes: UnsafePointer<UInt8>
    private let byteCount: Int

    /// Before (or after) all entries of that score.
    @inline(__always)
    init(score: Double, after: Bool) {
        kind = .score
        isAfter = after
        self.score = score
        unsafe bytes = UnsafePointer(bitPattern: 16).unsafelyUnwrapped
        byteCount = 0
    }

    /// Before (or after) that member, in a set where all scores are equal.
    @unsafe @inline(__always)
    init(member: UnsafePointer<UInt8>, count: Int, after: Bool) {
        kind = .member
        isAfter = after
        score = 0
        unsafe bytes = member
        byteCount = count
    }

    /// Right behind the place of (score, member) in the full order, whether or not it is there.
    @inline(__always)
    init(behind element: Entry, score: Double) {
        kind = .entry
        isAfter = true
        self.score = score
        unsafe bytes = UnsafePointer(element.keyAddress)
        byteCount = element.keyByteCount
    }

    /// Index of the first entry in `low..<high` that lies behind the cut.
    @unsafe @inline(__always)
    func partition(
        _ scores: UnsafeMutablePointer<Double>, _ elements: UnsafeMutablePointer<Entry>, _ low: Int, _ high: Int
    ) -> Int {
        switch kind {
        case .score:
            return isAfter
                ? unsafe OrderedCut.firstAbove(score, scores, low, high)
                : unsafe OrderedCut.firstNotBelow(score, scores, low, high)
        case .entry:
            let first = unsafe OrderedCut.firstNotBelow(score, scores, low, high)
            guard unsafe first < high && scores[first] == score else { return first }
            return unsafe partitionByMember(elements, first, OrderedCut.firstAbove(score, scores, first, high))
        case .member:
            return unsafe partitionByMember(elements, low, high)
        }
    }

    @unsafe @inline(__always)
    private static func firstNotBelow(
        _ score: Double, _ scores: UnsafeMutablePointer<Double>, _ low: Int, _ high: Int
    ) -> Int {
        var base = low
        var length = high &- low
        guard length > 0 else { return low }
        while length > 1 {
            let half = length >> 1
            unsafe base &+= scores[base &+ half &- 1] < score ? half : 0
            length &-= half
        }
        return unsafe scores[base] < score ? base &+ 1 : base
    }

    @unsafe @inline(__always)
    private static func firstAbove(
        _ score: Double, _ scores: UnsafeMutablePointer<Double>, _ low: Int, _ high: Int
    ) -> Int {
        var base = low
        var length = high &- low
        guard length > 0 else { return low }
        while length > 1 {
            let half = length >> 1
            unsafe base &+= scores[base &+ half &- 1] <= score ? half : 0
            length &-= half
        }
        return unsafe scores[base] <= score ? base &+ 1 : base
    }

    @unsafe @inline(never)
    private func partitionByMember(_ elements: UnsafeMutablePointer<Entry>, _ low: Int, _ high: Int) -> Int {
        var base = low
        var length = high &- low
        while length > 0 {
            let half = length >> 1
            let order = unsafe elements[base &+ half].compareMember(bytes, count: byteCount)
            if order < 0 || (isAfter && order == 0) {
                base &+= half &+ 1
                length &-= half &+ 1
            } else {
                length = half
            }
        }
        return base
    }
}
