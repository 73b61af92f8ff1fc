// DoubleText.swift - doubles as the wire spells them. Reading takes what strtod takes for the whole text, minus
// leading white space, nan, and results that overflow or vanish (infinity spelled out is a number: scores may be
// infinite). Writing gives the shortest text that reads back as the same double, in the form of Redis 7.2 and later
// and of Valkey (Redis 7.0 and older printed 17 digits). Pure, any thread; allocates only for texts over 1 KB.
internal import CLinux

package enum DoubleText {
    /// Powers of ten that a double holds exactly.
    private static let exactPowers: [23 of Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]
    /// Integers up to 2^53 are exact in a double.
    private static let exactSignificandMax: UInt64 = 1 << 53
    /// Text longer than `append` ever writes: sign, 17 digits, point, leading zeros or exponent.
    package static let byteCountMax = 32

    /// The number that `bytes` spells as a whole, or nil.
    package static func parse(_ bytes: Span<UInt8>) -> Double? {
        if let value = parseSimple(bytes) { return value }
        guard let first = bytes.firstByte, !isSpace(first), let result = parseByLibrary(bytes) else { return nil }
        if result.value.isNaN { return nil }
        // Out of range: overflow to infinity and underflow to zero are refused, subnormal results are numbers.
        if result.error == ERANGE && (result.value.isInfinite || result.value.isZero) { return nil }
        return result.value
    }

    /// The bound of a score range (ZRANGEBYSCORE and its like), read with strtod's own leniency: leading white space,
    /// out-of-range text becomes infinite or zero, empty text is 0; nan is refused. The "(" is the caller's.
    package static func parseRangeBound(_ bytes: Span<UInt8>) -> Double? {
        if bytes.isEmpty { return 0 }
        if let value = parseSimple(bytes) { return value }
        guard let result = parseByLibrary(bytes), !result.value.isNaN else { return nil }
        return result.value
    }

    /// A number to sort by, read as SORT does: with strtod's leniency, empty text is 0; nan, and what is out of range
    /// at either end, is refused.
    package static func parseWeight(_ bytes: Span<UInt8>) -> Double? {
        if bytes.isEmpty { return 0 }
        if let value = parseSimple(bytes) { return value }
        guard let result = parseByLibrary(bytes), !result.value.isNaN, result.error != ERANGE else { return nil }
        return result.value
    }

    /// Digits and point whose value needs one correctly rounded division; nil means "ask the library".
    private static func parseSimple(_ bytes: Span<UInt8>) -> Double? {
        guard let scanned = SimpleDecimal(bytes), scanned.significand <= exactSignificandMax else { return nil }
        let magnitude = Double(scanned.significand) / exactPowers[scanned.fractionDigitCount]
        return scanned.isNegative ? -magnitude : magnitude
    }

    private static func parseByLibrary(_ bytes: Span<UInt8>) -> (value: Double, error: Int32)? {
        unsafe TerminatedCopy.with(bytes) { text in
            var end: UnsafeMutablePointer<CChar>?
            var error: Int32 = 0
            let value = unsafe fog_strtod(text, &end, &error)
            // A zero byte inside ends the C text early, and so fails here as well.
            guard unsafe end == UnsafeMutablePointer(mutating: text) + bytes.count else { return nil }
            return (value, error)
        }
    }

    /// White space as C's isspace knows it.
    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte &- 9 <= 4 }

    /// Appends the shortest text that reads back as `value`: "3", "-0", "0.1", "1e+21", "5e-324", "inf", "nan".
    package static func append(_ value: Double, to buffer: inout ByteBuffer) {
        if value.isNaN { return buffer.append("nan") }
        if value.isInfinite { return value < 0 ? buffer.append("-inf") : buffer.append("inf") }
        if value == 0 { return value.sign == .minus ? buffer.append("-0") : buffer.append("0") }
        // Integers are written in full within half the range of 64 bits, as Redis decides it.
        if value.magnitude <= 0x1p62 {
            let integer = Int(value)
            if Double(integer) == value { return buffer.append(decimal: integer) }
        }
        if value < 0 { buffer.append(UInt8(ascii: "-")) }
        appendDigits(ShortestDecimal(magnitudeOf: value), isNegative: value < 0, to: &buffer)
    }

    /// Appends `value` with up to seventeen significant digits, as "%.17g" does: what DEBUG DIGEST sums up, and what
    /// ZSCAN prints for large sets.
    package static func appendSeventeenDigits(_ value: Double, to buffer: inout ByteBuffer) {
        buffer.reserve(byteCountMax)
        let count = unsafe fog_format_double17(buffer.pointer + buffer.count, byteCountMax, value)
        buffer.commit(Int(count))
    }

    /// Appends `value` in full with six decimals, as "%f" does: for error texts.
    package static func appendSixDecimals(_ value: Double, to buffer: inout ByteBuffer) {
        // Sign, 309 digits, point, decimals, and the zero behind them.
        let room = 320
        buffer.reserve(room)
        let count = unsafe fog_format_double6(buffer.pointer + buffer.count, room, value)
        buffer.commit(Int(count))
    }

    /// Appends `value` with exactly `fractionDigitCount` (1...17) decimals, rounded half to even after scaling as Redis
    /// prints distances; magnitudes that do not fit 63 bits when scaled come out as their shortest text.
    package static func append(_ value: Double, fractionDigitCount: Int, to buffer: inout ByteBuffer) {
        precondition((1...17).contains(fractionDigitCount), "between 1 and 17 decimals")
        let scaled = (value * exactPowers[fractionDigitCount]).rounded(.toNearestOrEven)
        guard scaled.magnitude < 0x1p63 else { return append(value, to: &buffer) }
        let magnitude = UInt64(scaled.magnitude)
        if scaled < 0 { buffer.append(UInt8(ascii: "-")) }
        let scale = powerOfTen(fractionDigitCount)
        buffer.append(decimal: Int(magnitude / scale))
        buffer.append(UInt8(ascii: "."))
        appendPadded(magnitude % scale, digitCount: fractionDigitCount, to: &buffer)
    }

    private static func appendDigits(_ decimal: ShortestDecimal, isNegative: Bool, to buffer: inout ByteBuffer) {
        let count = decimal.digitCount
        let leadingExponent = decimal.exponent + count - 1
        if decimal.exponent >= 0 && leadingExponent.magnitude < count + 7 {
            appendPadded(decimal.digits, digitCount: count, to: &buffer)
            for _ in 0..<decimal.exponent { buffer.append(UInt8(ascii: "0")) }
        } else if decimal.exponent < 0 && (decimal.exponent > -7 || leadingExponent.magnitude < 4) {
            let integralCount = count + decimal.exponent
            if integralCount <= 0 {
                buffer.append("0.")
                for _ in integralCount..<0 { buffer.append(UInt8(ascii: "0")) }
                appendPadded(decimal.digits, digitCount: count, to: &buffer)
            } else {
                let scale = powerOfTen(-decimal.exponent)
                appendPadded(decimal.digits / scale, digitCount: integralCount, to: &buffer)
                buffer.append(UInt8(ascii: "."))
                appendPadded(decimal.digits % scale, digitCount: -decimal.exponent, to: &buffer)
            }
        } else {
            // The scientific form keeps 18 characters of digits, one less behind a minus sign.
            let kept = min(count, isNegative ? 17 : 18)
            let digits = decimal.digits / powerOfTen(count - kept)
            let scale = powerOfTen(kept - 1)
            buffer.append(UInt8(truncatingIfNeeded: 48 + digits / scale))
            if kept > 1 {
                buffer.append(UInt8(ascii: "."))
                appendPadded(digits % scale, digitCount: kept - 1, to: &buffer)
            }
            leadingExponent < 0 ? buffer.append("e-") : buffer.append("e+")
            buffer.append(decimal: Int(leadingExponent.magnitude))
        }
    }

    /// Exactly `digitCount` digits of `value`, zeros in front.
    static func appendPadded(_ value: UInt64, digitCount: Int, to buffer: inout ByteBuffer) {
        guard digitCount > 0 else { return }
        buffer.reserve(digitCount)
        unsafe buffer.append(count: digitCount) { target in
            var rest = value
            var position = digitCount
            while position > 1 {
                let pair = rest % 100
                rest /= 100
                position &-= 2
                unsafe target[position] = UInt8(truncatingIfNeeded: 48 + pair / 10)
                unsafe target[position &+ 1] = UInt8(truncatingIfNeeded: 48 + pair % 10)
            }
            if position > 0 {
                unsafe target[0] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            }
        }
    }

    static func powerOfTen(_ exponent: Int) -> UInt64 {
        var power: UInt64 = 1
        for _ in 0..<exponent { power &*= 10 }
        return power
    }
}

