// MemoryText.swift - amounts of memory as configuration files write them and as INFO shows them. Pure, any thread;
// `human` allocates a String and is for listings only.

package enum MemoryText {
    /// More digits than this were never a number of bytes.
    private static let digitsMax = 127

    /// Bytes meant by digits and an optional unit, in either case: b, k (1000), kb (1024), m, mb, g, gb. As in Redis
    /// no digits at all mean zero and a sign is refused; what exceeds 63 bits is refused rather than wrapped.
    package static func parse(_ bytes: Span<UInt8>) -> Int64? {
        var digitCount = 0
        while digitCount < bytes.count, bytes[digitCount] &- 48 <= 9 { digitCount += 1 }
        guard digitCount <= digitsMax else { return nil }
        let unit = bytes.extracting(droppingFirst: digitCount)
        guard let multiplier = multiplier(unit) else { return nil }
        var value: Int64 = 0
        for index in 0..<digitCount {
            let (product, productOverflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflow) = product.addingReportingOverflow(Int64(bytes[index] - 48))
            if productOverflow || sumOverflow { return nil }
            value = sum
        }
        let (total, overflow) = value.multipliedReportingOverflow(by: multiplier)
        return overflow ? nil : total
    }

    private static func multiplier(_ unit: Span<UInt8>) -> Int64? {
        if unit.isEmpty || unit.equalsIgnoringCase("b") { return 1 }
        if unit.equalsIgnoringCase("k") { return 1000 }
        if unit.equalsIgnoringCase("kb") { return 1 << 10 }
        if unit.equalsIgnoringCase("m") { return 1_000_000 }
        if unit.equalsIgnoringCase("mb") { return 1 << 20 }
        if unit.equalsIgnoringCase("g") { return 1_000_000_000 }
        return unit.equalsIgnoringCase("gb") ? 1 << 30 : nil
    }

    /// "512B", "1.23M": two decimals of the largest binary unit that leaves at least one; beyond petabytes, bytes.
    package static func human(_ bytes: Int) -> String {
        let units: [(limit: Int, letter: String)] = [
            (1 << 20, "K"), (1 << 30, "M"), (1 << 40, "G"), (1 << 50, "T"), (1 << 60, "P"),
        ]
        guard bytes >= 1 << 10, let unit = units.first(where: { bytes < $0.limit }) else { return "\(bytes)B" }
        // Exactly what printf's "%.2f" gives for the quotient as a double: the division by a power of two is exact,
        // so rounding the hundredths half to even is rounding the same number.
        let shift = UInt128(unit.limit.trailingZeroBitCount - 10)
        let scaled = UInt128(Double(bytes)) * 100
        var hundredths = scaled >> shift
        let rest = scaled & ((1 << shift) - 1)
        let half: UInt128 = 1 << (shift - 1)
        if rest > half || (rest == half && hundredths & 1 == 1) { hundredths += 1 }
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)\(unit.letter)"
    }
}
