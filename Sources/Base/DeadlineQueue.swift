// DeadlineQueue.swift - what is due when: timeouts of blocked clients, idle connections, periodic work. One event loop
// owns one queue. Inserting and popping cost O(log n) in a four-way heap of 24-byte entries; cancelling costs O(1),
// because most timeouts never fire: it only outdates the entry's generation, and the entry is dropped when it comes up
// or when the dead outnumber the living. No allocation once the arrays have grown to the largest load.

package struct DeadlineQueue: ~Copyable {
    /// Names one inserted deadline until it fires or is cancelled; afterwards it names nothing, for ever.
    package struct Handle: Hashable, Sendable {
        fileprivate let slot: UInt32
        fileprivate let generation: UInt32
    }

    private struct Entry {
        var deadline: Int64
        var token: UInt64
        var handle: Handle
    }

    /// Below this many dead entries a sweep is not worth its walk.
    private static let deadCountBeforeSweep = 64

    private var heap: [Entry] = []
    /// The generation that is alive in each slot.
    private var generations: [UInt32] = []
    private var freeSlots: [UInt32] = []
    /// Cancelled entries still in the heap.
    private var deadCount = 0

    package init() {}

    /// Deadlines waiting.
    package var count: Int { heap.count - deadCount }
    /// True when no deadline waits.
    package var isEmpty: Bool { count == 0 }
    /// Deadlines held, cancelled ones that still take room included.
    package var entryCount: Int { heap.count }

    /// Adds a deadline; `token` comes back from `popExpired`. Equal deadlines fire in no particular order.
    @discardableResult
    package mutating func insert(deadlineNanoseconds: Int64, token: UInt64) -> Handle {
        let slot: UInt32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            precondition(generations.count < Int(UInt32.max), "more deadlines than a handle can name")
            slot = UInt32(generations.count)
            generations.append(0)
        }
        let handle = Handle(slot: slot, generation: generations[Int(slot)])
        heap.append(Entry(deadline: deadlineNanoseconds, token: token, handle: handle))
        siftUp(heap.count - 1)
        return handle
    }

    /// Takes a deadline back; false when it fired or was cancelled before.
    @discardableResult
    package mutating func cancel(_ handle: Handle) -> Bool {
        guard isAlive(handle) else { return false }
        release(handle)
        deadCount += 1
        if deadCount > DeadlineQueue.deadCountBeforeSweep && deadCount > heap.count / 2 { sweep() }
        return true
    }

    /// True while the deadline waits.
    package func isAlive(_ handle: Handle) -> Bool {
        Int(handle.slot) < generations.count && generations[Int(handle.slot)] == handle.generation
    }

    /// The earliest deadline, nil when none waits.
    package mutating func nextDeadline() -> Int64? {
        dropDead()
        return heap.first?.deadline
    }

    /// Removes the earliest deadline at or before `now` and gives its token; nil when nothing is due.
    package mutating func popExpired(now: Int64) -> UInt64? {
        dropDead()
        guard let first = heap.first, first.deadline <= now else { return nil }
        release(first.handle)
        removeFirst()
        return first.token
    }

    /// Ends a handle's life and frees its slot. Generations wrap after 2^32 lives of one slot.
    private mutating func release(_ handle: Handle) {
        generations[Int(handle.slot)] &+= 1
        freeSlots.append(handle.slot)
    }

    private mutating func dropDead() {
        while deadCount > 0, let first = heap.first, !isAlive(first.handle) {
            removeFirst()
            deadCount -= 1
        }
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        siftDown(0)
    }

    /// Removes all dead entries and restores the order.
    private mutating func sweep() {
        var kept = 0
        for index in heap.indices where isAlive(heap[index].handle) {
            heap[kept] = heap[index]
            kept += 1
        }
        heap.removeLast(heap.count - kept)
        deadCount = 0
        for index in stride(from: (kept - 2) / 4, through: 0, by: -1) where kept > 1 { siftDown(index) }
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        let entry = heap[index]
        while index > 0 {
            let parent = (index - 1) / 4
            if heap[parent].deadline <= entry.deadline { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = entry
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        let entry = heap[index]
        while true {
            let firstChild = index * 4 + 1
            guard firstChild < heap.count else { break }
            var smallest = firstChild
            for child in firstChild + 1..<max(firstChild + 1, min(firstChild + 4, heap.count))
            where heap[child].deadline < heap[smallest].deadline { smallest = child }
            if entry.deadline <= heap[smallest].deadline { break }
            heap[index] = heap[smallest]
            index = smallest
        }
        heap[index] = entry
    }
}
