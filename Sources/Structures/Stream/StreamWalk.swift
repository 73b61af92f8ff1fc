// StreamWalk.swift - reading a stream: entries between two identifiers, upward or downward, decoded where they lie. A
// walk and its entries borrow the stream's memory and are dead as soon as it is changed; engine's turn. A consumer that
// comes back for more keeps a `StreamBookmark`, so that it need not search the node again for where it stopped.
internal import Base
internal import CLinux

/// One entry, where it lies.
@safe package struct StreamEntry {
    /// The entry's identifier.
    package let id: StreamID
    /// Fields, each with its value.
    package let fieldCount: Int
    let node: StreamNode
    let hasMasterFields: Bool
    let fieldsOffset: Int
    let payloadOffset: Int

    init(_ item: StreamNode.Item, _ node: StreamNode, _ head: StreamNode.Head) {
        id = item.id
        fieldCount = item.fieldCount
        self.node = node
        hasMasterFields = item.hasMasterFields
        fieldsOffset = head.fieldsOffset
        payloadOffset = item.payloadOffset
    }

    /// Calls `body` with each field and its value, in the order they were added.
    package func forEachPair(_ body: (ListpackElement, ListpackElement) -> Void) {
        // The view reads single pieces only, so its length does not matter.
        let view = unsafe ListpackView(base: UnsafePointer(node.base), byteCount: node.byteCount)
        var fieldOffset = fieldsOffset
        var offset = payloadOffset
        for _ in 0..<fieldCount {
            let field: ListpackCode.Entry
            if hasMasterFields {
                field = node.piece(at: fieldOffset)
                fieldOffset &+= field.byteCount
            } else {
                field = node.piece(at: offset)
                offset &+= field.byteCount
            }
            let value = node.piece(at: offset)
            offset &+= value.byteCount
            unsafe body(view.element(field), view.element(value))
        }
    }
}

/// Where a reader stopped: good until entries move, and then merely useless.
package struct StreamBookmark: Sendable {
    var isSet = false
    var version: UInt32 = 0
    var key = StreamID.zero
    var offset = 0
    /// The last entry in front of the bookmark.
    var id = StreamID.zero

    /// A bookmark that marks nothing.
    package init() {}
}

/// Entries of a range, one after the other.
@safe package struct StreamWalk {
    private var cursor: StreamTree<UInt>.Cursor
    private let start: StreamID
    private let end: StreamID
    private let isReversed: Bool
    private var node: StreamNode?
    private var key = StreamID.zero
    private var head = StreamNode.Head(live: 0, deleted: 0, deletedOffset: 0, fieldCount: 0, fieldsOffset: 0)
    /// Upward: where the next entry starts. Downward: where it ends.
    private var offset = 0
    private let version: UInt32

    init(
        _ cursor: StreamTree<UInt>.Cursor, from start: StreamID, to end: StreamID, isReversed: Bool, version: UInt32
    ) {
        self.cursor = cursor
        self.start = start
        self.end = end
        self.isReversed = isReversed
        self.version = version
    }

    /// Continues in the middle of a node.
    mutating func enter(_ node: StreamNode, key: StreamID, at offset: Int) {
        self.node = node
        self.key = key
        self.offset = offset
        head = node.head
    }

    /// The next entry of the range; nil behind the last one.
    package mutating func next() -> StreamEntry? { isReversed ? nextDownward() : nextUpward() }

    private mutating func nextUpward() -> StreamEntry? {
        while true {
            guard let node = node ?? nextNode() else { return nil }
            let end = node.endOffset
            while offset < end {
                let item = node.item(at: offset, key: key, head)
                offset = node.offset(behind: item)
                if item.id < start || (item.isDeleted && item.id <= self.end) { continue }
                if item.id > self.end { return nil }
                return StreamEntry(item, node, head)
            }
            self.node = nil
        }
    }

    private mutating func nextNode() -> StreamNode? {
        guard let found = cursor.next(), found.id <= end else { return nil }
        let next = unsafe StreamNode(word: found.value)
        node = next
        key = found.id
        head = next.head
        offset = next.entriesOffset(head)
        return next
    }

    private mutating func nextDownward() -> StreamEntry? {
        while true {
            guard let node = node ?? previousNode() else { return nil }
            while let entryOffset = node.entryOffset(endingAt: offset) {
                offset = entryOffset
                let item = node.item(at: entryOffset, key: key, head)
                if item.id > end || (item.isDeleted && item.id >= start) { continue }
                if item.id < start { return nil }
                return StreamEntry(item, node, head)
            }
            self.node = nil
        }
    }

    private mutating func previousNode() -> StreamNode? {
        guard let found = cursor.previous() else { return nil }
        let previous = unsafe StreamNode(word: found.value)
        node = previous
        key = found.id
        head = previous.head
        offset = previous.endOffset
        return previous
    }

    /// Marks the place behind the last entry that `next` returned, for an upward walk.
    package func bookmark(behind id: StreamID) -> StreamBookmark {
        var bookmark = StreamBookmark()
        guard node != nil, !isReversed else { return bookmark }
        bookmark.isSet = true
        bookmark.version = version
        bookmark.key = key
        bookmark.offset = offset
        bookmark.id = id
        return bookmark
    }
}

extension StreamLog {
    /// The entries from `start` to `end`, both included; downward if `isReversed`.
    package func walk(from start: StreamID, to end: StreamID, isReversed: Bool = false) -> StreamWalk {
        let cursor: StreamTree<UInt>.Cursor
        if isReversed {
            cursor = nodes.cursor(behind: end)
        } else {
            var below = nodes.cursor(behind: start)
            // The node that starts at or below the range may reach into it.
            cursor = below.previous() == nil ? nodes.startCursor() : below
        }
        return StreamWalk(cursor, from: start, to: end, isReversed: isReversed, version: layoutVersion)
    }

    /// The entries above `id`, upward; quick when `bookmark` was left behind that very entry.
    package func walk(above id: StreamID, _ bookmark: StreamBookmark) -> StreamWalk {
        guard let start = id.next else {
            return StreamWalk(nodes.endCursor(), from: .max, to: .zero, isReversed: false, version: layoutVersion)
        }
        guard bookmark.isSet && bookmark.id == id && bookmark.version == layoutVersion else {
            return walk(from: start, to: .max)
        }
        // The node may have moved in memory since, which changes no offset; the tree knows where it is.
        var cursor = nodes.cursor(before: bookmark.key)
        guard let found = cursor.next(), found.id == bookmark.key else { return walk(from: start, to: .max) }
        var walk = StreamWalk(cursor, from: start, to: .max, isReversed: false, version: layoutVersion)
        unsafe walk.enter(StreamNode(word: found.value), key: found.id, at: bookmark.offset)
        return walk
    }

    /// The living entry `id`.
    package func entry(_ id: StreamID) -> StreamEntry? {
        var cursor = nodes.cursor(behind: id)
        guard let found = cursor.previous() else { return nil }
        let node = unsafe StreamNode(word: found.value)
        let head = node.head
        guard let item = node.find(id, key: found.id, head), !item.isDeleted else { return nil }
        return StreamEntry(item, node, head)
    }

    /// True when the living entry `id` exists.
    package func contains(_ id: StreamID) -> Bool { entry(id) != nil }

    /// The first living entry.
    package var firstEntry: StreamEntry? {
        var walk = walk(from: .zero, to: .max)
        return walk.next()
    }

    /// The last living entry; its identifier is what XSETID must not fall below.
    package var lastEntry: StreamEntry? {
        var walk = walk(from: .zero, to: .max, isReversed: true)
        return walk.next()
    }
}
