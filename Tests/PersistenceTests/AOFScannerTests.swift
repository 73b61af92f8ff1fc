// AOFScannerTests.swift - commands out of an append only file's bytes: a file that was cut anywhere is told from one
// that holds something else, at every byte.
import Base
import Persistence
import RESP
import Testing

struct AOFScannerTests {
    private static let good =
        "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n#TS:1700000000\r\n"
        + "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$12\r\nhello\r\nworld\r\n"

    /// What the scanner finds, up to and with the first step that ends it.
    private func steps(_ text: String) -> (steps: [AOFScanner.Step], end: Int, words: [String]) {
        let bytes = Array(text.utf8)
        var scanner = AOFScanner()
        var ranges = ArgumentRanges()
        var steps: [AOFScanner.Step] = []
        var words: [String] = []
        while true {
            let step = scanner.next(bytes.span, into: &ranges)
            steps.append(step)
            if step == .end || step == .cut || step == .malformed { break }
            guard step == .command else { continue }
            for index in 0..<ranges.count {
                let range = ranges[index]
                words.append(String(decoding: bytes[range.offset..<(range.offset + range.count)], as: UTF8.self))
            }
        }
        return (steps, scanner.offset, words)
    }

    @Test func commandsAndAnnotationsAreFound() {
        let found = steps(AOFScannerTests.good)
        #expect(found.steps == [.command, .annotation(second: 1_700_000_000), .command, .end])
        #expect(found.words == ["SELECT", "0", "SET", "a", "hello\r\nworld"])
        #expect(found.end == AOFScannerTests.good.utf8.count)
    }

    @Test func everyCutIsACut() {
        let ends: Set<Int> = [23, 39, AOFScannerTests.good.utf8.count]
        for count in 0..<AOFScannerTests.good.utf8.count {
            let found = steps(String(decoding: Array(AOFScannerTests.good.utf8)[..<count], as: UTF8.self))
            let isWhole = count == 0 || ends.contains(count)
            #expect(found.steps.last == (isWhole ? .end : .cut), "cut at \(count)")
            #expect(found.end == ([0] + ends.sorted()).last { $0 <= count }, "cut at \(count)")
        }
    }

    @Test(arguments: [
        "x", "*0\r\n", "*-1\r\n", "*x\r\n", "*1\n", "*1\rx", "*1\r\n#", "*1\r\n$-1\r\n", "*1\r\n$1\r\nab\r\n",
        "*1\r\n$1\r\na\rx", "set a 1\r\n", "*99999999999999999999\r\n",
        "#" + String(repeating: "x", count: 200) + "\n",
    ]) func whatIsNoCommandIsMalformed(text: String) {
        #expect(steps(text).steps == [.malformed])
        #expect(steps(AOFScannerTests.good + text).end == AOFScannerTests.good.utf8.count)
    }

    @Test func checksumsTellAFlippedBit() {
        let bytes = Array(AOFScannerTests.good.utf8)
        var line = ByteBuffer()
        AOFChecksum(of: bytes.span).append(to: &line)
        let text = AOFScannerTests.good + line.span.text
        #expect(steps(text).steps.suffix(2) == [.checksum(isRight: true), .end])
        #expect(steps(text.replacing("hello", with: "hellp")).steps.suffix(2) == [.checksum(isRight: false), .end])
        #expect(line.count < 128)
    }
}
