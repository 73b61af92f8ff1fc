// AOFScanner.swift - from an append only file's bytes to its commands: strict where a client's parser is lenient,
// since nobody but a server wrote this. It tells a file that stops in the middle of a command (cut off: what precedes
// is good) from one that holds something else (malformed), because only the first may be cut back without asking.
// Annotations (`#...` lines) are stepped over; `#TS:` ones are reported. Pure; keeps offsets only.
package import Base
package import RESP

package struct AOFScanner {
    package enum Step: Equatable {
        /// A command whose words are in the ranges.
        case command
        /// A comment; the time it gives, if it gives one.
        case annotation(second: Int64?)
        /// A checksum of bytes right before it, which holds or does not.
        case checksum(isRight: Bool)
        case end
        /// The file stops inside what begins at `offset`.
        case cut
        /// Something else than a command begins at `offset`, or stands at `faultOffset` inside of one.
        case malformed
    }

    /// Where the next step begins; after `.cut` and `.malformed`, where the bad one began.
    package private(set) var offset: Int
    /// Where what was found stopped making sense.
    package private(set) var faultOffset = 0
    /// What was expected there.
    package private(set) var expectation: StaticString = ""

    package init(from offset: Int = 0) { self.offset = offset }

    /// More words than this are no command: a bound on what a broken count can make us believe.
    private static let wordCountMax = 1 << 30
    /// Annotations that stock servers can skip are shorter than this.
    private static let annotationByteCountMax = 128

    package mutating func next(_ bytes: Span<UInt8>, into ranges: inout ArgumentRanges) -> Step {
        ranges.removeAll()
        guard offset < bytes.count else { return .end }
        if bytes[offset] == UInt8(ascii: "#") { return annotation(bytes) }
        var position = offset
        switch number(bytes, &position, after: "*") {
        case .cut: return .cut
        case .malformed: return .malformed
        case .value(let count):
            guard count > 0 && count <= AOFScanner.wordCountMax else {
                return fault(offset, "the number of words of a command")
            }
            for _ in 0..<count {
                switch word(bytes, &position, into: &ranges) {
                case .cut: return .cut
                case .malformed: return .malformed
                case .value: break
                }
            }
        }
        offset = position
        return .command
    }

    private enum Piece {
        case value(Int)
        case cut
        case malformed
    }

    private mutating func word(_ bytes: Span<UInt8>, _ position: inout Int, into ranges: inout ArgumentRanges) -> Piece
    {
        switch number(bytes, &position, after: "$") {
        case .cut: return .cut
        case .malformed: return .malformed
        case .value(let count):
            guard count <= bytes.count - position else { return cut(bytes.count) }
            ranges.append(ArgumentRange(offset: position, count: count))
            position += count
            return lineEnd(bytes, &position)
        }
    }

    /// `*12\r\n` or `$12\r\n`.
    private mutating func number(_ bytes: Span<UInt8>, _ position: inout Int, after mark: Unicode.Scalar) -> Piece {
        guard position < bytes.count else { return cut(position) }
        guard bytes[position] == UInt8(ascii: mark) else {
            return malformed(position, mark == "*" ? "a command ('*')" : "a word ('$')")
        }
        position += 1
        let start = position
        while position < bytes.count, position - start < 20, bytes[position] &- 48 <= 9 { position += 1 }
        if position == bytes.count { return cut(position) }
        guard let value = IntegerText.parse(bytes.extracting(start..<position)) else {
            return malformed(start, "a length")
        }
        if case .value = lineEnd(bytes, &position) { return .value(Int(value)) }
        return position + 2 > bytes.count && faultOffset == bytes.count ? .cut : .malformed
    }

    private mutating func lineEnd(_ bytes: Span<UInt8>, _ position: inout Int) -> Piece {
        let held = bytes.count - position
        if held > 0 && bytes[position] != 13 || held > 1 && bytes[position + 1] != 10 {
            return malformed(position, "the end of a line")
        }
        if held < 2 { return cut(bytes.count) }
        position += 2
        return .value(0)
    }

    private mutating func cut(_ position: Int) -> Piece {
        faultOffset = position
        expectation = "more bytes"
        return .cut
    }

    private mutating func malformed(_ position: Int, _ expectation: StaticString) -> Piece {
        faultOffset = position
        self.expectation = expectation
        return .malformed
    }

    private mutating func fault(_ position: Int, _ expectation: StaticString) -> Step {
        faultOffset = position
        self.expectation = expectation
        return .malformed
    }

    // MARK: annotations

    /// The bytes of the last annotation, without its line's end.
    package private(set) var annotationRange = 0..<0

    private mutating func annotation(_ bytes: Span<UInt8>) -> Step {
        var end = offset
        let limit = min(bytes.count, offset + AOFScanner.annotationByteCountMax)
        while end < limit, bytes[end] != 10 { end += 1 }
        guard end < limit else {
            if end == bytes.count {
                faultOffset = end
                expectation = "the end of an annotation"
                return .cut
            }
            return fault(offset, "an annotation of less than 128 bytes")
        }
        let start = offset
        var text = bytes.extracting(start..<end)
        if text.count > 0, text[text.count - 1] == 13 { text = text.extracting(0..<(text.count - 1)) }
        offset = end + 1
        annotationRange = start..<(start + text.count)
        if let checksum = AOFChecksum(text) {
            return .checksum(isRight: checksum.holds(for: bytes.extracting(0..<start)))
        }
        guard text.count > 4, text.extracting(0..<4).equals("#TS:") else { return .annotation(second: nil) }
        return .annotation(second: IntegerText.parse(text.extracting(4..<text.count)))
    }
}

/// `#CRC:` annotations: the checksum, and how many of the bytes right before the line it covers. Stock servers skip
/// the line; bytes that no line covers are taken as they are.
package struct AOFChecksum: Equatable {
    let value: UInt64
    let byteCount: Int

    /// Of all of `bytes`.
    package init(of bytes: Span<UInt8>) {
        value = CRC64.checksum(bytes)
        byteCount = bytes.count
    }

    /// As a line.
    package func append(to buffer: inout ByteBuffer) {
        buffer.append("#CRC:")
        let digits = String(value, radix: 16)
        buffer.append(String(repeating: "0", count: 16 - digits.utf8.count) + digits)
        buffer.append(":\(byteCount)\r\n")
    }

    /// What a line without its end gives; nil when it is another annotation.
    init?(_ line: Span<UInt8>) {
        guard line.count > 22, line.starts(with: "#CRC:"), line[21] == UInt8(ascii: ":") else { return nil }
        guard let value = UInt64(line.extracting(5..<21).text, radix: 16) else { return nil }
        guard let count = IntegerText.parse(line.extracting(22..<line.count)), count >= 0 else { return nil }
        self.value = value
        byteCount = Int(count)
    }

    /// Whether `bytes`, everything before the line, ends as it was written.
    func holds(for bytes: Span<UInt8>) -> Bool {
        byteCount <= bytes.count
            && CRC64.checksum(bytes.extracting((bytes.count - byteCount)..<bytes.count)) == value
    }
}
