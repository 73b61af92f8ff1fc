// LittleEndian.swift - numbers of the formats on disk, read from and written to bytes in little endian order, whatever
// the processor's order is. Reading beyond the end traps: callers have looked at the count. Pure, any thread.
internal import Base

extension Span where Element == UInt8 {
    func littleEndian16(at offset: Int) -> UInt16 { UInt16(self[offset]) | UInt16(self[offset + 1]) << 8 }

    func littleEndian32(at offset: Int) -> UInt32 {
        UInt32(littleEndian16(at: offset)) | UInt32(littleEndian16(at: offset + 2)) << 16
    }

    func littleEndian64(at offset: Int) -> UInt64 {
        UInt64(littleEndian32(at: offset)) | UInt64(littleEndian32(at: offset + 4)) << 32
    }
}

extension ByteBuffer {
    mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
            append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }

    /// Overwrites four bytes already held.
    mutating func replace(littleEndian number: UInt32, at offset: Int) {
        for index in 0..<4 { replace(at: offset + index, with: UInt8(truncatingIfNeeded: number >> (8 * index))) }
    }

    /// Seven bits a byte, the lowest first; the top bit says that more follow.
    mutating func append(variable number: Int) {
        var rest = UInt64(number)
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}

extension Span where Element == UInt8 {
    /// Reads what `append(variable:)` wrote and moves `offset` behind it; nil when the bytes end before or it is no
    /// number that was written.
    func variable(at offset: inout Int) -> Int? {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while offset < count && shift <= 28 {
            let byte = self[offset]
            offset += 1
            number |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return Int(number) }
            shift += 7
        }
        return nil
    }
}

extension CRC32C {
    /// Feeds the eight bytes of `number`.
    mutating func update(littleEndian number: UInt64) {
        let bytes: InlineArray<8, UInt8> = InlineArray { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
        update(bytes.span)
    }
}
