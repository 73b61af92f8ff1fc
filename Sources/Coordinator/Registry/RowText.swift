// RowText.swift - texts of many records, as FOG.NODE EXPORT writes them and files for FOG.WARM have them, row by row:
// CSV (RFC 4180, the first row names the columns) and JSON lines (a flat object each). A row is its fields by name, in
// their order; an empty cell and a null are no field. Errors say which row. Pure; cost: one pass, a copy of each field.
internal import Base

package struct RowError: Error {
    /// Counted from 1, the head of a table included.
    package let row: Int
    package let text: StaticString
}

package enum RowFormat: Sendable {
    case csv, jsonLines

    package init?(_ word: Span<UInt8>) {
        if word.equalsIgnoringCase("CSV") {
            self = .csv
        } else if word.equalsIgnoringCase("JSONL") {
            self = .jsonLines
        } else {
            return nil
        }
    }
}

package struct RowReader {
    package typealias Field = (name: [UInt8], value: [UInt8])

    private let format: RowFormat
    /// Columns of a table.
    private var columns: [[UInt8]]?
    /// Rows read so far, the head of a table included.
    package private(set) var row = 0

    package init(_ format: RowFormat) { self.format = format }

    /// Takes the next row that is whole from the front of `text`, `isLast` saying that nothing follows it: the fields,
    /// and how many bytes they took. Nil when no whole row is there. A row without fields is none.
    package mutating func next(
        _ text: Span<UInt8>, isLast: Bool
    ) throws(RowError) -> (fields: [Field], byteCount: Int)? {
        var offset = 0
        while let end = rowEnd(text, from: offset, isLast: isLast) {
            let line = text.extracting(offset..<end.text)
            offset = end.next
            row += 1
            let fields = format == .csv ? try cells(line) : try members(line)
            if !fields.isEmpty { return (fields, offset) }
        }
        return offset > 0 ? ([], offset) : nil
    }

    /// Where a row's text ends and the next row begins.
    private func rowEnd(_ text: Span<UInt8>, from start: Int, isLast: Bool) -> (text: Int, next: Int)? {
        var isQuoted = false
        var index = start
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\""), format == .csv { isQuoted.toggle() }
            if byte == 10 && !isQuoted {
                let hasReturn = index > start && text[index - 1] == 13
                return (hasReturn ? index - 1 : index, index + 1)
            }
            index += 1
        }
        return isLast && start < text.count ? (text.count, text.count) : nil
    }

    private func failure(_ text: StaticString) -> RowError { RowError(row: row, text: text) }

    // MARK: CSV

    private mutating func cells(_ line: Span<UInt8>) throws(RowError) -> [Field] {
        if line.isEmpty { return [] }
        var cells: [[UInt8]] = []
        var index = 0
        while true {
            var cell: [UInt8] = []
            if index < line.count, line[index] == UInt8(ascii: "\"") {
                index += 1
                while true {
                    guard index < line.count else { throw failure("a quote is not closed") }
                    if line[index] == UInt8(ascii: "\"") {
                        guard index + 1 < line.count, line[index + 1] == UInt8(ascii: "\"") else { break }
                        index += 1
                    }
                    cell.append(line[index])
                    index += 1
                }
                index += 1
            } else {
                while index < line.count, line[index] != UInt8(ascii: ",") {
                    cell.append(line[index])
                    index += 1
                }
            }
            cells.append(cell)
            if index == line.count { break }
            guard line[index] == UInt8(ascii: ",") else { throw failure("a comma is missing behind a quote") }
            index += 1
        }
        guard let columns else {
            self.columns = cells
            return []
        }
        guard cells.count == columns.count else { throw failure("there are not as many cells as columns") }
        return zip(columns, cells).filter { !$1.isEmpty }.map { (name: $0, value: $1) }
    }

    // MARK: JSON lines

    private func members(_ line: Span<UInt8>) throws(RowError) -> [Field] {
        if !(0..<line.count).contains(where: { line[$0] > 32 }) { return [] }
        guard JSONCheck.isValid(line), var object = FlatObject(line) else { throw failure("this is no JSON object") }
        var fields: [Field] = []
        while let member = object.next() {
            guard let value = member.value else { throw failure("values are texts, numbers, true, false or null") }
            if let text = value { fields.append((member.name, text)) }
        }
        return fields
    }
}

/// The members of a JSON object that is known to be valid.
private struct FlatObject: ~Escapable {
    private let text: Span<UInt8>
    private var index = 0

    @_lifetime(copy text)
    init?(_ text: Span<UInt8>) {
        self.text = text
        skipBlanks()
        guard text[index] == UInt8(ascii: "{") else { return nil }
        index += 1
    }

    /// The next member; its value is nil when it is an object or an array, and holds nil when it is null.
    mutating func next() -> (name: [UInt8], value: [UInt8]??)? {
        skipBlanks()
        if text[index] == UInt8(ascii: ",") {
            index += 1
            skipBlanks()
        }
        if text[index] == UInt8(ascii: "}") { return nil }
        let name = string()
        skipBlanks()
        index += 1
        skipBlanks()
        switch text[index] {
        case UInt8(ascii: "\""): return (name, .some(string()))
        case UInt8(ascii: "{"), UInt8(ascii: "["): return (name, nil)
        default:
            let start = index
            while text[index] > 32, text[index] != UInt8(ascii: ","), text[index] != UInt8(ascii: "}") { index += 1 }
            let word = text.extracting(start..<index)
            return (name, .some(word.equals("null") ? nil : word.array))
        }
    }

    private mutating func skipBlanks() {
        while index < text.count, text[index] <= 32 { index += 1 }
    }

    /// A string without its escapes.
    private mutating func string() -> [UInt8] {
        index += 1
        var bytes: [UInt8] = []
        while text[index] != UInt8(ascii: "\"") {
            guard text[index] == UInt8(ascii: "\\") else {
                bytes.append(text[index])
                index += 1
                continue
            }
            index += 2
            switch text[index - 1] {
            case UInt8(ascii: "b"): bytes.append(8)
            case UInt8(ascii: "f"): bytes.append(12)
            case UInt8(ascii: "n"): bytes.append(10)
            case UInt8(ascii: "r"): bytes.append(13)
            case UInt8(ascii: "t"): bytes.append(9)
            case UInt8(ascii: "u"): bytes += Array(String(scalar()).utf8)
            default: bytes.append(text[index - 1])
            }
        }
        index += 1
        return bytes
    }

    /// Behind `\u`: a scalar, of a pair of surrogates when it is one; half a pair is U+FFFD.
    private mutating func scalar() -> Unicode.Scalar {
        let first = unit()
        if first & 0xFC00 == 0xD800, index + 1 < text.count, text[index] == UInt8(ascii: "\\"),
            text[index + 1] == UInt8(ascii: "u")
        {
            let before = index
            index += 2
            let second = unit()
            if second & 0xFC00 == 0xDC00 {
                return Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + second & 0x3FF) ?? "\u{FFFD}"
            }
            index = before
        }
        return Unicode.Scalar(first) ?? "\u{FFFD}"
    }

    private mutating func unit() -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            let byte = text[index]
            value = value << 4 | UInt32(byte < 58 ? byte - 48 : (byte | 0x20) - 87)
            index += 1
        }
        return value
    }
}
