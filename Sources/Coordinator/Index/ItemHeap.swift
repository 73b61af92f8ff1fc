// ItemHeap.swift - items in order of a number (when due, how dear, how fast): the first in O(1), joining and leaving
// from any place in O(log n). Where an item stands is kept by item number in an array that several heaps may share as
// long as an item is in one of them only. `ItemSelection` walks the first few of one or many heaps in order without
// taking them out. Pure; under the turn; no allocation once the arrays have grown.

/// Where items stand in their heap, by item number; -1 for those in none.
package struct ItemPlaces {
    fileprivate var places: [Int32] = []
    package init() {}

    package func holds(_ item: Int32) -> Bool { place(item) != nil }

    fileprivate func place(_ item: Int32) -> Int? {
        guard Int(item) < places.count, places[Int(item)] >= 0 else { return nil }
        return Int(places[Int(item)])
    }

    fileprivate mutating func set(_ item: Int32, _ place: Int) {
        while places.count <= Int(item) { places.append(-1) }
        places[Int(item)] = Int32(truncatingIfNeeded: place)
    }
}

package struct ItemHeap {
    package struct Entry: Equatable, Sendable {
        package let key: Int64
        /// Decides between equal keys.
        package let order: Int64
        package let item: Int32

        package init(key: Int64, order: Int64, item: Int32) {
            self.key = key
            self.order = order
            self.item = item
        }

        static func < (left: Entry, right: Entry) -> Bool {
            left.key != right.key ? left.key < right.key : left.order < right.order
        }
    }

    private(set) var entries: [Entry] = []

    package init() {}

    package var first: Entry? { entries.first }
    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// Whether the item stands in this heap, and not in another one that shares `places`.
    package func holds(_ item: Int32, _ places: ItemPlaces) -> Bool {
        guard let place = places.place(item), place < entries.count else { return false }
        return entries[place].item == item
    }

    package mutating func insert(_ entry: Entry, _ places: inout ItemPlaces) {
        precondition(!places.holds(entry.item), "an item stands in one heap only")
        entries.append(entry)
        siftUp(entries.count - 1, &places)
    }

    /// Takes out an item that stands in this heap.
    package mutating func remove(_ item: Int32, _ places: inout ItemPlaces) {
        precondition(places.holds(item), "only an item that stands in a heap can leave it")
        let place = Int(places.places[Int(item)])
        precondition(place < entries.count && entries[place].item == item, "the item stands in another heap")
        places.set(item, -1)
        let last = entries.removeLast()
        guard place < entries.count else { return }
        entries[place] = last
        places.set(last.item, place)
        siftUp(place, &places)
        siftDown(Int(places.places[Int(last.item)]), &places)
    }

    private mutating func siftUp(_ start: Int, _ places: inout ItemPlaces) {
        let entry = entries[start]
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard entry < entries[parent] else { break }
            entries[place] = entries[parent]
            places.set(entries[place].item, place)
            place = parent
        }
        entries[place] = entry
        places.set(entry.item, place)
    }

    private mutating func siftDown(_ start: Int, _ places: inout ItemPlaces) {
        let entry = entries[start]
        var place = start
        while true {
            var child = place * 2 + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
            guard entries[child] < entry else { break }
            entries[place] = entries[child]
            places.set(entries[place].item, place)
            place = child
        }
        entries[place] = entry
        places.set(entry.item, place)
    }
}

/// Walks the items of some heaps from the first on: O(log k) for the k-th, whatever the heaps hold.
package struct ItemSelection {
    private struct Candidate {
        let rank: Int64
        let order: Int64
        let heap: Int
        let place: Int
    }

    private var heaps: [ItemHeap] = []
    private var candidates: [Candidate] = []

    package init() {}

    /// Adds a heap; `rank` is what its entries weigh against those of the others, and must not fall along the heap.
    package mutating func add(_ heap: ItemHeap, rank: (Int32) -> Int64) {
        guard !heap.isEmpty else { return }
        heaps.append(heap)
        push(heap: heaps.count - 1, place: 0, rank)
    }

    /// The next item; `rank` as in `add`.
    package mutating func next(rank: (Int32) -> Int64) -> Int32? {
        guard let best = candidates.first else { return nil }
        let last = candidates.removeLast()
        if !candidates.isEmpty {
            candidates[0] = last
            settle()
        }
        let heap = best.heap
        let item = heaps[heap].entries[best.place].item
        for place in [best.place * 2 + 1, best.place * 2 + 2] where place < heaps[heap].count {
            push(heap: heap, place: place, rank)
        }
        return item
    }

    private mutating func push(heap: Int, place: Int, _ rank: (Int32) -> Int64) {
        let entry = heaps[heap].entries[place]
        candidates.append(Candidate(rank: rank(entry.item), order: entry.order, heap: heap, place: place))
        var child = candidates.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(candidates[child], candidates[parent]) else { return }
            candidates.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func settle() {
        var place = 0
        while true {
            var child = place * 2 + 1
            guard child < candidates.count else { return }
            if child + 1 < candidates.count, precedes(candidates[child + 1], candidates[child]) { child += 1 }
            guard precedes(candidates[child], candidates[place]) else { return }
            candidates.swapAt(child, place)
            place = child
        }
    }

    private func precedes(_ left: Candidate, _ right: Candidate) -> Bool {
        left.rank != right.rank ? left.rank < right.rank : left.order < right.order
    }
}
