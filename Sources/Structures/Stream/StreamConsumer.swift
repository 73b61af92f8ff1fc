// StreamConsumer.swift - a consumer of a group: its name, when it was seen and last got something, and which pending
// entries are its own (identifiers only; time and count stand in the group). A plain handle to memory the group owns;
// dead once the consumer is deleted. Engine's turn.
internal import Base
internal import CAllocator
internal import CLinux

/// A handle to a consumer.
@safe package struct StreamConsumer: Equatable {
    struct Storage: ~Copyable {
        var name: ByteBuffer
        var seenMilliseconds: Int64
        var activeMilliseconds: Int64 = -1
        var pending = StreamTree<StreamTreeNothing>()
    }

    private let storage: UnsafeMutablePointer<Storage>

    init(name: Span<UInt8>, seenMilliseconds: Int64) {
        var copy = ByteBuffer(capacity: name.count)
        copy.append(name)
        unsafe storage = .allocate(capacity: 1)
        unsafe storage.initialize(to: Storage(name: copy, seenMilliseconds: seenMilliseconds))
    }

    /// The handle behind the number that a delivery keeps.
    init?(word: UInt) {
        guard let storage = unsafe UnsafeMutablePointer<Storage>(bitPattern: word) else { return nil }
        unsafe self.storage = storage
    }

    var word: UInt { unsafe UInt(bitPattern: storage) }

    /// The same consumer.
    package static func == (left: StreamConsumer, right: StreamConsumer) -> Bool {
        unsafe left.storage == right.storage
    }

    func free() {
        unsafe storage.deinitialize(count: 1)
        unsafe storage.deallocate()
    }

    /// The consumer's name, valid while the consumer lives.
    package var name: Span<UInt8> {
        @_lifetime(borrow self) get { unsafe _overrideLifetime(storage.pointee.name.span, borrowing: self) }
    }

    /// When it last asked for anything, Unix time.
    package var seenMilliseconds: Int64 {
        get { unsafe storage.pointee.seenMilliseconds }
        nonmutating set { unsafe storage.pointee.seenMilliseconds = newValue }
    }

    /// When it last got something, Unix time; -1 before that.
    package var activeMilliseconds: Int64 {
        get { unsafe storage.pointee.activeMilliseconds }
        nonmutating set { unsafe storage.pointee.activeMilliseconds = newValue }
    }

    /// Its entries that wait for acknowledgement.
    package var pendingCount: Int { unsafe storage.pointee.pending.count }

    /// Identifier of the first of them.
    package var firstPendingID: StreamID? { unsafe storage.pointee.pending.first?.id }

    /// Identifier of the last of them.
    package var lastPendingID: StreamID? { unsafe storage.pointee.pending.last?.id }

    /// Calls `body` with the identifiers of its pending entries, in order: what RDB keeps per consumer.
    package func forEachID(_ body: (StreamID) -> Void) {
        var cursor = cursor(before: .zero)
        while let found = cursor.next() { body(found.id) }
    }

    /// Calls `body` with its pending entries from `next` on, until it answers false. True when all were visited; else
    /// `next` is where to go on.
    package func visitIDs(from next: inout StreamID, _ body: (StreamID) -> Bool) -> Bool {
        var cursor = cursor(before: next)
        var isWelcome = true
        while let found = cursor.next() {
            if !isWelcome {
                next = found.id
                return false
            }
            isWelcome = body(found.id)
        }
        return true
    }

    var allocatedBytes: Int {
        unsafe fog_allocated_size(storage) + storage.pointee.name.capacity + listBytes
    }

    /// Bytes of the list alone, which is what changes.
    var listBytes: Int { @inline(__always) get { unsafe storage.pointee.pending.allocatedBytes } }

    func insert(_ id: StreamID) { unsafe storage.pointee.pending.insert(id, StreamTreeNothing()) }

    func remove(_ id: StreamID) { unsafe storage.pointee.pending.remove(id) }

    func cursor(before id: StreamID) -> StreamTree<StreamTreeNothing>.Cursor {
        unsafe storage.pointee.pending.cursor(before: id)
    }

    func structuralFault() -> String? { unsafe storage.pointee.pending.structuralFault() }
}
