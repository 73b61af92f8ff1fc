// StructuresRun.swift - the pure data structures under any program at all: an input's first byte names a structure, the
// rest is a tape of edits and questions, done to the structure and to a plain model of arrays and dictionaries. Traps
// when the two differ or the structure finds a fault in itself. Shared by the tests and the fuzz target; reaches no
// file, no clock and no chance, so that an input always means the same.
internal import Base
internal import Structures

package enum StructuresRun {
    /// The structures, in the order of an input's first byte.
    private static let runs: [@Sendable (inout Tape) -> Void] = [
        ListRun.run, SortedRun.run, MemberRun.run, StreamRun.run, SketchRun.run, GeoRun.run, runForeign,
    ]
    package static var count: Int { runs.count }

    package static func run(_ input: [UInt8]) {
        guard let first = input.first else { return }
        var tape = Tape(Array(input.dropFirst()))
        runs[Int(first) % runs.count](&tape)
    }

    /// A table that starts with more members than keep to the process allocator: too slow for a fuzzer.
    package static func runLargeMembers(_ input: [UInt8]) {
        var tape = Tape(input)
        MemberRun.run(&tape, isLarge: true)
    }

    /// Bytes from outside, as compact forms and nodes of streams.
    private static func runForeign(_ tape: inout Tape) {
        let kind = tape.below(4)
        let bytes = tape.rest()
        switch kind {
        case 0: _ = CompactRun.listpack(bytes.span)
        case 1: _ = CompactRun.intset(bytes.span)
        case 2: _ = CompactRun.lzf(bytes.span)
        default: StreamRun.runForeign(bytes)
        }
    }
}

/// The bytes of an input, taken from the front; zeroes behind their end.
struct Tape {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isEnded: Bool { position >= bytes.count }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        position += 1
        return bytes[position - 1]
    }

    /// A number from 0 up to, but not with, `limit`.
    mutating func below(_ limit: Int) -> Int {
        let low = Int(byte())
        return limit > 256 ? (low | Int(byte()) << 8) % limit : low % max(1, limit)
    }

    mutating func word() -> UInt64 {
        var word: UInt64 = 0
        for _ in 0..<8 { word = word << 8 | UInt64(byte()) }
        return word
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, position + count)
        defer { position = end }
        return Array(bytes[position..<end])
    }

    mutating func rest() -> [UInt8] { bytes(bytes.count) }

    /// An element: often one of a few, so that things meet; sometimes a number, sometimes long, sometimes anything.
    mutating func element() -> [UInt8] {
        switch below(8) {
        case 0: Array(String(Int64(bitPattern: word())).utf8)
        case 1: bytes(below(40))
        case 2: [UInt8](repeating: byte(), count: below(20_000))
        case 3: Array(String(below(300)).utf8)
        default: Array("member:\(below(40))".utf8)
        }
    }

    /// A score that is a number.
    mutating func score() -> Double {
        switch below(6) {
        case 0: return [Double.infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude, 0.1][below(6)]
        case 1:
            let score = Double(bitPattern: word())
            return score.isNaN ? 1 : score
        default: return Double(below(12))
        }
    }
}

/// The text of an element.
func text(_ element: ListpackElement) -> [UInt8] {
    var output = ByteBuffer()
    element.append(to: &output)
    return array(output.span)
}

func array(_ bytes: Span<UInt8>) -> [UInt8] { bytes.indices.map { bytes[$0] } }
