// CodeBlanker.swift - blanks comments and string contents out of Swift and C text, keeping every newline where it is.
// A small lexer: nested block comments, raw and multi-line strings, interpolations (blanked with the string they are
// in). Enough for the house style; no parser.

struct CodeBlanker {
    private let bytes: [UInt8]
    private var output: [UInt8] = []
    private var index = 0

    private init(_ text: String) { bytes = Array(text.utf8) }

    static func blanked(_ text: String) -> String {
        var blanker = CodeBlanker(text)
        blanker.run()
        return String(decoding: blanker.output, as: UTF8.self)
    }

    private func at(_ text: String, _ offset: Int = 0) -> Bool {
        let wanted = Array(text.utf8)
        let start = index + offset
        return start + wanted.count <= bytes.count && Array(bytes[start..<start + wanted.count]) == wanted
    }

    private mutating func keep() {
        output.append(bytes[index])
        index += 1
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<min(count, bytes.count - index) {
            output.append(bytes[index] == 10 ? 10 : 32)
            index += 1
        }
    }

    private mutating func run() {
        while index < bytes.count {
            if at("//") {
                while index < bytes.count && bytes[index] != 10 { blank() }
            } else if at("/*") {
                blockComment()
            } else if let hashCount = stringStart() {
                string(hashCount)
            } else {
                keep()
            }
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if at("/*") {
                depth += 1
                blank(2)
            } else if at("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && index < bytes.count
    }

    /// The number of `#` before a quote that starts here, nil when none does.
    private func stringStart() -> Int? {
        var offset = 0
        while index + offset < bytes.count && bytes[index + offset] == UInt8(ascii: "#") { offset += 1 }
        return at("\"", offset) ? offset : nil
    }

    private mutating func string(_ hashCount: Int) {
        let hashes = String(repeating: "#", count: hashCount)
        blank(hashCount)
        let quote = at("\"\"\"") ? "\"\"\"" : "\""
        output.append(contentsOf: quote.utf8)
        index += quote.utf8.count
        while index < bytes.count {
            if at(quote + hashes) {
                output.append(contentsOf: quote.utf8)
                index += quote.utf8.count
                return blank(hashCount)
            }
            if at("\\" + hashes + "(") {
                blank(2 + hashCount)
                interpolation()
            } else if at("\\" + hashes) {
                blank(2 + hashCount)
            } else if bytes[index] == 10 && quote.utf8.count == 1 {
                return
            } else {
                blank()
            }
        }
    }

    /// Up to the parenthesis that closes the interpolation; strings within are skipped as strings.
    private mutating func interpolation() {
        var depth = 1
        while index < bytes.count && depth > 0 {
            if let hashCount = stringStart() {
                let mark = output.count
                string(hashCount)
                for position in mark..<output.count where output[position] != 10 { output[position] = 32 }
                continue
            }
            if at("(") { depth += 1 }
            if at(")") { depth -= 1 }
            blank()
        }
    }
}
