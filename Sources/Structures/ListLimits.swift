// ListLimits.swift - how large one listpack of a list may become: `list-max-listpack-size`, read as Redis reads it, and
// the rules that follow from it (when a small list becomes a quicklist and back, when an element gets a node of its
// own). Pure values; the one shared word, the debug threshold, is read and written under the engine's turn only.

package struct ListLimits: Equatable, Sendable {
    /// Positive: elements in a listpack. Negative, -1 to -5: its bytes, 4 to 64 KiB.
    package let fill: Int

    /// Limits of the directive's value; anything below -5 means -5.
    package init(fill: Int) { self.fill = fill }

    /// Redis' default, -2: 8 KiB.
    package static let standard = ListLimits(fill: -2)

    /// A listpack limited by count is still limited to so many bytes, so that an edit never moves much more.
    package static let safetyByteCountMax = 8192
    /// What one more entry is taken to need beyond its text, before it is encoded.
    static let entryOverheadEstimate = 8

    /// No listpack takes an element beyond this, whatever DEBUG asks for.
    private static let entryByteCountMax = ListpackCode.byteCountMax - 64

    /// 0: the rules decide. Otherwise, elements of so many bytes and more get a node of their own.
    /// For DEBUG QUICKLIST-PACKED-THRESHOLD; whoever edits lists or sets this holds the engine's turn.
    package static var packedThreshold: Int {
        @inline(__always) get { unsafe storedPackedThreshold }
        set { unsafe storedPackedThreshold = newValue }
    }
    private nonisolated(unsafe) static var storedPackedThreshold = 0

    /// Bytes that a listpack limited by size may have; `Int.max` when its count is limited.
    package var byteCountMax: Int {
        if fill >= 0 { return .max }
        switch fill {
        case -1: return 4096
        case -2: return 8192
        case -3: return 16384
        case -4: return 32768
        default: return 65536
        }
    }

    /// Elements that a listpack limited by count may have, at least one; `Int.max` when its size is limited.
    package var countMax: Int { fill < 0 ? .max : max(fill, 1) }

    /// The size up to which a node's memory grows by doubling: the most bytes it is meant to have.
    var growthByteCountMax: Int { fill < 0 ? byteCountMax : ListLimits.safetyByteCountMax }

    /// Whether a listpack of this size and count is too large.
    @inline(__always)
    package func exceeds(byteCount: Int, count: Int) -> Bool {
        if fill < 0 { return byteCount > byteCountMax }
        return byteCount > ListLimits.safetyByteCountMax || count > countMax
    }

    /// Whether an element of `byteCount` bytes gets a node of its own.
    @inline(__always)
    package func isLarge(byteCount: Int) -> Bool {
        let threshold = ListLimits.packedThreshold
        if _slowPath(threshold != 0) { return byteCount >= min(threshold, ListLimits.entryByteCountMax) }
        return byteCount > growthByteCountMax
    }

    // MARK: Encodings

    /// Whether a list kept in one listpack must become a quicklist before `addedCount` elements with `addedByteCount`
    /// bytes of text are added to its `byteCount` bytes and `count` elements.
    package func listpackMustConvert(byteCount: Int, count: Int, addedByteCount: Int, addedCount: Int) -> Bool {
        let (bytes, byteOverflow) = byteCount.addingReportingOverflow(addedByteCount)
        let (elements, countOverflow) = count.addingReportingOverflow(addedCount)
        return byteOverflow || countOverflow || exceeds(byteCount: bytes, count: elements)
    }

    /// Whether a quicklist whose only node is a listpack of `byteCount` bytes and `count` elements should become that
    /// listpack. After removals (`isShrinking`) only at half of the limits, so that a list at the edge does not
    /// change its form with every push and pop.
    package func quicklistMayConvert(byteCount: Int, count: Int, isShrinking: Bool) -> Bool {
        let divisor = isShrinking ? 2 : 1
        return byteCount <= byteCountMax / divisor && count <= countMax / divisor
    }
}
