// Quicklist.swift - a list as Redis keeps large ones: a chain of listpacks, each limited by `list-max-listpack-size`,
// large elements in nodes of their own, and, with `list-compress-depth`, the inner nodes LZF-compressed. One owner, a
// key's entry; edited under the engine's turn; handed whole to the freeing thread. This file: the chain itself, its
// memory and its accounts. Pushing and popping at either end is O(1); an index costs a walk over nodes from the nearer
// end. Must never be dropped when it is large (its deinit frees all nodes): `removeSome` frees in bounded pieces.
internal import Base
internal import CLinux

@safe package struct Quicklist: ~Copyable, @unchecked Sendable {
    // Sendable because no node is reachable from anywhere else.
    var head: QuicklistNode?
    var tail: QuicklistNode?
    /// Elements.
    package internal(set) var count = 0
    /// Listpacks and plain elements in the chain.
    package private(set) var nodeCount = 0
    /// Bytes that the allocator gave for the nodes.
    package private(set) var allocatedBytes = 0
    /// How large a node may become.
    package private(set) var limits: ListLimits
    /// Nodes at either end that stay uncompressed; 0: all of them.
    package private(set) var compressDepth: Int

    /// Redis keeps 16 bits for it.
    private static let compressDepthMax = 65535

    /// An empty list.
    package init(limits: ListLimits = .standard, compressDepth: Int = 0) {
        self.limits = limits
        self.compressDepth = max(0, min(compressDepth, Quicklist.compressDepthMax))
    }

    /// A list whose only node is `listpack`, which a small list outgrew.
    package init(listpack: ListpackView, limits: ListLimits, compressDepth: Int = 0) {
        self.init(limits: limits, compressDepth: compressDepth)
        if !listpack.isEmpty { appendNode(listpack: listpack) }
    }

    /// From now on other limits hold; the nodes stay as they are.
    package mutating func setOptions(limits: ListLimits, compressDepth: Int) {
        self.limits = limits
        self.compressDepth = max(0, min(compressDepth, Quicklist.compressDepthMax))
    }

    deinit {
        var node = head
        while let current = node {
            node = current.next
            current.deallocate()
            Bursts.pauseIfDue()
        }
    }

    package var isEmpty: Bool { count == 0 }

    // MARK: Whole nodes, for files and payloads

    /// Adds a copy of `listpack`, which is trusted and not empty, as one node behind the last.
    package mutating func appendNode(listpack: ListpackView) {
        precondition(!listpack.isEmpty, "a node holds at least one element")
        let node = newNode(capacity: listpack.byteCount, isPlain: false)
        unsafe memcpy(node.bytes, listpack.base, listpack.byteCount)
        node.byteCount = listpack.byteCount
        node.count = listpack.count
        link(node, after: tail)
    }

    /// Adds one element in a node of its own behind the last.
    package mutating func appendPlainNode(_ element: Span<UInt8>) {
        link(newPlainNode(element), after: tail)
    }

    /// Visits the nodes in order: plain or not, and the element or listpack, uncompressed.
    package func forEachNode(_ body: (_ isPlain: Bool, _ bytes: Span<UInt8>) -> Void) {
        var scratch = ByteBuffer()
        var node = head
        while let current = node {
            if current.isCompressed {
                scratch.truncate(to: 0)
                current.appendBytes(to: &scratch)
                body(current.isPlain, scratch.span)
            } else {
                unsafe body(current.isPlain, Span(_unsafeStart: UnsafePointer(current.bytes), count: current.byteCount))
            }
            node = current.next
        }
    }

    /// A word for the first node, 0 when there is none: where `visitNodes` starts.
    package var firstNodeWord: UInt64 { head?.word ?? 0 }

    /// Visits nodes as `forEachNode` does, from the one that `word` leads to, for as long as `body` answers true. True
    /// when the end was reached; otherwise `word` leads to the next node, for as long as the list does not change.
    package func visitNodes(
        from word: inout UInt64, _ body: (_ isPlain: Bool, _ bytes: Span<UInt8>) -> Bool
    ) -> Bool {
        var scratch = ByteBuffer()
        while let current = QuicklistNode(word: word) {
            word = current.next?.word ?? 0
            let goesOn: Bool
            if current.isCompressed {
                scratch.truncate(to: 0)
                current.appendBytes(to: &scratch)
                goesOn = body(current.isPlain, scratch.span)
            } else {
                let bytes = unsafe Span(_unsafeStart: UnsafePointer(current.bytes), count: current.byteCount)
                goesOn = body(current.isPlain, bytes)
            }
            if !goesOn { return word == 0 }
        }
        return true
    }

    /// The bytes of the only node when it is a listpack and, by `limits` (the list's own when nil), small enough to
    /// become the whole list again; else nil. `isShrinking`: elements were removed, see
    /// `ListLimits.quicklistMayConvert`.
    @_lifetime(borrow self)
    package func soleListpack(isShrinking: Bool, limits given: ListLimits? = nil) -> ListpackView? {
        let limits = given ?? limits
        guard let node = head, node.next == nil, !node.isPlain, !node.isCompressed,
            limits.quicklistMayConvert(byteCount: node.byteCount, count: node.count, isShrinking: isShrinking)
        else { return nil }
        let view = unsafe node.view
        return unsafe _overrideLifetime(view, borrowing: self)
    }

    /// Whether the only node is a listpack that may be the whole list's; see `soleListpack`.
    package func mayBeListpack(isShrinking: Bool, limits: ListLimits? = nil) -> Bool {
        soleListpack(isShrinking: isShrinking, limits: limits) != nil
    }

    /// Bytes of one listpack with all elements. Cost: a step per node.
    package var listpackByteCount: Int {
        var total = ListpackCode.emptyByteCount
        var node = head
        while let current = node {
            total &+= current.byteCount &- (current.isPlain ? 0 : ListpackCode.emptyByteCount)
            node = current.next
        }
        return total
    }

    /// A copy for COPY: the same nodes in memory that fits them.
    package func duplicate() -> Quicklist {
        var copy = Quicklist(limits: limits, compressDepth: compressDepth)
        var node = head
        while let current = node {
            let duplicate = current.duplicate()
            copy.chain(duplicate, after: copy.tail)
            node = current.next
        }
        return copy
    }

    // MARK: Freeing

    /// Frees up to `limit` nodes from the head; true when none is left. For a list that nobody reads any more.
    package mutating func removeSome(_ limit: Int) -> Bool {
        var left = limit
        while left > 0, let node = head {
            unlinkQuietly(node)
            node.deallocate()
            left &-= 1
        }
        return head == nil
    }

    /// Frees everything at once.
    package mutating func removeAll() {
        while !removeSome(1024) {}
    }

    // MARK: The chain

    /// A node with nothing in it, not linked and not counted yet.
    func newNode(capacity: Int, isPlain: Bool) -> QuicklistNode {
        QuicklistNode.allocate(capacity: capacity, isPlain: isPlain)
    }

    func newPlainNode(_ element: Span<UInt8>) -> QuicklistNode {
        let node = newNode(capacity: element.count, isPlain: true)
        unsafe memcpy(node.bytes, ListpackCode.address(of: element), element.count)
        node.byteCount = element.count
        node.count = 1
        return node
    }

    /// A node whose listpack holds nothing, with `front` free bytes before it.
    func newListpackNode(capacity: Int, front: Int = 0) -> QuicklistNode {
        let node = newNode(capacity: max(capacity, front + ListpackCode.emptyByteCount), isPlain: false)
        node.start = front
        node.byteCount = ListpackCode.emptyByteCount
        unsafe ListpackCode.storeHeader(byteCount: ListpackCode.emptyByteCount, count: 0, node.bytes)
        unsafe node.bytes[ListpackCode.headerByteCount] = ListpackCode.endMark
        return node
    }

    /// Puts a finished node behind `neighbour` (nil: first of all), counts it, and compresses what became inner.
    mutating func link(_ node: QuicklistNode, after neighbour: QuicklistNode?) {
        chain(node, after: neighbour)
        settle(around: node)
    }

    /// After `node` or its neighbours changed: spare memory of inner nodes goes back, and what lies deeper than
    /// `compressDepth` is compressed.
    mutating func settle(around node: QuicklistNode) {
        let before = node.previous
        let after = node.next
        if let before { seal(before) }
        seal(node)
        if let after { seal(after) }
        if compressDepth == 0 { return }
        compressInside()
        compress(ifInner: node)
        if let before { compress(ifInner: before) }
        if let after { compress(ifInner: after) }
    }

    /// Links and counts a finished node behind `neighbour` (nil: first of all), nothing more.
    mutating func chain(_ node: QuicklistNode, after neighbour: QuicklistNode?) {
        let following = neighbour == nil ? head : neighbour?.next
        node.previous = neighbour
        node.next = following
        if let neighbour { neighbour.next = node } else { head = node }
        if let following { following.previous = node } else { tail = node }
        nodeCount &+= 1
        count &+= node.count
        allocatedBytes &+= node.allocatedBytes
    }

    /// Takes a node out of chain and accounts; it still holds its memory and its elements.
    mutating func unlink(_ node: QuicklistNode) {
        unlinkQuietly(node)
        decompressEnds()
    }

    /// Takes a node out of chain and accounts, nothing more.
    mutating func unlinkQuietly(_ node: QuicklistNode) {
        if let previous = node.previous { previous.next = node.next } else { head = node.next }
        if let next = node.next { next.previous = node.previous } else { tail = node.previous }
        node.previous = nil
        node.next = nil
        nodeCount &-= 1
        count &-= node.count
        allocatedBytes &-= node.allocatedBytes
    }

    /// Takes a node out and frees it.
    mutating func drop(_ node: QuicklistNode) {
        unlink(node)
        node.deallocate()
    }

    /// Takes over all nodes of `other`, which is empty then.
    mutating func adoptAll(of other: inout Quicklist) {
        while let node = other.head {
            other.unlinkQuietly(node)
            adopt(node)
        }
    }

    /// Adopts a node that another list unlinked.
    mutating func adopt(_ node: QuicklistNode) {
        chain(node, after: tail)
    }

    /// Runs `body`, which may change the memory of `node`, and keeps the account.
    @inline(__always)
    mutating func account(_ node: QuicklistNode, _ body: () -> Void) {
        let before = node.allocatedBytes
        body()
        allocatedBytes &+= node.allocatedBytes &- before
    }

    /// A node that no longer is an end of the list will hardly grow: its spare memory goes back.
    private mutating func seal(_ node: QuicklistNode) {
        if node.previous == nil || node.next == nil || node.isCompressed { return }
        let spare = node.capacity &- node.byteCount
        if spare >= max(64, node.byteCount >> 3) {
            account(node) { node.resize(capacity: node.byteCount, front: 0) }
        }
    }

    // MARK: Compression by depth

    /// Whether `node` lies deeper than `compressDepth` from both ends.
    private func isInner(_ node: QuicklistNode) -> Bool {
        if compressDepth == 0 || nodeCount <= 2 * compressDepth { return false }
        var first = head
        var last = tail
        for _ in 0..<compressDepth {
            if first == node || last == node { return false }
            first = first?.next
            last = last?.previous
        }
        return true
    }

    /// To be called after an edit of `node`.
    mutating func compress(ifInner node: QuicklistNode) {
        if compressDepth > 0, isInner(node) { account(node) { _ = node.compress() } }
    }

    /// Compresses the nodes that a new node pushed inside: those just beyond the depth at either end.
    private mutating func compressInside() {
        if compressDepth == 0 { return }
        decompressEnds()
        if nodeCount <= 2 * compressDepth { return }
        var first = head
        var last = tail
        for _ in 0..<compressDepth {
            first = first?.next
            last = last?.previous
        }
        if let first, !first.isCompressed { account(first) { _ = first.compress() } }
        if let last, !last.isCompressed { account(last) { _ = last.compress() } }
    }

    /// Decompresses the nodes that removals made outer ones.
    mutating func decompressEnds() {
        if compressDepth == 0 { return }
        var first = head
        var last = tail
        for _ in 0..<compressDepth {
            if let node = first { decompress(node) }
            if let node = last { decompress(node) }
            if first == nil || first == last { break }
            first = first?.next
            last = last?.previous
        }
    }

    mutating func decompress(_ node: QuicklistNode) {
        if node.isCompressed { account(node) { node.decompress() } }
    }
}
