// Bitfield.swift - integers of 1 to 64 bits at any bit of a string, as BITFIELD reads, sets and increments them, and
// its three ways to treat overflow. Pure, any thread. Bits beyond the end read as 0; writing needs the bytes to be
// there (`byteCount(covering:)` says how many). Every offset from a client is checked with overflow-reporting
// arithmetic.

/// The width and kind of one field: i1 to i64, u1 to u63.
package struct BitfieldType: Equatable, Sendable {
    package let isSigned: Bool
    package let width: Int

    /// nil for a width that Redis does not know: an unsigned 64-bit number does not fit its replies.
    package init?(isSigned: Bool, width: Int) {
        guard width >= 1, width <= (isSigned ? 64 : 63) else { return nil }
        self.isSigned = isSigned
        self.width = width
    }

    /// The type that a client spells, such as i16 or u8; nil when it is none.
    package init?(_ text: Span<UInt8>) {
        guard text.count >= 2, text.count <= 3, text[0] == UInt8(ascii: "i") || text[0] == UInt8(ascii: "u"),
            let width = unsafe ListpackNumber.parse(ListpackCode.address(of: text) + 1, count: text.count - 1)
        else { return nil }
        self.init(isSigned: text[0] == UInt8(ascii: "i"), width: Int(width))
    }

    /// The least value.
    package var minimum: Int64 { isSigned ? Int64.min >> Int64(64 - width) : 0 }
    /// The greatest value.
    package var maximum: Int64 { isSigned ? Int64.max >> Int64(64 - width) : Int64.max >> Int64(63 - width) }

    /// `bits`, of which the lowest `width` count, as a value of this type.
    @inline(__always)
    package func value(ofBits bits: UInt64) -> Int64 {
        let unused = UInt64(64 &- width)
        return isSigned
            ? Int64(bitPattern: bits << unused) >> Int64(unused) : Int64(bitPattern: (bits << unused) >> unused)
    }
}

/// What becomes of a value that a field cannot hold.
package enum BitfieldOverflow: Sendable {
    /// Its low bits are kept.
    case wrap
    /// The nearest value that fits is taken.
    case saturate
    /// Nothing is written, and the reply is nil.
    case fail
}

package enum Bitfield {
    /// Bytes that a string needs to hold a field; nil when the offset is negative or beyond all memory.
    package static func byteCount(covering bitOffset: Int, width: Int) -> Int? {
        let (end, overflow) = bitOffset.addingReportingOverflow(width)
        guard bitOffset >= 0, width > 0, !overflow else { return nil }
        return (end &- 1) >> 3 &+ 1
    }

    /// The offset of the `index`-th field of `width` bits ("#index"); nil when it is negative or beyond all memory.
    package static func bitOffset(ofIndex index: Int, width: Int) -> Int? {
        let (offset, overflow) = index.multipliedReportingOverflow(by: width)
        return overflow || offset < 0 ? nil : offset
    }

    /// The value of the field of `type` at `bitOffset`.
    package static func read(_ type: BitfieldType, at bitOffset: Int, in bytes: Span<UInt8>) -> Int64 {
        guard let end = byteCount(covering: bitOffset, width: type.width) else {
            preconditionFailure("a field's offset is checked before it is read")
        }
        // At most nine bytes hold the field: eight of them in `high`, with the first bit of the field's byte on top.
        let first = bitOffset >> 3
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in first..<end {
            let byte = index < bytes.count ? UInt64(bytes[index]) : 0
            if index &- first < 8 { high |= byte << UInt64(56 &- 8 &* (index &- first)) } else { low = byte << 56 }
        }
        let shift = UInt64(bitOffset & 7)
        let aligned = shift == 0 ? high : high << shift | low >> (64 &- shift)
        return type.value(ofBits: aligned >> UInt64(64 &- type.width))
    }

    /// Sets the field of `type` at `bitOffset` to the low bits of `value`. The bytes must be held already.
    package static func write(
        _ value: Int64, _ type: BitfieldType, at bitOffset: Int, in bytes: inout MutableSpan<UInt8>
    ) {
        guard let end = byteCount(covering: bitOffset, width: type.width), end <= bytes.count else {
            preconditionFailure("the bytes of a field are made before it is written")
        }
        var bitsLeft = type.width
        var position = bitOffset
        let bits = UInt64(bitPattern: value)
        while bitsLeft > 0 {
            // The part of the field that lies in this byte.
            let inByte = position & 7
            let taken = min(8 &- inByte, bitsLeft)
            let shift = UInt64(8 &- inByte &- taken)
            let mask = UInt8(truncatingIfNeeded: ((1 << UInt64(taken)) &- 1) << shift)
            let part = UInt8(truncatingIfNeeded: (bits >> UInt64(bitsLeft &- taken)) << shift) & mask
            bytes[position >> 3] = bytes[position >> 3] & ~mask | part
            position &+= taken
            bitsLeft &-= taken
        }
    }

    /// `value` as a field of `type` holds it (BITFIELD SET); nil when it does not fit and overflow fails. An unsigned
    /// field takes a negative number for a very large one, as Redis does.
    package static func fit(_ value: Int64, in type: BitfieldType, overflow: BitfieldOverflow) -> Int64? {
        let isTooLarge = value > type.maximum || (!type.isSigned && value < 0)
        let isTooSmall = type.isSigned && value < type.minimum
        if !isTooLarge && !isTooSmall { return value }
        return resolve(UInt64(bitPattern: value), isTooLarge: isTooLarge, type, overflow)
    }

    /// `value`, which a field of `type` holds, plus `increment` (BITFIELD INCRBY); nil when the sum does not fit and
    /// overflow fails.
    package static func add(
        _ increment: Int64, to value: Int64, in type: BitfieldType, overflow: BitfieldOverflow
    ) -> Int64? {
        let (sum, overflowed) = value.addingReportingOverflow(increment)
        // Both have the same sign when the addition overflows 64 bits.
        let isTooLarge = overflowed ? increment > 0 : sum > type.maximum
        let isTooSmall = overflowed ? increment < 0 : sum < type.minimum
        if !isTooLarge && !isTooSmall { return sum }
        return resolve(UInt64(bitPattern: sum), isTooLarge: isTooLarge, type, overflow)
    }

    private static func resolve(
        _ bits: UInt64, isTooLarge: Bool, _ type: BitfieldType, _ overflow: BitfieldOverflow
    ) -> Int64? {
        switch overflow {
        case .wrap: return type.value(ofBits: bits)
        case .saturate: return isTooLarge ? type.maximum : type.minimum
        case .fail: return nil
        }
    }
}
