// FleetText.swift - bytes as a JSON string and as a CSV cell. Pure.
internal import Base

enum FleetText {
    /// A JSON string. Bytes beyond ASCII are taken for UTF-8 as they are.
    static func appendJSON(_ bytes: Span<UInt8>, to text: inout ByteBuffer) {
        text.append("\"")
        for index in 0..<bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text.append(UInt8(ascii: "\\"))
                text.append(byte)
            case 0..<32:
                text.append("\\u00")
                for shift in [4, 0] as [UInt8] {
                    let digit = byte >> shift & 15
                    text.append(digit < 10 ? 48 + digit : 87 + digit)
                }
            default: text.append(byte)
            }
        }
        text.append("\"")
    }

    /// A CSV cell (RFC 4180): in quotes where it has to be.
    static func appendCSV(_ bytes: Span<UInt8>, to text: inout ByteBuffer) {
        let special: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: "\""), 10, 13]
        guard (0..<bytes.count).contains(where: { special.contains(bytes[$0]) }) else { return text.append(bytes) }
        text.append("\"")
        for index in 0..<bytes.count {
            if bytes[index] == UInt8(ascii: "\"") { text.append("\"") }
            text.append(bytes[index])
        }
        text.append("\"")
    }
}
