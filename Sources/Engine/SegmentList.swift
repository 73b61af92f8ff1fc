// SegmentList.swift - the segments of a batch, in memory that every round uses again. An array would look at its
// reference count four times a command. One owner, the batch of a loop.

@safe package struct SegmentList: ~Copyable {
    private var base: UnsafeMutablePointer<Batch.Segment>
    private var capacity = 64
    package private(set) var count = 0

    init() { unsafe base = .allocate(capacity: capacity) }

    deinit { unsafe base.deallocate() }

    package subscript(index: Int) -> Batch.Segment {
        @inline(__always) unsafeAddress {
            precondition(index >= 0 && index < count, "segment index outside the batch")
            return unsafe UnsafePointer(base + index)
        }
        @inline(__always) unsafeMutableAddress {
            precondition(index >= 0 && index < count, "segment index outside the batch")
            return unsafe base + index
        }
    }

    @inline(__always)
    mutating func append(_ segment: Batch.Segment) {
        if _slowPath(count == capacity) { grow() }
        unsafe (base + count).initialize(to: segment)
        count &+= 1
    }

    @inline(never)
    private mutating func grow() {
        let fresh = UnsafeMutablePointer<Batch.Segment>.allocate(capacity: capacity * 2)
        unsafe fresh.moveInitialize(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = fresh
        capacity *= 2
    }

    /// A segment is plain bytes: nothing is left to destroy.
    @inline(__always)
    mutating func removeAll() { count = 0 }
}
