// EntryArena.swift - memory for entries: slabs with 8-byte steps up to 1 KiB, so that a 536-byte entry takes 536
// bytes (jemalloc would take 640), and with steps of some 10 % up to 16 KiB; larger entries come from the process
// allocator. One arena belongs to the engine and is touched under its turn only: no atomics, no locks. Pages are 64
// KiB, found from an entry by masking its address; a page whose last entry goes is given back to the system once a few
// are spare. What sizes that shift leave half empty is emptied by `EntryArena+Compaction.swift`, which is why entries
// of up to 16 KiB are here and not in the process allocator.
internal import Base
internal import CAllocator
internal import CLinux

@safe package struct EntryArena: ~Copyable {
    /// Entries above this come from the process allocator: a quarter of a page.
    package static let slabByteCountMax = (pageByteCount - pageHeaderByteCount) / 4
    /// Up to here classes are 8 bytes apart.
    private static let fineByteCountMax = 1024
    static let fineClassCount = fineByteCountMax / 8
    /// Classes above are numbered by how many cells a page has, which is at most this.
    private static let coarseCellsMax = 60
    private static let classCount = fineClassCount + coarseCellsMax + 1
    static let pageByteCount = 64 << 10
    static let chunkByteCount = 2 << 20
    static let pageHeaderByteCount = 64
    private static let systemPageByteCount = 4096
    /// From here on jemalloc adds a page to what it is asked for, and begins anywhere in the first one.
    private static let paddedByteCountMin = 16 << 10
    /// Spare pages kept resident, so that a steady workload does not return and fault pages in turn: so many, or one
    /// for every sixty-four there are.
    private static let sparePagesMax = 8
    private static let spareShare = 64

    /// While an arena is small, its pages are not fetched whole: most classes of sizes never fill theirs.
    private static let faultedChunksMax = 8

    /// Head of each page. `freeHead` is the byte offset of the first freed cell, 0 when none; `cellByteCount` is 0
    /// while no class has the page.
    @safe struct Page {
        var next: UnsafeMutablePointer<Page>?
        var previous: UnsafeMutablePointer<Page>?
        var freeHead: UInt32
        var bump: UInt32
        var used: UInt32
        var cellByteCount: UInt32
    }
    typealias PagePointer = UnsafeMutablePointer<Page>

    /// Per class, the pages that still have a free cell.
    let open: UnsafeMutablePointer<PagePointer?>
    /// Per class, how many pages it has.
    let pageCounts: UnsafeMutablePointer<UInt32>
    /// Per class, how many of its entries are in cells of a larger one.
    private let guestCounts: UnsafeMutablePointer<UInt32>
    private var spare: PagePointer?
    private var spareCount = 0
    /// Addresses of spare pages whose memory was returned to the system; only the address space is kept.
    private var returnedHeads: [UInt] = []
    /// Every chunk mapped so far; of the last one, where its unused part begins.
    private(set) var chunks: [UInt] = []
    private(set) var chunkNext: UInt = 0
    private var chunkEnd: UInt = 0

    /// Bytes in entries now, by what the arena or the allocator really gave.
    package internal(set) var usedByteCount = 0
    /// Bytes in slab cells now, which the process allocator does not know about.
    package internal(set) var slabByteCount = 0
    /// Bytes of slab pages that are in use (fully or in part) or spare and resident.
    package private(set) var residentByteCount = 0
    /// Bytes that the process allocator takes for large entries and does not tell.
    package private(set) var padByteCount = 0
    /// Bytes of pages in use that no entry has: what emptying sparse pages could give back.
    package var idleByteCount: Int { activeByteCount &- slabByteCount }
    /// Bytes of pages in use.
    package var activeByteCount: Int { residentByteCount &- spareCount &* EntryArena.pageByteCount }

    package init() {
        unsafe open = .allocate(capacity: EntryArena.classCount)
        unsafe open.initialize(repeating: nil, count: EntryArena.classCount)
        unsafe pageCounts = .allocate(capacity: EntryArena.classCount)
        unsafe pageCounts.initialize(repeating: 0, count: EntryArena.classCount)
        unsafe guestCounts = .allocate(capacity: EntryArena.classCount)
        unsafe guestCounts.initialize(repeating: 0, count: EntryArena.classCount)
    }

    /// Whether two entry sizes occupy the same cell size.
    @inline(__always)
    package static func sameClass(_ left: Int, _ right: Int) -> Bool {
        if _fastPath(left <= fineByteCountMax && right <= fineByteCountMax) {
            return (left &+ 7) >> 3 == (right &+ 7) >> 3
        }
        if left <= slabByteCountMax && right <= slabByteCountMax { return classIndex(left) == classIndex(right) }
        return left == right
    }

    /// The class of entries of `byteCount` bytes, which a slab holds.
    static func classIndex(_ byteCount: Int) -> Int {
        let eights = (byteCount &+ 7) >> 3
        guard eights > fineClassCount else { return eights }
        // As many cells as fit, in steps that grow with their number: 4, 5, ... 16, 18, ... 30, 32, 36, ... 60.
        let cells = (pageByteCount - pageHeaderByteCount) / (eights &* 8)
        return fineClassCount + (cells <= 16 ? cells : cells < 32 ? cells & ~1 : min(coarseCellsMax, cells & ~3))
    }

    /// The next class of larger cells; nil after the largest.
    private static func classAfter(_ index: Int) -> Int? {
        if index < fineClassCount { return index + 1 }
        // As `classIndex` has them: classes of one page's cells are numbered by how many those are, 60 being the first.
        let cells = index == fineClassCount ? coarseCellsMax + 4 : index - fineClassCount
        let fewer = cells <= 16 ? cells - 1 : cells <= 32 ? cells - 2 : cells - 4
        return fewer < 4 ? nil : fineClassCount + fewer
    }

    static func cellByteCount(ofClass index: Int) -> Int {
        index <= fineClassCount
            ? index * 8 : (pageByteCount - pageHeaderByteCount) / (index - fineClassCount) & ~7
    }

    /// An uninitialised entry of `byteCount` bytes.
    @inline(__always)
    package mutating func allocate(_ byteCount: Int) -> Entry {
        if _fastPath(byteCount <= EntryArena.fineByteCountMax) {
            let index = (byteCount &+ 7) >> 3
            return allocate(index, index &* 8)
        }
        return allocateLarge(byteCount)
    }

    @inline(__always)
    private mutating func allocate(_ index: Int, _ cellByteCount: Int) -> Entry {
        usedByteCount &+= cellByteCount
        slabByteCount &+= cellByteCount
        if let page = unsafe open[index], unsafe page.pointee.freeHead != 0 {
            return unsafe popFreed(page, index)
        }
        return unsafe Entry(address: takeCell(index))
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
    static func isExhausted(_ page: PagePointer) -> Bool {
        unsafe Int(page.pointee.bump) &+ Int(page.pointee.cellByteCount) > pageByteCount
    }

    /// A cell where no freed one of its class is at hand: a new one, or, for a class that few entries have, one of a
    /// class that is hardly larger.
    @inline(never)
    private mutating func takeCell(_ index: Int) -> UnsafeMutablePointer<UInt8> {
        if unsafe pageCounts[index] == 0, isRare(index), let larger = largerClass(than: index) {
            unsafe guestCounts[index] &+= 1
            let excess = EntryArena.cellByteCount(ofClass: larger) - EntryArena.cellByteCount(ofClass: index)
            usedByteCount &+= excess
            slabByteCount &+= excess
            if let page = unsafe open[larger], unsafe page.pointee.freeHead != 0 {
                return unsafe popFreed(page, larger).address
            }
            return unsafe takeFreshCell(larger)
        }
        return unsafe takeFreshCell(index)
    }

    @unsafe private mutating func takeFreshCell(_ index: Int) -> UnsafeMutablePointer<UInt8> {
        let page: PagePointer
        if let head = unsafe open[index] { unsafe page = head } else { unsafe page = newPage(index) }
        let cell = unsafe UnsafeMutableRawPointer(page) + Int(page.pointee.bump)
        unsafe page.pointee.bump &+= page.pointee.cellByteCount
        unsafe page.pointee.used &+= 1
        if unsafe EntryArena.isExhausted(page) { unsafe unlink(page, index) }
        return unsafe cell.assumingMemoryBound(to: UInt8.self)
    }

    /// Whether a class has less than a quarter of a page of entries in larger cells.
    private func isRare(_ index: Int) -> Bool {
        let quarter = EntryArena.pageByteCount / 4 / EntryArena.cellByteCount(ofClass: index)
        return unsafe Int(guestCounts[index]) < quarter
    }

    /// A class of cells at most an eighth larger that has free ones. Sizes that few entries have would keep a page each
    /// otherwise: with sizes from 16 B to 16 KiB alike, 75 pages with less than a fifth of them used.
    func largerClass(than index: Int) -> Int? {
        let most = EntryArena.cellByteCount(ofClass: index) * 9 / 8
        var larger = EntryArena.classAfter(index)
        while let candidate = larger, EntryArena.cellByteCount(ofClass: candidate) <= most {
            if unsafe open[candidate] != nil { return candidate }
            larger = EntryArena.classAfter(candidate)
        }
        return nil
    }

    @inline(never)
    private mutating func allocateLarge(_ byteCount: Int) -> Entry {
        if byteCount <= EntryArena.slabByteCountMax {
            let index = EntryArena.classIndex(byteCount)
            return allocate(index, EntryArena.cellByteCount(ofClass: index))
        }
        let memory = unsafe EntryArena.room(byteCount)
        usedByteCount &+= unsafe fog_allocated_size(memory) + EntryArena.systemPageByteCount
        padByteCount &+= EntryArena.systemPageByteCount
        return unsafe Entry(address: memory.assumingMemoryBound(to: UInt8.self))
    }

    /// Frees the entry's own memory; what its value points to is the owner's to free first.
    @inline(__always)
    package mutating func free(_ entry: Entry) {
        if _slowPath(entry.byteCount > EntryArena.slabByteCountMax) { return freeLarge(entry) }
        unsafe freeCell(UnsafeMutableRawPointer(entry.address), entry.byteCount)
    }

    @inline(never)
    private mutating func freeLarge(_ entry: Entry) {
        usedByteCount &-= unsafe fog_allocated_size(entry.address) + EntryArena.systemPageByteCount
        padByteCount &-= EntryArena.systemPageByteCount
        unsafe CLinux.free(entry.address)
    }

    @unsafe @inline(__always)
    private mutating func freeCell(_ cell: UnsafeMutableRawPointer, _ byteCount: Int) {
        let pageAddress = UInt(bitPattern: cell) & ~UInt(EntryArena.pageByteCount - 1)
        let page = unsafe PagePointer(bitPattern: pageAddress).unsafelyUnwrapped
        // The page's, which may be a larger one than the entry's size asks for.
        let cellByteCount = unsafe Int(page.pointee.cellByteCount)
        usedByteCount &-= cellByteCount
        slabByteCount &-= cellByteCount
        if _slowPath(cellByteCount != (byteCount &+ 7) & ~7) { leaveCell(cellByteCount, byteCount) }
        let wasFull = unsafe page.pointee.freeHead == 0 && EntryArena.isExhausted(page)
        unsafe cell.storeBytes(of: page.pointee.freeHead, as: UInt32.self)
        unsafe page.pointee.freeHead = UInt32(truncatingIfNeeded: UInt(bitPattern: cell) &- pageAddress)
        unsafe page.pointee.used &-= 1
        if wasFull { unsafe link(page, EntryArena.classIndex(cellByteCount)) }
        if unsafe page.pointee.used == 0 { unsafe retire(page, EntryArena.classIndex(cellByteCount)) }
    }

    /// An entry of `byteCount` bytes leaves a cell: in a class of its own, or as a guest.
    @inline(never)
    func leaveCell(_ cellByteCount: Int, _ byteCount: Int) {
        let index = EntryArena.classIndex(byteCount)
        if index != EntryArena.classIndex(cellByteCount) { unsafe guestCounts[index] &-= 1 }
    }

    /// Room for `byteCount` bytes from the process allocator. A large one begins on a system page, or the one that is
    /// added would always be touched; so it takes memory only now and then.
    @unsafe package static func room(_ byteCount: Int) -> UnsafeMutableRawPointer {
        var room: UnsafeMutableRawPointer?
        if byteCount < paddedByteCountMin {
            unsafe room = malloc(max(1, byteCount))
        } else if unsafe posix_memalign(&room, systemPageByteCount, byteCount) != 0 {
            unsafe room = nil
        }
        guard let room = unsafe room else { outOfMemory(byteCount: byteCount) }
        return unsafe room
    }

    /// What jemalloc takes beside an allocation of `byteCount` bytes and does not tell.
    package static func padByteCount(allocated byteCount: Int) -> Int {
        byteCount >= paddedByteCountMin ? systemPageByteCount : 0
    }

    /// What the arena reserves for an entry of this size; a little less than it did where it gave a larger cell.
    package func allocatedByteCount(of entry: Entry) -> Int {
        let byteCount = entry.byteCount
        return unsafe byteCount <= EntryArena.slabByteCountMax
            ? EntryArena.cellByteCount(ofClass: EntryArena.classIndex(byteCount))
            : Int(fog_allocated_size(entry.address)) + EntryArena.systemPageByteCount
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
        padByteCount = 0
        residentByteCount = 0
        unsafe open.update(repeating: nil, count: EntryArena.classCount)
        unsafe pageCounts.update(repeating: 0, count: EntryArena.classCount)
        unsafe guestCounts.update(repeating: 0, count: EntryArena.classCount)
    }

    deinit {
        for chunk in chunks {
            unsafe munmap(UnsafeMutableRawPointer(bitPattern: chunk), EntryArena.chunkByteCount)
            Bursts.pauseIfDue()
        }
        unsafe open.deallocate()
        unsafe pageCounts.deallocate()
        unsafe guestCounts.deallocate()
    }

    // MARK: pages

    @unsafe mutating func link(_ page: PagePointer, _ index: Int) {
        unsafe page.pointee.previous = nil
        unsafe page.pointee.next = open[index]
        if let head = unsafe open[index] { unsafe head.pointee.previous = page }
        unsafe open[index] = page
    }

    @unsafe mutating func unlink(_ page: PagePointer, _ index: Int) {
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

    /// A page that became empty.
    @unsafe private mutating func retire(_ page: PagePointer, _ index: Int) {
        unsafe unlink(page, index)
        unsafe putAside(page, index)
    }

    /// A page without entries leaves its class and waits for another one, or its memory goes to the system.
    @unsafe mutating func putAside(_ page: PagePointer, _ index: Int) {
        unsafe pageCounts[index] &-= 1
        unsafe page.pointee.cellByteCount = 0
        let pageCount = residentByteCount / EntryArena.pageByteCount
        if spareCount < min(EntryArena.sparePagesMax, 1 + pageCount / EntryArena.spareShare) {
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
                cellByteCount: UInt32(EntryArena.cellByteCount(ofClass: index))))
        unsafe link(page, index)
        unsafe pageCounts[index] &+= 1
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
        // One call instead of sixteen faults, half the kernel's time for filling memory. Where it is not known, or the
        // memory is not there, the faults come as they would have.
        if chunks.count > EntryArena.faultedChunksMax {
            unsafe _ = madvise(UnsafeMutableRawPointer(page), EntryArena.pageByteCount, MADV_POPULATE_WRITE)
        }
        return unsafe page
    }

    /// Maps address space for 32 pages, aligned to its own size.
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
