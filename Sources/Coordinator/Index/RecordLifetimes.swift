// RecordLifetimes.swift - when records of one kind die of age, by item number: an index must not count a record whose
// time has passed although nobody looked at its key since. Pure; under the turn.

struct RecordLifetimes {
    private var heap = ItemHeap()
    private var places = ItemPlaces()

    /// The record dies at `expiry`, or never (nil).
    mutating func set(_ item: Int32, _ expiry: Int64?) {
        remove(item)
        guard let expiry else { return }
        heap.insert(.init(key: expiry, order: Int64(item), item: item), &places)
    }

    mutating func remove(_ item: Int32) {
        if places.holds(item) { heap.remove(item, &places) }
    }

    /// A record that is dead for everybody who looks at `now`.
    func dead(at now: Int64) -> Int32? {
        guard let first = heap.first, first.key < now else { return nil }
        return first.item
    }

    mutating func removeAll() { self = RecordLifetimes() }
}
