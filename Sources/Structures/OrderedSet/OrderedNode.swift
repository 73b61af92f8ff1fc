// OrderedNode.swift - the raw nodes of the ordered set's B+tree: leaves with (score, element) columns, linked both
// ways, and inner nodes with (score, element, child, element count) columns. Owned by `OrderedSet`, which alone makes
// and frees them, under the engine's turn. Columns rather than rows: a search reads scores only, eight per cache line.
// Sizes are chosen to fill the allocator's size classes (128, 256, 512, 1024 and 2048 bytes) to the last bytes.
internal import CAllocator
internal import CLinux
internal import Base

/// A leaf. Only a leaf that is the whole tree may be smaller than `capacityMax`: small sets stay small.
@safe struct OrderedLeaf: Equatable {
    let base: UnsafeMutableRawPointer

    private typealias Link = UnsafeMutableRawPointer?

    static let headerByteCount = 24
    static let capacityMin = 6
    static let capacityMax = 62

    /// The capacity after `capacity`: 6, 14, 30, 62 fill 120, 248, 504 and 1016 bytes.
    static func grownCapacity(_ capacity: Int) -> Int { min(capacity * 2 + 2, capacityMax) }

    @inline(__always)
    init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

    static func make(capacity: Int) -> OrderedLeaf {
        let byteCount = headerByteCount + capacity * 16
        guard let memory = unsafe malloc(byteCount) else { outOfMemory(byteCount: byteCount) }
        unsafe memset(memory, 0, headerByteCount)
        unsafe memory.storeBytes(of: UInt32(capacity), toByteOffset: 4, as: UInt32.self)
        return unsafe OrderedLeaf(memory)
    }

    var allocatedBytes: Int { unsafe fog_allocated_size(base) }

    @inline(__always)
    static func == (left: OrderedLeaf, right: OrderedLeaf) -> Bool { unsafe left.base == right.base }

    var count: Int {
        @inline(__always) get { unsafe Int(base.load(as: UInt32.self)) }
        @inline(__always) nonmutating set {
            unsafe base.storeBytes(of: UInt32(truncatingIfNeeded: newValue), as: UInt32.self)
        }
    }

    var capacity: Int {
        @inline(__always) get { unsafe Int(base.load(fromByteOffset: 4, as: UInt32.self)) }
    }

    var previous: OrderedLeaf? {
        @inline(__always) get { unsafe link(at: 8) }
        nonmutating set { unsafe base.storeBytes(of: newValue?.base, toByteOffset: 8, as: Link.self) }
    }

    var next: OrderedLeaf? {
        @inline(__always) get { unsafe link(at: 16) }
        nonmutating set { unsafe base.storeBytes(of: newValue?.base, toByteOffset: 16, as: Link.self) }
    }

    @unsafe @inline(__always)
    private func link(at offset: Int) -> OrderedLeaf? {
        guard let other = unsafe base.load(fromByteOffset: offset, as: Link.self) else { return nil }
        return unsafe OrderedLeaf(other)
    }

    @unsafe var scores: UnsafeMutablePointer<Double> {
        @inline(__always) get { unsafe (base + OrderedLeaf.headerByteCount).assumingMemoryBound(to: Double.self) }
    }

    @unsafe var elements: UnsafeMutablePointer<Entry> {
        @inline(__always) get {
            unsafe (base + OrderedLeaf.headerByteCount + capacity &* 8).assumingMemoryBound(to: Entry.self)
        }
    }

    @inline(__always)
    func element(at index: Int) -> Entry { unsafe elements[index] }

    @inline(__always)
    func score(at index: Int) -> Double { unsafe scores[index] }

    /// Puts an entry at `index`, moving what follows; there must be room.
    @inline(__always)
    func insert(_ element: Entry, score: Double, at index: Int) {
        let tail = count &- index
        unsafe memmove(scores + index + 1, scores + index, tail &* 8)
        unsafe memmove(elements + index + 1, elements + index, tail &* 8)
        unsafe scores[index] = score
        unsafe elements[index] = element
        count &+= 1
    }

    /// Forgets the entries in `range`, moving what follows.
    func remove(_ range: Range<Int>) {
        let tail = count &- range.upperBound
        unsafe memmove(scores + range.lowerBound, scores + range.upperBound, tail &* 8)
        unsafe memmove(elements + range.lowerBound, elements + range.upperBound, tail &* 8)
        count &-= range.count
    }

    /// Moves the first `moved` entries to the end of `left`.
    func moveHead(_ moved: Int, toEndOf left: OrderedLeaf) {
        let end = left.count
        unsafe memcpy(left.scores + end, scores, moved * 8)
        unsafe memcpy(left.elements + end, elements, moved * 8)
        left.count = end + moved
        remove(0..<moved)
    }

    /// Moves the last `moved` entries to the front of `right`.
    func moveTail(_ moved: Int, toFrontOf right: OrderedLeaf) {
        let start = count - moved
        unsafe memmove(right.scores + moved, right.scores, right.count * 8)
        unsafe memmove(right.elements + moved, right.elements, right.count * 8)
        unsafe memcpy(right.scores, scores + start, moved * 8)
        unsafe memcpy(right.elements, elements + start, moved * 8)
        right.count += moved
        count = start
    }

