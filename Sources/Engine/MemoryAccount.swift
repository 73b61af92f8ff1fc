// MemoryAccount.swift - what the process uses, by what the allocator really gave (Base/AllocatedBytes), plus the slab
// pages of the arenas, which do not come from it. It is read a few times a second and for commands that show it;
// between two readings the keyspace's own exact counters tell the difference.
internal import Base
internal import CAllocator
internal import Keyspace
internal import Structures

package struct MemoryAccount {
    /// used_memory at the last reading.
    package private(set) var used = 0
    package private(set) var peak = 0
    package private(set) var peakSeconds: Int64 = 0
    /// used_memory right after start.
    package private(set) var startup = 0
    /// Bytes of the keyspace at the last reading.
    private var keyspaceAtReading = 0
    /// When the allocator was asked last.
    package private(set) var readingMilliseconds: Int64 = 0
    /// Of `used`, what eviction does not count: the append only file's buffers.
    package private(set) var uncounted = 0
    /// What is counted beside `used`: memory that the disk tier's write buffers will want.
    private(set) var reserved = 0
    package private(set) var resident = 0
    package private(set) var allocatorActive = 0
    package private(set) var allocatorResident = 0
    /// By how much less than `maxmemory` may be used, because the process takes more than what is used (below): for
    /// long, and for a moment.
    private var lastingRestraint = 0
    private var briefRestraint = 0
    package var restraint: Int { lastingRestraint + briefRestraint }
    /// Resident memory that is no page of the allocator or of entries: the program.
    private var residentElsewhere = 0
    /// What resident memory had too much at the last looks, at least.
    private var lastingExcess = Int.max
    private var looks = 0
    /// Bytes that had ever been given back to the process allocator when it was asked for its pages last.
    fileprivate var freedAtLook = 0

    /// Pages of entries, which the process allocator does not know.
    struct PageFigures {
        var active = 0
        var resident = 0
    }

    package init() {}

    /// The process allocator as INFO names it.
    package static var allocatorName: String {
        guard let version = unsafe fog_allocator_text("version") else { return "jemalloc" }
        let text = unsafe String(cString: version)
        return "jemalloc-" + text.prefix { $0 != "-" }
    }

    /// MEMORY PURGE: free pages go back to the system. False when the allocator refuses.
    package static func purge() -> Bool { fog_allocator_purge() == 0 }

    /// DEBUG MALLCTL: a number of the allocator, which is set where `fresh` is given; an errno when it does not go.
    package static func number(_ name: String, setTo fresh: Int64? = nil) -> (value: Int64, error: Int32) {
        var value: Int64 = 0
        let error = unsafe fog_allocator_number(name, &value, fresh == nil ? 0 : 1, fresh ?? 0)
        return (value, error)
    }

    /// DEBUG MALLCTL-STR: a text of the allocator by its name.
    package static func text(_ name: String) -> String? {
        guard let text = unsafe fog_allocator_text(name) else { return nil }
        return unsafe String(cString: text)
    }

    /// DEBUG MALLCTL-STR with VOID: has the allocator do what `name` says. Returns an errno.
    package static func act(_ name: String) -> Int32 { unsafe fog_allocator_act(name) }

    /// MEMORY MALLOC-STATS: what the allocator tells about itself.
    package static func report() -> [UInt8] {
        var text = ByteBuffer()
        unsafe withUnsafeMutablePointer(to: &text) { target in
            unsafe fog_allocator_report(target) { context, part in
                guard let context = unsafe context, let part = unsafe part else { return }
                let buffer = unsafe context.assumingMemoryBound(to: ByteBuffer.self)
                unsafe buffer.pointee.append(String(cString: part))
            }
        }
        return text.span.array
    }

    /// The part of a reading that `maxmemory` needs. Cost: two loads for every thread.
    mutating func readUsed(
        slabByteCount: Int, keyspaceByteCount: Int, uncounted: Int, reserved: Int, milliseconds: Int64
    ) {
        used = AllocatedBytes.used + slabByteCount
        keyspaceAtReading = keyspaceByteCount
        self.uncounted = uncounted
        self.reserved = reserved
        readingMilliseconds = milliseconds
    }

    /// Much was given back since the last reading: the next look at the limit reads anew.
    mutating func forgetReading() { readingMilliseconds = 0 }

    /// The rest of a reading; `used` is what it has been since `readUsed`.
    mutating func readOthers(
        _ pages: PageFigures, allocator: AllocatorPages, keyspaceByteCount: Int, resident: Int, milliseconds: Int64
    ) {
        used = current(keyspaceByteCount: keyspaceByteCount)
        keyspaceAtReading = keyspaceByteCount
        allocatorActive = allocator.active + pages.active
        allocatorResident = allocator.resident + pages.resident
        self.resident = resident
        residentElsewhere = max(0, resident - allocatorResident)
        if startup == 0 { startup = used }
        if used > peak {
            peak = used
            peakSeconds = milliseconds / 1000
        }
    }

    /// Resident memory that a limit stands for: 1.15 times as much, and what the process takes without data, some
    /// 10 MB. Restraint begins somewhat below.
    private static let residentShare = 1.09
    private static let residentByteCountFixed = 5 << 20
    /// The same in all where what must go is written to disk: no key is lost by going earlier.
    private static let residentShareBesideDisk = 1.045
    /// Below, what the process takes anyhow is most of it, and restraint would only cost keys.
    private static let restrainedByteCountMin = 32 << 20
    /// Of the limit, what restraint takes at most.
    private static let restraintShare = 8
    /// Looks between two decisions, a second's: what the allocator gives back by itself is no reason for restraint.
    private static let looksPerDecision = 10

    /// Holds resident memory near the limit, whatever the allocator makes of sizes that change: what it takes beyond
    /// its share for long must not be used. Goes slowly, so that pages that were emptied do not fill again.
    mutating func restrain(limit: Int, hasDisk: Bool) {
        guard limit >= MemoryAccount.restrainedByteCountMin else { return lastingRestraint = 0 }
        let bound = hasDisk
            ? Int(Double(limit) * MemoryAccount.residentShareBesideDisk)
            : Int(Double(limit) * MemoryAccount.residentShare) + MemoryAccount.residentByteCountFixed
        lastingExcess = min(lastingExcess, allocatorResident - bound)
        looks += 1
        guard looks >= MemoryAccount.looksPerDecision else { return }
        // What there is at present stands for what restraint has achieved so far.
        let wanted =
            lastingExcess > 0 ? lastingRestraint + lastingExcess : lastingRestraint - lastingRestraint / 8 - 1
        lastingRestraint = min(limit / MemoryAccount.restraintShare, max(wanted, 0))
        lastingExcess = .max
        looks = 0
    }

    /// Where resident memory must not get, and how far below it restraint begins.
    private static let residentShareMax = 1.15
    private static let residentByteCountFixedMax = 10_000_000
    private static let residentMarginShare = 22
    /// Of the limit, what brief restraint takes at most.
    private static let briefRestraintShare = 16
    /// More than what is too much: by the time it is gone there is more of it.
    private static let briefRestraintFactor = 2

    /// When sizes shift it takes some tenths of a second until what was freed is the system's again, or of use for
    /// other sizes: what the process would take too much meanwhile must not be used. Gone as soon as it is over.
    mutating func restrainBriefly(limit: Int, allocatorResident: Int) {
        guard limit >= MemoryAccount.restrainedByteCountMin else { return briefRestraint = 0 }
        let bound =
            Int(Double(limit) * MemoryAccount.residentShareMax) + MemoryAccount.residentByteCountFixedMax
            - limit / MemoryAccount.residentMarginShare - residentElsewhere
        let wanted = max(0, allocatorResident - bound) * MemoryAccount.briefRestraintFactor
        briefRestraint = min(limit / MemoryAccount.briefRestraintShare, wanted)
    }

    /// used_memory now, given the keyspace's bytes now.
    package func current(keyspaceByteCount: Int) -> Int { used + keyspaceByteCount - keyspaceAtReading }
}

