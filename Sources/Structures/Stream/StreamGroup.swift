// StreamGroup.swift - a consumer group: how far it has read, who its consumers are, and its pending entries list with
// the time and number of deliveries of each. A `StreamGroup` is a plain handle to memory that its stream owns (or that
// the caller owns after `StreamLog.detachGroup`); dead once that is gone. Engine's turn; times come from the caller.
// Every pending entry stands in the group's tree with its delivery, and in its consumer's tree as a bare identifier.
internal import Base
internal import CAllocator
internal import CLinux

/// What a group remembers of one pending entry.
struct StreamDelivery: BitwiseCopyable {
    var timeMilliseconds: Int64
    var count: UInt64
    /// Address of the consumer's storage; 0 while a stored list is being loaded.
    var consumerWord: UInt
}

/// A pending entry, read.
package struct StreamPending {
    /// The entry that was delivered.
    package let id: StreamID
    /// When it was delivered last, Unix time.
    package let deliveryTimeMilliseconds: Int64
    /// How often.
    package let deliveryCount: UInt64
    /// To whom.
    package let consumer: StreamConsumer
}

/// A handle to a consumer group.
@safe package struct StreamGroup: Equatable {
    struct Storage: ~Copyable {
        var name: ByteBuffer
        var lastID: StreamID
        var entriesRead: Int64
        var pending = StreamTree<StreamDelivery>()
        /// By name.
        var consumers: [StreamConsumer] = []
        /// Bytes of all consumers.
        var consumerBytes = 0
        var bookmark = StreamBookmark()
    }

    /// `entriesRead` when the group cannot know it.
    package static let unknownEntriesRead: Int64 = -1

    private let storage: UnsafeMutablePointer<Storage>

    init(name: Span<UInt8>, lastID: StreamID, entriesRead: Int64) {
        var copy = ByteBuffer(capacity: name.count)
        copy.append(name)
        unsafe storage = .allocate(capacity: 1)
        unsafe storage.initialize(to: Storage(name: copy, lastID: lastID, entriesRead: entriesRead))
    }

    /// The same group.
    package static func == (left: StreamGroup, right: StreamGroup) -> Bool { unsafe left.storage == right.storage }

    /// Frees everything: O(pending / 25). Only for a detached group; large ones are emptied by `removeSome` first.
    package func free() {
        for consumer in consumers { consumer.free() }
        unsafe storage.deinitialize(count: 1)
        unsafe storage.deallocate()
    }

    /// Forgets at most `limit` pending entries, so that dropping a group can be spread over many turns. True while some
    /// remain. The group is good for nothing but `free` afterwards.
    package func removeSome(limit: Int) -> Bool {
        unsafe storage.pointee.pending.removeSome(limit: limit) { id, delivery in
            if let consumer = StreamConsumer(word: delivery.consumerWord) { changeConsumer(consumer) { $0.remove(id) } }
        }
    }

    // MARK: Facts

    /// The group's name, valid while the group lives.
    package var name: Span<UInt8> {
        @_lifetime(borrow self) get { unsafe _overrideLifetime(storage.pointee.name.span, borrowing: self) }
    }

    /// The last entry delivered to anybody.
    package var lastID: StreamID {
        get { unsafe storage.pointee.lastID }
        nonmutating set { unsafe storage.pointee.lastID = newValue }
    }

    /// Entries delivered so far, counting from the stream's first ever; `unknownEntriesRead` when that is not known.
    package var entriesRead: Int64 {
        get { unsafe storage.pointee.entriesRead }
        nonmutating set { unsafe storage.pointee.entriesRead = newValue }
    }

    /// Where XREADGROUP with `>` goes on; see `StreamLog.walk(above:_:)`.
    package var bookmark: StreamBookmark {
        get { unsafe storage.pointee.bookmark }
        nonmutating set { unsafe storage.pointee.bookmark = newValue }
    }

    /// Entries delivered and not acknowledged.
    package var pendingCount: Int { unsafe storage.pointee.pending.count }

    /// Bytes of the group, its lists and its consumers.
    package var allocatedBytes: Int {
        unsafe fog_allocated_size(storage) + storage.pointee.name.capacity + storage.pointee.pending.allocatedBytes
            + storage.pointee.consumerBytes + storage.pointee.consumers.capacity * 8
    }

    // MARK: Consumers

    /// All consumers, by name.
    package var consumers: [StreamConsumer] { unsafe storage.pointee.consumers }

    /// The consumer of that name.
    package func consumer(named name: Span<UInt8>) -> StreamConsumer? {
        let index = consumerIndex(name)
        guard unsafe index < storage.pointee.consumers.count else { return nil }
        let consumer = unsafe storage.pointee.consumers[index]
        return consumer.name.equals(name) ? consumer : nil
    }

    /// Adds a consumer, seen now; nil when the name is taken.
    package func createConsumer(named name: Span<UInt8>, nowMilliseconds: Int64) -> StreamConsumer? {
        let index = consumerIndex(name)
        if index < consumers.count && consumers[index].name.equals(name) { return nil }
        let consumer = StreamConsumer(name: name, seenMilliseconds: nowMilliseconds)
        unsafe storage.pointee.consumers.insert(consumer, at: index)
        unsafe storage.pointee.consumerBytes += consumer.allocatedBytes
        return consumer
    }

    /// Removes a consumer and its pending entries; returns how many these were. The handle is dead then.
    package func deleteConsumer(_ consumer: StreamConsumer) -> Int {
        guard let index = consumers.firstIndex(of: consumer) else { return 0 }
        let count = consumer.pendingCount
        consumer.forEachID { id in unsafe storage.pointee.pending.remove(id) }
        unsafe storage.pointee.consumers.remove(at: index)
        unsafe storage.pointee.consumerBytes -= consumer.allocatedBytes
        consumer.free()
        return count
    }

    private func consumerIndex(_ name: Span<UInt8>) -> Int {
        // By way of the storage: the array handed out by `consumers` would be counted in and out.
        var low = 0
        var high = unsafe storage.pointee.consumers.count
        while low < high {
            let middle = (low + high) / 2
            let consumer = unsafe storage.pointee.consumers[middle]
            if LexBound.order(consumer.name, name) < 0 { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Every change of a consumer's list goes through here, which keeps the byte count.
    @inline(__always)
    private func changeConsumer(_ consumer: StreamConsumer, _ body: (StreamConsumer) -> Void) {
        let before = consumer.listBytes
        body(consumer)
        unsafe storage.pointee.consumerBytes &+= consumer.listBytes &- before
    }

    // MARK: Pending entries

    /// XREADGROUP: `id` goes to `consumer`, for the first time or, after the group was set back, from somebody else.
    package func deliver(_ id: StreamID, to consumer: StreamConsumer, nowMilliseconds: Int64) {
        let delivery = StreamDelivery(timeMilliseconds: nowMilliseconds, count: 1, consumerWord: consumer.word)
        if unsafe storage.pointee.pending.insert(id, delivery) {
            changeConsumer(consumer) { $0.insert(id) }
        } else {
            reassign(id, to: consumer, timeMilliseconds: nowMilliseconds, count: 1)
        }
    }

    /// XCLAIM and XAUTOCLAIM: `id` belongs to `consumer` from now on, whoever had it; it is added if nobody had.
    /// Cursors over the group's list stay good when somebody had it.
    package func assign(_ id: StreamID, to consumer: StreamConsumer, timeMilliseconds: Int64, count: UInt64) {
        // Asked first: inserting may make room, and move what a cursor looks at, before it finds the entry there.
        if isPending(id) {
            return reassign(id, to: consumer, timeMilliseconds: timeMilliseconds, count: count)
        }
        let delivery = StreamDelivery(
            timeMilliseconds: timeMilliseconds, count: count, consumerWord: consumer.word)
        unsafe storage.pointee.pending.insert(id, delivery)
        changeConsumer(consumer) { $0.insert(id) }
    }

    private func reassign(_ id: StreamID, to consumer: StreamConsumer, timeMilliseconds: Int64, count: UInt64) {
        guard let old = unsafe storage.pointee.pending.find(id) else { return }
        if old.consumerWord != consumer.word {
            if let owner = StreamConsumer(word: old.consumerWord) { changeConsumer(owner) { $0.remove(id) } }
            changeConsumer(consumer) { $0.insert(id) }
        }
        unsafe storage.pointee.pending.replace(
            id,
            with: StreamDelivery(timeMilliseconds: timeMilliseconds, count: count, consumerWord: consumer.word))
    }

    /// XACK, and entries that turned out to be gone: forgets `id`. False when it was not pending.
    @discardableResult
    package func acknowledge(_ id: StreamID) -> Bool {
        guard let delivery = unsafe storage.pointee.pending.remove(id) else { return false }
        if let consumer = StreamConsumer(word: delivery.consumerWord) { changeConsumer(consumer) { $0.remove(id) } }
        return true
    }

    /// Changes time and number of deliveries of a pending entry; false when it is not pending. Cursors stay good.
    @discardableResult
    package func redeliver(_ id: StreamID, timeMilliseconds: Int64, count: UInt64) -> Bool {
        guard var delivery = unsafe storage.pointee.pending.find(id) else { return false }
        delivery.timeMilliseconds = timeMilliseconds
        delivery.count = count
        return unsafe storage.pointee.pending.replace(id, with: delivery)
    }

    /// The pending entry `id`.
    package func pending(_ id: StreamID) -> StreamPending? {
        guard let delivery = unsafe storage.pointee.pending.find(id) else { return nil }
        return StreamGroup.read(id, delivery)
    }

    /// True when `id` is pending.
    package func isPending(_ id: StreamID) -> Bool { unsafe storage.pointee.pending.find(id) != nil }

    /// The first pending entry at or above `id`: for loops that remove as they go.
    package func firstPending(from id: StreamID = .zero) -> StreamPending? {
        var cursor = pendingCursor(from: id)
        return cursor.next()
    }

    /// The last pending entry.
    package var lastPending: StreamPending? {
        guard let last = unsafe storage.pointee.pending.last else { return nil }
        return StreamGroup.read(last.id, last.value)
    }

    /// Walks the group's pending entries from `id` on. Dead once one is added or removed.
    package func pendingCursor(from id: StreamID = .zero) -> StreamPendingCursor {
        StreamPendingCursor(group: unsafe storage.pointee.pending.cursor(before: id))
    }

    /// Walks a consumer's pending entries from `id` on. Dead once one is added or removed.
    package func pendingCursor(of consumer: StreamConsumer, from id: StreamID = .zero) -> StreamPendingCursor {
        StreamPendingCursor(consumer: consumer.cursor(before: id), in: self)
    }

    fileprivate static func read(_ id: StreamID, _ delivery: StreamDelivery) -> StreamPending? {
        guard let consumer = StreamConsumer(word: delivery.consumerWord) else { return nil }
        return StreamPending(
            id: id, deliveryTimeMilliseconds: delivery.timeMilliseconds, deliveryCount: delivery.count,
            consumer: consumer)
    }

    // MARK: Loading

    /// Adds a pending entry of a stored list, whose owner follows (`loadOwner`). False when it is there already.
    package func loadPending(_ id: StreamID, timeMilliseconds: Int64, count: UInt64) -> Bool {
        unsafe storage.pointee.pending.insert(
            id, StreamDelivery(timeMilliseconds: timeMilliseconds, count: count, consumerWord: 0))
    }

    /// Says who owns a loaded pending entry. False when there is no such entry, or it has an owner.
    package func loadOwner(of id: StreamID, _ consumer: StreamConsumer) -> Bool {
        guard var delivery = unsafe storage.pointee.pending.find(id), delivery.consumerWord == 0 else { return false }
        delivery.consumerWord = consumer.word
        unsafe storage.pointee.pending.replace(id, with: delivery)
        changeConsumer(consumer) { $0.insert(id) }
        return true
    }

    /// Ends loading: false unless every pending entry has an owner.
    package func finishLoading() -> Bool { consumers.reduce(0) { $0 + $1.pendingCount } == pendingCount }

    // MARK: Copies and proof

    /// A copy with its own memory and the same consumers.
    func duplicate() -> StreamGroup {
        let copy = StreamGroup(name: name, lastID: lastID, entriesRead: entriesRead)
        var others: [UInt: StreamConsumer] = [:]
        for consumer in consumers {
            guard let other = copy.createConsumer(named: consumer.name, nowMilliseconds: consumer.seenMilliseconds)
            else { continue }
            other.activeMilliseconds = consumer.activeMilliseconds
            others[consumer.word] = other
        }
        var cursor = pendingCursor()
        while let pending = cursor.next() {
            guard let other = others[pending.consumer.word] else { continue }
            copy.assign(
                pending.id, to: other, timeMilliseconds: pending.deliveryTimeMilliseconds, count: pending.deliveryCount)
        }
        return copy
    }

    /// Nil when both views of the pending entries agree and every count is right.
    package func structuralFault() -> String? {
        if let fault = unsafe storage.pointee.pending.structuralFault() { return fault }
        var owned = 0
        for consumer in consumers {
            if let fault = consumer.structuralFault() { return fault }
            owned += consumer.pendingCount
            var fault: String?
            consumer.forEachID { id in
                if pending(id)?.consumer != consumer { fault = "a consumer lists an entry that is not its own" }
            }
            if let fault { return fault }
        }
        if owned != pendingCount { return "consumers own \(owned) of \(pendingCount) pending entries" }
        let bytes = consumers.reduce(0) { $0 + $1.allocatedBytes }
        if unsafe bytes != storage.pointee.consumerBytes { return "consumers' bytes are miscounted" }
        return nil
    }
}

/// Walks pending entries upward.
package struct StreamPendingCursor {
    private var group: StreamTree<StreamDelivery>.Cursor?
    private var consumer: StreamTree<StreamTreeNothing>.Cursor?
    private let owner: StreamGroup?

    fileprivate init(group: StreamTree<StreamDelivery>.Cursor) {
        self.group = group
        consumer = nil
        owner = nil
    }

    fileprivate init(consumer: StreamTree<StreamTreeNothing>.Cursor, in owner: StreamGroup) {
        group = nil
        self.consumer = consumer
        self.owner = owner
    }

    /// The next pending entry; nil behind the last one.
    package mutating func next() -> StreamPending? {
        if let owner {
            guard let found = consumer?.next() else { return nil }
            return owner.pending(found.id)
        }
        while let found = group?.next() {
            if let pending = StreamGroup.read(found.id, found.value) { return pending }
        }
        return nil
    }
}
