// ListpackView.swift - reading a listpack where it lies: inline in a key's entry, in a quicklist node, in a buffer.
// Borrowed, copies nothing; any thread that may read the bytes. Positions are byte offsets of entries, from
// `startOffset` up to `endOffset`, which is the place behind the last entry. The bytes must be a listpack that this
// module built or `Listpack.validate` accepted; a view never checks them again.
internal import CLinux

@safe package struct ListpackView: ~Escapable {
    let base: UnsafePointer<UInt8>
    /// Bytes of the whole listpack.
    package let byteCount: Int

    /// Views `bytes`, which must be one whole trusted listpack.
    @_lifetime(copy bytes) @inline(__always)
    package init(_ bytes: Span<UInt8>) {
        precondition(bytes.count >= ListpackCode.emptyByteCount, "a listpack has a header and an end mark")
        let address = unsafe ListpackCode.address(of: bytes)
        unsafe self.init(base: address, byteCount: bytes.count)
        assert(unsafe ListpackCode.load32(address) == bytes.count, "a listpack is as long as its header says")
    }

    @unsafe @_lifetime(immortal) @inline(__always)
    init(base: UnsafePointer<UInt8>, byteCount: Int) {
        unsafe self.base = base
        self.byteCount = byteCount
    }

    /// The bytes themselves, as DUMP and RDB files carry them.
    package var span: Span<UInt8> {
        @_lifetime(copy self) @inline(__always) get {
            let view = unsafe Span(_unsafeStart: base, count: byteCount)
            return unsafe _overrideLifetime(view, copying: self)
        }
    }

    @unsafe var end: UnsafePointer<UInt8> {
        @inline(__always) get { unsafe base + (byteCount &- 1) }
    }

    /// The count field as it is stored; nil when the true count does not fit into it.
    @inline(__always)
    var storedCount: Int? {
        let stored = unsafe ListpackCode.load16(base + 4)
        return stored == ListpackCode.countUnknown ? nil : stored
    }

    /// How many elements there are: O(1) below 65535 elements, else a walk.
    package var count: Int {
        @inline(__always) get { storedCount ?? walkedCount }
    }

    /// Elements counted one by one.
    package var walkedCount: Int {
        var count = 0
        var position = unsafe base + ListpackCode.headerByteCount
        while unsafe position < end {
            unsafe position += ListpackCode.entryByteCount(position)
            count &+= 1
        }
        return count
    }

    package var isEmpty: Bool {
        @inline(__always) get { byteCount == ListpackCode.emptyByteCount }
    }

    /// Whether `added` bytes more (entries, with their overhead) would keep the listpack below its size limit of 1 GiB.
    @inline(__always)
    package func hasRoom(for added: Int) -> Bool { added <= ListpackCode.byteCountMax &- byteCount }

    // MARK: Walking

    /// Where the first entry starts; `endOffset` when there is none.
    package var startOffset: Int {
        @inline(__always) get { ListpackCode.headerByteCount }
    }

    /// The place behind the last entry.
    package var endOffset: Int {
        @inline(__always) get { byteCount &- 1 }
    }

    @inline(__always)
    func checkOffset(_ offset: Int) {
        precondition(
            offset >= ListpackCode.headerByteCount && offset < byteCount &- 1, "an offset outside the listpack")
    }

    @unsafe @_lifetime(copy self) @inline(__always)
    func element(_ entry: ListpackCode.Entry) -> ListpackElement {
        guard let text = unsafe entry.text else { return .integer(entry.integer) }
        let bytes = unsafe Span(_unsafeStart: text, count: entry.textByteCount)
        return unsafe .bytes(_overrideLifetime(bytes, copying: self))
    }

    /// The element whose entry starts at `offset`.
    @_lifetime(copy self) @inline(__always)
    package func element(at offset: Int) -> ListpackElement {
        checkOffset(offset)
        return unsafe element(ListpackCode.decode(base + offset))
    }

    /// The element at `offset`, which moves on to the next entry; nil at the end.
    @_lifetime(copy self) @inline(__always)
    package func next(_ offset: inout Int) -> ListpackElement? {
        if offset == endOffset { return nil }
        checkOffset(offset)
        let entry = unsafe ListpackCode.decode(base + offset)
        offset &+= entry.byteCount
        return unsafe element(entry)
    }

    /// Moves `offset` back to the entry before it and returns that element; nil at the start.
    @_lifetime(copy self) @inline(__always)
    package func previous(_ offset: inout Int) -> ListpackElement? {
        if offset == startOffset { return nil }
        offset = self.offset(before: offset)
        return unsafe element(ListpackCode.decode(base + offset))
    }

    /// The offset behind the entry at `offset`.
    @inline(__always)
    package func offset(after offset: Int) -> Int {
        checkOffset(offset)
        return unsafe offset &+ ListpackCode.entryByteCount(base + offset)
    }

    /// The offset of the entry that ends at `offset`, which may be `endOffset` but not `startOffset`.
    @inline(__always)
    package func offset(before offset: Int) -> Int {
        precondition(offset > startOffset && offset <= endOffset, "nothing lies before this offset")
        return unsafe offset &- ListpackCode.entryByteCount(endingAt: base + offset)
    }

    /// The offset of the element at `index`, counted from the end when negative (-1 is the last); nil beyond either
    /// end. Walks from the nearer end when the count is known.
    package func offset(ofIndex index: Int) -> Int? {
        var forward = index
        if let count = storedCount {
            if forward < 0 { forward = count &+ forward }
            guard forward >= 0, forward < count else { return nil }
            if forward > count >> 1 { return offset(backwardSteps: count &- forward) }
        } else if forward < 0 {
            return forward == Int.min ? nil : offset(backwardSteps: 0 &- forward)
        }
        var position = unsafe base + ListpackCode.headerByteCount
        while unsafe position < end {
            if forward == 0 { return unsafe position - base }
            unsafe position += ListpackCode.entryByteCount(position)
            forward &-= 1
        }
        return nil
    }

    /// The offset `steps` entries before the end; nil when there are not so many.
    private func offset(backwardSteps steps: Int) -> Int? {
        let start = unsafe base + ListpackCode.headerByteCount
        var position = unsafe end
        for _ in 0..<steps {
            if unsafe position == start { return nil }
            unsafe position -= ListpackCode.entryByteCount(endingAt: position)
        }
        return unsafe position - base
    }

    /// The element at `index`, counted from the end when negative; nil beyond either end.
    @_lifetime(copy self)
    package func element(ofIndex index: Int) -> ListpackElement? {
        guard let offset = offset(ofIndex: index) else { return nil }
        return unsafe element(ListpackCode.decode(base + offset))
    }

    // MARK: Wholesale reading

    /// Appends the offset of every `stride`-th entry (1: all, 2: the first of each pair) to `offsets`: with these,
    /// picking elements at random costs O(1) each, however many are asked for.
    package func appendOffsets(stride: Int = 1, to offsets: inout [Int32]) {
        precondition(stride > 0, "a stride is positive")
        var position = unsafe base + ListpackCode.headerByteCount
        var rest = 0
        while unsafe position < end {
            if rest == 0 {
                unsafe offsets.append(Int32(truncatingIfNeeded: position - base))
                rest = stride
            }
            unsafe position += ListpackCode.entryByteCount(position)
            rest &-= 1
        }
    }

    /// Visits `picks` of the groups of `stride` entries, each set of groups equally likely, in their order in the
    /// listpack; all of them when there are not more. `below(n)` must give a random number in 0..<n.
    package func pickGroups(_ picks: Int, stride: Int, below: (Int) -> Int, body: (_ offset: Int) -> Void) {
        precondition(stride > 0, "a stride is positive")
        var groupsLeft = count / stride
        var picksLeft = min(picks, groupsLeft)
        var position = unsafe base + ListpackCode.headerByteCount
        while picksLeft > 0 {
            // Knuth's algorithm S: take this group with the chance (picks left) / (groups left).
            if below(groupsLeft) < picksLeft {
                body(unsafe position - base)
                picksLeft &-= 1
            }
            groupsLeft &-= 1
            for _ in 0..<stride where unsafe position < end {
                unsafe position += ListpackCode.entryByteCount(position)
            }
        }
    }
}
