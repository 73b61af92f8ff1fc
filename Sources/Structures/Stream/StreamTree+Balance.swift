// StreamTree+Balance.swift - splits, merges and the root of the tree over stream identifiers, and the proof of its
// structure for tests. Part of `StreamTree`, same owner and thread. Appending at the end leaves full leaves behind; any
// other split halves. Poor children are merged or evened out on the way down, so a removal never has to come back up.
internal import Base
internal import CLinux

extension StreamTree {
    var leafFillMin: Int { Leaf.capacityMax / 4 }
    var innerFillMin: Int { StreamTreeInner.capacity / 4 }

    mutating func makeLeaf(capacity: Int) -> Leaf {
        let leaf = Leaf.make(capacity: capacity)
        allocatedBytes += leaf.allocatedBytes
        return leaf
    }

    private mutating func makeInner() -> StreamTreeInner {
        let inner = StreamTreeInner.make()
        allocatedBytes += inner.allocatedBytes
        return inner
    }

    private mutating func release(_ leaf: Leaf) {
        allocatedBytes -= leaf.allocatedBytes
        unsafe free(leaf.base)
    }

    private mutating func release(_ inner: StreamTreeInner) {
        allocatedBytes -= inner.allocatedBytes
        unsafe free(inner.base)
    }

    /// Before an insert: the root has room, or becomes an inner node above itself.
    @inline(__always)
    mutating func growRootIfFull() {
        guard let node = unsafe root else { return }
        if height == 0 {
            let leaf = unsafe Leaf(node)
            if leaf.count == leaf.capacity { growRootLeaf(leaf) }
        } else if unsafe StreamTreeInner(node).count == StreamTreeInner.capacity {
            raiseRoot()
        }
    }

    @inline(never)
    private mutating func growRootLeaf(_ leaf: Leaf) {
        if leaf.capacity < Leaf.capacityMax {
            resizeRootLeaf(leaf, capacity: min(leaf.capacity * 2, Leaf.capacityMax))
        } else {
            raiseRoot()
        }
    }

    private mutating func resizeRootLeaf(_ leaf: Leaf, capacity: Int) {
        let other = makeLeaf(capacity: capacity)
        leaf.moveHead(leaf.count, toEndOf: other)
        release(leaf)
        unsafe root = other.base
        tail = other
    }

    @inline(never)
    private mutating func raiseRoot() {
        guard let node = unsafe root else { return }
        let inner = makeInner()
        unsafe inner.insertChild(node, key: .zero, at: 0)
        unsafe root = inner.base
        height += 1
        if height > 1 { splitInner(inner, 0, isLast: true) }
    }

    /// Splits the full inner node below `slot`; a last one leaves most behind, because streams grow at the end.
    @inline(never)
    mutating func splitInner(_ parent: StreamTreeInner, _ slot: Int, isLast: Bool) {
        let left = parent.inner(at: slot)
        let right = makeInner()
        left.moveTail(isLast ? 4 : left.count / 2, toFrontOf: right)
        unsafe parent.insertChild(right.base, key: right.keys[0], at: slot + 1)
    }

    /// Inserts into the full `leaf` below `slot` of `parent`, which has room for one more child.
    @inline(never)
    mutating func insertIntoFullLeaf(
        _ leaf: Leaf, below parent: StreamTreeInner, _ slot: Int, _ index: Int, _ id: StreamID, _ value: Value
    ) {
        let fresh = makeLeaf(capacity: Leaf.capacityMax)
        leaf.link(after: fresh)
        if tail == leaf { tail = fresh }
        if index == leaf.count && fresh.next == nil {
            fresh.insert(id, value, at: 0)
        } else {
            leaf.moveTail(leaf.count / 2, toFrontOf: fresh)
            if index <= leaf.count {
                leaf.insert(id, value, at: index)
            } else {
                fresh.insert(id, value, at: index - leaf.count)
            }
        }
        unsafe parent.insertChild(fresh.base, key: fresh.id(at: 0), at: slot + 1)
    }

    /// Before something is taken from below `slot`: makes sure the child can spare it. True when slots moved.
    mutating func fillChild(of parent: StreamTreeInner, at slot: Int, level: Int) -> Bool {
        if level == 1 {
            if unsafe Leaf(parent.children[slot]).count > leafFillMin { return false }
        } else if parent.inner(at: slot).count > innerFillMin {
            return false
        }
        guard parent.count > 1 else { return false }
        let leftSlot = slot > 0 ? slot - 1 : 0
        if level == 1 {
            balanceLeaves(parent, leftSlot)
        } else {
            balanceInner(parent, leftSlot)
        }
        return true
    }

