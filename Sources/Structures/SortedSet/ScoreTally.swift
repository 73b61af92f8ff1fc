// ScoreTally.swift - members and their scores while they are summed up from several sets (ZUNION, ZINTER and their
// STORE forms, GEOSEARCHSTORE): a member table without an order, which is made once, at the end. Engine's turn; one
// owner. Cost: O(1) per member added, one sort for all.
internal import Base

package struct ScoreTally: ~Copyable {
    private var members = MemberTable()
    private var longestByteCount = 0

    /// A tally of nothing.
    package init() {}

    /// Members so far.
    package var count: Int { members.count }

    /// Adds `member` with `score`, or gives it what `combine` makes of the score it has. Scores are numbers.
    @inline(__always)
    package mutating func add(_ member: Span<UInt8>, score: Double, combine: (Double) -> Double) {
        let hash = members.hash(member)
        if let slot = members.find(member, hash: hash) {
            slot.entry.score = combine(slot.entry.score)
            return
        }
        members.insert(member, hash: hash, word: score.bitPattern)
        longestByteCount = max(longestByteCount, member.count)
    }

    /// The members, by score and then by their bytes.
    private var ordered: [Entry] {
        var entries: [Entry] = []
        entries.reserveCapacity(members.count)
        members.forEach { entries.append($0) }
        entries.sort { left, right in
            let (first, second) = (left.score, right.score)
            return first != second ? first < second : left.compareMember(right) < 0
        }
        return entries
    }

    /// Calls `body` with the members in order.
    package func forEachInOrder(_ body: (Span<UInt8>, Double) -> Void) {
        for entry in ordered { body(entry.key, entry.score) }
    }

    /// A sorted set of the members, small when `limits` allow it.
    package consuming func makeSet(_ limits: SortedSetLimits) -> SortedSetDraft {
        let entries = ordered
        if members.count <= limits.countMax, longestByteCount <= limits.memberByteCountMax {
            var draft = SortedSetDraft(limits)
            for entry in entries { draft.append(entry.key, score: entry.score) }
            return draft
        }
        return SortedSetDraft(large: SortedSet(adopting: members, inOrder: entries), limits)
    }
}
