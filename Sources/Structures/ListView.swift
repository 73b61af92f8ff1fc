// ListView.swift - reading a list however it is kept: one listpack wherever it lies, or a quicklist. Borrowed, copies
// nothing; any thread that may read the list. Cost beyond the structure's own: one branch.
internal import Base
internal import CLinux

@safe package struct ListView: ~Escapable {
    /// Nil when the list is one listpack.
    let chain: UnsafePointer<Quicklist>?
    private let base: UnsafePointer<UInt8>
    private let byteCount: Int

    /// Views a list that is `listpack`.
    @_lifetime(copy listpack) @inline(__always)
    package init(_ listpack: ListpackView) {
        unsafe chain = nil
        unsafe base = listpack.base
        byteCount = listpack.byteCount
    }

    /// Views the quicklist at `chain`, which must outlive the view.
    @unsafe @_lifetime(immortal) @inline(__always)
    package init(unchecked chain: UnsafePointer<Quicklist>) {
        unsafe self.chain = chain
        unsafe base = ListpackCode.address(of: Span())
        byteCount = 0
    }

    /// The one listpack; only when there is no chain.
    var listpack: ListpackView {
        @_lifetime(copy self) @inline(__always) get {
            let view = unsafe ListpackView(base: base, byteCount: byteCount)
            return unsafe _overrideLifetime(view, copying: self)
        }
    }

    /// Elements.
    package var count: Int {
        @inline(__always) get { unsafe chain?.pointee.count ?? listpack.count }
    }

    package var isEmpty: Bool {
        @inline(__always) get { unsafe chain?.pointee.isEmpty ?? listpack.isEmpty }
    }

    /// Bytes of one listpack with all elements. Cost: a step per node.
    package var listpackByteCount: Int { unsafe chain?.pointee.listpackByteCount ?? byteCount }

    /// Listpacks and plain elements of which the list is made.
    package var nodeCount: Int { unsafe chain?.pointee.nodeCount ?? 1 }

    /// Visits the nodes in order: plain or not, and the element or listpack, uncompressed.
    package func forEachNode(_ body: (_ isPlain: Bool, _ bytes: Span<UInt8>) -> Void) {
        guard let chain = unsafe chain else { return body(false, listpack.span) }
        unsafe chain.pointee.forEachNode(body)
    }

    /// A word for the first node: where `visitNodes` starts.
    package var firstNodeWord: UInt64 { unsafe chain?.pointee.firstNodeWord ?? ListView.listpackWord }

    /// Visits nodes as `forEachNode` does, from the one that `word` leads to, for as long as `body` answers true. True
    /// when the end was reached; otherwise `word` leads to the next node, for as long as the list does not change.
    package func visitNodes(
        from word: inout UInt64, _ body: (_ isPlain: Bool, _ bytes: Span<UInt8>) -> Bool
    ) -> Bool {
        if let chain = unsafe chain { return unsafe chain.pointee.visitNodes(from: &word, body) }
        guard word == ListView.listpackWord else { return true }
        word = 0
        _ = body(false, listpack.span)
        return true
    }

    /// Stands for the only node of a list that is one listpack.
    private static let listpackWord: UInt64 = 1

    /// A reader that starts with the element at `index` (from the end when negative) and goes on to the tail, or
    /// (`isReversed`) to the head; one that has nothing to read when there is no such element.
    @_lifetime(copy self)
    package func cursor(from index: Int = 0, isReversed: Bool = false) -> QuicklistCursor {
        if let chain = unsafe chain {
            let cursor = unsafe QuicklistCursor(chain.pointee, from: index, isReversed: isReversed)
            return unsafe _overrideLifetime(cursor, copying: self)
        }
        return QuicklistCursor(listpack, from: index, isReversed: isReversed)
    }

    /// Calls `body` with the index of every element whose text is `needle`, from the head or (`fromTail`) from the
    /// tail, comparing at most `comparesMax` elements; `body` says whether to go on.
    package func forEachMatch(
        of needle: Span<UInt8>, fromTail: Bool = false, comparesMax: Int = .max, body: (_ index: Int) -> Bool
    ) {
        if let chain = unsafe chain {
            return unsafe chain.pointee.forEachMatch(
                of: needle, fromTail: fromTail, comparesMax: comparesMax, body: body)
        }
        _ = listpack.forEachMatch(of: needle, fromTail: fromTail, comparesMax: comparesMax) { index, _ in body(index) }
    }

    /// Where the first element whose text is `needle` stands.
    package func firstIndex(of needle: Span<UInt8>) -> Int? {
        var found: Int?
        forEachMatch(of: needle) { index in
            found = index
            return false
        }
        return found
    }
}
