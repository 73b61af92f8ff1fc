// MemberScan.swift - what HSCAN, SSCAN and ZSCAN share: their options, how far one call walks, and the reply around the
// members. A walk follows the hash table of a large collection by the cursor of `EntryTable.scan`; small collections
// are visited at once. Engine's turn only.
internal import Base
internal import Engine
internal import RESP
internal import Structures

struct MemberScanOptions {
    /// Members to look at before the call ends.
    private var countMin = 10
    /// The pattern's argument; nil when everything matches.
    private var patternIndex: Int?
    /// Whether only members are asked for, without what belongs to them.
    private(set) var isShort = false

    /// Reads the options from argument `start` on. `shortForm` (NOVALUES, NOSCORES) is nil where there is none.
    init(_ call: borrowing Call, from start: Int, shortForm: StaticString?) throws(CommandError) {
        var options = call.options(from: start)
        while !options.isAtEnd {
            if options.take("COUNT", values: 1) {
                countMin = try options.integer(in: 1...Int.max, otherwise: .syntax)
            } else if options.take("MATCH", values: 1) {
                let index = try options.nextIndex()
                patternIndex = call.arguments[index].equals("*") ? nil : index
            } else if let shortForm, options.take(shortForm) {
                isShort = true
            } else {
                throw .syntax
            }
        }
    }

    /// Whether the pattern lets `member` through.
    func admits(_ member: Span<UInt8>, _ arguments: Arguments) -> Bool {
        guard let patternIndex else { return true }
        return Glob.matches(pattern: arguments[patternIndex], text: member)
    }

    /// Walks from `cursor` until enough members were seen or the end is reached, and returns where the next call goes
    /// on. `step` visits the members at a cursor, counts them into its second argument and returns the next cursor.
    func walk(from cursor: UInt64, _ step: (UInt64, inout Int) -> UInt64) -> UInt64 {
        // An empty stretch of the table ends the call as well: ten buckets for each member asked for.
        let (product, overflow) = countMin.multipliedReportingOverflow(by: 10)
        var bucketsLeft = overflow ? Int.max : product
        var position = cursor
        var seen = 0
        repeat {
            position = step(position, &seen)
            bucketsLeft -= 1
        } while position != 0 && bucketsLeft > 0 && seen < countMin
        return position
    }
}

extension Reply {
    /// The reply of a scan that finds nothing.
    func emptyScan() {
        array(2)
        bulk("0")
        array(0)
    }

    /// Puts the outer array's header and the cursor before what was written since `mark`.
    func insertScanCursor(_ cursor: UInt64, at mark: Int) {
        var head = ByteBuffer(capacity: 48)
        head.append("*2\r\n$")
        // A cursor has 48 bits.
        let digits = IntegerText.byteCount(of: Int64(truncatingIfNeeded: cursor))
        head.append(decimal: digits)
        head.append("\r\n")
        head.append(decimal: Int(truncatingIfNeeded: cursor))
        head.append("\r\n")
        buffer.replaceSubrange(mark..<mark, with: head.span)
    }
}
