// Eviction+Pages.swift - eviction where sizes shift. Keys that go in hash order leave every page of entries a little
// emptier, and none empty: the memory is of no use for other sizes, and emptying pages that are nearly full costs many
// moves a page (`CompactionHand.swift`). So while much is idle, what passed goes by pages: of a page that is not full
// the clock's victims go and the rest moves to other pages, and the page is free. Which keys go is what the clock would
// have said of them; only whose turn it is follows the pages. Engine's turn only.
internal import Structures

/// Where eviction by pages is, and whether it is worth while.
struct PageHand {
    /// Idle bytes of pages from which keys go by pages, as a share of all bytes, and at least.
    private static let idleShare = 25
    private static let idleByteCountMin = 512 << 10
    /// After a round over all pages not again before so much larger a share of them is idle: a few pages of each size
    /// are never full, and mean nothing.
    private static let restShare = 1.2
    /// How full a page may be, in percent.
    static let fullestPercent = 90
    /// Pages looked at for one that is not full.
    static let pagesPerStep = 64

    fileprivate var database = 0
    fileprivate var place = EntryArena.PagePlace()
    fileprivate var entries: [Entry] = []
    /// Of the pages, what is idle, and what that must be more than.
    private var share = 0.0
    private var restsBelow = 0.0
    private(set) var isDue = false

    mutating func measure(_ keyspace: borrowing Keyspace, byteCount: Int) {
        let idle = keyspace.idleByteCount
        share = Double(idle) / Double(max(1, keyspace.activeByteCount))
        let bound = max(PageHand.idleByteCountMin, byteCount / PageHand.idleShare)
        if idle < bound { restsBelow = 0 }
        isDue = idle > bound && share > restsBelow
    }

    /// On to the next database; after the last one the hand rests unless much more is idle.
    fileprivate mutating func leaveArena(_ databaseCount: Int) {
        place = EntryArena.PagePlace()
        database += 1
        guard database >= databaseCount else { return }
        database = 0
        restsBelow = share * PageHand.restShare
        isDue = false
    }
}

extension EvictionHand {
    /// Looks for victims on the next page that is not full, and moves what stays there to others. Tells the database.
    mutating func visitPage(_ keyspace: inout Keyspace, _ policy: EvictionPolicy) -> Int {
        victims.removeAll(keepingCapacity: true)
        for _ in 0..<PageHand.pagesPerStep {
            let database = pages.database
            pages.entries.removeAll(keepingCapacity: true)
            switch keyspace[database].arena.visitPage(
                at: &pages.place, percent: PageHand.fullestPercent, entries: &pages.entries)
            {
            case .passed: break
            case .end:
                pages.leaveArena(keyspace.databaseCount)
                if !pages.isDue { return database }
            case .opened(let page):
                empty(page, &keyspace, database, policy)
                return database
            }
        }
        return pages.database
    }

    private mutating func empty(
        _ page: EntryArena.SparsePage, _ keyspace: inout Keyspace, _ database: Int, _ policy: EvictionPolicy
    ) {
        keyspace[database].prefetch(pages.entries)
        for entry in pages.entries {
            guard let slot = keyspace[database].movableSlot(of: entry) else { continue }
            let isNewcomer = slot.age != 0 && slot.age != EntryTable.asideAge
            if !isNewcomer,
                let victim = judge(slot, keyspace, database, policy, takesCold: takesCold, ignoresUse: false)
            {
                victims.append(victim)
            } else {
                keyspace[database].move(slot, from: page)
            }
        }
        keyspace[database].arena.close(page)
    }
}
