// Lolwut.swift - LOLWUT: fog over hills, made anew at every call. The last line names the version, which scripts read.
internal import Base
internal import Engine
internal import RESP

enum Lolwut {
    static let commands: [Command] = [
        Command(
            "LOLWUT", "[VERSION version:integer]", arity: -1, [.readonly, .fast], in: .server, since: "5.0.0",
            summary: "Displays computer art and the server version.", run: lolwut)
    ]

    private static let columnsDefault = 66
    private static let rowsDefault = 18
    /// The largest picture, so that one call costs microseconds.
    private static let columnsMax = 200
    private static let rowsMax = 60

    /// LOLWUT [VERSION n] [columns [rows]]. Every version shows the same weather.
    private static func lolwut(_ call: inout Call) throws(CommandError) {
        var options = call.options(from: 1)
        if options.take("VERSION", values: 1) { _ = try options.integer() }
        var columns = columnsDefault
        var rows = rowsDefault
        if !options.isAtEnd { columns = max(1, min(columnsMax, try options.integer())) }
        if !options.isAtEnd { rows = max(1, min(rowsMax, try options.integer())) }
        var text = ByteBuffer()
        draw(columns: columns, rows: rows, random: &call.administration.random, to: &text)
        text.append("\nFog lies low and lifts when you look away. Redis ver. ")
        text.append(FogVersion.redis)
        text.append("\n")
        call.reply.verbatim(text.span)
    }

    /// From clear to thick.
    private static let shades = Array(" .:-=~*%#".utf8)

    /// Three drifting layers of triangle waves over a ridge: brighter where more of them lie over each other.
    private static func draw(
        columns: Int, rows: Int, random: inout RandomGenerator, to text: inout ByteBuffer
    ) {
        var layers: [(height: Int, length: Int, shift: Int)] = []
        for _ in 0..<3 {
            layers.append((random.below(rows), 7 + random.below(24), random.below(64)))
        }
        let ridge = (length: 11 + random.below(20), shift: random.below(64))
        for row in 0..<rows {
            for column in 0..<columns {
                let hill = rows - 1 - triangle(column + ridge.shift, ridge.length) * rows / (4 * ridge.length)
                if row >= hill {
                    text.append(row == hill ? UInt8(ascii: "^") : UInt8(ascii: "A"))
                    continue
                }
                var density = 0
                for layer in layers {
                    let middle = layer.height + triangle(column + layer.shift, layer.length) * 3 / layer.length
                    density += max(0, 3 - abs(row - middle))
                }
                text.append(shades[min(shades.count - 1, density + (density > 0 ? random.below(2) : 0))])
            }
            text.append("\n")
        }
    }

    /// 0 up to `length` and back to 0.
    private static func triangle(_ position: Int, _ length: Int) -> Int {
        let place = position % (2 * length)
        return place < length ? place : 2 * length - place
    }
}
