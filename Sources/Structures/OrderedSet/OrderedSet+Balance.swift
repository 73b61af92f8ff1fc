// OrderedSet+Balance.swift - making room and filling up: splits, shifts between siblings, merges, and the root's growth
// and decline. Part of `OrderedSet`, same owner and thread. A full leaf first shares with a sibling, and two full ones
// become three, which keeps randomly filled trees near 80 % full (a plain split: 69 %); runs at either end of the order
// (timestamps, RDB loading) leave full leaves behind.
internal import Base
internal import CLinux

extension OrderedSet {
    /// A sibling takes entries only when it has this much room: tiny shifts would repeat at the next insert.
    private static let sharingRoomMin = 4
    /// Below these a node is merged with, or filled from, a sibling before something is taken from it.
    private static let leafFillMin = OrderedLeaf.capacityMax / 4
    private static let innerFillMin = OrderedInner.capacity / 4
    /// Merges stop short of full nodes, or the next insert would split them again.
    private static let leafMergeMax = OrderedLeaf.capacityMax * 7 / 8
    private static let innerMergeMax = OrderedInner.capacity * 7 / 8

    mutating func makeLeaf(capacity: Int) -> OrderedLeaf {
        let leaf = OrderedLeaf.make(capacity: capacity)
        allocatedBytes += leaf.allocatedBytes
        return leaf
    }

    private mutating func makeInner() -> OrderedInner {
        let inner = OrderedInner.make()
        allocatedBytes += inner.allocatedBytes
        return inner
    }

    mutating func release(_ leaf: OrderedLeaf) {
        allocatedBytes -= leaf.allocatedBytes
        unsafe free(leaf.base)
    }

    mutating func release(_ inner: OrderedInner) {
        allocatedBytes -= inner.allocatedBytes
        unsafe free(inner.base)
    }

    // MARK: Growing

    /// Before an insert: the root has room, or becomes an inner node above itself.
    @inline(__always)
    mutating func growRootIfFull() {
        guard let node = unsafe root else { return }
        if height == 0 {
            let leaf = unsafe OrderedLeaf(node)
            if leaf.count == leaf.capacity { growRootLeaf(leaf) }
        } else if unsafe OrderedInner(node).count == OrderedInner.capacity {
            raiseRoot(elementCount: count - 1)
        }
    }

    @inline(never)
    private mutating func growRootLeaf(_ leaf: OrderedLeaf) {
        if leaf.capacity == OrderedLeaf.capacityMax {
            raiseRoot(elementCount: leaf.count)
        } else {
            resizeRootLeaf(leaf, capacity: OrderedLeaf.grownCapacity(leaf.capacity))
        }
    }

    private mutating func resizeRootLeaf(_ leaf: OrderedLeaf, capacity: Int) {
        let other = makeLeaf(capacity: capacity)
        leaf.moveHead(leaf.count, toEndOf: other)
        release(leaf)
        unsafe root = other.base
    }

    @inline(never)
    private mutating func raiseRoot(elementCount: Int) {
        guard let node = unsafe root else { return }
        let inner = makeInner()
        unsafe inner.insertChild(node, elementCount: elementCount, at: 0)
        unsafe root = inner.base
        height += 1
        if height > 1 { splitInner(inner, 0, isRightEdge: false) }
    }

    /// Splits the full inner node below slot `index` of `parent`, which has room for one more.
    @inline(never)
    mutating func splitInner(_ parent: OrderedInner, _ index: Int, isRightEdge: Bool) {
        let left = parent.inner(at: index)
        let right = makeInner()
        left.moveTail(isRightEdge ? 2 : left.count / 2, toFrontOf: right)
        let rightTotal = right.total
        unsafe parent.counts[index] -= rightTotal
        unsafe parent.insertChild(right.base, elementCount: rightTotal, at: index + 1)
        unsafe parent.setKey(index + 1, score: right.scores[0], element: right.elements[0])
    }

