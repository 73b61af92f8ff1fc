// DecimalNumber.swift - which strings are stored as integers: canonical decimal int64, exactly as Redis' string2ll
// accepts them. Here and not in Base because the fast refusal is shaped for SET's hot path.
internal import Base

enum DecimalNumber {
    /// False for nearly every value that is no integer, by its first byte.
    @inline(__always)
    static func mayStart(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count > 0 else { return false }
        let first = bytes[0]
        return first == 45 || (first >= 48 && first <= 57)
    }

    /// The value, when `bytes` is the canonical text of an int64.
    static func parse(_ bytes: Span<UInt8>) -> Int64? {
        guard mayStart(bytes), bytes.count <= 20 else { return nil }
        let isNegative = bytes[0] == 45
        var index = isNegative ? 1 : 0
        guard index < bytes.count else { return nil }
        if bytes[index] == 48 { return bytes.count == 1 ? 0 : nil }
        var magnitude: UInt64 = 0
        while index < bytes.count {
            let digit = bytes[index] &- 48
            guard digit <= 9 else { return nil }
            let (scaled, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(UInt64(digit))
            if overflow || carry { return nil }
            magnitude = sum
            index += 1
        }
        if isNegative { return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
        return Int64(exactly: magnitude)
    }
}
