// ACLLog.swift - ACL LOG: the last refusals, equal ones within a minute counted as one. Bounded by `acllog-max-len`.

/// What was refused.
package enum ACLDenial: String, Sendable {
    case command, key, channel, database
    case authentication = "auth"
}

package struct ACLLog: Sendable {
    package struct Entry: Sendable {
        package let id: Int
        package let reason: ACLDenial
        /// "toplevel", "multi" or "lua".
        package let context: String
        package let object: [UInt8]
        package let user: [UInt8]
        package internal(set) var count = 1
        package let createdMilliseconds: Int64
        package internal(set) var updatedMilliseconds: Int64
        package internal(set) var client: String
    }

    /// Refusals that differ in nothing but their time are one entry for so long.
    private static let groupingMilliseconds: Int64 = 60_000
    /// How far back an equal entry is looked for.
    private static let groupingEntriesMax = 10

    /// Newest first.
    package private(set) var entries: [Entry] = []
    private var nextId = 0

    init() {}

    mutating func removeAll() { entries = [] }

    mutating func add(
        _ reason: ACLDenial, context: String, object: [UInt8], user: [UInt8], client: String, now: Int64, maximum: Int
    ) {
        let index = entries.prefix(ACLLog.groupingEntriesMax).firstIndex { entry in
            entry.reason == reason && entry.context == context && entry.object == object && entry.user == user
                && now - entry.createdMilliseconds <= ACLLog.groupingMilliseconds
        }
        if let index {
            var entry = entries.remove(at: index)
            entry.count += 1
            entry.updatedMilliseconds = now
            entry.client = client
            entries.insert(entry, at: 0)
        } else {
            let entry = Entry(
                id: nextId, reason: reason, context: context, object: object, user: user, createdMilliseconds: now,
                updatedMilliseconds: now, client: client)
            nextId += 1
            entries.insert(entry, at: 0)
        }
        if entries.count > max(0, maximum) { entries.removeLast(entries.count - max(0, maximum)) }
    }
}
