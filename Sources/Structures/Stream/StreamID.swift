// StreamID.swift - the identifier of a stream entry: milliseconds and a sequence number, ordered as one 128-bit number,
// with its text form. A plain value, any thread. Reading follows stock servers, which fall back to strtoull: spaces in
// front, plus signs and leading zeros count. Never trust one to be larger than another without comparing.
package import Base

/// An entry's identifier.
package struct StreamID: Comparable, Hashable, Sendable, BitwiseCopyable {
    /// Usually Unix time.
    package var milliseconds: UInt64
    /// Counts entries of the same millisecond.
    package var sequence: UInt64

    /// An identifier from its parts.
    @inline(__always)
    package init(_ milliseconds: UInt64, _ sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    /// 0-0, below every entry.
    package static let zero = StreamID(0, 0)
    /// The highest identifier.
    package static let max = StreamID(.max, .max)

    /// By time, then sequence.
    @inline(__always)
    package static func < (left: StreamID, right: StreamID) -> Bool {
        left.milliseconds != right.milliseconds
            ? left.milliseconds < right.milliseconds : left.sequence < right.sequence
    }

    /// The identifier above this one; nil when there is none.
    package var next: StreamID? {
        if sequence < .max { return StreamID(milliseconds, sequence + 1) }
        return milliseconds < .max ? StreamID(milliseconds + 1, 0) : nil
    }

    /// The identifier below this one; nil when there is none.
    package var previous: StreamID? {
        if sequence > 0 { return StreamID(milliseconds, sequence - 1) }
        return milliseconds > 0 ? StreamID(milliseconds - 1, .max) : nil
    }

    /// The identifier an entry gets at `nowMilliseconds` behind `last` (XADD with `*`): time never goes back. Nil when
    /// the sequence of the last millisecond is used up.
    package static func generated(after last: StreamID, nowMilliseconds: UInt64) -> StreamID? {
        nowMilliseconds > last.milliseconds ? StreamID(nowMilliseconds, 0) : last.next
    }

    // MARK: Text

    /// Longer texts are never identifiers, whatever they say.
    private static let textByteCountMax = 127

    /// What an identifier argument of XADD asks for.
    package enum Request: Equatable, Sendable {
        /// `1526919030474-55`
        case exact(StreamID)
        /// `1526919030474-*`: the next free sequence of that millisecond.
        case anySequence(milliseconds: UInt64)
    }

    /// Reads `ms-seq` or `ms`, which then means `missingSequence`. Nil: "Invalid stream ID specified as stream command
    /// argument". `-` and `+` are the caller's business; see `init(parsingBound:)`.
    package init?(parsing text: Span<UInt8>, missingSequence: UInt64) {
        let request = StreamID.request(text, missingSequence, allowsAnySequence: false)
        guard case .exact(let id) = request else { return nil }
        self = id
    }

    /// As `init(parsing:missingSequence:)`, and `-` and `+` for the lowest and highest identifier.
    package init?(parsingBound text: Span<UInt8>, missingSequence: UInt64) {
        if text.count == 1 && text[0] == UInt8(ascii: "-") {
            self = .zero
        } else if text.count == 1 && text[0] == UInt8(ascii: "+") {
            self = .max
        } else {
            self.init(parsing: text, missingSequence: missingSequence)
        }
    }

    /// Reads XADD's argument, `*` alone excepted.
    package static func request(parsing text: Span<UInt8>) -> Request? {
        request(text, 0, allowsAnySequence: true)
    }

    private static func request(_ text: Span<UInt8>, _ missingSequence: UInt64, allowsAnySequence: Bool) -> Request? {
        guard text.count <= textByteCountMax else { return nil }
        var dash = 0
        while dash < text.count && text[dash] != UInt8(ascii: "-") { dash += 1 }
        guard let milliseconds = IntegerText.parseUnsignedLenient(text.extracting(0..<dash)) else { return nil }
        guard dash < text.count else { return .exact(StreamID(milliseconds, missingSequence)) }
        let rest = text.extracting((dash + 1)..<text.count)
        if allowsAnySequence && rest.count == 1 && rest[0] == UInt8(ascii: "*") {
            return .anySequence(milliseconds: milliseconds)
        }
        guard let sequence = IntegerText.parseUnsignedLenient(rest) else { return nil }
        return .exact(StreamID(milliseconds, sequence))
    }

    /// Appends `ms-seq`.
    package func append(to buffer: inout ByteBuffer) {
        StreamID.append(milliseconds, to: &buffer)
        buffer.append(UInt8(ascii: "-"))
        StreamID.append(sequence, to: &buffer)
    }

    /// Bytes of the text.
    package var textByteCount: Int {
        IntegerText.byteCount(ofMagnitude: milliseconds) + 1 + IntegerText.byteCount(ofMagnitude: sequence)
    }

    private static func append(_ value: UInt64, to buffer: inout ByteBuffer) {
        if value <= UInt64(Int.max) {
            buffer.append(decimal: Int(value))
        } else {
            buffer.append(decimal: Int(value / 10))
            buffer.append(UInt8(ascii: "0") + UInt8(value % 10))
        }
    }
}
