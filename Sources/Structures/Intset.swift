// Intset.swift - a small set of integers in one stretch of bytes, byte for byte what Redis keeps and writes: ascending,
// all of one width that grows when a wider integer comes and never shrinks. Owned by one key (or lent by its entry),
// edited under the engine's turn. Must never be made from bytes that were not validated. Cost: search O(log n); adding
// and removing move what follows.
package import Base
internal import CLinux

@safe package struct Intset: ~Copyable {
    private var bytes: ByteBuffer

    /// Bytes of an intset without members.
    package static var emptyByteCount: Int { IntsetCode.headerByteCount }

    /// A set without members.
    package init() {
        bytes = ByteBuffer()
        Intset.appendEmpty(to: &bytes)
    }

    /// Appends the eight bytes of an intset without members.
    package static func appendEmpty(to bytes: inout ByteBuffer) {
        unsafe bytes.append(count: IntsetCode.headerByteCount) { target in
            unsafe ListpackCode.store32(2, target)
            unsafe ListpackCode.store32(0, target + 4)
        }
    }

    /// Edits the intset that `buffer` holds, which must be trusted; look at `ByteBuffer.ownsMemory` after `take`.
    package init(adopting buffer: consuming ByteBuffer) {
        precondition(buffer.count >= IntsetCode.headerByteCount, "an intset has a header")
        bytes = buffer
    }

    /// A copy of bytes from outside; nil unless they are an intset through and through.
    package init?(validating untrusted: Span<UInt8>) {
        guard Intset.validate(untrusted, allowsEmpty: true) else { return nil }
        bytes = ByteBuffer(capacity: untrusted.count)
        bytes.append(untrusted)
    }

    /// The bytes, handed on.
    package consuming func take() -> ByteBuffer { bytes }

    /// The members, for reading.
    package var view: IntsetView {
        @_lifetime(borrow self) @inline(__always) get {
            let view = unsafe IntsetView(base: UnsafePointer(bytes.pointer), byteCount: bytes.count)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// The bytes as DUMP and RDB files carry them.
    package var span: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always) get { bytes.span }
    }

    /// Bytes of the whole intset.
    package var byteCount: Int { bytes.count }
    /// How many members there are.
    package var count: Int { view.count }
    package var isEmpty: Bool { bytes.count == IntsetCode.headerByteCount }

    /// Bytes that `count` members of the width of `value` take, for limits before anything is built.
    package static func estimateBytes(_ value: Int64, count: Int) -> Int {
        let (members, overflow) = IntsetCode.width(of: value).multipliedReportingOverflow(by: max(count, 0))
        return overflow || members > Int.max - IntsetCode.headerByteCount ? .max : IntsetCode.headerByteCount + members
    }

    /// Adds `value`; false when it was there already.
    @discardableResult
    package mutating func add(_ value: Int64) -> Bool {
        let count = view.count
        let width = view.width
        let needed = IntsetCode.width(of: value)
        if needed > width {
            widen(to: needed, adding: value)
            return true
        }
        let index = view.lowerBound(of: value)
        if index < count && view[index] == value { return false }
        precondition(count < UInt32.max, "an intset cannot count so many members")
        let offset = IntsetCode.headerByteCount &+ index &* width
        bytes.makeRoom(at: offset..<offset, byteCount: width)
        unsafe IntsetCode.store(value, bytes.pointer + offset, width: width)
        unsafe ListpackCode.store32(count &+ 1, bytes.pointer + 4)
        return true
    }

    /// Rewrites every member at `width` bytes and adds `value`, which is too wide for the old width and therefore
    /// less or greater than all of them.
    private mutating func widen(to width: Int, adding value: Int64) {
        let oldWidth = view.width
        let count = view.count
        let added = (count &+ 1) &* width &- count &* oldWidth
        bytes.reserve(added)
        bytes.commit(added)
        let base = unsafe bytes.pointer
        let integers = unsafe base + IntsetCode.headerByteCount
        let shift = value < 0 ? 1 : 0
        // From the last one back: the wider members never overwrite one that is still to be read.
        var index = count &- 1
        while index >= 0 {
            let member = unsafe IntsetCode.load(integers + index &* oldWidth, width: oldWidth)
            unsafe IntsetCode.store(member, integers + (index &+ shift) &* width, width: width)
            index &-= 1
        }
        unsafe IntsetCode.store(value, integers + (value < 0 ? 0 : count) &* width, width: width)
        unsafe ListpackCode.store32(width, base)
        unsafe ListpackCode.store32(count &+ 1, base + 4)
    }

    /// Removes `value`; false when it was not there.
    @discardableResult
    package mutating func remove(_ value: Int64) -> Bool {
        guard let index = view.index(of: value) else { return false }
        removeRange(index: index, count: 1)
        return true
    }

    /// Removes `limit` members from `index` on, as many as there are; returns how many went.
    @discardableResult
    package mutating func removeRange(index: Int, count limit: Int) -> Int {
        let count = view.count
        let width = view.width
        guard index >= 0, index < count, limit > 0 else { return 0 }
        let removed = min(limit, count &- index)
        let offset = IntsetCode.headerByteCount &+ index &* width
        bytes.makeRoom(at: offset..<offset &+ removed &* width, byteCount: 0)
        unsafe ListpackCode.store32(count &- removed, bytes.pointer + 4)
        return removed
    }

    /// Whether `bytes` from outside are one whole intset: a known width, as many members as the header says, strictly
    /// ascending. Never traps, whatever the bytes.
    package static func validate(_ bytes: Span<UInt8>, allowsEmpty: Bool = false) -> Bool {
        guard bytes.count >= IntsetCode.headerByteCount else { return false }
        let base = unsafe ListpackCode.address(of: bytes)
        let width = unsafe ListpackCode.load32(base)
        let count = unsafe ListpackCode.load32(base + 4)
        // Both fields are 32 bits wide: the product fits.
        guard width == 2 || width == 4 || width == 8, IntsetCode.headerByteCount + count * width == bytes.count else {
            return false
        }
        if count == 0 { return allowsEmpty }
        let integers = unsafe base + IntsetCode.headerByteCount
        var previous = unsafe IntsetCode.load(integers, width: width)
        for index in 1..<count {
            let value = unsafe IntsetCode.load(integers + index * width, width: width)
            if value <= previous { return false }
            previous = value
        }
        return true
    }
}
