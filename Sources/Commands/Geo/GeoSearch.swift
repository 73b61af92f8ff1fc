// GeoSearch.swift - GEOSEARCH, GEOSEARCHSTORE, GEORADIUS, GEORADIUSBYMEMBER and their read-only forms: members within
// an area, by the score ranges that cover it. The hits are collected first, as references to members of the set, then
// ordered and answered or stored. Engine's turn only.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum GeoSearch {
    /// The key behind the word STORE or STOREDIST, wherever that stands.
    private static func storeKey(_ word: String, startFrom: Int) -> KeySpec {
        KeySpec(
            [.overwrite, .update, .variableFlags], begin: .keyword(word, startFrom: startFrom),
            find: .range(last: 0, step: 1, limit: 0))
    }

    static let commands: [Command] = [
        Command(
            "GEOSEARCH",
            """
                key [from=(FROMMEMBER member | FROMLONLAT (longitude:double latitude:double))] \
                by=(circle=(BYRADIUS radius:double unit=(M | KM | FT | MI)) | box=(BYBOX width:double \
                height:double unit=(M | KM | FT | MI)) | polygon=(BYPOLYGON num-vertices:integer \
                vertices=(longitude:double latitude:double)...)@9.0.0) [order=(ASC | DESC)] [count-block=(COUNT \
                count:integer [ANY])] [WITHCOORD] [WITHDIST] [WITHHASH]
                """,
            arity: -7, [.readonly], keys: [.key([.readOnly, .access])], in: .geo, since: "6.2.0",
            complexity: """
                O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the \
                shape provided as the filter and M is the number of items inside the shape
                """,
            summary: "Queries a geospatial index for members inside an area of a box, circle, or a polygon.",
            history: [
                ("7.0.0", "Added support for uppercase unit names."),
                ("9.0.0", "Added support for the BYPOLYGON option."),
            ],
            run: search),
        Command(
            "GEOSEARCHSTORE",
            """
                destination:key source:key [from=(FROMMEMBER member | FROMLONLAT (longitude:double \
                latitude:double))] by=(circle=(BYRADIUS radius:double unit=(M | KM | FT | MI)) | box=(BYBOX \
                width:double height:double unit=(M | KM | FT | MI)) | polygon=(BYPOLYGON num-vertices:integer \
                vertices=(longitude:double latitude:double)...)@9.0.0) [order=(ASC | DESC)] [count-block=(COUNT \
                count:integer [ANY])] [STOREDIST]
                """,
            arity: -8, [.write, .denyOOM], keys: [.key([.overwrite, .update]), .key(at: 2, [.readOnly, .access])],
            in: .geo, since: "6.2.0",
            complexity: """
                O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the \
                shape provided as the filter and M is the number of items inside the shape
                """,
            summary: """
                Queries a geospatial index for members inside an area of a box, a circle, or a polygon, optionally \
                stores the result.
                """,
            history: [
                ("7.0.0", "Added support for uppercase unit names."),
                ("9.0.0", "Added support for the BYPOLYGON option."),
            ],
            run: searchStore),
        Command(
            "GEORADIUS",
            """
                key longitude:double latitude:double radius:double unit=(M | KM | FT | MI) [WITHCOORD] [WITHDIST] \
                [WITHHASH] [count-block=(COUNT count:integer [ANY@6.2.0])] [order=(ASC | DESC)] [store=(STORE \
                storekey/key:key | STOREDIST storedistkey/key:key)]
                """,
            arity: -6, [.write, .denyOOM],
            keys: [
                .key([.readOnly, .access]), storeKey("STORE", startFrom: 6), storeKey("STOREDIST", startFrom: 6),
            ],
            in: .geo, since: "3.2.0",
            complexity: """
                O(N+log(M)) where N is the number of elements inside the bounding box of the circular area \
                delimited by center and radius and M is the number of items inside the index.
                """,
            summary: """
                Queries a geospatial index for members within a distance from a coordinate, optionally stores the \
                result.
                """,
            history: [
                ("6.2.0", "Added the `ANY` option for `COUNT`."),
                ("7.0.0", "Added support for uppercase unit names."),
            ],
            run: radius),
        Command(
            "GEORADIUS_RO",
            """
                key longitude:double latitude:double radius:double unit=(M | KM | FT | MI) [WITHCOORD] [WITHDIST] \
                [WITHHASH] [count-block=(COUNT count:integer [ANY@6.2.0])] [order=(ASC | DESC)]
                """,
            arity: -6, [.readonly], keys: [.key([.readOnly, .access])], in: .geo, since: "3.2.10",
            complexity: """
                O(N+log(M)) where N is the number of elements inside the bounding box of the circular area \
                delimited by center and radius and M is the number of items inside the index.
                """,
            summary: "Returns members from a geospatial index that are within a distance from a coordinate.",
            history: [
                ("6.2.0", "Added the `ANY` option for `COUNT`."),
                ("7.0.0", "Added support for uppercase unit names."),
            ],
            run: radiusReadOnly),
        Command(
            "GEORADIUSBYMEMBER",
            """
                key member radius:double unit=(M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] \
                [count-block=(COUNT count:integer [ANY])] [order=(ASC | DESC)] [store=(STORE storekey/key:key | \
                STOREDIST storedistkey/key:key)]
                """,
            arity: -5, [.write, .denyOOM],
            keys: [
                .key([.readOnly, .access]), storeKey("STORE", startFrom: 5), storeKey("STOREDIST", startFrom: 5),
            ],
            in: .geo, since: "3.2.0",
            complexity: """
                O(N+log(M)) where N is the number of elements inside the bounding box of the circular area \
                delimited by center and radius and M is the number of items inside the index.
                """,
            summary: """
                Queries a geospatial index for members within a distance from a member, optionally stores the \
                result.
                """,
            history: [
                ("6.2.0", "Added the `ANY` option for `COUNT`."),
                ("7.0.0", "Added support for uppercase unit names."),
            ],
            run: byMember),
        Command(
            "GEORADIUSBYMEMBER_RO",
            """
                key member radius:double unit=(M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] \
                [count-block=(COUNT count:integer [ANY])] [order=(ASC | DESC)]
                """,
            arity: -5, [.readonly], keys: [.key([.readOnly, .access])], in: .geo, since: "3.2.10",
            complexity: """
                O(N+log(M)) where N is the number of elements inside the bounding box of the circular area \
                delimited by center and radius and M is the number of items inside the index.
                """,
            summary: "Returns members from a geospatial index that are within a distance from a member.",
            history: [
                ("6.2.0", "Added the `ANY` option for `COUNT`."),
                ("7.0.0", "Added support for uppercase unit names."),
            ],
            run: byMemberReadOnly),
    ]

    private static let search: Command.Handler = { (call: inout Call) throws(CommandError) in
        try run(&call, .search, sourceAt: 1)
    }

    private static let searchStore: Command.Handler = { (call: inout Call) throws(CommandError) in
        try run(&call, .searchStore, sourceAt: 2)
    }

    private static let radius: Command.Handler = { (call: inout Call) throws(CommandError) in
        try run(&call, .radius(mayStore: true), sourceAt: 1)
    }

    private static let radiusReadOnly: Command.Handler = { (call: inout Call) throws(CommandError) in
        try run(&call, .radius(mayStore: false), sourceAt: 1)
    }

    private static let byMember: Command.Handler = { (call: inout Call) throws(CommandError) in
        try run(&call, .radiusByMember(mayStore: true), sourceAt: 1)
    }

    private static let byMemberReadOnly: Command.Handler = { (call: inout Call) throws(CommandError) in
        try run(&call, .radiusByMember(mayStore: false), sourceAt: 1)
    }

    private static func run(_ call: inout Call, _ form: GeoSearchForm, sourceAt index: Int) throws(CommandError) {
        let entry = try call.read(index, .sortedSet)
        let request = try GeoSearchRequest(call, form, entry)
        guard let entry else {
            guard let storeIndex = request.storeIndex else { return call.reply.array(0) }
            return call.storeResult(storeIndex, SortedSetDraft(call.sortedSetLimits), event: "")
        }
        let shape = request.shape
        var hits = GeoHits()
        hits.collect(entry.sortedSet, shape, limit: request.takesAny ? request.limit : 0)
        let count = hits.order(request.order, limit: request.limit)
        guard let storeIndex = request.storeIndex else {
            return answer(call.reply, request, shape, entry.sortedSet, hits, count)
        }
        var tally = ScoreTally()
        let set = entry.sortedSet
        for hit in hits.found.prefix(count) {
            let score = request.storesDistance ? hit.distance / shape.metersPerUnit : hit.score
            set.withMember(hit.member) { member in
                member.withText { text in tally.add(text, score: score) { $0 } }
            }
        }
        call.storeResult(
            storeIndex, tally.makeSet(call.sortedSetLimits), event: form.isSearch ? "geosearchstore" : "georadiusstore")
    }

    private static func answer(
        _ reply: Reply, _ request: GeoSearchRequest, _ shape: GeoShape, _ set: borrowing SortedSetView,
        _ hits: GeoHits, _ count: Int
    ) {
        let extras = (request.withDistance ? 1 : 0) + (request.withHash ? 1 : 0) + (request.withPosition ? 1 : 0)
        reply.array(count)
        for index in 0..<count {
            let hit = hits.found[index]
            if extras > 0 { reply.array(extras + 1) }
            set.withMember(hit.member) { reply.bulk($0) }
            if request.withDistance { reply.distance(hit.distance / shape.metersPerUnit) }
            if request.withHash { reply.integer(hit.hash) }
            if request.withPosition { reply.position(Geohash.point(ofScore: hit.score)) }
        }
    }
}

