// OrderedSet+Check.swift - proves an ordered set's whole structure: order, keys, counts, links, fill,
// bytes. For tests and DEBUG commands only: O(n), reads every member. Part of `OrderedSet`, same owner
// and thread; changes nothing.
internal import Base

extension OrderedSet {
    private struct Walk {
        var elements = 0
        var allocatedBytes = 0
        var lastElement: Entry?
        var lastScore = 0.0
        var lastLeaf: OrderedLeaf?
        var fault: String?
    }

    /// Nil when every invariant holds, else a sentence about the first one that does not.
    package func structuralFault() -> String? {
        var walk = Walk()
        guard let root = unsafe root else {
            return count == 0 && allocatedBytes == 0 && height == 0 ? nil : "an empty set counts something"
        }
        unsafe check(root, height, isRoot: true, &walk)
        if let fault = walk.fault { return fault }
        if walk.lastLeaf?.next != nil { return "the last leaf has a next one" }
        if walk.elements != count { return "count says \(count), the leaves hold \(walk.elements)" }
        if walk.allocatedBytes != allocatedBytes {
            return "allocatedBytes says \(allocatedBytes), the nodes take \(walk.allocatedBytes)"
        }
        return nil
    }

    @unsafe
    private func check(_ node: UnsafeMutableRawPointer, _ level: Int, isRoot: Bool, _ walk: inout Walk) {
        guard level > 0 else {
            check(unsafe OrderedLeaf(node), isRoot: isRoot, &walk)
            return
        }
        let inner = unsafe OrderedInner(node)
        walk.allocatedBytes += inner.allocatedBytes
        if inner.count < (isRoot ? 2 : 1) || inner.count > OrderedInner.capacity {
            walk.fault = "an inner node holds \(inner.count) children"
            return
        }
        for slot in 0..<inner.count {
            let before = walk.elements
            if slot > 0 { checkKey(inner, slot, level, &walk) }
            unsafe check(inner.children[slot], level - 1, isRoot: false, &walk)
            if walk.fault != nil { return }
            if unsafe inner.counts[slot] != walk.elements - before {
                unsafe walk.fault = "a slot counts \(inner.counts[slot]), below it are \(walk.elements - before)"
                return
            }
        }
    }

    private func checkKey(_ inner: OrderedInner, _ slot: Int, _ level: Int, _ walk: inout Walk) {
        var node = unsafe inner.children[slot]
        for _ in 1..<level { unsafe node = OrderedInner(node).children[0] }
        let leaf = unsafe OrderedLeaf(node)
        if unsafe inner.elements[slot] != leaf.element(at: 0) || inner.scores[slot] != leaf.score(at: 0) {
            walk.fault = "a key is not the first entry below its slot"
        }
    }

    private func check(_ leaf: OrderedLeaf, isRoot: Bool, _ walk: inout Walk) {
        walk.allocatedBytes += leaf.allocatedBytes
        if leaf.count < 1 || leaf.count > leaf.capacity { walk.fault = "a leaf holds \(leaf.count) entries" }
        if !isRoot && leaf.capacity != OrderedLeaf.capacityMax { walk.fault = "an inner tree has a small leaf" }
        if leaf.previous != walk.lastLeaf { walk.fault = "a leaf's back link is wrong" }
        if let last = walk.lastLeaf, last.next != leaf { walk.fault = "a leaf's link is wrong" }
        walk.lastLeaf = leaf
        for index in 0..<leaf.count {
            let element = leaf.element(at: index)
            if element.score != leaf.score(at: index) { walk.fault = "a leaf's score is not the element's" }
            if let last = walk.lastElement {
                let inOrder = walk.lastScore < element.score
                    || (walk.lastScore == element.score && last.compareMember(element) < 0)
                if !inOrder { walk.fault = "entries are out of order at \(walk.elements)" }
            }
            walk.lastElement = element
            walk.lastScore = element.score
            walk.elements += 1
        }
    }
}
