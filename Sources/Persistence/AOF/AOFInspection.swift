// AOFInspection.swift - a look at a whole append only file before anything of it is run, or by the check tool: how far
// it is good, and what is wrong behind that. A transaction that is not closed is not good: nobody was promised half of
// it. Checksums are looked at here too, so that a flipped bit is found before it is loaded. Pure; reads once.
internal import Base
package import RESP

package struct AOFInspection: Sendable {
    package enum Problem: Sendable, Equatable {
        /// The file stops inside a command.
        case cut
        /// The file stops inside a transaction.
        case openTransaction
        /// Something else than a command.
        case malformed
        /// Bytes before a checksum are not what they were.
        case checksum
    }

    /// Bytes that are whole commands outside of transactions, and whole transactions.
    package private(set) var goodEnd: Int
    package private(set) var problem: Problem?
    /// Where what is wrong was found, and what was expected there.
    package private(set) var faultOffset = 0
    package private(set) var expectation = ""
    package private(set) var commandCount = 0
    /// End of the last unit recorded at or before `lastSecond`, when one was given.
    package private(set) var timeEnd: Int?

    /// Looks at `bytes` from `start` on. With `lastSecond`, stops where the file says that it is later.
    package init(_ bytes: Span<UInt8>, from start: Int = 0, lastSecond: Int64? = nil) {
        goodEnd = start
        look(bytes, lastSecond: lastSecond)
    }

    private mutating func look(_ bytes: Span<UInt8>, lastSecond: Int64?) {
        var scanner = AOFScanner(from: goodEnd)
        var ranges = ArgumentRanges()
        var isOpen = false
        while true {
            let before = scanner.offset
            switch scanner.next(bytes, into: &ranges) {
            case .end:
                if isOpen { note(.openTransaction, bytes.count, "EXEC") }
                return
            case .cut: return note(isOpen ? .openTransaction : .cut, scanner.faultOffset, "\(scanner.expectation)")
            case .malformed: return note(.malformed, scanner.faultOffset, "\(scanner.expectation)")
            case .checksum(false): return note(.checksum, before, "other bytes before this checksum")
            case .annotation(let second?):
                if let lastSecond, second > lastSecond {
                    timeEnd = before
                    return
                }
            case .checksum(true), .annotation(nil): break
            case .command:
                commandCount += 1
                if AOFInspection.isWord(bytes, ranges, "MULTI") {
                    if isOpen { return note(.malformed, before, "no MULTI inside of MULTI") }
                    isOpen = true
                } else if AOFInspection.isWord(bytes, ranges, "EXEC") {
                    isOpen = false
                }
            }
            if !isOpen { goodEnd = scanner.offset }
        }
    }

    private mutating func note(_ problem: Problem, _ offset: Int, _ expectation: String) {
        self.problem = problem
        faultOffset = offset
        self.expectation = expectation
    }

    /// Whether the command in `ranges` is this one word.
    package static func isWord(
        _ bytes: Span<UInt8>, _ ranges: borrowing ArgumentRanges, _ word: StaticString
    ) -> Bool {
        guard ranges.count == 1, ranges[0].count == word.utf8CodeUnitCount else { return false }
        let start = ranges[0].offset
        return bytes.extracting(start..<(start + ranges[0].count)).equalsIgnoringCase(word)
    }
}
