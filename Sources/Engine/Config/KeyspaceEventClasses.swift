// KeyspaceEventClasses.swift - the event classes of `notify-keyspace-events` as a bit set, with Redis' letters and bit
// positions. Read by the effects that follow every write (one AND per event), written by CONFIG SET and at start.
// The bit positions never leave the process.

/// A set of event classes.
package struct KeyspaceEventClasses: OptionSet, Sendable, BitwiseCopyable {
    /// The bits.
    package let rawValue: Int
    /// From bits.
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// K: publish on `__keyspace@<db>__:<key>`.
    package static let keyspace = KeyspaceEventClasses(rawValue: 1 << 0)
    /// E: publish on `__keyevent@<db>__:<event>`.
    package static let keyevent = KeyspaceEventClasses(rawValue: 1 << 1)
    /// g: commands of no particular type (DEL, EXPIRE, RENAME).
    package static let generic = KeyspaceEventClasses(rawValue: 1 << 2)
    /// $: strings.
    package static let string = KeyspaceEventClasses(rawValue: 1 << 3)
    /// l: lists.
    package static let list = KeyspaceEventClasses(rawValue: 1 << 4)
    /// s: sets.
    package static let set = KeyspaceEventClasses(rawValue: 1 << 5)
    /// h: hashes.
    package static let hash = KeyspaceEventClasses(rawValue: 1 << 6)
    /// z: sorted sets.
    package static let sortedSet = KeyspaceEventClasses(rawValue: 1 << 7)
    /// x: a key expired.
    package static let expired = KeyspaceEventClasses(rawValue: 1 << 8)
    /// e: a key was evicted.
    package static let evicted = KeyspaceEventClasses(rawValue: 1 << 9)
    /// t: streams.
    package static let stream = KeyspaceEventClasses(rawValue: 1 << 10)
    /// m: a key was asked for and is not there. Not in A.
    package static let keyMiss = KeyspaceEventClasses(rawValue: 1 << 11)
    /// d: module types.
    package static let module = KeyspaceEventClasses(rawValue: 1 << 13)
    /// n: a key is new. Not in A.
    package static let new = KeyspaceEventClasses(rawValue: 1 << 14)
    /// o: a key's value was replaced whole. Not in A.
    package static let overwritten = KeyspaceEventClasses(rawValue: 1 << 15)
    /// c: a key changed its type. Not in A.
    package static let typeChanged = KeyspaceEventClasses(rawValue: 1 << 16)
    /// A: every class but m, n, o and c.
    package static let all: KeyspaceEventClasses = [
        .generic, .string, .list, .set, .hash, .sortedSet, .expired, .evicted, .stream, .module,
    ]

    /// Letters in the order in which they are printed; A stands for the first ten.
    private static let letters: [(UInt8, KeyspaceEventClasses)] = [
        (UInt8(ascii: "g"), .generic), (UInt8(ascii: "$"), .string), (UInt8(ascii: "l"), .list),
        (UInt8(ascii: "s"), .set), (UInt8(ascii: "h"), .hash), (UInt8(ascii: "z"), .sortedSet),
        (UInt8(ascii: "x"), .expired), (UInt8(ascii: "e"), .evicted), (UInt8(ascii: "t"), .stream),
        (UInt8(ascii: "d"), .module), (UInt8(ascii: "n"), .new), (UInt8(ascii: "o"), .overwritten),
        (UInt8(ascii: "c"), .typeChanged), (UInt8(ascii: "K"), .keyspace), (UInt8(ascii: "E"), .keyevent),
        (UInt8(ascii: "m"), .keyMiss),
    ]

    /// nil at the first letter that names no class.
    package init?(letters text: [UInt8]) {
        var classes: KeyspaceEventClasses = []
        for letter in text {
            if letter == UInt8(ascii: "A") {
                classes.formUnion(.all)
            } else if let found = KeyspaceEventClasses.letters.first(where: { $0.0 == letter }) {
                classes.formUnion(found.1)
            } else {
                return nil
            }
        }
        self = classes
    }

    /// The normal form: A when all its classes are on, then what is left in a fixed order.
    package var letters: [UInt8] {
        let isAll = isSuperset(of: .all)
        let rest = KeyspaceEventClasses.letters.filter {
            contains($0.1) && !(isAll && KeyspaceEventClasses.all.contains($0.1))
        }
        return (isAll ? [UInt8(ascii: "A")] : []) + rest.map(\.0)
    }
}
