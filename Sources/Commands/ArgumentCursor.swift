// ArgumentCursor.swift - the one way commands read words, numbers, expiries and timeouts. `Options` walks the words
// behind the fixed arguments; `call.integer(2)` and its like read one fixed argument. All of it reads spans in place,
// allocates nothing and throws exactly what Redis answers. Engine's turn; never keeps a span beyond the handler.
package import Base
package import Engine
package import RESP

/// How a command's argument says when a key dies.
package enum ExpiryUnit {
    case seconds
    case milliseconds
    case unixSeconds
    case unixMilliseconds

    private var isRelative: Bool { self == .seconds || self == .milliseconds }
    private var scale: Int64 { self == .seconds || self == .unixSeconds ? 1000 : 1 }

    /// Milliseconds since the epoch, for commands that take only positive numbers (SET, GETEX, HSETEX and their like).
    /// `invalid` is thrown for zero, negative and overflowing times. An absolute time may lie in the past.
    package func positiveTime(_ text: Span<UInt8>, now: Int64, invalid: StaticString) throws(CommandError) -> Int64 {
        let value = try ArgumentNumber.integer(text)
        guard value > 0 else { throw .message(invalid) }
        return try time(Int64(value), now: now, invalid: invalid)
    }

    /// Milliseconds since the epoch of `value`, which may be negative (EXPIRE); overflow throws `invalid`.
    package func time(_ value: Int64, now: Int64, invalid: StaticString) throws(CommandError) -> Int64 {
        let (scaled, overflow) = value.multipliedReportingOverflow(by: scale)
        if overflow { throw .message(invalid) }
        guard isRelative else { return scaled }
        let (sum, carry) = scaled.addingReportingOverflow(now)
        if carry { throw .message(invalid) }
        return sum
    }
}

/// One argument as a number.
package enum ArgumentNumber {
    @inline(__always)
    package static func integer(_ text: Span<UInt8>) throws(CommandError) -> Int {
        guard let value = IntegerText.parse(text) else { throw .notInteger }
        return Int(value)
    }

    /// An integer within `range`; one outside of it throws `otherwise` and no integer at all `.notInteger`.
    package static func integer(
        _ text: Span<UInt8>, in range: ClosedRange<Int>, otherwise: CommandError
    ) throws(CommandError) -> Int {
        let value = try integer(text)
        guard range.contains(value) else { throw otherwise }
        return value
    }

    package static func unsigned(_ text: Span<UInt8>) throws(CommandError) -> UInt64 {
        guard let value = IntegerText.parseUnsigned(text) else { throw .notInteger }
        return value
    }

    package static func double(_ text: Span<UInt8>) throws(CommandError) -> Double {
        guard let value = DoubleText.parse(text) else { throw .notFloat }
        return value
    }

    package static func longDouble(_ text: Span<UInt8>) throws(CommandError) -> LongDouble {
        guard let value = LongDoubleText.parse(text) else { throw .notFloat }
        return value
    }

    /// How long a blocking command waits, given in seconds with decimals: milliseconds rounded up, 0 without end.
    package static func timeoutSeconds(_ text: Span<UInt8>, now: Int64) throws(CommandError) -> Int64 {
        guard let seconds = LongDoubleText.parse(text) else {
            throw .message("ERR timeout is not a float or out of range")
        }
        let milliseconds = seconds * 1000
        guard milliseconds < 0x1p63 else { throw .message("ERR timeout is out of range") }
        guard milliseconds > -0x1p63 else { throw .message("ERR timeout is negative") }
        return try timeout(Int64(milliseconds.rounded(.up)), now: now)
    }

    /// How long a command waits, given in whole milliseconds (WAIT): 0 without end.
    package static func timeoutMilliseconds(_ text: Span<UInt8>, now: Int64) throws(CommandError) -> Int64 {
        guard let value = IntegerText.parse(text) else {
            throw .message("ERR timeout is not an integer or out of range")
        }
        return try timeout(value, now: now)
    }

    private static func timeout(_ milliseconds: Int64, now: Int64) throws(CommandError) -> Int64 {
        if milliseconds < 0 { throw .message("ERR timeout is negative") }
        if milliseconds > Int64.max - now { throw .message("ERR timeout is out of range") }
        return milliseconds
    }
}

