// InfoText.swift - the text of INFO while it is written: sections with a headline, fields as `name:value` lines. Made
// for one reply and thrown away; numbers are printed as the stock servers print them.
internal import Base

struct InfoText: ~Copyable {
    private(set) var bytes = ByteBuffer()

    /// Starts a section; an empty line stands between sections.
    mutating func section(_ title: StaticString) {
        if !bytes.isEmpty { bytes.append("\r\n") }
        bytes.append("# ")
        bytes.append(title)
        bytes.append("\r\n")
    }

    mutating func field(_ name: StaticString, _ value: Int) {
        begin(name)
        bytes.append(decimal: value)
        bytes.append("\r\n")
    }

    mutating func field(_ name: StaticString, _ value: Int64) { field(name, Int(value)) }

    mutating func field(_ name: StaticString, _ value: Bool) { field(name, value ? 1 : 0) }

    mutating func field(_ name: StaticString, _ value: String) {
        begin(name)
        bytes.append(value)
        bytes.append("\r\n")
    }

    /// A number with a fixed count of decimals, and a unit behind it.
    mutating func field(_ name: StaticString, _ value: Double, decimals: Int = 2, unit: StaticString = "") {
        begin(name)
        bytes.append(InfoText.fixed(value, decimals))
        bytes.append(unit)
        bytes.append("\r\n")
    }

    /// Bytes as a number, and as people read them in a second field.
    mutating func size(_ name: String, _ byteCount: Int) {
        line("\(name):\(byteCount)")
        line("\(name)_human:\(MemoryText.human(max(0, byteCount)))")
    }

    /// A whole line.
    mutating func line(_ text: String) {
        bytes.append(text)
        bytes.append("\r\n")
    }

    private mutating func begin(_ name: StaticString) {
        bytes.append(name)
        bytes.append(":")
    }

    static func fixed(_ value: Double, _ decimals: Int) -> String {
        var text = ByteBuffer()
        DoubleText.append(value.isFinite ? value : 0, fractionDigitCount: decimals, to: &text)
        return text.span.text
    }

    /// The quotient, 0 where there is none.
    static func ratio(_ value: Int, _ divisor: Int) -> Double { divisor == 0 ? 0 : Double(value) / Double(divisor) }
}