/// What most numbers in text are: an optional minus, up to 19 digits, perhaps a point among or beside them.
struct SimpleDecimal {
    private(set) var isNegative = false
    /// All digits as one integer; 19 of them fit.
    private(set) var significand: UInt64 = 0
    /// How many of the digits stand behind the point: at most 19.
    private(set) var fractionDigitCount = 0

    /// Nil for any other form, whether it is a number or not.
    @inline(__always)
    init?(_ bytes: Span<UInt8>) {
        // Sign and point at most beside 19 digits.
        let count = bytes.count
        guard count > 0, count <= 21 else { return nil }
        isNegative = bytes[0] == UInt8(ascii: "-")
        var index = isNegative ? 1 : 0
        let digitsStart = index
        var pointIndex = -1
        while index < count {
            let digit = bytes[index] &- 48
            if digit <= 9 {
                significand = significand &* 10 &+ UInt64(digit)
            } else if bytes[index] == UInt8(ascii: "."), pointIndex < 0 {
                pointIndex = index
            } else {
                return nil
            }
            index &+= 1
        }
        let digitCount = count &- digitsStart &- (pointIndex < 0 ? 0 : 1)
        guard digitCount > 0, digitCount <= 19 else { return nil }
        fractionDigitCount = pointIndex < 0 ? 0 : count &- 1 &- pointIndex
    }
}

/// Bytes with a zero behind them, as C's text functions want them.
enum TerminatedCopy {
    /// Calls `body` with the copy; short texts stay on the stack.
    @unsafe static func with<Result>(_ bytes: Span<UInt8>, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { copy in
            let base = unsafe copy.baseAddress.unsafelyUnwrapped
            unsafe bytes.withUnsafeBufferPointer { source in
                if let address = source.baseAddress { unsafe memcpy(base, address, source.count) }
            }
            unsafe base[bytes.count] = 0
            return unsafe body(base)
        }
    }
}
