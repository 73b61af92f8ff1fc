// JSONText.swift - writing JSON, byte by byte, into a buffer: no tree is built. Text that is not UTF-8 becomes U+FFFD,
// so that whatever a key or a value holds, what is written parses. Pure.
package import Base

package enum JSONText {
    /// `text` as a JSON string, quotes included.
    package static func append(_ text: Span<UInt8>, to buffer: inout ByteBuffer) {
        buffer.reserve(text.count + 2)
        buffer.append(UInt8(ascii: "\""))
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte < 0x80 {
                append(ascii: byte, to: &buffer)
                index += 1
                continue
            }
            let count = UTF8Text.sequenceCount(text, at: index)
            if count == 0 {
                buffer.append("\\ufffd")
                index += 1
            } else {
                buffer.append(text.extracting(index..<(index + count)))
                index += count
            }
        }
        buffer.append(UInt8(ascii: "\""))
    }

    private static func append(ascii byte: UInt8, to buffer: inout ByteBuffer) {
        switch byte {
        case UInt8(ascii: "\""): buffer.append("\\\"")
        case UInt8(ascii: "\\"): buffer.append("\\\\")
        case 8: buffer.append("\\b")
        case 9: buffer.append("\\t")
        case 10: buffer.append("\\n")
        case 12: buffer.append("\\f")
        case 13: buffer.append("\\r")
        case 0..<0x20:
            buffer.append("\\u00")
            buffer.append(hexDigit(byte >> 4))
            buffer.append(hexDigit(byte & 15))
        default: buffer.append(byte)
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    /// A number as JSON has it: what is not finite has no spelling there and becomes null.
    package static func append(_ value: Double, to buffer: inout ByteBuffer) {
        if value.isFinite { DoubleText.append(value, to: &buffer) } else { buffer.append("null") }
    }
}

/// One JSON object under way: members are appended in order.
package struct JSONObject: ~Copyable {
    private var bytes = ByteBuffer()
    private var isEmpty = true

    package init() { bytes.append(UInt8(ascii: "{")) }

    package mutating func add(_ name: StaticString, _ text: Span<UInt8>) {
        begin(name)
        JSONText.append(text, to: &bytes)
    }

    package mutating func add(_ name: StaticString, text: StaticString) {
        begin(name)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(text)
        bytes.append(UInt8(ascii: "\""))
    }

    package mutating func add(_ name: StaticString, decimal: Int64) {
        begin(name)
        bytes.append(decimal: Int(decimal))
    }

    package mutating func add(_ name: StaticString, double: Double) {
        begin(name)
        JSONText.append(double, to: &bytes)
    }

    package mutating func add(_ name: StaticString, boolean: Bool) {
        begin(name)
        bytes.append(boolean ? "true" : "false")
    }

    /// A member that is JSON already.
    package mutating func add(_ name: StaticString, json: Span<UInt8>) {
        begin(name)
        bytes.append(json)
    }

    private mutating func begin(_ name: StaticString) {
        if !isEmpty { bytes.append(UInt8(ascii: ",")) }
        isEmpty = false
        bytes.append(UInt8(ascii: "\""))
        bytes.append(name)
        bytes.append("\":")
    }

    /// The whole object.
    package consuming func finish() -> ByteBuffer {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}

/// Well-formed UTF-8, as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
enum UTF8Text {
    /// Bytes of the sequence that begins at `index`, 0 when none does.
    static func sequenceCount(_ text: Span<UInt8>, at index: Int) -> Int {
        let first = text[index]
        if first < 0x80 { return 1 }
        let count: Int
        var lowest: UInt8 = 0x80
        var highest: UInt8 = 0xBF
        switch first {
        case 0xC2...0xDF: count = 2
        case 0xE0...0xEF:
            count = 3
            if first == 0xE0 { lowest = 0xA0 }
            if first == 0xED { highest = 0x9F }
        case 0xF0...0xF4:
            count = 4
            if first == 0xF0 { lowest = 0x90 }
            if first == 0xF4 { highest = 0x8F }
        default: return 0
        }
        guard text.count - index >= count, text[index + 1] >= lowest, text[index + 1] <= highest else { return 0 }
        for offset in 2..<max(2, count) where text[index + offset] & 0xC0 != 0x80 { return 0 }
        return count
    }
}