    /// Links `fresh` behind this leaf.
    func link(after fresh: OrderedLeaf) {
        let following = next
        fresh.previous = self
        fresh.next = following
        following?.previous = fresh
        next = fresh
    }

    /// Takes this leaf out of the chain.
    func unlink() {
        previous?.next = next
        next?.previous = previous
    }

    /// Starts loading every line that a search may read; the misses then overlap instead of queueing up.
    @inline(__always)
    func prefetch() {
        var offset = 0
        while offset < OrderedLeaf.headerByteCount + OrderedLeaf.capacityMax * 8 {
            unsafe fog_prefetch(base + offset)
            offset &+= 64
        }
    }
}

/// An inner node. Slot 0's key is never read; the key of slot i > 0 is exactly the first entry below child i.
@safe struct OrderedInner: Equatable {
    let base: UnsafeMutableRawPointer

    static let capacity = 63
    static let byteCount = 8 + capacity * 32

    @inline(__always)
    init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

    static func make() -> OrderedInner {
        guard let memory = unsafe malloc(byteCount) else { outOfMemory(byteCount: byteCount) }
        unsafe memory.storeBytes(of: 0, as: Int.self)
        return unsafe OrderedInner(memory)
    }

    var allocatedBytes: Int { unsafe fog_allocated_size(base) }

    @inline(__always)
    static func == (left: OrderedInner, right: OrderedInner) -> Bool { unsafe left.base == right.base }

    var count: Int {
        @inline(__always) get { unsafe base.load(as: Int.self) }
        @inline(__always) nonmutating set { unsafe base.storeBytes(of: newValue, as: Int.self) }
    }

    @unsafe var scores: UnsafeMutablePointer<Double> {
        @inline(__always) get { unsafe (base + 8).assumingMemoryBound(to: Double.self) }
    }

    @unsafe var elements: UnsafeMutablePointer<Entry> {
        @inline(__always) get {
            unsafe (base + 8 + OrderedInner.capacity * 8).assumingMemoryBound(to: Entry.self)
        }
    }

    @unsafe var children: UnsafeMutablePointer<UnsafeMutableRawPointer> {
        @inline(__always) get {
            unsafe (base + 8 + OrderedInner.capacity * 16).assumingMemoryBound(to: UnsafeMutableRawPointer.self)
        }
    }

    /// Elements below each child; what makes ranks logarithmic.
    @unsafe var counts: UnsafeMutablePointer<Int> {
        @inline(__always) get { unsafe (base + 8 + OrderedInner.capacity * 24).assumingMemoryBound(to: Int.self) }
    }

    @inline(__always)
    func leaf(at index: Int) -> OrderedLeaf { unsafe OrderedLeaf(children[index]) }

    @inline(__always)
    func inner(at index: Int) -> OrderedInner { unsafe OrderedInner(children[index]) }

    /// Elements below the whole node.
    var total: Int { elementCount(before: count) }

    /// Elements below the children in front of `index`.
    @inline(__always)
    func elementCount(before index: Int) -> Int {
        var sum = 0
        var slot = 0
        while slot < index {
            unsafe sum &+= counts[slot]
            slot &+= 1
        }
        return sum
    }

    @inline(__always)
    func setKey(_ index: Int, score: Double, element: Entry) {
        unsafe scores[index] = score
        unsafe elements[index] = element
    }

    /// Opens slot `index` for `child`, moving what follows; its key is the caller's business.
    func insertChild(_ child: UnsafeMutableRawPointer, elementCount: Int, at index: Int) {
        let tail = count - index
        unsafe moveSlots(from: index, to: index + 1, count: tail)
        unsafe children[index] = child
        unsafe counts[index] = elementCount
        count += 1
    }

    /// Closes the slots in `range`.
    func removeSlots(_ range: Range<Int>) {
        unsafe moveSlots(from: range.upperBound, to: range.lowerBound, count: count - range.upperBound)
        count -= range.count
    }

    @unsafe
    private func moveSlots(from source: Int, to target: Int, count moved: Int) {
        unsafe memmove(scores + target, scores + source, moved * 8)
        unsafe memmove(elements + target, elements + source, moved * 8)
        unsafe memmove(children + target, children + source, moved * 8)
        unsafe memmove(counts + target, counts + source, moved * 8)
    }

    @unsafe
    private func copySlots(from source: Int, to other: OrderedInner, at target: Int, count copied: Int) {
        unsafe memcpy(other.scores + target, scores + source, copied * 8)
        unsafe memcpy(other.elements + target, elements + source, copied * 8)
        unsafe memcpy(other.children + target, children + source, copied * 8)
        unsafe memcpy(other.counts + target, counts + source, copied * 8)
    }

    /// Moves the first `moved` slots to the end of `left`. Slot 0 must carry its real key.
    func moveHead(_ moved: Int, toEndOf left: OrderedInner) {
        let end = left.count
        unsafe copySlots(from: 0, to: left, at: end, count: moved)
        left.count = end + moved
        removeSlots(0..<moved)
    }

    /// Moves the last `moved` slots to the front of `right`, whose slot 0 must carry its real key.
    func moveTail(_ moved: Int, toFrontOf right: OrderedInner) {
        let start = count - moved
        unsafe right.moveSlots(from: 0, to: moved, count: right.count)
        unsafe copySlots(from: start, to: right, at: 0, count: moved)
        right.count += moved
        count = start
    }
}
