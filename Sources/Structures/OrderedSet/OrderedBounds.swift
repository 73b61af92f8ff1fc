// OrderedBounds.swift - the two ends of ZRANGEBYSCORE and ZRANGEBYLEX as clients write them: `1.5`, `(1.5`, `-inf`,
// and `[a`, `(a`, `-`, `+`. Values of the command layer, made per call on any loop; they hold no element. A lex bound
// borrows the argument's bytes and therefore cannot outlive it.
internal import CLinux
internal import Base

/// One end of a score range.
package struct ScoreBound: Equatable, Sendable {
    /// The score at the bound; never NaN.
    package let value: Double
    /// True when the bound itself is left out: `(`.
    package let isExclusive: Bool

    /// A bound made by hand; `value` must not be NaN.
    package init(_ value: Double, isExclusive: Bool = false) {
        precondition(!value.isNaN, "a score bound is a number")
        self.value = value
        self.isExclusive = isExclusive
    }

    /// Reads a bound as Redis does, through strtod: spaces in front, hex floats and "infinity" count, and the text
    /// ends at a zero byte. Nil when it is no number, or NaN: the command answers "min or max is not a float".
    package init?(parsing text: Span<UInt8>) {
        let isExclusive = text.count > 0 && text[0] == UInt8(ascii: "(")
        guard let value = ScoreBound.number(isExclusive ? text.extracting(1..<text.count) : text) else { return nil }
        self.init(value, isExclusive: isExclusive)
    }

    private static func number(_ text: Span<UInt8>) -> Double? {
        var count = 0
        while count < text.count && text[count] != 0 { count += 1 }
        return DoubleText.parseRangeBound(text.extracting(0..<count))
    }

    /// The cut in front of the range that starts here.
    var cutAsMinimum: OrderedCut { OrderedCut(score: value, after: isExclusive) }
    /// The cut behind the range that ends here.
    var cutAsMaximum: OrderedCut { OrderedCut(score: value, after: !isExclusive) }

    /// For small sets that are not trees: does `score` satisfy this bound as a range's minimum?
    @inline(__always)
    package func admitsAsMinimum(_ score: Double) -> Bool { isExclusive ? score > value : score >= value }

    /// The same for a range's maximum.
    @inline(__always)
    package func admitsAsMaximum(_ score: Double) -> Bool { isExclusive ? score < value : score <= value }
}

/// One end of a lexicographic range.
package struct LexBound: ~Escapable {
    /// What a bound says.
    package enum Kind: Equatable, Sendable {
        /// `-`: in front of every member.
        case minimum
        /// `+`: behind every member.
        case maximum
        /// `[member`
        case inclusive
        /// `(member`
        case exclusive
    }

    /// What this bound says.
    package let kind: Kind
    /// The member at the bound; empty for `-` and `+`.
    package let member: Span<UInt8>

    /// Reads a bound as Redis does. Nil: "min or max not valid string range item".
    @_lifetime(copy text)
    package init?(parsing text: Span<UInt8>) {
        guard text.count > 0 else { return nil }
        // A zero byte ends `-` and `+`, as it does in Redis.
        let isSingle = text.count == 1 || text[1] == 0
        switch text[0] {
        case UInt8(ascii: "-") where isSingle: kind = .minimum
        case UInt8(ascii: "+") where isSingle: kind = .maximum
        case UInt8(ascii: "["): kind = .inclusive
        case UInt8(ascii: "("): kind = .exclusive
        default: return nil
        }
        member = text.extracting(1..<text.count)
    }

    /// A bound made by hand.
    @_lifetime(copy member)
    package init(_ kind: Kind, member: Span<UInt8>) {
        self.kind = kind
        self.member = member
    }

    /// For small sets that are not trees: does `other` satisfy this bound as a range's minimum?
    package func admitsAsMinimum(_ other: Span<UInt8>) -> Bool {
        switch kind {
        case .minimum: true
        case .maximum: false
        case .inclusive: LexBound.order(other, member) >= 0
        case .exclusive: LexBound.order(other, member) > 0
        }
    }

    /// The same for a range's maximum.
    package func admitsAsMaximum(_ other: Span<UInt8>) -> Bool {
        switch kind {
        case .minimum: false
        case .maximum: true
        case .inclusive: LexBound.order(other, member) <= 0
        case .exclusive: LexBound.order(other, member) < 0
        }
    }

    /// memcmp, then length.
    package static func order(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
        let common = min(left.count, right.count)
        let order = unsafe left.withUnsafeBufferPointer { first in
            unsafe right.withUnsafeBufferPointer { second in
                guard common > 0, let one = first.baseAddress, let two = second.baseAddress else {
                    return 0
                }
                return unsafe Int(memcmp(one, two, common))
            }
        }
        return order != 0 ? order : left.count - right.count
    }
}
