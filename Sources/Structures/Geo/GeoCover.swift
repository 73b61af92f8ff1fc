// GeoCover.swift - which scores to look at for a shape: stock's nine grid cells in stock's order (unsorted replies keep
// it), each cut down to the parts that touch the shape's bounds. The nine cells together are 10 to 20 times as large
// as the circle; two levels of subdivision leave two to three times the circle, in about ten ranges. Pure, made per
// command, engine's turn.
internal import CLinux

/// Scores `low..<high` that may hold positions within a shape.
package struct GeoScoreRange: Equatable, Sendable {
    /// The lowest score to look at.
    package let low: Double
    /// The first score not to look at.
    package let high: Double
}

/// The cells a search has to visit.
package struct GeoCover {
    /// What pays for a set that is a tree: each level leaves fewer candidates and costs more descents. Measured over
    /// a million positions, two levels were best or near it from 3 to 36,000 hits.
    package static let treeRefinement = 2

    private var cells: InlineArray<9, GeoCell> = .init(repeating: GeoCell(bits: 0, step: 0))
    private var cellCount = 0
    private let bounds: GeoArea

    /// The grid cells for `shape`.
    package init(_ shape: GeoShape) {
        bounds = shape.bounds
        let (center, isFine) = GeoCover.centerCell(shape)
        let area = center.area
        let estimate = shape.estimate
        // Neighbours on a side where the centre cell reaches beyond the estimate are not needed; with two columns
        // there is no such side, east and west being the same.
        let skipsSouth = isFine && area.south < estimate.south
        let skipsNorth = isFine && area.north > estimate.north
        let skipsWest = isFine && area.west < estimate.west
        let skipsEast = isFine && area.east > estimate.east
        append(center)
        if !skipsNorth { append(center.neighbour(east: 0, north: 1)) }
        if !skipsSouth { append(center.neighbour(east: 0, north: -1)) }
        if !skipsEast { append(center.neighbour(east: 1, north: 0)) }
        if !skipsWest { append(center.neighbour(east: -1, north: 0)) }
        if !skipsNorth && !skipsEast { append(center.neighbour(east: 1, north: 1)) }
        if !skipsNorth && !skipsWest { append(center.neighbour(east: -1, north: 1)) }
        if !skipsSouth && !skipsEast { append(center.neighbour(east: 1, north: -1)) }
        if !skipsSouth && !skipsWest { append(center.neighbour(east: -1, north: -1)) }
    }

    /// In a coarse grid neighbours coincide. Stock drops a cell that equals the one before it, unless that is the
    /// centre's; the duplicates this leaves show up in its replies, so they do in ours.
    private mutating func append(_ cell: GeoCell) {
        if cellCount > 1 && cells[cellCount - 1] == cell { return }
        cells[cellCount] = cell
        cellCount += 1
    }

    /// The finest cell whose neighbourhood covers the shape, by stock's rules; and whether sides may be left out.
    private static func centerCell(_ shape: GeoShape) -> (cell: GeoCell, isFine: Bool) {
        var step = stepEstimate(meters: reach(of: shape), latitude: shape.center.latitude)
        let center = clamped(shape.center)
        var cell = Geohash.cell(of: center, step: step)
        let isTooFine = cell.neighbour(east: 0, north: 1).area.north < shape.estimate.north
            || cell.neighbour(east: 0, north: -1).area.south > shape.estimate.south
            || cell.neighbour(east: 1, north: 0).area.east < shape.estimate.east
            || cell.neighbour(east: -1, north: 0).area.west > shape.estimate.west
        if step > 1 && isTooFine {
            step -= 1
            cell = Geohash.cell(of: center, step: step)
        }
        return (cell, step >= 2)
    }

    /// A polygon's centroid may lie outside the grid, where stock servers read a cell that was never written.
    private static func clamped(_ point: GeoPoint) -> GeoPoint {
        GeoPoint(
            longitude: min(max(point.longitude, Geohash.longitudes.lowerBound), Geohash.longitudes.upperBound),
            latitude: min(max(point.latitude, Geohash.latitudes.lowerBound), Geohash.latitudes.upperBound))
    }

    /// Metres from the centre to the farthest corner.
    private static func reach(of shape: GeoShape) -> Double {
        switch shape.form {
        case .circle(let radius):
            return radius * shape.metersPerUnit
        case .box(let width, let height):
            return ((width / 2) * (width / 2) + (height / 2) * (height / 2)).squareRoot() * shape.metersPerUnit
        case .polygon:
            let area = shape.estimate
            var reach = 0.0
            for longitude in [area.west, area.east] {
                for latitude in [area.south, area.north] {
                    let corner = GeoPoint(longitude: longitude, latitude: latitude)
                    reach = max(reach, Geohash.distance(shape.center, corner))
                }
            }
            return reach * shape.metersPerUnit
        }
    }

    private static func stepEstimate(meters: Double, latitude: Double) -> Int {
        // Half the width of the projected world.
        let mercatorMax = 20037726.37
        if meters == 0 { return Geohash.stepMax }
        var reach = meters
        var step = 1
        while reach < mercatorMax {
            reach *= 2
            step += 1
        }
        step -= 2
        if latitude > 66 || latitude < -66 { step -= 1 }
        if latitude > 80 || latitude < -80 { step -= 1 }
        return min(max(step, 1), Geohash.stepMax)
    }

    /// Calls `body` with the ranges to search, in stock's order, until it says false. `refinement` is how often a cell
    /// may be quartered: 0 for small sets that are scanned anyway, `treeRefinement` for others.
    package func forEachRange(refinement: Int, _ body: (GeoScoreRange) -> Bool) {
        var walk = GeoWalk(bounds: bounds)
        for index in 0..<cellCount {
            guard walk.visit(cells[index], refinement, body) else { return }
            // Ranges of different cells are never joined: a duplicate cell must be seen twice.
            guard walk.flush(body) else { return }
        }
    }
}

