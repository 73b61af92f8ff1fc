// ArgumentRanges.swift - the growable list of argument ranges that a loop reuses for every round: no allocation in
// steady state, one compare and one store per argument.
internal import Base

@safe package struct ArgumentRanges: ~Copyable {
    private var base: UnsafeMutablePointer<ArgumentRange>
    private var capacity: Int
    package private(set) var count = 0

    package init() {
        capacity = 1024
        unsafe base = .allocate(capacity: capacity)
    }

    deinit { unsafe base.deallocate() }

    @inline(__always)
    package subscript(index: Int) -> ArgumentRange {
        precondition(index >= 0 && index < count, "argument index outside the list")
        return unsafe base[index]
    }

    @inline(__always)
    package mutating func append(_ range: ArgumentRange) {
        if _slowPath(count == capacity) { grow() }
        unsafe base[count] = range
        count &+= 1
    }

    @inline(never)
    private mutating func grow() {
        let fresh = UnsafeMutablePointer<ArgumentRange>.allocate(capacity: capacity * 2)
        unsafe fresh.moveInitialize(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = fresh
        capacity *= 2
    }

    package mutating func truncate(to newCount: Int) {
        precondition(newCount <= count, "truncate cannot grow the list")
        count = newCount
    }

    /// Empties the list; a list that one huge command inflated shrinks again.
    package mutating func removeAll() {
        count = 0
        guard capacity > 65536 else { return }
        unsafe base.deallocate()
        capacity = 1024
        unsafe base = .allocate(capacity: capacity)
    }
}
