// Subscriptions.swift - what one client listens to: its channels, patterns and shard channels by their numbers, each
// with the client's place among the subscribers. Made when a client first subscribes, so that nobody else pays for it.
// Under the turn.

package enum SubscriptionKind: Int, CaseIterable, Sendable {
    case channel, pattern, shardChannel
}

package final class Subscriptions {
    /// Number of the name -> place in its list of subscribers; one dictionary a kind.
    private var places: [[Int: Int]] = [[:], [:], [:]]

    subscript(kind: SubscriptionKind, number: Int) -> Int? {
        get { places[kind.rawValue][number] }
        set { places[kind.rawValue][number] = newValue }
    }

    func numbers(_ kind: SubscriptionKind) -> [Int] { places[kind.rawValue].keys.sorted() }

    /// CLIENT LIST's sub, psub and ssub.
    package func count(_ kind: SubscriptionKind) -> Int { places[kind.rawValue].count }

    /// What listening takes: names are everybody's, the client's are its places in two tables.
    package var byteCount: Int { count * Subscriptions.placeByteCount }
    private static let placeByteCount = 64

    package var count: Int { places.reduce(0) { $0 + $1.count } }
}
