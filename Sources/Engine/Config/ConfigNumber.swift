// ConfigNumber.swift - numbers in configuration text, read and printed exactly as C's strtoll, strtod, "%f" and Redis'
// own readers do it, overflow habits included: a configuration that loads there must mean the same here.
// Pure functions; no input may trap, so all arithmetic wraps, saturates or reports on purpose.

package enum ConfigNumber {
    /// A plain decimal integer: no blanks, no plus sign, no leading zeros, the whole text used, in range.
    static func integer(_ bytes: [UInt8]) -> Int64? {
        guard !bytes.isEmpty, bytes.count < 21 else { return nil }
        if bytes == [48] { return 0 }
        let isNegative = bytes[0] == UInt8(ascii: "-")
        let digits = isNegative ? bytes.dropFirst() : bytes[...]
        guard let first = digits.first, first >= 49, first <= 57 else { return nil }
        var value: Int64 = 0
        for byte in digits {
            guard ConfigText.isDigit(byte) else { return nil }
            let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let digit = Int64(byte - 48)
            let (sum, overflow) =
                isNegative
                ? tens.subtractingReportingOverflow(digit)
                : tens.addingReportingOverflow(digit)
            if tooLarge || overflow { return nil }
            value = sum
        }
        return value
    }

    /// A byte count with an optional unit (b, k, kb, m, mb, g, gb). Digits beyond 64 bits saturate (or are refused)
    /// and the unit multiplies with wrap-around, because that is what a stock server stores.
    package static func memory(_ text: [UInt8], saturates: Bool = true) -> UInt64? {
        let bytes = ConfigText.beforeNul(text)
        let digits = bytes.prefix { ConfigText.isDigit($0) }
        guard digits.count < 128, let factor = unitFactor(Array(bytes[digits.endIndex...])) else { return nil }
        guard let magnitude = magnitude(digits) else { return saturates ? UInt64.max &* factor : nil }
        return magnitude &* factor
    }

    private static func unitFactor(_ unit: [UInt8]) -> UInt64? {
        switch ConfigText.string(ConfigText.lowercased(unit)) {
        case "", "b": 1
        case "k": 1000
        case "kb": 1 << 10
        case "m": 1_000_000
        case "mb": 1 << 20
        case "g": 1_000_000_000
        case "gb": 1 << 30
        default: nil
        }
    }

    private static func magnitude(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for byte in digits {
            let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = tens.addingReportingOverflow(UInt64(byte &- 48))
            if tooLarge || overflow { return nil }
            value = sum
        }
        return value
    }

    /// strtoll over the whole text: leading blanks and a sign are fine, too large saturates, nothing at all is 0.
    /// nil when something follows the digits.
    static func saturating(_ text: [UInt8], radix: Int64 = 10) -> (value: Int64, isExact: Bool)? {
        let bytes = ConfigText.beforeNul(text)
        if bytes.isEmpty { return (0, true) }
        var rest = bytes.drop { ConfigText.isBlank($0) }
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        guard !rest.isEmpty else { return nil }
        var value: Int64 = 0
        var isExact = true
        for byte in rest {
            guard ConfigText.isDigit(byte), Int64(byte - 48) < radix else { return nil }
            let (scaled, tooLarge) = value.multipliedReportingOverflow(by: radix)
            let digit = Int64(byte - 48)
            let (sum, overflow) =
                isNegative
                ? scaled.subtractingReportingOverflow(digit)
                : scaled.addingReportingOverflow(digit)
            if tooLarge || overflow { isExact = false }
            if isExact { value = sum }
        }
        return (isExact ? value : (isNegative ? .min : .max), isExact)
    }

    /// strtod over the whole text, refusing leading blanks, NaN and what does not fit.
    static func real(_ bytes: [UInt8]) -> Double? {
        guard let first = bytes.first, !ConfigText.isBlank(first), !bytes.contains(0) else { return nil }
        guard let value = Double(ConfigText.string(bytes)), !value.isNaN else { return nil }
        let isSpelledInfinite = bytes.contains { ConfigText.lowercased($0) == UInt8(ascii: "i") }
        if value.isInfinite && !isSpelledInfinite { return nil }
        if value == 0 && hasNonzeroMantissa(bytes) { return nil }
        return value
    }

    /// A zero result from digits that are not all zero is an underflow.
    private static func hasNonzeroMantissa(_ bytes: [UInt8]) -> Bool {
        let lower = ConfigText.lowercased(bytes)
        let isHexadecimal = lower.contains(UInt8(ascii: "x"))
        let end = lower.firstIndex(of: UInt8(ascii: isHexadecimal ? "p" : "e")) ?? lower.count
        return lower[..<end].contains { $0 >= 49 && $0 <= 57 || (isHexadecimal && $0 >= 97 && $0 <= 102) }
    }

    /// "%f" without its trailing zeros, for magnitudes up to a million: six decimals, correctly rounded to even.
    static func fixed(_ value: Double) -> String {
        let magnitude = min(value.magnitude, 1_000_000)
        var micros: UInt128 = 0
        if magnitude > 0 {
            let exponent = Int(magnitude.exponent) - 52
            let mantissa = UInt128(magnitude.significandBitPattern | 1 << 52) * 1_000_000
            if exponent >= 0 {
                micros = mantissa << UInt128(exponent)
            } else if -exponent < 100 {
                let unit = UInt128(1) << UInt128(-exponent)
                micros = mantissa / unit
                let rest = mantissa % unit
                if rest > unit / 2 || (rest == unit / 2 && micros % 2 == 1) { micros += 1 }
            }
        }
        let sign = value.sign == .minus ? "-" : ""
        var decimals = String(UInt64(micros % 1_000_000))
        decimals = String(repeating: "0", count: 6 - decimals.count) + decimals
        while decimals.hasSuffix("0") { decimals.removeLast() }
        return sign + String(UInt64(micros / 1_000_000)) + (decimals.isEmpty ? "" : "." + decimals)
    }

    /// A byte count as CONFIG REWRITE writes it: with the largest unit that divides it. Counts beyond 63 bits come as
    /// negative bit patterns and are written plainly.
    static func memoryText(_ value: Int64) -> String {
        if value < 0 { return String(UInt64(bitPattern: value)) }
        for (factor, unit) in [(Int64(1) << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")]
        where value != 0 && value % factor == 0 {
            return "\(value / factor)\(unit)"
        }
        return "\(value)"
    }
}
