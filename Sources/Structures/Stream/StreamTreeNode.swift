// StreamTreeNode.swift - raw nodes of the B+tree over stream identifiers: leaves with an identifier and a value column,
// linked both ways, and inner nodes. Made and freed by `StreamTree` alone, engine's turn. Full nodes take about 1 KiB;
// a leaf that is the whole tree starts with room for four, so that the many small pending lists stay small.
internal import Base
internal import CAllocator
internal import CLinux

/// A leaf.
@safe struct StreamTreeLeaf<Value: BitwiseCopyable>: Equatable {
    let base: UnsafeMutableRawPointer

    private typealias Link = UnsafeMutableRawPointer?

    static var headerByteCount: Int { 24 }
    static var capacityMin: Int { 4 }
    static var valueStride: Int { MemoryLayout<Value>.size == 0 ? 0 : MemoryLayout<Value>.stride }
    static var capacityMax: Int { (1024 - headerByteCount) / (16 + valueStride) }

    @inline(__always)
    init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

    static func make(capacity: Int) -> StreamTreeLeaf {
        let byteCount = headerByteCount + capacity * (16 + valueStride)
        guard let memory = unsafe malloc(byteCount) else { outOfMemory(byteCount: byteCount) }
        unsafe memset(memory, 0, headerByteCount)
        unsafe memory.storeBytes(of: UInt32(capacity), toByteOffset: 4, as: UInt32.self)
        return unsafe StreamTreeLeaf(memory)
    }

    var allocatedBytes: Int { unsafe fog_allocated_size(base) }

    static func == (left: StreamTreeLeaf, right: StreamTreeLeaf) -> Bool { unsafe left.base == right.base }

    var count: Int {
        @inline(__always) get { unsafe Int(base.load(as: UInt32.self)) }
        nonmutating set { unsafe base.storeBytes(of: UInt32(truncatingIfNeeded: newValue), as: UInt32.self) }
    }

    var capacity: Int { unsafe Int(base.load(fromByteOffset: 4, as: UInt32.self)) }

    var previous: StreamTreeLeaf? {
        get { unsafe link(at: 8) }
        nonmutating set { unsafe base.storeBytes(of: newValue?.base, toByteOffset: 8, as: Link.self) }
    }

    var next: StreamTreeLeaf? {
        get { unsafe link(at: 16) }
        nonmutating set { unsafe base.storeBytes(of: newValue?.base, toByteOffset: 16, as: Link.self) }
    }

    @unsafe
    private func link(at offset: Int) -> StreamTreeLeaf? {
        guard let other = unsafe base.load(fromByteOffset: offset, as: Link.self) else { return nil }
        return unsafe StreamTreeLeaf(other)
    }

    @unsafe var ids: UnsafeMutablePointer<StreamID> {
        @inline(__always) get {
            unsafe (base + StreamTreeLeaf.headerByteCount).assumingMemoryBound(to: StreamID.self)
        }
    }

    @unsafe var values: UnsafeMutableRawPointer {
        @inline(__always) get { unsafe base + StreamTreeLeaf.headerByteCount + capacity &* 16 }
    }

    @inline(__always)
    func id(at index: Int) -> StreamID { unsafe ids[index] }

    @inline(__always)
    func value(at index: Int) -> Value {
        unsafe values.load(fromByteOffset: index &* StreamTreeLeaf.valueStride, as: Value.self)
    }

    @inline(__always)
    func setValue(_ value: Value, at index: Int) {
        if StreamTreeLeaf.valueStride > 0 {
            unsafe values.storeBytes(of: value, toByteOffset: index &* StreamTreeLeaf.valueStride, as: Value.self)
        }
    }

    func insert(_ id: StreamID, _ value: Value, at index: Int) {
        let stride = StreamTreeLeaf.valueStride
        let tail = count &- index
        if tail > 0 {
            unsafe memmove(ids + index + 1, ids + index, tail &* 16)
            unsafe memmove(values + (index &+ 1) &* stride, values + index &* stride, tail &* stride)
        }
        unsafe ids[index] = id
        setValue(value, at: index)
        count &+= 1
    }

    @inline(__always)
    func append(_ id: StreamID, _ value: Value) {
        let end = count
        unsafe ids[end] = id
        setValue(value, at: end)
        count = end &+ 1
    }

    func remove(_ range: Range<Int>) {
        let stride = StreamTreeLeaf.valueStride
        let tail = count &- range.upperBound
        unsafe memmove(ids + range.lowerBound, ids + range.upperBound, tail &* 16)
        unsafe memmove(values + range.lowerBound &* stride, values + range.upperBound &* stride, tail &* stride)
        count &-= range.count
    }

