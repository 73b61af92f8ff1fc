// ByteBuffer.swift - growable bytes: reply buffers, query buffers, scratch. One owner, no reference counting.
// Growth is geometric by what was really appended, never by what a client announced. The pointer stays private;
// everyone else sees spans. Cost: append is one compare and one copy; growth is amortised O(1) per byte.
internal import CAllocator
internal import CLinux

@safe package struct ByteBuffer: ~Copyable, @unchecked Sendable {
    // Sendable because its memory has one owner, who moves with it; one that borrows stays with its lender's thread.
    private var base: UnsafeMutablePointer<UInt8>?
    /// Bytes held.
    package private(set) var count = 0
    /// Bytes reserved.
    package private(set) var capacity = 0
    /// False while the memory belongs to somebody else (`init(borrowing:)`); growth then moves to memory of its own.
    package private(set) var ownsMemory = true

    package init() { unsafe base = nil }

    /// Edits somebody else's memory in place, for as long as the bytes fit into it: `count` bytes are held already.
    /// The lender must outlive this buffer, and must look at `ownsMemory` afterwards: true means the bytes moved.
    @unsafe package init(borrowing memory: UnsafeMutablePointer<UInt8>, count: Int, capacity: Int) {
        precondition(count >= 0 && count <= capacity, "a borrowed buffer holds at most what it was lent")
        unsafe base = memory
        self.count = count
        self.capacity = capacity
        ownsMemory = false
    }

    package init(capacity: Int) {
        unsafe base = nil
        reserve(capacity)
    }

    deinit {
        if ownsMemory { unsafe free(base) }
    }

    package var isEmpty: Bool { @inline(__always) get { count == 0 } }

    /// Bytes that the allocator really gave: somewhat more than `capacity`.
    package var allocatedByteCount: Int { ownsMemory ? Int(unsafe fog_allocated_size(base)) : 0 }

    /// The bytes, valid until the next mutation.
    package var span: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always) get {
            let view = unsafe Span(_unsafeStart: UnsafePointer(base ?? ByteBuffer.nothing), count: count)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// Calls `body` with the bytes: for buffers inside of class instances, whose `span` cannot leave the access.
    package func withBytes(_ body: (Span<UInt8>) -> Void) { body(span) }

    /// The bytes, to change in place.
    package var mutableSpan: MutableSpan<UInt8> {
        @_lifetime(&self) @inline(__always) mutating get {
            let view = unsafe MutableSpan(_unsafeStart: base ?? ByteBuffer.nothing, count: count)
            return unsafe _overrideLifetime(view, mutating: &self)
        }
    }

    /// A non-null address for empty views; never read or written.
    private static var nothing: UnsafeMutablePointer<UInt8> {
        unsafe UnsafeMutablePointer(bitPattern: 16).unsafelyUnwrapped
    }

    /// The raw memory, for system calls and parsers that keep offsets. Valid until the next mutation.
    @unsafe package var pointer: UnsafeMutablePointer<UInt8> {
        @inline(__always) get { unsafe base ?? ByteBuffer.nothing }
    }

    /// Room for `additional` bytes more without another allocation.
    @inline(__always)
    package mutating func reserve(_ additional: Int) {
        if _slowPath(capacity &- count < additional) { grow(additional) }
    }

    /// As `reserve`, without room for later growth: for a caller who knows how much is to come.
    package mutating func reserveExactly(_ additional: Int) {
        if capacity &- count < additional { grow(additional, isExact: true) }
    }

    @inline(never)
    private mutating func grow(_ additional: Int, isExact: Bool = false) {
        let (needed, overflow) = count.addingReportingOverflow(additional)
        precondition(!overflow && additional >= 0, "a buffer cannot exceed the address space")
        let wanted = isExact ? needed : max(needed, min(capacity &* 2, capacity &+ (64 << 20)), 64)
        // Lent memory is not ours to reallocate: its bytes are copied and the lender keeps it.
        let grown = unsafe realloc(ownsMemory ? base : nil, wanted)?.assumingMemoryBound(to: UInt8.self)
        guard let grown = unsafe grown else { outOfMemory(byteCount: wanted) }
        if !ownsMemory, let lent = unsafe base { unsafe memcpy(grown, lent, count) }
        unsafe base = grown
        ownsMemory = true
        capacity = wanted
    }

    @inline(__always)
    package mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe base.unsafelyUnwrapped[count] = byte
        count &+= 1
    }

    @inline(__always)
    package mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { source in
            unsafe append(source.baseAddress, count: source.count)
        }
    }

    @unsafe @inline(__always)
    package mutating func append(_ source: UnsafePointer<UInt8>?, count byteCount: Int) {
        guard byteCount > 0, let source = unsafe source else { return }
        reserve(byteCount)
        unsafe memcpy(base.unsafelyUnwrapped + count, source, byteCount)
        count &+= byteCount
    }

    @inline(__always)
    package mutating func append(_ text: StaticString) {
        unsafe append(text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// Text off the data path: errors, INFO, listings. Literals would be taken for this kind otherwise.
    @_disfavoredOverload
    package mutating func append(_ text: String) {
        var copy = text
        copy.withUTF8 { utf8 in unsafe append(utf8.baseAddress, count: utf8.count) }
    }

    package mutating func append(_ bytes: [UInt8]) {
        append(bytes.span)
    }

    /// Appends `byteCount` bytes that the caller fills: the pointer is valid inside `fill` only.
    @unsafe
    package mutating func append(count byteCount: Int, fill: (UnsafeMutablePointer<UInt8>) -> Void) {
        reserve(byteCount)
        unsafe fill(pointer + count)
        count &+= byteCount
    }

    /// Appends a part of the bytes held to another buffer.
    package func copy(_ range: Range<Int>, to other: inout ByteBuffer) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside the buffer")
        unsafe other.append(UnsafePointer(pointer + range.lowerBound), count: range.count)
    }

    /// Decimal digits of `value`.
    @inline(__always)
    package mutating func append(decimal value: Int) {
        if value >= 0 && value < 10 {
            append(UInt8(truncatingIfNeeded: 48 &+ value))
        } else {
            appendManyDigits(value)
        }
    }

    private mutating func appendManyDigits(_ value: Int) {
        reserve(20)
        if value < 0 {
            unsafe base.unsafelyUnwrapped[count] = UInt8(ascii: "-")
            count &+= 1
        }
        var magnitude = value.magnitude
        let digits = ByteBuffer.digitCount(magnitude)
        var position = count &+ digits
        repeat {
            position &-= 1
            unsafe base.unsafelyUnwrapped[position] = UInt8(truncatingIfNeeded: 48 &+ magnitude % 10)
            magnitude /= 10
        } while magnitude != 0
        count &+= digits
    }

    private static func digitCount(_ value: UInt) -> Int {
        var digits = 1
        var limit: UInt = 10
        while value >= limit {
            digits &+= 1
            if digits == 20 { break }
            limit &*= 10
        }
        return digits
    }

    /// Declares that a system call wrote `byteCount` bytes behind the end; they must have been reserved.
    @inline(__always)
    package mutating func commit(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= capacity &- count, "commit beyond the reserved room")
        count &+= byteCount
    }

    /// Keeps the first `newCount` bytes.
    @inline(__always)
    package mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "truncate cannot grow a buffer")
        count = newCount
    }

    /// Drops the first `byteCount` bytes; the rest moves to the front (O(rest)).
    package mutating func removeFirst(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count, "cannot drop more than is held")
        guard byteCount > 0 else { return }
        unsafe memmove(pointer, pointer + byteCount, count &- byteCount)
        count &-= byteCount
    }

    /// Replaces `range` of the bytes held by `bytes`, moving what follows. `bytes` must not be a view of this buffer.
    package mutating func replaceSubrange(_ range: Range<Int>, with bytes: Span<UInt8>) {
        makeRoom(at: range, byteCount: bytes.count)
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let address = source.baseAddress, source.count > 0 else { return }
            unsafe memcpy(pointer + range.lowerBound, address, source.count)
        }
    }

    /// Resizes `range` of the bytes held to `byteCount` bytes, moving what follows; new bytes are undefined.
    package mutating func makeRoom(at range: Range<Int>, byteCount: Int) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count && byteCount >= 0, "range outside the buffer")
        let growth = byteCount - range.count
        if growth > 0 { reserve(growth) }
        unsafe memmove(
            pointer + range.lowerBound + byteCount, pointer + range.upperBound, count &- range.upperBound)
        count &+= growth
    }

    /// Overwrites one byte already held.
    package mutating func replace(at index: Int, with byte: UInt8) {
        precondition(index >= 0 && index < count, "replace outside the buffer")
        unsafe base.unsafelyUnwrapped[index] = byte
    }

    /// Empties the buffer; memory beyond `keepingCapacity` bytes is given back.
    package mutating func removeAll(keepingCapacity: Int = 0) {
        count = 0
        if capacity > keepingCapacity {
            if ownsMemory { unsafe free(base) }
            ownsMemory = true
            unsafe base = nil
            capacity = 0
        }
    }
}

/// The process cannot go on without this memory: says how much was asked and stops.
package func outOfMemory(byteCount: Int) -> Never {
    fatalError("out of memory: \(byteCount) bytes were refused by the system")
}
