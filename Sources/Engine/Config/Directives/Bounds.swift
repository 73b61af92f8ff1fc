// Bounds.swift - the value ranges that many directives share, named after the C types of the stock servers, because
// the range is part of the error text that clients see.

/// int, not negative.
let boundsInt32 = 0...2_147_483_647
/// int, at least one.
let boundsPositiveInt32 = 1...2_147_483_647
/// int of any sign.
let boundsAnyInt32 = -2_147_483_648...2_147_483_647
/// unsigned int.
let boundsUInt32 = 0...4_294_967_295
/// long, not negative.
let boundsInt64 = 0...Int.max
/// A TCP port, or 0 for none.
let boundsPort = 0...65_535

let kilobyte = 1 << 10
let megabyte = 1 << 20