extension Engine {
    /// Bytes of entries, values and tables in all databases. Cost: a few loads per database.
    package var keyspaceByteCount: Int {
        var total = 0
        for index in 0..<keyspace.databaseCount where keyspace[index].count > 0 { total += keyspace[index].byteCount }
        return total
    }

    /// Slab bytes of entries and members, which the process allocator does not know, less what was thrown away and the
    /// background has not freed yet, which it does: that goes without anybody's help, and counted it would cost the
    /// keys that are left when a very large one is evicted.
    private var slabByteCount: Int {
        var total = -keyspace.garbage.byteCount - hooks.pendingFrees().pendingBytes
        for index in 0..<keyspace.databaseCount { total += keyspace[index].slabByteCount }
        return total
    }

    /// Reads all anew, pages as the allocator told last, and has it asked again; the timer does.
    package mutating func readMemory() {
        readAllocator()
        lookAtPages()
        readOtherMemory()
    }

    /// Freed pages that may be resident under a limit, as a share of it, and at least.
    private static let dirtyShare = 64
    private static let dirtyByteCountMin = 512 << 10

    private var dirtyByteCountMax: Int { max(Engine.dirtyByteCountMin, settings.maxmemory / Engine.dirtyShare) }

    private mutating func lookAtPages() {
        memory.freedAtLook = AllocatedBytes.freed
        hooks.readPages(allocatorPages, settings.maxmemory > 0 ? dirtyByteCountMax : .max)
    }

