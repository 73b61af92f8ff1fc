// BroadcastTable.swift - the prefixes of clients with CLIENT TRACKING BCAST, and the keys with each prefix that changed
// since the last broadcast. A changed key costs one lookup for each length that prefixes have. Under the turn.
internal import Base

struct BroadcastTable {
    struct Group {
        var clients: [SessionReference] = []
        /// Keys that changed, each with the id of the client that changed it last (0: none did).
        fileprivate var keys = NameTable()
        fileprivate var changers: [UInt64] = []
    }

    private var prefixes = NameTable()
    private var index = EdgeIndex(isAtEnd: false)
    private var groups: [Group] = []
    /// Groups with changed keys.
    private var pending: [Int] = []
    private var candidates: [Int] = []

    var prefixCount: Int { prefixes.count }
    var hasPending: Bool { @inline(__always) get { !pending.isEmpty } }

    mutating func add(_ prefix: [UInt8], _ session: SessionReference) {
        let (number, isNew) = prefixes.insert(prefix.span, hash: NameTable.hash(prefix.span))
        if number == groups.count { groups.append(Group()) }
        if isNew {
            groups[number] = Group()
            index.insert(prefix.span, number: number)
        }
        if !groups[number].clients.contains(session) { groups[number].clients.append(session) }
    }

    mutating func remove(_ prefix: [UInt8], _ session: SessionReference) {
        guard let number = prefixes.find(prefix.span, hash: NameTable.hash(prefix.span)) else { return }
        groups[number].clients.removeAll { $0 == session }
        guard groups[number].clients.isEmpty else { return }
        index.remove(prefix.span, number: number)
        prefixes.remove(number)
        groups[number] = Group()
        pending.removeAll { $0 == number }
        if prefixes.isEmpty { groups = [] }
    }

    mutating func noteChange(of key: Span<UInt8>, by client: UInt64) {
        index.appendCandidates(for: key, to: &candidates)
        for number in candidates {
            if groups[number].keys.isEmpty { pending.append(number) }
            let (place, _) = groups[number].keys.insert(key, hash: NameTable.hash(key))
            if place == groups[number].changers.count { groups[number].changers.append(0) }
            groups[number].changers[place] = client
        }
        candidates.removeAll(keepingCapacity: true)
    }

    /// The changed keys of the group whose prefix is the first in order, taken away and in order themselves, and who
    /// wants to know; nil when there are none.
    mutating func takePending() -> (clients: [SessionReference], keys: [(key: [UInt8], changer: UInt64)])? {
        guard let number = pending.min(by: { isBefore(prefixes.name($0), prefixes.name($1)) }) else { return nil }
        pending.removeAll { $0 == number }
        var keys: [(key: [UInt8], changer: UInt64)] = []
        let changers = groups[number].changers
        groups[number].keys.forEach { place, key in keys.append((key, changers[place])) }
        groups[number].keys = NameTable()
        groups[number].changers = []
        keys.sort { isBefore($0.key, $1.key) }
        return (groups[number].clients, keys)
    }

    private func isBefore(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.span.compare(right.span) < 0 }
}
