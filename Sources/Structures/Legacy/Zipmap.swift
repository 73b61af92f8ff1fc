// Zipmap.swift - the compact hash of Redis before 2.6, read only. `validate` looks at every byte once; after it a
// `ZipmapWalk` yields fields and values in order. Pure, any thread, never traps, whatever the bytes.
//
// Layout: count 1 (254 and more: unknown) | pairs | 0xFF. A pair is length, field, length, free 1, value, free bytes;
// a length is one byte, or 254 and four bytes, little endian.
package import Base

package enum Zipmap {
    static let endMark: UInt8 = 0xFF
    private static let longLength: UInt8 = 254

    struct Pair {
        var field: Range<Int>
        var value: Range<Int>
        /// Offset behind the pair and its free bytes.
        var end: Int
    }

    /// Whether `bytes` are one whole, well-formed zipmap whose fields all differ. An empty one passes.
    package static func validate(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= 2, bytes[bytes.count - 1] == endMark else { return false }
        let end = bytes.count - 1
        var offset = 1
        var count = 0
        var hashes: [(hash: UInt64, field: Range<Int>)] = []
        while offset < end {
            guard let pair = pair(bytes, at: offset, end: end) else { return false }
            hashes.append((KeyHash.hash(bytes.extracting(pair.field), seed: KeyHash.seed), pair.field))
            offset = pair.end
            count += 1
        }
        guard bytes[0] >= longLength || Int(bytes[0]) == count else { return false }
        hashes.sort { $0.hash < $1.hash }
        for index in 1..<max(1, hashes.count) {
            var other = index - 1
            while other >= 0 && hashes[other].hash == hashes[index].hash {
                if bytes.extracting(hashes[other].field).equals(bytes.extracting(hashes[index].field)) { return false }
                other -= 1
            }
        }
        return true
    }

    /// The pair at `offset`, which lies before `end`; nil when it is not whole.
    static func pair(_ bytes: Span<UInt8>, at offset: Int, end: Int) -> Pair? {
        guard let field = text(bytes, at: offset, end: end, hasFree: false),
            let value = text(bytes, at: field.range.upperBound, end: end, hasFree: true)
        else { return nil }
        return Pair(field: field.range, value: value.range, end: value.range.upperBound + value.free)
    }

    private static func text(
        _ bytes: Span<UInt8>, at offset: Int, end: Int, hasFree: Bool
    ) -> (range: Range<Int>, free: Int)? {
        guard offset < end else { return nil }
        var start = offset + 1
        var count = Int(bytes[offset])
        if bytes[offset] == endMark { return nil }
        if bytes[offset] == longLength {
            start += 4
            guard start <= end else { return nil }
            count = Ziplist.load(bytes, offset + 1, 4)
            // What fits into one byte was never written in five.
            guard count >= Int(longLength) else { return nil }
        }
        var free = 0
        if hasFree {
            guard start < end else { return nil }
            free = Int(bytes[start])
            start += 1
        }
        guard count + free <= end - start else { return nil }
        return (start..<(start + count), free)
    }
}

/// Reads a zipmap that `Zipmap.validate` accepted, pair by pair.
package struct ZipmapWalk: ~Escapable {
    private let bytes: Span<UInt8>
    private var offset = 1

    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    /// The next field and value, copied to the given buffers in the place of what they held; false at the end.
    package mutating func next(field: inout ByteBuffer, value: inout ByteBuffer) -> Bool {
        let end = bytes.count - 1
        guard offset < end else { return false }
        guard let pair = Zipmap.pair(bytes, at: offset, end: end) else {
            preconditionFailure("a zipmap is validated before it is walked")
        }
        field.truncate(to: 0)
        value.truncate(to: 0)
        field.append(bytes.extracting(pair.field))
        value.append(bytes.extracting(pair.value))
        offset = pair.end
        return true
    }
}
