// Money.swift - prices as decimal fixed point: millionths in 64 bits, so that what a client writes is what it reads and
// sums are exact; no binary fraction ever touches an amount. Scores and speeds use the same numbers. Every operation is
// checked or saturates. Pure; any thread.
package import Base

package struct Money: Comparable, Hashable, Sendable {
    package let millionths: Int64

    package init(millionths: Int64) { self.millionths = millionths }

    package static let one: Int64 = 1_000_000
    /// Decimals that can be told apart; a text with more of them (other than zeros) is refused, not rounded.
    private static let decimalCount = 6
    /// Amounts from a client are at most this, so that sums over all records fit 128 bits with room to spare.
    package static let maximum = Money(millionths: 1_000_000_000_000 * one)

    package static func < (left: Money, right: Money) -> Bool { left.millionths < right.millionths }

    /// An amount of zero or more as a client writes it: "0.15", "3", "1000.5"; nil for anything else.
    package init?(_ text: Span<UInt8>) {
        var whole: Int64 = 0
        var fraction: Int64 = 0
        var index = 0
        while index < text.count, text[index] != UInt8(ascii: ".") {
            let digit = text[index] &- 48
            guard digit <= 9, whole <= Money.maximum.millionths / Money.one else { return nil }
            whole = whole * 10 + Int64(digit)
            index += 1
        }
        guard index > 0 else { return nil }
        var decimals = 0
        if index < text.count {
            index += 1
            guard index < text.count else { return nil }
            while index < text.count {
                let digit = text[index] &- 48
                guard digit <= 9 else { return nil }
                if decimals < Money.decimalCount {
                    fraction = fraction * 10 + Int64(digit)
                    decimals += 1
                } else if digit != 0 {
                    return nil
                }
                index += 1
            }
        }
        while decimals < Money.decimalCount {
            fraction *= 10
            decimals += 1
        }
        guard whole <= Money.maximum.millionths / Money.one else { return nil }
        let (sum, overflow) = (whole * Money.one).addingReportingOverflow(fraction)
        guard !overflow, sum <= Money.maximum.millionths else { return nil }
        millionths = sum
    }

    /// The shortest text: no zeros at the end, no point without decimals.
    package func append(to output: inout ByteBuffer) {
        let magnitude = millionths.magnitude
        if millionths < 0 { output.append(UInt8(ascii: "-")) }
        output.append(decimal: Int(magnitude / UInt64(Money.one)))
        var fraction = magnitude % UInt64(Money.one)
        guard fraction != 0 else { return }
        output.append(UInt8(ascii: "."))
        var unit = UInt64(Money.one) / 10
        while fraction != 0 {
            output.append(UInt8(truncatingIfNeeded: 48 + fraction / unit))
            fraction %= unit
            unit /= 10
        }
    }

    package var text: [UInt8] {
        var output = ByteBuffer()
        append(to: &output)
        return output.span.array
    }

    /// This amount times `numerator / denominator`, rounded to the nearest millionth, halves up; never above `maximum`.
    package func times(_ numerator: Int128, over denominator: Int128) -> Money {
        guard denominator > 0 else { return self }
        let (product, overflow) = Int128(millionths).multipliedReportingOverflow(by: numerator)
        if overflow { return Money.maximum }
        let rounded = (product + denominator / 2) / denominator
        return Money(millionths: Int64(clamping: min(rounded, Int128(Money.maximum.millionths))))
    }

    /// The mean of `count` amounts whose millionths add up to `sum`.
    package static func mean(_ sum: Int128, count: Int) -> Money {
        guard count > 0 else { return Money(millionths: 0) }
        return Money(millionths: Int64(clamping: (sum + Int128(count) / 2) / Int128(count)))
    }
}

/// How a market's price follows its demand: base x (1 + elasticity x used / total), at most base x `ceiling`.
package struct PriceRule: Equatable, Sendable {
    /// Both in millionths. Elasticity 0 switches the rule off.
    package let elasticity: Int64
    package let ceiling: Int64

    package init(elasticity: Int64, ceiling: Int64) {
        self.elasticity = elasticity
        self.ceiling = ceiling
    }

    package static let off = PriceRule(elasticity: 0, ceiling: Int64.max)

    /// The factor in millionths, rounded to the nearest.
    package func factor(used: Int, total: Int) -> Int64 {
        guard total > 0, used > 0, elasticity > 0 else { return Money.one }
        let one = Int128(Money.one)
        let rise = (Int128(elasticity) * Int128(used) + Int128(total) / 2) / Int128(total)
        return Int64(clamping: max(one, min(one + rise, Int128(ceiling))))
    }

    package func price(_ base: Money, used: Int, total: Int) -> Money {
        guard total > 0, used > 0, elasticity > 0 else { return base }
        let one = Int128(Money.one)
        let numerator = one * Int128(total) + Int128(elasticity) * Int128(used)
        let denominator = one * Int128(total)
        if numerator > Int128(ceiling) * Int128(total) {
            return base.times(max(one, Int128(ceiling)), over: one)
        }
        return base.times(numerator, over: denominator)
    }
}
