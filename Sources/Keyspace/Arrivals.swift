// Arrivals.swift - keys that a command added to a database, on their way to keyspace notifications of class n.
// Recording is off while nobody listens to them; a new key then costs one compare. Engine's turn only.
internal import Base

package struct Arrivals: ~Copyable {
    /// Whether anybody wants to know; set by the engine.
    package internal(set) var isRecorded = false
    private var keys = ByteBuffer()
    private var lengths: [Int] = []

    package init() {}

    package var isEmpty: Bool { lengths.isEmpty }

    @inline(never)
    mutating func add(_ key: Span<UInt8>) {
        keys.append(key)
        lengths.append(key.count)
    }

    /// Calls `body` with every key in order and forgets them.
    package mutating func drain(_ body: (Span<UInt8>) -> Void) {
        var start = 0
        for length in lengths {
            body(keys.span.extracting(start..<(start + length)))
            start += length
        }
        lengths.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: 16 << 10)
    }
}

extension Keyspace {
    /// Records new keys from now on, or does not.
    package mutating func recordArrivals(_ isRecorded: Bool) {
        recordsArrivals = isRecorded
        for index in 0..<databaseCount { self[index].arrivals.isRecorded = isRecorded }
    }
}
