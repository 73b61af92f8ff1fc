// QuicklistCursor.swift - reading a list from an index on, in either direction: LRANGE, LINDEX, SORT. Borrows the
// list, which the compiler keeps from being edited meanwhile; a compressed node is unpacked into the cursor's own
// memory and stays as it is. Cost: a walk to the start, then as a listpack; any thread that may read the list.
package import Base
internal import CLinux

@safe package struct QuicklistCursor: ~Copyable, ~Escapable {
    /// The node under the cursor; nil behind the last one, and in a list that is one listpack.
    private var node: QuicklistNode?
    private let isReversed: Bool
    /// Something may be left to read.
    private var isOpen = false
    private var isPlain = false
    /// Forwards: where the next entry starts. Backwards: where it ends. For a plain node: 1 while it is to be read.
    private var offset = 0
    private var base: UnsafePointer<UInt8>
    private var byteCount = 0
    /// The bytes of the node under the cursor when it is compressed.
    private var scratch = ByteBuffer()

    @_lifetime(borrow list)
    init(_ list: borrowing Quicklist, from index: Int, isReversed: Bool) {
        self.isReversed = isReversed
        unsafe base = ListpackCode.address(of: Span())
        node = nil
        guard let index = list.normalized(index) else { return }
        let (found, firstIndex) = list.locate(index)
        enter(found)
        if found.isPlain { return }
        let skipped = isReversed ? found.count &- 1 &- (index &- firstIndex) : index &- firstIndex
        if skipped == 0 { return }
        stand(before: index &- firstIndex)
    }

    /// Reads a list that is `listpack`.
    @_lifetime(copy listpack)
    init(_ listpack: ListpackView, from index: Int, isReversed: Bool) {
        self.isReversed = isReversed
        unsafe base = listpack.base
        byteCount = listpack.byteCount
        node = nil
        let count = listpack.count
        let index = index < 0 ? count &+ index : index
        guard index >= 0, index < count else { return }
        isOpen = true
        stand(before: index)
    }

    /// Makes the element at `index` of the listpack under the cursor the next one.
    private mutating func stand(before index: Int) {
        let view = unsafe ListpackView(base: base, byteCount: byteCount)
        offset = view.offset(ofIndex: isReversed ? index &+ 1 : index) ?? view.endOffset
    }

    /// Stands before the first element of `entered` in the direction of reading; nil ends it.
    private mutating func enter(_ entered: QuicklistNode?) {
        node = entered
        guard let entered else {
            isOpen = false
            return
        }
        isOpen = true
        isPlain = entered.isPlain
        byteCount = entered.byteCount
        if entered.isCompressed {
            scratch.truncate(to: 0)
            entered.appendBytes(to: &scratch)
            unsafe base = UnsafePointer(scratch.pointer)
        } else {
            unsafe base = UnsafePointer(entered.bytes)
        }
        offset = isPlain ? 1 : isReversed ? byteCount &- 1 : ListpackCode.headerByteCount
    }

    private mutating func enterNext() {
        enter(isReversed ? node?.previous : node?.next)
    }

    /// The next element; nil when all were read.
    @_lifetime(&self)
    package mutating func next() -> ListpackElement? {
        while isOpen {
            if isPlain {
                if offset == 1 {
                    offset = 0
                    let bytes = unsafe Span(_unsafeStart: base, count: byteCount)
                    return unsafe .bytes(_overrideLifetime(bytes, mutating: &self))
                }
            } else {
                let view = unsafe ListpackView(base: base, byteCount: byteCount)
                if let element = isReversed ? view.previous(&offset) : view.next(&offset) {
                    return unsafe _overrideLifetime(element, mutating: &self)
                }
            }
            enterNext()
        }
        return nil
    }

    /// Appends up to `limit` elements as RESP bulk strings; returns how many there were.
    @discardableResult
    package mutating func appendBulkStrings(limit: Int, to output: inout ByteBuffer) -> Int {
        var left = limit
        while left > 0, isOpen {
            if isPlain {
                if offset == 1 {
                    offset = 0
                    unsafe BulkString.append(base, count: byteCount, readable: byteCount, to: &output)
                    left &-= 1
                }
            } else {
                let view = unsafe ListpackView(base: base, byteCount: byteCount)
                left &-= isReversed
                    ? view.appendBulkStrings(before: &offset, limit: left, to: &output)
                    : view.appendBulkStrings(from: &offset, limit: left, to: &output)
            }
            if left > 0 { enterNext() }
        }
        return limit &- left
    }
}

extension Quicklist {
    /// A reader that starts with the element at `index` (from the end when negative) and goes on to the tail, or
    /// (`isReversed`) to the head; one that has nothing to read when there is no such element.
    @_lifetime(borrow self)
    package func cursor(from index: Int = 0, isReversed: Bool = false) -> QuicklistCursor {
        QuicklistCursor(self, from: index, isReversed: isReversed)
    }

    /// Calls `body` with the index of every element whose text is `needle`, from the head or (`fromTail`) from the
    /// tail, comparing at most `comparesMax` elements; `body` says whether to go on.
    package func forEachMatch(
        of needle: Span<UInt8>, fromTail: Bool = false, comparesMax: Int = .max, body: (_ index: Int) -> Bool
    ) {
        var scratch = ByteBuffer()
        var left = comparesMax
        var node = fromTail ? tail : head
        var first = fromTail ? count : 0
        while left > 0, let current = node {
            if fromTail { first &-= current.count }
            var bytes = unsafe UnsafePointer(current.bytes)
            if current.isCompressed {
                scratch.truncate(to: 0)
                current.appendBytes(to: &scratch)
                unsafe bytes = UnsafePointer(scratch.pointer)
            }
            if current.isPlain {
                if current.byteCount == needle.count,
                    unsafe memcmp(bytes, ListpackCode.address(of: needle), needle.count) == 0, !body(first)
                { return }
            } else {
                let view = unsafe ListpackView(base: bytes, byteCount: current.byteCount)
                let goesOn = view.forEachMatch(of: needle, fromTail: fromTail, comparesMax: left) { index, _ in
                    body(first &+ index)
                }
                if !goesOn { return }
            }
            left &-= current.count
            if !fromTail { first &+= current.count }
            node = fromTail ? current.previous : current.next
        }
    }
}
