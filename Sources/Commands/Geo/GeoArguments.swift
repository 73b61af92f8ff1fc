// GeoArguments.swift - positions, units and sizes as geo commands spell them, each with the error that stock servers
// answer. Pure but for the error replies that quote numbers; engine's turn.
internal import Base
internal import Engine
internal import RESP
internal import Structures

enum GeoUnit {
    /// Metres in the unit that `word` names.
    static func meters(_ word: Span<UInt8>) throws(CommandError) -> Double {
        if word.equalsIgnoringCase("M") { return 1 }
        if word.equalsIgnoringCase("KM") { return 1000 }
        if word.equalsIgnoringCase("FT") { return 0.3048 }
        if word.equalsIgnoringCase("MI") { return 1609.34 }
        throw .message("ERR unsupported unit provided. please use M, KM, FT, MI")
    }
}

extension Call {
    /// The longitude at argument `index` and the latitude behind it.
    func position(_ index: Int) throws(CommandError) -> GeoPoint {
        let point = GeoPoint(longitude: try double(index), latitude: try double(index + 1))
        guard point.isValid else {
            reply.buffer.append("-ERR invalid longitude,latitude pair ")
            DoubleText.appendSixDecimals(point.longitude, to: &reply.buffer)
            reply.buffer.append(",")
            DoubleText.appendSixDecimals(point.latitude, to: &reply.buffer)
            reply.buffer.append("\r\n")
            throw .written
        }
        return point
    }

    /// A circle's radius at argument `index` and its unit behind it.
    func radius(_ index: Int) throws(CommandError) -> (size: Double, metersPerUnit: Double) {
        guard let size = DoubleText.parse(arguments[index]) else { throw .message("ERR need numeric radius") }
        if size < 0 { throw .message("ERR radius cannot be negative") }
        return (size, try GeoUnit.meters(arguments[index + 1]))
    }
}

extension Reply {
    /// A distance with four decimals, a bulk in either protocol.
    func distance(_ value: Double) {
        let mark = buffer.count
        GeoText.appendDistance(value, to: &buffer)
        insertHeader(UInt8(ascii: "$"), buffer.count - mark, at: mark)
        buffer.append("\r\n")
    }

    /// Longitude and latitude as an array.
    func position(_ point: GeoPoint) {
        array(2)
        coordinate(point.longitude)
        coordinate(point.latitude)
    }

    private func coordinate(_ value: Double) {
        let mark: Int
        if protocolVersion >= 3 {
            buffer.append(UInt8(ascii: ","))
            GeoText.appendCoordinate(value, to: &buffer)
        } else {
            mark = buffer.count
            GeoText.appendCoordinate(value, to: &buffer)
            insertHeader(UInt8(ascii: "$"), buffer.count - mark, at: mark)
        }
        buffer.append("\r\n")
    }
}
