// ListpackView+Find.swift - searching a listpack for one text: hash fields, set members, list elements. One pass over
// the entries without decoding them: an entry of another length is skipped by its first byte, one of the same length
// is told apart by its last eight bytes. Elements stored as numbers match by value. Cost: 1-2 ns an entry.
internal import CLinux

/// The text that is looked for, prepared once.
@safe struct ListpackNeedle: ~Escapable {
    let text: UnsafePointer<UInt8>
    let count: Int
    /// The code byte of a short text of this length; 0xff, which no entry starts with, for longer ones.
    let shortCode: UInt8
    let integer: Int64
    let isInteger: Bool
    /// The last eight bytes of the text, the last one highest; fewer when it is shorter, with zeros below.
    let tail: UInt64
    /// Which bits of `tail` are the text's.
    let tailMask: UInt64

    @_lifetime(copy bytes) @inline(__always)
    init(_ bytes: Span<UInt8>) {
        unsafe text = ListpackCode.address(of: bytes)
        count = bytes.count
        shortCode = count < 64 ? 0x80 | UInt8(truncatingIfNeeded: count) : ListpackCode.endMark
        let number = unsafe ListpackNumber.parse(text, count: count)
        integer = number ?? 0
        isInteger = number != nil
        if count >= 8 {
            unsafe tail = ListpackNeedle.load64(text + (count &- 8))
            tailMask = ~0
        } else {
            var word: UInt64 = 0
            for index in 0..<count { unsafe word |= UInt64(text[index]) << UInt64(8 &* (8 &- count &+ index)) }
            tail = word
            tailMask = ~0 << UInt64(8 &* (8 &- count))
        }
    }

    @unsafe @inline(__always)
    static func load64(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
        unsafe UInt64(littleEndian: UnsafeRawPointer(pointer).loadUnaligned(as: UInt64.self))
    }

    /// Whether the entry at `entry`, in a listpack, is this text.
    @unsafe @inline(__always)
    func matches(_ entry: UnsafePointer<UInt8>) -> Bool {
        let first = unsafe entry[0]
        if first == shortCode { return unsafe matchesShort(entry) }
        if first < 0x80 { return isInteger && integer == Int64(first) }
        return first < 0xc0 ? false : unsafe matchesLong(entry)
    }

    /// The entry is a short text of the same length. The eight bytes before its end are always inside the listpack:
    /// a header of six bytes and a code byte lie before the first byte of any text.
    @unsafe @inline(__always)
    private func matchesShort(_ entry: UnsafePointer<UInt8>) -> Bool {
        if count == 0 { return true }
        let entryTail = unsafe ListpackNeedle.load64(entry + (count &- 7))
        if (entryTail ^ tail) & tailMask != 0 { return false }
        return unsafe count <= 8 || memcmp(entry + 1, text, count &- 8) == 0
    }

    @unsafe
    private func matchesLong(_ entry: UnsafePointer<UInt8>) -> Bool {
        let first = unsafe entry[0]
        // Most long entries differ in kind: an integer against a word needs no decoding.
        if (first < 0xe0 || first > 0xf0) && !isInteger { return false }
        let decoded = unsafe ListpackCode.decodeLong(entry)
        guard let stored = unsafe decoded.text else { return isInteger && decoded.integer == integer }
        return unsafe decoded.textByteCount == count && memcmp(stored, text, count) == 0
    }
}

extension ListpackView {
    /// The offset of the first entry from `offset` on whose text is `needle`, looking at one entry and then leaving
    /// out `skip` of them (1: the fields of field-value pairs); nil when there is none.
    package func find(_ needle: Span<UInt8>, from offset: Int? = nil, skip: Int = 0) -> Int? {
        let start = offset ?? startOffset
        if start == endOffset { return nil }
        checkOffset(start)
        let prepared = ListpackNeedle(needle)
        let stop = unsafe end
        var position = unsafe base + start
        if skip == 1 { return unsafe findPaired(prepared, from: position) }
        while unsafe position < stop {
            if unsafe prepared.matches(position) { return unsafe position - base }
            unsafe position += ListpackCode.entryByteCount(position)
            var left = skip
            while left > 0, unsafe position < stop {
                unsafe position += ListpackCode.entryByteCount(position)
                left &-= 1
            }
        }
        return nil
    }

    /// `find` with one entry left out each time, which hashes and sorted sets ask for.
    @unsafe @inline(__always)
    private func findPaired(_ needle: borrowing ListpackNeedle, from start: UnsafePointer<UInt8>) -> Int? {
        let stop = unsafe end
        var position = unsafe start
        while unsafe position < stop {
            if unsafe needle.matches(position) { return unsafe position - base }
            unsafe position += ListpackCode.entryByteCount(position)
            if unsafe position >= stop { return nil }
            unsafe position += ListpackCode.entryByteCount(position)
        }
        return nil
    }

    /// The element that follows the first entry whose text is `key`: the value of a field, the score of a member.
    @_lifetime(copy self)
    package func value(of key: Span<UInt8>) -> ListpackElement? {
        guard let offset = find(key, skip: 1) else { return nil }
        var position = self.offset(after: offset)
        return next(&position)
    }

    /// Calls `body` with index and offset of every element whose text is `needle`, from the head or (`fromTail`) from
    /// the tail, comparing at most `comparesMax` elements; `body` says whether to go on. Returns false when it did
    /// not want to.
    @discardableResult
    package func forEachMatch(
        of needle: Span<UInt8>, fromTail: Bool = false, comparesMax: Int = .max,
        body: (_ index: Int, _ offset: Int) -> Bool
    ) -> Bool {
        let prepared = ListpackNeedle(needle)
        let start = unsafe base + ListpackCode.headerByteCount
        let stop = unsafe end
        var compares = 0
        if !fromTail {
            var position = unsafe start
            while unsafe position < stop, compares < comparesMax {
                if unsafe prepared.matches(position), unsafe !body(compares, position - base) { return false }
                unsafe position += ListpackCode.entryByteCount(position)
                compares &+= 1
            }
            return true
        }
        var position = unsafe stop
        let last = count &- 1
        while unsafe position > start, compares < comparesMax {
            unsafe position -= ListpackCode.entryByteCount(endingAt: position)
            if unsafe prepared.matches(position), unsafe !body(last &- compares, position - base) { return false }
            compares &+= 1
        }
        return true
    }
}