    /// Inserts into the full leaf below slot `slot` of `parent`, which has room for one more child.
    @inline(never)
    mutating func insertIntoFullLeaf(
        below parent: OrderedInner, _ slot: Int, _ index: Int, _ element: Entry, _ score: Double
    ) {
        let leaf = parent.leaf(at: slot)
        if index == leaf.count && leaf.next == nil {
            let fresh = addLeaf(behind: leaf, parent, slot)
            fresh.insert(element, score: score, at: 0)
            refresh(parent, slot + 1)
        } else if index == 0 && leaf.previous == nil {
            // The old leaf's entries move over, so that the slot order stays the link order.
            let fresh = addLeaf(behind: leaf, parent, slot)
            leaf.moveHead(leaf.count, toEndOf: fresh)
            leaf.insert(element, score: score, at: 0)
            unsafe parent.counts[slot] = 1
            refresh(parent, slot + 1)
        } else if slot > 0, OrderedLeaf.capacityMax - parent.leaf(at: slot - 1).count >= OrderedSet.sharingRoomMin {
            let left = parent.leaf(at: slot - 1)
            let moved = (OrderedLeaf.capacityMax - left.count + 1) / 2
            leaf.moveHead(moved, toEndOf: left)
            insert(element, score, inLeft: left, orRight: leaf, index + left.count - moved)
            refreshPair(parent, slot - 1)
        } else if slot + 1 < parent.count,
            OrderedLeaf.capacityMax - parent.leaf(at: slot + 1).count >= OrderedSet.sharingRoomMin {
            let right = parent.leaf(at: slot + 1)
            leaf.moveTail((OrderedLeaf.capacityMax - right.count + 1) / 2, toFrontOf: right)
            insert(element, score, inLeft: leaf, orRight: right, index)
            refreshPair(parent, slot)
        } else {
            splitLeaf(below: parent, slot, index, element, score)
        }
    }

    /// Two full siblings become three leaves; a leaf without a sibling becomes two.
    private mutating func splitLeaf(
        below parent: OrderedInner, _ slot: Int, _ index: Int, _ element: Entry, _ score: Double
    ) {
        let leftSlot = slot + 1 < parent.count ? slot : max(slot - 1, 0)
        let left = parent.leaf(at: leftSlot)
        let hasRight = leftSlot + 1 < parent.count
        let fresh = addLeaf(behind: left, parent, leftSlot)
        let third = OrderedLeaf.capacityMax / 3
        let leftCount = left.count
        left.moveTail(hasRight ? third : leftCount / 2, toFrontOf: fresh)
        if slot == leftSlot {
            insert(element, score, inLeft: left, orRight: fresh, index)
        }
        if hasRight {
            let right = parent.leaf(at: leftSlot + 2)
            let before = fresh.count
            right.moveHead(third, toEndOf: fresh)
            if slot != leftSlot { insert(element, score, inLeft: fresh, orRight: right, before + index) }
            refresh(parent, leftSlot + 2)
        }
        refreshPair(parent, leftSlot)
    }

    /// `index` counts from the start of `left`; a place at the seam belongs to the left leaf, which keeps keys exact.
    private func insert(
        _ element: Entry, _ score: Double, inLeft left: OrderedLeaf, orRight right: OrderedLeaf, _ index: Int
    ) {
        if index <= left.count {
            left.insert(element, score: score, at: index)
        } else {
            right.insert(element, score: score, at: index - left.count)
        }
    }

    private mutating func addLeaf(behind leaf: OrderedLeaf, _ parent: OrderedInner, _ slot: Int) -> OrderedLeaf {
        let fresh = makeLeaf(capacity: OrderedLeaf.capacityMax)
        leaf.link(after: fresh)
        unsafe parent.insertChild(fresh.base, elementCount: 0, at: slot + 1)
        return fresh
    }

    /// Takes count and key of the leaf below `slot` from the leaf itself.
    private func refresh(_ parent: OrderedInner, _ slot: Int) {
        let leaf = parent.leaf(at: slot)
        unsafe parent.counts[slot] = leaf.count
        if slot > 0 { parent.setKey(slot, score: leaf.score(at: 0), element: leaf.element(at: 0)) }
    }

    /// As `refresh` for two neighbours; the left one's first entry did not change.
    private func refreshPair(_ parent: OrderedInner, _ slot: Int) {
        unsafe parent.counts[slot] = parent.leaf(at: slot).count
        refresh(parent, slot + 1)
    }

    // MARK: Shrinking

