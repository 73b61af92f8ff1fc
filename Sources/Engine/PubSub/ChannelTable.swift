// ChannelTable.swift - the names that clients subscribed to (channels, patterns or shard channels) and who listens. A
// subscriber knows its place in the list of each of its names, so that leaving costs the same among two subscribers and
// among a million. Under the turn.
package import Base

package struct ChannelTable: ~Copyable {
    package private(set) var names = NameTable()
    /// Subscribers by the number of the name; the list of a name that is not there is empty.
    private var lists: [[SessionReference]] = []

    /// Names with at least one subscriber.
    package var count: Int { names.count }

    var isEmpty: Bool { @inline(__always) get { names.isEmpty } }

    @inline(__always)
    func find(_ name: Span<UInt8>, hash: UInt64) -> Int? { names.find(name, hash: hash) }

    func subscriberCount(_ number: Int) -> Int { lists[number].count }

    func subscribers(_ number: Int) -> [SessionReference] { lists[number] }

    /// Adds a subscriber that the name does not have yet.
    mutating func add(
        _ name: Span<UInt8>, hash: UInt64, _ session: SessionReference
    ) -> (number: Int, position: Int, isNewName: Bool) {
        let (number, isNew) = names.insert(name, hash: hash)
        if number == lists.count { lists.append([]) }
        lists[number].append(session)
        return (number, lists[number].count - 1, isNew)
    }

    /// Takes a subscriber out. Its place is given to the last one, who is returned when there is such a one.
    mutating func remove(_ number: Int, at position: Int) -> SessionReference? {
        let last = lists[number].removeLast()
        if position < lists[number].count {
            lists[number][position] = last
            return last
        }
        if lists[number].isEmpty {
            lists[number] = []
            names.remove(number)
            if names.isEmpty { lists = [] }
        }
        return nil
    }
}
