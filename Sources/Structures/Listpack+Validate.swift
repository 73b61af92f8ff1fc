// Listpack+Validate.swift - the only door for listpack bytes from outside (RESTORE, RDB files, a primary's stream):
// nothing is believed. Every length is compared with the bytes left before it is followed, every back length with its
// entry, the end mark and the count with what was walked. Pure, any thread, never traps, whatever the bytes.
// Cost: one pass; `hasDuplicates` needs one more and up to sixteen bytes of memory for each key.
internal import Base
internal import CLinux

extension Listpack {
    /// Whether `bytes` are one whole, well-formed listpack. `deep: false` looks at size and end mark only, which is
    /// for bytes that carry a checksum of ours; everything else asks for the whole walk.
    package static func validate(_ bytes: Span<UInt8>, deep: Bool = true) -> Bool {
        guard bytes.count >= ListpackCode.emptyByteCount, bytes.count <= ListpackCode.byteCountMax else { return false }
        let base = unsafe ListpackCode.address(of: bytes)
        guard unsafe ListpackCode.load32(base) == bytes.count else { return false }
        let end = bytes.count &- 1
        guard unsafe base[end] == ListpackCode.endMark else { return false }
        if !deep { return true }
        var position = ListpackCode.headerByteCount
        var count = 0
        while position < end {
            guard let byteCount = unsafe checkedEntryByteCount(base + position, bytesLeft: end &- position) else {
                return false
            }
            position &+= byteCount
            count &+= 1
        }
        let stored = unsafe ListpackCode.load16(base + 4)
        return stored == ListpackCode.countUnknown || stored == count
    }

    /// Whether `bytes` are a well-formed listpack whose elements come in groups of `stride` (fields with values,
    /// members with scores) and whose first elements of the groups all differ. An empty one passes if `allowsEmpty`.
    package static func validate(_ bytes: Span<UInt8>, uniqueEach stride: Int, allowsEmpty: Bool = false) -> Bool {
        precondition(stride > 0, "a stride is positive")
        guard validate(bytes) else { return false }
        let view = ListpackView(bytes)
        if view.isEmpty { return allowsEmpty }
        let count = view.count
        return count % stride == 0 && !view.hasDuplicates(stride: stride, groups: count / stride)
    }

    /// Bytes of the entry at `pointer`, of which at most `bytesLeft` (at least 1) may be touched; nil when it is not
    /// a whole, consistent entry.
    @unsafe
    private static func checkedEntryByteCount(_ pointer: UnsafePointer<UInt8>, bytesLeft: Int) -> Int? {
        let first = unsafe pointer[0]
        let headByteCount: Int
        switch first {
        case 0..<0xe0: headByteCount = 1
        case 0xe0..<0xf0: headByteCount = 2
        case 0xf0: headByteCount = 5
        case 0xf1...0xf4: headByteCount = 1
        default: return nil
        }
        guard headByteCount <= bytesLeft else { return nil }
        // The length field is at most 32 bits wide: none of these sums can overflow.
        let code = unsafe ListpackCode.codeByteCount(pointer)
        let back = ListpackCode.backByteCount(code)
        guard code &+ back <= bytesLeft else { return nil }
        // The back length must be spelled as it would be written; reading from behind relies on it.
        var rest = code
        var index = code &+ back &- 1
        while index > code {
            guard unsafe pointer[index] == UInt8(truncatingIfNeeded: rest & 0x7f) | 0x80 else { return nil }
            rest >>= 7
            index &-= 1
        }
        guard unsafe pointer[index] == UInt8(truncatingIfNeeded: rest), rest < 0x80 else { return nil }
        return code &+ back
    }
}

extension ListpackView {
    /// Whether two of the `groups` groups of `stride` elements start with the same text, stored as bytes or as a
    /// number. Takes its own hash table; the seed is the process' secret, so no payload can aim at collisions.
    package func hasDuplicates(stride: Int, groups: Int) -> Bool {
        if groups < 2 { return false }
        // At most half full. A group takes at least two bytes, so this is bounded by the bytes really there.
        let slotCount = 1 << (Int.bitWidth - (groups &* 2 &- 1).leadingZeroBitCount)
        var slots = [UInt32](repeating: 0, count: slotCount)
        var position = startOffset
        while position < endOffset {
            let offset = position
            let key = element(at: offset)
            let hash = key.withText { text in KeyHash.hash(text, seed: KeyHash.seed) }
            var slot = Int(truncatingIfNeeded: hash) & (slotCount &- 1)
            // Offsets start at 6, so 0 marks a free slot.
            while slots[slot] != 0 {
                if element(at: Int(slots[slot])).equals(key) { return true }
                slot = (slot &+ 1) & (slotCount &- 1)
            }
            slots[slot] = UInt32(truncatingIfNeeded: offset)
            for _ in 0..<stride where position < endOffset { position = self.offset(after: position) }
        }
        return false
    }
}
