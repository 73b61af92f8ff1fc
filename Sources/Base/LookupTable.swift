// LookupTable.swift - immutable tables that are computed once, at first use, and live as long as the process. Read by
// any thread. The index is not checked in release builds: callers index with bytes.

@safe struct LookupTable<Element: BitwiseCopyable>: @unchecked Sendable {
    // Sendable although it holds a pointer: the memory is never written after `init` and never freed.
    private let base: UnsafePointer<Element>
    private let count: Int

    init(count: Int, _ value: (Int) -> Element) {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: count)
        for index in 0..<count { unsafe (memory + index).initialize(to: value(index)) }
        unsafe base = UnsafePointer(memory)
        self.count = count
    }

    @inline(__always)
    subscript(index: Int) -> Element {
        assert(index >= 0 && index < count, "outside the table")
        return unsafe base[index]
    }
}
