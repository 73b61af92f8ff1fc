// GeoRead.swift - GEODIST, GEOHASH, GEOPOS: what is known about members of a geo set.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum GeoRead {
    static let commands: [Command] = [
        Command(
            "GEODIST", "key member1 member2 [unit=(M | KM | FT | MI)]", arity: -4, [.readonly],
            keys: [.key([.readOnly, .access])], in: .geo, since: "3.2.0", complexity: "O(1)",
            summary: "Returns the distance between two members of a geospatial index.", run: distance),
        Command(
            "GEOHASH", "key [member...]", arity: -2, [.readonly], keys: [.key([.readOnly, .access])], in: .geo,
            since: "3.2.0", complexity: "O(1) for each member requested.",
            summary: "Returns members from a geospatial index as geohash strings.", run: hash),
        Command(
            "GEOPOS", "key [member...]", arity: -2, [.readonly], keys: [.key([.readOnly, .access])], in: .geo,
            since: "3.2.0", complexity: "O(1) for each member requested.",
            summary: "Returns the longitude and latitude of members from a geospatial index.", run: position),
    ]

    private static let distance: Command.Handler = { (call: inout Call) throws(CommandError) in
        var metersPerUnit = 1.0
        if call.arguments.count == 5 {
            metersPerUnit = try GeoUnit.meters(call.arguments[4])
        } else if call.arguments.count > 5 {
            throw .syntax
        }
        guard let entry = try call.read(1, .sortedSet) else { return call.reply.null() }
        let set = entry.sortedSet
        guard let first = set.score(of: call.arguments[2]), let second = set.score(of: call.arguments[3]) else {
            return call.reply.null()
        }
        let meters = Geohash.distance(Geohash.point(ofScore: first), Geohash.point(ofScore: second))
        call.reply.distance(meters / metersPerUnit)
    }

    private static let hash: Command.Handler = { (call: inout Call) throws(CommandError) in
        let entry = try call.read(1, .sortedSet)
        call.reply.array(call.arguments.count - 2)
        for index in 2..<call.arguments.count {
            if let score = entry?.sortedSet.score(of: call.arguments[index]) {
                let text = Geohash.text(of: Geohash.point(ofScore: score))
                call.reply.bulk(text.span)
            } else {
                call.reply.null()
            }
        }
    }

    private static let position: Command.Handler = { (call: inout Call) throws(CommandError) in
        let entry = try call.read(1, .sortedSet)
        call.reply.array(call.arguments.count - 2)
        for index in 2..<call.arguments.count {
            if let score = entry?.sortedSet.score(of: call.arguments[index]) {
                call.reply.position(Geohash.point(ofScore: score))
            } else {
                call.reply.nullArray()
            }
        }
    }
}
