// StreamLog+Append.swift - XADD: an entry is announced, its fields are compared with the node's master entry, then
// written straight behind the last one. Part of `StreamLog`, same owner and thread. Cost: one pass over the fields, one
// copy of the values; a new node every `stream-node-max-entries`.
//
//     var draft = log.beginEntry(id, pairCount: n, byteCount: total, limits: limits)
//     for i in 0..<n { log.offerField(field i, &draft) }
//     for i in 0..<n { log.addPair(field i, value i, &draft) }
//     log.endEntry(draft)
internal import Base
internal import CLinux

/// An entry being written; only `StreamLog` looks inside.
package struct StreamDraft {
    let id: StreamID
    let pairCount: Int
    /// True while all fields offered are the master's.
    var hasMasterFields: Bool
    /// True for the first entry of a new node, whose fields become the master's.
    let startsNode: Bool
    var fieldIndex = 0
    var pairIndex = 0
    /// The master field to compare with next.
    var masterOffset: Int
    /// Where the next byte goes.
    var end: Int
    /// Pieces written so far, for the listpack's count.
    var pieces = 0
}

extension StreamLog {
    /// A node starts with this room and doubles; short streams stay small.
    private static let nodeRoomMin = 256
    /// Code and back length of one piece.
    private static let pieceOverheadMax = 11

    /// Announces an entry of `pairCount` fields and values of `byteCount` bytes in all (at most `entryBytesMax`).
    /// `id` must be above `lastID`.
    package mutating func beginEntry(
        _ id: StreamID, pairCount: Int, byteCount: Int, limits: Limits
    ) -> StreamDraft {
        precondition(id > lastID, "stream identifiers ascend")
        precondition(byteCount >= 0 && byteCount <= StreamLog.entryBytesMax, "a stream entry has a bounded size")
        let room = byteCount + (pairCount * 2 + 8) * StreamLog.pieceOverheadMax
        if tailWord == 0 || isTailFull(adding: byteCount, limits) {
            closeTail()
            return beginNode(id, pairCount: pairCount, room: room)
        }
        let node = unsafe StreamNode(word: tailWord)
        let used = node.byteCount
        reserveTail(used + room)
        let tail = unsafe StreamNode(word: tailWord)
        let head = tail.head
        return StreamDraft(
            id: id, pairCount: pairCount, hasMasterFields: head.fieldCount == pairCount, startsNode: false,
            masterOffset: head.fieldsOffset, end: used - 1)
    }

    private func isTailFull(adding byteCount: Int, _ limits: Limits) -> Bool {
        let node = unsafe StreamNode(word: tailWord)
        var bytesMax = limits.nodeBytesMax
        if bytesMax <= 0 || bytesMax > StreamLog.entryBytesMax { bytesMax = StreamLog.entryBytesMax }
        if node.byteCount + byteCount >= bytesMax { return true }
        guard limits.nodeEntriesMax > 0 else { return false }
        let head = node.head
        return head.live + head.deleted >= limits.nodeEntriesMax
    }

    /// Gives the last node's spare room back: nothing will be added to it any more.
    private mutating func closeTail() {
        guard tailWord != 0 else { return }
        let node = unsafe StreamNode(word: tailWord)
        if tailCapacity > node.byteCount { _ = resize(node, key: tailKey, byteCount: node.byteCount) }
    }

    private mutating func reserveTail(_ byteCount: Int) {
        guard byteCount > tailCapacity else { return }
        let wanted = max(byteCount, min(tailCapacity * 2, 4096 + tailCapacity / 4))
        _ = resize(unsafe StreamNode(word: tailWord), key: tailKey, byteCount: wanted)
    }

    private mutating func beginNode(_ id: StreamID, pairCount: Int, room: Int) -> StreamDraft {
        // The field names stand in the master entry, the values in the first one: each name costs one piece more.
        let needed = ListpackCode.emptyByteCount + room + pairCount * StreamLog.pieceOverheadMax
        let capacity = max(needed, StreamLog.nodeRoomMin)
        let node = allocateNode(capacity)
        unsafe ListpackCode.storeHeader(byteCount: ListpackCode.emptyByteCount, count: 0, node.base)
        unsafe node.base[ListpackCode.headerByteCount] = ListpackCode.endMark
        addNode(node, key: id)
        tailKey = id
        tailWord = node.word
        tailCapacity = capacity
        var draft = StreamDraft(
            id: id, pairCount: pairCount, hasMasterFields: true, startsNode: true, masterOffset: 0,
            end: ListpackCode.headerByteCount)
        write(1, &draft)
        write(0, &draft)
        write(Int64(pairCount), &draft)
        return draft
    }

