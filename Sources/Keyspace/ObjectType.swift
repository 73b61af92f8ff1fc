// ObjectType.swift - the numbers that stand in an entry's header for its type and encoding, and their public names.
// They are not persisted (RDB has its own numbers), so they may be reordered.
package import Structures

/// What a key holds.
package enum ObjectType: Int, CaseIterable, Sendable {
    case string = 0
    case list = 1
    case set = 2
    case sortedSet = 3
    case hash = 4
    case stream = 5

    /// The name TYPE and SCAN TYPE use.
    package var name: StaticString {
        switch self {
        case .string: "string"
        case .list: "list"
        case .set: "set"
        case .sortedSet: "zset"
        case .hash: "hash"
        case .stream: "stream"
        }
    }
}

/// How a string value lies in its entry. Bit 3 says, for values of every type, that they live outside the entry.
package enum StringEncoding: Int, Sendable {
    /// Eight bytes, little endian.
    case integer = 0
    /// The bytes themselves, never modified in place since they were set (at most 44 bytes, as Redis names it).
    case embedded = 1
    /// The bytes themselves.
    case raw = 2
    /// Address, length and capacity of memory of its own.
    case external = 8
}

extension Entry {
    /// What OBJECT ENCODING calls the way the value is kept. A type plugs in by a case.
    package var encodingName: StaticString {
        if isAsleep { return tier.encodingName }
        switch objectType {
        case .string:
            switch stringEncoding {
            case .integer: return "int"
            case .embedded: return "embstr"
            case .raw, .external: return "raw"
            }
        case .list:
            switch listEncoding {
            case .compact, .listpack: return "listpack"
            case .quicklist: return "quicklist"
            }
        case .set, .hash:
            switch collectionEncoding {
            case .listpack: return "listpack"
            case .intset: return "intset"
            case .table: return "hashtable"
            }
        case .sortedSet: return hasHeldValue ? "skiplist" : "listpack"
        case .stream: return "stream"
        }
    }
}
