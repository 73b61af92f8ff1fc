// Ziplist.swift - the compact list of Redis before 7.0, read only: files and payloads of old servers carry lists,
// hashes, sorted sets and (through them) everything small in this form. `validate` looks at every byte once; after it
// a `ZiplistWalk` yields the elements in order. Pure, any thread, never traps, whatever the bytes.
//
// Layout, little endian: bytes 4 | offset of the last entry 4 | count 2 | entries | 0xFF. An entry is the length of
// the one before it (one byte, or 0xFE and four), a code with its length (big endian there), and its text or integer.
internal import Base

package enum Ziplist {
    static let headerByteCount = 10
    static let emptyByteCount = 11
    static let endMark: UInt8 = 0xFF
    /// The count field when the true count does not fit into it.
    private static let countUnknown = 0xFFFF

    /// One entry: where its text or integer lies.
    struct Entry {
        /// Bytes of the entry before this one, as written in it.
        var previousByteCount: Int
        /// Where text or integer begin.
        var contents: Int
        /// Bytes of the text; of the integer when `isInteger`, 0 for one that stands in the code.
        var contentsByteCount: Int
        var isInteger: Bool
        /// The integer of an entry that has it in its code.
        var immediate: Int64 = 0
        /// Offset behind the entry.
        var end: Int { contents + contentsByteCount }
    }

    /// Whether `bytes` are one whole, well-formed ziplist. An empty one passes.
    package static func validate(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= emptyByteCount, bytes.count <= Int(UInt32.max),
            load(bytes, 0, 4) == bytes.count, bytes[bytes.count - 1] == endMark
        else { return false }
        let end = bytes.count - 1
        var offset = headerByteCount
        var last = headerByteCount
        var previous = 0
        var count = 0
        while offset < end {
            guard let entry = entry(bytes, at: offset, end: end), entry.previousByteCount == previous else {
                return false
            }
            last = offset
            previous = entry.end - offset
            offset = entry.end
            count += 1
        }
        let stored = load(bytes, 8, 2)
        return load(bytes, 4, 4) == last && (stored == count || stored == countUnknown && count >= countUnknown)
    }

    /// Whether `bytes` are a well-formed ziplist of groups of `stride` elements (fields with values, members with
    /// scores) whose first elements all differ. An empty one passes.
    package static func validate(_ bytes: Span<UInt8>, uniqueEach stride: Int) -> Bool {
        precondition(stride > 0, "a stride is positive")
        guard validate(bytes) else { return false }
        var walk = ZiplistWalk(bytes)
        var count = 0
        var hashes: [(hash: UInt64, offset: Int)] = []
        while true {
            let offset = walk.offset
            guard let element = walk.next() else { break }
            if count % stride == 0 {
                hashes.append((element.withText { KeyHash.hash($0, seed: KeyHash.seed) }, offset))
            }
            count += 1
        }
        guard count % stride == 0 else { return false }
        return !hasEqual(&hashes, bytes)
    }

    /// Whether two of the entries have the same text; equal texts have equal hashes, and few others do.
    private static func hasEqual(_ hashes: inout [(hash: UInt64, offset: Int)], _ bytes: Span<UInt8>) -> Bool {
        hashes.sort { $0.hash < $1.hash }
        for index in 1..<max(1, hashes.count) {
            var other = index - 1
            while other >= 0 && hashes[other].hash == hashes[index].hash {
                var left = ZiplistWalk(bytes, offset: hashes[other].offset)
                var right = ZiplistWalk(bytes, offset: hashes[index].offset)
                if let first = left.next(), let second = right.next(), first.equals(second) { return true }
                other -= 1
            }
        }
        return false
    }

    /// The entry at `offset`, which lies before `end`; nil when it is not whole.
    static func entry(_ bytes: Span<UInt8>, at offset: Int, end: Int) -> Entry? {
        var previous = Int(bytes[offset])
        var code = offset + 1
        if previous == 0xFE {
            guard offset + 5 <= end else { return nil }
            previous = load(bytes, offset + 1, 4)
            code = offset + 5
        }
        guard previous != 0xFF || code > offset + 1, code < end else { return nil }
        guard var entry = contents(bytes, code: code, end: end), entry.end <= end else { return nil }
        entry.previousByteCount = previous
        return entry
    }

    private static func contents(_ bytes: Span<UInt8>, code: Int, end: Int) -> Entry? {
        let first = bytes[code]
        switch first >> 6 {
        case 0: return text(from: code + 1, Int(first))
        case 1:
            guard code + 2 <= end else { return nil }
            return text(from: code + 2, Int(first & 0x3F) << 8 | Int(bytes[code + 1]))
        case 2:
            guard code + 5 <= end else { return nil }
            var count = 0
            for index in 1...4 { count = count << 8 | Int(bytes[code + index]) }
            return text(from: code + 5, count)
        default: break
        }
        switch first {
        case 0xC0: return integer(from: code + 1, 2)
        case 0xD0: return integer(from: code + 1, 4)
        case 0xE0: return integer(from: code + 1, 8)
        case 0xF0: return integer(from: code + 1, 3)
        case 0xFE: return integer(from: code + 1, 1)
        case 0xF1...0xFD:
            var entry = integer(from: code + 1, 0)
            entry.immediate = Int64(first & 0x0F) - 1
            return entry
        default: return nil
        }
    }

    private static func text(from offset: Int, _ byteCount: Int) -> Entry {
        Entry(previousByteCount: 0, contents: offset, contentsByteCount: byteCount, isInteger: false)
    }

    private static func integer(from offset: Int, _ byteCount: Int) -> Entry {
        Entry(previousByteCount: 0, contents: offset, contentsByteCount: byteCount, isInteger: true)
    }

    /// `byteCount` bytes at `offset`, little endian, unsigned.
    static func load(_ bytes: Span<UInt8>, _ offset: Int, _ byteCount: Int) -> Int {
        var value: UInt64 = 0
        for index in (0..<byteCount).reversed() { value = value << 8 | UInt64(bytes[offset + index]) }
        return Int(truncatingIfNeeded: value)
    }

    /// The integer of `entry`.
    static func integer(_ bytes: Span<UInt8>, _ entry: Entry) -> Int64 {
        guard entry.contentsByteCount > 0 else { return entry.immediate }
        let value = Int64(load(bytes, entry.contents, entry.contentsByteCount))
        let unused = Int64(64 - entry.contentsByteCount * 8)
        return (value << unused) >> unused
    }
}

/// Reads a ziplist that `Ziplist.validate` accepted, element by element.
package struct ZiplistWalk: ~Escapable {
    private let bytes: Span<UInt8>
    private(set) var offset: Int

    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
        offset = Ziplist.headerByteCount
    }

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, offset: Int) {
        self.bytes = bytes
        self.offset = offset
    }

    /// The next element; nil at the end.
    @_lifetime(copy self)
    package mutating func next() -> ListpackElement? {
        let end = bytes.count - 1
        guard offset < end else { return nil }
        guard let entry = Ziplist.entry(bytes, at: offset, end: end) else {
            preconditionFailure("a ziplist is validated before it is walked")
        }
        offset = entry.end
        if entry.isInteger { return .integer(Ziplist.integer(bytes, entry)) }
        return .bytes(bytes.extracting(entry.contents..<entry.end))
    }
}
