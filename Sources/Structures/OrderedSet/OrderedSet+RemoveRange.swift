// OrderedSet+RemoveRange.swift - taking out whole stretches (ZREMRANGEBY*, ZPOPMIN with a count, lazy freeing) in
// O(removed + log n): leaves and subtrees that lie inside the stretch go as a whole. Part of `OrderedSet`, same owner
// and thread. The callback gets every element in ascending order and may free it; it must not touch the set.
internal import Base

extension OrderedSet {
    /// Takes out the elements whose rank lies in `ranks` and hands each to `body`, which then owns it.
    package mutating func removeRange(_ ranks: Range<Int>, _ body: (Entry) -> Void) {
        precondition(ranks.lowerBound >= 0 && ranks.upperBound <= count, "removed ranks lie within the set")
        guard !ranks.isEmpty, let node = unsafe root else { return }
        unsafe removeBelow(node, height, ranks.lowerBound, ranks.upperBound, body)
        count -= ranks.count
        shrinkRoot()
    }

    /// Takes out at most `limit` elements, from the top of the order (the cheapest end), so that freeing a large set
    /// can be spread over many turns. True while elements remain.
    package mutating func removeSome(limit: Int, _ body: (Entry) -> Void) -> Bool {
        removeRange(max(0, count - max(limit, 0))..<count, body)
        return count > 0
    }

    @unsafe
    private mutating func removeBelow(
        _ node: UnsafeMutableRawPointer, _ level: Int, _ low: Int, _ high: Int, _ body: (Entry) -> Void
    ) {
        guard level > 0 else {
            let leaf = unsafe OrderedLeaf(node)
            for index in low..<high { body(leaf.element(at: index)) }
            leaf.remove(low..<high)
            return
        }
        let inner = unsafe OrderedInner(node)
        var slot = 0
        var start = low
        while unsafe start >= inner.counts[slot] {
            unsafe start -= inner.counts[slot]
            slot += 1
        }
        let firstSlot = slot
        var remaining = high - low
        var emptied = 0..<0
        while remaining > 0 {
            let held = unsafe inner.counts[slot]
            let taken = min(held - start, remaining)
            let child = unsafe inner.children[slot]
            unsafe inner.counts[slot] = held - taken
            if taken == held {
                unsafe releaseSubtree(child, level - 1, body)
                emptied = (emptied.isEmpty ? slot : emptied.lowerBound)..<(slot + 1)
            } else {
                unsafe removeBelow(child, level - 1, start, start + taken, body)
                if start == 0 && slot > 0 { refreshKey(inner, slot, level) }
            }
            remaining -= taken
            start = 0
            slot += 1
        }
        if !emptied.isEmpty { inner.removeSlots(emptied) }
        // Only the children at the seam may have become poor; the right one first, it may merge into the left one.
        for seam in [firstSlot + 1, firstSlot] where seam < inner.count {
            _ = fillChild(of: inner, at: seam, level: level)
        }
    }

    /// The key of a slot whose subtree lost its head: the first entry of its leftmost leaf.
    private func refreshKey(_ inner: OrderedInner, _ slot: Int, _ level: Int) {
        var node = unsafe inner.children[slot]
        for _ in 1..<level { unsafe node = OrderedInner(node).children[0] }
        let leaf = unsafe OrderedLeaf(node)
        inner.setKey(slot, score: leaf.score(at: 0), element: leaf.element(at: 0))
    }

    @unsafe
    private mutating func releaseSubtree(
        _ node: UnsafeMutableRawPointer, _ level: Int, _ body: (Entry) -> Void
    ) {
        guard level > 0 else {
            let leaf = unsafe OrderedLeaf(node)
            for index in 0..<leaf.count { body(leaf.element(at: index)) }
            leaf.unlink()
            release(leaf)
            return
        }
        let inner = unsafe OrderedInner(node)
        for index in 0..<inner.count { unsafe releaseSubtree(inner.children[index], level - 1, body) }
        release(inner)
    }
}
