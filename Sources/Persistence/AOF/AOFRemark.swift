// AOFRemark.swift - commands that only Fog understands, as an append only file keeps them: in `#FOG` annotations, which
// stock servers pass over (`JournalStream.append(remark:)` writes them). A command's bytes stand in hexadecimal in one
// or several lines; the mark of the last one is a point. Pure; owned by whoever reads the file.
internal import Base
package import RESP

package struct AOFRemark: ~Copyable {
    private var bytes = ByteBuffer()

    package init() {}

    /// The command's bytes, when `take` answered true.
    package var command: Span<UInt8> {
        @_lifetime(borrow self) get { bytes.span }
    }

    /// Takes an annotation. True when a command is complete, with its words in `ranges`, which point into `command`;
    /// the next annotation begins a new one. False for any other annotation and for one that is not well formed.
    package mutating func take(_ line: Span<UInt8>, into ranges: inout ArgumentRanges) -> Bool {
        guard line.count >= 5, line.extracting(0..<4).equals("#FOG") else { return false }
        let isLast = line[4] == UInt8(ascii: ".")
        if isComplete { bytes.truncate(to: 0) }
        isComplete = isLast
        var index = 5
        while index + 1 < line.count {
            guard let high = AOFRemark.value(line[index]), let low = AOFRemark.value(line[index + 1]) else {
                return false
            }
            bytes.append(high << 4 | low)
            index += 2
        }
        guard isLast else { return false }
        var scanner = AOFScanner()
        return scanner.next(bytes.span, into: &ranges) == .command && scanner.offset == bytes.count
    }

    private var isComplete = true

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        default: nil
        }
    }
}