/// The members found, and their order.
struct GeoHits {
    struct Hit {
        let member: SortedMember
        let score: Double
        /// Metres from the centre.
        let distance: Double

        /// The score as the integer that C makes of it.
        var hash: Int { Int(exactly: score.rounded(.towardZero)) ?? Int.min }
    }

    private(set) var found: [Hit] = []

    /// Looks at every score range that may hold positions within `shape`; stops at `limit` hits when it is not 0.
    mutating func collect(_ set: borrowing SortedSetView, _ shape: GeoShape, limit: Int) {
        let cover = GeoCover(shape)
        var hits = found
        var isFull = false
        cover.forEachRange(refinement: set.isLarge ? GeoCover.treeRefinement : 0) { range in
            set.forEachReference(from: ScoreBound(range.low)) { member, score in
                guard score < range.high else { return false }
                if let distance = shape.distance(to: Geohash.point(ofScore: score)) {
                    hits.append(Hit(member: member, score: score, distance: distance))
                    isFull = limit > 0 && hits.count >= limit
                }
                return !isFull
            }
            return !isFull
        }
        found = hits
    }

    /// Brings the `limit` (0: all) nearest or farthest hits to the front, in order; returns how many those are.
    mutating func order(_ order: GeoSearchRequest.Order, limit: Int) -> Int {
        let count = limit == 0 ? found.count : min(limit, found.count)
        switch order {
        case .none: break
        case .ascending: select(count) { $0.distance < $1.distance }
        case .descending: select(count) { $0.distance > $1.distance }
        }
        return count
    }

    /// A few out of many are picked out before they are sorted.
    private mutating func select(_ count: Int, by precedes: (Hit, Hit) -> Bool) {
        guard count > 0, count < found.count / 4 else { return found.sort(by: precedes) }
        // `best` stays sorted; nearly all hits are refused by one comparison with its last.
        var best: [Hit] = []
        best.reserveCapacity(count + 1)
        for hit in found {
            if best.count == count, !precedes(hit, best[count - 1]) { continue }
            var low = 0
            var high = best.count
            while low < high {
                let middle = (low + high) / 2
                if precedes(hit, best[middle]) { high = middle } else { low = middle + 1 }
            }
            best.insert(hit, at: low)
            if best.count > count { best.removeLast() }
        }
        found.replaceSubrange(0..<count, with: best)
    }
}
