// JSONCheck.swift - whether a text that a client gave is JSON (RFC 8259), so that it can stand inside of what we write:
// exactly one value, strings well-formed UTF-8, nesting bounded. Nothing is built. Pure; cost: one pass.
internal import Base

package struct JSONCheck: ~Escapable {
    /// Deeper values are refused: whoever reads them might recurse.
    private static let depthMax = 64

    private let text: Span<UInt8>
    private var index = 0

    @_lifetime(copy text)
    private init(_ text: Span<UInt8>) { self.text = text }

    package static func isValid(_ text: Span<UInt8>) -> Bool {
        var check = JSONCheck(text)
        check.skipBlanks()
        guard check.value(depth: 0) else { return false }
        check.skipBlanks()
        return check.index == text.count
    }

    private var next: UInt8? { index < text.count ? text[index] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 32 || byte == 9 || byte == 10 || byte == 13 { index += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func value(depth: Int) -> Bool {
        guard depth < JSONCheck.depthMax, let byte = next else { return false }
        switch byte {
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return array(depth: depth)
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        default: return number()
        }
    }

    private mutating func object(depth: Int) -> Bool {
        index += 1
        skipBlanks()
        if take("}") { return true }
        while true {
            skipBlanks()
            guard next == UInt8(ascii: "\""), string() else { return false }
            skipBlanks()
            guard take(":") else { return false }
            skipBlanks()
            guard value(depth: depth + 1) else { return false }
            skipBlanks()
            if take("}") { return true }
            guard take(",") else { return false }
        }
    }

    private mutating func array(depth: Int) -> Bool {
        index += 1
        skipBlanks()
        if take("]") { return true }
        while true {
            skipBlanks()
            guard value(depth: depth + 1) else { return false }
            skipBlanks()
            if take("]") { return true }
            guard take(",") else { return false }
        }
    }

    private mutating func string() -> Bool {
        index += 1
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return true
            case UInt8(ascii: "\\"):
                guard escape() else { return false }
            case 0..<0x20: return false
            default:
                let count = UTF8Text.sequenceCount(text, at: index)
                if count == 0 { return false }
                index += count
            }
        }
        return false
    }

    private mutating func escape() -> Bool {
        index += 1
        guard let byte = next else { return false }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return true
        case UInt8(ascii: "u"):
            for _ in 0..<4 {
                guard let digit = next, JSONCheck.isHexDigit(digit) else { return false }
                index += 1
            }
            return true
        default: return false
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        byte &- 48 <= 9 || (byte | 0x20) &- 97 <= 5
    }

    private mutating func word(_ word: StaticString) -> Bool {
        let end = index + word.utf8CodeUnitCount
        guard end <= text.count, text.extracting(index..<end).equals(word) else { return false }
        index = end
        return true
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0") {
            guard digits() else { return false }
        }
        if take(".") {
            guard digits() else { return false }
        }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() else { return false }
        }
        return true
    }

    private mutating func digits() -> Bool {
        let start = index
        while let byte = next, byte &- 48 <= 9 { index += 1 }
        return index > start
    }
}
