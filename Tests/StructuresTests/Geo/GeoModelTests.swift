// GeoModelTests.swift - geo code against plain models: covers against looking at
// every position, text against the C library, grid arithmetic against its own
// inverse, and scores that no position has.
import Testing
import CLinux
import Base
@testable import Structures

struct GeoModelTests {
    private static func degrees(_ dice: inout SeededRandom, _ limit: Double) -> Double {
        (Double(dice.next() >> 11) / 0x1p53 * 2 - 1) * limit
    }

    private static func point(_ dice: inout SeededRandom) -> GeoPoint {
        let longitude = dice.once(in: 8) ? [180, -180, 0, 179.9999][dice.below(4)] : degrees(&dice, 180)
        let latitude = dice.once(in: 8) ? [85.05, -85.05, 0][dice.below(3)] : degrees(&dice, 85.05)
        return GeoPoint(longitude: longitude, latitude: latitude)
    }

    /// The distance test alone, without the bounds in front of it, decides what a finer cover may leave out.
    @Test(arguments: SeededRandom.seeds(1, 2))
    func refinementsAgree(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        let scores = (0..<400).map { _ in Geohash.score(of: Self.point(&dice)) }.sorted()
        for _ in 0..<150 {
            let center = Self.point(&dice)
            let size = Double(1 << dice.below(26))
            let shape = switch dice.below(3) {
            case 0: GeoShape(center: center, radius: size, metersPerUnit: 1)
            case 1: GeoShape(center: center, width: size, height: Double(1 << dice.below(26)), metersPerUnit: 1)
            default: GeoShape(vertices: (0..<4).map { _ in Self.point(&dice) }, metersPerUnit: 1)
            }
            func found(_ refinement: Int) -> [Double] {
                var found: [Double] = []
                GeoCover(shape).forEachRange(refinement: refinement) { range in
                    for score in scores where score >= range.low && score < range.high {
                        if shape.distance(to: Geohash.point(ofScore: score)) != nil { found.append(score) }
                    }
                    return true
                }
                return found
            }
            let plain = found(0)
            for refinement in 1...4 { verify(found(refinement) == plain, "seed \(seed) \(shape.form)") }
        }
    }

    /// A circle that reaches no pole and no edge of the grid is covered completely.
    @Test(arguments: SeededRandom.seeds(3))
    func circlesAreCovered(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        for _ in 0..<200 {
            let center = GeoPoint(longitude: Self.degrees(&dice, 180), latitude: Self.degrees(&dice, 60))
            let radius = Double(1 << dice.below(20))
            let shape = GeoShape(center: center, radius: radius, metersPerUnit: 1)
            var ranges: [GeoScoreRange] = []
            GeoCover(shape).forEachRange(refinement: 4) { range in
                ranges.append(range)
                return true
            }
            for _ in 0..<40 {
                let spread = radius / 111_000 * 1.5
                var near = GeoPoint(
                    longitude: center.longitude + Self.degrees(&dice, spread / cos(center.latitude * .pi / 180)),
                    latitude: center.latitude + Self.degrees(&dice, spread))
                if near.longitude > 180 { near.longitude -= 360 }
                if near.longitude < -180 { near.longitude += 360 }
                let score = Geohash.score(of: near)
                let position = Geohash.point(ofScore: score)
                let isNear = Geohash.distance(center, position) <= radius
                verify((shape.distance(to: position) != nil) == isNear, "seed \(seed)")
                let isCovered = ranges.contains { score >= $0.low && score < $0.high }
                verify(isCovered || !isNear, "seed \(seed): \(near) is within \(radius) of \(center)")
            }
        }
    }

