// MemberScan.swift - the common part of HSCAN, SSCAN and ZSCAN: cursor, options, and the walk. Small collections are
// answered whole, with cursor 0; tables bucket by bucket until COUNT members were seen, with the table's own cursor, so
// that a member that stays is never missed. Engine's turn only.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

struct MemberScan {
    let cursor: UInt64
    private(set) var count = 10
    /// Nil when everything matches.
    private var pattern: [UInt8]?
    /// NOVALUES or NOSCORES was given.
    private(set) var omitsValues = false

    /// The cursor, which stands in argument 2.
    init(cursorOf call: borrowing Call) throws(CommandError) {
        guard let cursor = IntegerText.parseUnsignedLenient(call.arguments[2]) else { throw .invalidCursor }
        self.cursor = cursor
    }

    /// Reads the options behind the cursor. `isHash` and `isSortedSet` say which word leaves values out.
    mutating func readOptions(
        _ call: borrowing Call, isHash: Bool = false, isSortedSet: Bool = false
    ) throws(CommandError) {
        var options = call.options(from: 3)
        while !options.isAtEnd {
            if options.take("COUNT", values: 1) {
                count = try options.integer()
                if count < 1 { throw .syntax }
            } else if options.take("MATCH", values: 1) {
                let text = try options.next()
                pattern = text.equals("*") ? nil : text.array
            } else if options.take("NOVALUES") {
                guard isHash else { throw .message("ERR NOVALUES option can only be used in HSCAN") }
                omitsValues = true
            } else if options.take("NOSCORES") {
                guard isSortedSet else { throw .message("ERR NOSCORES option can only be used in ZSCAN") }
                omitsValues = true
            } else {
                throw .syntax
            }
        }
    }

    /// Whether a member is wanted.
    func matches(_ member: ListpackElement) -> Bool {
        guard let pattern else { return true }
        return member.withText { text in Glob.matches(pattern: pattern.span, text: text) }
    }

    /// Walks a table from the cursor on; `visit` writes a member that matches. Returns the next cursor.
    func walk(_ members: borrowing MemberTable, _ visit: (Entry) -> Void) -> UInt64 {
        // An empty stretch of the table ends the call as well: ten buckets for each member asked for.
        var bucketsLeft = count.multipliedReportingOverflow(by: 10)
        if bucketsLeft.overflow { bucketsLeft.partialValue = .max }
        var position = cursor
        var seen = 0
        repeat {
            position = members.scan(cursor: position) { member in
                seen += 1
                if matches(.bytes(member.key)) { visit(member) }
            }
            bucketsLeft.partialValue -= 1
        } while position != 0 && bucketsLeft.partialValue > 0 && seen < count
        return position
    }

    /// Answers that there is nothing to scan.
    static func replyEmpty(_ reply: Reply) {
        reply.array(2)
        reply.bulk("0")
        reply.array(0)
    }

    /// Puts the headers before `count` elements that were written since `mark`.
    static func finish(_ reply: Reply, cursor: UInt64, count: Int, at mark: Int) {
        reply.insertHeader(UInt8(ascii: "*"), count, at: mark)
        KeyScan.writeCursor(reply, cursor, at: mark)
    }
}
