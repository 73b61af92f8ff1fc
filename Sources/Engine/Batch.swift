// Batch.swift - the commands of one round of a loop: parsed without the turn, run under it. First the buckets of the
// next commands' keys are prefetched, then their entries, then the commands run in order; that is where the speed of a
// pipeline comes from. A batch belongs to one loop and is reused, so a round allocates nothing.
package import Base
internal import Keyspace
package import RESP
internal import Structures

@safe package struct Batch: ~Copyable {
    /// Commands run per turn; a few hundred, so that other loops wait tens of microseconds.
    package static let itemsPerTurn = 256
    /// Commands whose keys are prefetched together: enough to hide a cache miss, few enough to stay in the cache.
    private static let prefetchDistance = 64

    package struct Item {
        var slot: Int32
        var argumentCount: Int32
        var firstArgument: Int
        var hashedArgument: Int32
        var segment: Int32
        var hash: UInt64
        /// End of the command in its connection's bytes.
        package var end: Int
    }

    /// One connection's share of the batch.
    package struct Segment {
        package let session: SessionReference
        /// The caller's number for the connection.
        package let connection: Int
        package var firstItem: Int
        package var itemCount: Int
        /// Commands parsed; stays what it was when the rest is abandoned.
        package var parsedCount = 0
        /// Whether the client had authenticated after its last command.
        package var isAuthenticated = true
        /// Items that ran.
        package var executedCount = 0
        package var outputStart = 0
        package var outputEnd = 0
        package var outcome = Outcome.done
    }

    /// A reply that must not leave before the journal is on the device up to `offset`.
    package struct Hold {
        package let segment: Int
        package let start: Int
        package let end: Int
        package let offset: Int64
    }

    /// Replies to writes under `appendfsync always`, in order; empty otherwise.
    package private(set) var holds: [Hold] = []
    private var slices: UnsafeMutablePointer<ArgumentSlice>
    private var sliceCapacity = 1024
    private var sliceCount = 0
    private var items: UnsafeMutablePointer<Item>
    private var itemCapacity = 512
    package private(set) var itemCount = 0
    package private(set) var segments = SegmentList()
    /// Next item to run.
    private var position = 0
    /// Replies of all segments, one after another.
    package var output = ByteBuffer()
    private let commands: CommandTable
    private let seed = KeyHash.seed

    package init(commands: CommandTable) {
        self.commands = commands
        unsafe slices = .allocate(capacity: sliceCapacity)
        unsafe items = .allocate(capacity: itemCapacity)
    }

    deinit {
        unsafe slices.deallocate()
        unsafe items.deallocate()
    }

    /// Which of the holds are the segment's; those before `start` belong to earlier ones.
    package func holds(of segment: Int, behind start: Int) -> Range<Int> {
        var first = start
        while first < holds.count && holds[first].segment < segment { first += 1 }
        var end = first
        while end < holds.count && holds[end].segment == segment { end += 1 }
        return first..<end
    }

    package var isFinished: Bool { position >= itemCount }

    package mutating func removeAll() {
        sliceCount = 0
        itemCount = 0
        position = 0
        segments.removeAll()
        output.removeAll(keepingCapacity: 256 << 10)
        if sliceCapacity > 65536 {
            unsafe slices.deallocate()
            sliceCapacity = 1024
            unsafe slices = .allocate(capacity: sliceCapacity)
        }
    }

    package mutating func beginSegment(_ session: SessionReference, connection: Int) {
        segments.append(Segment(session: session, connection: connection, firstItem: itemCount, itemCount: 0))
    }

    /// Adds the command whose arguments are `ranges[first...]` of `bytes`, negative offsets pointing into `unquoted`.
    @unsafe @inline(__always)
    package mutating func add(
        _ ranges: borrowing ArgumentRanges, bytes: UnsafePointer<UInt8>, unquoted: UnsafePointer<UInt8>, end: Int
    ) {
        let count = ranges.count
        if _slowPath(sliceCount &+ count > sliceCapacity) { growSlices(count) }
        if _slowPath(itemCount == itemCapacity) { growItems() }
        let first = sliceCount
        for index in 0..<count {
            let range = ranges[index]
            let base = unsafe range.offset >= 0 ? bytes + range.offset : unquoted + (-1 - range.offset)
            unsafe (slices + (first &+ index)).initialize(to: ArgumentSlice(base: base, count: range.count))
        }
        sliceCount = first &+ count
        let arguments = unsafe Arguments(unchecked: slices + first, count: count)
        let slot = commands.resolve(arguments[0], arguments) ?? -1
        var hashed = 0
        var hash: UInt64 = 0
        if slot >= 0 {
            hashed = unsafe commands.slotPointer[slot].firstKey
            if hashed > 0 && hashed < count {
                hash = KeyHash.hash(arguments[hashed], seed: seed)
            } else {
                hashed = 0
            }
        }
        unsafe (items + itemCount).initialize(
            to: Item(
                slot: Int32(truncatingIfNeeded: slot), argumentCount: Int32(truncatingIfNeeded: count),
                firstArgument: first, hashedArgument: Int32(truncatingIfNeeded: hashed),
                segment: Int32(truncatingIfNeeded: segments.count &- 1), hash: hash, end: end))
        itemCount &+= 1
        segments[segments.count &- 1].itemCount &+= 1
        segments[segments.count &- 1].parsedCount &+= 1
    }

    @inline(never)
    private mutating func growSlices(_ additional: Int) {
        let wanted = max(sliceCapacity * 2, sliceCount + additional)
        let fresh = UnsafeMutablePointer<ArgumentSlice>.allocate(capacity: wanted)
        unsafe fresh.moveInitialize(from: slices, count: sliceCount)
        unsafe slices.deallocate()
        unsafe slices = fresh
        sliceCapacity = wanted
    }

    @inline(never)
    private mutating func growItems() {
        let fresh = UnsafeMutablePointer<Item>.allocate(capacity: itemCapacity * 2)
        unsafe fresh.moveInitialize(from: items, count: itemCount)
        unsafe items.deallocate()
        unsafe items = fresh
        itemCapacity *= 2
    }

    /// End offset of the last command of `segment` that ran, 0 when none did.
    package func executedEnd(_ segment: Segment) -> Int {
        segment.executedCount == 0 ? 0 : unsafe items[segment.firstItem &+ segment.executedCount &- 1].end
    }

    /// Takes the segment's commands that did not run out of the batch (its connection is blocked or gone).
    package mutating func abandonRest(ofSegment index: Int) {
        let end = segments[index].firstItem + segments[index].itemCount
        segments[index].itemCount = segments[index].executedCount
        if position < itemCount, unsafe Int(items[position].segment) == index { position = end }
    }

    /// The segment's replies so far were written and its outcome was acted on; another turn must not act on it again.
    package mutating func clearOutput(ofSegment index: Int) {
        segments[index].outputStart = 0
        segments[index].outputEnd = 0
        segments[index].outcome = .done
    }

    // MARK: running

    /// Runs up to `itemsPerTurn` commands under the turn.
    package mutating func run(_ engine: inout Engine) {
        let end = min(itemCount, position &+ Batch.itemsPerTurn)
        engine.beginRound()
        let holdsReplies = engine.holdsReplies
        let outputByteCountMax = engine.turnReplyByteCountMax
        let outputByteCountGoal = min(outputByteCountMax, Batch.outputByteCountGoal)
        var journalEnd = engine.journal.file.end
        holds.removeAll(keepingCapacity: true)
        var executed = 0
        var current = -1
        running: while position < end {
            let groupEnd = min(end, position &+ Batch.prefetchDistance)
            if groupEnd &- position > 1 { prefetch(engine, from: position, to: groupEnd) }
            while position < groupEnd {
                let item = unsafe items[position]
                let index = Int(item.segment)
                if index != current {
                    if _slowPath(output.count > outputByteCountGoal) { break running }
                    current = index
                    enter(index, &engine)
                }
                let arguments = unsafe Arguments(unchecked: slices + item.firstArgument, count: Int(item.argumentCount))
                let session = segments[index].session
                let mark = output.count
                let outcome = unsafe withUnsafeMutablePointer(to: &output) { buffer in
                    unsafe engine.execute(
                        session, slot: Int(item.slot), arguments: arguments, hashedArgument: Int(item.hashedArgument),
                        hash: item.hash, output: buffer)
                }
                executed &+= 1
                position &+= 1
                segments[index].executedCount &+= 1
                segments[index].outputEnd = output.count
                if _slowPath(holdsReplies && engine.journal.file.end != journalEnd) {
                    journalEnd = engine.journal.file.end
                    hold(index, Int(item.slot), from: mark, until: journalEnd)
                }
                if _slowPath(!segments[index].isAuthenticated) {
                    segments[index].isAuthenticated = session.session.isAuthenticated
                }
                if _slowPath(outcome != .done) {
                    segments[index].outcome = outcome
                    if engine.gates.contains(.cold) { expectRest(of: index, engine) }
                    abandonRest(ofSegment: index)
                    break
                }
                if _slowPath(output.count > outputByteCountMax) { break running }
            }
        }
        engine.endRound(commandCount: executed)
    }

    /// The connection's next commands have to wait: what they will want from disk can come meanwhile.
    private func expectRest(of index: Int, _ engine: borrowing Engine) {
        let end = min(segments[index].firstItem + segments[index].itemCount, position + Batch.prefetchDistance)
        let database = segments[index].session.session.database
        for next in position..<max(position, end) {
            let item = unsafe items[next]
            guard item.hashedArgument > 0 else { continue }
            let arguments = unsafe Arguments(unchecked: slices + item.firstArgument, count: Int(item.argumentCount))
            engine.expect(arguments[Int(item.hashedArgument)], hash: item.hash, in: database)
        }
    }

    /// The command has written. One that only reads, and met an expired key, waits for nothing.
    @inline(never)
    private mutating func hold(_ segment: Int, _ slot: Int, from start: Int, until offset: Int64) {
        guard output.count > start, !commands.slot(slot).flags.contains(.readonly) else { return }
        holds.append(Hold(segment: segment, start: start, end: output.count, offset: offset))
    }

    /// A connection's first command of this turn: what others sent it before comes first.
    @inline(__always)
    private mutating func enter(_ index: Int, _ engine: inout Engine) {
        segments[index].outputStart = output.count
        let session = segments[index].session
        segments[index].isAuthenticated = session.session.isAuthenticated
        session.session.lastInteractionMilliseconds = engine.keyspace.now
        engine.running = session
        engine.runningLoop = session.session.loop
        if _slowPath(session.session.isRecipient) { engine.writeMail(of: session, to: &output) }
    }

    /// When the replies of a turn have grown to this, no other connection's commands are begun in it: they wait here
    /// until its end, and many clients that read large values would else take memory that keys have to make room for.
    private static let outputByteCountGoal = 128 << 10

    @inline(__always)
    private func prefetch(_ engine: borrowing Engine, from start: Int, to end: Int) {
        for index in start..<end where unsafe items[index].hashedArgument > 0 {
            let database = unsafe segments[Int(items[index].segment)].session.session.database
            unsafe engine.keyspace[database].table.prefetchBucket(items[index].hash)
            unsafe engine.keyspace.clocks.prefetch(items[index].hash, in: database)
        }
        // A bit per command: `prefetchDistance` is 64.
        var displaced: UInt64 = 0
        var hasRun = false
        for index in start..<end where unsafe items[index].hashedArgument > 0 {
            if index > start, unsafe items[index].hash == items[index &- 1].hash { hasRun = true }
            let database = unsafe segments[Int(items[index].segment)].session.session.database
            let isDisplaced = unsafe engine.keyspace[database].table.prefetchEntry(items[index].hash)
            displaced |= (isDisplaced ? 1 : 0) << UInt64(truncatingIfNeeded: index &- start)
        }
        while displaced != 0 {
            let index = start &+ displaced.trailingZeroBitCount
            let database = unsafe segments[Int(items[index].segment)].session.session.database
            unsafe engine.keyspace[database].table.prefetchDisplaced(items[index].hash)
            displaced &= displaced &- 1
        }
        if hasRun { prefetchMembers(engine, from: start, to: end) }
    }

    /// Commands that follow each other on one large set or hash: what they name in it is brought towards the cache too.
    @inline(never)
    private func prefetchMembers(_ engine: borrowing Engine, from start: Int, to end: Int) {
        var first = start
        while first < end {
            var last = first &+ 1
            while last < end, unsafe items[last].hash == items[first].hash { last &+= 1 }
            if last &- first > 1 { prefetchRun(engine, first..<last) }
            first = last
        }
    }

    /// Commands on one key: the buckets of the members they name, then the members, as it was done for keys.
    private func prefetchRun(_ engine: borrowing Engine, _ run: Range<Int>) {
        let item = unsafe items[run.lowerBound]
        guard item.hashedArgument > 0 else { return }
        let database = segments[Int(item.segment)].session.session.database
        let key = arguments(run.lowerBound)[Int(item.hashedArgument)]
        guard let entry = engine.keyspace[database].largeMembers(key, hash: item.hash) else { return }
        // As many as `prefetchDistance`.
        var hashes = InlineArray<64, UInt64>(repeating: 0)
        for index in run where namesMember(index) {
            let hash = entry.members.hash(arguments(index)[2])
            entry.members.prefetchBucket(hash)
            hashes[index &- run.lowerBound] = hash
        }
        for index in run where namesMember(index) { entry.members.prefetchEntry(hashes[index &- run.lowerBound]) }
    }

    @inline(__always)
    private func namesMember(_ index: Int) -> Bool {
        guard unsafe items[index].hashedArgument > 0 && items[index].argumentCount > 2 else { return false }
        return unsafe commands.slotPointer[Int(items[index].slot)].namesMember
    }

    @_lifetime(borrow self) @inline(__always)
    private func arguments(_ index: Int) -> Arguments {
        unsafe Arguments(unchecked: slices + items[index].firstArgument, count: Int(items[index].argumentCount))
    }
}

extension Engine {
    /// The start of a turn: the commands that follow see one instant.
    @inline(__always)
    mutating func beginRound() {
        keyspace.now = clock.nowMilliseconds
        stamp = ticks()
    }

    @inline(__always)
    mutating func endRound(commandCount: Int) {
        statistics.commandsProcessed &+= commandCount
        running = nil
        if _slowPath(trackers.broadcasts.hasPending) { broadcastChanges() }
        runningLoop = -1
        flushJournal()
        if _slowPath(gates.contains(.cold)) { settleCold() }
        if _slowPath(!keyspace.garbage.isEmpty) { collectGarbage() }
    }
}
