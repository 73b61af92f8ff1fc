// Quicklist+Ends.swift - pushing and popping, and the memory of the two end nodes. An entry is written straight behind
// or before the others: the listpack's header moves into the free bytes before it, so neither end ever moves the node.
// Free bytes are kept where they are being used up; whoever needs them on the other side gets a quarter, so a list that
// is used as queue or stack moves its bytes O(log n) times. Engine's turn only.
internal import CLinux

extension Quicklist {
    /// Memory of a node with a first small element.
    private static let firstCapacity = 128
    /// Below this, a draining node keeps its memory.
    private static let drainedCapacityMin = 512

    /// Adds `element` behind the last.
    package mutating func append(_ element: Span<UInt8>) {
        if limits.isLarge(byteCount: element.count) { return appendPlainNode(element) }
        let text = unsafe ListpackCode.address(of: element)
        let form = unsafe ListpackCode.form(text, count: element.count)
        if let node = tail, allowsInsert(node, byteCount: element.count) {
            makeRoom(in: node, front: 0, back: form.byteCount)
            unsafe node.writeLast(form, text: text, count: element.count)
            count &+= 1
        } else {
            let node = newListpackNode(
                capacity: max(Quicklist.firstCapacity, form.byteCount &+ ListpackCode.emptyByteCount))
            unsafe node.writeLast(form, text: text, count: element.count)
            link(node, after: tail)
        }
    }

    /// Adds `element` before the first.
    package mutating func prepend(_ element: Span<UInt8>) {
        if limits.isLarge(byteCount: element.count) { return link(newPlainNode(element), after: nil) }
        let text = unsafe ListpackCode.address(of: element)
        let form = unsafe ListpackCode.form(text, count: element.count)
        if let node = head, allowsInsert(node, byteCount: element.count) {
            makeRoom(in: node, front: form.byteCount, back: 0)
            unsafe node.writeFirst(form, text: text, count: element.count)
            count &+= 1
        } else {
            let capacity = max(Quicklist.firstCapacity, form.byteCount &+ ListpackCode.emptyByteCount)
            let node = newListpackNode(capacity: capacity, front: capacity &- ListpackCode.emptyByteCount)
            unsafe node.writeFirst(form, text: text, count: element.count)
            link(node, after: nil)
        }
    }

    /// Removes the first element after `body` has seen it; false when there is none.
    package mutating func popFirst(_ body: (ListpackElement) -> Void) -> Bool {
        guard let node = head else { return false }
        node.withEnd(isLast: false, body)
        if node.count == 1 {
            drop(node)
        } else {
            node.removeFirst()
            count &-= 1
            giveBackWhenDrained(node)
        }
        return true
    }

    /// Removes the last element after `body` has seen it; false when there is none.
    package mutating func popLast(_ body: (ListpackElement) -> Void) -> Bool {
        guard let node = tail else { return false }
        node.withEnd(isLast: true, body)
        if node.count == 1 {
            drop(node)
        } else {
            node.removeLast()
            count &-= 1
            giveBackWhenDrained(node)
        }
        return true
    }

    /// Whether `node` may take one more element of `byteCount` bytes.
    @inline(__always)
    func allowsInsert(_ node: QuicklistNode, byteCount: Int) -> Bool {
        if node.isPlain || limits.isLarge(byteCount: byteCount) { return false }
        let estimate = node.byteCount &+ byteCount &+ ListLimits.entryOverheadEstimate
        return !limits.exceeds(byteCount: estimate, count: node.count &+ 1)
    }

    /// Sees to `front` free bytes before and `back` free bytes behind the listpack of a linked node.
    @inline(__always)
    mutating func makeRoom(in node: QuicklistNode, front: Int, back: Int) {
        let start = node.start
        if start >= front && start &+ node.byteCount &+ back <= node.capacity { return }
        moveBytes(of: node, front: front, back: back)
    }