    private mutating func balanceLeaves(_ parent: StreamTreeInner, _ slot: Int) {
        let left = unsafe Leaf(parent.children[slot])
        let right = unsafe Leaf(parent.children[slot + 1])
        let sum = left.count + right.count
        if sum <= Leaf.capacityMax * 7 / 8 {
            right.moveHead(right.count, toEndOf: left)
            right.unlink()
            if tail == right { tail = left }
            release(right)
            parent.removeSlots((slot + 1)..<(slot + 2))
            return
        }
        if left.count < sum / 2 {
            right.moveHead(sum / 2 - left.count, toEndOf: left)
        } else if left.count > sum / 2 {
            left.moveTail(left.count - sum / 2, toFrontOf: right)
        }
        unsafe parent.keys[slot + 1] = right.id(at: 0)
    }

    private mutating func balanceInner(_ parent: StreamTreeInner, _ slot: Int) {
        let left = parent.inner(at: slot)
        let right = parent.inner(at: slot + 1)
        let sum = left.count + right.count
        unsafe right.keys[0] = parent.keys[slot + 1]
        if sum <= StreamTreeInner.capacity * 7 / 8 {
            right.moveHead(right.count, toEndOf: left)
            release(right)
            parent.removeSlots((slot + 1)..<(slot + 2))
            return
        }
        if left.count < sum / 2 {
            right.moveHead(sum / 2 - left.count, toEndOf: left)
        } else if left.count > sum / 2 {
            left.moveTail(left.count - sum / 2, toFrontOf: right)
        }
        unsafe parent.keys[slot + 1] = right.keys[0]
    }

    /// After a removal: drops roots with one child, the last empty leaf, and the slack of a small tree's leaf.
    mutating func shrinkRoot() {
        while height > 0, let node = unsafe root, unsafe StreamTreeInner(node).count == 1 {
            let inner = unsafe StreamTreeInner(node)
            unsafe root = inner.children[0]
            height -= 1
            release(inner)
        }
        guard height == 0, let node = unsafe root else { return }
        let leaf = unsafe Leaf(node)
        if leaf.count == 0 {
            release(leaf)
            unsafe root = nil
            tail = nil
        } else if leaf.capacity > Leaf.capacityMin && leaf.count <= leaf.capacity / 4 {
            resizeRootLeaf(leaf, capacity: max(leaf.capacity / 2, Leaf.capacityMin))
        }
    }

    // MARK: Proof

    /// Nil when every invariant holds, else a sentence about one that does not. O(n), for tests.
    func structuralFault() -> String? {
        guard let root = unsafe root else {
            return count == 0 && allocatedBytes == 0 && tail == nil ? nil : "an empty tree counts"
        }
        var bytes = 0
        var previous: Leaf?
        var ids = 0
        var fault: String?
        unsafe check(root, height) { leaf in
            bytes += leaf.allocatedBytes
            if leaf.count == 0 || leaf.count > leaf.capacity { fault = "a leaf holds \(leaf.count)" }
            if leaf.previous != previous || (previous != nil && previous?.next != leaf) { fault = "links are wrong" }
            for index in 0..<leaf.count {
                let before = index > 0 ? leaf.id(at: index - 1) : previous.map { $0.id(at: $0.count - 1) }
                if let before, before >= leaf.id(at: index) { fault = "identifiers are out of order" }
            }
            ids += leaf.count
            previous = leaf
        } visitInner: { inner, level in
            bytes += inner.allocatedBytes
            for slot in 1..<max(inner.count, 1) {
                var node = unsafe inner.children[slot]
                for _ in 1..<level { unsafe node = StreamTreeInner(node).children[0] }
                if unsafe Leaf(node).id(at: 0) != inner.keys[slot] { fault = "a key is not the first below its slot" }
            }
        }
        if previous?.next != nil { return "the last leaf has a next one" }
        if previous != tail { return "the tail is not the last leaf" }
        if ids != count { return "count says \(count), the leaves hold \(ids)" }
        if bytes != allocatedBytes { return "allocatedBytes says \(allocatedBytes), the nodes take \(bytes)" }
        return fault
    }

    @unsafe
    private func check(
        _ node: UnsafeMutableRawPointer, _ level: Int, _ visitLeaf: (Leaf) -> Void,
        visitInner: (StreamTreeInner, Int) -> Void
    ) {
        guard level > 0 else { return visitLeaf(unsafe Leaf(node)) }
        let inner = unsafe StreamTreeInner(node)
        visitInner(inner, level)
        for slot in 0..<inner.count { unsafe check(inner.children[slot], level - 1, visitLeaf, visitInner: visitInner) }
    }
}
