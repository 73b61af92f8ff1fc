// LongDoubleText.swift - the extended-precision numbers of INCRBYFLOAT, HINCRBYFLOAT and geo positions: read like
// strtold, written like "%.17Lf" without trailing zeros. On x86-64 this is the 80-bit type; elsewhere C's long double
// has no Swift type and Double stands in. Pure, any thread; only magnitudes from 2^63 on go through the C library.
internal import CLinux

#if arch(x86_64) || arch(i386)
/// C's long double.
package typealias LongDouble = Float80
#else
/// Stands in for C's long double.
package typealias LongDouble = Double
#endif

package enum LongDoubleText {
    /// Texts of this many bytes or more are refused unread, as Redis does; the longest output fits as well.
    private static let textByteCountMax = 5 * 1024
    /// 5^27 is the largest power of five within 64 bits, so up to 10^27 powers of ten are exact; 10^22 for a double.
    private static let exactPowerMax = LongDouble.significandBitCount >= 63 ? 27 : 22
    /// Decimals written behind the point.
    private static let fractionDigitCount = 17
    private static let fractionScale: UInt64 = 100_000_000_000_000_000

    /// The number that `bytes` spells as a whole, or nil. Infinity is a number here; refusing it is the caller's.
    package static func parse(_ bytes: Span<UInt8>) -> LongDouble? {
        if let value = parseSimple(bytes) { return value }
        guard let first = bytes.firstByte, !DoubleText.isSpace(first), bytes.count < textByteCountMax else {
            return nil
        }
        let result = unsafe TerminatedCopy.with(bytes) { text -> (value: LongDouble, error: Int32)? in
            var end: UnsafeMutablePointer<CChar>?
            var error: Int32 = 0
            #if arch(x86_64) || arch(i386)
            let value = unsafe fog_strtold(text, &end, &error)
            #else
            let value = unsafe fog_strtod(text, &end, &error)
            #endif
            guard unsafe end == UnsafeMutablePointer(mutating: text) + bytes.count else { return nil }
            return (value, error)
        }
        guard let result, !result.value.isNaN else { return nil }
        if result.error == ERANGE && (result.value.isInfinite || result.value.isZero) { return nil }
        return result.value
    }

    /// Digits and point whose value needs one correctly rounded division; nil means "ask the library".
    private static func parseSimple(_ bytes: Span<UInt8>) -> LongDouble? {
        guard let scanned = SimpleDecimal(bytes), scanned.fractionDigitCount <= exactPowerMax,
            LongDouble.significandBitCount >= 63 || scanned.significand <= 1 << 53
        else { return nil }
        var power: LongDouble = 1
        for _ in 0..<scanned.fractionDigitCount { power *= 10 }
        let magnitude = LongDouble(scanned.significand) / power
        return scanned.isNegative ? -magnitude : magnitude
    }

    /// Appends `value` in full with at most 17 decimals, trailing zeros cut: "3", "0.1", "-2.5", never "-0".
    package static func append(_ value: LongDouble, to buffer: inout ByteBuffer) {
        if value.isNaN { return buffer.append("nan") }
        if value.isInfinite { return value < 0 ? buffer.append("-inf") : buffer.append("inf") }
        guard value.magnitude < 0x1p63 else { return appendLarge(value, to: &buffer) }
        var (whole, decimals) = split(value)
        if decimals == fractionScale {
            decimals = 0
            whole += 1
        }
        if value < 0 && (whole != 0 || decimals != 0) { buffer.append(UInt8(ascii: "-")) }
        buffer.append(decimal: Int(whole))
        guard decimals != 0 else { return }
        var digitCount = fractionDigitCount
        if decimals % 100_000_000 == 0 {
            decimals /= 100_000_000
            digitCount -= 8
        }
        while decimals % 10 == 0 {
            decimals /= 10
            digitCount -= 1
        }
        buffer.append(UInt8(ascii: "."))
        DoubleText.appendPadded(decimals, digitCount: digitCount, to: &buffer)
    }

    /// The integral part of the magnitude, below 2^63, and its fraction x 10^17 as printf rounds it: exactly, half to
    /// even. Works on the bits, because the processor's extended arithmetic is slow.
    private static func split(_ value: LongDouble) -> (whole: UInt64, decimals: UInt64) {
        let bias = Int(LongDouble.greatestFiniteMagnitude.exponent)
        let rawExponent = Int(value.exponentBitPattern)
        // Zero and numbers so small that they have no leading one vanish within 17 decimals.
        guard rawExponent != 0 else { return (0, 0) }
        // magnitude = significand / 2^shift with all 64 bits used; shift is 1 or more below 2^63.
        let significand = 1 << 63 | UInt64(value.significandBitPattern) << UInt64(63 - LongDouble.significandBitCount)
        let shift = 63 - (rawExponent - bias)
        let whole = shift < 64 ? significand >> UInt64(shift) : 0
        let fraction = shift < 64 ? significand & (1 << UInt64(shift) - 1) : significand
        // The product has at most 121 bits; from a shift of 127 on it is less than half of the last decimal.
        guard fraction != 0, shift < 127 else { return (whole, 0) }
        let product = fraction.multipliedFullWidth(by: fractionScale)
        let exact = UInt128(product.high) << 64 | UInt128(product.low)
        let quotient = UInt64(truncatingIfNeeded: exact >> UInt128(shift))
        let rest = exact & (1 << UInt128(shift) - 1)
        let half: UInt128 = 1 << UInt128(shift - 1)
        let roundsUp = rest > half || (rest == half && quotient & 1 == 1)
        return (whole, quotient + (roundsUp ? 1 : 0))
    }

    /// From 2^63 on there are no decimals, only up to 4933 digits before the point.
    private static func appendLarge(_ value: LongDouble, to buffer: inout ByteBuffer) {
        buffer.reserve(textByteCountMax)
        #if arch(x86_64) || arch(i386)
        let written = unsafe fog_format_long_double(buffer.pointer + buffer.count, textByteCountMax, value)
        #else
        let written = unsafe fog_format_double(buffer.pointer + buffer.count, textByteCountMax, value)
        #endif
        precondition(written > 0 && Int(written) < textByteCountMax, "a long double exceeds its longest text")
        buffer.commit(Int(written))
    }
}
