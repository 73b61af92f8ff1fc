// LazyDeadlines.swift - at most one moment for each number, most of which are put off before they come. Putting one off
// costs nothing: the old moment stays queued, and whoever is called then looks whether the real one has come, and notes
// it again if not. So a node that sends a heartbeat every second costs a heap operation once a timeout. Pure.

struct LazyDeadlines {
    private struct Entry {
        let time: Int64
        let number: Int32
    }

    private static let none = Int64.max
    private var heap: [Entry] = []
    /// The moment that is queued for each number.
    private var queued: [Int64] = []

    var byteCount: Int { heap.capacity * 16 + queued.capacity * 8 }

    /// `number` has to be looked at by `time`.
    mutating func note(_ number: Int, _ time: Int64) {
        while queued.count <= number { queued.append(LazyDeadlines.none) }
        guard time < queued[number] else { return }
        queued[number] = time
        heap.append(Entry(time: time, number: Int32(number)))
        siftUp(heap.count - 1)
    }

    /// Nothing is due for `number` any more.
    mutating func forget(_ number: Int) { if number < queued.count { queued[number] = LazyDeadlines.none } }

    /// A number whose moment has come by `now`; the caller notes it again when it is too early.
    mutating func popDue(_ now: Int64) -> Int? {
        while let first = heap.first, first.time <= now {
            removeFirst()
            let number = Int(first.number)
            guard queued[number] == first.time else { continue }
            queued[number] = LazyDeadlines.none
            return number
        }
        return nil
    }

    mutating func removeAll() { self = LazyDeadlines() }

    private mutating func siftUp(_ start: Int) {
        var index = start
        let entry = heap[index]
        while index > 0, heap[(index - 1) / 2].time > entry.time {
            heap[index] = heap[(index - 1) / 2]
            index = (index - 1) / 2
        }
        heap[index] = entry
    }

    private mutating func removeFirst() {
        let entry = heap.removeLast()
        guard !heap.isEmpty else { return }
        var index = 0
        while true {
            var child = index * 2 + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].time < heap[child].time { child += 1 }
            if heap[child].time >= entry.time { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = entry
    }
}
