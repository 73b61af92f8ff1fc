// QuicklistNode.swift - one link of a quicklist: a header of 48 bytes and, apart from it, the node's bytes: a listpack,
// one large plain element, or the LZF form of either. The listpack does not start where its memory does: free bytes
// before it make pushing and popping at the head as cheap as at the tail. Belongs to one `Quicklist`, which alone
// allocates, links and frees nodes; the handle copies freely, so it must never be kept across an edit of its list.
internal import Base
internal import CAllocator
internal import CLinux

@safe struct QuicklistNode: Equatable {
    @safe private struct Header {
        var previous: UnsafeMutablePointer<Header>?
        var next: UnsafeMutablePointer<Header>?
        var memory: UnsafeMutablePointer<UInt8>
        /// Bytes of the listpack or element, uncompressed.
        var byteCount: Int
        /// Elements.
        var count: UInt32
        /// Free bytes before the listpack; for a compressed node, the bytes of its compressed form.
        var start: UInt32
        /// What the allocator really gave, in units of 16 bytes.
        var capacityUnits: UInt32
        var isPlain: Bool
        var isCompressed: Bool
    }

    private let header: UnsafeMutablePointer<Header>

    private init(_ header: UnsafeMutablePointer<Header>) { unsafe self.header = header }

    /// The node as a number that `init(word:)` turns back, for positions that are kept while the list rests.
    var word: UInt64 { unsafe UInt64(UInt(bitPattern: header)) }

    /// The node of a `word`; nil for 0.
    init?(word: UInt64) {
        guard let address = unsafe UnsafeMutablePointer<Header>(bitPattern: UInt(truncatingIfNeeded: word)) else {
            return nil
        }
        unsafe header = address
    }

    static func == (left: QuicklistNode, right: QuicklistNode) -> Bool { unsafe left.header == right.header }

    /// An unlinked node with memory for `capacity` bytes and nothing in it.
    static func allocate(capacity: Int, isPlain: Bool) -> QuicklistNode {
        guard let room = unsafe malloc(MemoryLayout<Header>.stride) else {
            outOfMemory(byteCount: MemoryLayout<Header>.stride)
        }
        let header = unsafe room.bindMemory(to: Header.self, capacity: 1)
        let memory = unsafe QuicklistNode.memory(capacity)
        unsafe header.initialize(
            to: Header(
                previous: nil, next: nil, memory: memory.address, byteCount: 0, count: 0, start: 0,
                capacityUnits: memory.units, isPlain: isPlain, isCompressed: false))
        return unsafe QuicklistNode(header)
    }

    /// Gives the node's memory back. The node must not be linked any more.
    func deallocate() {
        unsafe free(header.pointee.memory)
        unsafe free(header)
    }

    private static func memory(_ capacity: Int) -> (address: UnsafeMutablePointer<UInt8>, units: UInt32) {
        let wanted = wholeUnits(capacity)
        guard let room = unsafe malloc(wanted) else { outOfMemory(byteCount: wanted) }
        return unsafe (room.assumingMemoryBound(to: UInt8.self), QuicklistNode.units(room))
    }

    /// Capacities are counted in units of 16 bytes, which the allocator's classes are multiples of anyway.
    private static func wholeUnits(_ byteCount: Int) -> Int { max(byteCount &+ 15, 16) & ~15 }

    @unsafe
    private static func units(_ room: UnsafeMutableRawPointer) -> UInt32 {
        UInt32(unsafe fog_allocated_size(room) >> 4)
    }

    // MARK: Fields

    var previous: QuicklistNode? {
        @inline(__always) get { unsafe header.pointee.previous.map { unsafe QuicklistNode($0) } }
        nonmutating set { unsafe header.pointee.previous = newValue?.header }
    }
    var next: QuicklistNode? {
        @inline(__always) get { unsafe header.pointee.next.map { unsafe QuicklistNode($0) } }
        nonmutating set { unsafe header.pointee.next = newValue?.header }
    }
    /// Bytes of the listpack or element, uncompressed.
    var byteCount: Int {
        @inline(__always) get { unsafe header.pointee.byteCount }
        nonmutating set { unsafe header.pointee.byteCount = newValue }
    }
    var count: Int {
        @inline(__always) get { unsafe Int(header.pointee.count) }
        nonmutating set { unsafe header.pointee.count = UInt32(newValue) }
    }
    var start: Int {
        @inline(__always) get { unsafe Int(header.pointee.start) }
        nonmutating set { unsafe header.pointee.start = UInt32(newValue) }
    }
    var capacity: Int { @inline(__always) get { unsafe Int(header.pointee.capacityUnits) << 4 } }
    /// One element that is not in a listpack.
    var isPlain: Bool { @inline(__always) get { unsafe header.pointee.isPlain } }
    var isCompressed: Bool { @inline(__always) get { unsafe header.pointee.isCompressed } }

    /// Where the listpack, the element or the compressed form starts.
    @unsafe var bytes: UnsafeMutablePointer<UInt8> {
        @inline(__always) get {
            unsafe isCompressed ? header.pointee.memory : header.pointee.memory + Int(header.pointee.start)
        }
    }