    @Test(arguments: SeededRandom.seeds(4))
    func decodesWithinItsCell(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        for _ in 0..<5000 {
            let point = Self.point(&dice)
            // The limit itself overflows the grid, as in Redis.
            if point.longitude == 180 { continue }
            let score = Geohash.score(of: point)
            let decoded = Geohash.point(ofScore: score)
            verify(abs(decoded.longitude - point.longitude) <= 360 / 0x1p26, "seed \(seed)")
            verify(abs(decoded.latitude - point.latitude) <= 171 / 0x1p26, "seed \(seed)")
            verify(decoded.isValid, "seed \(seed)")
            let step = 1 + dice.below(26)
            let cell = Geohash.cell(of: decoded, step: step)
            verify(cell.neighbour(east: 1, north: 0).neighbour(east: -1, north: 0) == cell, "seed \(seed)")
            verify(cell.neighbour(east: 1, north: -1).neighbour(east: -1, north: 1) == cell, "seed \(seed)")
            verify(score >= Double(cell.scores.low) && score < Double(cell.scores.high), "seed \(seed)")
        }
    }

    /// ZADD can put any score into a geo set; each decodes to some valid position.
    @Test(arguments: SeededRandom.seeds(5))
    func decodesForeignScores(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        var scores: [Double] = [.infinity, -.infinity, 0x1p63, -0x1p63, 0x1p64, -1.5, 0.5, -0.0, .leastNonzeroMagnitude]
        for _ in 0..<2000 {
            let score = Double(bitPattern: dice.next())
            if !score.isNaN { scores.append(score) }
        }
        for score in scores { verify(Geohash.point(ofScore: score).isValid, "\(score)") }
        // What a stock server makes of them.
        #expect(Geohash.point(ofScore: .infinity) == Geohash.point(ofScore: 0))
        #expect(Geohash.point(ofScore: 0x1p70) == Geohash.point(ofScore: 0))
        #expect(Geohash.point(ofScore: -1.5).longitude == 180 && Geohash.point(ofScore: -1.5).latitude == 85.05112878)
    }

    private static func cText(_ value: Double, digits: Int32) -> String {
        var room = [CChar](repeating: 0, count: 64)
        _ = unsafe withVaList([digits, value]) { arguments in
            unsafe room.withUnsafeMutableBufferPointer { unsafe vsnprintf($0.baseAddress, 64, "%.*f", arguments) }
        }
        return String(decoding: room.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func text(_ body: (inout ByteBuffer) -> Void) -> String {
        var buffer = ByteBuffer()
        body(&buffer)
        return unsafe buffer.span.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: SeededRandom.seeds(6))
    func coordinatesPrintAsC(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        var values: [Double] = [0, -0.0, 1, -1, 180, -180, 0.5, 0.1, 1e-17, 5e-18, 4.9e-18, 1e-300, 0x1p-57, 0x1p-58]
        for _ in 0..<3000 {
            values.append(Self.degrees(&dice, 180))
            values.append(Self.degrees(&dice, 180) * Double(sign: .plus, exponent: -dice.below(80), significand: 1))
            values.append(Double(dice.below(360_000)) / 1000 - 180)
        }
        for value in values {
            var expected = Substring(Self.cText(value, digits: 17))
            while expected.hasSuffix("0") { expected.removeLast() }
            if expected.hasSuffix(".") { expected.removeLast() }
            if expected == "-0" { expected = "0" }
            let printed = Self.text { GeoText.appendCoordinate(value, to: &$0) }
            verify(printed == expected, "\(value) prints as \(printed), not \(expected)")
        }
    }

    @Test(arguments: SeededRandom.seeds(7))
    func distancesPrintFourDigits(seed: UInt64) {
        var dice = SeededRandom(seed: seed)
        for _ in 0..<3000 {
            let value = Double(dice.next() >> 11) / 0x1p53 * Double(1 << dice.below(30))
            // Scaling first rounds twice, as in Redis; the C library's text of the scaled integer is the model.
            let digits = Self.cText((value * 10000).rounded(.toNearestOrEven), digits: 0)
            let padded = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
            let expected = padded.dropLast(4) + "." + padded.suffix(4)
            let printed = Self.text { GeoText.appendDistance(value, to: &$0) }
            verify(printed == String(expected), "\(value) prints as \(printed), not \(expected)")
        }
        #expect(Self.text { GeoText.appendDistance(0, to: &$0) } == "0.0000")
        #expect(Self.text { GeoText.appendDistance(.infinity, to: &$0) } == "-922337203685477.5808")
    }
}
