// StreamTree.swift - an ordered map from stream identifiers to small plain values: a B+tree over 128-bit keys, for the
// nodes of a stream, for pending lists and for a consumer's share of one. It takes the place of stock's radix tree: the
// keys have one length and streams append, so a B+tree's leaves are full, and a pending entry takes 60 bytes in both of
// its lists where Valkey 9.1 takes 121. Owned by one stream, engine's turn; knows no time and no entries. Generic
// inside this module only, where the compiler specialises it.
internal import Base
internal import CLinux

/// The value of a tree that is only a set of identifiers.
struct StreamTreeNothing: BitwiseCopyable {}

@safe struct StreamTree<Value: BitwiseCopyable>: ~Copyable {
    typealias Leaf = StreamTreeLeaf<Value>

    /// A `StreamTreeInner` while `height > 0`, else a leaf; nil when empty.
    var root: UnsafeMutableRawPointer?
    /// The last leaf: streams and pending lists grow there.
    var tail: Leaf?
    var height = 0
    /// Identifiers held.
    var count = 0
    /// Bytes of all nodes.
    var allocatedBytes = 0

    init() { unsafe root = nil }

    deinit {
        if let root = unsafe root { unsafe StreamTree.freeNodes(root, height: height) }
    }

    @unsafe
    private static func freeNodes(_ node: UnsafeMutableRawPointer, height: Int) {
        if height > 0 {
            let inner = unsafe StreamTreeInner(node)
            for index in 0..<inner.count { unsafe freeNodes(inner.children[index], height: height - 1) }
            Bursts.pauseIfDue()
        }
        unsafe free(node)
    }

    /// Walks the tree, between two neighbours: `next` steps over the one behind, `previous` over the one in front.
    /// Dead as soon as the tree is changed.
    struct Cursor {
        fileprivate var leaf: Leaf?
        fileprivate var index: Int

        @inline(__always)
        mutating func next() -> (id: StreamID, value: Value)? {
            guard var leaf else { return nil }
            if index >= leaf.count {
                guard let following = leaf.next else { return nil }
                leaf = following
                self.leaf = following
                index = 0
            }
            index &+= 1
            return (leaf.id(at: index &- 1), leaf.value(at: index &- 1))
        }

        @inline(__always)
        mutating func previous() -> (id: StreamID, value: Value)? {
            guard var leaf else { return nil }
            if index == 0 {
                guard let preceding = leaf.previous else { return nil }
                leaf = preceding
                self.leaf = preceding
                index = preceding.count
            }
            index &-= 1
            return (leaf.id(at: index), leaf.value(at: index))
        }
    }

    /// A cursor in front of the first identifier at or above `id`.
    func cursor(before id: StreamID) -> Cursor {
        guard let leaf = leaf(of: id) else { return Cursor(leaf: nil, index: 0) }
        return Cursor(leaf: leaf, index: StreamTree.lowerBound(id, in: leaf))
    }

    /// A cursor behind the last identifier at or below `id`.
    func cursor(behind id: StreamID) -> Cursor {
        guard let leaf = leaf(of: id) else { return Cursor(leaf: nil, index: 0) }
        let index = StreamTree.lowerBound(id, in: leaf)
        let isHere = index < leaf.count && leaf.id(at: index) == id
        return Cursor(leaf: leaf, index: isHere ? index + 1 : index)
    }

    func startCursor() -> Cursor { cursor(before: .zero) }

    func endCursor() -> Cursor { Cursor(leaf: tail, index: tail?.count ?? 0) }

    var first: (id: StreamID, value: Value)? {
        var cursor = startCursor()
        return cursor.next()
    }

    var last: (id: StreamID, value: Value)? {
        guard let tail else { return nil }
        return (tail.id(at: tail.count - 1), tail.value(at: tail.count - 1))
    }

    /// The leaf that holds `id`, or would.
    @inline(__always)
    private func leaf(of id: StreamID) -> Leaf? {
        guard var node = unsafe root else { return nil }
        var level = height
        while level > 0 {
            let inner = unsafe StreamTreeInner(node)
            unsafe node = inner.children[inner.slot(of: id)]
            level &-= 1
        }
        return unsafe Leaf(node)
    }

    /// Index of the first identifier in `leaf` at or above `id`.
    @inline(__always)
    static func lowerBound(_ id: StreamID, in leaf: Leaf) -> Int {
        var low = 0
        var length = leaf.count
        while length > 0 {
            let half = length >> 1
            if leaf.id(at: low &+ half) < id {
                low &+= half &+ 1
                length &-= half &+ 1
            } else {
                length = half
            }
        }
        return low
    }

    /// The value at `id`.
    func find(_ id: StreamID) -> Value? {
        guard let leaf = leaf(of: id) else { return nil }
        let index = StreamTree.lowerBound(id, in: leaf)
        return index < leaf.count && leaf.id(at: index) == id ? leaf.value(at: index) : nil
    }