    /// The allocator keeps freed pages for a tenth of a second, in which a whole dataset may be replaced by other
    /// sizes: under a limit it is looked at whenever as much was freed as may be resident.
    /// What it told last is what resident memory is held by until the next look.
    mutating func watchResidentMemory() {
        if AllocatedBytes.freed - memory.freedAtLook > dirtyByteCountMax { lookAtPages() }
        memory.restrainBriefly(
            limit: evictionLimit, allocatorResident: allocatorPages.resident + pageFigures.resident)
    }

    /// As `readMemory`, for a command that shows figures: with a limit, room was made for what the memory gate read
    /// just before, and a second look would find what other threads took meanwhile.
    package mutating func readMemoryToShow() {
        if settings.maxmemory == 0 || memory.readingMilliseconds != keyspace.now { readAllocator() }
        readOtherMemory()
    }

    private var pageFigures: MemoryAccount.PageFigures {
        var pages = MemoryAccount.PageFigures()
        for index in 0..<keyspace.databaseCount {
            let members = keyspace[index].memberSlabByteCount
            pages.active += keyspace[index].arena.activeByteCount + members
            pages.resident += keyspace[index].arena.residentByteCount + members
        }
        return pages
    }

    private mutating func readOtherMemory() {
        memory.readOthers(
            pageFigures, allocator: allocatorPages, keyspaceByteCount: keyspaceByteCount,
            resident: ProcessFacts.residentByteCount, milliseconds: clock.nowMilliseconds)
    }

    /// Reads what is used now.
    mutating func readAllocator() {
        memory.readUsed(
            slabByteCount: slabByteCount, keyspaceByteCount: keyspaceByteCount, uncounted: uncountedByteCount,
            reserved: keyspace.tiers.reservedByteCount, milliseconds: keyspace.now)
    }

    /// Bytes used now (INFO used_memory).
    package var usedMemory: Int { memory.current(keyspaceByteCount: keyspaceByteCount) }

    /// Bytes that count towards `maxmemory`. As in stock servers what waits for the append only file does not: evicting
    /// would make more of it.
    /// Nor do clients count that are on their way out. And the disk tier's buffers count as if they were full: room is
    /// made by filling them.
    var countedMemory: Int { usedMemory - memory.uncounted - clientMemory.leaving + memory.reserved }

    private var uncountedByteCount: Int {
        journal.isOn ? journal.file.bytes.count + hooks.appendOnlyGauges().pendingByteCount : 0
    }

    /// When its replies have grown to this, a turn ends early, so that they are written, and counted where they have to
    /// wait, before more are made. Follows the limits of memory.
    mutating func limitTurnReplies() {
        var most = 1 << 20
        if settings.maxmemory > 0 { most = min(most, settings.maxmemory / 64) }
        if let limit = settings.clientMemoryLimit { most = min(most, limit / 32) }
        turnReplyByteCountMax = max(64 << 10, most)
    }

    /// `maxmemory` where keys go when it is full; 0 where none do.
    var evictionLimit: Int { settings.maxmemoryPolicy.eviction == nil ? 0 : settings.maxmemory }

    /// One part in `parts` of `maxmemory`, for what is memory too and of a small one must not take much; without a
    /// limit any number of bytes.
    func memoryShare(_ parts: Int) -> Int { settings.maxmemory > 0 ? settings.maxmemory / parts : .max }

    /// `maxmemory`, less what fragmentation takes of it.
    var memoryLimit: Int { settings.maxmemory - memory.restraint }

    func isOverMemoryLimit() -> Bool { settings.maxmemory > 0 && countedMemory > memoryLimit }
}
