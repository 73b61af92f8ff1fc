// Geohash.swift - positions as 52-bit interleaved integers, the scores of geo sets. Bit-equal to stock servers, odd
// corners included: the north-eastern limit itself overflows its 26 bits there, so it does here. Pure values, any
// thread. Scores come from ZADD too, so any Double decodes to something and none traps.
internal import CLinux

/// A position in degrees.
package struct GeoPoint: Equatable, Sendable {
    /// East is positive; -180...180.
    package var longitude: Double
    /// North is positive; -85.05112878...85.05112878.
    package var latitude: Double

    /// A position; see `isValid`.
    package init(longitude: Double, latitude: Double) {
        self.longitude = longitude
        self.latitude = latitude
    }

    /// False outside the area that can be encoded: "invalid longitude,latitude pair".
    package var isValid: Bool {
        longitude >= Geohash.longitudes.lowerBound && longitude <= Geohash.longitudes.upperBound
            && latitude >= Geohash.latitudes.lowerBound && latitude <= Geohash.latitudes.upperBound
    }
}

/// A rectangle of degrees.
struct GeoArea {
    var west: Double
    var east: Double
    var south: Double
    var north: Double
}

/// A cell of the grid with 2^step columns and rows.
struct GeoCell: Equatable {
    /// Longitude in the odd bits, latitude in the even ones, `step` of each.
    var bits: UInt64
    var step: Int

    /// What the cell covers.
    var area: GeoArea {
        let (row, column) = Geohash.deinterleave(bits)
        let size = Double(UInt64(1) << UInt64(step))
        let height = Geohash.latitudes.upperBound - Geohash.latitudes.lowerBound
        let width = Geohash.longitudes.upperBound - Geohash.longitudes.lowerBound
        return GeoArea(
            west: Geohash.longitudes.lowerBound + (Double(column) / size) * width,
            east: Geohash.longitudes.lowerBound + (Double(column &+ 1) / size) * width,
            south: Geohash.latitudes.lowerBound + (Double(row) / size) * height,
            north: Geohash.latitudes.lowerBound + (Double(row &+ 1) / size) * height)
    }

    /// The neighbour so many columns east and rows north (-1, 0 or 1 each); the grid wraps around on both axes. An axis
    /// that is not moved along keeps its bits, the overflowing one of the limits themselves included, as in Redis.
    func neighbour(east: Int, north: Int) -> GeoCell {
        let columns: UInt64 = 0xaaaa_aaaa_aaaa_aaaa
        let rows: UInt64 = 0x5555_5555_5555_5555
        let shift = UInt64(64 - step * 2)
        let column = GeoCell.move(bits & columns, by: east, filler: rows >> shift, mask: columns >> shift)
        let row = GeoCell.move(bits & rows, by: north, filler: columns >> shift, mask: rows >> shift)
        return GeoCell(bits: column | row, step: step)
    }

    /// Adds to every other bit: the bits in between are filled so that carries run through them.
    private static func move(_ part: UInt64, by distance: Int, filler: UInt64, mask: UInt64) -> UInt64 {
        if distance == 0 { return part }
        let moved = distance > 0 ? part &+ (filler &+ 1) : (part | filler) &- (filler &+ 1)
        return moved & mask
    }

    /// The scores of all positions within: from the first up to, but not with, the second.
    var scores: (low: UInt64, high: UInt64) {
        let shift = UInt64(Geohash.stepMax * 2 - step * 2)
        return (bits << shift, (bits &+ 1) << shift)
    }
}

