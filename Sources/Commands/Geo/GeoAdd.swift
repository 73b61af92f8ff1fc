// GeoAdd.swift - GEOADD: positions as members of a sorted set whose scores are their geohashes. All positions are read
// before anything changes; the adding itself is ZADD's.
internal import Base
internal import Engine
internal import RESP
internal import Structures

enum GeoAdd {
    static let commands: [Command] = [
        Command(
            "GEOADD",
            """
                key [condition=(NX | XX)@6.2.0] [change=CH@6.2.0] data=(longitude:double latitude:double \
                member)...
                """,
            arity: -5, [.write, .denyOOM], keys: [.key([.readWrite, .update])], in: .geo, since: "3.2.0",
            complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
            summary: "Adds one or more members to a geospatial index. The key is created if it doesn't exist.",
            history: [("6.2.0", "Added the `CH`, `NX` and `XX` options.")], run: add),
    ]

    private static let add: Command.Handler = { (call: inout Call) throws(CommandError) in
        var options = SortedSetAddOptions()
        var first = 2
        while first < call.arguments.count, options.takeForPositions(call.arguments[first]) { first += 1 }
        let wordCount = call.arguments.count - first
        guard wordCount > 0, wordCount % 3 == 0, !(options.onlyNew && options.onlyExisting) else { throw .syntax }
        for index in stride(from: first, to: call.arguments.count, by: 3) { _ = try call.position(index) }
        let pairs = SortedSetPairs(first: first, form: .positions)
        guard try call.addMembers(pairs, options) else { return }
        // As stock servers record it: whoever repeats it need not know about positions.
        let arguments = call.arguments
        call.propagate("ZADD") { words in
            for index in 1..<first { words.add(arguments[index]) }
            for index in 0..<pairs.count(arguments) {
                // A geohash has 52 bits.
                words.add(decimal: Int64(pairs.score(index, arguments)))
                words.add(pairs.member(index, arguments))
            }
        }
    }
}
