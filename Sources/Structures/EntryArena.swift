// EntryArena.swift - memory for entries: slabs with 8-byte steps up to 1 KiB, so that a 536-byte entry takes 536
// bytes (jemalloc would take 640); larger entries come from the process allocator. One arena belongs to the engine
// and is touched under its turn only: no atomics, no locks. Pages are 32 KiB, found from an entry by masking its
// address; a page whose last entry goes is given back to the system once a few are spare.
internal import Base
internal import CAllocator
internal import CLinux

@safe package struct EntryArena: ~Copyable {
    /// Entries above this come from the process allocator.
    package static let slabByteCountMax = 1024
    private static let pageByteCount = 32 << 10
    private static let chunkByteCount = 2 << 20
    private static let pageHeaderByteCount = 64
    /// Spare pages kept resident, so that a steady workload does not return and fault pages in turn.
    private static let sparePagesMax = 64

    /// While an arena is small, its pages are not fetched whole: most classes of sizes never fill theirs.
    private static let faultedChunksMax = 8

    /// Head of each page. `freeHead` is the byte offset of the first freed cell, 0 when none.
    @safe private struct Page {
        var next: UnsafeMutablePointer<Page>?
        var previous: UnsafeMutablePointer<Page>?
        var freeHead: UInt32
        var bump: UInt32
        var used: UInt32
        var cellByteCount: UInt32
    }
    private typealias PagePointer = UnsafeMutablePointer<Page>

    /// Per class, the pages that still have a free cell.
    private let open: UnsafeMutablePointer<PagePointer?>
    private var spare: PagePointer?
    private var spareCount = 0
    /// Addresses of spare pages whose memory was returned to the system; only the address space is kept.
    private var returnedHeads: [UInt] = []
    /// Every chunk mapped so far.
    private var chunks: [UInt] = []
    private var chunkNext: UInt = 0
    private var chunkEnd: UInt = 0

    /// Bytes in entries now, by what the arena or the allocator really gave.
    package private(set) var usedByteCount = 0
    /// Bytes in slab cells now, which the process allocator does not know about.
    package private(set) var slabByteCount = 0
    /// Bytes of slab pages that are in use (fully or in part) or spare and resident.
    package private(set) var residentByteCount = 0

    package init() {
        let classes = EntryArena.slabByteCountMax / 8 + 1
        unsafe open = .allocate(capacity: classes)
        unsafe open.initialize(repeating: nil, count: classes)
    }

    /// Whether two entry sizes occupy the same cell size.
    @inline(__always)
    package static func sameClass(_ left: Int, _ right: Int) -> Bool {
        if left <= slabByteCountMax && right <= slabByteCountMax { return (left &+ 7) >> 3 == (right &+ 7) >> 3 }
        return left == right
    }

    /// An uninitialised entry of `byteCount` bytes.
    @inline(__always)
    package mutating func allocate(_ byteCount: Int) -> Entry {
        if _fastPath(byteCount <= EntryArena.slabByteCountMax) {
            let index = (byteCount &+ 7) >> 3
            usedByteCount &+= index &* 8
            slabByteCount &+= index &* 8
            if let page = unsafe open[index], unsafe page.pointee.freeHead != 0 {
                return unsafe popFreed(page, index)
            }
            return unsafe Entry(address: takeCell(index))
        }
        return allocateLarge(byteCount)
    }

    @unsafe @inline(__always)
    private mutating func popFreed(_ page: PagePointer, _ index: Int) -> Entry {
        let cell = unsafe UnsafeMutableRawPointer(page) + Int(page.pointee.freeHead)
        unsafe page.pointee.freeHead = cell.load(as: UInt32.self)
        unsafe page.pointee.used &+= 1
        if unsafe page.pointee.freeHead == 0 && EntryArena.isExhausted(page) { unsafe unlink(page, index) }
        return unsafe Entry(address: cell.assumingMemoryBound(to: UInt8.self))
    }

    @unsafe @inline(__always)
    private static func isExhausted(_ page: PagePointer) -> Bool {
        unsafe Int(page.pointee.bump) &+ Int(page.pointee.cellByteCount) > pageByteCount
    }

    @inline(never)
    private mutating func takeCell(_ index: Int) -> UnsafeMutablePointer<UInt8> {
        let page: PagePointer
        if let head = unsafe open[index] { unsafe page = head } else { unsafe page = newPage(index) }
        let cell = unsafe UnsafeMutableRawPointer(page) + Int(page.pointee.bump)
        unsafe page.pointee.bump &+= page.pointee.cellByteCount
        unsafe page.pointee.used &+= 1
        if unsafe EntryArena.isExhausted(page) { unsafe unlink(page, index) }
        return unsafe cell.assumingMemoryBound(to: UInt8.self)
    }

    @inline(never)
    private mutating func allocateLarge(_ byteCount: Int) -> Entry {
        guard let memory = unsafe malloc(byteCount) else { outOfMemory(byteCount: byteCount) }
        usedByteCount &+= unsafe fog_allocated_size(memory)
        return unsafe Entry(address: memory.assumingMemoryBound(to: UInt8.self))
    }

    /// Frees the entry's own memory; what its value points to is the owner's to free first.
    @inline(__always)
    package mutating func free(_ entry: Entry) {
        let byteCount = entry.byteCount
        if _fastPath(byteCount <= EntryArena.slabByteCountMax) {
            let index = (byteCount &+ 7) >> 3
            usedByteCount &-= index &* 8
            slabByteCount &-= index &* 8
            unsafe freeCell(UnsafeMutableRawPointer(entry.address), index)
        } else {
            usedByteCount &-= unsafe fog_allocated_size(entry.address)
            unsafe CLinux.free(entry.address)
        }
    }

    @unsafe @inline(__always)
    private mutating func freeCell(_ cell: UnsafeMutableRawPointer, _ index: Int) {
        let pageAddress = UInt(bitPattern: cell) & ~UInt(EntryArena.pageByteCount - 1)
        let page = unsafe PagePointer(bitPattern: pageAddress).unsafelyUnwrapped
        let wasFull = unsafe page.pointee.freeHead == 0 && EntryArena.isExhausted(page)
        unsafe cell.storeBytes(of: page.pointee.freeHead, as: UInt32.self)
        unsafe page.pointee.freeHead = UInt32(truncatingIfNeeded: UInt(bitPattern: cell) &- pageAddress)
        unsafe page.pointee.used &-= 1
        if wasFull { unsafe link(page, index) }
        if unsafe page.pointee.used == 0 { unsafe retire(page, index) }
    }

    /// What the arena really reserved for `entry`.
    package func allocatedByteCount(of entry: Entry) -> Int {
        let byteCount = entry.byteCount
        return unsafe byteCount <= EntryArena.slabByteCountMax
            ? (byteCount + 7) & ~7 : Int(fog_allocated_size(entry.address))
    }

    /// Gives every slab page back at once, whatever entries it holds; entries from the process allocator are the
    /// caller's. The arena is empty afterwards. Cost: one munmap per 2 MiB.
    package mutating func releaseAll() {
        for chunk in chunks {
            unsafe munmap(UnsafeMutableRawPointer(bitPattern: chunk), EntryArena.chunkByteCount)
            Bursts.pauseIfDue()
        }
        chunks = []
        returnedHeads = []
        unsafe spare = nil
        spareCount = 0
        chunkNext = 0
        chunkEnd = 0
        usedByteCount = 0
        slabByteCount = 0
        residentByteCount = 0
        unsafe open.update(repeating: nil, count: EntryArena.slabByteCountMax / 8 + 1)
    }

    deinit {
        for chunk in chunks {
            unsafe munmap(UnsafeMutableRawPointer(bitPattern: chunk), EntryArena.chunkByteCount)
            Bursts.pauseIfDue()
        }
        unsafe open.deallocate()
    }

    // MARK: pages

    @unsafe private mutating func link(_ page: PagePointer, _ index: Int) {
        unsafe page.pointee.previous = nil
        unsafe page.pointee.next = open[index]
        if let head = unsafe open[index] { unsafe head.pointee.previous = page }
        unsafe open[index] = page
    }

    @unsafe private mutating func unlink(_ page: PagePointer, _ index: Int) {
        let next = unsafe page.pointee.next
        let previous = unsafe page.pointee.previous
        if let next = unsafe next { unsafe next.pointee.previous = previous }
        if let previous = unsafe previous {
            unsafe previous.pointee.next = next
        } else {
            unsafe open[index] = next
        }
        unsafe page.pointee.next = nil
        unsafe page.pointee.previous = nil
    }

    /// An empty page leaves its class, unless it is the only open one (a steady workload would fetch it again).
    @unsafe private mutating func retire(_ page: PagePointer, _ index: Int) {
        if unsafe page.pointee.next == nil && page.pointee.previous == nil { return }
        unsafe unlink(page, index)
        if spareCount < EntryArena.sparePagesMax {
            unsafe page.pointee.next = spare
            unsafe spare = page
            spareCount += 1
        } else {
            unsafe madvise(UnsafeMutableRawPointer(page), EntryArena.pageByteCount, MADV_DONTNEED)
            returnedHeads.append(UInt(bitPattern: page))
            residentByteCount &-= EntryArena.pageByteCount
        }
    }

    private mutating func newPage(_ index: Int) -> PagePointer {
        let page = unsafe takePageMemory()
        unsafe page.initialize(
            to: Page(
                next: nil, previous: nil, freeHead: 0, bump: UInt32(EntryArena.pageHeaderByteCount), used: 0,
                cellByteCount: UInt32(index * 8)))
        unsafe link(page, index)
        return unsafe page
    }

    private mutating func takePageMemory() -> PagePointer {
        if let page = unsafe spare {
            unsafe spare = page.pointee.next
            spareCount -= 1
            return unsafe page
        }
        residentByteCount &+= EntryArena.pageByteCount
        if let address = returnedHeads.popLast() {
            return unsafe PagePointer(bitPattern: address).unsafelyUnwrapped
        }
        if chunkNext == chunkEnd { mapChunk() }
        let address = chunkNext
        chunkNext += UInt(EntryArena.pageByteCount)
        let page = unsafe PagePointer(bitPattern: address).unsafelyUnwrapped
        // One call instead of eight faults, half the kernel's time for filling memory. Where it is not known, or the
        // memory is not there, the faults come as they would have.
        if chunks.count > EntryArena.faultedChunksMax {
            unsafe _ = madvise(UnsafeMutableRawPointer(page), EntryArena.pageByteCount, MADV_POPULATE_WRITE)
        }
        return unsafe page
    }

    /// Maps address space for 64 pages, aligned to its own size.
    private mutating func mapChunk() {
        let size = EntryArena.chunkByteCount
        let protection = PROT_READ | PROT_WRITE
        guard
            let raw = unsafe mmap(nil, size * 2, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            unsafe raw != UnsafeMutableRawPointer(bitPattern: -1)
        else { outOfMemory(byteCount: size) }
        let start = UInt(bitPattern: raw)
        let aligned = (start + UInt(size) - 1) & ~UInt(size - 1)
        if aligned > start { unsafe munmap(raw, Int(aligned - start)) }
        let tail = start + UInt(size * 2) - (aligned + UInt(size))
        if tail > 0 { unsafe munmap(UnsafeMutableRawPointer(bitPattern: aligned + UInt(size)), Int(tail)) }
        chunks.append(aligned)
        chunkNext = aligned
        chunkEnd = aligned + UInt(size)
    }
}
