// EntryArena+Compaction.swift - emptying pages that few entries are left in. When the sizes of values shift, a page of
// cells that nobody asks for any more stays as long as one entry lives in it. A hand walks over the pages as they lie
// in memory; from a sparse one the entries move into other pages of their class, and the page is free for any class.
// Whose table the entries are in puts the new places there (`Keyspace/CompactionHand.swift`). Engine's turn only, never
// while somebody holds an entry. Cost: one header per page that is passed; per entry that moves about what a write
// costs.
internal import CLinux

extension EntryArena {
    /// A page on the way of a hand. Stays usable whatever happens to the arena.
    package struct PagePlace {
        var chunk = 0
        var page = 0
        package init() {}
    }

    /// A page that is being emptied: none of its free cells is given out until `close`.
    @safe package struct SparsePage {
        fileprivate let page: PagePointer
        fileprivate let index: Int
    }

    package enum Visit {
        /// There is no such page: the hand has been everywhere.
        case end
        case passed
        case opened(SparsePage)
    }

    /// Looks at the page at `place`, which moves on. When at most `percent` of its cells are used and its class has
    /// others with room, it is opened and its entries are put into `entries`.
    package mutating func visitPage(at place: inout PagePlace, percent: Int, entries: inout [Entry]) -> Visit {
        guard place.chunk < chunks.count else { return .end }
        let address = chunks[place.chunk] + UInt(place.page * EntryArena.pageByteCount)
        if place.chunk == chunks.count - 1 && address >= chunkNext { return .end }
        place.page += 1
        if place.page * EntryArena.pageByteCount >= EntryArena.chunkByteCount {
            place.page = 0
            place.chunk += 1
        }
        // The head of a page whose memory went back to the system reads as zeros.
        let page = unsafe PagePointer(bitPattern: address).unsafelyUnwrapped
        let cellByteCount = unsafe Int(page.pointee.cellByteCount)
        guard cellByteCount > 0 else { return .passed }
        let index = EntryArena.classIndex(cellByteCount)
        let cellCount = (EntryArena.pageByteCount - EntryArena.pageHeaderByteCount) / cellByteCount
        let used = unsafe Int(page.pointee.used)
        guard used * 100 <= cellCount * percent, used > 0 else { return .passed }
        // The first of its class is the one that the others are emptied into, unless a larger class can take it whole.
        if unsafe page == open[index] {
            guard unsafe page.pointee.next == nil, used * 4 <= cellCount, let larger = largerClass(than: index),
                hasRoom(larger, for: used)
            else { return .passed }
        }
        unsafe EntryArena.collect(page, cellByteCount: cellByteCount, cellCount: cellCount, into: &entries)
        unsafe unlink(page, index)
        // So that what moves does not ask for a page instead.
        unsafe pageCounts[index] &-= 1
        return unsafe .opened(SparsePage(page: page, index: index))
    }

    /// Whether the first page of a class with free cells has so many.
    private func hasRoom(_ index: Int, for count: Int) -> Bool {
        guard let page = unsafe open[index] else { return false }
        let cellByteCount = EntryArena.cellByteCount(ofClass: index)
        let cellCount = (EntryArena.pageByteCount - EntryArena.pageHeaderByteCount) / cellByteCount
        return unsafe cellCount - Int(page.pointee.used) >= count
    }

    /// The entries of a page: cells that were given out and are in no chain of free ones.
    @unsafe private static func collect(
        _ page: PagePointer, cellByteCount: Int, cellCount: Int, into entries: inout [Entry]
    ) {
        let start = UnsafeMutableRawPointer(page)
        var isFree = [Bool](repeating: false, count: cellCount)
        var offset = unsafe Int(page.pointee.freeHead)
        while offset != 0 {
            isFree[(offset - pageHeaderByteCount) / cellByteCount] = true
            offset = unsafe Int((start + offset).load(as: UInt32.self))
        }
        let givenOut = unsafe (Int(page.pointee.bump) - pageHeaderByteCount) / cellByteCount
        for cell in 0..<givenOut where !isFree[cell] {
            let address = unsafe start + pageHeaderByteCount + cell * cellByteCount
            unsafe entries.append(Entry(address: address.assumingMemoryBound(to: UInt8.self)))
        }
    }

    /// Gives an entry of an opened page another place. The old one's bytes are not to be looked at any more.
    package mutating func move(_ entry: Entry, from sparse: SparsePage) -> Entry {
        let page = unsafe sparse.page
        let byteCount = entry.byteCount
        let fresh = allocate(byteCount)
        let cellByteCount = EntryArena.cellByteCount(ofClass: sparse.index)
        let cell = unsafe UnsafeMutableRawPointer(entry.address)
        unsafe memcpy(fresh.address, cell, byteCount)
        usedByteCount &-= cellByteCount
        slabByteCount &-= cellByteCount
        leaveCell(cellByteCount, byteCount)
        unsafe cell.storeBytes(of: page.pointee.freeHead, as: UInt32.self)
        unsafe page.pointee.freeHead = UInt32(truncatingIfNeeded: cell - UnsafeMutableRawPointer(page))
        unsafe page.pointee.used &-= 1
        return fresh
    }

    /// The hand leaves a page that it opened: emptied, it is free for any class; else it is one of its class again.
    package mutating func close(_ sparse: SparsePage) {
        unsafe pageCounts[sparse.index] &+= 1
        if unsafe sparse.page.pointee.used == 0 {
            unsafe putAside(sparse.page, sparse.index)
        } else {
            unsafe link(sparse.page, sparse.index)
        }
    }
}
