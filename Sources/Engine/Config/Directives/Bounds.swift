// Bounds.swift - the value ranges that many directives share, named after the C types of the stock servers, because
// the range is part of the error text that clients see. Used by the tables beside this file only.
// A range that only one directive has stands in its own line instead.

extension ClosedRange<Int> {
    /// int, not negative.
    static let int32 = 0...2_147_483_647
    /// int, at least one.
    static let positiveInt32 = 1...2_147_483_647
    /// int of any sign.
    static let anyInt32 = -2_147_483_648...2_147_483_647
    /// unsigned int.
    static let uint32 = 0...4_294_967_295
    /// long, not negative.
    static let int64 = 0...Int.max
    /// A TCP port, or 0 for none.
    static let port = 0...65_535
}
