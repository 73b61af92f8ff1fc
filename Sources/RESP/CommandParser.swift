// CommandParser.swift - turns the bytes of a connection into commands, incrementally and without copying. The loop
// that owns the connection runs it, without the turn. One `parse` call reads one command from `offset`; a command
// that has not arrived completely is remembered (position, arguments so far), so that a million trickling arguments
// cost linear time. Offsets are kept instead of addresses until the command is complete, because the buffer may move.
// Memory grows with bytes received, never with lengths announced. Limits and error order are Redis'.
package import Base
internal import CLinux

/// Where an argument lies relative to the start of the buffer the parser was given.
package struct ArgumentRange {
    package let offset: Int
    package let count: Int

    @inline(__always)
    package init(offset: Int, count: Int) {
        self.offset = offset
        self.count = count
    }
}

package struct CommandParser: ~Copyable {
    /// What bounds a client: taken from the configuration, smaller before AUTH.
    package struct Limits {
        package var bulkByteCountMax: Int
        package var isAuthenticated: Bool

        package init(bulkByteCountMax: Int, isAuthenticated: Bool) {
            self.bulkByteCountMax = bulkByteCountMax
            self.isAuthenticated = isAuthenticated
        }
    }

    package enum Outcome: Equatable {
        /// A command ends before `end`; its arguments were appended to the list.
        case command(end: Int)
        /// Nothing to run (empty line, `*0`); go on at `end`.
        case nothing(end: Int)
        case incomplete
        case failure(ProtocolError)
    }

    /// A line that carries a count or an inline command may have this many bytes (Redis' PROTO_INLINE_MAX_SIZE).
    private static let lineByteCountMax = 64 << 10
    private static let unauthenticatedArgumentsMax = 10
    private static let unauthenticatedBulkMax = 16 << 10

    /// Arguments of a multibulk still to come; 0 when no command is open.
    private var argumentsLeft = 0
    /// Next byte to look at, relative to the open command's first byte.
    private var position = 0
    /// Length of the open bulk, -1 when its `$` line has not been read.
    private var bulkByteCount = -1
    /// Arguments of the open command, relative to its first byte.
    private var partial: [ArgumentRange] = []
    /// Unquoted inline arguments; ranges of an inline command point into it when quotes were used.
    package private(set) var unquoted = ByteBuffer()

    package init() {}

    /// Bytes that must arrive before the open bulk is complete, 0 when none is open: a hint for the next read's size.
    package func missingByteCount(received: Int) -> Int {
        bulkByteCount >= 0 ? max(0, position + bulkByteCount + 2 - received) : 0
    }

    /// Bytes of an open command in front of its open argument, when that is a large one.
    package var headByteCount: Int { bulkByteCount >= CommandParser.largeBulkByteCount ? position : 0 }

    /// From here on Redis gives an argument a buffer of its own (PROTO_MBULK_BIG_ARG).
    package static let largeBulkByteCount = 32 << 10

    /// Memory of the list of arguments already received of an open command.
    package var partialByteCount: Int { partial.capacity * MemoryLayout<ArgumentRange>.stride }

    /// Reads one command. `bytes[offset...]` starts at the open command's first byte when one is open.
    /// On `.command`, `arguments` holds its ranges relative to the start of `bytes`.
    @inline(__always)
    package mutating func parse(
        _ bytes: Span<UInt8>, from offset: Int, limits: Limits, into arguments: inout ArgumentRanges
    ) -> Outcome {
        guard offset < bytes.count else { return .incomplete }
        if argumentsLeft == 0 {
            guard bytes[offset] == UInt8(ascii: "*") else { return inline(bytes, from: offset, into: &arguments) }
            if let end = CommandParser.wholeCommand(bytes, from: offset, limits, into: &arguments) {
                return .command(end: end)
            }
            switch openMultibulk(bytes, from: offset, limits: limits) {
            case .incomplete: break
            case let other: return other
            }
            if argumentsLeft == 0 { return .incomplete }
        }
        return multibulk(bytes, from: offset, limits: limits, into: &arguments)
    }

    /// A command of at most nine words that has arrived whole, read in one go: nearly all are such. Where it ends; nil,
    /// and nothing appended, for whatever is not plainly one. What is wrong with it is then for the careful way to say.
    @inline(__always)
    private static func wholeCommand(
        _ bytes: Span<UInt8>, from offset: Int, _ limits: Limits, into arguments: inout ArgumentRanges
    ) -> Int? {
        guard limits.isAuthenticated, bytes.count - offset >= bulkByteCountMin else { return nil }
        // "*2\r\n", lowest byte first.
        let head = bytes.halfWord(at: offset)
        let count = Int(head >> 8 & 0xFF) &- 48
        guard head & 0xFFFF_00FF == 0x0A0D_002A, count > 0, count < 10 else { return nil }
        let mark = arguments.count
        var position = offset &+ 4
        for _ in 0..<count {
            guard let bulk = wholeBulk(bytes, from: position), bulk.count <= limits.bulkByteCountMax,
                bytes.count &- bulk.offset >= bulk.count &+ 2
            else {
                arguments.truncate(to: mark)
                return nil
            }
            arguments.append(bulk)
            position = bulk.offset &+ bulk.count &+ 2
        }
        return position
    }

    /// `$0\r\n\r\n`.
    private static let bulkByteCountMin = 6

    /// The word whose `$` line begins at `position`; its bytes need not be there. Nil for a line that is not plainly
    /// one.
    @inline(__always)
    private static func wholeBulk(_ bytes: Span<UInt8>, from position: Int) -> ArgumentRange? {
        guard bytes.count &- position >= bulkByteCountMin else { return nil }
        let line = bytes.halfWord(at: position)
        let first = Int(line >> 8 & 0xFF) &- 48
        guard line & 0xFF == 0x24, first >= 0, first < 10 else { return nil }
        if line >> 16 == 0x0A0D { return ArgumentRange(offset: position &+ 4, count: first) }
        let second = Int(line >> 16 & 0xFF) &- 48
        if first > 0, second >= 0, second < 10, line >> 24 == 13, bytes[position &+ 4] == 10 {
            return ArgumentRange(offset: position &+ 5, count: first &* 10 &+ second)
        }
        guard case .value(let count, let end) = countLine(bytes, from: position &+ 1), count >= 0 else { return nil }
        return ArgumentRange(offset: end, count: count)
    }

    /// Reads `*<count>`; `.incomplete` with `argumentsLeft` set means "go on with the bulks".
    @inline(__always)
    private mutating func openMultibulk(
        _ bytes: Span<UInt8>, from offset: Int, limits: Limits
    ) -> Outcome {
        let line = CommandParser.countLine(bytes, from: offset + 1)
        switch line {
        case .incomplete:
            return bytes.count - offset > CommandParser.lineByteCountMax ? .failure(.tooBigCountLine) : .incomplete
        case .malformed: return .failure(.invalidMultibulkLength)
        case .value(let count, let end):
            if count > Int(Int32.max) { return .failure(.invalidMultibulkLength) }
            if count > CommandParser.unauthenticatedArgumentsMax && !limits.isAuthenticated {
                return .failure(.unauthenticatedMultibulkLength)
            }
            if count <= 0 { return .nothing(end: end) }
            argumentsLeft = count
            position = end - offset
            bulkByteCount = -1
            return .incomplete
        }
    }

    @inline(__always)
    private mutating func multibulk(
        _ bytes: Span<UInt8>, from offset: Int, limits: Limits, into arguments: inout ArgumentRanges
    ) -> Outcome {
        let resumed = !partial.isEmpty
        let mark = arguments.count
        while argumentsLeft > 0 {
            if bulkByteCount < 0 {
                let start = offset + position
                guard start < bytes.count else { return suspend(&arguments, mark, offset) }
                var line = CountLine.incomplete
                if _fastPath(bytes[start] == UInt8(ascii: "$")) {
                    line = CommandParser.countLine(bytes, from: start + 1)
                } else if CommandParser.lineEnd(bytes, from: start) != nil {
                    // Redis looks at a line only when it has ended.
                    return .failure(.expectedDollar(bytes[start]))
                }
                switch line {
                case .incomplete:
                    if bytes.count - start > CommandParser.lineByteCountMax { return .failure(.tooBigBulkLine) }
                    return suspend(&arguments, mark, offset)
                case .malformed: return .failure(.invalidBulkLength)
                case .value(let count, let end):
                    if count < 0 || count > limits.bulkByteCountMax { return .failure(.invalidBulkLength) }
                    if count > CommandParser.unauthenticatedBulkMax && !limits.isAuthenticated {
                        return .failure(.unauthenticatedBulkLength)
                    }
                    bulkByteCount = count
                    position = end - offset
                }
            }
            let start = offset + position
            guard bytes.count - start >= bulkByteCount + 2 else { return suspend(&arguments, mark, offset) }
            if resumed {
                partial.append(ArgumentRange(offset: position, count: bulkByteCount))
            } else {
                arguments.append(ArgumentRange(offset: start, count: bulkByteCount))
            }
            position += bulkByteCount + 2
            bulkByteCount = -1
            argumentsLeft -= 1
        }
        if resumed {
            for range in partial {
                arguments.append(ArgumentRange(offset: range.offset + offset, count: range.count))
            }
            partial = []
        }
        let end = offset + position
        position = 0
        return .command(end: end)
    }

    /// Keeps the arguments read so far until more bytes arrive.
    @inline(never)
    private mutating func suspend(_ arguments: inout ArgumentRanges, _ mark: Int, _ offset: Int) -> Outcome {
        for index in mark..<arguments.count {
            let range = arguments[index]
            partial.append(ArgumentRange(offset: range.offset - offset, count: range.count))
        }
        arguments.truncate(to: mark)
        return .incomplete
    }

    private enum CountLine {
        case value(Int, end: Int)
        case incomplete
        case malformed
    }

    /// `<integer>\r\n` from `start`. Fast for the short lengths that nearly all commands have.
    @inline(__always)
    private static func countLine(_ bytes: Span<UInt8>, from start: Int) -> CountLine {
        let total = bytes.count
        var index = start
        var value = 0
        while index < total && index - start < 10 {
            let digit = unsafe bytes[unchecked: index] &- 48
            if digit > 9 { break }
            value = value * 10 + Int(digit)
            index += 1
        }
        if _fastPath(index > start && index + 1 < total && bytes[index] == 13)
            && (index - start == 1 || bytes[start] != 48)
        {
            return .value(value, end: index + 2)
        }
        return slowCountLine(bytes, from: start)
    }

    @inline(never)
    private static func slowCountLine(_ bytes: Span<UInt8>, from start: Int) -> CountLine {
        guard let end = lineEnd(bytes, from: start) else { return .incomplete }
        var value = 0
        var index = start
        let isNegative = index < end && bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        let first = index
        guard index < end, end - index < 20 else { return .malformed }
        // Negative all along, because the least number has no positive twin.
        while index < end {
            let digit = bytes[index] &- 48
            guard digit <= 9, !(bytes[first] == 48 && (isNegative || end - first > 1)) else { return .malformed }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.subtractingReportingOverflow(Int(digit))
            if overflow || carry { return .malformed }
            value = sum
            index += 1
        }
        if isNegative { return .value(value, end: end + 2) }
        return value == Int.min ? .malformed : .value(-value, end: end + 2)
    }

    /// Where the line that starts at `start` has its CR, nil until that and one byte more are there. As in Redis, a
    /// NUL hides whatever follows it: such a line never ends and is refused when it has grown too long.
    private static func lineEnd(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var end = start
        while end < bytes.count && bytes[end] != 13 && bytes[end] != 0 { end += 1 }
        return end + 1 < bytes.count && bytes[end] == 13 ? end : nil
    }

    // MARK: inline commands

    @inline(never)
    private mutating func inline(
        _ bytes: Span<UInt8>, from offset: Int, into arguments: inout ArgumentRanges
    ) -> Outcome {
        var newline = offset
        while newline < bytes.count && bytes[newline] != 10 { newline += 1 }
        guard newline < bytes.count else {
            return bytes.count - offset > CommandParser.lineByteCountMax ? .failure(.tooBigInline) : .incomplete
        }
        var lineEnd = newline
        if lineEnd > offset && bytes[lineEnd - 1] == 13 { lineEnd -= 1 }
        let mark = arguments.count
        guard splitInline(bytes, from: offset, to: lineEnd, into: &arguments) else {
            arguments.truncate(to: mark)
            return .failure(.unbalancedQuotes)
        }
        return arguments.count == mark ? .nothing(end: newline + 1) : .command(end: newline + 1)
    }

    /// Splits at blanks. A quoted word is unescaped into `unquoted`; its range is marked by a negative offset.
    private mutating func splitInline(
        _ bytes: Span<UInt8>, from offset: Int, to end: Int, into arguments: inout ArgumentRanges
    ) -> Bool {
        var index = offset
        while true {
            while index < end && CommandParser.isBlank(bytes[index]) { index += 1 }
            if index == end { return true }
            let start = index
            while index < end && !CommandParser.isBlank(bytes[index]) && bytes[index] != 34 && bytes[index] != 39 {
                index += 1
            }
            if index == end || CommandParser.isBlank(bytes[index]) {
                arguments.append(ArgumentRange(offset: start, count: index - start))
                continue
            }
            // Earlier commands of the round point into `unquoted`, so it must not move: words only shrink.
            if unquoted.isEmpty { unquoted.reserve(bytes.count) }
            let wordStart = unquoted.count
            guard let next = InlineQuotes.unquoteWord(bytes, from: start, to: end, into: &unquoted) else {
                return false
            }
            index = next
            arguments.append(ArgumentRange(offset: -1 - wordStart, count: unquoted.count - wordStart))
        }
    }

    @inline(__always)
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (byte >= 9 && byte <= 13) || byte == 0 }

    /// Forgets an open command; its bytes will be parsed again from its start.
    package mutating func reset() {
        argumentsLeft = 0
        position = 0
        bulkByteCount = -1
        partial = []
    }

    /// Forgets unquoted inline words; call when the round's commands have run.
    package mutating func endRound() {
        if unquoted.count > 0 { unquoted.removeAll(keepingCapacity: 0) }
    }
}