/// Encoding, decoding and distances.
package enum Geohash {
    /// Bits per axis of a score.
    static let stepMax = 26
    /// The limits of EPSG:3857.
    static let latitudes = -85.05112878...85.05112878
    static let longitudes = -180.0...180.0
    /// Redis' earth, in metres.
    static let earthRadius = 6372797.560856
    @inline(__always) static var radiansPerDegree: Double { 3.14159265358979323846 / 180.0 }

    /// The score of a position, which must be valid.
    package static func score(of point: GeoPoint) -> Double {
        Double(cell(of: point, step: stepMax).bits)
    }

    /// The position that a score stands for: the middle of its cell. Any Double has one, as in Redis.
    @inline(__always)
    package static func point(ofScore score: Double) -> GeoPoint {
        let (row, column) = deinterleave(unsignedBits(of: score))
        // The cell's two edges first, then their middle: the same roundings as in Redis. The divisions are exact.
        let height = latitudes.upperBound - latitudes.lowerBound
        let size = Double(1 << stepMax)
        let south = latitudes.lowerBound + (Double(row) / size) * height
        let north = latitudes.lowerBound + (Double(row &+ 1) / size) * height
        let west = longitudes.lowerBound + (Double(column) / size) * 360
        let east = longitudes.lowerBound + (Double(column &+ 1) / size) * 360
        return GeoPoint(
            longitude: min(max((west + east) / 2, longitudes.lowerBound), longitudes.upperBound),
            latitude: min(max((south + north) / 2, latitudes.lowerBound), latitudes.upperBound))
    }

    /// What C on x86-64 makes of converting a double to 64 unsigned bits, where Swift would trap.
    @inline(__always)
    private static func unsignedBits(of score: Double) -> UInt64 {
        if score >= 0 && score < 0x1p63 { return UInt64(score) }
        return foreignBits(of: score)
    }

    @inline(never)
    private static func foreignBits(of score: Double) -> UInt64 {
        if score < 0 { return score > -0x1p63 ? UInt64(bitPattern: Int64(score)) : 1 << 63 }
        return score < 0x1p64 ? UInt64(score) : 0
    }

    static func cell(of point: GeoPoint, step: Int) -> GeoCell {
        cell(of: point, step: step, latitudes)
    }

    private static func cell(of point: GeoPoint, step: Int, _ latitudes: ClosedRange<Double>) -> GeoCell {
        let size = Double(UInt64(1) << UInt64(step))
        let row = (point.latitude - latitudes.lowerBound) / (latitudes.upperBound - latitudes.lowerBound) * size
        let column = (point.longitude - longitudes.lowerBound) / (longitudes.upperBound - longitudes.lowerBound) * size
        // Both lie between 0 and 2^26 for every valid point.
        let bits = interleave(UInt32(truncatingIfNeeded: Int64(row)), UInt32(truncatingIfNeeded: Int64(column)))
        return GeoCell(bits: bits, step: step)
    }

    /// The eleven letters of GEOHASH: over the standard latitudes of ±90, and with a zero for the missing last bits.
    package static func text(of point: GeoPoint) -> InlineArray<11, UInt8> {
        let bits = cell(of: point, step: stepMax, -90...90).bits
        let alphabet: StaticString = "0123456789bcdefghjkmnpqrstuvwxyz"
        var text = InlineArray<11, UInt8>(repeating: UInt8(ascii: "0"))
        for index in 0..<10 {
            let digit = Int((bits >> UInt64(52 - (index + 1) * 5)) & 31)
            text[index] = unsafe alphabet.utf8Start[digit]
        }
        return text
    }

    // MARK: Interleaving

    @inline(__always)
    private static func interleave(_ even: UInt32, _ odd: UInt32) -> UInt64 { spread(even) | (spread(odd) << 1) }

    @inline(__always)
    private static func spread(_ value: UInt32) -> UInt64 {
        var bits = UInt64(value)
        bits = (bits | (bits << 16)) & 0x0000_ffff_0000_ffff
        bits = (bits | (bits << 8)) & 0x00ff_00ff_00ff_00ff
        bits = (bits | (bits << 4)) & 0x0f0f_0f0f_0f0f_0f0f
        bits = (bits | (bits << 2)) & 0x3333_3333_3333_3333
        return (bits | (bits << 1)) & 0x5555_5555_5555_5555
    }

    @inline(__always)
    static func deinterleave(_ bits: UInt64) -> (even: UInt32, odd: UInt32) { (gather(bits), gather(bits >> 1)) }

    @inline(__always)
    private static func gather(_ value: UInt64) -> UInt32 {
        var bits = value & 0x5555_5555_5555_5555
        bits = (bits | (bits >> 1)) & 0x3333_3333_3333_3333
        bits = (bits | (bits >> 2)) & 0x0f0f_0f0f_0f0f_0f0f
        bits = (bits | (bits >> 4)) & 0x00ff_00ff_00ff_00ff
        bits = (bits | (bits >> 8)) & 0x0000_ffff_0000_ffff
        return UInt32(truncatingIfNeeded: bits | (bits >> 16))
    }

    // MARK: Distance

    /// Metres along a meridian.
    @inline(__always)
    static func latitudeDistance(_ first: Double, _ second: Double) -> Double {
        earthRadius * abs(second * radiansPerDegree - first * radiansPerDegree)
    }

    /// Metres along the great circle, by the haversine formula.
    package static func distance(_ first: GeoPoint, _ second: GeoPoint) -> Double {
        let firstLongitude = first.longitude * radiansPerDegree
        let secondLongitude = second.longitude * radiansPerDegree
        let across = sin((secondLongitude - firstLongitude) / 2)
        if across == 0 { return latitudeDistance(first.latitude, second.latitude) }
        let firstLatitude = first.latitude * radiansPerDegree
        let secondLatitude = second.latitude * radiansPerDegree
        let along = sin((secondLatitude - firstLatitude) / 2)
        let haversine = along * along + cos(firstLatitude) * cos(secondLatitude) * across * across
        return 2 * earthRadius * asin(haversine.squareRoot())
    }
}
