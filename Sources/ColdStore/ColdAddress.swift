// ColdAddress.swift - where a record lies: eight bytes that stand in a key's entry in place of its value. Pure, any
// thread. A segment's slot is used again only when no address of the old segment is left, so an address never comes to
// mean another record.

/// From bit 0: bytes of the record 24, its offset in eighths 21, its segment's slot 19. No record has the number 0.
package struct ColdAddress: Hashable, Sendable {
    package let bits: UInt64

    /// Records begin at multiples of this.
    static let alignment = 8
    /// Where data ends in the largest segment that addresses reach.
    package static let segmentByteCountMax = alignment << 21
    package static let recordByteCountMax = 1 << 24 - 1
    static let slotCountMax = 1 << 19

    /// An address from the eight bytes of an entry.
    package init(bits: UInt64) { self.bits = bits }

    init(slot: Int, offset: Int, byteCount: Int) {
        precondition(
            slot >= 0 && slot < ColdAddress.slotCountMax && offset >= 0 && offset < ColdAddress.segmentByteCountMax
                && offset % ColdAddress.alignment == 0 && byteCount > 0 && byteCount <= ColdAddress.recordByteCountMax,
            "a record lies within its segment")
        bits = UInt64(slot) << 45 | UInt64(offset / ColdAddress.alignment) << 24 | UInt64(byteCount)
    }

    var slot: Int { Int(truncatingIfNeeded: bits >> 45) }
    var offset: Int { Int(truncatingIfNeeded: bits >> 24 & 0x1F_FFFF) * ColdAddress.alignment }
    /// Bytes of the record, its head and key included.
    package var byteCount: Int { Int(truncatingIfNeeded: bits & 0xFF_FFFF) }
    /// The bytes it takes in its segment.
    package var paddedByteCount: Int { ColdAddress.padded(byteCount) }
    /// Ascending in the order in which a disk likes to be read.
    package var order: UInt64 { bits >> 24 }

    static func padded(_ byteCount: Int) -> Int { (byteCount + alignment - 1) & ~(alignment - 1) }
}