    /// Gives `id` another value. False when it is not there.
    @discardableResult
    func replace(_ id: StreamID, with value: Value) -> Bool {
        guard let leaf = leaf(of: id) else { return false }
        let index = StreamTree.lowerBound(id, in: leaf)
        guard index < leaf.count && leaf.id(at: index) == id else { return false }
        leaf.setValue(value, at: index)
        return true
    }

    /// Adds `id`. False, and nothing changed, when it is there already.
    @discardableResult
    @inline(__always)
    mutating func insert(_ id: StreamID, _ value: Value) -> Bool {
        if let tail, tail.count < tail.capacity, tail.id(at: tail.count &- 1) < id {
            tail.append(id, value)
            count &+= 1
            return true
        }
        return insertAnywhere(id, value)
    }

    @inline(never)
    private mutating func insertAnywhere(_ id: StreamID, _ value: Value) -> Bool {
        growRootIfFull()
        guard var node = unsafe root else {
            let leaf = makeLeaf(capacity: Leaf.capacityMin)
            leaf.insert(id, value, at: 0)
            unsafe root = leaf.base
            tail = leaf
            count = 1
            return true
        }
        var level = height
        var parent: StreamTreeInner?
        var slot = 0
        while level > 0 {
            let inner = unsafe StreamTreeInner(node)
            slot = inner.slot(of: id)
            if level > 1 && inner.inner(at: slot).count == StreamTreeInner.capacity {
                splitInner(inner, slot, isLast: slot == inner.count - 1)
                slot = inner.slot(of: id)
            }
            parent = inner
            unsafe node = inner.children[slot]
            level &-= 1
        }
        let leaf = unsafe Leaf(node)
        let index = StreamTree.lowerBound(id, in: leaf)
        if index < leaf.count && leaf.id(at: index) == id { return false }
        count &+= 1
        if leaf.count < leaf.capacity {
            leaf.insert(id, value, at: index)
        } else if let parent {
            insertIntoFullLeaf(leaf, below: parent, slot, index, id, value)
        }
        return true
    }

    /// Takes `id` out; nil when it is not there.
    @discardableResult
    mutating func remove(_ id: StreamID) -> Value? {
        guard var node = unsafe root else { return nil }
        // Mostly no node on the way is poor, and one descent does it.
        var keyHolder: (node: StreamTreeInner, index: Int)?
        var isRich = true
        var level = height
        while level > 0 {
            let inner = unsafe StreamTreeInner(node)
            if level < height && inner.count <= innerFillMin { isRich = false }
            let slot = inner.slot(of: id)
            if slot > 0 { keyHolder = (inner, slot) }
            unsafe node = inner.children[slot]
            level &-= 1
        }
        let leaf = unsafe Leaf(node)
        let index = StreamTree.lowerBound(id, in: leaf)
        guard index < leaf.count && leaf.id(at: index) == id else { return nil }
        guard height == 0 || (isRich && leaf.count > leafFillMin) else { return removeWithFilling(id) }
        return take(index, from: leaf, keyHolder)
    }

    /// As `remove`, for an identifier that is there: fills poor nodes on the way down.
    @inline(never)
    private mutating func removeWithFilling(_ id: StreamID) -> Value? {
        guard var node = unsafe root else { return nil }
        var keyHolder: (node: StreamTreeInner, index: Int)?
        var level = height
        while level > 0 {
            let inner = unsafe StreamTreeInner(node)
            var slot = inner.slot(of: id)
            if fillChild(of: inner, at: slot, level: level) { slot = inner.slot(of: id) }
            if slot > 0 { keyHolder = (inner, slot) }
            unsafe node = inner.children[slot]
            level &-= 1
        }
        let leaf = unsafe Leaf(node)
        return take(StreamTree.lowerBound(id, in: leaf), from: leaf, keyHolder)
    }

    @inline(__always)
    private mutating func take(
        _ index: Int, from leaf: Leaf, _ keyHolder: (node: StreamTreeInner, index: Int)?
    ) -> Value {
        let value = leaf.value(at: index)
        leaf.remove(index..<(index &+ 1))
        if index == 0, leaf.count > 0, let holder = keyHolder { unsafe holder.node.keys[holder.index] = leaf.id(at: 0) }
        count &-= 1
        shrinkRoot()
        return value
    }

    /// Takes out at most `limit` identifiers, the highest first. True while some remain.
    mutating func removeSome(limit: Int, _ body: (StreamID, Value) -> Void) -> Bool {
        var left = limit
        while left > 0, let last = last {
            body(last.id, last.value)
            remove(last.id)
            left -= 1
        }
        return count > 0
    }
}
