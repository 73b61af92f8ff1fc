// StreamLog.swift - a stream: entries under ascending identifiers, in nodes that are listpacks (`StreamNode`), found
// through a tree by the identifier of each node's first entry; beside them the counters of stock servers and the
// consumer groups. One key owns it; engine's turn. Knows no clock: identifiers and times come from the caller. The last
// node has room to grow in; every other is as large as its bytes. Never keep an entry or a walk across a change.
internal import Base
internal import CAllocator
internal import CLinux

/// The value of a stream key.
@safe package struct StreamLog: ~Copyable {
    /// `stream-node-max-bytes` and `stream-node-max-entries`; 0 means no limit.
    package struct Limits: Sendable {
        /// Bytes at which a node is closed.
        package var nodeBytesMax: Int
        /// Entries, deleted ones included, at which a node is closed.
        package var nodeEntriesMax: Int

        /// The stock defaults.
        package init(nodeBytesMax: Int = 4096, nodeEntriesMax: Int = 100) {
            self.nodeBytesMax = nodeBytesMax
            self.nodeEntriesMax = nodeEntriesMax
        }
    }

    /// An entry whose fields and values add up to more cannot be stored.
    package static let entryBytesMax = 1 << 30

    /// Addresses of nodes, by the identifier of their first entry.
    var nodes = StreamTree<UInt>()
    /// Bytes of all nodes' memory.
    var nodeBytes = 0
    /// The last node's key, while there is a node.
    var tailKey = StreamID.zero
    /// The last node's memory; 0 without nodes.
    var tailWord: UInt = 0
    /// Bytes reserved for it.
    var tailCapacity = 0
    /// Changes whenever an entry may have moved within its node.
    var layoutVersion: UInt32 = 0
    /// Consumer groups, by name.
    var groupList = StreamGroupList()

    /// Entries, deleted ones not counted.
    package internal(set) var length = 0
    /// The first entry's identifier; 0-0 when empty.
    package internal(set) var firstID = StreamID.zero
    /// The highest identifier given out; XSETID sets it.
    package var lastID = StreamID.zero
    /// The highest identifier that XDEL removed.
    package var maxDeletedID = StreamID.zero
    /// Entries ever added.
    package var entriesAdded: UInt64 = 0

    /// An empty stream; costs no allocation.
    package init() {}

    deinit {
        var cursor = nodes.startCursor()
        while let node = cursor.next() {
            unsafe free(StreamNode(word: node.value).base)
            Bursts.pauseIfDue()
        }
    }

    /// Bytes of everything the stream holds, as the allocator gave them.
    package var allocatedBytes: Int { nodes.allocatedBytes + nodeBytes + groupList.allocatedBytes }

    /// Listpacks held: XINFO's "radix-tree-keys".
    package var nodeCount: Int { nodes.count }

    // MARK: Node memory

    func allocateNode(_ byteCount: Int) -> StreamNode {
        guard let memory = unsafe malloc(byteCount) else { outOfMemory(byteCount: byteCount) }
        return unsafe StreamNode(memory.assumingMemoryBound(to: UInt8.self))
    }

    mutating func addNode(_ node: StreamNode, key: StreamID) {
        nodes.insert(key, node.word)
        unsafe nodeBytes += fog_allocated_size(node.base)
    }

    mutating func removeNode(_ node: StreamNode, key: StreamID) {
        nodes.remove(key)
        unsafe nodeBytes -= fog_allocated_size(node.base)
        unsafe free(node.base)
        layoutVersion &+= 1
        if key == tailKey { findTail() }
    }

    /// Gives `node` room for exactly `byteCount` bytes; the tree learns its new address.
    mutating func resize(_ node: StreamNode, key: StreamID, byteCount: Int) -> StreamNode {
        unsafe nodeBytes -= fog_allocated_size(node.base)
        guard let memory = unsafe realloc(node.base, byteCount) else { outOfMemory(byteCount: byteCount) }
        let moved = unsafe StreamNode(memory.assumingMemoryBound(to: UInt8.self))
        unsafe nodeBytes += fog_allocated_size(moved.base)
        if moved.word != node.word { nodes.replace(key, with: moved.word) }
        if key == tailKey {
            tailWord = moved.word
            tailCapacity = byteCount
        }
        return moved
    }

    private mutating func findTail() {
        if let last = nodes.last {
            tailKey = last.id
            tailWord = last.value
            tailCapacity = unsafe StreamNode(word: last.value).byteCount
        } else {
            tailKey = .zero
            tailWord = 0
            tailCapacity = 0
        }
    }

    // MARK: Integers in a node

    /// Writes `value` in the place of the integer at `offset`; true when what follows moved. The node may, too.
    @discardableResult
    mutating func replaceInteger(_ node: inout StreamNode, key: StreamID, at offset: Int, with value: Int) -> Bool {
        let form = ListpackCode.form(Int64(value))
        let old = unsafe ListpackCode.entryByteCount(node.base + offset)
        if form.byteCount != old {
            let byteCount = node.byteCount
            let grown = byteCount + form.byteCount - old
            let capacity = key == tailKey ? tailCapacity : byteCount
            if grown > capacity { node = resize(node, key: key, byteCount: grown) }
            unsafe memmove(node.base + offset + form.byteCount, node.base + offset + old, byteCount - offset - old)
            unsafe ListpackCode.store32(grown, node.base)
            layoutVersion &+= 1
        }
        unsafe ListpackCode.write(form, text: UnsafePointer(node.base), count: 0, to: node.base + offset)
        return form.byteCount != old
    }

    /// Adds to the counts of living and deleted entries; true when the entries moved.
    mutating func adjustCounts(_ node: inout StreamNode, key: StreamID, live: Int, deleted: Int) -> Bool {
        let head = node.head
        let deletedMoved = deleted != 0
            && replaceInteger(&node, key: key, at: head.deletedOffset, with: head.deleted + deleted)
        let liveMoved = live != 0
            && replaceInteger(&node, key: key, at: ListpackCode.headerByteCount, with: head.live + live)
        return deletedMoved || liveMoved
    }
}
