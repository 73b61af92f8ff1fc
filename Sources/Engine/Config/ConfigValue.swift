// ConfigValue.swift - what a directive holds, in the one form from which CONFIG GET, CONFIG REWRITE and `Settings` are
// derived. Owned by `Config`'s value array; compared to see whether CONFIG SET changed anything.
// Plain data without behaviour: what a value means is the directive's business.

/// A directive's value.
package enum ConfigValue: Sendable, Equatable {
    /// Numbers, flags (0 or 1), positions in a choice list, bit sets. 64-bit unsigned limits are kept as bit patterns.
    case number(Int64)
    /// One text, any bytes.
    case text([UInt8])
    /// Fixed-shape number lists: save points, buffer limits, OOM scores.
    case numbers([Int64])
    /// Percentiles.
    case reals([Double])
    /// Address lists.
    case texts([[UInt8]])

    var number: Int64 {
        guard case .number(let value) = self else { return 0 }
        return value
    }

    var text: [UInt8] {
        guard case .text(let value) = self else { return [] }
        return value
    }

    var numbers: [Int64] {
        guard case .numbers(let value) = self else { return [] }
        return value
    }

    var reals: [Double] {
        guard case .reals(let value) = self else { return [] }
        return value
    }

    var texts: [[UInt8]] {
        guard case .texts(let value) = self else { return [] }
        return value
    }
}
