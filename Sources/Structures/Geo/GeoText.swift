// GeoText.swift - geo numbers as replies print them: distances with four digits behind the point, coordinates with up
// to seventeen and no trailing zeros, both rounded as C's printf rounds (the exact binary value, ties to even). Pure,
// engine's turn; no allocation, no locale, a few nanoseconds.
package import Base

/// Number formats of the geo commands.
package enum GeoText {
    /// `166274.1516`: GEODIST and WITHDIST.
    package static func appendDistance(_ value: Double, to buffer: inout ByteBuffer) {
        // Redis scales in double precision and converts; what does not fit becomes the lowest integer.
        let scaled = Int64(exactly: (value * 10000).rounded(.toNearestOrEven)) ?? Int64.min
        if scaled < 0 { buffer.append(UInt8(ascii: "-")) }
        let magnitude = scaled.magnitude
        buffer.append(decimal: Int(magnitude / 10000))
        appendFraction(UInt64(magnitude % 10000), digits: 4, to: &buffer)
    }

    /// `13.36138933897018433`: GEOPOS and WITHCOORD. `value` lies within ±180.
    package static func appendCoordinate(_ value: Double, to buffer: inout ByteBuffer) {
        precondition(value.magnitude <= 1000, "a coordinate is a number of degrees")
        let (whole, units) = split(value.magnitude)
        var fraction = units
        // A value that rounds to nothing loses its sign.
        if value < 0 && (whole != 0 || fraction != 0) { buffer.append(UInt8(ascii: "-")) }
        buffer.append(decimal: Int(whole))
        guard fraction != 0 else { return }
        var digits = 17
        while fraction % 10 == 0 {
            fraction /= 10
            digits -= 1
        }
        appendFraction(fraction, digits: digits, to: &buffer)
    }

    /// Whole part, and the fraction in units of 10^-17, rounded half to even.
    private static func split(_ magnitude: Double) -> (whole: UInt64, fraction: UInt64) {
        let unit: UInt64 = 100_000_000_000_000_000
        let whole = UInt64(magnitude)
        let rest = magnitude - Double(whole)
        guard rest > 0 else { return (whole, 0) }
        // rest is exactly significand * 2^exponent with a 53-bit significand; times 10^17 it fits in 110 bits.
        let significand = UInt64(rest.significandBitPattern) | (rest.isNormal ? 1 << 52 : 0)
        let shift = 52 - Int(max(rest.exponent, -1022))
        guard shift < 120 else { return (whole, 0) }
        let product = UInt128(significand) * UInt128(unit)
        var quotient = product >> UInt128(shift)
        let remainder = product - (quotient << UInt128(shift))
        let half = UInt128(1) << UInt128(shift - 1)
        if remainder > half || (remainder == half && quotient & 1 == 1) { quotient += 1 }
        let fraction = UInt64(quotient)
        return fraction == unit ? (whole + 1, 0) : (whole, fraction)
    }

    private static func appendFraction(_ fraction: UInt64, digits: Int, to buffer: inout ByteBuffer) {
        buffer.append(UInt8(ascii: "."))
        var divisor: UInt64 = 1
        for _ in 1..<digits { divisor *= 10 }
        var rest = fraction
        while divisor > 0 {
            buffer.append(UInt8(ascii: "0") + UInt8(rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }
}
