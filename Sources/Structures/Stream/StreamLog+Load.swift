// StreamLog+Load.swift - a stream from and to its stored form: nodes out as they lie, nodes in after every byte was
// looked at, and copies. Part of `StreamLog`, same owner and thread. Loading never trusts: identifiers ascend across
// nodes, counts agree, and nothing is allocated beyond the bytes at hand.
internal import Base
internal import CLinux

extension StreamLog {
    /// Calls `body` with every node's key and bytes, in order: what RDB and DUMP hold.
    package func forEachNode(_ body: (StreamID, Span<UInt8>) -> Void) {
        var cursor = nodes.startCursor()
        while let found = cursor.next() {
            let node = unsafe StreamNode(word: found.value)
            body(found.id, node.span)
        }
    }

    /// Calls `body` with nodes from the one under `next` on, until it answers false. True when all were visited; else
    /// `next` is where to go on.
    package func visitNodes(from next: inout StreamID, _ body: (StreamID, Span<UInt8>) -> Bool) -> Bool {
        var cursor = nodes.cursor(before: next)
        var isWelcome = true
        while let found = cursor.next() {
            if !isWelcome {
                next = found.id
                return false
            }
            let node = unsafe StreamNode(word: found.value)
            isWelcome = body(found.id, node.span)
        }
        return true
    }

    /// Adds a node from outside behind the last one. False when `bytes` are no node of a stream under `key`, or do not
    /// follow what is there; the stream is unchanged then.
    package mutating func loadNode(key: StreamID, _ bytes: Span<UInt8>) -> Bool {
        // Nobody writes a node without entries; it would have no last identifier.
        guard let found = StreamNode.validate(bytes, key: key), found.lastID != nil else { return false }
        if tailWord != 0 {
            let tail = unsafe StreamNode(word: tailWord)
            guard key > (tail.lastID(key: tailKey) ?? tailKey) else { return false }
        }
        let node = allocateNode(bytes.count)
        unsafe memcpy(node.base, ListpackCode.address(of: bytes), bytes.count)
        addNode(node, key: key)
        tailKey = key
        tailWord = node.word
        tailCapacity = bytes.count
        length += found.live
        return true
    }

    /// Ends loading: checks the stored counters against the nodes and finds the first identifier. False is a refusal.
    /// Streams of the oldest form have no `entriesAdded`; nil takes the length.
    package mutating func finishLoading(
        length storedLength: UInt64, lastID: StreamID, maxDeletedID: StreamID = .zero, entriesAdded: UInt64? = nil
    ) -> Bool {
        guard storedLength == UInt64(length) else { return false }
        if tailWord != 0 {
            let tail = unsafe StreamNode(word: tailWord)
            guard (tail.lastID(key: tailKey) ?? tailKey) <= lastID else { return false }
        }
        let added = entriesAdded ?? storedLength
        guard added >= storedLength else { return false }
        self.lastID = lastID
        self.maxDeletedID = maxDeletedID
        self.entriesAdded = added
        firstID = firstEntry?.id ?? .zero
        return true
    }

    /// A copy with its own memory: COPY.
    package func duplicate() -> StreamLog {
        var copy = StreamLog()
        var cursor = nodes.startCursor()
        while let found = cursor.next() {
            let node = unsafe StreamNode(word: found.value)
            let byteCount = node.byteCount
            let other = copy.allocateNode(byteCount)
            unsafe memcpy(other.base, node.base, byteCount)
            copy.addNode(other, key: found.id)
            copy.tailKey = found.id
            copy.tailWord = other.word
            copy.tailCapacity = byteCount
        }
        copy.length = length
        copy.firstID = firstID
        copy.lastID = lastID
        copy.maxDeletedID = maxDeletedID
        copy.entriesAdded = entriesAdded
        copy.groupList = groupList.duplicate()
        return copy
    }

    /// Nil when every invariant holds, else a sentence about one that does not. O(n), for tests.
    package func structuralFault() -> String? {
        if let fault = nodes.structuralFault() { return fault }
        var live = 0
        var lastSeen: StreamID?
        var fault: String?
        forEachNode { key, bytes in
            guard let found = StreamNode.validate(bytes, key: key) else {
                fault = "a node does not validate"
                return
            }
            if let lastSeen, lastSeen >= key { fault = "nodes overlap" }
            lastSeen = found.lastID ?? key
            live += found.live
        }
        if live != length { return "length says \(length), the nodes hold \(live)" }
        if firstID != (firstEntry?.id ?? .zero) { return "firstID is not the first entry's" }
        if let lastSeen, lastSeen > lastID { return "an entry is above lastID" }
        return fault ?? groupList.structuralFault()
    }
}
