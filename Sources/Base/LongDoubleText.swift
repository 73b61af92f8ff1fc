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
    /// Decimals written behind the point.
    private static let fractionDigitCount = 17
    private static let fractionScale: UInt64 = 100_000_000_000_000_000

    /// The number that `bytes` spells as a whole, or nil. Infinity is a number here; refusing it is the caller's.
    package static func parse(_ bytes: Span<UInt8>) -> LongDouble? {
        if let integer = IntegerText.parse(bytes) { return LongDouble(integer) }
        guard let first = bytes.firstByte, bytes.count < textByteCountMax, !DoubleText.isSpace(first) else { return nil }
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

    /// Appends `value` in full with at most 17 decimals, trailing zeros cut: "3", "0.1", "-2.5", never "-0".
    package static func append(_ value: LongDouble, to buffer: inout ByteBuffer) {
        if value.isNaN { return buffer.append("nan") }
        if value.isInfinite { return buffer.append(value < 0 ? "-inf" : "inf") }
        guard value.magnitude < 0x1p63 else { return appendLarge(value, to: &buffer) }
        let integral = value.magnitude.rounded(.towardZero)
        var whole = UInt64(integral)
        var decimals = scaledFraction(value.magnitude - integral)
        if decimals == fractionScale {
            decimals = 0
            whole += 1
        }
        if value < 0 && (whole != 0 || decimals != 0) { buffer.append(UInt8(ascii: "-")) }
        DoubleText.appendPadded(whole, digitCount: IntegerText.byteCount(ofMagnitude: whole), to: &buffer)
        guard decimals != 0 else { return }
        var digitCount = fractionDigitCount
        while decimals % 10 == 0 {
            decimals /= 10
            digitCount -= 1
        }
        buffer.append(UInt8(ascii: "."))
        DoubleText.appendPadded(decimals, digitCount: digitCount, to: &buffer)
    }

    /// `fraction` x 10^17 as printf rounds it: exactly, half to even. `fraction` is in 0..<1.
    private static func scaledFraction(_ fraction: LongDouble) -> UInt64 {
        guard fraction > 0 else { return 0 }
        // fraction = significand / 2^shift, with a 64-bit significand: the product is exact in 128 bits.
        let shift = 63 - Int(fraction.exponent)
        let significand = UInt64(fraction.significand * 0x1p63)
        let product = UInt128(significand) * UInt128(fractionScale)
        // A fraction below 2^-63 is less than half of the last decimal.
        guard shift < 127 else { return 0 }
        let quotient = product >> UInt128(shift)
        let rest = product & ((1 << UInt128(shift)) - 1)
        let half: UInt128 = 1 << UInt128(shift - 1)
        let roundsUp = rest > half || (rest == half && quotient & 1 == 1)
        return UInt64(truncatingIfNeeded: quotient) + (roundsUp ? 1 : 0)
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
