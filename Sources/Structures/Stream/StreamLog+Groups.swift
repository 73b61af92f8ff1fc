// StreamLog+Groups.swift - the consumer groups of a stream: which there are, what they still refer to, how far behind
// they are. Part of `StreamLog`, same owner and thread. The counting rules are Redis 8.2's: a group that fell behind
// the first entry is recounted instead of trusted.
internal import Base
internal import CLinux

/// Groups, by name.
struct StreamGroupList: ~Copyable {
    var groups: [StreamGroup] = []

    deinit { for group in groups { group.free() } }

    var count: Int { groups.count }

    /// Few enough to add up; each knows its own.
    var allocatedBytes: Int { groups.reduce(groups.capacity * 8) { $0 + $1.allocatedBytes } }

    func index(_ name: Span<UInt8>) -> (index: Int, isThere: Bool) {
        var low = 0
        var high = groups.count
        while low < high {
            let middle = (low + high) / 2
            if LexBound.order(groups[middle].name, name) < 0 { low = middle + 1 } else { high = middle }
        }
        return (low, low < groups.count && groups[low].name.equals(name))
    }

    mutating func removeSome(limit: Int) {
        guard let last = groups.last else { return }
        if last.removeSome(limit: limit) { return }
        groups.removeLast()
        last.free()
    }

    func duplicate() -> StreamGroupList {
        var copy = StreamGroupList()
        copy.groups = groups.map { $0.duplicate() }
        return copy
    }

    func structuralFault() -> String? {
        for group in groups {
            if let fault = group.structuralFault() { return fault }
        }
        return nil
    }
}

extension StreamLog {
    /// All groups, by name.
    package var groups: [StreamGroup] { groupList.groups }

    /// The group of that name.
    package func group(named name: Span<UInt8>) -> StreamGroup? {
        let (index, isThere) = groupList.index(name)
        return isThere ? groupList.groups[index] : nil
    }

    /// Adds a group that has read up to `lastID`; nil when the name is taken.
    package mutating func createGroup(
        named name: Span<UInt8>, lastID: StreamID, entriesRead: Int64 = StreamGroup.unknownEntriesRead
    ) -> StreamGroup? {
        let (index, isThere) = groupList.index(name)
        if isThere { return nil }
        let group = StreamGroup(name: name, lastID: lastID, entriesRead: entriesRead)
        groupList.groups.insert(group, at: index)
        return group
    }

    /// Takes a group out of the stream; the caller frees it, at once or over many turns.
    package mutating func detachGroup(named name: Span<UInt8>) -> StreamGroup? {
        let (index, isThere) = groupList.index(name)
        return isThere ? groupList.groups.remove(at: index) : nil
    }

    /// A stream of nothing but a detached group: a group that is to be freed goes where streams go.
    package init(holding group: StreamGroup) {
        self.init()
        groupList.groups = [group]
    }

    // MARK: References

    /// True when some group has not read `id` yet, or has and waits for its acknowledgement.
    package func isReferenced(_ id: StreamID) -> Bool {
        for group in groupList.groups where group.lastID < id || group.isPending(id) { return true }
        return false
    }

    /// Takes `id` out of every pending list; returns how many held it.
    @discardableResult
    package func removeReferences(to id: StreamID) -> Int {
        var removed = 0
        for group in groupList.groups where group.acknowledge(id) { removed += 1 }
        return removed
    }

    // MARK: Counting

    /// XREADGROUP delivered `id`: moves the group's place and its count of entries read.
    package func advance(_ group: StreamGroup, to id: StreamID) {
        guard id > group.lastID else { return }
        if group.entriesRead != StreamGroup.unknownEntriesRead && group.lastID >= firstID
            && !hasTombstones(from: group.lastID)
        {
            group.entriesRead &+= 1
        } else if entriesAdded > 0 {
            group.entriesRead = entriesRead(upTo: id)
        }
        group.lastID = id
    }

    /// Entries that the group has yet to get; nil when deletions make that unknowable.
    package func lag(of group: StreamGroup) -> Int64? {
        let added = Int64(clamping: entriesAdded)
        if entriesAdded == 0 || length == 0 { return 0 }
        if group.lastID < firstID && maxDeletedID < firstID { return Int64(length) }
        if group.entriesRead != StreamGroup.unknownEntriesRead && !hasTombstones(from: group.lastID) {
            return added &- group.entriesRead
        }
        let read = entriesRead(upTo: group.lastID)
        return read == StreamGroup.unknownEntriesRead ? nil : added &- read
    }

    /// How many entries were ever added up to `id`, where that can be told; else `unknownEntriesRead`.
    package func entriesRead(upTo id: StreamID) -> Int64 {
        if entriesAdded == 0 { return 0 }
        let added = Int64(clamping: entriesAdded)
        if length == 0 && id <= lastID { return added }
        if id == lastID { return added }
        if id > lastID { return StreamGroup.unknownEntriesRead }
        if maxDeletedID == .zero || maxDeletedID < firstID {
            // Nothing is missing between the first entry and the last.
            if id < firstID { return added &- Int64(length) }
            if id == firstID { return added &- Int64(length) &+ 1 }
        }
        return StreamGroup.unknownEntriesRead
    }

    /// True when an entry at or above `id` was deleted, as far as is remembered.
    private func hasTombstones(from id: StreamID) -> Bool {
        length > 0 && maxDeletedID != .zero && id <= maxDeletedID
    }
}
