// ACLCategory.swift - the categories ACL rules name ("+@read"), in the order in which COMMAND INFO and ACL CAT list
// them. Most of a command's categories follow from its flags and its group (`Command+Derived`). Pure; any thread.
// The order is part of the wire format and must not change.

package enum ACLCategory: String, Sendable, CaseIterable {
    case keyspace, read, write, set, sortedset, list, hash, string, bitmap, hyperloglog, geo, stream, pubsub, admin,
        fast, slow, blocking, dangerous, connection, transaction, scripting,
        // Fog's own, behind those that stock servers know.
        fog, fogmarket
}

/// A set of categories, in one word.
package struct ACLCategories: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package init(_ category: ACLCategory) {
        let index = ACLCategory.allCases.firstIndex(of: category) ?? 0
        self.init(rawValue: 1 << UInt32(index))
    }

    package func contains(_ category: ACLCategory) -> Bool { contains(ACLCategories(category)) }

    package mutating func insert(_ category: ACLCategory) { formUnion(ACLCategories(category)) }

    /// The categories in their order.
    package var list: [ACLCategory] { ACLCategory.allCases.filter { contains($0) } }

    /// What a command works on; a command that names one of these does not get its group's.
    static let areas: ACLCategories = {
        var areas: ACLCategories = []
        for group in CommandGroup.allCases { if let category = group.aclCategory { areas.insert(category) } }
        return areas
    }()
}

extension CommandGroup {
    /// The category that the group's commands belong to unless they say otherwise.
    var aclCategory: ACLCategory? {
        switch self {
        case .generic: .keyspace
        case .string: .string
        case .list: .list
        case .set: .set
        case .sortedSet: .sortedset
        case .hash: .hash
        case .stream: .stream
        case .bitmap: .bitmap
        case .hyperloglog: .hyperloglog
        case .geo: .geo
        case .connection: .connection
        case .transactions: .transaction
        case .scripting: .scripting
        case .fog: .fog
        case .server, .cluster, .pubsub, .sentinel: nil
        }
    }
}
