// OrderedCursor.swift - walks an ordered set. A cursor stands between two neighbours: `next` steps over the one behind
// it, `previous` over the one in front, so one cursor serves ZRANGE and ZREVRANGE. Made by `OrderedSet`, used under the
// engine's turn, dead as soon as the set is changed. Elements ahead are prefetched: they lie anywhere in memory, and a
// range of 100 would otherwise wait for 100 cache misses one after the other.
internal import CLinux

/// An element and its score, which the tree holds side by side.
package struct OrderedEntry {
    /// The element's score.
    package let score: Double
    /// The element; reading its member touches memory of its own.
    package let element: Entry
}

/// A place between two neighbours.
@safe package struct OrderedCursor {
    private var leaf: OrderedLeaf?
    private var index: Int

    private static let prefetchDistance = 8

    init(leaf: OrderedLeaf?, index: Int) {
        self.leaf = leaf
        self.index = index
    }

    /// Steps forward; nil at the end.
    @inline(__always)
    package mutating func next() -> Entry? {
        guard let leaf else { return nil }
        if index < leaf.count {
            let element = leaf.element(at: index)
            if index &+ OrderedCursor.prefetchDistance < leaf.count {
                leaf.element(at: index &+ OrderedCursor.prefetchDistance).prefetchHeader()
            }
            index &+= 1
            return element
        }
        return nextLeaf()
    }

    @inline(never)
    private mutating func nextLeaf() -> Entry? {
        guard let following = leaf?.next else { return nil }
        leaf = following
        index = 1
        for ahead in 0..<min(OrderedCursor.prefetchDistance, following.count) {
            following.element(at: ahead).prefetchHeader()
        }
        following.next?.prefetch()
        return following.element(at: 0)
    }

    /// As `next`, with the score, for searches that refuse most elements by their score: those stay unread.
    @inline(__always)
    package mutating func nextScored() -> OrderedEntry? {
        guard var leaf else { return nil }
        if index >= leaf.count {
            guard let following = leaf.next else { return nil }
            following.prefetch()
            leaf = following
            self.leaf = following
            index = 0
        }
        let entry = OrderedEntry(score: leaf.score(at: index), element: leaf.element(at: index))
        index &+= 1
        return entry
    }

    /// Steps backward; nil at the start.
    @inline(__always)
    package mutating func previous() -> Entry? {
        guard let leaf else { return nil }
        if index > 0 {
            index &-= 1
            if index >= OrderedCursor.prefetchDistance {
                leaf.element(at: index &- OrderedCursor.prefetchDistance).prefetchHeader()
            }
            return leaf.element(at: index)
        }
        return previousLeaf()
    }

    @inline(never)
    private mutating func previousLeaf() -> Entry? {
        guard let preceding = leaf?.previous else { return nil }
        leaf = preceding
        index = preceding.count - 1
        for behind in 0..<min(OrderedCursor.prefetchDistance, preceding.count) {
            preceding.element(at: index - behind).prefetchHeader()
        }
        preceding.previous?.prefetch()
        return preceding.element(at: index)
    }
}
