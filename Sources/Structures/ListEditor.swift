// ListEditor.swift - changing a list however it is kept: one listpack that its entry lent, or a quicklist. Made by the
// keyspace's door for changing lists and valid within it only. Engine's turn. Cost beyond the structure's own: one
// branch.
package import Base

@safe package struct ListEditor: ~Copyable {
    /// The list, when it is one listpack.
    private var listpack: Listpack?
    /// The list, when it is a quicklist.
    private let chain: UnsafeMutablePointer<Quicklist>?
    /// Nodes that were taken out whole and are still to be freed.
    private var detached: Quicklist?

    /// Whole nodes beyond this number are not freed on the spot.
    private static let freedNodesMax = 16

    @inline(__always)
    package init(_ listpack: consuming Listpack) {
        self.listpack = consume listpack
        unsafe chain = nil
    }

    /// Edits the quicklist at `chain`, which must outlive the editor.
    @unsafe @inline(__always)
    package init(unchecked chain: UnsafeMutablePointer<Quicklist>) {
        listpack = nil
        unsafe self.chain = chain
    }

    /// The edited listpack's bytes; only when the list is one.
    @inline(__always)
    package mutating func takeListpack() -> ByteBuffer {
        guard let edited = listpack.take() else { preconditionFailure("a quicklist is edited where it is") }
        return edited.take()
    }

    /// Nodes that are too many to be freed here.
    @inline(__always)
    package mutating func takeDetached() -> Quicklist? { detached.take() }

    // MARK: ends

    @inline(__always)
    package mutating func append(_ element: Span<UInt8>) {
        if let chain = unsafe chain { unsafe chain.pointee.append(element) } else { listpack?.append(element) }
    }

    @inline(__always)
    package mutating func prepend(_ element: Span<UInt8>) {
        if let chain = unsafe chain { unsafe chain.pointee.prepend(element) } else { listpack?.prepend(element) }
    }

    /// Removes the first element after `body` has seen it.
    @inline(__always)
    package mutating func popFirst(_ body: (ListpackElement) -> Void) {
        if let chain = unsafe chain {
            _ = unsafe chain.pointee.popFirst(body)
        } else {
            popFromListpack(isLast: false, body)
        }
    }

    /// Removes the last element after `body` has seen it.
    @inline(__always)
    package mutating func popLast(_ body: (ListpackElement) -> Void) {
        if let chain = unsafe chain {
            _ = unsafe chain.pointee.popLast(body)
        } else {
            popFromListpack(isLast: true, body)
        }
    }

    private mutating func popFromListpack(isLast: Bool, _ body: (ListpackElement) -> Void) {
        guard let offset = endOffset(isLast: isLast, body) else { return }
        listpack?.remove(at: offset)
    }

    /// Shows `body` an end of the listpack and says where it is; nil when there is nothing.
    private func endOffset(isLast: Bool, _ body: (ListpackElement) -> Void) -> Int? {
        switch listpack {
        case .some(let listpack):
            if listpack.isEmpty { return nil }
            let view = listpack.view
            let offset = isLast ? view.offset(before: view.endOffset) : view.startOffset
            body(view.element(at: offset))
            return offset
        case .none: return nil
        }
    }

    // MARK: inside

    /// Adds `element` before the element at `index`; `count` adds it behind the last.
    package mutating func insert(_ element: Span<UInt8>, at index: Int) {
        if let chain = unsafe chain {
            unsafe chain.pointee.insert(element, at: index)
        } else if let offset = offset(index) {
            listpack?.insert(element, at: offset)
        } else {
            listpack?.append(element)
        }
    }

    /// Puts `element` in the place of the one at `index`.
    package mutating func replace(at index: Int, with element: Span<UInt8>) {
        if let chain = unsafe chain {
            unsafe chain.pointee.replace(at: index, with: element)
        } else if let offset = offset(index) {
            listpack?.replace(at: offset, with: element)
        }
    }

    private func offset(_ index: Int) -> Int? {
        switch listpack {
        case .some(let listpack): listpack.view.offset(ofIndex: index)
        case .none: nil
        }
    }

    /// Removes up to `limit` elements from `index` on.
    package mutating func removeRange(index: Int, count limit: Int) {
        guard let chain = unsafe chain else {
            _ = listpack?.removeRange(index: index, count: limit)
            return
        }
        var nodes = unsafe chain.pointee.detachRange(index: index, count: limit)
        if nodes.nodeCount <= ListEditor.freedNodesMax { return nodes.removeAll() }
        if detached == nil {
            detached = consume nodes
        } else {
            detached?.adoptAll(of: &nodes)
        }
    }

    /// Removes elements whose text is `needle`, from the head or (`fromTail`) from the tail, at most `limit` of them;
    /// returns how many went.
    package mutating func removeMatches(of needle: Span<UInt8>, fromTail: Bool, limit: Int) -> Int {
        if let chain = unsafe chain {
            return unsafe chain.pointee.removeMatches(of: needle, fromTail: fromTail, limit: limit)
        }
        return listpack?.removeMatches(of: needle, fromTail: fromTail, limit: limit) ?? 0
    }
}
