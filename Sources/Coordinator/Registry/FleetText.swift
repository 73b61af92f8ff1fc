// FleetText.swift - bytes as a CSV cell. Pure.
internal import Base

enum FleetText {
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
