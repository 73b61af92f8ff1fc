// Quicklist+Editing.swift - edits inside the chain: insert, replace, remove. Nodes are split where they are full and
// merged with their neighbours where both fit into one; an inner node is decompressed, edited, and compressed again.
// Indices count from 0, or from the end when negative. Cost: a walk to the node, then a move within one node. Engine's
// turn only.
internal import Base
internal import CLinux

extension Quicklist {
    // MARK: Finding the node

    /// `index` counted from the front; nil beyond either end.
    @inline(__always)
    func normalized(_ index: Int) -> Int? {
        let forward = index < 0 ? count &+ index : index
        return forward >= 0 && forward < count ? forward : nil
    }

    /// The node of the element at `index` (0..<count), and the index of its first element. From the nearer end.
    func locate(_ index: Int) -> (node: QuicklistNode, firstIndex: Int) {
        if index < count >> 1 {
            var node = head
            var first = 0
            while let current = node {
                if index < first &+ current.count { return (current, first) }
                first &+= current.count
                node = current.next
            }
        } else {
            var node = tail
            var end = count
            while let current = node {
                end &-= current.count
                if index >= end { return (current, end) }
                node = current.previous
            }
        }
        preconditionFailure("the nodes of a list hold as many elements as it counts")
    }

    /// Runs `body` over the listpack of a linked node, for whose growth room was made; the caller counts elements.
    func edit(_ node: QuicklistNode, _ body: (inout Listpack) -> Void) {
        let buffer = unsafe ByteBuffer(
            borrowing: node.bytes, count: node.byteCount, capacity: node.capacity &- node.start)
        var listpack = Listpack(adopting: buffer)
        body(&listpack)
        let edited = listpack.take()
        precondition(!edited.ownsMemory, "room for an edit of a node is made before it")
        node.byteCount = edited.count
    }

    // MARK: Inserting

    /// Adds `element` before the element at `index`; `count` adds it behind the last. False when `index` is beyond.
    @discardableResult
    package mutating func insert(_ element: Span<UInt8>, at index: Int) -> Bool {
        guard index >= 0, index <= count else { return false }
        if index == count {
            append(element)
        } else if index == 0 {
            prepend(element)
        } else {
            let (node, firstIndex) = locate(index)
            insert(element, in: node, at: index &- firstIndex)
        }
        return true
    }

    private mutating func insert(_ element: Span<UInt8>, in node: QuicklistNode, at index: Int) {
        if allowsInsert(node, byteCount: element.count) {
            insertEntry(element, in: node, at: index)
            settle(around: node)
            return
        }
        let isLarge = limits.isLarge(byteCount: element.count)
        if index == 0, let previous = node.previous, allowsInsert(previous, byteCount: element.count) {
            insertEntry(element, in: previous, at: previous.count)
            settle(around: previous)
            return
        }
        let right = index == 0 ? node : split(node, at: index)
        let left = right.previous
        if !isLarge, index > 0, allowsInsert(right, byteCount: element.count) {
            insertEntry(element, in: right, at: 0)
            mergeAround(right)
            return
        }
        let added: QuicklistNode
        if isLarge {
            added = newPlainNode(element)
        } else {
            added = newListpackNode(capacity: element.count &+ ListpackCode.overheadByteCountMax &+ 8)
            let text = unsafe ListpackCode.address(of: element)
            unsafe added.writeLast(ListpackCode.form(text, count: element.count), text: text, count: element.count)
        }
        chain(added, after: left)
        mergeAround(added)
    }

    /// Inserts into a node that may take it.
    private mutating func insertEntry(_ element: Span<UInt8>, in node: QuicklistNode, at index: Int) {
        decompress(node)
        makeRoom(in: node, front: 0, back: element.count &+ ListpackCode.overheadByteCountMax)
        edit(node) { listpack in
            let offset = index == node.count ? nil : listpack.view.offset(ofIndex: index)
            listpack.insert(element, at: offset ?? listpack.view.endOffset)
        }
        node.count &+= 1
        count &+= 1
    }

    // MARK: Replacing

    /// Puts `element` in the place of the one at `index`; false when there is none.
    @discardableResult
    package mutating func replace(at index: Int, with element: Span<UInt8>) -> Bool {
        guard let index = normalized(index) else { return false }
        let (node, firstIndex) = locate(index)
        let isLarge = limits.isLarge(byteCount: element.count)
        // The node may keep its place when the element fits into it without what it replaces being looked at, or when
        // it is alone there anyway.
        let estimate = node.byteCount &+ element.count &+ ListLimits.entryOverheadEstimate
        let fits = !limits.exceeds(byteCount: estimate, count: node.count)
        if !isLarge && !node.isPlain && (fits || replacesInPlace(element, node, at: index &- firstIndex)) {
            decompress(node)
            makeRoom(in: node, front: 0, back: element.count &+ ListpackCode.overheadByteCountMax)
            edit(node) { listpack in
                guard let offset = listpack.view.offset(ofIndex: index &- firstIndex) else { return }
                listpack.replace(at: offset, with: element)
            }
            settle(around: node)
            return true
        }
        removeRange(index: index, count: 1)
        return insert(element, at: index)
    }

    /// Whether the new element takes no more room than the one it replaces.
    private mutating func replacesInPlace(_ element: Span<UInt8>, _ node: QuicklistNode, at index: Int) -> Bool {
        decompress(node)
        let view = unsafe node.view
        guard let offset = view.offset(ofIndex: index) else { return false }
        return Listpack.entryByteCount(of: element) <= view.offset(after: offset) &- offset
    }

    // MARK: Removing

    /// Removes up to `limit` elements from `index` on; returns how many there were.
    @discardableResult
    package mutating func removeRange(index: Int, count limit: Int) -> Int {
        let before = count
        var garbage = detachRange(index: index, count: limit)
        garbage.removeAll()
        return before &- count
    }

