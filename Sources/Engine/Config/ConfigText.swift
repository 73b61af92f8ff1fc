// ConfigText.swift - the byte-level grammar of a configuration line: blanks, quotes, escapes, letter case.
// Pure functions over arrays, called at start and by CONFIG commands, never on the data path. Every index is checked
// against the array's end (a file may hold any bytes); nothing here may trap. `splitArguments` and `quoted` are the
// only two places that know the quoting rules, so another splitter can take their place.

enum ConfigText {
    static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    static func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    static func lowercased(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte | 0x20 : byte }

    static func lowercased(_ bytes: [UInt8]) -> [UInt8] { bytes.map { lowercased($0) } }

    static func equalsIgnoringCase(_ bytes: [UInt8], _ text: String) -> Bool {
        bytes.count == text.utf8.count && zip(bytes, text.utf8).allSatisfy { lowercased($0) == lowercased($1) }
    }

    /// What a C string made of these bytes would hold: everything before the first NUL.
    static func beforeNul(_ bytes: [UInt8]) -> [UInt8] {
        guard let end = bytes.firstIndex(of: 0) else { return bytes }
        return Array(bytes[..<end])
    }

    /// The C locale's isspace.
    static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (byte >= 9 && byte <= 13) }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    /// Without the blanks, tabs and carriage returns at either end.
    static func trimmed(_ bytes: some BidirectionalCollection<UInt8>) -> [UInt8] {
        func isTrimmed(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 10 || byte == 13 }
        guard let first = bytes.firstIndex(where: { !isTrimmed($0) }),
            let last = bytes.lastIndex(where: { !isTrimmed($0) })
        else { return [] }
        return Array(bytes[first...last])
    }

    /// Cuts at every `separator`, keeping empty pieces; no bytes at all yield no pieces.
    static func pieces(_ bytes: [UInt8], separator: UInt8) -> [[UInt8]] {
        if bytes.isEmpty { return [] }
        return bytes.split(separator: separator, omittingEmptySubsequences: false).map { Array($0) }
    }

    /// `bytes` in double quotes, with escapes for everything that is not printable ASCII: what `splitArguments` reads
    /// back as one argument.
    static func quoted(_ bytes: [UInt8]) -> [UInt8] {
        let hexadecimal = Array("0123456789abcdef".utf8)
        var result: [UInt8] = [34]
        for byte in bytes {
            switch byte {
            case 92, 34: result += [92, byte]
            case 10: result += [92, UInt8(ascii: "n")]
            case 13: result += [92, UInt8(ascii: "r")]
            case 9: result += [92, UInt8(ascii: "t")]
            case 7: result += [92, UInt8(ascii: "a")]
            case 8: result += [92, UInt8(ascii: "b")]
            case 32...126: result.append(byte)
            default: result += [92, UInt8(ascii: "x"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            }
        }
        result.append(34)
        return result
    }

    /// The arguments of one line; nil when a quote is left open or is followed by something other than a blank.
    static func splitArguments(_ line: [UInt8]) -> [[UInt8]]? {
        var reader = ArgumentReader(line: line)
        var arguments: [[UInt8]] = []
        while reader.skipBlanks() {
            guard let argument = reader.nextArgument() else { return nil }
            arguments.append(argument)
        }
        return arguments
    }
}

/// A cursor over one line. Its position never passes the end of the line.
private struct ArgumentReader {
    let line: [UInt8]
    var position = 0

    init(line: [UInt8]) { self.line = line }

    /// The byte `offset` after the cursor, or NUL behind the end, as C's string functions see it.
    func peek(_ offset: Int = 0) -> UInt8 {
        let index = position + offset
        return index < line.count ? line[index] : 0
    }

    /// True when something other than blanks is left.
    mutating func skipBlanks() -> Bool {
        while ConfigText.isBlank(peek()) { position += 1 }
        return peek() != 0
    }

    mutating func nextArgument() -> [UInt8]? {
        var argument: [UInt8] = []
        while true {
            switch peek() {
            case 32, 10, 13, 9, 0:
                return argument
            case 34:
                position += 1
                return readDoubleQuoted(&argument) ? argument : nil
            case 39:
                position += 1
                return readSingleQuoted(&argument) ? argument : nil
            case let byte:
                argument.append(byte)
                position += 1
            }
        }
    }

    /// Reads up to the closing quote, which must end the argument.
    private mutating func readDoubleQuoted(_ argument: inout [UInt8]) -> Bool {
        while true {
            let byte = peek()
            if byte == 0 { return false }
            if byte == 34 { return closeQuote() }
            if byte == 92, peek(1) == UInt8(ascii: "x"), let high = digit(peek(2)), let low = digit(peek(3)) {
                argument.append(high << 4 | low)
                position += 4
            } else if byte == 92, peek(1) != 0 {
                argument.append(unescaped(peek(1)))
                position += 2
            } else {
                argument.append(byte)
                position += 1
            }
        }
    }

    private mutating func readSingleQuoted(_ argument: inout [UInt8]) -> Bool {
        while true {
            let byte = peek()
            if byte == 0 { return false }
            if byte == 39 { return closeQuote() }
            let isEscapedQuote = byte == 92 && peek(1) == 39
            argument.append(isEscapedQuote ? 39 : byte)
            position += isEscapedQuote ? 2 : 1
        }
    }

    private mutating func closeQuote() -> Bool {
        position += 1
        return peek() == 0 || ConfigText.isBlank(peek())
    }

    private func unescaped(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "r"): 13
        case UInt8(ascii: "t"): 9
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "a"): 7
        default: byte
        }
    }

    private func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}
