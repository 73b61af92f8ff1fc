// GeoGoldenTests.swift - 600 positions and 60 searches answered by a stock Valkey 9.1.2 (Redis 7.0.15 agrees wherever
// it has the form), frozen as counts and FNV-1a hashes of every printed digit, order included: what GEOPOS, GEOHASH,
// ZSCORE, GEODIST and GEOSEARCH ... WITHDIST said. Every search runs with several refinements: none may change it.
import Testing
import Base
@testable import Structures

struct GeoGoldenTests {
    /// Members found and the hash of their lines, per search.
    private static let searches: [(Int, UInt64)] = [
        (1, 0x82a2e678668da3c4), (0, 0xcbf29ce484222325), (3, 0xc13c608f9a1a897d),
        (4, 0x7b385bf732abcfa1), (1, 0x4c56ff9ea6e6b4f8), (1, 0x3f4ade4514a9254d),
        (1, 0x3575f1742ef4ac70), (146, 0x8c4d9ea25f248a49), (1, 0x7783afb9e62e859a),
        (50, 0x6027ac7ff6c22b13), (1, 0xcdcf07b09de4fef9), (9, 0x6640adeec5adf05e),
        (1, 0x23396b7304a5f965), (61, 0xda1deab5d393c1e3), (1, 0x5877689b7592d53f),
        (2, 0xdd4dd95958f3942b), (3, 0xf9ce1e164158e74e), (1, 0xfb694073b0b6b0c7),
        (1, 0x374a2dc62e9e525b), (1, 0xf5e53b0ba3e9646f), (1, 0x21bad91379a9daa0),
        (1, 0x796902a58708c951), (1, 0x7d080f5e0a33da3b), (1, 0x4c53899ea6e3b69f),
        (1, 0xb257c8b00f08b183), (148, 0x211aa8c1d9f55ee6), (3, 0x707fb0bc3970dd8a),
        (4, 0x9cbe2582868c139d), (2, 0xa7d4131db93d3c2c), (0, 0xcbf29ce484222325),
        (2, 0x64b25e8d2bec6da3), (150, 0xb61e3aee632f186e), (1, 0x1c3d1bc137e64110),
        (1, 0xc239db98b9852f42), (1, 0x6aadda309c3a38ad), (2, 0x563ac3eb60837746),
        (135, 0x246ab07e9a502177), (3, 0x4641294eb946830f), (1, 0x13d482559f6f066f),
        (11, 0xb587b3e0f6df3619), (1, 0xcab6f34cd6a79c38), (111, 0xea0c5e1420dd40aa),
        (1, 0x8de6de57cf0170fc), (150, 0xc87606168eaaa934), (1, 0x64281c3e2f796cd9),
        (5, 0xcce5ee306b8318ff), (1, 0x1600c8fc264ae38f), (1, 0xe2a78a2bb7e177ae),
        (116, 0x782014b382211c97), (26, 0x98889aca7b482d07), (1, 0xb924cd28f16e6246),
        (1, 0x0525036e70d04a6e), (0, 0xcbf29ce484222325), (183, 0x01cd8886f44b97d0),
        (1, 0x56e1876e7c3137e6), (126, 0x6bcde5adf8013e22), (148, 0xd6ab538d27cd16b8),
        (5, 0x3b794365b7585f03), (2, 0x93616ee62652ecfc), (6, 0x5984734fbdde2d39),
    ]
    private static let positionsHash: UInt64 = 0x4389_4199_dc1f_0630
    private static let units = [1, 1000, 0.3048, 1609.34]

    private static func unit(_ dice: inout SeededRandom) -> Double { Double(dice.next() >> 11) / 0x1p53 }

    private static func positions(_ dice: inout SeededRandom) -> [GeoPoint] {
        (0..<600).map { _ in
            let style = dice.below(4)
            let first = unit(&dice)
            let second = unit(&dice)
            switch style {
            case 0: return GeoPoint(longitude: -180 + 360 * first, latitude: -85 + 170 * second)
            case 1: return GeoPoint(longitude: 13 + 2 * first, latitude: 37 + 2 * second)
            case 2:
                let longitude = dice.below(2) == 0 ? 179 + first : -179 - first
                return GeoPoint(longitude: longitude, latitude: -60 + 120 * second)
            default:
                let latitude = dice.below(2) == 0 ? 83 + 2 * second : -83 - 2 * second
                return GeoPoint(longitude: -180 + 360 * first, latitude: latitude)
            }
        }
    }