    /// Bytes of the allocation that holds the header.
    static let headerByteCount = MemoryLayout<Header>.stride

    /// Everything the allocator gave for this node.
    var allocatedBytes: Int { capacity &+ QuicklistNode.headerByteCount }

    /// The node's listpack: not compressed, not plain. Unsafe because nothing keeps the list from being edited.
    @unsafe var view: ListpackView {
        @_lifetime(immortal) @inline(__always) get {
            assert(!isPlain && !isCompressed, "this node has no listpack to look at")
            return unsafe ListpackView(base: UnsafePointer(bytes), byteCount: byteCount)
        }
    }

    // MARK: Memory

    /// Moves the bytes so that `front` bytes are free before them; `capacity` may be what it is, less or more, but
    /// all must fit.
    func resize(capacity newCapacity: Int, front: Int) {
        precondition(!isCompressed && front + byteCount <= newCapacity, "a node's bytes must fit into its memory")
        let old = unsafe header.pointee.memory
        let oldBytes = unsafe bytes
        if front == 0 {
            // Lets the allocator extend or shrink in place.
            unsafe memmove(old, oldBytes, byteCount)
            let wanted = QuicklistNode.wholeUnits(newCapacity)
            guard let room = unsafe realloc(old, wanted) else { outOfMemory(byteCount: wanted) }
            unsafe header.pointee.memory = room.assumingMemoryBound(to: UInt8.self)
            unsafe header.pointee.capacityUnits = QuicklistNode.units(room)
        } else {
            let memory = unsafe QuicklistNode.memory(newCapacity)
            unsafe memcpy(memory.address + front, oldBytes, byteCount)
            unsafe free(old)
            unsafe header.pointee.memory = memory.address
            unsafe header.pointee.capacityUnits = memory.units
        }
        start = front
    }

    /// Moves the bytes inside the memory they have.
    func slide(front: Int) {
        precondition(!isCompressed && front + byteCount <= capacity, "a node's bytes must fit into its memory")
        unsafe memmove(header.pointee.memory + front, bytes, byteCount)
        start = front
    }

    // MARK: Compression

    /// Shorter nodes are not worth it, nor are savings below the second number: Redis' limits.
    private static let compressedFromByteCount = 48
    private static let savedByteCountMin = 8

    /// Keeps the LZF form instead of the bytes, if that is shorter; false when it is not.
    func compress() -> Bool {
        let limit = byteCount &- QuicklistNode.savedByteCountMin
        guard !isCompressed, byteCount >= QuicklistNode.compressedFromByteCount, byteCount <= LZFBlock.byteCountMax
        else { return false }
        var output = ByteBuffer(capacity: limit)
        let source = unsafe Span(_unsafeStart: UnsafePointer(bytes), count: byteCount)
        guard LZFBlock.compress(source, savedMin: QuicklistNode.savedByteCountMin, to: &output) else { return false }
        let memory = unsafe QuicklistNode.memory(output.count)
        unsafe memcpy(memory.address, output.pointer, output.count)
        unsafe free(header.pointee.memory)
        unsafe header.pointee.memory = memory.address
        unsafe header.pointee.capacityUnits = memory.units
        unsafe header.pointee.isCompressed = true
        start = output.count
        return true
    }

    /// Back to plain bytes.
    func decompress() {
        if !isCompressed { return }
        let memory = unsafe QuicklistNode.memory(byteCount)
        unsafe decompress(into: memory.address)
        unsafe free(header.pointee.memory)
        unsafe header.pointee.memory = memory.address
        unsafe header.pointee.capacityUnits = memory.units
        unsafe header.pointee.isCompressed = false
        start = 0
    }

    /// Writes the uncompressed bytes of a compressed node to `target`, which has `byteCount` bytes.
    @unsafe
    private func decompress(into target: UnsafeMutablePointer<UInt8>) {
        var room = unsafe ByteBuffer(borrowing: target, count: 0, capacity: byteCount)
        let source = unsafe Span(_unsafeStart: UnsafePointer(bytes), count: start)
        let isWhole = LZFBlock.decompress(source, byteCount: byteCount, to: &room)
        precondition(isWhole && !room.ownsMemory, "a node that this process compressed does not decompress")
    }

    /// Appends the uncompressed bytes to `scratch`.
    func appendBytes(to scratch: inout ByteBuffer) {
        if isCompressed {
            scratch.reserve(byteCount)
            unsafe decompress(into: scratch.pointer + scratch.count)
            scratch.commit(byteCount)
        } else {
            unsafe scratch.append(UnsafePointer(bytes), count: byteCount)
        }
    }

    /// A copy that takes no more memory than it needs, unlinked.
    func duplicate() -> QuicklistNode {
        let held = isCompressed ? start : byteCount
        let copy = QuicklistNode.allocate(capacity: held, isPlain: isPlain)
        unsafe memcpy(copy.header.pointee.memory, bytes, held)
        copy.byteCount = byteCount
        copy.count = count
        unsafe copy.header.pointee.isCompressed = isCompressed
        copy.start = isCompressed ? held : 0
        return copy
    }
}
