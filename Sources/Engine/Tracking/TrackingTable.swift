// TrackingTable.swift - which clients may hold a copy of which key, for CLIENT TRACKING without BCAST. Clients are
// noted by id, so that one that left costs nothing until its keys change. Keys are known by name alone, whatever their
// database, as in Redis. Bounded by `tracking-table-max-keys`. Under the turn.
internal import Base

package struct TrackingTable {
    private var keys = NameTable()
    /// Ids of clients by the number of the key, ascending.
    private var clients: [[UInt64]] = []
    /// Next number to be given up when there are too many keys.
    private var hand = 0
    /// Pairs of key and client.
    package private(set) var itemCount = 0

    package init() {}

    package var keyCount: Int { keys.count }

    package mutating func remember(_ key: Span<UInt8>, _ client: UInt64) {
        let (number, isNew) = keys.insert(key, hash: NameTable.hash(key))
        if number == clients.count { clients.append([]) }
        if isNew {
            clients[number] = [client]
            itemCount += 1
            return
        }
        let index = TrackingTable.position(of: client, in: clients[number])
        if index < clients[number].count && clients[number][index] == client { return }
        clients[number].insert(client, at: index)
        itemCount += 1
    }

    /// Where `client` stands, or would stand. Young clients have high ids, so the end is looked at first.
    private static func position(of client: UInt64, in clients: [UInt64]) -> Int {
        if let last = clients.last, last < client { return clients.count }
        var (low, high) = (0, clients.count)
        while low < high {
            let middle = (low + high) / 2
            if clients[middle] < client { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Forgets a key: the clients that read it.
    package mutating func take(_ key: Span<UInt8>) -> [UInt64] {
        guard !keys.isEmpty, let number = keys.find(key, hash: NameTable.hash(key)) else { return [] }
        return take(number)
    }

    private mutating func take(_ number: Int) -> [UInt64] {
        let taken = clients[number]
        clients[number] = []
        itemCount -= taken.count
        keys.remove(number)
        if keys.isEmpty { clients = [] }
        return taken
    }

    /// Forgets some key, round after round another one; nil when there is none.
    package mutating func takeAny() -> (key: [UInt8], clients: [UInt64])? {
        guard !keys.isEmpty else { return nil }
        repeat { hand = hand + 1 < clients.count ? hand + 1 : 0 } while clients[hand].isEmpty
        let key = keys.name(hand)
        return (key, take(hand))
    }

    package mutating func removeAll() { self = TrackingTable() }
}
