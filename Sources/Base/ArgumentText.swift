// ArgumentText.swift - one line of text to arguments and back, by the quoting rules that inline commands, redis.conf
// and redis-cli share. Pure, any thread. Allocates one array per argument: off the hot path.

package enum ArgumentText {
    /// The arguments of `line`, or nil when quotes do not balance or a closing quote is not followed by a blank.
    /// Within "double" quotes: \n \r \t \b \a, \xHH, and a backslash before any other byte; within 'single' quotes only
    /// \' is special. A zero byte ends the line.
    package static func split(_ line: Span<UInt8>) -> [[UInt8]]? {
        var scanner = Scanner(line: line)
        var arguments: [[UInt8]] = []
        while scanner.skipBlanks() {
            guard let argument = scanner.argument() else { return nil }
            arguments.append(argument)
        }
        return arguments
    }

    /// Appends `bytes` in double quotes, in the form `split` reads back.
    package static func appendQuoted(_ bytes: Span<UInt8>, to buffer: inout ByteBuffer) {
        buffer.append(UInt8(ascii: "\""))
        for index in bytes.indices {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\\"): buffer.append("\\\\")
            case UInt8(ascii: "\""): buffer.append("\\\"")
            case 10: buffer.append("\\n")
            case 13: buffer.append("\\r")
            case 9: buffer.append("\\t")
            case 7: buffer.append("\\a")
            case 8: buffer.append("\\b")
            case 32...126: buffer.append(byte)
            default:
                buffer.append("\\x")
                Hexadecimal.append([byte].span, to: &buffer)
            }
        }
        buffer.append(UInt8(ascii: "\""))
    }

    /// A walk over one line. Behind the end it sees zero bytes, as C code sees the terminator.
    private struct Scanner: ~Escapable {
        let line: Span<UInt8>
        var index = 0

        @_lifetime(copy line)
        init(line: Span<UInt8>) { self.line = line }

        private func byte(_ distance: Int = 0) -> UInt8 {
            index + distance < line.count ? line[index + distance] : 0
        }

        /// Moves to the next argument; false at the end of the line.
        mutating func skipBlanks() -> Bool {
            while byte() != 0, DoubleText.isSpace(byte()) { index += 1 }
            return byte() != 0
        }

        /// Reads up to the next blank; a quote may open anywhere within the argument.
        mutating func argument() -> [UInt8]? {
            var argument: [UInt8] = []
            while true {
                switch byte() {
                case 0:
                    return argument
                case 32, 10, 13, 9:
                    index += 1
                    return argument
                case UInt8(ascii: "\""):
                    index += 1
                    return doubleQuoted(&argument) ? argument : nil
                case UInt8(ascii: "'"):
                    index += 1
                    return singleQuoted(&argument) ? argument : nil
                default:
                    argument.append(byte())
                    index += 1
                }
            }
        }

        private mutating func doubleQuoted(_ argument: inout [UInt8]) -> Bool {
            while true {
                let current = byte()
                if current == 0 { return false }
                if current == UInt8(ascii: "\"") { return closeQuote() }
                guard current == UInt8(ascii: "\\"), byte(1) != 0 else {
                    argument.append(current)
                    index += 1
                    continue
                }
                if byte(1) == UInt8(ascii: "x"), let high = Hexadecimal.value(ofDigit: byte(2)),
                    let low = Hexadecimal.value(ofDigit: byte(3))
                {
                    argument.append(high << 4 | low)
                    index += 4
                } else {
                    argument.append(Scanner.unescaped(byte(1)))
                    index += 2
                }
            }
        }

        private mutating func singleQuoted(_ argument: inout [UInt8]) -> Bool {
            while true {
                let current = byte()
                if current == 0 { return false }
                if current == UInt8(ascii: "'") { return closeQuote() }
                if current == UInt8(ascii: "\\"), byte(1) == UInt8(ascii: "'") { index += 1 }
                argument.append(byte())
                index += 1
            }
        }

        /// A closing quote ends the argument, so a blank or the end must follow.
        private mutating func closeQuote() -> Bool {
            index += 1
            return byte() == 0 || DoubleText.isSpace(byte())
        }

        private static func unescaped(_ byte: UInt8) -> UInt8 {
            switch byte {
            case UInt8(ascii: "n"): 10
            case UInt8(ascii: "r"): 13
            case UInt8(ascii: "t"): 9
            case UInt8(ascii: "b"): 8
            case UInt8(ascii: "a"): 7
            default: byte
            }
        }
    }
}
