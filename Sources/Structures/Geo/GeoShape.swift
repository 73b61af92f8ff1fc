// GeoShape.swift - what GEOSEARCH looks for: a circle, a box, or a polygon, around a position; and the exact question
// whether a position lies within, with the same numbers as stock servers. Made per command, used under the engine's
// turn. Most candidates are refused by two comparisons of degrees before any sine is taken; those bounds are wider
// than the shape by a margin far above rounding, so they never change an answer.
internal import CLinux

/// Where to search. Sizes are in the client's unit; `metersPerUnit` says what that is.
package struct GeoShape: Sendable {
    /// The form, sizes in units.
    package enum Form: Sendable, Equatable {
        case circle(radius: Double)
        case box(width: Double, height: Double)
        case polygon(vertices: [GeoPoint])
    }

    /// The form.
    package let form: Form
    /// The middle: given, or a polygon's centroid.
    package let center: GeoPoint
    /// 1, 1000, 0.3048 or 1609.34.
    package let metersPerUnit: Double
    /// Redis' estimate of the bounds, which chooses the grid cells to search; not exact at high latitudes.
    let estimate: GeoArea
    /// Degrees that every position within the shape keeps to, up to whole turns in longitude.
    let bounds: GeoArea
    /// Taken once instead of per candidate.
    private let centerLatitudeCosine: Double

    private static let degreesMargin = 1e-7

    /// Everything within `radius` units of `center`.
    package init(center: GeoPoint, radius: Double, metersPerUnit: Double) {
        let meters = radius * metersPerUnit
        self.init(
            .circle(radius: radius), center, metersPerUnit,
            estimate: GeoShape.estimate(center, halfWidth: meters, halfHeight: meters),
            bounds: GeoShape.circleBounds(center, meters))
    }

    /// Everything within `width` times `height` units around `center`.
    package init(center: GeoPoint, width: Double, height: Double, metersPerUnit: Double) {
        let halfWidth = metersPerUnit * (width / 2)
        let halfHeight = metersPerUnit * (height / 2)
        self.init(
            .box(width: width, height: height), center, metersPerUnit,
            estimate: GeoShape.estimate(center, halfWidth: halfWidth, halfHeight: halfHeight),
            bounds: GeoShape.boxBounds(center, halfWidth: halfWidth, halfHeight: halfHeight))
    }

    /// Everything within a polygon of at least three vertices (Valkey's BYPOLYGON); distances count from its centroid.
    package init(vertices: [GeoPoint], metersPerUnit: Double) {
        precondition(vertices.count > 0, "a polygon has vertices")
        let limits = Geohash.latitudes
        var area = GeoArea(west: 180, east: -180, south: limits.upperBound, north: limits.lowerBound)
        var sum = (x: 0.0, y: 0.0, z: 0.0)
        for vertex in vertices {
            area.west = min(area.west, vertex.longitude)
            area.east = max(area.east, vertex.longitude)
            area.south = min(area.south, vertex.latitude)
            area.north = max(area.north, vertex.latitude)
            let longitude = vertex.longitude * Geohash.radiansPerDegree
            let latitude = vertex.latitude * Geohash.radiansPerDegree
            sum.x += cos(latitude) * cos(longitude)
            sum.y += cos(latitude) * sin(longitude)
            sum.z += sin(latitude)
        }
        let longitude = atan2(sum.y, sum.x) / Geohash.radiansPerDegree
        let latitude = atan2(sum.z, (sum.x * sum.x + sum.y * sum.y).squareRoot()) / Geohash.radiansPerDegree
        // Near a pole it may lie beyond what the grid holds; distances still count from it.
        let center = GeoPoint(longitude: longitude, latitude: latitude)
        self.init(
            .polygon(vertices: vertices), center, metersPerUnit, estimate: area, bounds: GeoShape.widened(area))
    }

    private init(_ form: Form, _ center: GeoPoint, _ metersPerUnit: Double, estimate: GeoArea, bounds: GeoArea) {
        self.form = form
        self.center = center
        self.metersPerUnit = metersPerUnit
        self.estimate = estimate
        self.bounds = bounds
        centerLatitudeCosine = cos(center.latitude * Geohash.radiansPerDegree)
    }

    // MARK: Bounds

    /// Stock's bounding box, formula and all: it decides which cells are searched, so its flaws are visible.
    private static func estimate(_ center: GeoPoint, halfWidth: Double, halfHeight: Double) -> GeoArea {
        let radians = Geohash.radiansPerDegree
        let latitudeDelta = halfHeight / Geohash.earthRadius / radians
        let widest = center.latitude < 0 ? center.latitude - latitudeDelta : center.latitude + latitudeDelta
        let longitudeDelta = halfWidth / Geohash.earthRadius / cos(widest * radians) / radians
        return GeoArea(
            west: center.longitude - longitudeDelta, east: center.longitude + longitudeDelta,
            south: center.latitude - latitudeDelta, north: center.latitude + latitudeDelta)
    }

    /// The true bounds of a circle on the sphere: the meridians that touch it, or all when it holds a pole.
    private static func circleBounds(_ center: GeoPoint, _ meters: Double) -> GeoArea {
        let angle = meters / Geohash.earthRadius
        let latitude = center.latitude * Geohash.radiansPerDegree
        let sine = sin(angle) / cos(latitude)
        let holdsPole = !(angle + abs(latitude) < 1.57) || !(sine < 1)
        return around(center, latitudeRadians: angle, longitudeRadians: holdsPole ? 4 : asin(sine))
    }

    /// A box is measured along the parallel of each candidate, so it is widest in degrees at its poleward edge.
    private static func boxBounds(_ center: GeoPoint, halfWidth: Double, halfHeight: Double) -> GeoArea {
        let angle = halfHeight / Geohash.earthRadius
        let poleward = abs(center.latitude * Geohash.radiansPerDegree) + angle
        let quarter = halfWidth / Geohash.earthRadius / 2
        let sine = sin(quarter) / cos(poleward)
        let isWhole = !(poleward < 1.57) || !(quarter < 1.57) || !(sine < 1)
        return around(center, latitudeRadians: angle, longitudeRadians: isWhole ? 4 : 2 * asin(sine))
    }

    private static func around(_ center: GeoPoint, latitudeRadians: Double, longitudeRadians: Double) -> GeoArea {
        let latitude = min(latitudeRadians / Geohash.radiansPerDegree, 180)
        let longitude = min(longitudeRadians / Geohash.radiansPerDegree, 180)
        return widened(
            GeoArea(
                west: center.longitude - longitude, east: center.longitude + longitude,
                south: center.latitude - latitude, north: center.latitude + latitude))
    }

    private static func widened(_ area: GeoArea) -> GeoArea {
        GeoArea(
            west: area.west - degreesMargin, east: area.east + degreesMargin,
            south: area.south - degreesMargin, north: area.north + degreesMargin)
    }

    // MARK: Question

    /// Metres from the centre if `point` lies within the shape, else nil.
    @inline(__always)
    package func distance(to point: GeoPoint) -> Double? {
        guard point.latitude >= bounds.south && point.latitude <= bounds.north && admits(longitude: point.longitude)
        else { return nil }
        return exactDistance(to: point)
    }

    /// True unless the longitude, or the same a turn away, lies outside the bounds.
    @inline(__always)
    private func admits(longitude: Double) -> Bool {
        if longitude >= bounds.west && longitude <= bounds.east { return true }
        return (bounds.east > 180 && longitude + 360 <= bounds.east)
            || (bounds.west < -180 && longitude - 360 >= bounds.west)
    }

    private func exactDistance(to point: GeoPoint) -> Double? {
        switch form {
        case .circle(let radius):
            let distance = centerDistance(to: point)
            return distance > radius * metersPerUnit ? nil : distance
        case .box(let width, let height):
            if Geohash.latitudeDistance(point.latitude, center.latitude) > height * metersPerUnit / 2 { return nil }
            let abreast = GeoPoint(longitude: center.longitude, latitude: point.latitude)
            if Geohash.distance(point, abreast) > width * metersPerUnit / 2 { return nil }
            return centerDistance(to: point)
        case .polygon(let vertices):
            return GeoShape.holds(vertices, point) ? centerDistance(to: point) : nil
        }
    }

    /// `Geohash.distance` from the centre, operation by operation, with the centre's cosine taken before.
    private func centerDistance(to point: GeoPoint) -> Double {
        let radians = Geohash.radiansPerDegree
        let across = sin((point.longitude * radians - center.longitude * radians) / 2)
        if across == 0 { return Geohash.latitudeDistance(center.latitude, point.latitude) }
        let latitude = point.latitude * radians
        let along = sin((latitude - center.latitude * radians) / 2)
        let haversine = along * along + centerLatitudeCosine * cos(latitude) * across * across
        return 2 * Geohash.earthRadius * asin(haversine.squareRoot())
    }

    /// Counts the edges that a ray to the east crosses (W. Randolph Franklin's test), on degrees as if they were flat.
    private static func holds(_ vertices: [GeoPoint], _ point: GeoPoint) -> Bool {
        var isInside = false
        var previous = vertices[vertices.count - 1]
        for vertex in vertices {
            if (vertex.latitude > point.latitude) != (previous.latitude > point.latitude) {
                let crossing =
                    (previous.longitude - vertex.longitude) * (point.latitude - vertex.latitude)
                    / (previous.latitude - vertex.latitude) + vertex.longitude
                if point.longitude < crossing { isInside.toggle() }
            }
            previous = vertex
        }
        return isInside
    }
}
