// GeoCommandTests.swift - geo commands in both encodings of the set behind them: adding, reading, searching by every
// form, storing, and what is refused. Expected replies were taken from stock servers (polygons: Valkey 9.1).
import Base
import Engine
import TestKit
import Testing

struct GeoCommandTests {
    private static let sicily =
        "GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 12.758489 38.788135 edge1 17.241510 38.788135 edge2"

    private func run(_ variant: TestVariant, _ lines: [(String, String)]) throws {
        try TestSession(variant).run([(Self.sicily, "4")] + lines)
        try TestSession(variant).run([("CONFIG SET zset-max-listpack-entries 0", "OK"), (Self.sicily, "4")] + lines)
    }

    @Test(arguments: TestVariant.all)
    func adding(variant: TestVariant) throws {
        try run(variant, [
            ("GEOADD Sicily 13.361389 38.115556 Palermo", "0"), ("GEOADD Sicily CH 13.4 38.2 Palermo", "1"),
            ("GEOADD Sicily NX 14 38 Palermo", "0"), ("GEOADD Sicily XX CH 13.361389 38.115556 Palermo 1 1 none", "1"),
            ("GEOADD Sicily NX XX 1 2 x", "(error) ERR syntax error"), ("GEOADD Sicily 1 2 x 3", "(error) ERR syntax error"),
            ("GEOADD Sicily 181 0 x", "(error) ERR invalid longitude,latitude pair 181.000000,0.000000"),
            ("GEOADD Sicily 0 85.06 x", "(error) ERR invalid longitude,latitude pair 0.000000,85.060000"),
            ("GEOADD Sicily nan 0 x", "(error) ERR value is not a valid float"), ("ZCARD Sicily", "4"),
            ("OBJECT ENCODING Sicily", "(any)"), ("SET s v", "OK"),
            ("GEOADD s 1 2 x", "(error) WRONGTYPE Operation against a key holding the wrong kind of value"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func reading(variant: TestVariant) throws {
        try run(variant, [
            ("GEODIST Sicily Palermo Catania", #""166274.1516""#), ("GEODIST Sicily Palermo Catania km", #""166.2742""#),
            ("GEODIST Sicily Palermo Catania MI", #""103.3182""#), ("GEODIST Sicily Palermo none", "(nil)"),
            ("GEODIST Sicily Palermo Catania x", "(error) ERR unsupported unit provided. please use M, KM, FT, MI"),
            ("GEOHASH Sicily Palermo Catania none", #"["sqc8b49rny0", "sqdtr74hyu0", (nil)]"#),
            ("GEOHASH none a", "[(nil)]"), ("GEOPOS none a", "[(nil)]"), ("GEODIST none a b", "(nil)"),
        ])
    }

    @Test func positions() throws {
        try run(TestVariant(), [
            ("GEOPOS Sicily Palermo none", #"[["13.36138933897018433", "38.11555639549629859"], (nil)]"#)
        ])
        try run(TestVariant(protocolVersion: 3), [
            ("GEOPOS Sicily Palermo none", "[[(double) 13.36138933897018433, (double) 38.11555639549629859], (nil)]")
        ])
    }

    @Test(arguments: TestVariant.all)
    func searching(variant: TestVariant) throws {
        let center = "FROMLONLAT 15 37"
        try run(variant, [
            ("GEOSEARCH Sicily \(center) BYRADIUS 200 km ASC", #"["Catania", "Palermo"]"#),
            ("GEOSEARCH Sicily \(center) BYRADIUS 200 km DESC WITHDIST WITHHASH",
                #"[["Palermo", "190.4424", 3479099956230698], ["Catania", "56.4413", 3479447370796909]]"#),
            ("GEOSEARCH Sicily \(center) BYBOX 400 400 km ASC WITHDIST",
                #"[["Catania", "56.4413"], ["Palermo", "190.4424"], ["edge2", "279.7403"], ["edge1", "279.7405"]]"#),
            ("GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 300 mi ASC COUNT 2", #"["Palermo", "edge1"]"#),
            ("GEOSEARCH Sicily \(center) BYRADIUS 200 km COUNT 1", #"["Catania"]"#),
            ("GEOSEARCH Sicily \(center) BYRADIUS 200 km COUNT 1 ANY", #"["Palermo"]"#),
            ("GEOSEARCH Sicily BYPOLYGON 3 10 35 20 35 15 40 ASC", #"["Catania", "Palermo"]"#),
            ("GEOSEARCH none \(center) BYRADIUS 1 km", "[]"), ("GEOSEARCH none FROMMEMBER a BYRADIUS 1 km", "[]"),
            ("GEOSEARCH Sicily FROMMEMBER none BYRADIUS 1 km", "(error) ERR could not decode requested zset member"),
            ("GEOSEARCH Sicily \(center) BYRADIUS -1 km", "(error) ERR radius cannot be negative"),
            ("GEOSEARCH Sicily \(center) BYRADIUS x km", "(error) ERR need numeric radius"),
            ("GEOSEARCH Sicily \(center) BYBOX 1 x km", "(error) ERR need numeric height"),
            ("GEOSEARCH Sicily \(center) BYRADIUS 1 km COUNT 0", "(error) ERR COUNT must be > 0"),
            ("GEOSEARCH Sicily \(center) BYRADIUS 1 km ANY", "(error) ERR the ANY argument requires COUNT argument"),
            ("GEOSEARCH Sicily \(center) BYRADIUS 1 km BYBOX 1 1 km", "(error) ERR syntax error"),
            ("GEOSEARCH Sicily \(center) BYPOLYGON 3 10 35 20 35 15 40", "(error) ERR syntax error"),
            ("GEOSEARCH Sicily BYPOLYGON 2 10 35 20 35 ASC",
                "(error) ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"),
            ("GEOSEARCH Sicily BYPOLYGON 9223372036854775807 10 35 20 35 ASC", "(error) ERR invalid number of vertices"),
            ("GEOSEARCH Sicily BYRADIUS 1 km ASC WITHDIST",
                "(error) ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH"),
            ("GEORADIUS Sicily 15 37 200 km ASC", #"["Catania", "Palermo"]"#),
            ("GEORADIUS_RO Sicily 15 37 200 km STORE d", "(error) ERR syntax error"),
            ("GEORADIUSBYMEMBER Sicily Palermo 200 km ASC", #"["Palermo", "edge1", "Catania"]"#),
            ("GEORADIUSBYMEMBER none a x km", "[]"),
            ("GEORADIUSBYMEMBER_RO Sicily none 200 km", "(error) ERR could not decode requested zset member"),
        ])
    }

    @Test func storing() throws {
        try run(TestVariant(), [
            ("GEOSEARCHSTORE d Sicily FROMLONLAT 15 37 BYRADIUS 200 km", "2"),
            ("ZRANGE d 0 -1 WITHSCORES", #"["Palermo", "3479099956230698", "Catania", "3479447370796909"]"#),
            ("GEOSEARCHSTORE d Sicily FROMLONLAT 15 37 BYBOX 400 400 km ASC COUNT 2 STOREDIST", "2"),
            ("ZRANGE d 0 -1 WITHSCORES", #"["Catania", "56.4412578701582", "Palermo", "190.44242984775784"]"#),
            ("GEORADIUS Sicily 15 37 200 km STORE d COUNT 1", "1"), ("ZRANGE d 0 -1", #"["Catania"]"#),
            ("GEORADIUS Sicily 15 37 200 km STORE d WITHDIST",
                "(error) ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"),
            ("GEOSEARCHSTORE d Sicily FROMLONLAT 15 37 BYRADIUS 1 m", "0"), ("EXISTS d", "0"),
            ("GEORADIUSBYMEMBER Sicily Palermo 10 m STORE Sicily", "1"), ("ZRANGE Sicily 0 -1", #"["Palermo"]"#),
            ("GEOSEARCHSTORE Sicily none FROMLONLAT 15 37 BYRADIUS 1 m", "0"), ("EXISTS Sicily", "0"),
        ])
    }

    /// Scores come from ZADD too: whatever they are, a search over them ends and does not trap.
    @Test func foreignScores() throws {
        for limit in ["128", "0"] {
            try TestSession(TestVariant()).run([
                ("CONFIG SET zset-max-listpack-entries \(limit)", "OK"),
                ("ZADD g inf a -inf b 1e300 c -1e300 d 0.5 e 9007199254740993 f 1e19 h", "7"),
                ("GEOPOS g a b c d e f h", "(any)"), ("GEOHASH g a b c d e f h", "(any)"), ("GEODIST g a b", "(any)"),
                ("GEOSEARCH g FROMMEMBER a BYRADIUS 1e300 km WITHHASH WITHDIST WITHCOORD", "(any)"),
                ("GEOSEARCH g FROMLONLAT 0 0 BYBOX 1e300 1e300 mi ASC", "(any)"),
                ("GEOSEARCH g FROMLONLAT 180 85.05112878 BYRADIUS 30000 km DESC COUNT 3", "(any)"),
            ])
        }
    }
}