    private static func shape(_ positions: [GeoPoint], _ dice: inout SeededRandom) -> GeoShape {
        let center = positions[dice.below(600)]
        let metersPerUnit = units[dice.below(4)]
        _ = unit(&dice)
        let width = Double(1 << (8 + dice.below(17))) / metersPerUnit
        let height = Double(1 << (8 + dice.below(17))) / metersPerUnit
        switch dice.below(3) {
        case 0: return GeoShape(center: center, radius: width, metersPerUnit: metersPerUnit)
        case 1: return GeoShape(center: center, width: width, height: height, metersPerUnit: metersPerUnit)
        default:
            let vertices = (0..<5).map { _ in
                let longitude = max(-180, min(180, center.longitude + 40 * (unit(&dice) - 0.5)))
                let latitude = max(-85, min(85, center.latitude + 40 * (unit(&dice) - 0.5)))
                return GeoPoint(longitude: longitude, latitude: latitude)
            }
            return GeoShape(vertices: vertices, metersPerUnit: 1)
        }
    }

    private static func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in 0..<bytes.count { hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01b3 }
        return hash
    }

    @Test func positionsPrintAsStock() {
        var dice = SeededRandom(seed: 20_260_101)
        let scores = Self.positions(&dice).map { Geohash.score(of: $0) }
        var text = ByteBuffer()
        for (index, score) in scores.enumerated() {
            let point = Geohash.point(ofScore: score)
            GeoText.appendCoordinate(point.longitude, to: &text)
            text.append(" ")
            GeoText.appendCoordinate(point.latitude, to: &text)
            text.append(" ")
            let letters = Geohash.text(of: point)
            for letter in 0..<11 { text.append(letters[letter]) }
            text.append(" ")
            text.append(decimal: Int(score))
            text.append(" ")
            let other = Geohash.point(ofScore: scores[index * 7 % 600])
            GeoText.appendDistance(Geohash.distance(point, other) / 1000, to: &text)
            text.append("\n")
        }
        let hash = Self.hash(text.span)
        #expect(hash == Self.positionsHash)
    }

    /// The members of `set` within `shape`, a line each.
    private static func search(
        _ set: borrowing OrderedSet, _ shape: GeoShape, refinement: Int, _ text: inout ByteBuffer
    ) -> Int {
        var found = 0
        GeoCover(shape).forEachRange(refinement: refinement) { range in
            var cursor = set.cursor(from: ScoreBound(range.low))
            while let entry = cursor.nextScored(), entry.score < range.high {
                guard let distance = shape.distance(to: Geohash.point(ofScore: entry.score)) else { continue }
                found += 1
                text.append(entry.element.key)
                text.append(" ")
                GeoText.appendDistance(distance / shape.metersPerUnit, to: &text)
                text.append("\n")
            }
            return true
        }
        return found
    }

    private static func fill(_ set: inout OrderedSet, _ arena: inout EntryArena, _ positions: [GeoPoint]) {
        for (index, point) in positions.enumerated() {
            set.insert(arena.makeMember(Array("p\(index)".utf8).span, score: Geohash.score(of: point)))
        }
    }

    @Test(arguments: [0, 1, 2, 3, 5])
    func searchesAnswerAsStock(refinement: Int) {
        var dice = SeededRandom(seed: 20_260_101)
        let positions = Self.positions(&dice)
        var arena = EntryArena()
        defer { arena.releaseAll() }
        var set = OrderedSet()
        Self.fill(&set, &arena, positions)
        for (number, expected) in Self.searches.enumerated() {
            let shape = Self.shape(positions, &dice)
            var text = ByteBuffer()
            let found = Self.search(set, shape, refinement: refinement, &text)
            let hash = Self.hash(text.span)
            #expect(found == expected.0 && hash == expected.1, "search \(number)")
        }
    }

    /// Centres on the limits of the grid, whose cells overflow, and circles without end.
    @Test(arguments: [0, 1, 2, 3, 5])
    func cornersAnswerAsStock(refinement: Int) {
        var dice = SeededRandom(seed: 20_260_101)
        var arena = EntryArena()
        defer { arena.releaseAll() }
        var set = OrderedSet()
        Self.fill(&set, &arena, Self.positions(&dice))
        var text = ByteBuffer()
        var found = 0
        for longitude in [180.0, -180, 0] {
            for latitude in [85.05112878, -85.05112878, 0] {
                for radius in [300, 5000, Double.infinity] {
                    let center = GeoPoint(longitude: longitude, latitude: latitude)
                    let shape = GeoShape(center: center, radius: radius, metersPerUnit: 1000)
                    found += Self.search(set, shape, refinement: refinement, &text)
                }
            }
        }
        let hash = Self.hash(text.span)
        #expect(found == 5230 && hash == 0x9ee1_0bd6_dd07_9eef)
    }
}
