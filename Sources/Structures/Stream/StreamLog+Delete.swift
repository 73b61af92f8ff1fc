// StreamLog+Delete.swift - XDEL and the three kinds of trimming. An entry inside a node is only marked, as in stock
// servers, and its node goes with its last living entry; trimming drops whole nodes where it can. Part of `StreamLog`,
// same owner and thread. What groups still point to a deleted entry is decided by the caller's `ReferencePolicy`.
internal import CLinux

extension StreamLog {
    /// What deleting does about entries that groups still wait for (Redis 8.2).
    package enum ReferencePolicy: Sendable {
        /// KEEPREF: pending lists keep pointing to what is gone.
        case keep
        /// DELREF: pending lists forget the entry.
        case remove
        /// ACKED: entries that some group has not read or not acknowledged stay.
        case requireAcknowledged
    }

    /// Which entries to keep.
    package enum TrimStrategy: Sendable {
        /// MAXLEN: so many of the newest.
        case length(Int)
        /// MINID: those at or above.
        case minimumID(StreamID)
    }

    /// Deletes the living entry `id` and raises `maxDeletedID`. False when there is none. Pending lists keep it.
    package mutating func delete(_ id: StreamID) -> Bool {
        var cursor = nodes.cursor(behind: id)
        guard let found = cursor.previous() else { return false }
        var node = unsafe StreamNode(word: found.value)
        let head = node.head
        guard let item = node.find(id, key: found.id, head), !item.isDeleted else { return false }
        if head.live == 1 {
            removeNode(node, key: found.id)
        } else {
            markDeleted(&node, key: found.id, item)
            _ = adjustCounts(&node, key: found.id, live: -1, deleted: 1)
        }
        length -= 1
        maxDeletedID = max(maxDeletedID, id)
        if length == 0 {
            firstID = .zero
        } else if id == firstID {
            firstID = firstEntry?.id ?? .zero
        }
        return true
    }

    /// Flags are one byte with or without the mark, so nothing moves.
    private mutating func markDeleted(_ node: inout StreamNode, key: StreamID, _ item: StreamNode.Item) {
        let flags = StreamNode.deletedFlag | (item.hasMasterFields ? StreamNode.sameFieldsFlag : 0)
        replaceInteger(&node, key: key, at: item.offset, with: Int(flags))
    }

    /// Removes entries from the old end. `isApproximate` leaves a node alone unless all of it can go (under the other
    /// policies than `keep`, entries go one by one even so, as in Redis); `limit` bounds the work, 0 does not. Returns
    /// how many went.
    package mutating func trim(
        _ strategy: TrimStrategy, isApproximate: Bool, limit: Int, policy: ReferencePolicy = .keep
    ) -> Int {
        var removed = 0
        var place = StreamID.zero
        let mayStop = isApproximate && policy == .keep
        while true {
            if case .length(let maximum) = strategy, length <= maximum { break }
            var cursor = nodes.cursor(before: place)
            guard let found = cursor.next() else { break }
            var node = unsafe StreamNode(word: found.value)
            let live = node.head.live
            if limit > 0 && removed + live > limit { break }
            let isWhole = canDropWhole(node, key: found.id, strategy, live: live)
            if isWhole && policy == .keep {
                removeNode(node, key: found.id)
                length -= live
                removed += live
                continue
            }
            if mayStop { break }
            let marked = trimWithin(&node, key: found.id, strategy, policy)
            removed += marked
            if isWhole && marked == live {
                removeNode(node, key: found.id)
            } else {
                _ = adjustCounts(&node, key: found.id, live: -marked, deleted: marked)
                if !isWhole { break }
            }
            guard let next = found.id.next else { break }
            place = next
        }
        if length == 0 {
            firstID = .zero
        } else if removed > 0 {
            firstID = firstEntry?.id ?? .zero
        }
        return removed
    }

    private func canDropWhole(_ node: StreamNode, key: StreamID, _ strategy: TrimStrategy, live: Int) -> Bool {
        switch strategy {
        case .length(let maximum): return length - live >= maximum
        case .minimumID(let minimum): return (node.lastID(key: key) ?? key) < minimum
        }
    }

    /// Marks what has to go inside one node; the counts are the caller's.
    private mutating func trimWithin(
        _ node: inout StreamNode, key: StreamID, _ strategy: TrimStrategy, _ policy: ReferencePolicy
    ) -> Int {
        let head = node.head
        var offset = node.entriesOffset(head)
        var marked = 0
        while offset < node.endOffset {
            let item = node.item(at: offset, key: key, head)
            switch strategy {
            case .length(let maximum): if length <= maximum { return marked }
            case .minimumID(let minimum): if item.id >= minimum { return marked }
            }
            offset = node.offset(behind: item)
            if item.isDeleted { continue }
            if policy == .requireAcknowledged && isReferenced(item.id) { continue }
            if policy == .remove { removeReferences(to: item.id) }
            markDeleted(&node, key: key, item)
            marked += 1
            length -= 1
        }
        return marked
    }

    /// Frees at most about `limit` nodes and pending entries, so that dropping a large stream can be spread over many
    /// turns. True while something remains.
    package mutating func removeSome(limit: Int) -> Bool {
        var left = max(limit, 1)
        while left > 0, let last = nodes.last {
            let node = unsafe StreamNode(word: last.value)
            length -= node.head.live
            removeNode(node, key: last.id)
            left -= 1
        }
        if left > 0 { groupList.removeSome(limit: left) }
        return nodes.count > 0 || groupList.count > 0
    }
}