/// Walks the words of a command from `start` to its end.
package struct Options: ~Escapable {
    private let arguments: Arguments
    /// The next word's argument index.
    package private(set) var index: Int
    /// The index behind the last word.
    package let end: Int

    @_lifetime(copy arguments)
    package init(_ arguments: Arguments, from start: Int) {
        self.arguments = arguments
        index = min(start, arguments.count)
        end = arguments.count
    }

    package var isAtEnd: Bool { index >= end }

    /// Words not read yet.
    package var remaining: Int { end - index }

    // MARK: words

    /// Takes the next word when it is `word` in any case and at least `values` more words follow it.
    package mutating func take(_ word: StaticString, values: Int = 0) -> Bool {
        guard end - index > values, arguments[index].equalsIgnoringCase(word) else { return false }
        index += 1
        return true
    }

    /// Whether the next word is `word`, without taking it.
    package func isNext(_ word: StaticString) -> Bool {
        index < end && arguments[index].equalsIgnoringCase(word)
    }

    /// Takes any next word; a syntax error when there is none.
    @_lifetime(copy self)
    package mutating func next() throws(CommandError) -> Span<UInt8> {
        guard index < end else { throw .syntax }
        index += 1
        return arguments[index - 1]
    }

    /// Takes any next word and answers its argument index, for keys; a syntax error when there is none.
    package mutating func nextIndex() throws(CommandError) -> Int {
        guard index < end else { throw .syntax }
        index += 1
        return index - 1
    }

    /// Leaves out `count` words; a syntax error when there are fewer.
    package mutating func skip(_ count: Int) throws(CommandError) {
        guard count >= 0, count <= remaining else { throw .syntax }
        index += count
    }

    /// A syntax error when words are left.
    package func finish() throws(CommandError) {
        guard isAtEnd else { throw .syntax }
    }

    // MARK: numbers

    package mutating func integer() throws(CommandError) -> Int { try ArgumentNumber.integer(next()) }

    package mutating func integer(in range: ClosedRange<Int>, otherwise: CommandError) throws(CommandError) -> Int {
        try ArgumentNumber.integer(next(), in: range, otherwise: otherwise)
    }

    /// An integer from 0 on; a negative one is "out of range, must be positive".
    package mutating func nonnegative() throws(CommandError) -> Int {
        try integer(in: 0...Int.max, otherwise: .negativeValue)
    }

    package mutating func unsigned() throws(CommandError) -> UInt64 { try ArgumentNumber.unsigned(next()) }

    package mutating func double() throws(CommandError) -> Double { try ArgumentNumber.double(next()) }

    /// Takes `EX`, `PX`, `EXAT` or `PXAT` when one stands next with its value behind it; the value is next then.
    package mutating func expiryUnit() -> ExpiryUnit? {
        if take("EX", values: 1) { return .seconds }
        if take("PX", values: 1) { return .milliseconds }
        if take("EXAT", values: 1) { return .unixSeconds }
        if take("PXAT", values: 1) { return .unixMilliseconds }
        return nil
    }
}

extension Call {
    /// The words from argument `start` on.
    @_lifetime(copy self)
    package func options(from start: Int) -> Options { Options(arguments, from: start) }

    package func integer(_ index: Int) throws(CommandError) -> Int { try ArgumentNumber.integer(arguments[index]) }

    package func integer(
        _ index: Int, in range: ClosedRange<Int>, otherwise: CommandError
    ) throws(CommandError) -> Int {
        try ArgumentNumber.integer(arguments[index], in: range, otherwise: otherwise)
    }

    package func nonnegative(_ index: Int) throws(CommandError) -> Int {
        try ArgumentNumber.integer(arguments[index], in: 0...Int.max, otherwise: .negativeValue)
    }

    package func unsigned(_ index: Int) throws(CommandError) -> UInt64 { try ArgumentNumber.unsigned(arguments[index]) }

    package func double(_ index: Int) throws(CommandError) -> Double { try ArgumentNumber.double(arguments[index]) }

    /// A blocking command's timeout in seconds: milliseconds, 0 without end.
    package func timeoutSeconds(_ index: Int) throws(CommandError) -> Int64 {
        try ArgumentNumber.timeoutSeconds(arguments[index], now: now)
    }

    package func timeoutMilliseconds(_ index: Int) throws(CommandError) -> Int64 {
        try ArgumentNumber.timeoutMilliseconds(arguments[index], now: now)
    }
}