    /// Shows the next field name; all of them, in order, before the first pair is added.
    @inline(__always)
    package mutating func offerField(_ field: Span<UInt8>, _ draft: inout StreamDraft) {
        draft.fieldIndex &+= 1
        precondition(draft.fieldIndex <= draft.pairCount, "an entry has the fields that were announced")
        if draft.startsNode {
            write(field, &draft)
        } else if draft.hasMasterFields {
            compareField(field, &draft)
        }
    }

    private func compareField(_ field: Span<UInt8>, _ draft: inout StreamDraft) {
        let node = unsafe StreamNode(word: tailWord)
        let master = node.piece(at: draft.masterOffset)
        draft.masterOffset &+= master.byteCount
        if let text = unsafe master.text {
            let isEqual =
                unsafe field.count == master.textByteCount
                && memcmp(text, ListpackCode.address(of: field), field.count) == 0
            if !isEqual { draft.hasMasterFields = false }
        } else if unsafe ListpackNumber.parse(ListpackCode.address(of: field), count: field.count) != master.integer {
            draft.hasMasterFields = false
        }
    }

    /// Adds the next pair; the field must be the one that was offered at this place.
    @inline(__always)
    package mutating func addPair(_ field: Span<UInt8>, _ value: Span<UInt8>, _ draft: inout StreamDraft) {
        if draft.pairIndex == 0 { writeEntryHead(&draft) }
        draft.pairIndex &+= 1
        if !draft.hasMasterFields { write(field, &draft) }
        write(value, &draft)
    }

    private mutating func writeEntryHead(_ draft: inout StreamDraft) {
        precondition(draft.fieldIndex == draft.pairCount, "all fields are offered before the first pair")
        if draft.startsNode { write(0, &draft) }
        write(draft.hasMasterFields ? StreamNode.sameFieldsFlag : 0, &draft)
        write(Int64(bitPattern: draft.id.milliseconds &- tailKey.milliseconds), &draft)
        write(Int64(bitPattern: draft.id.sequence &- tailKey.sequence), &draft)
        if !draft.hasMasterFields { write(Int64(draft.pairCount), &draft) }
    }

    /// Completes the entry.
    package mutating func endEntry(_ draft: consuming StreamDraft) {
        precondition(draft.pairIndex == draft.pairCount, "an entry has the pairs that were announced")
        if draft.pairCount == 0 { writeEntryHead(&draft) }
        write(Int64(draft.hasMasterFields ? draft.pairCount + 3 : draft.pairCount * 2 + 4), &draft)
        var node = unsafe StreamNode(word: tailWord)
        unsafe node.base[draft.end] = ListpackCode.endMark
        let stored = unsafe ListpackCode.load16(node.base + 4)
        let count = stored == ListpackCode.countUnknown ? stored : stored + draft.pieces
        unsafe ListpackCode.storeHeader(byteCount: draft.end + 1, count: count, node.base)
        if !draft.startsNode { _ = adjustCounts(&node, key: tailKey, live: 1, deleted: 0) }
        length += 1
        entriesAdded &+= 1
        lastID = draft.id
        if length == 1 { firstID = draft.id }
    }

    @inline(__always)
    private func write(_ text: Span<UInt8>, _ draft: inout StreamDraft) {
        let address = unsafe ListpackCode.address(of: text)
        let form = unsafe ListpackCode.form(address, count: text.count)
        precondition(draft.end + form.byteCount < tailCapacity, "an entry stays within the bytes that were announced")
        let node = unsafe StreamNode(word: tailWord)
        unsafe ListpackCode.write(form, text: address, count: text.count, to: node.base + draft.end)
        draft.end &+= form.byteCount
        draft.pieces &+= 1
    }

    private func write(_ value: Int64, _ draft: inout StreamDraft) {
        let form = ListpackCode.form(value)
        let node = unsafe StreamNode(word: tailWord)
        precondition(draft.end + form.byteCount < tailCapacity, "an entry stays within the bytes that were announced")
        unsafe ListpackCode.write(form, text: UnsafePointer(node.base), count: 0, to: node.base + draft.end)
        draft.end &+= form.byteCount
        draft.pieces &+= 1
    }
}