    private mutating func moveBytes(of node: QuicklistNode, front: Int, back: Int) {
        let needed = front &+ node.byteCount &+ back
        let capacity = node.capacity
        let growthMax = limits.growthByteCountMax
        // Sliding is for nodes that have reached their size, or have plenty of room on the other side.
        let slides = needed <= capacity && (capacity >= growthMax || capacity &- needed >= capacity >> 2)
        let target = slides ? capacity : needed > growthMax ? needed : max(needed, min(growthMax, capacity &* 2))
        let spare = target &- needed
        // Free bytes before a node that only ever grows at its end would be wasted.
        let frontSpare = front > 0 ? spare &- spare >> 2 : node.start > 0 ? spare >> 2 : 0
        if slides {
            node.slide(front: front &+ frontSpare)
        } else {
            account(node) { node.resize(capacity: target, front: front &+ frontSpare) }
        }
    }

    /// A node that lost three quarters of its bytes halves its memory: amortised O(1), and bounded waste.
    @inline(__always)
    func needsLessMemory(_ node: QuicklistNode) -> Bool {
        node.capacity > Quicklist.drainedCapacityMin && node.byteCount < node.capacity >> 2
    }

    @inline(__always)
    mutating func giveBackWhenDrained(_ node: QuicklistNode) {
        if needsLessMemory(node) {
            let capacity = node.capacity >> 1
            // Drained at the head, a node is pushed to at the head next, if at all.
            let front = node.start > 0 ? (capacity &- node.byteCount) >> 1 : 0
            account(node) { node.resize(capacity: capacity, front: front) }
        }
    }
}

extension QuicklistNode {
    /// Writes an entry behind the last; the room is there.
    @unsafe @inline(__always)
    func writeLast(_ form: ListpackCode.Form, text: UnsafePointer<UInt8>, count textByteCount: Int) {
        let base = unsafe bytes
        let target = unsafe base + (byteCount &- 1)
        unsafe ListpackCode.write(form, text: text, count: textByteCount, to: target)
        unsafe target[form.byteCount] = ListpackCode.endMark
        byteCount &+= form.byteCount
        count &+= 1
        unsafe ListpackCode.storeHeader(byteCount: byteCount, count: count, base)
    }

    /// Writes an entry before the first; the room is there. The header moves to the front.
    @unsafe @inline(__always)
    func writeFirst(_ form: ListpackCode.Form, text: UnsafePointer<UInt8>, count textByteCount: Int) {
        start &-= form.byteCount
        byteCount &+= form.byteCount
        count &+= 1
        let base = unsafe bytes
        unsafe ListpackCode.write(form, text: text, count: textByteCount, to: base + ListpackCode.headerByteCount)
        unsafe ListpackCode.storeHeader(byteCount: byteCount, count: count, base)
    }

    /// Removes the first of several entries: the header moves over it.
    @inline(__always)
    func removeFirst() {
        let removed = unsafe ListpackCode.entryByteCount(bytes + ListpackCode.headerByteCount)
        start &+= removed
        byteCount &-= removed
        count &-= 1
        unsafe ListpackCode.storeHeader(byteCount: byteCount, count: count, bytes)
    }

    /// Removes the last of several entries.
    @inline(__always)
    func removeLast() {
        let base = unsafe bytes
        byteCount &-= unsafe ListpackCode.entryByteCount(endingAt: base + (byteCount &- 1))
        count &-= 1
        unsafe base[byteCount &- 1] = ListpackCode.endMark
        unsafe ListpackCode.storeHeader(byteCount: byteCount, count: count, base)
    }

    /// Runs `body` over the first or last element. End nodes are never compressed.
    @inline(__always)
    func withEnd(isLast: Bool, _ body: (ListpackElement) -> Void) {
        if isPlain {
            unsafe body(.bytes(Span(_unsafeStart: UnsafePointer(bytes), count: byteCount)))
            return
        }
        let view = unsafe view
        var offset = isLast ? view.endOffset : view.startOffset
        if let element = isLast ? view.previous(&offset) : view.next(&offset) { body(element) }
    }
}