    /// Before something is taken from below slot `index`: makes sure the child can spare it. True when slots moved.
    @inline(__always)
    mutating func fillChild(of parent: OrderedInner, at index: Int, level: Int) -> Bool {
        if level == 1 {
            if parent.leaf(at: index).count > OrderedSet.leafFillMin { return false }
        } else if parent.inner(at: index).count > OrderedSet.innerFillMin {
            return false
        }
        return balance(parent, at: index, level: level)
    }

    /// Merges the poor child below `index` with a sibling, or evens the two out. False when it has no sibling.
    @inline(never)
    mutating func balance(_ parent: OrderedInner, at index: Int, level: Int) -> Bool {
        guard parent.count > 1 else { return false }
        let leftSlot = index > 0 ? index - 1 : 0
        if level == 1 {
            balanceLeaves(parent, leftSlot)
        } else {
            balanceInner(parent, leftSlot)
        }
        return true
    }

    private mutating func balanceLeaves(_ parent: OrderedInner, _ slot: Int) {
        let left = parent.leaf(at: slot)
        let right = parent.leaf(at: slot + 1)
        let sum = left.count + right.count
        if sum <= OrderedSet.leafMergeMax {
            right.moveHead(right.count, toEndOf: left)
            right.unlink()
            release(right)
            parent.removeSlots((slot + 1)..<(slot + 2))
            unsafe parent.counts[slot] = sum
            return
        }
        let wanted = sum / 2
        if left.count < wanted {
            right.moveHead(wanted - left.count, toEndOf: left)
        } else if left.count > wanted {
            left.moveTail(left.count - wanted, toFrontOf: right)
        }
        refreshPair(parent, slot)
    }

    private mutating func balanceInner(_ parent: OrderedInner, _ slot: Int) {
        let left = parent.inner(at: slot)
        let right = parent.inner(at: slot + 1)
        let sum = left.count + right.count
        unsafe right.setKey(0, score: parent.scores[slot + 1], element: parent.elements[slot + 1])
        let total = unsafe parent.counts[slot] + parent.counts[slot + 1]
        if sum <= OrderedSet.innerMergeMax {
            right.moveHead(right.count, toEndOf: left)
            release(right)
            parent.removeSlots((slot + 1)..<(slot + 2))
            unsafe parent.counts[slot] = total
            return
        }
        let wanted = sum / 2
        if left.count < wanted {
            right.moveHead(wanted - left.count, toEndOf: left)
        } else if left.count > wanted {
            left.moveTail(left.count - wanted, toFrontOf: right)
        }
        unsafe parent.counts[slot] = left.total
        unsafe parent.counts[slot + 1] = total - parent.counts[slot]
        unsafe parent.setKey(slot + 1, score: right.scores[0], element: right.elements[0])
    }

    /// After a removal: drops roots with one child, the last empty leaf, and the slack of a small set's leaf.
    @inline(__always)
    mutating func shrinkRoot() {
        if height > 0 {
            if unsafe root.map({ unsafe OrderedInner($0).count <= 1 }) ?? false { lowerRoot() }
        } else if let node = unsafe root {
            let leaf = unsafe OrderedLeaf(node)
            if leaf.count <= leaf.capacity / 4 { shrinkRootLeaf(leaf) }
        }
    }

    @inline(never)
    private mutating func lowerRoot() {
        while height > 0, let node = unsafe root, unsafe OrderedInner(node).count <= 1 {
            let inner = unsafe OrderedInner(node)
            unsafe root = inner.count == 1 ? inner.children[0] : nil
            height = unsafe root == nil ? 0 : height - 1
            release(inner)
        }
        if height == 0, let node = unsafe root { shrinkRootLeaf(unsafe OrderedLeaf(node)) }
    }

    @inline(never)
    private mutating func shrinkRootLeaf(_ leaf: OrderedLeaf) {
        if leaf.count == 0 {
            release(leaf)
            unsafe root = nil
            return
        }
        var capacity = OrderedLeaf.capacityMin
        while capacity < min(leaf.count * 2, OrderedLeaf.capacityMax) { capacity = OrderedLeaf.grownCapacity(capacity) }
        if capacity < leaf.capacity { resizeRootLeaf(leaf, capacity: capacity) }
    }
}
