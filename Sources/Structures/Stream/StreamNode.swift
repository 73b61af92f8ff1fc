// StreamNode.swift - one node of a stream: a listpack exactly as stock servers write it to RDB files and DUMP payloads.
//
//     live, deleted, field count F, field 1 ... field F, 0                         the master entry
//     flags, ms difference, seq difference, value 1 ... value F, piece count       an entry with the master's fields
//     flags, ms difference, seq difference, N, field 1, value 1 ..., piece count   an entry with fields of its own
//
// Differences count from the node's key, the first entry's identifier; flag 1 means deleted, 2 means the master's
// fields. The piece count lets a reader walk backward. Internal to the stream log, which owns the memory and allocates
// it; engine's turn. Nothing here checks bounds: nodes from outside pass `StreamNode.validate` first.
internal import Base
internal import CLinux

@safe struct StreamNode {
    /// The listpack's first byte.
    let base: UnsafeMutablePointer<UInt8>

    static let deletedFlag: Int64 = 1
    static let sameFieldsFlag: Int64 = 2

    @unsafe @inline(__always)
    init(_ base: UnsafeMutablePointer<UInt8>) { unsafe self.base = base }

    /// A node by the number its tree keeps.
    @unsafe @inline(__always)
    init(word: UInt) { unsafe base = UnsafeMutablePointer(bitPattern: word).unsafelyUnwrapped }

    var word: UInt { @inline(__always) get { unsafe UInt(bitPattern: base) } }

    var byteCount: Int { @inline(__always) get { unsafe ListpackCode.load32(base) } }

    /// Behind the last entry: where the end mark lies.
    var endOffset: Int { @inline(__always) get { byteCount &- 1 } }

