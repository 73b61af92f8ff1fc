// DatasetDigest.swift - DEBUG DIGEST's arithmetic: a SHA-1 sum that does not depend on the order of keys, equal to the
// stock servers' for the same data, so that suites can compare a server with its replica or its reloaded self.
// `mix` is for parts in order, `add` for parts in any order.
internal import Base
internal import Engine
internal import Keyspace
package import Structures

package struct DatasetDigest {
    package private(set) var bytes = [UInt8](repeating: 0, count: SHA1.byteCount)

    package init() {}

    /// Adds something whose place does not matter.
    mutating func add(_ part: Span<UInt8>) {
        let sum = SHA1.digest(part)
        for index in bytes.indices { bytes[index] ^= sum[index] }
    }

    /// Adds something that comes after everything so far.
    mutating func mix(_ part: Span<UInt8>) {
        add(part)
        bytes = SHA1.digest(bytes.span)
    }

    mutating func mix(number: UInt32) {
        let parts: [UInt8] = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
        mix(parts.span)
    }

    /// The value of an entry. A type is known by its number in the stock servers, then by its content.
    package mutating func mixValue(_ entry: Entry) {
        mix(number: DatasetDigest.stockNumber(entry.objectType))
        switch entry.objectType {
        case .string:
            var text = ByteBuffer()
            entry.withStringBytes { text.append($0) }
            mix(text.span)
        case .list: mix(list: entry.list)
        case .set: mix(membersOf: entry)
        case .hash: mix(fieldsOf: entry)
        case .sortedSet: mix(sortedSet: entry.sortedSet)
        case .stream: mix(stream: entry.stream)
        }
        if entry.hasExpiry { add(Array("!!expire!!".utf8).span) }
    }

    /// A list's elements, in order.
    private mutating func mix(list: ListView) {
        var cursor = list.cursor()
        var text = ByteBuffer()
        while let element = cursor.next() {
            text.truncate(to: 0)
            element.append(to: &text)
            mix(text.span)
        }
    }

    /// A stream's entries, in order: identifier, then fields and values. Groups do not count.
    private mutating func mix(stream: borrowing StreamLog) {
        var walk = stream.walk(from: .zero, to: .max)
        var text = ByteBuffer()
        while let entry = walk.next() {
            mix("\(entry.id.milliseconds).\(entry.id.sequence)".utf8.span)
            entry.forEachPair { field, value in
                text.truncate(to: 0)
                field.append(to: &text)
                mix(text.span)
                text.truncate(to: 0)
                value.append(to: &text)
                mix(text.span)
            }
        }
    }

    /// A sorted set's members, each with its score, in any order.
    private mutating func mix(sortedSet: borrowing SortedSetView) {
        var sums: [[UInt8]] = []
        var text = ByteBuffer()
        sortedSet.forEach(in: sortedSet.whole) { member, score in
            var part = DatasetDigest()
            member.withText { part.mix($0) }
            text.truncate(to: 0)
            DoubleText.appendSeventeenDigits(score, to: &text)
            part.mix(text.span)
            sums.append(SHA1.digest(part.bytes.span))
        }
        for sum in sums { fold(sum) }
    }

    /// A set's members, in any order.
    private mutating func mix(membersOf entry: Entry) {
        var sums: [[UInt8]] = []
        entry.forEachMember { member in member.withText { text in sums.append(SHA1.digest(text)) } }
        for sum in sums { fold(sum) }
    }

    /// A hash's fields with their values, in any order; a field that will expire is told from one that will not.
    private mutating func mix(fieldsOf entry: Entry) {
        var parts: [[UInt8]] = []
        entry.forEachField(now: .min) { field, value, expiry in
            var part = DatasetDigest()
            field.withText { part.mix($0) }
            value.withText { part.mix($0) }
            if expiry != nil { part.add(Array("!!hexpire!!".utf8).span) }
            parts.append(SHA1.digest(part.bytes.span))
        }
        for part in parts { fold(part) }
    }

    private mutating func fold(_ sum: [UInt8]) {
        for index in bytes.indices { bytes[index] ^= sum[index] }
    }

    private static func stockNumber(_ type: ObjectType) -> UInt32 {
        switch type {
        case .string: 0
        case .list: 1
        case .set: 2
        case .sortedSet: 3
        case .hash: 4
        case .stream: 6
        }
    }

    var hexadecimal: String { Hexadecimal.text(bytes.span) }
}
