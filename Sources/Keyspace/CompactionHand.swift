// CompactionHand.swift - gives back the memory that shifting sizes leave behind: pages of entries that are mostly empty
// are emptied into others of their class (`Structures/EntryArena+Compaction.swift`). The hand walks over the pages of
// all databases in rounds; a round takes the emptiest pages first, the next one, when that was not enough, fuller ones.
// Nothing that anybody can see changes: an entry keeps its bytes, its age and its place in hash order. Engine's turn
// only, never while somebody holds an entry or a slot.
internal import Structures

package struct CompactionHand {
    /// How full a page may be to be emptied, in percent, round by round.
    private static let percents = [25, 50, 75, 90]
    /// Pages looked at in one step, unless one is emptied: some microseconds.
    private static let pagesPerStep = 32

    private var database = 0
    private var place = EntryArena.PagePlace()
    private var round = 0
    private var entries: [Entry] = []

    package init() {}

    package struct Result {
        package var movedCount = 0
        /// Entries that could not be moved: a snapshot holds them.
        package var heldCount = 0
        /// The last of the rounds is over.
        package var isOver = false
    }

    /// Begins again, with the emptiest pages.
    package mutating func restart() {
        database = 0
        place = EntryArena.PagePlace()
        round = 0
    }

    /// One step: at most one page is emptied.
    package mutating func step(_ keyspace: inout Keyspace) -> Result {
        var result = Result()
        for _ in 0..<CompactionHand.pagesPerStep {
            guard database < keyspace.databaseCount else {
                let next = round + 1
                restart()
                result.isOver = next == CompactionHand.percents.count
                round = result.isOver ? 0 : next
                return result
            }
            entries.removeAll(keepingCapacity: true)
            let percent = CompactionHand.percents[round]
            switch keyspace[database].arena.visitPage(at: &place, percent: percent, entries: &entries) {
            case .passed: break
            case .end:
                database += 1
                place = EntryArena.PagePlace()
            case .opened(let page):
                let moved = keyspace[database].move(entries, from: page)
                result.movedCount = moved
                result.heldCount = entries.count - moved
                return result
            }
        }
        return result
    }
}

extension Keyspace {
    /// Bytes of entry pages in use that no entry has.
    package var idleByteCount: Int {
        var total = 0
        for index in 0..<databaseCount { total += self[index].arena.idleByteCount }
        return total
    }

    /// Bytes of entry pages in use.
    package var activeByteCount: Int {
        var total = 0
        for index in 0..<databaseCount { total += self[index].arena.activeByteCount }
        return total
    }
}

extension Database {
    /// Moves the entries of an opened page and closes it. Returns how many could be moved.
    fileprivate mutating func move(_ entries: [Entry], from page: EntryArena.SparsePage) -> Int {
        var moved = 0
        prefetch(entries)
        for entry in entries {
            guard let slot = movableSlot(of: entry) else { continue }
            move(slot, from: page)
            moved += 1
        }
        arena.close(page)
        return moved
    }

    func prefetch(_ entries: [Entry]) {
        for entry in entries { table.prefetchBucket(table.hash(entry.key)) }
    }

    /// Where an entry of an opened page is in the table; nil for one that is in none, and so belongs to a snapshot,
    /// which knows it by its address, or that a snapshot is writing.
    func movableSlot(of entry: Entry) -> EntryTable.Slot? {
        guard let slot = table.find(entry.key, hash: table.hash(entry.key)), slot.entry == entry,
            capture?.isWriting(entry) != true
        else { return nil }
        return slot
    }

    mutating func move(_ slot: EntryTable.Slot, from page: EntryArena.SparsePage) {
        table.replace(slot, with: arena.move(slot.entry, from: page))
    }
}
