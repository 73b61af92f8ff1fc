// RecordFields.swift - fields and values on their way into a record's hash: one buffer, used again from command to
// command, so that writing a record allocates nothing in steady state. Owned by whoever builds it. Pure.
internal import Base

package struct RecordFields: ~Copyable {
    private var bytes = ByteBuffer()
    /// Where each field and each value ends, in turn.
    private var ends: [Int] = []
    /// Whether names come from a client, so that one may stand twice.
    private(set) var mayRepeat = false

    package init() {}

    package var count: Int { ends.count / 2 }
    package var isEmpty: Bool { ends.isEmpty }
    /// Bytes of all names and values.
    package var byteCount: Int { bytes.count }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: 4096)
        ends.removeAll(keepingCapacity: true)
        mayRepeat = false
    }

    package mutating func add(_ field: StaticString, _ value: Span<UInt8>) {
        name(field)
        bytes.append(value)
        ends.append(bytes.count)
    }

    package mutating func add(_ field: StaticString, text: StaticString) {
        name(field)
        bytes.append(text)
        ends.append(bytes.count)
    }

    package mutating func add(_ field: StaticString, decimal: Int64) {
        name(field)
        bytes.append(decimal: Int(decimal))
        ends.append(bytes.count)
    }

    package mutating func add(_ field: StaticString, double: Double) {
        name(field)
        DoubleText.append(double, to: &bytes)
        ends.append(bytes.count)
    }

    /// A field that the client named; of several with one name the last counts.
    package mutating func add(named field: Span<UInt8>, _ value: Span<UInt8>) {
        mayRepeat = true
        bytes.append(field)
        ends.append(bytes.count)
        bytes.append(value)
        ends.append(bytes.count)
    }

    private mutating func name(_ field: StaticString) {
        bytes.append(field)
        ends.append(bytes.count)
    }

    /// Every field with its value, in order.
    package func forEach(_ body: (_ field: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        var start = 0
        for index in stride(from: 0, to: ends.count, by: 2) {
            let (middle, end) = (ends[index], ends[index + 1])
            body(bytes.span.extracting(start..<middle), bytes.span.extracting(middle..<end))
            start = end
        }
    }
}
