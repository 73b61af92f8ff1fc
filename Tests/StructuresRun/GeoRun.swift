// GeoRun.swift - positions and areas: any score decodes to a position, a position to its cell and back, and a cover of
// a shape, however fine, finds the same of some positions.
internal import Base
internal import Structures

enum GeoRun {
    private static let scoreCountMax = 64

    static func run(_ tape: inout Tape) {
        var scores: [Double] = []
        for _ in 0...tape.below(scoreCountMax) {
            let point = point(&tape)
            let score = Geohash.score(of: point)
            let decoded = Geohash.point(ofScore: score)
            precondition(decoded.isValid, "a score has a position")
            // The limit itself overflows the grid, as in Redis.
            if point.longitude < 180 {
                precondition(abs(decoded.longitude - point.longitude) <= 360 / 0x1p26, "a cell holds its position")
                precondition(abs(decoded.latitude - point.latitude) <= 171 / 0x1p26, "a cell holds its position")
            }
            _ = Geohash.text(of: point)
            scores.append(score)
            precondition(Geohash.point(ofScore: tape.score()).isValid, "any score has a position")
        }
        while !tape.isEnded {
            let shape = shape(&tape)
            let found = (0...2).map { within(shape, scores, refinement: $0 * 2) }
            precondition(found[0] == found[1] && found[0] == found[2], "a finer cover finds the same")
        }
    }

    private static func point(_ tape: inout Tape) -> GeoPoint {
        GeoPoint(
            longitude: min(180, Double(tape.below(65_536)) / 65_535 * 360 - 180),
            latitude: min(85.05, Double(tape.below(65_536)) / 65_535 * 170.1 - 85.05))
    }

    private static func shape(_ tape: inout Tape) -> GeoShape {
        let center = point(&tape)
        let size = Double(1 << tape.below(26))
        switch tape.below(3) {
        case 0: return GeoShape(center: center, radius: size, metersPerUnit: 1)
        case 1: return GeoShape(center: center, width: size, height: Double(1 << tape.below(26)), metersPerUnit: 1)
        default: return GeoShape(vertices: (0..<3 + tape.below(3)).map { _ in point(&tape) }, metersPerUnit: 1)
        }
    }

    private static func within(_ shape: GeoShape, _ scores: [Double], refinement: Int) -> [Double] {
        var found: [Double] = []
        GeoCover(shape).forEachRange(refinement: refinement) { range in
            for score in scores where score >= range.low && score < range.high {
                if shape.distance(to: Geohash.point(ofScore: score)) != nil { found.append(score) }
            }
            return true
        }
        // The order of the cells is the cover's own affair.
        return found.sorted()
    }
}
