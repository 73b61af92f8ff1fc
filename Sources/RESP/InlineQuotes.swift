// InlineQuotes.swift - unquoting of one word of an inline command, by the rules redis-cli and telnet users know:
// "..." with \n \r \t \b \a \xHH and \<any>, '...' with \', a closing quote must be followed by a blank.
internal import Base

enum InlineQuotes {
    private enum State { case plain, double, single }

    /// Appends the word that starts at `start`; returns the index behind it, nil when its quotes are unbalanced.
    static func unquoteWord(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, into output: inout ByteBuffer
    ) -> Int? {
        var state = State.plain
        var index = start
        while index < end {
            let byte = bytes[index]
            switch state {
            case .plain:
                if byte == 32 || (byte >= 9 && byte <= 13) || byte == 0 { return index }
                if byte == 34 { state = .double } else if byte == 39 { state = .single } else { output.append(byte) }
                index += 1
            case .double:
                if byte == 92 && index + 1 < end {
                    index = unescape(bytes, from: index, to: end, into: &output)
                } else if byte == 34 {
                    guard closes(bytes, at: index, end: end) else { return nil }
                    return index + 1
                } else {
                    output.append(byte)
                    index += 1
                }
            case .single:
                if byte == 92 && index + 1 < end && bytes[index + 1] == 39 {
                    output.append(39)
                    index += 2
                } else if byte == 39 {
                    guard closes(bytes, at: index, end: end) else { return nil }
                    return index + 1
                } else {
                    output.append(byte)
                    index += 1
                }
            }
        }
        return state == .plain ? index : nil
    }

    private static func closes(_ bytes: Span<UInt8>, at index: Int, end: Int) -> Bool {
        guard index + 1 < end else { return true }
        let next = bytes[index + 1]
        return next == 32 || (next >= 9 && next <= 13) || next == 0
    }

    private static func unescape(
        _ bytes: Span<UInt8>, from index: Int, to end: Int, into output: inout ByteBuffer
    ) -> Int {
        let byte = bytes[index + 1]
        if byte == UInt8(ascii: "x"), index + 3 < end,
            let high = hexDigit(bytes[index + 2]), let low = hexDigit(bytes[index + 3])
        {
            output.append(high << 4 | low)
            return index + 4
        }
        switch byte {
        case UInt8(ascii: "n"): output.append(10)
        case UInt8(ascii: "r"): output.append(13)
        case UInt8(ascii: "t"): output.append(9)
        case UInt8(ascii: "b"): output.append(8)
        case UInt8(ascii: "a"): output.append(7)
        default: output.append(byte)
        }
        return index + 2
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 97...102: byte - 87
        case 65...70: byte - 55
        default: nil
        }
    }
}