/// One walk over the cells: joins ranges that touch.
struct GeoWalk {
    private let bounds: GeoArea
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init(bounds: GeoArea) { self.bounds = bounds }

    mutating func visit(_ cell: GeoCell, _ refinement: Int, _ body: (GeoScoreRange) -> Bool) -> Bool {
        if refinement > 0 && cell.step < Geohash.stepMax {
            switch relation(of: cell.area) {
            case .outside: return true
            case .inside: break
            case .across:
                for quarter in 0..<4 {
                    let part = GeoCell(bits: cell.bits << 2 | UInt64(quarter), step: cell.step + 1)
                    guard visit(part, refinement - 1, body) else { return false }
                }
                return true
            }
        } else if refinement == 0 && isOutside(cell) {
            return true
        }
        let scores = cell.scores
        if scores.low != high || low == high {
            guard flush(body) else { return false }
            low = scores.low
        }
        high = scores.high
        return true
    }

    mutating func flush(_ body: (GeoScoreRange) -> Bool) -> Bool {
        guard low < high else { return true }
        let range = GeoScoreRange(low: Double(low), high: Double(high))
        low = 0
        high = 0
        return body(range)
    }

    private enum Relation { case outside, across, inside }

    private func isOutside(_ cell: GeoCell) -> Bool { relation(of: cell.area) == .outside }

    /// Cells at the grid's edge count as endless: positions beyond the limits are drawn onto it.
    private func relation(of area: GeoArea) -> Relation {
        let isTop = area.north >= Geohash.latitudes.upperBound
        let isBottom = area.south <= Geohash.latitudes.lowerBound
        if (area.north < bounds.south && !isTop) || (area.south > bounds.north && !isBottom) { return .outside }
        var isOutside = true
        var isInside = false
        for turn in [-360.0, 0, 360] where area.east + turn >= bounds.west && area.west + turn <= bounds.east {
            isOutside = false
            isInside = isInside || (area.west + turn >= bounds.west && area.east + turn <= bounds.east)
        }
        if isOutside { return .outside }
        return isInside && area.south >= bounds.south && area.north <= bounds.north ? .inside : .across
    }
}
