// HeavyHitters.swift - which few keys take the most of something (time, bytes) out of any number of keys, in memory
// that is bounded from the start: the Space-Saving summary, with weights. There are `capacity` counters; a key without
// one takes over the lightest, with what that has counted as the possible error. So for every key that has a counter
//
//     counted - error <= its true weight <= counted,        and error <= total / capacity,
//
// and every key that weighs more than total / capacity has one. What is shown is counted - error, which a key has
// certainly taken. Adding costs a lookup and a walk of a heap of `capacity`; a key that comes into it is copied.
// Pure; whoever owns it calls it, which for HOTKEYS is the engine's turn.
internal import Base

package struct HeavyHitters {
    package struct Item: Equatable {
        package let key: [UInt8]
        /// What the key has taken at least.
        package let weight: UInt64
    }

    private struct Counter {
        var counted: UInt64 = 0
        var error: UInt64 = 0
        /// Where the heap has it.
        var place = 0
    }

    package let capacity: Int
    /// Everything that was added.
    package private(set) var total: UInt64 = 0
    private var names = NameTable()
    /// By the names' numbers.
    private var counters: [Counter] = []
    /// Numbers; none has counted more than the two below it.
    private var heap: [Int] = []

    package init(capacity: Int) {
        precondition(capacity > 0, "a summary has at least one counter")
        self.capacity = capacity
    }

    package mutating func add(_ key: Span<UInt8>, weight: UInt64) {
        guard weight > 0 else { return }
        total &+= weight
        let hash = NameTable.hash(key)
        if let number = names.find(key, hash: hash) {
            counters[number].counted &+= weight
            return sink(from: counters[number].place)
        }
        if heap.count < capacity {
            let number = names.insert(key, hash: hash).number
            precondition(number == counters.count, "while nothing was removed numbers come in order")
            counters.append(Counter(counted: weight, error: 0, place: heap.count))
            heap.append(number)
            return rise(from: heap.count - 1)
        }
        let lightest = heap[0]
        names.remove(lightest)
        let number = names.insert(key, hash: hash).number
        precondition(number == lightest, "the only free number is the one that was just given up")
        let floor = counters[number].counted
        counters[number] = Counter(counted: floor &+ weight, error: floor, place: 0)
        sink(from: 0)
    }

    /// The `count` heaviest keys, heaviest first.
    package func heaviest(_ count: Int) -> [Item] {
        var items: [Item] = []
        for number in heap {
            items.append(
                Item(key: names.name(number), weight: counters[number].counted &- counters[number].error))
        }
        items.sort { left, right in
            left.weight != right.weight
                ? left.weight > right.weight : left.key.lexicographicallyPrecedes(right.key)
        }
        return Array(items.prefix(max(0, count)))
    }

    /// How much more than its shown weight `key` may have taken; nil when it has no counter.
    package func error(of key: Span<UInt8>) -> UInt64? {
        names.find(key, hash: NameTable.hash(key)).map { counters[$0].error }
    }

    // MARK: the heap

    private mutating func put(_ number: Int, at place: Int) {
        heap[place] = number
        counters[number].place = place
    }

    private mutating func sink(from start: Int) {
        let number = heap[start]
        let counted = counters[number].counted
        var place = start
        while place * 2 + 1 < heap.count {
            var child = place * 2 + 1
            if child + 1 < heap.count, counters[heap[child + 1]].counted < counters[heap[child]].counted { child += 1 }
            guard counters[heap[child]].counted < counted else { break }
            put(heap[child], at: place)
            place = child
        }
        put(number, at: place)
    }

    private mutating func rise(from start: Int) {
        let number = heap[start]
        let counted = counters[number].counted
        var place = start
        while place > 0, counted < counters[heap[(place - 1) / 2]].counted {
            put(heap[(place - 1) / 2], at: place)
            place = (place - 1) / 2
        }
        put(number, at: place)
    }
}
