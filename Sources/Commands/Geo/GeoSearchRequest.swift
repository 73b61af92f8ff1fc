// GeoSearchRequest.swift - what GEOSEARCH, GEOSEARCHSTORE and the GEORADIUS family ask for, read word by word as stock
// servers read it: which error comes first depends on the order of the words, and a missing source key is no error.
// Engine's turn; made per command.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

/// Which command of the family runs.
enum GeoSearchForm {
    case radius(mayStore: Bool)
    case radiusByMember(mayStore: Bool)
    case search
    case searchStore

    var isSearch: Bool {
        switch self {
        case .search, .searchStore: true
        case .radius, .radiusByMember: false
        }
    }

    var mayStore: Bool {
        switch self {
        case .radius(let mayStore), .radiusByMember(let mayStore): mayStore
        case .search, .searchStore: false
        }
    }
}

struct GeoSearchRequest {
    enum Order {
        case none
        case ascending
        case descending
    }

    private enum Area {
        case circle(radius: Double, metersPerUnit: Double)
        case box(width: Double, height: Double, metersPerUnit: Double)
        case polygon([GeoPoint])
    }

    private let form: GeoSearchForm
    private var center: GeoPoint?
    private var area: Area?
    /// FROMMEMBER was given, whether or not there is a set to look it up in.
    private var isFromMember = false
    private var isFromPosition = false

    private(set) var withDistance = false
    private(set) var withHash = false
    private(set) var withPosition = false
    private(set) var order = Order.none
    /// Members wanted at most, 0 for all.
    private(set) var limit = 0
    /// The first ones found are enough.
    private(set) var takesAny = false
    /// The argument of the key that the result goes to.
    private(set) var storeIndex: Int?
    private(set) var storesDistance = false

    /// Reads the command; `entry` is what the source key holds, a sorted set or nothing.
    init(_ call: borrowing Call, _ form: GeoSearchForm, _ entry: Entry?) throws(CommandError) {
        self.form = form
        let optionsStart: Int
        switch form {
        case .radius:
            center = try call.position(2)
            let circle = try call.radius(4)
            area = .circle(radius: circle.size, metersPerUnit: circle.metersPerUnit)
            optionsStart = 6
        case .radiusByMember:
            // Without a set the radius is not even read.
            if let entry {
                center = try GeoSearchRequest.position(of: call.arguments[2], entry)
                let circle = try call.radius(3)
                area = .circle(radius: circle.size, metersPerUnit: circle.metersPerUnit)
            }
            optionsStart = 5
        case .search: optionsStart = 2
        case .searchStore:
            optionsStart = 3
            storeIndex = 1
        }
        var options = call.options(from: optionsStart)
        while !options.isAtEnd {
            if try readReplyOption(&options) { continue }
            if form.isSearch, try readSearchOption(call, &options, entry) { continue }
            if form.mayStore, try readStoreOption(&options) { continue }
            throw .syntax
        }
        try check(call)
        if limit > 0, order == .none, !takesAny { order = .ascending }
    }

    private static func position(of member: Span<UInt8>, _ entry: Entry) throws(CommandError) -> GeoPoint {
        guard let score = entry.sortedSet.score(of: member) else {
            throw .message("ERR could not decode requested zset member")
        }
        return Geohash.point(ofScore: score)
    }

    private mutating func readReplyOption(_ options: inout Options) throws(CommandError) -> Bool {
        if options.take("WITHDIST") {
            withDistance = true
        } else if options.take("WITHHASH") {
            withHash = true
        } else if options.take("WITHCOORD") {
            withPosition = true
        } else if options.take("ANY") {
            takesAny = true
        } else if options.take("ASC") {
            order = .ascending
        } else if options.take("DESC") {
            order = .descending
        } else if options.take("COUNT", values: 1) {
            limit = try options.integer()
            if limit <= 0 { throw .message("ERR COUNT must be > 0") }
        } else {
            return false
        }
        return true
    }

