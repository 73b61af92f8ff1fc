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
        /// MULTI inside of a transaction.
        case nestedMulti
        /// EXEC outside of one; loading passes over it, the check tool does not.
        case strayExec
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
    /// The line at which reading stopped, the first is 1; words with line ends of their own count as one.
    package private(set) var line = 1
    /// End of the last unit recorded at or before `lastSecond`, when one was given.
    package private(set) var timeEnd: Int?

    /// Looks at `bytes` from `start` on. With `lastSecond`, stops where the file says that it is later.
    package init(_ bytes: Span<UInt8>, from start: Int = 0, lastSecond: Int64? = nil, isStrict: Bool = false) {
        goodEnd = start
        let stop = look(bytes, lastSecond: lastSecond, isStrict: isStrict)
        // What is broken has lines of its own before the place where it is.
        if problem != nil && problem != .checksum && stop < faultOffset {
            for index in stop..<min(faultOffset, bytes.count) where bytes[index] == 10 { line += 1 }
        }
    }

    /// Returns where the last step began.
    private mutating func look(_ bytes: Span<UInt8>, lastSecond: Int64?, isStrict: Bool) -> Int {
        var scanner = AOFScanner(from: goodEnd)
        var ranges = ArgumentRanges()
        var isOpen = false
        while true {
            let before = scanner.offset
            switch scanner.next(bytes, into: &ranges) {
            case .end:
                if isOpen { note(.openTransaction, bytes.count, "EXEC") }
                return before
            case .cut:
                note(isOpen ? .openTransaction : .cut, scanner.faultOffset, "\(scanner.expectation)")
                return before
            case .malformed:
                note(.malformed, scanner.faultOffset, "\(scanner.expectation)")
                return before
            case .checksum(false):
                note(.checksum, before, "other bytes before this checksum")
                return before
            case .annotation(let second?):
                if let lastSecond, second > lastSecond {
                    timeEnd = goodEnd
                    return before
                }
            case .checksum(true), .annotation(nil): break
            case .command:
                commandCount += 1
                line += 1 + 2 * ranges.count
                guard bracket(bytes, ranges, &isOpen, isStrict: isStrict, end: scanner.offset) else {
                    return scanner.offset
                }
            }
            if !isOpen { goodEnd = scanner.offset }
        }
    }

    /// MULTI and EXEC open and close; false when one stands where it must not.
    private mutating func bracket(
        _ bytes: Span<UInt8>, _ ranges: borrowing ArgumentRanges, _ isOpen: inout Bool, isStrict: Bool, end: Int
    ) -> Bool {
        if AOFInspection.isWord(bytes, ranges, "MULTI") {
            if isOpen {
                note(.nestedMulti, end, "no MULTI inside of MULTI")
                return false
            }
            isOpen = true
        } else if AOFInspection.isWord(bytes, ranges, "EXEC") {
            if isStrict && !isOpen {
                note(.strayExec, end, "no EXEC outside of MULTI")
                return false
            }
            isOpen = false
        }
        return true
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
