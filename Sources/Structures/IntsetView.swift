// IntsetView.swift - reading an intset where it lies: ascending integers of one width (2, 4 or 8 bytes, little endian)
// behind a header of two 32-bit fields, width and count. Borrowed, copies nothing; any thread that may read the bytes,
// which must be an intset that this module built or `Intset.validate` accepted. Cost: a search is O(log n).
internal import CLinux

enum IntsetCode {
    /// Width and count.
    static let headerByteCount = 8

    /// The narrowest width that holds `value`.
    @inline(__always)
    static func width(of value: Int64) -> Int {
        if value == Int64(Int16(truncatingIfNeeded: value)) { return 2 }
        return value == Int64(Int32(truncatingIfNeeded: value)) ? 4 : 8
    }

    @unsafe @inline(__always)
    static func load(_ pointer: UnsafePointer<UInt8>, width: Int) -> Int64 {
        let raw = unsafe UnsafeRawPointer(pointer)
        switch width {
        case 2: return unsafe Int64(Int16(littleEndian: raw.loadUnaligned(as: Int16.self)))
        case 4: return unsafe Int64(Int32(littleEndian: raw.loadUnaligned(as: Int32.self)))
        default: return unsafe Int64(littleEndian: raw.loadUnaligned(as: Int64.self))
        }
    }

    @unsafe @inline(__always)
    static func store(_ value: Int64, _ pointer: UnsafeMutablePointer<UInt8>, width: Int) {
        let raw = UnsafeMutableRawPointer(pointer)
        switch width {
        case 2: unsafe raw.storeBytes(of: Int16(truncatingIfNeeded: value).littleEndian, as: Int16.self)
        case 4: unsafe raw.storeBytes(of: Int32(truncatingIfNeeded: value).littleEndian, as: Int32.self)
        default: unsafe raw.storeBytes(of: value.littleEndian, as: Int64.self)
        }
    }
}

@safe package struct IntsetView: ~Escapable {
    let base: UnsafePointer<UInt8>
    /// Bytes of the whole intset.
    package let byteCount: Int
    /// How many integers there are.
    package let count: Int
    /// Bytes of each integer.
    let width: Int

    /// Views `bytes`, which must be one whole trusted intset.
    @_lifetime(copy bytes) @inline(__always)
    package init(_ bytes: Span<UInt8>) {
        precondition(bytes.count >= IntsetCode.headerByteCount, "an intset has a header")
        unsafe self.init(base: ListpackCode.address(of: bytes), byteCount: bytes.count)
    }

    @unsafe @_lifetime(immortal) @inline(__always)
    init(base: UnsafePointer<UInt8>, byteCount: Int) {
        unsafe self.base = base
        self.byteCount = byteCount
        width = unsafe ListpackCode.load32(base)
        count = unsafe ListpackCode.load32(base + 4)
        // Reading trusts these two, so a mistake of ours must not reach beyond the bytes.
        precondition(
            IntsetCode.headerByteCount &+ count &* width == byteCount, "an intset is as long as its header says")
    }

    package var isEmpty: Bool { @inline(__always) get { count == 0 } }

    /// Whether `value` fits into the width that the integers have.
    package func isWide(enoughFor value: Int64) -> Bool { IntsetCode.width(of: value) <= width }

    /// The integer at `index`, in ascending order.
    package subscript(index: Int) -> Int64 {
        @inline(__always) get {
            precondition(index >= 0 && index < count, "an index outside the intset")
            return unsafe load(index)
        }
    }

    /// The least integer; nil when there is none.
    package var minimum: Int64? { isEmpty ? nil : unsafe load(0) }
    /// The greatest integer; nil when there is none.
    package var maximum: Int64? { isEmpty ? nil : unsafe load(count &- 1) }

    @unsafe @inline(__always)
    private func load(_ index: Int) -> Int64 {
        unsafe IntsetCode.load(base + (IntsetCode.headerByteCount &+ index &* width), width: width)
    }

    /// How many integers are less than `value`: its index when it is there, else where it belongs.
    package func lowerBound(of value: Int64) -> Int {
        switch width {
        case 2: return unsafe lowerBound(of: value, width: 2)
        case 4: return unsafe lowerBound(of: value, width: 4)
        default: return unsafe lowerBound(of: value, width: 8)
        }
    }

    /// One step a round without a branch that could be mispredicted; `width` is a constant where this is inlined.
    @unsafe @inline(__always)
    private func lowerBound(of value: Int64, width: Int) -> Int {
        let integers = unsafe base + IntsetCode.headerByteCount
        var low = 0
        var left = count
        while left > 1 {
            let half = left >> 1
            let middle = unsafe IntsetCode.load(integers + (low &+ half &- 1) &* width, width: width)
            low &+= middle < value ? half : 0
            left &-= half
        }
        if left == 1, unsafe IntsetCode.load(integers + low &* width, width: width) < value { low &+= 1 }
        return low
    }

    /// The index of `value`; nil when it is not there.
    @inline(__always)
    package func index(of value: Int64) -> Int? {
        if IntsetCode.width(of: value) > width { return nil }
        let index = lowerBound(of: value)
        guard index < count, unsafe load(index) == value else { return nil }
        return index
    }

    /// Whether `value` is there.
    @inline(__always)
    package func contains(_ value: Int64) -> Bool { index(of: value) != nil }

    /// Whether the text of some member is `text`.
    package func contains(_ text: Span<UInt8>) -> Bool {
        guard let value = unsafe ListpackNumber.parse(ListpackCode.address(of: text), count: text.count) else {
            return false
        }
        return contains(value)
    }
}