    /// The bytes, for RDB and DUMP.
    var span: Span<UInt8> {
        @_lifetime(borrow self) get {
            let view = unsafe Span(_unsafeStart: UnsafePointer(base), count: byteCount)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// The master entry, decoded.
    struct Head {
        var live: Int
        var deleted: Int
        var deletedOffset: Int
        var fieldCount: Int
        var fieldsOffset: Int
    }

    @inline(__always)
    func piece(at offset: Int) -> ListpackCode.Entry { unsafe ListpackCode.decode(base + offset) }

    @inline(__always)
    func offset(after offset: Int) -> Int { unsafe offset &+ ListpackCode.entryByteCount(base + offset) }

    @inline(__always)
    func offset(before offset: Int) -> Int { unsafe offset &- ListpackCode.entryByteCount(endingAt: base + offset) }

    @inline(__always)
    var head: Head {
        let live = piece(at: ListpackCode.headerByteCount)
        let deletedOffset = ListpackCode.headerByteCount &+ live.byteCount
        let deleted = piece(at: deletedOffset)
        let countOffset = deletedOffset &+ deleted.byteCount
        let fields = piece(at: countOffset)
        return Head(
            live: Int(live.integer), deleted: Int(deleted.integer), deletedOffset: deletedOffset,
            fieldCount: Int(fields.integer), fieldsOffset: countOffset &+ fields.byteCount)
    }

    /// Where the first entry starts.
    @inline(__always)
    func entriesOffset(_ head: Head) -> Int {
        var offset = head.fieldsOffset
        for _ in 0...head.fieldCount { offset = self.offset(after: offset) }
        return offset
    }

    /// An entry's fixed pieces.
    struct Item {
        var id: StreamID
        var isDeleted: Bool
        /// Where the flags lie, which is where the entry starts.
        var offset: Int
        var fieldCount: Int
        /// True when the field names are the master's.
        var hasMasterFields: Bool
        /// The first value, or the first own field.
        var payloadOffset: Int
    }

    @inline(__always)
    func item(at offset: Int, key: StreamID, _ head: Head) -> Item {
        let flags = piece(at: offset)
        let milliseconds = piece(at: offset &+ flags.byteCount)
        let sequenceOffset = offset &+ flags.byteCount &+ milliseconds.byteCount
        let sequence = piece(at: sequenceOffset)
        let id = StreamID(
            key.milliseconds &+ UInt64(bitPattern: milliseconds.integer),
            key.sequence &+ UInt64(bitPattern: sequence.integer))
        var payloadOffset = sequenceOffset &+ sequence.byteCount
        let hasMasterFields = flags.integer & StreamNode.sameFieldsFlag != 0
        var fieldCount = head.fieldCount
        if !hasMasterFields {
            let count = piece(at: payloadOffset)
            fieldCount = Int(count.integer)
            payloadOffset &+= count.byteCount
        }
        return Item(
            id: id, isDeleted: flags.integer & StreamNode.deletedFlag != 0, offset: offset, fieldCount: fieldCount,
            hasMasterFields: hasMasterFields, payloadOffset: payloadOffset)
    }

    /// Behind the entry: the next one, or the end.
    @inline(__always)
    func offset(behind item: Item) -> Int {
        var offset = item.payloadOffset
        var pieces = item.hasMasterFields ? item.fieldCount : item.fieldCount &* 2
        while pieces >= 0 {
            offset = self.offset(after: offset)
            pieces &-= 1
        }
        return offset
    }

    /// The start of the entry that ends at `offset`; nil when that is the end of the master entry.
    @inline(__always)
    func entryOffset(endingAt offset: Int) -> Int? {
        let countOffset = self.offset(before: offset)
        var pieces = piece(at: countOffset).integer
        if pieces == 0 { return nil }
        var start = countOffset
        while pieces > 0 {
            start = self.offset(before: start)
            pieces &-= 1
        }
        return start
    }

    /// Identifier of the last entry, deleted or not; nil without entries.
    func lastID(key: StreamID) -> StreamID? {
        guard let offset = entryOffset(endingAt: endOffset) else { return nil }
        return item(at: offset, key: key, head).id
    }

    /// The entry `id`, deleted ones included. From the front: starting at the nearer end was tried, and was slower,
    /// because steps backward cost more than they save.
    @inline(__always)
    func find(_ id: StreamID, key: StreamID, _ head: Head) -> Item? {
        var offset = entriesOffset(head)
        let end = endOffset
        while offset < end {
            let item = item(at: offset, key: key, head)
            if item.id >= id { return item.id == id ? item : nil }
            offset = self.offset(behind: item)
        }
        return nil
    }
}

extension StreamNode {
    /// Whether `bytes` are a node with key `key` through and through: a well-formed listpack, whole entries, ascending
    /// identifiers, counts that agree. Returns how many entries live and the last identifier; nil is a refusal.
    static func validate(_ bytes: Span<UInt8>, key: StreamID) -> (live: Int, lastID: StreamID?)? {
        guard Listpack.validate(bytes) else { return nil }
        let view = ListpackView(bytes)
        var offset = view.startOffset
        guard let live = count(view, &offset), let deleted = count(view, &offset),
            let fieldCount = count(view, &offset), skip(fieldCount, view, &offset),
            integer(view, &offset) == 0
        else { return nil }
        var seenLive = 0
        var seenDeleted = 0
        var lastID: StreamID?
        while offset != view.endOffset {
            guard let flags = integer(view, &offset), flags >= 0, flags <= 3,
                let id = identifier(view, &offset, key: key)
            else { return nil }
            if let lastID, lastID >= id { return nil }
            lastID = id
            var pieces = 3
            var payload = fieldCount
            if flags & sameFieldsFlag == 0 {
                // A count larger than the bytes left cannot be skipped, so the product stays small.
                guard let own = count(view, &offset), own <= bytes.count else { return nil }
                payload = own * 2
                pieces = 4
            }
            guard skip(payload, view, &offset), integer(view, &offset) == Int64(pieces + payload) else { return nil }
            if flags & deletedFlag != 0 { seenDeleted += 1 } else { seenLive += 1 }
        }
        guard seenLive == live && seenDeleted == deleted else { return nil }
        return (live, lastID)
    }

    private static func integer(_ view: ListpackView, _ offset: inout Int) -> Int64? {
        guard let element = view.next(&offset), case .integer(let value) = element else { return nil }
        return value
    }

    /// An integer that may be counted with.
    private static func count(_ view: ListpackView, _ offset: inout Int) -> Int? {
        guard let value = integer(view, &offset), value >= 0, value <= Int64(Int32.max) else { return nil }
        return Int(value)
    }

    private static func skip(_ pieces: Int, _ view: ListpackView, _ offset: inout Int) -> Bool {
        for _ in 0..<pieces {
            if offset == view.endOffset { return false }
            offset = view.offset(after: offset)
        }
        return true
    }

    /// The key plus two differences. They wrap in 64 bits, as stock servers write them; order is checked elsewhere.
    private static func identifier(_ view: ListpackView, _ offset: inout Int, key: StreamID) -> StreamID? {
        guard let milliseconds = integer(view, &offset), let sequence = integer(view, &offset) else { return nil }
        let id = StreamID(
            key.milliseconds &+ UInt64(bitPattern: milliseconds), key.sequence &+ UInt64(bitPattern: sequence))
        return id >= key ? id : nil
    }
}
