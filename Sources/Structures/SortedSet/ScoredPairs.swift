// ScoredPairs.swift - a small sorted set as Redis keeps it in a listpack: member, score, member, score, in order.
// Scores are integers where they are whole, else their shortest text. Reading is a view of the bytes, changing an
// extension of `Listpack`. Pure; engine's turn. Only for listpacks that this module built or `ScoredPairs.validate`
// accepted. Cost: everything walks, which is fine for the hundred or so pairs that a small set has.
internal import Base
internal import CLinux

/// Reads the pairs where they lie.
struct ScoredPairs: ~Escapable {
    let list: ListpackView

    @_lifetime(copy list) @inline(__always)
    init(_ list: ListpackView) { self.list = list }

    var count: Int { @inline(__always) get { list.count / 2 } }

    /// The score that `element` spells.
    @inline(__always)
    static func score(_ element: ListpackElement) -> Double {
        switch element {
        case .integer(let value): return Double(value)
        case .bytes(let text):
            guard let score = DoubleText.parse(text) else { preconditionFailure("a score in a listpack is a number") }
            return score
        }
    }

    /// The score of the pair whose member starts at `offset`.
    @inline(__always)
    func score(at offset: Int) -> Double { ScoredPairs.score(list.element(at: list.offset(after: offset))) }

    /// The pair at `offset`, which moves on to the next one; nil at the end.
    @_lifetime(copy self) @inline(__always)
    func nextMember(_ offset: inout Int, _ score: inout Double) -> ListpackElement? {
        guard let member = list.next(&offset) else { return nil }
        guard let element = list.next(&offset) else { preconditionFailure("a member has a score") }
        score = ScoredPairs.score(element)
        return member
    }

    /// The offset of the pair of `member`, or nil.
    @inline(__always)
    func find(_ member: Span<UInt8>) -> Int? { list.find(member, skip: 1) }

    /// Pairs in front of the one at `offset`.
    func rank(at offset: Int) -> Int {
        var position = list.startOffset
        var rank = 0
        while position < offset {
            position = list.offset(after: list.offset(after: position))
            rank += 1
        }
        return rank
    }

    /// The offset of the pair with `rank` pairs in front of it; the end when there are not more.
    func offset(ofRank rank: Int) -> Int { list.offset(ofIndex: rank * 2) ?? list.endOffset }

    /// Where a new pair belongs: in front of the first one that is greater.
    func insertionOffset(_ member: Span<UInt8>, score: Double) -> Int {
        var offset = list.startOffset
        while offset != list.endOffset {
            let start = offset
            var other = 0.0
            guard let element = nextMember(&offset, &other) else { break }
            if other > score { return start }
            if other == score, element.withText({ LexBound.order($0, member) }) > 0 { return start }
        }
        return list.endOffset
    }

    /// Ranks of the members between two scores.
    func ranks(from minimum: ScoreBound, to maximum: ScoreBound) -> Range<Int> {
        var offset = list.startOffset
        var score = 0.0
        var low = 0
        var high = 0
        while nextMember(&offset, &score) != nil {
            guard maximum.admitsAsMaximum(score) else { break }
            high += 1
            if !minimum.admitsAsMinimum(score) { low += 1 }
        }
        return low..<max(low, high)
    }

    /// Ranks of the members between two members, in a set whose scores are all equal.
    func ranks(from minimum: borrowing LexBound, to maximum: borrowing LexBound) -> Range<Int> {
        guard !list.isEmpty, mayHold(from: minimum, to: maximum) else { return 0..<0 }
        var offset = list.startOffset
        var score = 0.0
        var low = 0
        var high = 0
        while let member = nextMember(&offset, &score) {
            // Where scores differ the order is not that of the bytes; stock then goes on from the first that admits.
            if low == high, !member.withText({ minimum.admitsAsMinimum($0) }) {
                low += 1
                high += 1
                continue
            }
            guard member.withText({ maximum.admitsAsMaximum($0) }) else { break }
            high += 1
        }
        return low..<max(low, high)
    }

    /// Whether the range does not lie in front of the first member or behind the last one.
    private func mayHold(from minimum: borrowing LexBound, to maximum: borrowing LexBound) -> Bool {
        let last = list.offset(before: list.offset(before: list.endOffset))
        return list.element(at: last).withText { minimum.admitsAsMinimum($0) }
            && list.element(at: list.startOffset).withText { maximum.admitsAsMaximum($0) }
    }