    private mutating func readStoreOption(_ options: inout Options) throws(CommandError) -> Bool {
        if options.take("STORE", values: 1) {
            storesDistance = false
        } else if options.take("STOREDIST", values: 1) {
            storesDistance = true
        } else {
            return false
        }
        storeIndex = try options.nextIndex()
        return true
    }

    private mutating func readSearchOption(
        _ call: borrowing Call, _ options: inout Options, _ entry: Entry?
    ) throws(CommandError) -> Bool {
        if !isFromPosition, !isPolygon, options.take("FROMMEMBER", values: 1) {
            let member = try options.next()
            if let entry { center = try GeoSearchRequest.position(of: member, entry) }
            isFromMember = true
        } else if !isFromMember, !isPolygon, options.take("FROMLONLAT", values: 2) {
            center = try call.position(options.index)
            try options.skip(2)
            isFromPosition = true
        } else if mayBecome(circle: true), options.take("BYRADIUS", values: 2) {
            let circle = try call.radius(options.index)
            try options.skip(2)
            area = .circle(radius: circle.size, metersPerUnit: circle.metersPerUnit)
        } else if mayBecome(box: true), options.take("BYBOX", values: 3) {
            try readBox(call, &options)
        } else if mayBecome(polygon: true), options.take("BYPOLYGON", values: 1) {
            try readPolygon(call, &options)
        } else if case .searchStore = form, options.take("STOREDIST") {
            storesDistance = true
        } else {
            return false
        }
        return true
    }

    private var isPolygon: Bool { if case .polygon = area { true } else { false } }

    /// Whether no area of another form was named; of the same form the last one counts.
    private func mayBecome(circle: Bool = false, box: Bool = false, polygon: Bool = false) -> Bool {
        switch area {
        case nil: !polygon || (!isFromMember && !isFromPosition)
        case .circle: circle
        case .box: box
        case .polygon: polygon
        }
    }

    private mutating func readBox(_ call: borrowing Call, _ options: inout Options) throws(CommandError) {
        guard let width = DoubleText.parse(try options.next()) else { throw .message("ERR need numeric width") }
        guard let height = DoubleText.parse(try options.next()) else { throw .message("ERR need numeric height") }
        if width < 0 || height < 0 { throw .message("ERR height or width cannot be negative") }
        area = .box(width: width, height: height, metersPerUnit: try GeoUnit.meters(try options.next()))
    }

    private mutating func readPolygon(_ call: borrowing Call, _ options: inout Options) throws(CommandError) {
        guard let count = IntegerText.parse(try options.next()), count <= Int64(Int32.max) else {
            throw .message("ERR invalid number of vertices")
        }
        guard count >= 3, count <= options.remaining / 2 else {
            throw .message("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices")
        }
        var vertices: [GeoPoint] = []
        for _ in 0..<count {
            vertices.append(try call.position(options.index))
            try options.skip(2)
        }
        area = .polygon(vertices)
    }

    private func check(_ call: borrowing Call) throws(CommandError) {
        if storeIndex != nil, withDistance || withHash || withPosition {
            if form.isSearch {
                throw .message(
                    "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options")
            }
            throw .message(
                "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options")
        }
        if form.isSearch {
            let name = call.arguments[0].text
            if !isFromMember, !isFromPosition, !isPolygon {
                call.reply.error("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for \(name)")
                throw .written
            }
            if area == nil {
                call.reply.error("ERR exactly one of BYRADIUS, BYBOX and BYPOLYGON can be specified for \(name)")
                throw .written
            }
        }
        if takesAny, limit == 0 { throw .message("ERR the ANY argument requires COUNT argument") }
    }

    /// Where to search, in a set that is there.
    var shape: GeoShape {
        switch (area, center) {
        case (.circle(let radius, let metersPerUnit), .some(let center)):
            GeoShape(center: center, radius: radius, metersPerUnit: metersPerUnit)
        case (.box(let width, let height, let metersPerUnit), .some(let center)):
            GeoShape(center: center, width: width, height: height, metersPerUnit: metersPerUnit)
        case (.polygon(let vertices), _):
            GeoShape(vertices: vertices, metersPerUnit: 1)
        default: preconditionFailure("a search has an area and a centre")
        }
    }
}
