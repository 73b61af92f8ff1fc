// IntegerText.swift - decimal text to integers, by the exact rules of the wire: only the one canonical spelling of a
// number is a number, because encodings, INCR and arities depend on "text -> integer -> same text". Pure functions,
// any thread, no allocation. Cost: about one nanosecond per digit.

package enum IntegerText {
    /// Text of at most this many digits cannot overflow 64 bits, so it needs no checks.
    private static let uncheckedDigitsMax = 18
    /// The longest magnitude: 2^64 - 1 has twenty digits.
    private static let digitsMax = 20

    /// The number that `bytes` spells: optional "-", no plus, no space, no leading zero, no "-0"; else nil.
    @inline(__always)
    package static func parse(_ bytes: Span<UInt8>) -> Int64? {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return nil }
            return unsafe parse(base, count: buffer.count)
        }
    }

    /// `parse` over raw memory, for parsers that keep offsets.
    @unsafe
    package static func parse(_ base: UnsafePointer<UInt8>, count: Int) -> Int64? {
        guard count > 0 else { return nil }
        let isNegative = unsafe base[0] == UInt8(ascii: "-")
        let digits = unsafe isNegative ? base + 1 : base
        let digitCount = isNegative ? count &- 1 : count
        guard let magnitude = unsafe magnitude(digits, count: digitCount) else { return nil }
        if isNegative {
            guard magnitude != 0, magnitude <= Int64.min.magnitude else { return nil }
            return Int64(truncatingIfNeeded: 0 &- magnitude)
        }
        return magnitude <= UInt64(Int64.max) ? Int64(truncatingIfNeeded: magnitude) : nil
    }

    /// The unsigned number that `bytes` spells canonically: digits only, no leading zero, up to 2^64 - 1; else nil.
    @inline(__always)
    package static func parseUnsigned(_ bytes: Span<UInt8>) -> UInt64? {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return nil }
            return unsafe magnitude(base, count: buffer.count)
        }
    }

    /// What Redis takes where it falls back to `strtoull` (stream identifiers): besides canonical text, leading
    /// white space, a plus sign, leading zeros, and a non-canonical negative such as "-05", which wraps around.
    package static func parseUnsignedLenient(_ bytes: Span<UInt8>) -> UInt64? {
        if let value = parse(bytes) { return value >= 0 ? UInt64(value) : nil }
        var index = 0
        while index < bytes.count, bytes[index] == 32 || (9...13).contains(bytes[index]) { index += 1 }
        var isNegative = false
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
            isNegative = bytes[index] == UInt8(ascii: "-")
            index += 1
        }
        guard index < bytes.count else { return nil }
        var value: UInt64 = 0
        while index < bytes.count {
            let digit = bytes[index] &- 48
            guard digit <= 9 else { return nil }
            let (product, productOverflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflow) = product.addingReportingOverflow(UInt64(digit))
            if productOverflow || sumOverflow { return nil }
            value = sum
            index += 1
        }
        return isNegative ? 0 &- value : value
    }

    /// How many bytes the decimal text of `value` takes.
    package static func byteCount(of value: Int64) -> Int {
        byteCount(ofMagnitude: value.magnitude) &+ (value < 0 ? 1 : 0)
    }

    /// How many bytes the decimal text of `value` takes.
    package static func byteCount(ofMagnitude value: UInt64) -> Int {
        var count = 1
        var rest = value
        while rest >= 10_000 {
            rest /= 10_000
            count &+= 4
        }
        if rest >= 1000 { return count &+ 3 }
        if rest >= 100 { return count &+ 2 }
        return rest >= 10 ? count &+ 1 : count
    }

    @unsafe @inline(__always)
    private static func magnitude(_ digits: UnsafePointer<UInt8>, count: Int) -> UInt64? {
        guard count > 0, count <= digitsMax else { return nil }
        let first = unsafe digits[0] &- 48
        if first == 0 { return count == 1 ? 0 : nil }
        guard first <= 9 else { return nil }
        var value = UInt64(first)
        var index = 1
        let uncheckedEnd = min(count, uncheckedDigitsMax)
        while index < uncheckedEnd {
            let digit = unsafe digits[index] &- 48
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ UInt64(digit)
            index &+= 1
        }
        while index < count {
            let digit = unsafe digits[index] &- 48
            guard digit <= 9 else { return nil }
            let (product, productOverflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflow) = product.addingReportingOverflow(UInt64(digit))
            if productOverflow || sumOverflow { return nil }
            value = sum
            index &+= 1
        }
        return value
    }
}