    /// Whether `list`, a well-formed listpack in which no member stands twice, holds pairs of members and scores in
    /// order: what must be known before bytes from outside are believed.
    static func validate(_ list: ListpackView) -> Bool {
        var offset = list.startOffset
        var lastScore = -Double.infinity
        var last = offset
        while offset != list.endOffset {
            let start = offset
            guard let member = list.next(&offset), let element = list.next(&offset) else { return false }
            let score: Double
            switch element {
            case .integer(let value): score = Double(value)
            case .bytes(let text):
                guard let value = DoubleText.parse(text) else { return false }
                score = value
            }
            if start != list.startOffset {
                if score < lastScore { return false }
                if score == lastScore {
                    let previous = list.element(at: last)
                    let isInOrder = member.withText { text in previous.withText { LexBound.order($0, text) < 0 } }
                    if !isInOrder { return false }
                }
            }
            lastScore = score
            last = start
        }
        return true
    }

    // MARK: scores as they are kept

    /// `score` as the integer it is kept as; nil when it is kept as text. Minus zero becomes zero, as in Redis.
    @inline(__always)
    static func integer(_ score: Double) -> Int64? {
        guard score.magnitude <= 0x1p62 else { return nil }
        let integer = Int64(score)
        return Double(integer) == score ? integer : nil
    }

    /// Bytes that a pair takes.
    package static func byteCount(_ member: Span<UInt8>, score: Double) -> Int {
        Listpack.entryByteCount(of: member) + scoreByteCount(score)
    }

    /// Bytes that a score takes, or a few more.
    static func scoreByteCount(_ score: Double) -> Int {
        if let integer = integer(score) { return Listpack.entryByteCount(of: integer) }
        return DoubleText.byteCountMax + 2
    }

    /// Calls `body` with the text of `score`, which stays on the stack.
    static func withText(_ score: Double, _ body: (Span<UInt8>) -> Void) {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { room in
            let base = unsafe room.baseAddress.unsafelyUnwrapped
            var text = unsafe ByteBuffer(borrowing: base, count: 0, capacity: 64)
            DoubleText.append(score, to: &text)
            body(text.span)
        }
    }
}

extension Listpack {
    /// Adds a pair in its place; `member` is not there yet.
    mutating func insertPair(_ member: Span<UInt8>, score: Double) {
        let offset = ScoredPairs(view).insertionOffset(member, score: score)
        insert(member, at: offset)
        let behind = view.offset(after: offset)
        insertScore(score, at: behind)
    }

    /// Adds a pair behind all others, where the caller knows that it belongs.
    mutating func appendPair(_ member: Span<UInt8>, score: Double) {
        append(member)
        let end = view.endOffset
        insertScore(score, at: end)
    }

    private mutating func insertScore(_ score: Double, at offset: Int) {
        if let integer = ScoredPairs.integer(score) {
            insert(integer, at: offset)
        } else {
            ScoredPairs.withText(score) { insert($0, at: offset) }
        }
    }

    /// Gives the pair of `member` at `offset` another score: in place when its neighbours allow it.
    mutating func setScore(at offset: Int, member: Span<UInt8>, score: Double) {
        guard keepsPlace(offset, member, score) else {
            removeRange(at: offset, count: 2)
            insertPair(member, score: score)
            return
        }
        let scoreOffset = view.offset(after: offset)
        if let integer = ScoredPairs.integer(score) {
            replace(at: scoreOffset, with: integer)
        } else {
            ScoredPairs.withText(score) { replace(at: scoreOffset, with: $0) }
        }
    }

    private func keepsPlace(_ offset: Int, _ member: Span<UInt8>, _ score: Double) -> Bool {
        let pairs = ScoredPairs(view)
        if offset > view.startOffset {
            let previous = view.offset(before: view.offset(before: offset))
            let other = pairs.score(at: previous)
            if other > score { return false }
            if other == score, view.element(at: previous).withText({ LexBound.order($0, member) }) > 0 { return false }
        }
        let next = view.offset(after: view.offset(after: offset))
        guard next != view.endOffset else { return true }
        let other = pairs.score(at: next)
        if other != score { return other > score }
        return view.element(at: next).withText { LexBound.order($0, member) } > 0
    }
}
