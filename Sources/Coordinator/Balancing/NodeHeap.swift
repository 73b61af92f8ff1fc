// NodeHeap.swift - nodes by a key, the smallest on top, with each node's place at hand: changing one costs O(log n),
// and the best that is not excluded is found without taking anything out. Pure.

struct NodeHeap {
    struct Item {
        var key: Double
        /// Of equal keys the lower comes first.
        var serial: UInt64
        var number: Int32

        @inline(__always)
        func comes(before other: Item) -> Bool {
            key < other.key || (key == other.key && serial < other.serial)
        }
    }

    private(set) var items: [Item] = []
    /// Where each number is, -1 for nowhere.
    private var places: [Int32] = []

    var byteCount: Int { items.capacity * 24 + places.capacity * 4 }
    var top: Item? { items.first }

    func item(_ number: Int) -> Item? {
        guard number < places.count, places[number] >= 0 else { return nil }
        return items[Int(places[number])]
    }

    /// Puts a number in or changes its key.
    mutating func set(_ number: Int, key: Double, serial: UInt64) {
        while places.count <= number { places.append(-1) }
        let item = Item(key: key, serial: serial, number: Int32(number))
        let place = Int(places[number])
        if place < 0 {
            items.append(item)
            return siftUp(items.count - 1, item)
        }
        if item.comes(before: items[place]) { siftUp(place, item) } else { siftDown(place, item) }
    }

    mutating func remove(_ number: Int) {
        guard number < places.count, places[number] >= 0 else { return }
        let place = Int(places[number])
        places[number] = -1
        let last = items.removeLast()
        guard place < items.count else { return }
        if last.comes(before: items[place]) { siftUp(place, last) } else { siftDown(place, last) }
    }

    /// Takes the same from every key.
    mutating func shift(by difference: Double) {
        for index in items.indices { items[index].key -= difference }
    }

    /// The first in order that `isWanted`: looks at those that are not wanted and their children.
    func first(where isWanted: (Int) -> Bool) -> Item? {
        guard let top = items.first else { return nil }
        if isWanted(Int(top.number)) { return top }
        var open = [0]
        while let best = open.indices.min(by: { items[open[$0]].comes(before: items[open[$1]]) }) {
            let place = open.remove(at: best)
            if isWanted(Int(items[place].number)) { return items[place] }
            for child in [place * 2 + 1, place * 2 + 2] where child < items.count { open.append(child) }
        }
        return nil
    }

    private mutating func put(_ item: Item, _ place: Int) {
        items[place] = item
        places[Int(item.number)] = Int32(place)
    }

    private mutating func siftUp(_ start: Int, _ item: Item) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard item.comes(before: items[parent]) else { break }
            put(items[parent], place)
            place = parent
        }
        put(item, place)
    }

    private mutating func siftDown(_ start: Int, _ item: Item) {
        var place = start
        while true {
            var child = place * 2 + 1
            guard child < items.count else { break }
            if child + 1 < items.count, items[child + 1].comes(before: items[child]) { child += 1 }
            guard items[child].comes(before: item) else { break }
            put(items[child], place)
            place = child
        }
        put(item, place)
    }
}