    func moveHead(_ moved: Int, toEndOf left: StreamTreeLeaf) {
        let stride = StreamTreeLeaf.valueStride
        let end = left.count
        unsafe memcpy(left.ids + end, ids, moved * 16)
        unsafe memcpy(left.values + end * stride, values, moved * stride)
        left.count = end + moved
        remove(0..<moved)
    }

    func moveTail(_ moved: Int, toFrontOf right: StreamTreeLeaf) {
        let stride = StreamTreeLeaf.valueStride
        let start = count - moved
        unsafe memmove(right.ids + moved, right.ids, right.count * 16)
        unsafe memmove(right.values + moved * stride, right.values, right.count * stride)
        unsafe memcpy(right.ids, ids + start, moved * 16)
        unsafe memcpy(right.values, values + start * stride, moved * stride)
        right.count += moved
        count = start
    }

    func link(after fresh: StreamTreeLeaf) {
        let following = next
        fresh.previous = self
        fresh.next = following
        following?.previous = fresh
        next = fresh
    }

    func unlink() {
        previous?.next = next
        next?.previous = previous
    }
}

/// An inner node. Slot 0's key is never read; the key of slot i > 0 is exactly the first identifier below child i.
@safe struct StreamTreeInner: Equatable {
    let base: UnsafeMutableRawPointer

    static let headerByteCount = 8
    static let capacity = 42

    @inline(__always)
    init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

    static func make() -> StreamTreeInner {
        let byteCount = headerByteCount + capacity * 24
        guard let memory = unsafe malloc(byteCount) else { outOfMemory(byteCount: byteCount) }
        unsafe memory.storeBytes(of: 0, as: Int.self)
        return unsafe StreamTreeInner(memory)
    }

    var allocatedBytes: Int { unsafe fog_allocated_size(base) }

    static func == (left: StreamTreeInner, right: StreamTreeInner) -> Bool { unsafe left.base == right.base }

    var count: Int {
        @inline(__always) get { unsafe base.load(as: Int.self) }
        nonmutating set { unsafe base.storeBytes(of: newValue, as: Int.self) }
    }

    @unsafe var keys: UnsafeMutablePointer<StreamID> {
        @inline(__always) get {
            unsafe (base + StreamTreeInner.headerByteCount).assumingMemoryBound(to: StreamID.self)
        }
    }

    @unsafe var children: UnsafeMutablePointer<UnsafeMutableRawPointer> {
        @inline(__always) get {
            unsafe (base + StreamTreeInner.headerByteCount + StreamTreeInner.capacity &* 16)
                .assumingMemoryBound(to: UnsafeMutableRawPointer.self)
        }
    }

    func inner(at index: Int) -> StreamTreeInner { unsafe StreamTreeInner(children[index]) }

    /// The slot below which `id` is, or would be.
    @inline(__always)
    func slot(of id: StreamID) -> Int {
        var low = 1
        var length = count &- 1
        while length > 0 {
            let half = length >> 1
            if unsafe keys[low &+ half] <= id {
                low &+= half &+ 1
                length &-= half &+ 1
            } else {
                length = half
            }
        }
        return low &- 1
    }

    func insertChild(_ child: UnsafeMutableRawPointer, key: StreamID, at index: Int) {
        let tail = count - index
        unsafe memmove(keys + index + 1, keys + index, tail * 16)
        unsafe memmove(children + index + 1, children + index, tail * 8)
        unsafe keys[index] = key
        unsafe children[index] = child
        count += 1
    }

    func removeSlots(_ range: Range<Int>) {
        let tail = count - range.upperBound
        unsafe memmove(keys + range.lowerBound, keys + range.upperBound, tail * 16)
        unsafe memmove(children + range.lowerBound, children + range.upperBound, tail * 8)
        count -= range.count
    }

    /// Slot 0 must carry its real key.
    func moveHead(_ moved: Int, toEndOf left: StreamTreeInner) {
        let end = left.count
        unsafe memcpy(left.keys + end, keys, moved * 16)
        unsafe memcpy(left.children + end, children, moved * 8)
        left.count = end + moved
        removeSlots(0..<moved)
    }

    /// The right node's slot 0 must carry its real key.
    func moveTail(_ moved: Int, toFrontOf right: StreamTreeInner) {
        let start = count - moved
        unsafe memmove(right.keys + moved, right.keys, right.count * 16)
        unsafe memmove(right.children + moved, right.children, right.count * 8)
        unsafe memcpy(right.keys, keys + start, moved * 16)
        unsafe memcpy(right.children, children + start, moved * 8)
        right.count += moved
        count = start
    }
}