    /// Removes up to `limit` elements from `index` on. Nodes that go whole are not freed but returned, so that the
    /// caller can leave a long chain to the freeing thread. (The returned list's count is that of those nodes.)
    package mutating func detachRange(index: Int, count limit: Int) -> Quicklist {
        var garbage = Quicklist(limits: limits)
        guard limit > 0, let first = normalized(index) else { return garbage }
        var left = min(limit, count &- first)
        var (current, firstIndex) = locate(first)
        var inside = first &- firstIndex
        var edge = current.previous
        while true {
            let next = current.next
            let removed = min(left, current.count &- inside)
            if removed == current.count {
                unlinkQuietly(current)
                garbage.adopt(current)
            } else {
                removeEntries(of: current, at: inside, count: removed)
                edge = current
            }
            left &-= removed
            inside = 0
            guard left > 0, let following = next else { break }
            current = following
        }
        finishRemoval(at: edge ?? head)
        return garbage
    }

    private mutating func removeEntries(of node: QuicklistNode, at index: Int, count removed: Int) {
        decompress(node)
        edit(node) { listpack in listpack.removeRange(index: index, count: removed) }
        node.count &-= removed
        count &-= removed
        giveBackWhenDrained(node)
    }

    /// After removals around `node`: what became small is merged, depth and compression are brought in order.
    private mutating func finishRemoval(at node: QuicklistNode?) {
        guard let node else { return }
        decompressEnds()
        mergeAround(node)
    }

    /// Removes elements whose text is `needle`, from the head or (`fromTail`) from the tail, at most `limit` of them;
    /// returns how many went.
    @discardableResult
    package mutating func removeMatches(of needle: Span<UInt8>, fromTail: Bool = false, limit: Int = .max) -> Int {
        var left = limit
        var node = fromTail ? tail : head
        while left > 0, let current = node {
            node = fromTail ? current.previous : current.next
            let removed = removeMatches(of: needle, in: current, fromTail: fromTail, limit: left)
            if removed == 0 { continue }
            left &-= removed
            if current.count == removed {
                drop(current)
            } else {
                current.count &-= removed
                count &-= removed
                giveBackWhenDrained(current)
                if let previous = current.previous, merge(previous, current) {
                    // From the tail, the merged node is still to be searched for what was left of it before.
                    node = fromTail ? previous : previous.next
                    settle(around: previous)
                } else {
                    settle(around: current)
                }
            }
        }
        return limit &- left
    }

    /// Removes from one node and says how many; the caller counts, and drops the node when nothing is left in it.
    private mutating func removeMatches(
        of needle: Span<UInt8>, in node: QuicklistNode, fromTail: Bool, limit: Int
    ) -> Int {
        if node.isPlain {
            if node.byteCount != needle.count { return 0 }
            decompress(node)
            let isMatch = unsafe memcmp(node.bytes, ListpackCode.address(of: needle), needle.count) == 0
            if !isMatch { compress(ifInner: node) }
            return isMatch ? 1 : 0
        }
        decompress(node)
        var removed = 0
        edit(node) { listpack in
            removed = listpack.removeMatches(of: needle, fromTail: fromTail, limit: limit)
        }
        if removed == 0 { compress(ifInner: node) }
        return removed
    }

    // MARK: Splitting and merging

    /// Cuts a listpack node in two before its element at `index`; returns the right one. Neither is empty.
    private mutating func split(_ node: QuicklistNode, at index: Int) -> QuicklistNode {
        precondition(index > 0 && index < node.count, "a split leaves something on either side")
        decompress(node)
        let view = unsafe node.view
        guard let offset = view.offset(ofIndex: index) else { preconditionFailure("a node holds what it counts") }
        let moved = node.byteCount &- offset
        let right = newListpackNode(capacity: ListpackCode.headerByteCount &+ moved)
        unsafe memcpy(right.bytes + ListpackCode.headerByteCount, node.bytes + offset, moved)
        right.byteCount = ListpackCode.headerByteCount &+ moved
        right.count = node.count &- index
        unsafe ListpackCode.storeHeader(byteCount: right.byteCount, count: right.count, right.bytes)
        unsafe node.bytes[offset] = ListpackCode.endMark
        node.byteCount = offset &+ 1
        node.count = index
        unsafe ListpackCode.storeHeader(byteCount: node.byteCount, count: node.count, node.bytes)
        count &-= right.count
        chain(right, after: node)
        return right
    }

    /// Moves everything of `right` behind what `left` holds, if one node may hold both; then `right` is gone.
    private mutating func merge(_ left: QuicklistNode, _ right: QuicklistNode) -> Bool {
        if left.isPlain || right.isPlain { return false }
        let together = left.byteCount &+ right.byteCount &- ListpackCode.emptyByteCount
        if limits.exceeds(byteCount: together, count: left.count &+ right.count) { return false }
        decompress(left)
        decompress(right)
        makeRoom(in: left, front: 0, back: right.byteCount)
        let view = unsafe right.view
        edit(left) { listpack in listpack.append(contentsOf: view) }
        left.count &+= right.count
        count &+= right.count
        unlinkQuietly(right)
        right.deallocate()
        return true
    }

    /// Merges `node` with its neighbours, and these with theirs, as far as the limits allow; puts memory and
    /// compression around it in order.
    private mutating func mergeAround(_ node: QuicklistNode) {
        var center = node
        if let previous = center.previous, let before = previous.previous { _ = merge(before, previous) }
        if let next = center.next, let after = next.next { _ = merge(next, after) }
        if let previous = center.previous, merge(previous, center) { center = previous }
        if let next = center.next { _ = merge(center, next) }
        settle(around: center)
    }
}
